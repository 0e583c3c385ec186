//! Fetch sessions: begun, continued, changed, refused, bounded, evicted.

use super::*;
use callboard_protocol::kafka::fetch::{FetchTopic, ForgottenTopic};

fn request(session_id: i32, session_epoch: i32, partitions: &[(i32, i64)]) -> FetchRequest {
    let partition = |(partition, fetch_offset): &(i32, i64)| FetchPartition {
        partition: *partition,
        fetch_offset: *fetch_offset,
        ..FetchPartition::default()
    };
    let topic = FetchTopic {
        topic: "t".into(),
        partitions: partitions.iter().map(partition).collect(),
        ..FetchTopic::default()
    };
    FetchRequest {
        session_id,
        session_epoch,
        topics: if partitions.is_empty() { Vec::new() } else { vec![topic] },
        ..FetchRequest::default()
    }
}

struct Begun {
    context: Context,
    session_id: i32,
    wanted: Vec<Wanted>,
}

fn begin(sessions: &Sessions, request: &FetchRequest) -> Result<Begun, ErrorCode> {
    let (context, wanted) = sessions.begin(request, 12, 100)?;
    Ok(Begun { context, session_id: context.session_id, wanted })
}

fn indexes(begun: &Begun) -> Vec<(i32, i64)> {
    begun.wanted.iter().map(|wanted| (wanted.index, wanted.offset)).collect()
}

fn told(sessions: &Sessions, begun: Begun, high_watermark: i64) -> Vec<i32> {
    let data = |wanted: &Wanted| PartitionData {
        partition_index: wanted.index,
        high_watermark,
        log_start_offset: 0,
        ..PartitionData::default()
    };
    let answers = begun.wanted.iter().map(|wanted| (wanted.clone(), data(wanted))).collect();
    let (_, answers) = sessions.end(begun.context, answers);
    answers.into_iter().map(|(wanted, _)| wanted.index).collect()
}

#[tokio::test]
async fn a_session_is_told_only_what_is_new() {
    let sessions = Sessions::new(10);
    let first = begin(&sessions, &request(0, 0, &[(0, 5), (1, 6)])).unwrap();
    let id = first.session_id;
    assert!(id > 0);
    assert_eq!(told(&sessions, first, 9), [0, 1], "a new session is told everything");
    let second = begin(&sessions, &request(id, 1, &[])).unwrap();
    assert_eq!(indexes(&second), [(0, 5), (1, 6)]);
    assert_eq!(told(&sessions, second, 9), [0; 0]);
    let third = begin(&sessions, &request(id, 2, &[(1, 7), (2, 0)])).unwrap();
    assert_eq!(indexes(&third), [(0, 5), (1, 7), (2, 0)]);
    assert_eq!(told(&sessions, third, 9), [2], "only the new one is not known");
}

#[tokio::test]
async fn forgotten_partitions_are_read_no_more() {
    let sessions = Sessions::new(10);
    let id = begin(&sessions, &request(0, 0, &[(0, 5), (1, 6)])).unwrap().session_id;
    let mut forgetting = request(id, 1, &[]);
    forgetting.forgotten_topics_data =
        vec![ForgottenTopic { topic: "t".into(), partitions: vec![0, 9], ..ForgottenTopic::default() }];
    assert_eq!(indexes(&begin(&sessions, &forgetting).unwrap()), [(1, 6)]);
}

#[tokio::test]
async fn wrong_ids_and_epochs_are_refused_and_change_nothing() {
    let sessions = Sessions::new(10);
    let id = begin(&sessions, &request(0, 0, &[(0, 5)])).unwrap().session_id;
    let refused = |request| begin(&sessions, &request).err();
    assert_eq!(refused(request(id ^ 1, 1, &[])), Some(ErrorCode::FETCH_SESSION_ID_NOT_FOUND));
    assert_eq!(refused(request(id, 2, &[])), Some(ErrorCode::INVALID_FETCH_SESSION_EPOCH));
    assert_eq!(refused(request(id, 1, &[])), None);
    assert_eq!(refused(request(id, 1, &[])), Some(ErrorCode::INVALID_FETCH_SESSION_EPOCH));
    let by_id = sessions.begin(&request(id, 2, &[]), 13, 100).err();
    assert_eq!(by_id, Some(ErrorCode::FETCH_SESSION_TOPIC_ID_ERROR));
}

#[tokio::test(start_paused = true)]
async fn sessions_are_bounded_and_silent_ones_lose_their_place() {
    let sessions = Sessions::new(2);
    let create = || begin(&sessions, &request(0, 0, &[(0, 0)])).unwrap().session_id;
    let (first, second) = (create(), create());
    assert!(first > 0 && second > 0 && first != second);
    assert_eq!(create(), 0, "there is no room, and nobody was silent for long");
    tokio::time::advance(EVICTABLE_AFTER).await;
    begin(&sessions, &request(second, 1, &[])).unwrap();
    assert!(create() > 0);
    let evicted = begin(&sessions, &request(first, 1, &[])).err();
    assert_eq!(evicted, Some(ErrorCode::FETCH_SESSION_ID_NOT_FOUND));
}

#[tokio::test]
async fn a_request_without_a_session_ends_the_one_it_names() {
    let sessions = Sessions::new(2);
    let id = begin(&sessions, &request(0, 0, &[(0, 0)])).unwrap().session_id;
    assert_eq!(begin(&sessions, &request(id, -1, &[(0, 0)])).unwrap().session_id, 0);
    assert!(begin(&sessions, &request(id, 1, &[])).is_err());
}

#[tokio::test]
async fn a_session_may_not_grow_without_bound() {
    let sessions = Sessions::new(2);
    let id = begin(&sessions, &request(0, 0, &[(0, 0)])).unwrap().session_id;
    let grown = sessions.begin(&request(id, 1, &[(1, 0), (2, 0)]), 12, 2).err();
    assert_eq!(grown, Some(ErrorCode::INVALID_REQUEST));
}

#[tokio::test]
async fn those_that_were_served_go_behind_the_others() {
    let sessions = Sessions::new(2);
    let begun = begin(&sessions, &request(0, 0, &[(0, 0), (1, 0), (2, 0)])).unwrap();
    let id = begun.session_id;
    let served = PartitionData {
        records: Some(bytes::Bytes::from_static(b"records").into()),
        ..PartitionData::default()
    };
    let first = begun.wanted[0].clone();
    sessions.end(begun.context, vec![(first, served)]);
    let next = begin(&sessions, &request(id, 1, &[])).unwrap();
    assert_eq!(indexes(&next), [(1, 0), (2, 0), (0, 0)]);
}

#[tokio::test]
async fn partitions_of_all_sessions_are_bounded_when_one_grows_too() {
    let sessions = Sessions { parts_max: 3, ..Sessions::new(10) };
    let first = begin(&sessions, &request(0, 0, &[(0, 0)])).unwrap().session_id;
    let second = begin(&sessions, &request(0, 0, &[(0, 0)])).unwrap().session_id;
    assert_eq!(begin(&sessions, &request(second, 1, &[(1, 0)])).unwrap().session_id, second);
    let grown = begin(&sessions, &request(second, 2, &[(2, 0)]));
    assert_eq!(grown.err(), Some(ErrorCode::FETCH_SESSION_ID_NOT_FOUND));
    assert_eq!(begin(&sessions, &request(first, 1, &[(1, 0), (2, 0)])).unwrap().session_id, first);
    assert_eq!(begin(&sessions, &request(0, 0, &[(0, 0)])).unwrap().session_id, 0, "there is no room");
}
