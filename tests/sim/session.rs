//! A client that reads by a fetch session (KIP-227): it names its partitions once, changes and forgets some, and
//! is told what is new of all that it has, and of nothing else.

use crate::log::Place;
use crate::reader::{look, wanted};
use crate::world::{Client, Over};
use callboard_protocol::kafka::ErrorCode;
use callboard_protocol::kafka::fetch::{FetchRequest, FetchResponse, ForgottenTopic};
use std::collections::BTreeMap;
use std::time::Duration;

const VERSION: i16 = 17;
/// Begins a session, or ends it.
const BEGINS: i32 = 0;
const ENDS: i32 = -1;

/// What both sides know of a session.
#[derive(Debug, Default, Clone)]
pub(crate) struct Session {
    id: i32,
    /// Of the last request.
    epoch: i32,
    parts: BTreeMap<Place, Part>,
}

/// A partition of it.
#[derive(Debug, Default, Clone)]
struct Part {
    /// Where it is read from, as the broker was told.
    from: i64,
    /// Where it is read from next.
    next: i64,
    /// The high watermark that the client was told last.
    told: Option<i64>,
}

/// Reads by sessions until it is over.
pub(crate) async fn run(client: Client) -> Result<(), Over> {
    let before = std::mem::take(&mut client.world().session);
    if before.id != 0 {
        let request = request(&before, before.epoch + 1);
        refused(&client, &request, ErrorCode::FETCH_SESSION_ID_NOT_FOUND).await?;
    }
    loop {
        client.pause().await;
        let session = client.world().session.clone();
        if session.id == 0 {
            begin(&client).await?;
            continue;
        }
        match client.below(16) {
            0 => end(&client, session).await?,
            1 => {
                let wrong = [session.epoch, session.epoch + 2, -2][client.below(3)];
                // The first epoch begins another, and there is none twice before it.
                if wrong > 0 || wrong == -2 {
                    let request = request(&session, wrong);
                    refused(&client, &request, ErrorCode::INVALID_FETCH_SESSION_EPOCH).await?;
                }
            }
            _ => go_on(&client, session).await?,
        }
    }
}

fn request(session: &Session, session_epoch: i32) -> FetchRequest {
    let (min_bytes, max_bytes, session_id) = (1, 1 << 20, session.id);
    FetchRequest { min_bytes, max_bytes, session_id, session_epoch, ..Default::default() }
}

async fn refused(client: &Client, request: &FetchRequest, code: ErrorCode) -> Result<(), Over> {
    let answer: FetchResponse = client.ask(VERSION, request).await?;
    assert_eq!((answer.error_code, answer.session_id), (code, 0));
    assert!(answer.responses.is_empty(), "{answer:?}");
    Ok(())
}

/// A partition, and an offset that it has.
fn any(client: &Client) -> Option<(Place, i64)> {
    let topics = client.world().topics.all();
    let (_, id, partitions) = topics.get(client.below(topics.len().max(1)))?.clone();
    let place = (id, client.below(partitions as usize) as i32);
    let end = client.world().logs.durable_end(place);
    Some((place, client.below(end as usize + 1) as i64))
}

async fn begin(client: &Client) -> Result<(), Over> {
    let mut session = Session::default();
    for _ in 0..=client.below(5) {
        let Some((place, from)) = any(client) else { break };
        session.parts.insert(place, Part { from, next: from, told: None });
    }
    if session.parts.is_empty() {
        client.let_pass(Duration::from_millis(1)).await;
        return Ok(());
    }
    let topics = session.parts.iter().map(|(place, part)| wanted(*place, part.from)).collect();
    let request = FetchRequest { topics, ..request(&session, BEGINS) };
    fetch(client, session, &request).await
}

/// Says what has changed of its partitions, and what it has no more.
async fn go_on(client: &Client, mut session: Session) -> Result<(), Over> {
    let mut request = request(&session, session.epoch + 1);
    request.max_wait_ms = [0, 0, 20][client.below(3)];
    session.epoch += 1;
    if let Some(place) =
        session.parts.keys().nth(client.below(8)).copied().filter(|_| session.parts.len() > 1)
    {
        let (topic_id, partitions) = (place.0, vec![place.1]);
        request.forgotten_topics_data = vec![ForgottenTopic { topic_id, partitions, ..Default::default() }];
        session.parts.remove(&place);
    }
    if let Some((place, from)) = any(client).filter(|_| client.is_one_in(4)) {
        let told = session.parts.get(&place).and_then(|part| part.told);
        session.parts.insert(place, Part { from, next: from, told });
        request.topics.push(wanted(place, from));
    }
    for (place, part) in &mut session.parts {
        // Where it does not say how far it has read, the same comes again.
        if part.next != part.from && !client.is_one_in(3) {
            part.from = part.next;
            request.topics.push(wanted(*place, part.from));
        }
    }
    fetch(client, session, &request).await
}

async fn fetch(client: &Client, mut session: Session, request: &FetchRequest) -> Result<(), Over> {
    client.world().session = session.clone();
    let ends: BTreeMap<_, _> = {
        let world = client.world();
        session.parts.keys().map(|place| (*place, world.logs.durable_end(*place))).collect()
    };
    let answer: FetchResponse = client.ask(VERSION, request).await?;
    assert_eq!(answer.error_code, ErrorCode::NONE, "{session:?}");
    assert!(answer.session_id != 0 && [0, answer.session_id].contains(&session.id), "{session:?}");
    session.id = answer.session_id;
    let mut untold = session.parts.clone();
    for topic in &answer.responses {
        for data in &topic.partitions {
            let place = (topic.topic_id, data.partition_index);
            let part = session.parts.get_mut(&place);
            let part = part.unwrap_or_else(|| panic!("{place:?} is told of, and not in the session"));
            assert!(untold.remove(&place).is_some(), "{place:?} is told of twice");
            part.told = Some(data.high_watermark);
            if let Some(next) = look(client, place, (part.from, ends[&place]), data) {
                part.next = next;
            }
        }
    }
    assert!(request.session_epoch != BEGINS || untold.is_empty(), "{untold:?} is not told of at first");
    for (place, part) in untold {
        let has_news = part.told.is_none_or(|told| told < ends[&place]) || part.from < ends[&place];
        let is_gone = client.world().topics.may_be_gone(place.0);
        assert!(
            !has_news || is_gone,
            "{place:?} has news up to {}, and is not told of: {part:?}",
            ends[&place]
        );
    }
    client.world().session = session;
    Ok(())
}

/// Ends it: there is no such session then.
async fn end(client: &Client, session: Session) -> Result<(), Over> {
    client.world().session = Session::default();
    let answer: FetchResponse = client.ask(VERSION, &request(&session, ENDS)).await?;
    assert_eq!((answer.error_code, answer.session_id), (ErrorCode::NONE, 0));
    refused(client, &request(&session, session.epoch + 1), ErrorCode::FETCH_SESSION_ID_NOT_FOUND).await
}
