//! What the disk itself can do: the bound that no broker that syncs can pass.

use anyhow::Result;
use std::fs::File;
use std::io::Write;
use std::path::Path;
use std::time::{Duration, Instant};

/// The median time of a sync after a write of `bytes`.
pub fn sync_median(folder: &Path, bytes: usize) -> Result<Duration> {
    let path = folder.join("sync-probe");
    let mut file = File::create(&path)?;
    let block = vec![7; bytes];
    let mut times = Vec::new();
    for _ in 0..300 {
        let begun = Instant::now();
        file.write_all(&block)?;
        file.sync_data()?;
        times.push(begun.elapsed());
    }
    std::fs::remove_file(path)?;
    times.sort_unstable();
    Ok(times.get(times.len() / 2).copied().unwrap_or_default())
}

/// Fills and frees as much of the page cache as a load will use. A virtual machine may have lent
/// that memory back, and who comes first would pay for getting it again.
pub fn warm(folder: &Path, bytes: usize) -> Result<()> {
    let path = folder.join("warm-up");
    let mut file = File::create(&path)?;
    let block = vec![7; 4 << 20];
    for _ in 0..bytes / block.len() {
        file.write_all(&block)?;
    }
    drop(file);
    std::fs::remove_file(path)?;
    Ok(())
}

/// Bytes per second of writes of `bytes`, each synced.
pub fn write_rate(folder: &Path, bytes: usize, total: usize) -> Result<f64> {
    let path = folder.join("write-probe");
    let mut file = File::create(&path)?;
    let block = vec![7; bytes];
    let begun = Instant::now();
    for _ in 0..total / bytes {
        file.write_all(&block)?;
        file.sync_data()?;
    }
    let rate = total as f64 / begun.elapsed().as_secs_f64();
    std::fs::remove_file(path)?;
    Ok(rate)
}
