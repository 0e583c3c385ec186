//! Bytes from outside as a native frame, and its body as a request and as an answer.
#![no_main]

use bytes::Bytes;
use callboard_protocol::native::frame::Frame;
use callboard_protocol::native::{Refusal, Request, Response};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|input: &[u8]| {
    let Ok(Frame { header, body, .. }) = Frame::split(Bytes::copy_from_slice(input)) else { return };
    if let Ok(request) = Request::decode(header.operation, header.version, &body) {
        let again = request.encode().expect("what was read is written");
        assert_eq!(Request::decode(header.operation, header.version, &again), Ok(request));
    }
    if let Ok(response) = Response::decode(header.operation, header.version, &body) {
        let again = response.encode().expect("what was read is written");
        assert_eq!(Response::decode(header.operation, header.version, &again), Ok(response));
    }
    let _ = Refusal::decode(&body);
});
