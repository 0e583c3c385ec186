//! Records as they are sent and as they are read.

use bytes::Bytes;
use callboard_protocol::batch;
use std::sync::Arc;

/// A record to send.
///
/// ```
/// use callboard_client::Record;
/// let record = Record::to("orders").key("alice").value("two teapots").header("origin", "shop");
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Record {
    /// The topic.
    pub topic: Arc<str>,
    /// The partition; `None` lets the partitioner choose.
    pub partition: Option<u32>,
    /// The key, if it has one. Records with the same key go to the same partition.
    pub key: Option<Bytes>,
    /// The value; a record without one deletes its key in a compacted topic.
    pub value: Option<Bytes>,
    /// In milliseconds since 1970; `None` for the time at which it is sent.
    pub timestamp: Option<i64>,
    /// Headers, in order; a name may occur more than once, and need not be UTF-8.
    pub headers: Vec<(Bytes, Option<Bytes>)>,
}

impl Record {
    /// A record without key and value for that topic.
    pub fn to(topic: impl Into<Arc<str>>) -> Self {
        Self {
            topic: topic.into(),
            partition: None,
            key: None,
            value: None,
            timestamp: None,
            headers: Vec::new(),
        }
    }

    /// The same, for that partition.
    #[must_use]
    pub fn partition(self, partition: u32) -> Self {
        Self { partition: Some(partition), ..self }
    }

    /// The same, with a key.
    #[must_use]
    pub fn key(self, key: impl Into<Bytes>) -> Self {
        Self { key: Some(key.into()), ..self }
    }

    /// The same, with a value.
    #[must_use]
    pub fn value(self, value: impl Into<Bytes>) -> Self {
        Self { value: Some(value.into()), ..self }
    }

    /// The same, with a timestamp in milliseconds since 1970.
    #[must_use]
    pub fn timestamp(self, timestamp: i64) -> Self {
        Self { timestamp: Some(timestamp), ..self }
    }

    /// The same, with one header more.
    #[must_use]
    pub fn header(mut self, name: impl Into<Bytes>, value: impl Into<Bytes>) -> Self {
        self.headers.push((name.into(), Some(value.into())));
        self
    }

    /// The record as batches have it; without a time of its own it gets `now_ms`, in milliseconds since
    /// 1970.
    pub fn in_batch(&self, now_ms: i64) -> batch::NewRecord<'_> {
        batch::NewRecord {
            timestamp: self.timestamp.unwrap_or(now_ms),
            key: self.key.as_deref(),
            value: self.value.as_deref(),
            headers: &self.headers,
        }
    }
}

/// A record that was read. It shares the memory of its batch; nothing of it is copied.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Received {
    /// Its topic.
    pub topic: Arc<str>,
    /// Its partition.
    pub partition: u32,
    record: batch::Record,
}

impl Received {
    pub(crate) fn new(topic: Arc<str>, partition: u32, record: batch::Record) -> Self {
        Self { topic, partition, record }
    }

    /// Its offset within the partition.
    pub fn offset(&self) -> i64 {
        self.record.offset
    }

    /// In milliseconds since 1970, or -1.
    pub fn timestamp(&self) -> i64 {
        self.record.timestamp
    }

    /// Its key, if it has one.
    pub fn key(&self) -> Option<&Bytes> {
        self.record.key.as_ref()
    }

    /// Its value, if it has one.
    pub fn value(&self) -> Option<&Bytes> {
        self.record.value.as_ref()
    }

    /// Its headers, in order.
    pub fn headers(&self) -> impl Iterator<Item = batch::Header> + use<> {
        self.record.headers()
    }
}
