//! Packing and unpacking the records of a batch: the four codecs, framed as Kafka's clients do.

use super::header::Compression;
use std::io::{self, Read, Write};

/// Bytes that a snappy block may unpack to. It is unpacked whole.
const SNAPPY_BLOCK_BYTES_MAX: usize = 128 << 20;
/// What snappy-java writes before its blocks.
const SNAPPY_JAVA_MAGIC: [u8; 8] = [0x82, b'S', b'N', b'A', b'P', b'P', b'Y', 0];
const SNAPPY_JAVA_HEADER_BYTES: usize = 16;
/// The version that snappy-java writes, and the oldest that reads it.
const SNAPPY_JAVA_VERSIONS: [u8; 8] = [0, 0, 0, 1, 0, 0, 0, 1];
/// Bytes that go into one block of snappy.
const SNAPPY_BLOCK_BYTES: usize = 32 << 10;

/// Packs records.
///
/// # Errors
/// None for memory that is there; the codecs' own signatures have them.
pub fn pack(compression: Compression, records: &[u8]) -> io::Result<Vec<u8>> {
    match compression {
        Compression::None => Ok(records.to_vec()),
        Compression::Gzip => {
            let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
            encoder.write_all(records)?;
            encoder.finish()
        }
        Compression::Snappy => pack_snappy(records),
        Compression::Lz4 => {
            let mut encoder = lz4_flex::frame::FrameEncoder::new(Vec::new());
            encoder.write_all(records)?;
            encoder.finish().map_err(invalid)
        }
        Compression::Zstd => {
            Ok(ruzstd::encoding::compress_to_vec(records, ruzstd::encoding::CompressionLevel::Fastest))
        }
    }
}

/// A reader of what was packed. It gives no more than is asked for, and unpacks little ahead.
///
/// # Errors
/// `InvalidData` when the content is not of that codec.
pub fn unpack(compression: Compression, content: &[u8]) -> io::Result<Box<dyn Read + '_>> {
    Ok(match compression {
        Compression::None => Box::new(content),
        Compression::Gzip => Box::new(flate2::read::GzDecoder::new(content)),
        Compression::Snappy => unpack_snappy(content)?,
        Compression::Lz4 => Box::new(lz4_flex::frame::FrameDecoder::new(content)),
        Compression::Zstd => Box::new(ruzstd::decoding::StreamingDecoder::new(content).map_err(invalid)?),
    })
}

fn pack_snappy(records: &[u8]) -> io::Result<Vec<u8>> {
    let mut packed = Vec::with_capacity(SNAPPY_JAVA_HEADER_BYTES + records.len() / 2);
    packed.extend_from_slice(&SNAPPY_JAVA_MAGIC);
    packed.extend_from_slice(&SNAPPY_JAVA_VERSIONS);
    let mut encoder = snap::raw::Encoder::new();
    for block in records.chunks(SNAPPY_BLOCK_BYTES) {
        let block = encoder.compress_vec(block).map_err(invalid)?;
        packed.extend_from_slice(&(block.len() as u32).to_be_bytes());
        packed.extend_from_slice(&block);
    }
    Ok(packed)
}

/// Snappy content: blocks as snappy-java frames them, or a single raw one.
fn unpack_snappy(content: &[u8]) -> io::Result<Box<dyn Read + '_>> {
    if !content.starts_with(&SNAPPY_JAVA_MAGIC) {
        return Ok(Box::new(io::Cursor::new(snappy_block(content)?)));
    }
    let rest = content.get(SNAPPY_JAVA_HEADER_BYTES..).unwrap_or_default();
    Ok(Box::new(SnappyBlocks { rest, block: io::Cursor::default() }))
}

fn snappy_block(block: &[u8]) -> io::Result<Vec<u8>> {
    if snap::raw::decompress_len(block).map_err(invalid)? > SNAPPY_BLOCK_BYTES_MAX {
        return Err(io::ErrorKind::InvalidData.into());
    }
    snap::raw::Decoder::new().decompress_vec(block).map_err(invalid)
}

/// Unpacks one block after the other.
struct SnappyBlocks<'a> {
    rest: &'a [u8],
    block: io::Cursor<Vec<u8>>,
}

impl Read for SnappyBlocks<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        loop {
            let count = self.block.read(buffer)?;
            if count > 0 || buffer.is_empty() {
                return Ok(count);
            }
            let Some((length, after)) = self.rest.split_first_chunk::<4>() else { return Ok(0) };
            let length = u32::from_be_bytes(*length) as usize;
            let (block, after) = after.split_at_checked(length).ok_or(io::ErrorKind::UnexpectedEof)?;
            self.block = io::Cursor::new(snappy_block(block)?);
            self.rest = after;
        }
    }
}

pub(super) fn invalid(error: impl std::error::Error + Send + Sync + 'static) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, error)
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use proptest::prelude::*;

    pub(in crate::batch) const ALL: [Compression; 5] =
        [Compression::None, Compression::Gzip, Compression::Snappy, Compression::Lz4, Compression::Zstd];

    proptest! {
        #[test]
        fn what_is_packed_unpacks_to_the_same(
            codec in prop::sample::select(&ALL[..]),
            content in prop::collection::vec(0..4u8, 0..20_000),
        ) {
            let packed = pack(codec, &content).unwrap();
            let mut unpacked = Vec::new();
            unpack(codec, &packed).unwrap().read_to_end(&mut unpacked).unwrap();
            prop_assert_eq!(unpacked, content);
        }
    }
}
