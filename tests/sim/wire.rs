//! Requests to the broker's Kafka edge without a socket: whole frames go in, whole frames come out.

use bytes::Bytes;
use callboard::connection::door::{self, Door as _};
use callboard::kafka::{Edge, Refused};
use callboard_protocol::wire::{Message, Reader, RequestHeader, ResponseHeader, Writer};
use std::future::{Future, poll_fn};
use std::hash::{DefaultHasher, Hasher};
use std::marker::PhantomData;
use std::net::{IpAddr, Ipv4Addr};
use std::pin::pin;
use std::sync::Arc;
use std::task::Poll;

/// Bytes of the length in front of a frame.
const PREFIX_BYTES: usize = 4;

/// Looks of a client that stays until it is answered.
pub(crate) const FOREVER: usize = usize::MAX;

/// The way to a broker.
#[derive(Clone)]
pub(crate) struct Door(pub(crate) Arc<Edge>);

/// A request that has begun, as a connection begins it: what is sent after it is handled after it.
pub(crate) struct Pending<A> {
    answering: door::Answering<Refused>,
    version: i16,
    answer: PhantomData<A>,
}

impl Door {
    /// Begins a request. None when a connection would be closed for it.
    pub(crate) async fn begin<Q: Message, A: Message>(
        &self,
        version: i16,
        request: &Q,
    ) -> Option<Pending<A>> {
        let frame = frame(version, request);
        let operation = Edge::operation(&frame).expect("it is served");
        let mut peer = IpAddr::V4(Ipv4Addr::LOCALHOST);
        let answering = match self.0.start(&mut peer, operation, frame).ok()? {
            door::Started::Answering(answering) => answering,
            door::Started::Waiting(begun) | door::Started::Preparing(begun) => begun.await,
        };
        Some(Pending { answering, version, answer: PhantomData })
    }

    /// Asks and waits for the answer. None when there is none.
    pub(crate) async fn call<Q: Message, A: Message>(&self, version: i16, request: &Q) -> Option<(A, u64)> {
        self.begin(version, request).await?.answer().await
    }
}

impl<A: Message> Pending<A> {
    /// The answer, and a sum of its bytes.
    pub(crate) async fn answer(self) -> Option<(A, u64)> {
        let pieces = self.answering.await.ok()??;
        let frame = Bytes::from(pieces.concat()).slice(PREFIX_BYTES..);
        let sum = sum(&frame);
        let mut reader = Reader::new(frame);
        let is_flexible = ResponseHeader::is_flexible(A::API_KEY, A::is_flexible(self.version));
        ResponseHeader::decode(&mut reader, is_flexible).expect("a header");
        Some((A::decode_whole(&mut reader, self.version).expect("an answer"), sum))
    }
}

/// A sum of bytes, for the trace.
pub(crate) fn sum(bytes: &[u8]) -> u64 {
    let mut sum = DefaultHasher::new();
    sum.write(bytes);
    sum.finish()
}

/// What a future answers, unless its client is gone before: after having looked so many times.
pub(crate) async fn patiently<T>(looks: usize, future: impl Future<Output = Option<T>>) -> Option<T> {
    let mut future = pin!(future);
    let mut left = looks;
    poll_fn(move |context| match future.as_mut().poll(context) {
        Poll::Ready(answer) => Poll::Ready(answer),
        Poll::Pending if left == 0 => Poll::Ready(None),
        Poll::Pending => {
            if left != FOREVER {
                left -= 1;
                context.waker().wake_by_ref();
            }
            Poll::Pending
        }
    })
    .await
}

fn frame<Q: Message>(version: i16, request: &Q) -> Bytes {
    let header =
        RequestHeader { api_key: Q::API_KEY, api_version: version, correlation_id: 0, client_id: None };
    let mut writer = Writer::frame();
    header.encode(&mut writer, Q::is_flexible(version)).unwrap();
    request.encode(&mut writer, version).unwrap();
    Bytes::from(writer.finish_frame().unwrap().concat()).slice(PREFIX_BYTES..)
}
