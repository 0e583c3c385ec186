//! Append: a producer's batch, checked, on its way into the log.

use super::Partition;
use super::producers::{Checked, SequenceError};
use crate::broker::locate::LocateError;
use crate::clock;
use crate::committer;
use crate::committer::append::Pledge;
use crate::config::{TimestampType, TopicSettings};
use crate::mail::{Unavailable, post};
use actix::{AsyncContext, Context, Handler, Message};
use bytes::Bytes;
use callboard_protocol::batch::{self, Batch, BatchError, BatchHeader, Rules, validate};
use callboard_storage::Offset;
use callboard_storage::journal::record::BODY_BYTES_MAX;
use tokio::sync::oneshot;

/// Bytes of the largest batch, whatever a topic allows: one record of the journal must hold it.
pub const BATCH_BYTES_MAX: usize = BODY_BYTES_MAX / 2;

/// When an append is answered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Acks {
    /// When it is written: it survives the process.
    Written,
    /// When it is synced: it survives the machine.
    Synced,
}

/// One batch to append.
#[derive(Debug, Message)]
#[rtype(result = "()")]
pub struct Append {
    /// The bytes of the batch, as the producer sent them.
    pub records: Bytes,
    /// When to answer.
    pub acks: Acks,
    /// Where to.
    pub reply: oneshot::Sender<Result<Appended, AppendError>>,
}

/// A batch is in the log.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Appended {
    /// Offset of its first record.
    pub base_offset: Offset,
    /// The time that the broker gave it, in milliseconds since 1970; -1 where the producer gave the
    /// times. Of a batch that was repeated it is the largest timestamp, as in Kafka.
    pub log_append_time: i64,
    /// Offset of the partition's first record that may be read.
    pub log_start: Offset,
}

impl Appended {
    /// What is answered for a batch that was appended.
    pub fn new(header: &BatchHeader, log_start: Offset) -> Self {
        let log_append_time = match header.attributes.timestamp_type() {
            batch::TimestampType::CreateTime => -1,
            batch::TimestampType::LogAppendTime => header.max_timestamp,
        };
        Self { base_offset: Offset(header.base_offset), log_append_time, log_start }
    }
}

/// Why a batch is not appended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum AppendError {
    /// The batch breaks a rule.
    #[error(transparent)]
    Batch(#[from] BatchError),
    /// A transactional batch outside a transaction.
    #[error("a transactional batch needs a transaction")]
    Transactional,
    /// The sequence number is not the one after the last.
    #[error(transparent)]
    Sequence(#[from] SequenceError),
    /// The topic was deleted.
    #[error("the topic was deleted")]
    Deleted,
    /// Storage has failed, or the partition's actor.
    #[error(transparent)]
    Unavailable(#[from] Unavailable),
}

impl From<LocateError> for AppendError {
    fn from(error: LocateError) -> Self {
        match error {
            LocateError::Deleted => Self::Deleted,
            LocateError::Unavailable(unavailable) => Self::Unavailable(unavailable),
        }
    }
}

/// An append whose outcome is not known yet.
#[derive(Debug)]
pub(super) struct InFlight {
    pub(super) header: BatchHeader,
    /// All who wait for the outcome: the producer, and those who repeated the batch.
    pub(super) replies: Vec<oneshot::Sender<Result<Appended, AppendError>>>,
}

impl Handler<Append> for Partition {
    type Result = ();

    fn handle(&mut self, message: Append, ctx: &mut Context<Self>) {
        let Append { records, acks, reply } = message;
        let checked = self.check(records);
        match checked {
            Ok((batch, Checked::New)) => self.send_to_committer(batch, acks, reply, ctx),
            Ok((_, Checked::Duplicate(original))) => {
                let log_start = self.log_start;
                let base_offset = Offset(original.base_offset);
                let log_append_time = original.max_timestamp;
                let _ = reply.send(Ok(Appended { base_offset, log_append_time, log_start }));
            }
            Ok((batch, Checked::InFlight)) => self.join_original(&batch.header, reply),
            Err(error) => {
                let _ = reply.send(Err(error));
            }
        }
    }
}

impl Partition {
    fn check(&mut self, records: Bytes) -> Result<(Batch, Checked), AppendError> {
        let batch = check(records, self.topic.config.load().settings())?;
        let checked = self.producers.check(&batch.header)?;
        Ok((batch, checked))
    }

    fn send_to_committer(
        &mut self,
        batch: Batch,
        acks: Acks,
        reply: oneshot::Sender<Result<Appended, AppendError>>,
        ctx: &mut Context<Self>,
    ) {
        let header = batch.header;
        let (written, replies) = match acks {
            Acks::Synced => (None, vec![reply]),
            Acks::Written => (Some(reply), Vec::new()),
        };
        let append = committer::append::Append {
            partition: self.id,
            from: Pledge::new(ctx.address()),
            losses: self.losses,
            batch,
            written,
        };
        if post(&self.committer, append).is_err() {
            for reply in replies {
                let _ = reply.send(Err(Unavailable.into()));
            }
            return;
        }
        self.producers.sent(&header);
        self.in_flight.push_back(InFlight { header, replies });
    }

    /// A repetition of a batch that is still on its way gets that one's outcome.
    fn join_original(&mut self, header: &BatchHeader, reply: oneshot::Sender<Result<Appended, AppendError>>) {
        let original = self.in_flight.iter_mut().find(|sent| {
            sent.header.producer_id == header.producer_id
                && sent.header.producer_epoch == header.producer_epoch
                && sent.header.base_sequence == header.base_sequence
        });
        match original {
            Some(original) => original.replies.push(reply),
            None => {
                let _ = reply.send(Err(Unavailable.into()));
            }
        }
    }
}

/// A batch as a topic takes it: by its rules, with the time that it wants.
///
/// # Errors
/// [`AppendError`] when the batch breaks a rule.
pub(crate) fn check(records: Bytes, settings: &TopicSettings) -> Result<Batch, AppendError> {
    let now = clock::wall_ms();
    let batch = validate(records, &rules(settings, now))?;
    if batch.header.attributes.is_transactional() {
        return Err(AppendError::Transactional);
    }
    Ok(match settings.timestamp_type {
        TimestampType::LogAppendTime => batch.with_log_append_time(now),
        TimestampType::CreateTime => batch.with_create_time(),
    })
}

fn rules(settings: &TopicSettings, now: i64) -> Rules {
    let millis = |duration: std::time::Duration| i64::try_from(duration.as_millis()).unwrap_or(i64::MAX);
    Rules {
        batch_bytes_max: (settings.message_bytes_max as usize).min(BATCH_BYTES_MAX),
        now,
        before_max: millis(settings.timestamp_before_max),
        after_max: millis(settings.timestamp_after_max),
        log_append_time: settings.timestamp_type == TimestampType::LogAppendTime,
    }
}
