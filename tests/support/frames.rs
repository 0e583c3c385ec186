//! Requests as bytes, for connections that no client library makes.

/// A Fetch of version 4 that asks for a topic's partition 0 from the beginning on.
pub(crate) fn fetch(topic: &str, wait_ms: i32, bytes_max: i32) -> Vec<u8> {
    let mut body = vec![0, 1, 0, 4, 0, 0, 0, 7, 0xff, 0xff];
    for field in [-1, wait_ms, 1, bytes_max] {
        body.extend(field.to_be_bytes());
    }
    body.extend([0, 0, 0, 0, 1, 0, topic.len() as u8]);
    body.extend(topic.as_bytes());
    body.extend([0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]);
    body.extend(bytes_max.to_be_bytes());
    [(body.len() as u32).to_be_bytes().to_vec(), body].concat()
}
