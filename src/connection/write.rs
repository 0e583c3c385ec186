//! Writing answers, in the order of their requests or as they are ready, several in one system call.

use super::door::{Answer, Answering, Answers, Door};
use super::{Answered, Connection, Ended, Permits};
use crate::limits::Limits;
use actix::Addr;
use bytes::Bytes;
use callboard_actors::clock;
use callboard_actors::courtesy::Courtesy;
use callboard_actors::mail::post;
use futures_util::stream::FuturesUnordered;
use futures_util::{FutureExt, StreamExt};
use std::collections::VecDeque;
use std::io::{self, IoSlice};
use std::thread;
use std::time::Duration;
use tokio::io::AsyncWriteExt;
use tokio::net::tcp::OwnedWriteHalf;
use tokio::sync::mpsc;
use tokio::task::{unconstrained, yield_now};
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;

/// Pieces that one system call takes.
const PIECES_AT_ONCE: usize = 64;
/// Answers are gathered up to so many bytes before they are written.
const GATHER_BYTES: usize = 256 << 10;
/// After so many bytes at most others have their turn on this thread, and other threads on its core: a client
/// that reads as fast as it is written to would keep both for the whole of its answer.
const TURN_BYTES: usize = 512 << 10;
/// What is no longer than this is short work, to which long work gives way.
const SHORT_BYTES: usize = 64 << 10;

/// How often it is looked whether others wait for the room that an answer takes, while its client takes
/// nothing: a client that does so has only the time between two looks. One that takes a little at a time has
/// the whole time for all of it.
const LOOKS: u32 = 10;

/// Something to write: the answer of a request that began, or what nobody asked for.
pub(crate) struct Pending<R> {
    pub(super) answering: Answering<R>,
    /// None of what nobody asked for.
    pub(super) permits: Option<Permits>,
}

/// The writing task of a connection.
pub(super) struct Writer<D: Door> {
    socket: OwnedWriteHalf,
    patience: Duration,
    limits: Limits,
    courtesy: Courtesy,
    connection: Addr<Connection<D>>,
    /// Pieces to write, and the bounds that their requests hold meanwhile.
    pieces: VecDeque<Bytes>,
    bytes: usize,
    gathered: Vec<Permits>,
}

impl<D: Door> Writer<D> {
    pub(super) fn new(
        socket: OwnedWriteHalf,
        patience: Duration,
        limits: Limits,
        courtesy: Courtesy,
        connection: Addr<Connection<D>>,
    ) -> Self {
        let (pieces, gathered) = (VecDeque::new(), Vec::new());
        Self { socket, patience, limits, courtesy, connection, pieces, bytes: 0, gathered }
    }

    /// Writes answers until the connection ends.
    pub(super) async fn run(
        mut self,
        mut inbox: mpsc::UnboundedReceiver<Pending<D::Refused>>,
        ended: CancellationToken,
    ) {
        let connection = self.connection.clone();
        let writing = async {
            match D::ANSWERS {
                Answers::InOrder => self.write_in_order(&mut inbox).await,
                Answers::AsReady => self.write_as_ready(&mut inbox).await,
            }
        };
        let outcome = tokio::select! {
            biased;
            outcome = writing => outcome,
            () = ended.cancelled() => Err(Ended::Broken("the broker has stopped".to_owned())),
        };
        if let Err(ended) = outcome {
            // A connection that is gone needs no telling.
            let _ = post(&connection, ended);
        }
    }

    async fn write_in_order(
        &mut self,
        inbox: &mut mpsc::UnboundedReceiver<Pending<D::Refused>>,
    ) -> Result<(), Ended> {
        while let Some(pending) = inbox.recv().await {
            self.answer(pending, inbox).await?;
        }
        Ok(())
    }

    async fn write_as_ready(
        &mut self,
        inbox: &mut mpsc::UnboundedReceiver<Pending<D::Refused>>,
    ) -> Result<(), Ended> {
        // Without tokio's budget, by which each of many answers would be looked at again and again.
        let mut waiting = FuturesUnordered::new();
        loop {
            tokio::select! {
                biased;
                Some((answer, permits)) = unconstrained(waiting.next()) => self.gather(answer, permits).await?,
                pending = inbox.recv() => match pending {
                    Some(pending) => waiting.push(finish(pending)),
                    None => return Ok(()),
                },
            }
            while self.bytes < GATHER_BYTES {
                if let Some(Some((answer, permits))) = unconstrained(waiting.next()).now_or_never() {
                    self.gather(answer, permits).await?;
                } else if let Ok(pending) = inbox.try_recv() {
                    waiting.push(finish(pending));
                } else {
                    break;
                }
            }
            self.flush().await?;
        }
    }

    /// Writes one answer, and with it those behind it that are ready.
    async fn answer(
        &mut self,
        first: Pending<D::Refused>,
        inbox: &mut mpsc::UnboundedReceiver<Pending<D::Refused>>,
    ) -> Result<(), Ended> {
        let mut next = Some(first);
        while let Some(Pending { mut answering, permits }) = next.take() {
            let answer = match (&mut answering).now_or_never() {
                Some(answer) => answer,
                None => {
                    self.flush().await?;
                    answering.await
                }
            };
            self.gather(answer, permits).await?;
            if self.bytes < GATHER_BYTES {
                next = inbox.try_recv().ok();
            }
        }
        self.flush().await
    }

    async fn gather(&mut self, answer: Answer<D::Refused>, permits: Option<Permits>) -> Result<(), Ended> {
        let pieces = match answer {
            Ok(pieces) => pieces.unwrap_or_default(),
            Err(refused) => {
                // Those before it are answered all the same.
                self.flush().await?;
                return Err(Ended::Broken(refused.to_string()));
            }
        };
        self.bytes += pieces.iter().map(Bytes::len).sum::<usize>();
        self.pieces.extend(pieces);
        self.gathered.extend(permits);
        Ok(())
    }

    /// Writes all that is gathered, and tells so.
    async fn flush(&mut self) -> Result<(), Ended> {
        let is_counted = self.gathered.iter().any(|permits| permits.is_counted);
        let begun = clock::now();
        let mut taken = begun;
        let mut turn_bytes = 0;
        while !self.pieces.is_empty() {
            let step_bytes = self.courtesy.step_bytes();
            if turn_bytes >= step_bytes.min(TURN_BYTES) {
                turn_bytes = 0;
                thread::yield_now();
                yield_now().await;
            }
            let bytes_max = step_bytes.saturating_sub(turn_bytes);
            let writing = write_some(&mut self.socket, &mut self.pieces, bytes_max);
            let written = timeout(self.patience / LOOKS, writing).await;
            let is_in_the_way = is_counted && !self.limits.has_room();
            match written {
                Ok(written) => {
                    turn_bytes += written.map_err(|error| Ended::Broken(error.to_string()))?;
                    taken = clock::now();
                    if is_in_the_way && begun.elapsed() >= self.patience {
                        return Err(Ended::Broken("the client takes its answer too slowly".to_owned()));
                    }
                }
                Err(_) if !is_in_the_way && taken.elapsed() < self.patience => {}
                Err(_) => {
                    let waited = taken.elapsed();
                    return Err(Ended::Broken(format!("the client took nothing for {waited:.1?}")));
                }
            }
        }
        if (1..=SHORT_BYTES).contains(&self.bytes) {
            self.courtesy.short_work_is_wanted();
        }
        self.bytes = 0;
        let answered = self.gathered.len();
        if answered > 0 {
            self.gathered.clear();
            let _ = post(&self.connection, Answered(answered));
        }
        Ok(())
    }
}

async fn finish<R>(pending: Pending<R>) -> (Answer<R>, Option<Permits>) {
    (pending.answering.await, pending.permits)
}

/// Writes the first pieces, up to so many bytes and as far as the socket takes them, and tells how many bytes
/// that were.
async fn write_some(
    socket: &mut OwnedWriteHalf,
    pieces: &mut VecDeque<Bytes>,
    bytes_max: usize,
) -> io::Result<usize> {
    let mut left = bytes_max;
    let slices = pieces.iter().take(PIECES_AT_ONCE).map_while(|piece| {
        let slice = (left > 0).then(|| piece.get(..left).unwrap_or(piece))?;
        left -= slice.len();
        Some(IoSlice::new(slice))
    });
    let slices: Vec<_> = slices.collect();
    let written = socket.write_vectored(&slices).await?;
    if written == 0 {
        return Err(io::ErrorKind::WriteZero.into());
    }
    let mut left = written;
    while let Some(piece) = pieces.front_mut() {
        if piece.len() > left {
            bytes::Buf::advance(piece, left);
            break;
        }
        left -= piece.len();
        pieces.pop_front();
    }
    Ok(written)
}

#[cfg(test)]
mod tests {
    use super::*;
    use tokio::io::AsyncReadExt;
    use tokio::net::{TcpListener, TcpStream};

    #[tokio::test]
    async fn what_is_written_in_steps_arrives_whole() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let (client, accepted) = tokio::join!(TcpStream::connect(address), listener.accept());
        let (mut client, (_, mut socket)) = (client.unwrap(), accepted.unwrap().0.into_split());
        let mut pieces: VecDeque<_> = ["abc", "", "defgh", "i", ""].map(Bytes::from).into();
        let mut steps = Vec::new();
        while !pieces.is_empty() {
            steps.push(write_some(&mut socket, &mut pieces, 4).await.unwrap());
        }
        assert_eq!(steps, [4, 4, 1]);
        let mut read = [0; 9];
        client.read_exact(&mut read).await.unwrap();
        assert_eq!(&read, b"abcdefghi");
    }
}
