//! A steady stream of groups' commits.

use crate::broker::{Target, usage};
use crate::members::Client;
use anyhow::{Context, Result};
use rdkafka::ClientConfig;
use rdkafka::producer::{BaseProducer, BaseRecord, Producer};
use std::sync::Barrier;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread::scope;
use std::time::{Duration, Instant};

/// How many groups commit at once.
pub const GROUPS: usize = 512;
const THREADS: usize = 4;

/// How fast it went.
#[derive(Debug, Clone, Copy)]
pub struct Rate {
    /// Commits a second.
    pub a_second: f64,
    /// What each cost the broker.
    pub cpu_each: Duration,
}

/// A topic for the commits; it comes by itself. So does, with another broker, the one behind its
/// groups, which takes a moment.
///
/// # Errors
/// When it does not come.
pub fn create_topic(target: &dyn Target, topic: &str) -> Result<()> {
    let producer: BaseProducer = ClientConfig::new().set("bootstrap.servers", target.address()).create()?;
    let record = BaseRecord::<(), [u8]>::to(topic).payload(&[]);
    producer.send(record).map_err(|(error, _)| error)?;
    producer.flush(Duration::from_secs(30))?;
    let mut client = Client::connect(target.address())?;
    let deadline = Instant::now() + Duration::from_secs(30);
    while client.commit("first", topic, 0).is_err() && Instant::now() < deadline {
        client.find_coordinator("first")?;
    }
    Ok(())
}

/// Each group commits one offset at a time by a connection of its own. A thread serves many of them:
/// it sends for all, and then waits for all.
///
/// # Errors
/// When a commit fails.
pub fn measure(target: &dyn Target, topic: &str, time: Duration) -> Result<Rate> {
    let (count, is_over) = (AtomicU64::new(0), AtomicBool::new(false));
    let ready = Barrier::new(THREADS + 1);
    let (begun, before) = scope(|scope| -> Result<_> {
        let mut threads = Vec::new();
        for thread in 0..THREADS {
            let (address, count, is_over, ready) = (target.address(), &count, &is_over, &ready);
            threads.push(scope.spawn(move || -> Result<()> {
                let clients = connect(address, topic, thread);
                // Whoever waits does so for this one too, whether or not it can commit.
                ready.wait();
                commit(clients?, topic, count, is_over)
            }));
        }
        ready.wait();
        let (begun, before) = (Instant::now(), usage(target.process_id())?.cpu);
        crate::produce::wait(time);
        is_over.store(true, Ordering::Relaxed);
        for thread in threads {
            thread.join().ok().context("a committer died")??;
        }
        Ok((begun, before))
    })?;
    let count = count.load(Ordering::Relaxed);
    let cpu = usage(target.process_id())?.cpu.saturating_sub(before);
    let cpu_each = cpu.div_f64(count.max(1) as f64);
    Ok(Rate { a_second: count as f64 / begun.elapsed().as_secs_f64(), cpu_each })
}

/// The groups of a thread, each with an offset committed.
fn connect(address: &str, topic: &str, thread: usize) -> Result<Vec<(Client, String)>> {
    let mut clients = Vec::new();
    for number in (thread..GROUPS).step_by(THREADS) {
        let mut client = Client::connect(address)?;
        let group = format!("committing-{number}");
        client.commit(&group, topic, 0)?;
        clients.push((client, group));
    }
    Ok(clients)
}

fn commit(
    mut clients: Vec<(Client, String)>,
    topic: &str,
    count: &AtomicU64,
    is_over: &AtomicBool,
) -> Result<()> {
    for offset in 1.. {
        if is_over.load(Ordering::Relaxed) {
            break;
        }
        for (client, group) in &mut clients {
            client.send_commit(group, topic, offset)?;
        }
        for (client, _) in &mut clients {
            client.committed()?;
        }
        count.fetch_add(clients.len() as u64, Ordering::Relaxed);
    }
    Ok(())
}
