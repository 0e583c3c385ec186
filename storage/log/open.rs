//! Opening the logs: the journal, the index, and what the index lacks.

use super::checkpointer::{CheckpointBounds, Checkpointer};
use super::{Log, LogReader};
use crate::checkpoint::Checkpoint;
use crate::crash_points::{Point, reach};
use crate::disk::Disk;
use crate::error::{Error, Result};
use crate::folder::Folder;
use crate::index::Index;
use crate::journal::{self, OpenOptions, segment};
use std::collections::HashMap;
use std::sync::Arc;
use std::time::Instant;

/// Records that are applied to the index at once when the logs are opened.
const RECORDS_AT_ONCE: usize = 4096;

/// How the logs are kept.
#[derive(Debug, Clone)]
pub struct LogOptions {
    /// Bytes after which the journal starts its next segment.
    pub segment_bytes: u64,
    /// When the next checkpoint is due.
    pub checkpoint: CheckpointBounds,
}

impl Log {
    /// Opens the logs in a data folder, after a stop of any kind.
    ///
    /// # Errors
    /// What is missing or damaged in the journal, with nothing changed; [`Error::Io`]; [`Error::Index`].
    pub fn open(disk: Arc<dyn Disk>, folder: &Folder, options: &LogOptions) -> Result<Self> {
        let started = Instant::now();
        let journal_folder = folder.journal();
        disk.create_folder(&journal_folder).map_err(Error::io("creating", &journal_folder))?;
        Index::check_free(&folder.index())?;
        let checkpoint = Checkpoint::read(disk.as_ref(), &folder.checkpoint())?;
        let opening =
            OpenOptions { folder: journal_folder.clone(), segment_bytes: options.segment_bytes, checkpoint };
        let is_new = checkpoint.is_none() && segment::list(disk.as_ref(), &journal_folder)?.is_empty();
        let open_journal = || journal::open(Arc::clone(&disk), opening);
        let open_index = || Index::open(&folder.index(), checkpoint.as_ref());
        let ((writer, recovered), index) = if is_new {
            at_once(open_journal, open_index)?
        } else {
            // One after the other, so that a damaged journal leaves the index as it is.
            let journal = open_journal()?;
            reach(Point::JournalOpened);
            (journal, open_index()?)
        };
        // The folders of the journal and of the index are entries too.
        disk.sync_folder(folder.path()).map_err(Error::io("syncing", folder.path()))?;
        let reader =
            LogReader::new(index.clone(), journal::Reader::new(Arc::clone(&disk), journal_folder.clone()));
        let checkpointer = Checkpointer::start(
            checkpointer_files(&disk, folder),
            index.clone(),
            reader.journal(),
            options.checkpoint,
        )?;
        let applied = super::end_of(&writer);
        let mut log = Self {
            writer,
            index,
            tails: super::Tails::default(),
            uses: HashMap::new(),
            applied,
            checkpointer,
            reader,
        };
        reach(Point::ReplayBegins);
        for records in recovered.chunks(RECORDS_AT_ONCE) {
            log.apply_recovered(records)?;
        }
        reach(Point::Replayed);
        log.checkpointer.count_from(checkpoint.map_or(crate::Sequence(0), |it| it.sequence));
        tracing::info!(records = recovered.len(), elapsed = ?started.elapsed(), "journal opened");
        Ok(log)
    }
}

/// Does two things at once, each of which mostly waits for the disk.
fn at_once<A: Send, B>(
    first: impl FnOnce() -> Result<A> + Send,
    second: impl FnOnce() -> Result<B>,
) -> Result<(A, B)> {
    std::thread::scope(|scope| {
        let first = scope.spawn(first);
        let second = second();
        match first.join() {
            Ok(first) => Ok((first?, second?)),
            Err(panic) => std::panic::resume_unwind(panic),
        }
    })
}

fn checkpointer_files(disk: &Arc<dyn Disk>, folder: &Folder) -> super::checkpointer::Files {
    super::checkpointer::Files {
        disk: Arc::clone(disk),
        checkpoint: folder.checkpoint(),
        journal: folder.journal(),
    }
}
