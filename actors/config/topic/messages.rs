//! The topic settings about the batches that producers send: size, timestamps and compression.

use super::super::definition::Definition;
use super::super::rule::Rule;
use super::super::value::Kind;

pub(in crate::config) const MAX_MESSAGE_BYTES: Definition =
    Definition::new("max.message.bytes", Kind::Int, "1048588")
        .rule(Rule::AtLeast(0))
        .synonym("message.max.bytes")
        .documentation("The largest record batch that is accepted, in bytes as it was sent.");

pub(in crate::config) const MESSAGE_TIMESTAMP_TYPE: Definition =
    Definition::new("message.timestamp.type", Kind::String, "CreateTime")
        .rule(Rule::OneOf(&["CreateTime", "LogAppendTime"]))
        .synonym("log.message.timestamp.type")
        .documentation(
            "Whose clock a record's timestamp is from: CreateTime keeps the producer's, \
             LogAppendTime puts the broker's in its place.",
        );

pub(in crate::config) const MESSAGE_TIMESTAMP_BEFORE_MAX_MS: Definition =
    Definition::new("message.timestamp.before.max.ms", Kind::Long, "9223372036854775807")
        .rule(Rule::AtLeast(0))
        .synonym("log.message.timestamp.before.max.ms")
        .documentation(
            "How many milliseconds a producer's timestamp may lie before the broker's clock; older \
             ones are refused. LogAppendTime ignores it.",
        );

pub(in crate::config) const MESSAGE_TIMESTAMP_AFTER_MAX_MS: Definition =
    Definition::new("message.timestamp.after.max.ms", Kind::Long, "3600000")
        .rule(Rule::AtLeast(0))
        .synonym("log.message.timestamp.after.max.ms")
        .documentation(
            "How many milliseconds a producer's timestamp may lie after the broker's clock; later \
             ones are refused. LogAppendTime ignores it.",
        );

pub(in crate::config) const COMPRESSION_TYPE: Definition =
    Definition::new("compression.type", Kind::String, "producer")
        .rule(Rule::OneOf(&["uncompressed", "zstd", "lz4", "snappy", "gzip", "producer"]))
        .synonym("compression.type")
        .not_yet()
        .documentation(
            "The compression that a topic's batches are stored with; producer leaves them as they \
             were sent.",
        );

pub(in crate::config) const COMPRESSION_GZIP_LEVEL: Definition =
    Definition::new("compression.gzip.level", Kind::Int, "-1")
        .rule(Rule::BetweenOr(1, 9, -1))
        .synonym("compression.gzip.level")
        .not_yet()
        .documentation(
            "How hard gzip tries when compression.type is gzip, from 1 to 9; -1 is gzip's own \
             default.",
        );

pub(in crate::config) const COMPRESSION_LZ4_LEVEL: Definition =
    Definition::new("compression.lz4.level", Kind::Int, "9")
        .rule(Rule::Between(1, 17))
        .synonym("compression.lz4.level")
        .not_yet()
        .documentation("How hard lz4 tries when compression.type is lz4, from 1 to 17.");

pub(in crate::config) const COMPRESSION_ZSTD_LEVEL: Definition =
    Definition::new("compression.zstd.level", Kind::Int, "3")
        .rule(Rule::Between(-131_072, 22))
        .synonym("compression.zstd.level")
        .not_yet()
        .documentation("How hard zstd tries when compression.type is zstd, from -131072 to 22.");

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_and_timestamps_are_held_at_their_bounds() {
        assert!(MAX_MESSAGE_BYTES.parse("-1").is_err());
        assert!(MAX_MESSAGE_BYTES.parse("0").is_ok());
        assert!(MESSAGE_TIMESTAMP_BEFORE_MAX_MS.parse("-1").is_err());
        assert!(MESSAGE_TIMESTAMP_AFTER_MAX_MS.parse("-1").is_err());
        assert!(MESSAGE_TIMESTAMP_TYPE.parse("LogAppendTime").is_ok());
        assert!(MESSAGE_TIMESTAMP_TYPE.parse("createtime").is_err());
    }

    #[test]
    fn codecs_are_known_by_name_and_level() {
        for name in ["uncompressed", "zstd", "lz4", "snappy", "gzip", "producer", " gzip "] {
            assert!(COMPRESSION_TYPE.parse(name).is_ok(), "{name}");
        }
        for name in ["none", "GZIP", "", "brotli"] {
            assert!(COMPRESSION_TYPE.parse(name).is_err(), "{name}");
        }
        assert!(COMPRESSION_GZIP_LEVEL.parse("0").is_err());
        assert!(COMPRESSION_GZIP_LEVEL.parse("9").is_ok());
        assert!(COMPRESSION_LZ4_LEVEL.parse("18").is_err());
        assert!(COMPRESSION_ZSTD_LEVEL.parse("0").is_ok());
        assert!(COMPRESSION_ZSTD_LEVEL.parse("-131073").is_err());
    }
}
