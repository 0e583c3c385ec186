//! Fetch sessions: a consumer names its partitions once, and is told only what is new.

use crate::batch::{batch, stored};
use crate::client::Client;
use crate::own_broker;
use crate::support::broker::Broker;
use crate::topic::Topic;
use callboard_protocol::kafka::ErrorCode;
use callboard_protocol::kafka::fetch::{FetchRequest, FetchResponse, ForgottenTopic};

/// A topic of three partitions with a record each, a session of them, and the client that has it.
struct Session {
    client: Client,
    topic: Topic,
    id: i32,
}

impl Session {
    fn begin(broker: &Broker) -> Self {
        let mut client = Client::connect(broker);
        let topic = Topic::create(&mut client, 3);
        for partition in 0..3 {
            topic.produce(&mut client, partition, &batch(&["first"]));
        }
        let request = FetchRequest { session_epoch: 0, ..topic.fetch_request(&[(0, 0), (1, 0), (2, 0)]) };
        let answer: FetchResponse = client.call(11, &request);
        assert_eq!(shape(&answer), [(0, 1), (1, 1), (2, 1)]);
        assert_ne!(answer.session_id, 0);
        Self { client, topic, id: answer.session_id }
    }

    /// Goes on with the session, with what changes of its partitions.
    fn next(&mut self, session_epoch: i32, offsets: &[(i32, i64)]) -> FetchResponse {
        let changes = self.topic.fetch_request(offsets);
        self.client.call(11, &FetchRequest { session_id: self.id, session_epoch, ..changes })
    }
}

/// The partitions of an answer and how many batches each has.
fn shape(answer: &FetchResponse) -> Vec<(i32, usize)> {
    let partitions = answer.responses.iter().flat_map(|topic| &topic.partitions);
    partitions.map(|data| (data.partition_index, stored(data.records.as_ref()).len())).collect()
}

#[test]
fn a_session_tells_only_the_partitions_that_have_something_new() {
    let broker = Broker::start().unwrap();
    let mut session = Session::begin(&broker);
    assert_eq!(
        shape(&session.next(1, &[])).len(),
        3,
        "the offsets are as they were, so the records come again"
    );
    assert_eq!(shape(&session.next(2, &[(0, 1), (1, 1), (2, 1)])), []);
    session.topic.produce(&mut session.client, 1, &batch(&["second"]));
    let answer = session.next(3, &[]);
    assert_eq!((shape(&answer), answer.session_id), (vec![(1, 1)], session.id));
    assert_eq!(shape(&session.next(4, &[(1, 2)])), []);
}

#[test]
fn wrong_epochs_and_ids_are_refused_and_change_nothing() {
    let broker = Broker::start().unwrap();
    let mut session = Session::begin(&broker);
    let ends = [(0, 1), (1, 1), (2, 1)];
    assert_eq!(session.next(1, &ends).error_code, ErrorCode::NONE);
    for wrong in [1, 7, -2] {
        let refused = session.next(wrong, &[]);
        assert_eq!((refused.error_code, refused.session_id), (ErrorCode::INVALID_FETCH_SESSION_EPOCH, 0));
        assert!(refused.responses.is_empty());
    }
    assert_eq!(session.next(2, &[]).error_code, ErrorCode::NONE);
    for unknown in [session.id ^ 0x0ff0, -1, 0] {
        let request =
            FetchRequest { session_id: unknown, session_epoch: 1, ..session.topic.fetch_request(&[]) };
        let answer: FetchResponse = session.client.call(11, &request);
        assert_eq!(answer.error_code, ErrorCode::FETCH_SESSION_ID_NOT_FOUND);
    }
}

#[test]
fn a_forgotten_partition_is_read_no_more() {
    let broker = Broker::start().unwrap();
    let mut session = Session::begin(&broker);
    let Topic { name, id } = &session.topic;
    let forgotten = ForgottenTopic { topic: name.clone(), topic_id: *id, partitions: vec![0, 2] };
    let request = FetchRequest {
        session_id: session.id,
        session_epoch: 1,
        forgotten_topics_data: vec![forgotten],
        min_bytes: 1,
        ..Default::default()
    };
    let answer: FetchResponse = session.client.call(11, &request);
    assert_eq!(shape(&answer), [(1, 1)]);
    assert_eq!(shape(&session.next(2, &[(1, 1)])), []);
}

#[test]
fn an_error_is_told_each_time() {
    let broker = Broker::start().unwrap();
    let mut session = Session::begin(&broker);
    session.next(1, &[(0, 1), (1, 1), (2, 1)]);
    for (epoch, changes) in [(2, &[(50, 0)][..]), (3, &[])] {
        let answer = session.next(epoch, changes);
        let told = &answer.responses[0].partitions[0];
        assert_eq!((told.partition_index, told.error_code), (50, ErrorCode::UNKNOWN_TOPIC_OR_PARTITION));
    }
    assert_eq!(session.next(4, &[(1, 9)]).responses[0].partitions.len(), 2);
}

#[test]
fn a_session_ends_when_it_is_closed_or_replaced() {
    let broker = Broker::start().unwrap();
    let mut session = Session::begin(&broker);
    let closed = session.next(-1, &[(0, 0)]);
    assert_eq!((shape(&closed), closed.session_id), (vec![(0, 1)], 0));
    assert_eq!(session.next(1, &[]).error_code, ErrorCode::FETCH_SESSION_ID_NOT_FOUND);

    let mut session = Session::begin(&broker);
    let replaced = session.next(0, &[(0, 0)]);
    assert!(![0, session.id].contains(&replaced.session_id));
    assert_eq!(session.next(1, &[]).error_code, ErrorCode::FETCH_SESSION_ID_NOT_FOUND);
}

#[test]
fn a_session_is_not_bound_to_its_connection_and_may_name_topics_by_id() {
    let broker = Broker::start().unwrap();
    let mut session = Session::begin(&broker);
    session.client = Client::connect(&broker);
    assert_eq!(session.next(1, &[(0, 1)]).error_code, ErrorCode::NONE);

    let all = session.topic.fetch_request(&[(0, 0), (1, 1)]);
    let first: FetchResponse = session.client.call(13, &FetchRequest { session_epoch: 0, ..all });
    let next = FetchRequest { session_id: first.session_id, session_epoch: 1, ..Default::default() };
    let answer: FetchResponse = session.client.call(13, &next);
    assert_eq!((answer.responses[0].topic_id, shape(&answer)), (session.topic.id, vec![(0, 1)]));
}

#[test]
fn a_partition_that_was_served_goes_behind_the_others() {
    let broker = Broker::start().unwrap();
    let mut session = Session::begin(&broker);
    let served = |session: &mut Session, session_epoch| {
        let request = FetchRequest {
            session_id: session.id,
            session_epoch,
            max_bytes: 1,
            min_bytes: 1,
            ..Default::default()
        };
        let answer: FetchResponse = session.client.call(11, &request);
        shape(&answer).into_iter().find(|(_, batches)| *batches > 0).unwrap().0
    };
    let mut order: Vec<_> = (1..=3).map(|epoch| served(&mut session, epoch)).collect();
    order.sort_unstable();
    assert_eq!(order, [0, 1, 2], "each is served once before any is again");
}

#[test]
fn beyond_the_bound_a_consumer_gets_no_session_and_its_records_all_the_same() {
    let Some(broker) = own_broker(&["max.incremental.fetch.session.cache.slots=2"]) else { return };
    let (mut first, _second) = (Session::begin(&broker), Session::begin(&broker));
    let mut third = Client::connect(&broker);
    let request = FetchRequest { session_epoch: 0, ..first.topic.fetch_request(&[(0, 0)]) };
    let answer: FetchResponse = third.call(11, &request);
    assert_eq!((answer.session_id, shape(&answer)), (0, vec![(0, 1)]));
    assert_eq!(first.next(1, &[]).error_code, ErrorCode::NONE, "the others keep theirs");
    first.next(-1, &[]);
    let answer: FetchResponse = third.call(11, &request);
    assert_ne!(answer.session_id, 0, "a place that is given up is free");
}
