//! Lanes whose topic or partition is gone: each record is told what became of it, and no number is used twice.

use super::*;
use crate::producer::delivery::{Outcome, Receipt};
use crate::record::Record;
use callboard_protocol::batch::BatchHeader;
use callboard_protocol::native::Refusal;
use tokio::sync::oneshot;

const PRODUCER: i64 = 7;

/// A lane of which two batches may be in flight, and those who wait for its records.
struct Trial {
    lane: Lane,
    settings: Settings,
}

impl Trial {
    fn start(identity: Identity) -> Self {
        let partition = TopicPartition { topic: Uuid::from_u128(1), partition: 3 };
        let mut lane = Lane::new("orders".into(), partition, identity);
        lane.window = 2;
        Self { lane, settings: Settings::default() }
    }

    fn add(&mut self) -> oneshot::Receiver<Outcome> {
        let (outcome, receipt) = oneshot::channel();
        let entry = Entry { record: Record::to("orders").value("x"), bytes: 1, outcome };
        self.lane.add(entry, 1, &self.settings);
        receipt
    }

    /// Sends a batch: its number, its producer and its sequence number.
    fn send(&mut self) -> (u64, i64, i32) {
        let sent =
            self.lane.take(true, Instant::now(), &self.settings).expect("nothing may be sent").unwrap();
        let header = BatchHeader::parse(&sent.bytes).unwrap();
        (self.lane.in_flight.back().unwrap().batch.number, header.producer_id, header.base_sequence)
    }

    fn sending(&self, number: u64) -> u64 {
        self.lane.in_flight.iter().find(|it| it.batch.number == number).unwrap().sending
    }

    fn fail(&mut self, number: u64, error: Error) {
        self.lane.answered(self.sending(number), Err(error), &self.settings);
    }

    fn deliver(&mut self, number: u64) {
        let appended = BatchAppended { base_offset: 5, log_append_time: -1, log_start: 0 };
        self.lane.answered(self.sending(number), Ok(appended), &self.settings);
    }

    fn identify(&mut self, producer: i64) {
        assert!(self.lane.wants_identity());
        self.lane.identify(Some((producer, 0)));
    }
}

fn unknown(code: Code) -> Error {
    Refusal::new(code, "it is gone").into()
}

fn code(mut receipt: oneshot::Receiver<Outcome>) -> Option<Code> {
    receipt.try_recv().expect("its sender waits for ever").unwrap_err().code()
}

#[test]
fn what_an_abandoned_lane_has_in_flight_is_not_sent_again_and_fails() {
    for identity in [Identity::None, Identity::Of(PRODUCER, 0)] {
        for error in [Error::TimedOut, unknown(Code::UNKNOWN_TOPIC), unknown(Code::UNKNOWN_PARTITION)] {
            let mut trial = Trial::start(identity);
            let first = trial.add();
            trial.send();
            let second = trial.add();
            trial.send();
            let behind = trial.add();
            trial.lane.abandon(&gone());
            assert_eq!(code(behind), Some(Code::UNKNOWN_PARTITION), "it was not sent");
            trial.fail(0, error.clone());
            trial.fail(1, error.clone());
            for receipt in [first, second] {
                assert!(code(receipt).is_some(), "{identity:?}, {error}");
            }
            assert!(trial.lane.is_empty() && !trial.lane.is_homeless(), "{identity:?}, {error}");
        }
    }
}

#[test]
fn what_an_abandoned_lane_had_delivered_is_told_so() {
    let mut trial = Trial::start(Identity::Of(PRODUCER, 0));
    let mut receipt = trial.add();
    trial.send();
    trial.lane.abandon(&gone());
    trial.deliver(0);
    assert_eq!(receipt.try_recv().unwrap().unwrap(), Receipt { partition: 3, offset: 5, timestamp: 1 });
    assert!(trial.lane.is_empty());
}

#[test]
fn a_lane_that_gave_up_on_a_numbered_batch_goes_on_as_another_producer() {
    let mut trial = Trial::start(Identity::Of(PRODUCER, 0));
    let _first = trial.add();
    trial.send();
    trial.deliver(0);
    let given_up = trial.add();
    assert_eq!(trial.send(), (1, PRODUCER, 1));
    trial.fail(1, unknown(Code::UNKNOWN_TOPIC));
    assert!(trial.lane.is_homeless());
    trial.lane.expire_homeless(true, &trial.settings);
    assert_eq!(code(given_up), Some(Code::UNKNOWN_TOPIC));
    // It is the same topic after all, which may have the batch.
    trial.lane.move_to(Uuid::from_u128(1));
    trial.lane.wake();
    let _next = trial.add();
    trial.lane.end_batch();
    trial.identify(PRODUCER + 1);
    assert_eq!(trial.send(), (2, PRODUCER + 1, 0));
}

#[test]
fn a_lane_that_leads_to_the_next_topic_of_its_name_numbers_what_it_has_anew() {
    let mut trial = Trial::start(Identity::Of(PRODUCER, 0));
    let _first = trial.add();
    trial.send();
    trial.deliver(0);
    let _second = trial.add();
    assert_eq!(trial.send(), (1, PRODUCER, 1));
    trial.fail(1, unknown(Code::UNKNOWN_TOPIC));
    trial.lane.move_to(Uuid::from_u128(2));
    trial.lane.wake();
    trial.identify(PRODUCER + 1);
    assert_eq!(trial.send(), (1, PRODUCER + 1, 0), "it begins again, with the same batch");
}

#[test]
fn the_answer_to_an_earlier_sending_of_a_batch_says_nothing_of_the_later_one() {
    let mut trial = Trial::start(Identity::Of(PRODUCER, 0));
    let mut receipt = trial.add();
    trial.send();
    let late = trial.sending(0);
    assert_eq!(trial.lane.oldest().map(|(sending, _)| sending), Some(late));
    trial.fail(0, Error::TimedOut);
    assert_eq!(trial.lane.oldest(), None);
    trial.lane.wake();
    assert_eq!(trial.send(), (0, PRODUCER, 0), "the same batch with the same number");
    trial.lane.answered(late, Err(unknown(Code::OUT_OF_ORDER_SEQUENCE)), &trial.settings);
    assert!(!trial.lane.is_recovering && receipt.try_recv().is_err());
    trial.deliver(0);
    assert!(receipt.try_recv().unwrap().is_ok());
}
