//! The machine, and what it gives without any broker.

use crate::disk;
use crate::figures::{Figures, MB_S, P50};
use crate::peers::said;
use anyhow::Result;
use std::hint::black_box;
use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

/// What stands in a broker's place for a figure of the machine itself.
pub const DISK: &str = "disk";
pub const DISK_MIB: &str = "disk, sync each MiB";
/// One small write and its sync.
pub const DISK_SYNC: &str = "disk, a write of 1,200 bytes and its sync";
const MIB: usize = 1 << 20;

/// Cores, memory, kernel.
pub fn describe(folder: &Path) -> Result<Vec<(&'static str, String)>> {
    let cpu = std::fs::read_to_string("/proc/cpuinfo")?;
    let model = cpu.lines().find_map(|line| line.strip_prefix("model name")).unwrap_or(": unknown");
    let memory = std::fs::read_to_string("/proc/meminfo")?;
    let kib: f64 = memory.split_whitespace().nth(1).unwrap_or("0").parse()?;
    let file_system = said(Command::new("stat").args(["--file-system", "--format=%T"]).arg(folder))?;
    let revision = said(Command::new("git").args(["rev-parse", "--short", "HEAD"]))?;
    Ok(vec![
        (
            "Cores",
            format!("{} × {}", std::thread::available_parallelism()?, model.trim_matches([' ', '\t', ':'])),
        ),
        ("Memory", format!("{:.0} GB", kib * 1024.0 / 1e9)),
        ("Kernel", std::fs::read_to_string("/proc/sys/kernel/osrelease")?.trim().to_owned()),
        ("File system of the data", file_system),
        ("Revision", revision),
    ])
}

/// Measures the disk, loopback and memory once.
pub fn measure(folder: &Path, figures: &mut Figures) -> Result<()> {
    figures.add(DISK, "disk, sync each 4 MiB", MB_S, disk::write_rate(folder, 4 * MIB, 512 * MIB)? / 1e6);
    figures.add(DISK, DISK_MIB, MB_S, disk::write_rate(folder, MIB, 256 * MIB)? / 1e6);
    figures.add(DISK, "disk, sync each 64 KiB", MB_S, disk::write_rate(folder, MIB / 16, 32 * MIB)? / 1e6);
    let sync = disk::sync_median(folder, 1200)?;
    figures.add(DISK, DISK_SYNC, P50, sync.as_secs_f64() * 1e3);
    figures.add(DISK, "loopback, one connection", MB_S, loopback()? / 1e6);
    figures.add(DISK, "memcpy of 64 MiB", MB_S, memcpy() / 1e6);
    Ok(())
}

/// Bytes per second through one connection.
fn loopback() -> Result<f64> {
    let listener = TcpListener::bind("127.0.0.1:0")?;
    let mut sender = TcpStream::connect(listener.local_addr()?)?;
    let (mut receiver, _) = listener.accept()?;
    let thread = std::thread::spawn(move || -> Result<f64> {
        let (begun, mut total, mut buffer) = (Instant::now(), 0, vec![0; MIB]);
        loop {
            match receiver.read(&mut buffer)? {
                0 => return Ok(total as f64 / begun.elapsed().as_secs_f64()),
                read => total += read,
            }
        }
    });
    let (begun, block) = (Instant::now(), vec![7; MIB]);
    while begun.elapsed() < Duration::from_secs(1) {
        sender.write_all(&block)?;
    }
    drop(sender);
    thread.join().unwrap_or_else(|_| anyhow::bail!("the receiver died"))
}

fn memcpy() -> f64 {
    let (from, mut to) = (vec![7_u8; 64 * MIB], vec![0_u8; 64 * MIB]);
    let (begun, mut total) = (Instant::now(), 0);
    while begun.elapsed() < Duration::from_millis(500) {
        black_box(&mut to).copy_from_slice(black_box(&from));
        total += from.len();
    }
    total as f64 / begun.elapsed().as_secs_f64()
}
