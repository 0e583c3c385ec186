//! Groups in numbers: many small ones, a large one, and many commits.
//!
//! `cargo bench -p callboard-benches --bench groups` starts the release binary and prints a line for
//! each figure; `-- NAME …` prints only what is named (`small`, `large`, `commits`). With
//! `CALLBOARD_BENCH_PEER=HOST:PORT` and `CALLBOARD_BENCH_PEER_PID=PID` a running broker of another
//! kind is asked the same, right after ours.

mod in_process;

use anyhow::{Context, Result};
use callboard_benches::broker::{self, Ours, Peer, Target, usage};
use callboard_benches::commits;
use callboard_benches::members::{Client, Member};
use callboard_benches::wanted::Wanted;
use std::sync::Barrier;
use std::sync::atomic::{AtomicI32, Ordering};
use std::thread::scope;
use std::time::{Duration, Instant};

const SMALL_GROUPS: usize = 10_000;
const MEMBERS: usize = 1_000;
const COMMITTING_FOR: Duration = Duration::from_secs(5);
/// Of a thread that only waits for answers.
const STACK_BYTES: usize = 128 << 10;
const TOPIC: &str = "groups";

fn main() -> Result<()> {
    let wanted = Wanted::from_arguments();
    broker::build()?;
    let (ours, _) = Ours::start()?;
    let peer = Peer::from_environment()?;
    let peer = peer.as_ref().map(|peer| peer as &dyn Target);
    for target in [Some(&ours as &dyn Target), peer].into_iter().flatten() {
        commits::create_topic(target, TOPIC)?;
        if wanted.has("small") {
            many_small_groups(target)?;
        }
        if wanted.has("large") {
            one_large_group(target.address(), target.name())?;
        }
        if wanted.has("commits") {
            commits(target)?;
        }
    }
    if wanted.has("commits") {
        in_process::commits()?;
    }
    Ok(())
}

fn many_small_groups(target: &dyn Target) -> Result<()> {
    let before = usage(target.process_id())?.resident_bytes;
    let mut client = Client::connect(target.address())?;
    let begun = Instant::now();
    for number in 0..SMALL_GROUPS {
        let group = format!("small-{number}");
        let id = client.id(&group)?;
        let member = client.join(&group, &id)?;
        client.sync(&group, &member)?;
    }
    let took = begun.elapsed();
    let bytes = usage(target.process_id())?.resident_bytes.saturating_sub(before);
    let each = bytes / SMALL_GROUPS as u64;
    print(
        target.name(),
        "10000-groups",
        &format!("{:.1} s, {each} bytes of memory each", took.as_secs_f64()),
    );
    Ok(())
}

/// All have their ids, and join at once.
fn one_large_group(address: &str, name: &str) -> Result<()> {
    let (group, have_ids) = ("large", Barrier::new(MEMBERS + 1));
    // The generation in which all are, once their leader has seen it.
    let last_generation = AtomicI32::new(0);
    let took = scope(|scope| -> Result<Duration> {
        let mut members = Vec::new();
        for _ in 0..MEMBERS {
            let member = || -> Result<(Instant, Instant)> {
                let mut client = Client::connect(address)?;
                let id = client.id(group)?;
                have_ids.wait();
                let begun_at = Instant::now();
                loop {
                    let member = settle(&mut client, group, &id)?;
                    if member.all.len() == MEMBERS {
                        last_generation.store(member.generation, Ordering::Release);
                    }
                    let assigned_at = Instant::now();
                    while client.beat(group, &member)? {
                        if last_generation.load(Ordering::Acquire) == member.generation {
                            return Ok((begun_at, assigned_at));
                        }
                    }
                }
            };
            members.push(std::thread::Builder::new().stack_size(STACK_BYTES).spawn_scoped(scope, member)?);
        }
        have_ids.wait();
        let now = Instant::now();
        let (mut first, mut last) = (now, now);
        for member in members {
            let (begun_at, assigned_at) = member.join().ok().context("a member died")??;
            (first, last) = (first.min(begun_at), last.max(assigned_at));
        }
        Ok(last.saturating_duration_since(first))
    })?;
    let seconds = took.as_secs_f64();
    let text = format!("{seconds:.2} s from the first join until all have their assignments");
    print(name, "1000-members-join", &text);
    Ok(())
}

/// Joins and asks for the assignment until the group is at rest for this member.
fn settle(client: &mut Client, group: &str, id: &str) -> Result<Member> {
    loop {
        let member = client.join(group, id)?;
        if client.sync(group, &member).is_ok() {
            return Ok(member);
        }
    }
}

/// A steady stream of commits.
fn commits(target: &dyn Target) -> Result<()> {
    let rate = commits::measure(target, TOPIC, COMMITTING_FOR)?;
    let text = format!(
        "{:.0} a second from {} groups, {:.0} us of CPU each",
        rate.a_second,
        commits::GROUPS,
        rate.cpu_each.as_secs_f64() * 1e6
    );
    print(target.name(), "commits", &text);
    Ok(())
}

fn print(broker: &str, what: &str, figure: &str) {
    println!("{what:<20} {broker:<10} {figure}");
}
