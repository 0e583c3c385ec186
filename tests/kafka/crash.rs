//! A broker that is killed again and again while producers write: nothing acknowledged is lost,
//! doubled, reordered or renumbered.

use crate::batch::batch;
use crate::client::{Client, WITHIN, frame};
use crate::own_broker;
use crate::topic::Topic;
use callboard_protocol::kafka::ErrorCode;
use callboard_protocol::kafka::init_producer_id::{InitProducerIdRequest, InitProducerIdResponse};
use callboard_protocol::kafka::produce::ProduceResponse;
use callboard_protocol::wire::{Message, Reader};
use std::io::{self, Read, Write};
use std::net::TcpStream;
use std::sync::mpsc::{Sender, channel};

const VERSION: i16 = 9;
const PRODUCERS: i32 = 4;
const ROUNDS: usize = 8;
/// Batches that a producer has on their way: as many as the broker remembers.
const IN_FLIGHT: i32 = 5;

/// A producer that owns a partition: each of its batches is one record, whose sequence number must
/// become its offset.
struct Producer {
    partition: i32,
    id: i64,
    /// Batches that are acknowledged.
    acknowledged: i32,
}

impl Producer {
    /// Writes until the connection breaks, beginning with what was not acknowledged.
    fn write(&mut self, address: &str, topic: &Topic, told: &Sender<()>) -> io::Result<()> {
        let mut stream = TcpStream::connect(address)?;
        stream.set_read_timeout(Some(WITHIN))?;
        let mut next = self.acknowledged;
        loop {
            while next < self.acknowledged + IN_FLIGHT {
                let value = format!("{} {next}", self.partition);
                let bytes = batch(&[&value]).from(self.id, 0, next).bytes();
                let acks = if next % 3 == 0 { 1 } else { -1 };
                let request = topic.produce_request(acks, &[(self.partition, bytes)]);
                stream.write_all(&frame(VERSION, next, &request))?;
                next += 1;
            }
            let answer = receive(&mut stream)?;
            let answer = &answer.responses[0].partition_responses[0];
            assert_eq!(answer.error_code, ErrorCode::NONE, "{:?}", answer.error_message);
            assert_eq!(answer.base_offset, i64::from(self.acknowledged));
            self.acknowledged += 1;
            let _ = told.send(());
        }
    }
}

fn receive(stream: &mut TcpStream) -> io::Result<ProduceResponse> {
    let mut length = [0; 4];
    stream.read_exact(&mut length)?;
    let mut bytes = vec![0; i32::from_be_bytes(length) as usize];
    stream.read_exact(&mut bytes)?;
    let mut reader = Reader::new(bytes.into());
    // Correlation id and tagged fields of the header.
    reader.i32().unwrap();
    reader.skip_tagged_fields().unwrap();
    Ok(ProduceResponse::decode_whole(&mut reader, VERSION).unwrap())
}

fn new_producer(client: &mut Client, partition: i32) -> Producer {
    let answer: InitProducerIdResponse = client.call(4, &InitProducerIdRequest::default());
    Producer { partition, id: answer.producer_id, acknowledged: 0 }
}

#[test]
fn what_is_acknowledged_survives_kills_under_load_exactly_once() {
    // Small bounds, so that checkpoints and new segments fall between the kills too.
    let settings = ["checkpoint.records=200", "journal.segment.bytes=1048576"];
    let Some(mut broker) = own_broker(&settings) else { return };
    let mut client = Client::connect(&broker);
    let topic = Topic::create(&mut client, PRODUCERS);
    let mut producers: Vec<_> =
        (0..PRODUCERS).map(|partition| new_producer(&mut client, partition)).collect();
    for round in 0..ROUNDS {
        let (told, acknowledged) = channel();
        let address = broker.address().to_owned();
        std::thread::scope(|scope| {
            for producer in &mut producers {
                let (told, address, topic) = (told.clone(), &address, &topic);
                scope.spawn(move || producer.write(address, topic, &told).unwrap_err());
            }
            drop(told);
            // Other moments each round; the producers end with their connections.
            for () in acknowledged.iter().take(50 + round * 137) {}
            broker.kill().unwrap();
        });
        broker.restart().unwrap();
    }
    let mut client = Client::connect(&broker);
    for producer in &producers {
        let stored = topic.batches(&mut client, producer.partition);
        assert!(stored.len() as i32 >= producer.acknowledged);
        for (number, batch) in (0..).zip(&stored) {
            let place = (batch.header.base_offset, batch.header.base_sequence, batch.header.producer_id);
            assert_eq!(place, (i64::from(number), number, producer.id));
        }
    }
}
