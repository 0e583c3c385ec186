//! What is sent: values of one size, whose bytes take some work to pack, as those of real records do.

use bytes::Bytes;

/// Bytes after which values begin to repeat: more than a packer looks back.
const PERIOD_BYTES: usize = 4 << 20;

/// Values of one size, cut one after the other from the same random letters, the same at each run.
#[derive(Debug)]
pub(super) struct Values {
    letters: Bytes,
    size: usize,
    at: usize,
}

impl Values {
    pub(super) fn new(size: u32) -> Self {
        let size = size as usize;
        let letters = Letters(0x9e37_79b9_7f4a_7c15).take(PERIOD_BYTES + size).collect();
        Self { letters, size, at: 0 }
    }

    pub(super) fn next(&mut self) -> Bytes {
        let value = self.letters.slice(self.at..self.at + self.size);
        self.at = (self.at + self.size) % PERIOD_BYTES;
        value
    }
}

/// Capital letters by xorshift.
struct Letters(u64);

impl Iterator for Letters {
    type Item = u8;

    fn next(&mut self) -> Option<u8> {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        Some(b'A' + (self.0 % 26) as u8)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_have_their_size_and_differ() {
        for size in [0, 1, 1000, 5 << 20] {
            let mut values = Values::new(size);
            let (one, two) = (values.next(), values.next());
            assert_eq!((one.len(), two.len()), (size as usize, size as usize));
            assert!(one.iter().chain(&two).all(u8::is_ascii_uppercase));
            assert!(size < 1000 || one != two);
            // They wrap around without an end.
            (0..10_000).for_each(|_| drop(values.next()));
        }
    }
}
