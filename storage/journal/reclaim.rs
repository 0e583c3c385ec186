//! Freeing space: removing segments in which nothing may be read any more.

use super::{Reader, segment};
use crate::crash_points::{Point, reach};
use crate::disk::Disk;
use crate::error::{Error, Result};
use crate::ids::{Offset, SegmentId};
use crate::index::{Continue, Index};
use crate::keys::{self, Table};
use crate::values::SegmentUse;
use std::collections::BTreeMap;
use std::ops::Range;
use std::path::Path;

/// Removes the dead segments of a range, and answers how many. The range must end at the segment of the last
/// durable checkpoint at the latest, so that each was sealed and its every record is applied for good.
///
/// A segment is dead when each partition's last offset in it is below the partition's log start.
///
/// # Errors
/// [`Error::Io`] and [`Error::Index`]; segments removed before the error are gone.
pub fn reclaim(
    disk: &dyn Disk,
    folder: &Path,
    index: &Index,
    reader: &Reader,
    range: Range<SegmentId>,
) -> Result<usize> {
    let used = used_segments(index, &range)?;
    let mut removed = 0;
    for segment in segment::list(disk, folder)?.into_iter().filter(|segment| range.contains(segment)) {
        if used.get(&segment) == Some(&Use::Alive) {
            continue;
        }
        let path = segment::path(folder, segment);
        reach(Point::RemovalBegins);
        disk.remove(&path).map_err(Error::io("removing", &path))?;
        reach(Point::Removed);
        reader.forget(segment);
        removed += 1;
    }
    if removed > 0 {
        disk.sync_folder(folder).map_err(Error::io("syncing", folder))?;
    }
    // Rows outlive a crash that their segments did not, so those of missing segments go here too.
    for (segment, _) in used.iter().filter(|(_, part)| **part == Use::Dead) {
        let rows = index.scan(Table::Segments, &segment.0.to_be_bytes())?;
        index.delete_all(Table::Segments, rows.iter().map(|(key, _)| key.as_slice()))?;
        reach(Point::Reclaimed);
    }
    Ok(removed)
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Use {
    Alive,
    Dead,
}

/// The segments of the range that hold batches, dead or alive. A segment has a row for each partition in it,
/// so of one that is alive no more of them are read than it takes to know that.
fn used_segments(index: &Index, range: &Range<SegmentId>) -> Result<BTreeMap<SegmentId, Use>> {
    let snapshot = index.snapshot();
    let mut used = BTreeMap::new();
    let mut next = Some(range.start);
    while let Some(from) = next.take() {
        snapshot.each_from(index, Table::Segments, &[], &from.0.to_be_bytes(), |key, value| {
            let (segment, partition) = keys::read_segments(key).ok_or(Error::Value { table: "segments" })?;
            if segment >= range.end {
                return Ok(Continue::No);
            }
            if is_alive(SegmentUse::decode(value)?, index.bounds().get(partition)) {
                used.insert(segment, Use::Alive);
                next = Some(segment.next());
                return Ok(Continue::No);
            }
            used.insert(segment, Use::Dead);
            Ok(Continue::Yes)
        })?;
    }
    Ok(used)
}

/// Whether some of a partition's batches in a segment may still be read. A partition without an
/// explicit bound keeps its data.
fn is_alive(part: SegmentUse, log_start: Option<Offset>) -> bool {
    log_start.is_none_or(|start| part.last_offset >= start)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_partitions_part_is_dead_when_all_of_it_is_below_the_log_start() {
        let part = SegmentUse { last_offset: Offset(9), bytes: 1 };
        assert!(!is_alive(part, Some(Offset(10))));
        assert!(is_alive(part, Some(Offset(9))), "the last record may still be read");
        assert!(is_alive(part, None), "no bound is no permission");
    }
}
