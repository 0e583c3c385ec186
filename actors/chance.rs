//! Random identifiers. Nothing else in this crate asks for chance.

use uuid::Uuid;

/// A random identifier, as topics and clusters carry. Never one whose text form starts with a dash,
/// which command lines would take for a flag.
#[allow(clippy::disallowed_methods, reason = "this is the chance that others ask")]
pub fn uuid() -> Uuid {
    loop {
        let id = Uuid::new_v4();
        // The first six bits make the first of the base64 characters; 62 is the dash.
        if id.as_bytes().first().is_some_and(|byte| byte >> 2 != 62) {
            return id;
        }
    }
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
