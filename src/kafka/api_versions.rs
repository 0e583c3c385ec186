//! ApiVersions, versions 0 to 4: which operations in which versions are served.
//!
//! A version that is not served is answered in version 0, with its error and the version range of
//! this operation, because a client asks before it knows anything.

use super::apis::APIS;
use super::{Edge, Incoming, Refused, Started, decode, encode};
use callboard_protocol::kafka::api_versions::{ApiVersion, ApiVersionsRequest, ApiVersionsResponse};
use callboard_protocol::kafka::{ApiKey, ErrorCode};
use callboard_protocol::wire::{Message, Reader, RequestPrefix};
use std::sync::Arc;

pub(super) fn start(edge: Arc<Edge>, incoming: Incoming) -> Result<Started, Refused> {
    let prefix = RequestPrefix::peek(&Reader::new(incoming.frame.clone()))?;
    if !ApiVersionsRequest::VERSIONS.contains(&prefix.api_version) {
        let answer = encode(prefix.correlation_id, 0, &unsupported());
        return Ok(Started::Answering(Box::pin(async move { answer })));
    }
    let (header, caller, request) = decode::<ApiVersionsRequest>(&edge, incoming)?;
    let answer = encode(header.correlation_id, caller.version, &answer(&request, caller.version));
    Ok(Started::Answering(Box::pin(async move { answer })))
}

fn answer(request: &ApiVersionsRequest, version: i16) -> ApiVersionsResponse {
    let (name, software) = (&request.client_software_name, &request.client_software_version);
    if version >= 3 && !(is_software(name) && is_software(software)) {
        return ApiVersionsResponse { error_code: ErrorCode::INVALID_REQUEST, ..Default::default() };
    }
    if version >= 3 {
        tracing::debug!(%name, version = %software, "client");
    }
    ApiVersionsResponse { api_keys: APIS.iter().map(entry).collect(), ..Default::default() }
}

fn unsupported() -> ApiVersionsResponse {
    let own = APIS.iter().filter(|api| api.key == ApiKey::API_VERSIONS).map(entry);
    ApiVersionsResponse {
        error_code: ErrorCode::UNSUPPORTED_VERSION,
        api_keys: own.collect(),
        ..Default::default()
    }
}

fn entry(api: &super::apis::Api) -> ApiVersion {
    ApiVersion {
        api_key: api.key.0,
        min_version: *api.advertised.start(),
        max_version: *api.advertised.end(),
    }
}

/// Letters, digits, dots and dashes; the first and the last are letters or digits (KIP-511).
fn is_software(text: &str) -> bool {
    let is_inner = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'.' || byte == b'-';
    let ends = [text.bytes().next(), text.bytes().next_back()];
    text.bytes().all(is_inner) && ends.iter().all(|end| end.is_some_and(|byte| byte.is_ascii_alphanumeric()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn software_names_are_letters_digits_dots_and_dashes() {
        for name in ["apache-kafka-java", "4.3.0", "a"] {
            assert!(is_software(name));
        }
        for name in ["", "-a", "a-", "a b", "ä"] {
            assert!(!is_software(name));
        }
    }
}
