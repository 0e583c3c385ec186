//! Sequences of idempotent producers: new, repeated, missing, fenced, wrapped, forgotten.

use super::*;

fn batch(epoch: i16, base_sequence: i32, count: i32) -> BatchHeader {
    BatchHeader { producer_id: 7, producer_epoch: epoch, base_sequence, ..BatchHeader::new(count, 0) }
}

fn commit(producers: &mut Producers, header: BatchHeader, base_offset: i64) {
    assert_eq!(producers.check(&header), Ok(Checked::New));
    producers.sent(&header);
    producers.committed(&BatchHeader { base_offset, ..header }, Instant::now());
}

fn offset_of(checked: Result<Checked, SequenceError>) -> Option<i64> {
    match checked {
        Ok(Checked::Duplicate(original)) => Some(original.base_offset),
        Ok(Checked::New | Checked::InFlight) | Err(_) => None,
    }
}

#[test]
fn the_first_batch_of_an_unknown_producer_may_have_any_sequence() {
    let mut producers = Producers::default();
    commit(&mut producers, batch(0, 41, 1), 0);
    commit(&mut producers, batch(0, 42, 3), 1);
    let gap = SequenceError::OutOfOrder { found: 46, expected: 45 };
    assert_eq!(producers.check(&batch(0, 46, 1)), Err(gap));
}

#[test]
fn the_last_five_batches_are_recognised_and_older_ones_are_out_of_order() {
    let mut producers = Producers::default();
    for number in 0..6 {
        commit(&mut producers, batch(0, number, 1), 100 + i64::from(number));
    }
    for number in 1..6 {
        assert_eq!(offset_of(producers.check(&batch(0, number, 1))), Some(100 + i64::from(number)));
    }
    let old = SequenceError::OutOfOrder { found: 0, expected: 6 };
    assert_eq!(producers.check(&batch(0, 0, 1)), Err(old));
    let other = SequenceError::OutOfOrder { found: 5, expected: 6 };
    assert_eq!(producers.check(&batch(0, 5, 2)), Err(other), "it is not the same batch");
}

#[test]
fn a_batch_on_its_way_is_recognised_and_the_next_follows_it() {
    let mut producers = Producers::default();
    producers.sent(&batch(0, 0, 2));
    assert_eq!(producers.check(&batch(0, 0, 2)), Ok(Checked::InFlight));
    assert_eq!(producers.check(&batch(0, 2, 1)), Ok(Checked::New));
    producers.lost(&batch(0, 0, 2));
    assert_eq!(producers.check(&batch(0, 0, 2)), Ok(Checked::New));
}

#[test]
fn a_new_epoch_begins_at_zero_and_fences_the_old_one() {
    let mut producers = Producers::default();
    commit(&mut producers, batch(3, 0, 1), 0);
    let wrong = SequenceError::OutOfOrder { found: 1, expected: 0 };
    assert_eq!(producers.check(&batch(4, 1, 1)), Err(wrong));
    commit(&mut producers, batch(4, 0, 1), 1);
    let fenced = SequenceError::OldEpoch { found: 3, current: 4 };
    assert_eq!(producers.check(&batch(3, 1, 1)), Err(fenced));
}

#[test]
fn sequences_wrap() {
    let mut producers = Producers::default();
    commit(&mut producers, batch(0, i32::MAX - 1, 3), 0);
    commit(&mut producers, batch(0, 1, 1), 3);
    assert_eq!(offset_of(producers.check(&batch(0, i32::MAX - 1, 3))), Some(0));
}

#[tokio::test(start_paused = true)]
async fn silent_producers_are_forgotten_but_not_those_on_their_way() {
    let mut producers = Producers::default();
    commit(&mut producers, batch(0, 0, 1), 0);
    let hour = Duration::from_secs(3600);
    let now = Instant::now();
    assert_eq!(producers.expire(now + hour - Duration::from_secs(1), hour), []);
    producers.sent(&batch(0, 1, 1));
    assert_eq!(producers.expire(now + hour * 2, hour), []);
    producers.lost(&batch(0, 1, 1));
    assert_eq!(producers.expire(now + hour * 2, hour), [ProducerId(7)]);
    assert_eq!(producers.check(&batch(0, 9, 1)), Ok(Checked::New), "it is unknown again");
}
