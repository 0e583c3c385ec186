//! Bytes from outside as the body of any request: the first four say operation and version.
#![no_main]

use bytes::Bytes;
use callboard_protocol::kafka::decode_request_any;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|input: &[u8]| {
    if let Some(([key_high, key_low, version_high, version_low], body)) = input.split_first_chunk::<4>() {
        let api_key = i16::from_be_bytes([*key_high, *key_low]);
        let version = i16::from_be_bytes([*version_high, *version_low]);
        // An error is as good as a success; only a panic or a large allocation is not.
        let _ = decode_request_any(api_key, version, Bytes::copy_from_slice(body));
    }
});
