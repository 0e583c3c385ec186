//! InitProducerId, versions 0 to 5: a new producer's id, always at epoch 0.
//!
//! Gap: no transactional ids, so what a producer says of an id that it has is of no use.

use super::error_code::Code;
use super::{Caller, Edge, Refused};
use callboard_protocol::kafka::ErrorCode;
use callboard_protocol::kafka::init_producer_id::{InitProducerIdRequest, InitProducerIdResponse};
use callboard_storage::ProducerId;
use std::sync::Arc;

pub(super) async fn handle(
    edge: Arc<Edge>,
    _caller: Caller,
    request: InitProducerIdRequest,
) -> Result<InitProducerIdResponse, Refused> {
    let given = match check(&request) {
        Ok(()) => new_producer(&edge).await,
        Err(code) => Err(code),
    };
    Ok(match given {
        Ok(ProducerId(producer_id)) => InitProducerIdResponse { producer_id, ..Default::default() },
        Err(error_code) => InitProducerIdResponse { error_code, producer_epoch: -1, ..Default::default() },
    })
}

async fn new_producer(edge: &Edge) -> Result<ProducerId, ErrorCode> {
    edge.broker.new_producer().await.map_err(|unavailable| unavailable.code())
}

fn check(request: &InitProducerIdRequest) -> Result<(), ErrorCode> {
    if (request.producer_id == -1) != (request.producer_epoch == -1) {
        return Err(ErrorCode::INVALID_REQUEST);
    }
    match request.transactional_id.as_deref() {
        None => Ok(()),
        Some("") => Err(ErrorCode::INVALID_REQUEST),
        // Nobody may use one here, which is what the code says of this client. It is also the only
        // fitting one that ends the attempt in each client: librdkafka takes UNSUPPORTED_VERSION
        // and INVALID_REQUEST for passing troubles and asks again for ever.
        Some(_) => Err(ErrorCode::TRANSACTIONAL_ID_AUTHORIZATION_FAILED),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn request(
        transactional_id: Option<&str>,
        producer_id: i64,
        producer_epoch: i16,
    ) -> InitProducerIdRequest {
        let transactional_id = transactional_id.map(Into::into);
        InitProducerIdRequest { transactional_id, producer_id, producer_epoch, ..Default::default() }
    }

    #[test]
    fn an_id_comes_with_its_epoch_or_not_at_all() {
        assert_eq!(check(&request(None, -1, -1)), Ok(()));
        assert_eq!(check(&request(None, 5, 0)), Ok(()));
        assert_eq!(check(&request(None, 5, -1)), Err(ErrorCode::INVALID_REQUEST));
        assert_eq!(check(&request(None, -1, 0)), Err(ErrorCode::INVALID_REQUEST));
    }

    #[test]
    fn transactional_ids_are_refused_and_empty_ones_are_mistakes() {
        assert_eq!(check(&request(Some(""), -1, -1)), Err(ErrorCode::INVALID_REQUEST));
        let refused = ErrorCode::TRANSACTIONAL_ID_AUTHORIZATION_FAILED;
        assert_eq!(check(&request(Some("payments"), -1, -1)), Err(refused));
    }
}
