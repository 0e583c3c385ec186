//! Random identifiers. Nothing else in this crate asks for chance.

use std::cell::Cell;
use uuid::Uuid;

thread_local! {
    /// On a thread that simulates: where its sequence of numbers stands.
    static SIMULATED: Cell<Option<u64>> = const { Cell::new(None) };
}

/// Lets the chance of this thread follow from a seed.
pub fn simulate(seed: u64) {
    SIMULATED.set(Some(seed));
}

/// A random identifier, as topics and clusters carry. Never one whose text form starts with a dash,
/// which command lines would take for a flag.
#[allow(clippy::disallowed_methods, reason = "this is the chance that others ask")]
pub fn uuid() -> Uuid {
    loop {
        let id = match SIMULATED.get() {
            Some(at) => simulated(at),
            None => Uuid::new_v4(),
        };
        // The first six bits make the first of the base64 characters; 62 is the dash.
        if id.as_bytes().first().is_some_and(|byte| byte >> 2 != 62) {
            return id;
        }
    }
}

/// The next identifier of a seed's sequence: SplitMix64, twice.
fn simulated(at: u64) -> Uuid {
    const STEP: u64 = 0x9E37_79B9_7F4A_7C15;
    let mix = |at: u64| {
        let mixed = (at ^ (at >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        mixed ^ (mixed >> 31)
    };
    let (high, low) = (at.wrapping_add(STEP), at.wrapping_add(STEP.wrapping_mul(2)));
    SIMULATED.set(Some(low));
    Uuid::from_u64_pair(mix(high), mix(low))
}

/// A random number from 1 to `i32::MAX`.
pub fn positive() -> i32 {
    let bits = uuid().as_u128() as u32 & 0x7fff_ffff;
    bits.max(1) as i32
}

/// The text form that Kafka gives to identifiers: base64 for URLs, without padding, 22 characters.
pub fn base64(id: Uuid) -> String {
    const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    // 128 bits and four zeros behind them make 22 digits of six bits.
    let number = id.as_u128();
    let digit = |at: u32| {
        let bits = if at == 0 { number << 4 } else { number >> (at * 6 - 4) };
        DIGITS.get((bits & 63) as usize).map_or('A', |byte| char::from(*byte))
    };
    (0..22).rev().map(digit).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn identifiers_have_the_text_form_of_kafka() {
        assert_eq!(base64(Uuid::nil()), "AAAAAAAAAAAAAAAAAAAAAA");
        assert_eq!(base64(Uuid::max()), "_____________________w");
        assert_eq!(base64(Uuid::from_u128(1)), "AAAAAAAAAAAAAAAAAAAAAQ");
        let known = Uuid::from_bytes([0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15]);
        assert_eq!(base64(known), "AAECAwQFBgcICQoLDA0ODw");
    }
}
