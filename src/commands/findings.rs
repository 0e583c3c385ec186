//! What checking and salvaging tell alike: findings as JSON, and a bar.

use super::output::progress;
use callboard_storage::check::{Finding, NamedPartition, Place};
use indicatif::ProgressBar;
use serde_json::{Map, Value, json};

/// A bar over bytes that are read.
pub(super) fn reading(bytes: u64) -> ProgressBar {
    progress(bytes, "{bar:40} {bytes}/{total_bytes} {eta}")
}

/// A finding as an object.
pub(super) fn json_of(finding: &Finding) -> Value {
    let mut fields = match &finding.place {
        Place::File(path) => object(json!({ "file": path })),
        Place::Segment { segment, from, to } => {
            object(json!({ "segment": segment.0, "position": from, "end": to }))
        }
        Place::Offsets { partition, from, to, lies } => {
            let mut fields = json_of_offsets(partition, from.0, to.0);
            if let Some((segment, position)) = lies {
                fields.extend(object(json!({ "segment": segment.0, "position": position })));
            }
            fields
        }
        Place::Table(table) => object(json!({ "table": table })),
    };
    fields.insert("finding".into(), finding.what.clone().into());
    fields.into()
}

/// Offsets of a partition; `end_offset` is the one behind the last.
pub(super) fn json_of_offsets(partition: &NamedPartition, from: i64, to: i64) -> Map<String, Value> {
    let (topic, index) = partition.name.clone().unzip();
    object(json!({
        "topic": topic,
        "partition": index,
        "partition_number": partition.id.0,
        "offset": from,
        "end_offset": to,
    }))
}

fn object(value: Value) -> Map<String, Value> {
    match value {
        Value::Object(fields) => fields,
        _ => Map::new(),
    }
}
