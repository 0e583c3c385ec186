//! Reading batches from segments, from any thread.

use super::segment;
use crate::disk::{Disk, DiskFile};
use crate::error::{Error, Result};
use crate::ids::SegmentId;
use bytes::Bytes;
use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;

/// Segment files that are kept open for reading at most.
pub const OPEN_SEGMENTS_MAX: usize = 256;

/// The reading end of the journal.
#[derive(Debug)]
pub struct Reader {
    disk: Arc<dyn Disk>,
    folder: PathBuf,
    open: Mutex<OpenSegments>,
}

#[derive(Debug, Default)]
struct OpenSegments {
    files: HashMap<SegmentId, (u64, Arc<dyn DiskFile>)>,
    clock: u64,
}

impl Reader {
    /// A reader of the segments in a folder.
    pub fn new(disk: Arc<dyn Disk>, folder: PathBuf) -> Self {
        Self { disk, folder, open: Mutex::default() }
    }

    /// Whether reading has threads of its own: see [`Disk::has_threads`].
    pub fn has_threads(&self) -> bool {
        self.disk.has_threads()
    }

    /// Reads bytes of a segment.
    ///
    /// # Errors
    /// [`Error::MissingSegment`] when the segment was removed: look the pointer up again;
    /// [`Error::Io`] otherwise, also when the segment is too short.
    pub fn read(&self, segment: SegmentId, position: u64, length: usize) -> Result<Bytes> {
        self.read_in_steps(segment, position, length, length)
    }

    /// The same, `step_bytes` at a time, with a turn for other threads behind each of several.
    ///
    /// # Errors
    /// As [`Reader::read`].
    pub fn read_in_steps(
        &self,
        segment: SegmentId,
        position: u64,
        length: usize,
        step_bytes: usize,
    ) -> Result<Bytes> {
        let file = self.file(segment)?;
        let read = |position, length| {
            let path = || segment::path(&self.folder, segment);
            file.read_exact_at(position, length).map_err(Error::io("reading", path()))
        };
        if length <= step_bytes {
            return Ok(read(position, length)?.into());
        }
        let mut bytes = Vec::with_capacity(length);
        while bytes.len() < length {
            let step = step_bytes.max(1).min(length - bytes.len());
            bytes.extend_from_slice(&read(position + bytes.len() as u64, step)?);
            thread::yield_now();
        }
        Ok(bytes.into())
    }

    /// Closes a segment that is about to be removed.
    pub fn forget(&self, segment: SegmentId) {
        self.lock().files.remove(&segment);
    }

    fn file(&self, segment: SegmentId) -> Result<Arc<dyn DiskFile>> {
        let mut open = self.lock();
        open.clock += 1;
        let now = open.clock;
        if let Some((used, file)) = open.files.get_mut(&segment) {
            *used = now;
            return Ok(Arc::clone(file));
        }
        let path = segment::path(&self.folder, segment);
        let file = self.disk.open(&path).map_err(|error| {
            if error.kind() == std::io::ErrorKind::NotFound {
                Error::MissingSegment(segment, self.folder.clone())
            } else {
                Error::io("opening", &path)(error)
            }
        })?;
        if open.files.len() >= OPEN_SEGMENTS_MAX {
            let oldest = open.files.iter().min_by_key(|(_, (used, _))| *used).map(|(id, _)| *id);
            oldest.and_then(|id| open.files.remove(&id));
        }
        open.files.insert(segment, (now, Arc::clone(&file)));
        Ok(file)
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, OpenSegments> {
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
