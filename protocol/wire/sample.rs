//! Random messages for tests: any value that a version can carry, from a seed.

use bytes::Bytes;
use uuid::Uuid;

use super::{Records, Str, Version};

/// A small random number generator, so that a failing case is one seed.
pub struct Chance(u64);

impl Chance {
    /// The same seed draws the same values.
    pub fn new(seed: u64) -> Self {
        Self(seed | 1)
    }

    /// Any 64 bits.
    pub fn bits(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0.wrapping_mul(0x2545_f491_4f6c_dd1d)
    }

    /// A number from 0, below the bound.
    pub fn below(&mut self, bound: usize) -> usize {
        (self.bits() >> 33) as usize % bound
    }

    fn bytes(&mut self, longest: usize) -> Vec<u8> {
        let length = self.below(longest + 1);
        (0..length).map(|_| self.bits() as u8).collect()
    }
}

/// A value that can be drawn at random.
pub trait Sample: Sized {
    /// Draws a value that this version can carry.
    fn sample(chance: &mut Chance, version: Version) -> Self;
}

macro_rules! numbers {
    ($($ty:ty),*) => {$(
        impl Sample for $ty {
            fn sample(chance: &mut Chance, _: Version) -> Self {
                match chance.below(6) {
                    0 => <$ty>::MIN,
                    1 => <$ty>::MAX,
                    2 => 0,
                    _ => chance.bits() as $ty,
                }
            }
        }
    )*};
}

numbers!(i8, i16, u16, i32, u32, i64);

impl Sample for bool {
    fn sample(chance: &mut Chance, _: Version) -> Self {
        chance.below(2) == 1
    }
}

impl Sample for f64 {
    fn sample(chance: &mut Chance, _: Version) -> Self {
        chance.bits() as Self / 3.0
    }
}

impl Sample for Uuid {
    fn sample(chance: &mut Chance, _: Version) -> Self {
        Self::from_u64_pair(chance.bits(), chance.bits())
    }
}

impl Sample for Str {
    fn sample(chance: &mut Chance, _: Version) -> Self {
        // Around 127 bytes a compact length grows from one byte to two.
        let longest = if chance.below(10) == 0 { 150 } else { 12 };
        let length = chance.below(longest);
        let text: String = (0..length).map(|_| if chance.below(8) == 0 { 'é' } else { 'a' }).collect();
        Self::from(text)
    }
}

impl Sample for Bytes {
    fn sample(chance: &mut Chance, _: Version) -> Self {
        Self::from(chance.bytes(40))
    }
}

impl Sample for Records {
    fn sample(chance: &mut Chance, _: Version) -> Self {
        let chunks = chance.below(4);
        (0..chunks).map(|_| Bytes::from(chance.bytes(2 * super::SPLICE_BYTES_MIN))).collect()
    }
}

impl<T: Sample> Sample for Vec<T> {
    fn sample(chance: &mut Chance, version: Version) -> Self {
        let length = chance.below(4);
        (0..length).map(|_| T::sample(chance, version)).collect()
    }
}

impl<T: Sample> Sample for Option<T> {
    fn sample(chance: &mut Chance, version: Version) -> Self {
        (chance.below(3) > 0).then(|| T::sample(chance, version))
    }
}
