//! Records as JSON, one a line. What is written and read again is the same record.
//!
//! Keys, values and names of headers are texts, or `{"base64": "…"}` where they are not UTF-8; all but
//! names may be null. Headers are pairs in a list, because a name may occur more than once.

use anyhow::{Context, Result, bail};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use callboard_client::{Received, Record};
use serde::de::{Error, MapAccess, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer};
use serde_json::value::RawValue;
use serde_json::{Value, json};
use std::fmt;

/// A record that was read, as an object.
pub(super) fn written(record: &Received) -> Value {
    let headers =
        record.headers().map(|header| json!([text(Some(&header.name)), text(header.value.as_ref())]));
    json!({
        "topic": *record.topic,
        "partition": record.partition,
        "offset": record.offset(),
        "timestamp": record.timestamp(),
        "key": text(record.key()),
        "value": text(record.value()),
        "headers": headers.collect::<Vec<_>>(),
    })
}

fn text(bytes: Option<&Bytes>) -> Value {
    bytes.map_or(Value::Null, |bytes| match std::str::from_utf8(bytes) {
        Ok(text) => json!(text),
        Err(_) => json!({ "base64": STANDARD.encode(bytes) }),
    })
}

/// The record that a line is, for that topic.
pub(super) fn read(topic: &str, line: &[u8]) -> Result<Record> {
    let line = std::str::from_utf8(line).context("this is not UTF-8")?;
    if !line.trim_start().starts_with('{') {
        bail!("this is no JSON object");
    }
    let fields: Fields = serde_json::from_str(line).context("this is no record")?;
    let mut record = Record::to(topic);
    record.key = bytes(fields.key.as_deref()).context("key")?;
    record.value = bytes(fields.value.as_deref()).context("value")?;
    record.partition = fields.partition;
    record.timestamp = fields.timestamp;
    for (name, value) in fields.headers.map(|headers| headers.0).unwrap_or_default() {
        let value =
            bytes(value.as_deref()).with_context(|| format!("header {}", String::from_utf8_lossy(&name)))?;
        record.headers.push((name, value));
    }
    Ok(record)
}

/// What an object may have. Values keep the letters in which they are written.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Fields {
    key: Option<Box<RawValue>>,
    value: Option<Box<RawValue>>,
    headers: Option<Headers>,
    partition: Option<u32>,
    timestamp: Option<i64>,
    /// Where it was read; it is sent to the topic that the command names.
    #[serde(rename = "topic")]
    _topic: Option<String>,
    /// Where it was read.
    #[serde(rename = "offset")]
    _offset: Option<i64>,
}

/// What stands for bytes.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Encoded {
    base64: String,
}

fn bytes(value: Option<&RawValue>) -> Result<Option<Bytes>> {
    let Some(value) = value.map(RawValue::get) else { return Ok(None) };
    if value.starts_with('"') {
        return Ok(Some(serde_json::from_str::<String>(value)?.into()));
    }
    match serde_json::from_str::<Encoded>(value) {
        Ok(Encoded { base64 }) => Ok(Some(STANDARD.decode(base64).context("this is not base64")?.into())),
        Err(_) => Ok(Some(Bytes::copy_from_slice(value.as_bytes()))),
    }
}

/// Names and values in their order, from a list of pairs or from an object.
struct Headers(Vec<(Bytes, Option<Box<RawValue>>)>);

/// A header's name as it stands in a pair.
fn name(name: &RawValue) -> Result<Bytes> {
    let name = name.get();
    if name.starts_with('"') {
        return Ok(serde_json::from_str::<String>(name)?.into());
    }
    let wrong = r#"a header's name is a text or {"base64": "…"}"#;
    let Encoded { base64 } = serde_json::from_str(name).context(wrong)?;
    Ok(STANDARD.decode(base64).context("this is not base64")?.into())
}

impl<'de> Deserialize<'de> for Headers {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(Pairs)
    }
}

struct Pairs;

impl<'de> Visitor<'de> for Pairs {
    type Value = Headers;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(r#"headers like [["name", "value"]] or {"name": "value"}"#)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut pairs: A) -> Result<Headers, A::Error> {
        let mut headers = Vec::new();
        while let Some((raw, value)) = pairs.next_element::<(Box<RawValue>, _)>()? {
            headers.push((name(&raw).map_err(|error| A::Error::custom(format!("{error:#}")))?, value));
        }
        Ok(Headers(headers))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut fields: A) -> Result<Headers, A::Error> {
        let mut headers = Vec::new();
        while let Some((name, value)) = fields.next_entry::<String, _>()? {
            headers.push((name.into(), value));
        }
        Ok(Headers(headers))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn problem(line: &[u8]) -> String {
        format!("{:#}", read("t", line).unwrap_err())
    }

    #[test]
    fn an_object_is_a_record() {
        let line = br#"{"key":"k","value":{"b":1,"a":1.50},"headers":{"h":"x"},"partition":2,"timestamp":5}"#;
        let record = read("t", line).unwrap();
        assert_eq!(record.key.as_deref(), Some(&b"k"[..]));
        assert_eq!(record.value.as_deref(), Some(&br#"{"b":1,"a":1.50}"#[..]), "as it was written");
        assert_eq!((record.partition, record.timestamp), (Some(2), Some(5)));
        assert_eq!(record.headers, [("h".into(), Some("x".into()))]);
        assert_eq!(read("t", b"{}").unwrap().value, None, "which deletes a key");
    }

    #[test]
    fn headers_keep_their_order_repeats_nulls_and_bytes() {
        let expected = [("h", Some(&b"1"[..])), ("g", None), ("h", Some(&[0xff, 0]))];
        for headers in
            [r#"[["h","1"],["g",null],["h",{"base64":"/wA="}]]"#, r#"{"h":1,"g":null,"h":{"base64":"/wA="}}"#]
        {
            let record = read("t", format!(r#"{{"headers":{headers}}}"#).as_bytes()).unwrap();
            let headers: Vec<_> =
                record.headers.iter().map(|(name, value)| (&name[..], value.as_deref())).collect();
            assert_eq!(headers, expected.map(|(name, value): (&str, _)| (name.as_bytes(), value)));
        }
    }

    #[test]
    fn a_headers_name_need_not_be_utf_8() {
        let record = read("t", br#"{"headers":[[{"base64":"/wA="},"v"],["h",null]]}"#).unwrap();
        let expected = [(Bytes::from_static(&[0xff, 0]), Some("v".into())), ("h".into(), None)];
        assert_eq!(record.headers, expected);
        assert!(problem(br#"{"headers":[[{"base64":"?"},"v"]]}"#).contains("not base64"));
        assert!(problem(br#"{"headers":[[1,"v"]]}"#).contains("a header's name is a text"));
    }

    #[test]
    fn an_object_that_only_has_a_field_named_base64_among_others_is_itself() {
        for value in [r#"{"base64":"AA==","x":1}"#, r#"{"base64":1}"#, "[1]", "12345678901234567890123", "{}"]
        {
            let record = read("t", format!(r#"{{"value":{value}}}"#).as_bytes()).unwrap();
            assert_eq!(record.value.as_deref(), Some(value.as_bytes()));
        }
        assert!(problem(br#"{"value":{"base64":"?"}}"#).starts_with("value: this is not base64"));
    }

    #[test]
    fn what_is_no_record_is_refused() {
        for line in [&b"[]"[..], b"", b"{", b"\xff", br#"{"partition":-1}"#, br#"{"headers":1}"#] {
            problem(line);
        }
        for line in [&br#"{"timestamp":"x"}"#[..], br#"{"headers":[[null,"v"]]}"#, br#"{"headers":[["h"]]}"#]
        {
            problem(line);
        }
        let unknown = problem(br#"{"vaule":"typo"}"#);
        assert!(unknown.contains("`vaule`") && unknown.contains("`value`"), "{unknown}");
        assert!(problem(br#"{"value":1,"value":2}"#).contains("duplicate field"));
    }
}
