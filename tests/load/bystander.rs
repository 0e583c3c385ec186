//! Clients that behave well all the while: each door has one, and both must go on being answered.

use crate::batch::Batch;
use crate::client::Client;
use crate::native::{self, Native};
use crate::topic::Topic;
use crate::victim::Victim;
use callboard_protocol::kafka::ErrorCode;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread::JoinHandle;
use std::time::Instant;

/// Rounds that must be done before something is taken for going on.
const ROUNDS: usize = 3;

/// Two clients that produce and read, on a thread of their own.
pub(crate) struct Bystanders {
    rounds: Arc<AtomicUsize>,
    stop: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl Bystanders {
    /// Starts them, each connected before anything happens.
    pub(crate) fn start(victim: &Victim) -> Self {
        let (mut kafka, mut native) = (victim.kafka(), victim.native());
        let topic = Topic::create(&mut kafka, 1);
        let (rounds, stop) = (Arc::<AtomicUsize>::default(), Arc::<AtomicBool>::default());
        let (counted, stopped) = (Arc::clone(&rounds), Arc::clone(&stop));
        let thread = std::thread::spawn(move || {
            let mut offset = 0;
            while !stopped.load(Ordering::Relaxed) {
                round(&mut kafka, &mut native, &topic, offset);
                offset += 1;
                counted.fetch_add(1, Ordering::Relaxed);
            }
        });
        let bystanders = Self { rounds, stop, thread: Some(thread) };
        bystanders.assert_answered();
        bystanders
    }

    /// Sees that both are answered from now on, some times over.
    pub(crate) fn assert_answered(&self) {
        let (before, begun) = (self.rounds.load(Ordering::Relaxed), Instant::now());
        while self.rounds.load(Ordering::Relaxed) < before + ROUNDS {
            let thread = self.thread.as_ref().unwrap();
            assert!(!thread.is_finished(), "a client that behaves well was not answered");
            assert!(begun.elapsed().as_secs() < 60, "clients that behave well do not go on");
            std::thread::yield_now();
        }
    }

    /// Stops them. Every request of theirs was answered.
    pub(crate) fn stop(mut self) {
        self.assert_answered();
        self.stop.store(true, Ordering::Relaxed);
        self.thread.take().unwrap().join().unwrap();
    }
}

impl Drop for Bystanders {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
    }
}

/// Writes a record by Kafka's door, and reads it by both.
fn round(kafka: &mut Client, native: &mut Native, topic: &Topic, offset: i64) {
    let appended = topic.produce(kafka, 0, &Batch::of_size(100));
    assert_eq!((appended.error_code, appended.base_offset), (ErrorCode::NONE, offset));
    assert_eq!(topic.fetch(kafka, 0, offset).high_watermark, offset + 1);
    let mut fetch = native::fetch(topic, 1);
    fetch.parts[0].offset = offset;
    let fetched = native.call(fetch);
    assert!(fetched.parts[0].outcome.as_ref().unwrap().bytes > 100);
}
