//! Tests of reading and writing at the level of bytes.

#![allow(clippy::unwrap_used)]

use bytes::Bytes;
use proptest::prelude::*;

use super::{
    DecodeErrorKind, EncodeError, Reader, Records, RequestHeader, RequestPrefix, ResponseHeader,
    SPLICE_BYTES_MIN, Str, TaggedFields, Version, Wire, Writer,
};

const FIXED: Version = Version { number: 0, flexible: false };
const FLEXIBLE: Version = Version { number: 0, flexible: true };

fn reader(bytes: &[u8]) -> Reader {
    Reader::new(Bytes::copy_from_slice(bytes))
}

fn joined(writer: Writer) -> Bytes {
    writer.finish().into_iter().collect::<Records>().into_bytes()
}

#[test]
fn numbers_are_big_endian() {
    let mut reader = reader(&[0xff, 0, 1, 0, 0, 1, 0, 0x80, 0, 0, 0, 0, 0, 0, 0]);
    assert_eq!(reader.i8(), Ok(-1));
    assert_eq!(reader.i16(), Ok(1));
    assert_eq!(reader.i32(), Ok(256));
    assert_eq!(reader.i64(), Ok(i64::MIN));
    assert_eq!(reader.finish(), Ok(()));
}

#[test]
fn varints_have_known_bytes() {
    let mut writer = Writer::new();
    writer.put_unsigned_varint(300);
    writer.put_varint(-1);
    writer.put_varint(i32::MIN);
    writer.put_varlong(i64::MAX);
    let bytes = joined(writer);
    assert_eq!(
        bytes.as_ref(),
        [
            0xac, 0x02, 0x01, 0xff, 0xff, 0xff, 0xff, 0x0f, 0xfe, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
            0xff, 0x01
        ]
    );
}

#[test]
fn a_varint_of_too_many_bits_is_refused() {
    let mut long = reader(&[0xff, 0xff, 0xff, 0xff, 0x1f]);
    assert_eq!(long.unsigned_varint().unwrap_err().kind, DecodeErrorKind::Varint);
    let mut longer = reader(&[0xff; 11]);
    assert_eq!(longer.unsigned_varlong().unwrap_err().kind, DecodeErrorKind::Varint);
    let mut top_bits = reader(&[0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x02]);
    assert_eq!(top_bits.unsigned_varlong().unwrap_err().kind, DecodeErrorKind::Varint);
}

#[test]
fn a_string_is_a_slice_of_its_frame() {
    let frame = Bytes::from_static(&[0, 3, b'a', b'b', b'c']);
    let text = Str::read(&mut Reader::new(frame.clone()), FIXED).unwrap();
    assert_eq!(text, "abc");
    assert_eq!(text.into_bytes().as_ptr(), frame.slice(2..).as_ptr());
}

#[test]
fn a_string_that_is_not_utf8_has_replacement_characters() {
    let text = Str::read(&mut reader(&[0, 3, b'a', 0xff, b'b']), FIXED).unwrap();
    assert_eq!(text, "a\u{fffd}b");
}

#[test]
fn a_compact_string_has_at_most_32767_bytes() {
    let string = |length: u32| {
        let mut writer = Writer::new();
        writer.put_unsigned_varint(length + 1);
        writer.put_slice(&vec![b'a'; length as usize]);
        Str::read(&mut Reader::new(joined(writer)), FLEXIBLE)
    };
    assert_eq!(string(32_767).unwrap().len(), 32_767);
    let error = string(32_768).unwrap_err();
    let (length, left) = (32_768, 32_768);
    assert_eq!(error.kind, DecodeErrorKind::Length { length, left });
}

#[test]
fn null_is_refused_where_it_may_not_be() {
    for (bytes, version) in [(&[0xff, 0xff][..], FIXED), (&[0], FLEXIBLE)] {
        let error = Str::read(&mut reader(bytes), version).unwrap_err();
        assert_eq!(error.kind, DecodeErrorKind::Null);
        assert_eq!(Option::<Str>::read(&mut reader(bytes), version), Ok(None));
    }
}

#[test]
fn a_length_below_minus_one_is_refused() {
    let error = Option::<Str>::read(&mut reader(&[0xff, 0xfe]), FIXED).unwrap_err();
    assert_eq!(error.kind, DecodeErrorKind::Length { length: -2, left: 0 });
    let error = Option::<Vec<i8>>::read(&mut reader(&[0xff, 0xff, 0xff, 0xfe]), FIXED).unwrap_err();
    assert_eq!(error.kind, DecodeErrorKind::Count { count: -2, left: 0 });
}

#[test]
fn a_list_may_have_as_many_elements_as_bytes_are_left_and_no_more() {
    assert_eq!(Vec::<i8>::read(&mut reader(&[0, 0, 0, 1, 7]), FIXED), Ok(vec![7]));
    let error = Vec::<i8>::read(&mut reader(&[0, 0, 0, 2, 7]), FIXED).unwrap_err();
    assert_eq!(error.kind, DecodeErrorKind::Count { count: 2, left: 1 });
}

#[test]
fn a_list_that_is_too_long_is_refused_before_its_elements_are_read() {
    let mut two = reader(&[0, 0, 0, 2, 1, 2]).with_elements_max(2);
    assert_eq!(Vec::<i8>::read(&mut two, FIXED), Ok(vec![1, 2]));
    let mut three = reader(&[0, 0, 0, 3, 1, 2, 3]).with_elements_max(2);
    let error = Vec::<i8>::read(&mut three, FIXED).unwrap_err();
    assert_eq!((error.kind, error.offset), (DecodeErrorKind::Elements { count: 3, max: 2 }, 4));
}

#[test]
fn the_memory_of_all_lists_of_a_frame_is_bounded() {
    let lists = [0, 0, 0, 2, 1, 2, 0, 0, 0, 1, 3];
    let mut enough = reader(&lists).with_array_bytes_max(3);
    assert_eq!(Vec::<i8>::read(&mut enough, FIXED), Ok(vec![1, 2]));
    assert_eq!(Vec::<i8>::read(&mut enough, FIXED), Ok(vec![3]));
    let mut short = reader(&lists).with_array_bytes_max(2);
    assert_eq!(Vec::<i8>::read(&mut short, FIXED), Ok(vec![1, 2]));
    let error = Vec::<i8>::read(&mut short, FIXED).unwrap_err();
    assert_eq!(error.kind, DecodeErrorKind::Memory { max: 2 });
}

#[test]
fn a_tagged_field_longer_than_its_value_is_refused() {
    let known = |tag, reader: &mut Reader| {
        assert_eq!(tag, 5);
        reader.i8().map(|_| true)
    };
    assert_eq!(reader(&[1, 5, 1, 9]).tagged_fields(known), Ok(()));
    let error = reader(&[1, 5, 2, 9, 9]).tagged_fields(known).unwrap_err();
    assert_eq!((error.kind, error.offset), (DecodeErrorKind::TrailingBytes(1), 4));
    let error = reader(&[1, 5, 3, 9, 9]).tagged_fields(known).unwrap_err();
    assert_eq!(error.kind, DecodeErrorKind::Truncated { needed: 3, left: 2 });
}

#[test]
fn unknown_tagged_fields_are_skipped() {
    let mut reader = reader(&[2, 5, 1, 9, 7, 0, 42]);
    reader.skip_tagged_fields().unwrap();
    assert_eq!(reader.i8(), Ok(42));
}

#[test]
fn tagged_fields_carry_their_size() {
    let mut value = Writer::new();
    value.put_i16(1);
    let mut tagged = TaggedFields::new();
    tagged.put(3, value);
    let mut writer = Writer::new();
    writer.put_tagged_fields(tagged);
    assert_eq!(joined(writer).as_ref(), [1, 3, 2, 0, 1]);
}

#[test]
fn large_records_go_out_by_reference_and_small_ones_by_copy() {
    let large = Bytes::from(vec![1; SPLICE_BYTES_MIN]);
    let small = Bytes::from(vec![2; SPLICE_BYTES_MIN - 1]);
    let mut writer = Writer::frame();
    writer.put_records(&[large.clone(), small, large.clone()].into_iter().collect());
    writer.put_i8(3);
    assert_eq!(writer.len(), 4 + 3 * SPLICE_BYTES_MIN - 1 + 1);
    let pieces = writer.finish_frame().unwrap();
    let lengths: Vec<_> = pieces.iter().map(Bytes::len).collect();
    assert_eq!(lengths, [4, SPLICE_BYTES_MIN, SPLICE_BYTES_MIN - 1, SPLICE_BYTES_MIN, 1]);
    let by_reference = |piece: &Bytes| piece.as_ptr() == large.as_ptr();
    let shared: Vec<_> = pieces.iter().map(by_reference).collect();
    assert_eq!(shared, [false, true, false, true, false]);
    assert_eq!(pieces.first().unwrap().as_ref(), (3 * SPLICE_BYTES_MIN as i32).to_be_bytes());
}

#[test]
fn a_frame_starts_with_its_size() {
    let mut writer = Writer::frame();
    writer.put_i16(7);
    let pieces = writer.finish_frame().unwrap();
    assert_eq!(pieces, [Bytes::from_static(&[0, 0, 0, 2, 0, 7])]);
}

#[test]
fn a_string_that_is_too_long_once_it_is_text_is_refused() {
    let mut bytes = 11_000_i16.to_be_bytes().to_vec();
    bytes.resize(2 + 11_000, 0xff);
    let error = Reader::new(bytes.into()).string(false).unwrap_err();
    assert!(matches!(error.kind, DecodeErrorKind::Length { length: 33_000, .. }));
}

#[test]
fn a_string_of_more_than_32767_bytes_cannot_be_said() {
    let mut writer = Writer::new();
    assert_eq!(writer.put_string(Some(&"a".repeat(32_767)), true), Ok(()));
    let error = writer.put_string(Some(&"a".repeat(32_768)), true).unwrap_err();
    assert_eq!(error, EncodeError::TooLong { length: 32_768, max: 32_767 });
}

#[test]
fn records_are_equal_wherever_they_are_cut() {
    let whole = Records::from(Bytes::from_static(b"abc"));
    let cut: Records = [Bytes::from_static(b"a"), Bytes::from_static(b"bc")].into_iter().collect();
    assert_eq!(whole, cut);
    assert_ne!(whole, Records::from(Bytes::from_static(b"abd")));
    assert_eq!(cut.into_bytes(), whole.into_bytes());
}

#[test]
fn request_headers_end_with_tagged_fields_only_when_flexible() {
    let header = RequestHeader {
        api_key: 3,
        api_version: 9,
        correlation_id: -5,
        client_id: Some(Str::from_static("me")),
    };
    let fixed = [0, 3, 0, 9, 0xff, 0xff, 0xff, 0xfb, 0, 2, b'm', b'e'];
    for flexible in [false, true] {
        let mut writer = Writer::new();
        header.encode(&mut writer, flexible).unwrap();
        let bytes = joined(writer);
        let expected = [&fixed[..], if flexible { &[0] } else { &[] }].concat();
        assert_eq!(bytes.as_ref(), expected);
        let mut reader = Reader::new(bytes);
        let prefix = RequestPrefix::peek(&reader).unwrap();
        assert_eq!((prefix.api_key, prefix.api_version, prefix.correlation_id), (3, 9, -5));
        assert_eq!(RequestHeader::decode(&mut reader, flexible).unwrap(), header);
        assert_eq!(reader.finish(), Ok(()));
    }
}

#[test]
fn the_answer_to_api_versions_never_has_tagged_fields_in_its_header() {
    assert!(!ResponseHeader::is_flexible(18, true));
    assert!(ResponseHeader::is_flexible(3, true));
    assert!(!ResponseHeader::is_flexible(3, false));
}

#[test]
fn an_error_says_where_and_in_which_field() {
    let error = reader(&[0]).i16().unwrap_err().in_field("A.inner").in_field("B.outer");
    assert_eq!(error.to_string(), "2 bytes needed, 1 left at byte 0 in A.inner");
    let bare = reader(&[0, 1]);
    assert_eq!(bare.finish().unwrap_err().to_string(), "2 bytes left over at byte 0");
}

proptest! {
    #[test]
    fn varints_come_back(signed: i32, long: i64, unsigned: u32, unsigned_long: u64) {
        let mut writer = Writer::new();
        writer.put_varint(signed);
        writer.put_varlong(long);
        writer.put_unsigned_varint(unsigned);
        writer.put_unsigned_varlong(unsigned_long);
        let mut reader = Reader::new(joined(writer));
        prop_assert_eq!(reader.varint(), Ok(signed));
        prop_assert_eq!(reader.varlong(), Ok(long));
        prop_assert_eq!(reader.unsigned_varint(), Ok(unsigned));
        prop_assert_eq!(reader.unsigned_varlong(), Ok(unsigned_long));
        prop_assert_eq!(reader.finish(), Ok(()));
    }
}
