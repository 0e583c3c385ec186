//! Connections that say nothing: who waits for what is pushed is not idle.

use crate::support::{Trial, create, fill, soon};
use anyhow::{Context, Result, ensure};
use callboard_client::Client;
use callboard_protocol::native::frame::Frame;
use callboard_protocol::native::hello::Hello;
use callboard_protocol::native::operations::BODY_VERSION;
use callboard_protocol::native::read::{CloseReading, IsolationLevel, OpenReading, ReadPart};
use callboard_protocol::native::{Flags, FrameHeader, Operation, Request, TopicPartition, VERSION};
use std::net::SocketAddr;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

/// A connection without a client that would make it anew.
struct Bare(TcpStream);

impl Bare {
    async fn greet(address: SocketAddr) -> Result<Self> {
        let mut bare = Self(TcpStream::connect(address).await?);
        let (client_id, software) = ("bare".to_owned(), String::new());
        let hello = Hello { version_min: VERSION, version_max: VERSION, client_id, software };
        bare.ask(&hello.into_request()).await?;
        Ok(bare)
    }

    async fn ask(&mut self, request: &Request) -> Result<()> {
        let (operation, version, flags) = (request.operation(), BODY_VERSION, Flags::NONE);
        let header = FrameHeader { correlation_id: 9, operation, version, flags, body_bytes: 0 };
        self.0.write_all(&header.join(&request.encode()?, 0)?).await?;
        let answer = self.frame().await?.context("it was closed")?;
        ensure!(answer.header.flags == Flags::NONE, "refused: {answer:?}");
        Ok(())
    }

    /// The next frame; none when the broker has closed the connection.
    async fn frame(&mut self) -> Result<Option<Frame>> {
        let mut length = [0; 4];
        if soon(self.0.read(&mut length[..1])).await?? == 0 {
            return Ok(None);
        }
        soon(self.0.read_exact(&mut length[1..])).await??;
        let mut frame = vec![0; u32::from_be_bytes(length) as usize];
        soon(self.0.read_exact(&mut frame)).await??;
        Ok(Some(Frame::split(frame.into())?))
    }
}

#[tokio::test]
async fn a_connection_with_an_open_reading_is_not_idle() -> Result<()> {
    let trial = Trial::start_with(&[("connections.max.idle.ms", "200")]).await?;
    let client = Client::in_process(&trial.broker);
    create(&client, "orders", 1).await?;
    let partition = TopicPartition { topic: client.admin().topic("orders").await?.id, partition: 0 };
    let address = trial.broker.native_address().context("no native port")?;
    let mut reading = Bare::greet(address).await?;
    let open = OpenReading {
        reading: 1,
        parts: vec![ReadPart { partition, offset: 0 }],
        credit: 1000,
        isolation: IsolationLevel::default(),
    };
    reading.ask(&open.into_request()).await?;

    // Who came later and is closed for being idle says that it is time.
    for _ in 0..2 {
        ensure!(Bare::greet(address).await?.frame().await?.is_none(), "an idle connection is closed");
    }
    fill(&client, "orders", 0, &["one"]).await?;
    let pushed = reading.frame().await?.context("the connection was closed")?;
    assert_eq!(pushed.header.flags, Flags::PUSHED);

    reading.ask(&CloseReading { reading: 1 }.into_request()).await?;
    ensure!(reading.frame().await?.is_none(), "now it is idle");
    Ok(())
}
