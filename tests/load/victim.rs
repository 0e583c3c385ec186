//! The broker that is put under load, and what the system says that it takes.

use crate::client::{Client, WITHIN};
use crate::native::Native;
use crate::support::launch::{ANYWHERE, address_in, log_in, spawn_with};
use crate::support::process::last_lines;
use rlimit::Resource;
use std::fs;
use std::net::TcpStream;
use std::process::Child;
use std::sync::Once;
use std::thread;
use std::time::{Duration, Instant};

const READY_WITHIN: Duration = Duration::from_secs(30);

/// The allocator takes a gigabyte of addresses at once, which the system counts as taken unless it is
/// told to take memory when it is needed.
const COMMIT_LATE: (&str, &str) = ("MIMALLOC_ARENA_EAGER_COMMIT", "0");

/// A broker process of a test's own. Dropping it kills it.
pub(crate) struct Victim {
    child: Child,
    folder: tempfile::TempDir,
    kafka: String,
    native: String,
}

/// What a process has open.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Open {
    files: usize,
    threads: u64,
}

impl Victim {
    /// Starts a broker with settings, each `key=value`.
    pub(crate) fn start(settings: &[&str]) -> Self {
        static FILES: Once = Once::new();
        // Thousands of connections are files of this process too.
        FILES.call_once(|| drop(rlimit::increase_nofile_limit(u64::MAX)));
        let folder = tempfile::tempdir().unwrap();
        let settings: Vec<String> = settings.iter().map(ToString::to_string).collect();
        let (child, lines) = spawn_with(folder.path(), ANYWHERE, &settings, &[COMMIT_LATE]).unwrap();
        let kafka = address_in(&lines.recv_timeout(READY_WITHIN).unwrap()).unwrap();
        let native = lines.recv_timeout(READY_WITHIN).unwrap();
        let native = native.strip_prefix("callboard native=").unwrap().to_owned();
        Self { child, folder, kafka, native }
    }

    /// A client of Kafka's door.
    pub(crate) fn kafka(&self) -> Client {
        Client::over(self.kafka_socket())
    }

    /// A client of the native door, which has greeted.
    pub(crate) fn native(&self) -> Native {
        Native::greet(self.native_socket())
    }

    pub(crate) fn kafka_socket(&self) -> TcpStream {
        TcpStream::connect(&self.kafka).unwrap()
    }

    pub(crate) fn native_socket(&self) -> TcpStream {
        TcpStream::connect(&self.native).unwrap()
    }

    pub(crate) fn process_id(&self) -> u32 {
        self.child.id()
    }

    /// Lets the system give it no more memory than so many bytes from now on: an allocation that would
    /// pass them ends the process.
    pub(crate) fn limit_memory(&self, bytes: u64) {
        let process = self.process_id().try_into().unwrap();
        rlimit::prlimit(process, Resource::DATA, Some((bytes, bytes)), None).unwrap();
    }

    /// Memory that it was given by the system, used or not, in bytes.
    pub(crate) fn taken(&self) -> u64 {
        self.status("VmData") * 1024
    }

    /// Memory that it has now, in bytes.
    pub(crate) fn resident(&self) -> u64 {
        self.status("VmRSS") * 1024
    }

    /// The most memory that it ever had, in bytes.
    pub(crate) fn peak(&self) -> u64 {
        self.status("VmHWM") * 1024
    }

    pub(crate) fn open(&self) -> Open {
        let files = fs::read_dir(format!("/proc/{}/fd", self.process_id())).unwrap().count();
        Open { files, threads: self.status("Threads") }
    }

    /// Waits until no more is open than was `before`, which is seen again whenever a client was answered.
    pub(crate) fn assert_back_to(&self, before: Open) {
        let begun = Instant::now();
        let mut asking = self.kafka();
        loop {
            asking.assert_alive();
            let Open { files, threads } = self.open();
            // The one that asks is open too.
            if files <= before.files + 1 && threads <= before.threads {
                return;
            }
            assert!(begun.elapsed() < WITHIN, "{files} files and {threads} threads, before {before:?}");
        }
    }

    /// Waits until the broker has logged something.
    pub(crate) fn wait_for_log(&self, said: &str, within: Duration) {
        let begun = Instant::now();
        while !fs::read_to_string(log_in(self.folder.path())).unwrap().contains(said) {
            assert!(begun.elapsed() < within, "the broker did not say {said:?}");
            thread::yield_now();
        }
    }

    fn status(&self, name: &str) -> u64 {
        let status = fs::read_to_string(format!("/proc/{}/status", self.process_id())).unwrap();
        let line = status.lines().find_map(|line| line.strip_prefix(name)).unwrap();
        line.trim_start_matches(':').trim().trim_end_matches(" kB").parse().unwrap()
    }
}

impl Drop for Victim {
    fn drop(&mut self) {
        if thread::panicking() {
            let log = fs::read(log_in(self.folder.path())).unwrap_or_default();
            eprintln!("--- the broker's log ---\n{}\n---", last_lines(&String::from_utf8_lossy(&log)));
        }
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
