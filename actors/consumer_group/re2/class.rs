//! Classes of characters, of which only those that names of topics could have are kept: ASCII.

use super::Refusal;
use super::escape::{self, Escape};
use super::source::Source;
use std::fmt;

/// A set of ASCII characters, a bit for each.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Class(u128);

/// A character beside ASCII that is a `k` where case is ignored.
const KELVIN: u32 = 0x212a;
/// One that is an `s` there.
const LONG_S: u32 = 0x017f;

const LOWER: Class = Class::range(b'a', b'z');
const UPPER: Class = Class::range(b'A', b'Z');
const LETTERS: Class = LOWER.or(UPPER);
const DIGITS: Class = Class::range(b'0', b'9');
const WORD: Class = LETTERS.or(DIGITS).or(Class::range(b'_', b'_'));
const PRINTED: Class = Class::range(b'!', b'~');
const CONTROLS: Class = Class::range(0, 0x1f).or(Class::range(0x7f, 0x7f));
/// `$+<=>^`, the backtick, `|` and `~`.
const SYMBOLS: Class =
    Class::range(b'<', b'>').or(Class::all_of(*b"$+")).or(Class::all_of(*b"^`")).or(Class::all_of(*b"|~"));

/// Scripts that have no ASCII characters, as many as RE2/J has names for.
const OTHER_SCRIPTS: &str = "Arabic Armenian Avestan Balinese Bamum Batak Bengali Bopomofo Brahmi Braille \
    Buginese Buhid Canadian_Aboriginal Carian Cham Cherokee Coptic Cuneiform Cypriot Cyrillic Deseret \
    Devanagari Egyptian_Hieroglyphs Ethiopic Georgian Glagolitic Gothic Greek Gujarati Gurmukhi Han Hangul \
    Hanunoo Hebrew Hiragana Imperial_Aramaic Inherited Inscriptional_Pahlavi Inscriptional_Parthian Javanese \
    Kaithi Kannada Katakana Kayah_Li Kharoshthi Khmer Lao Lepcha Limbu Linear_B Lisu Lycian Lydian Malayalam \
    Mandaic Meetei_Mayek Mongolian Myanmar New_Tai_Lue Nko Ogham Ol_Chiki Old_Italic Old_Persian \
    Old_South_Arabian Old_Turkic Oriya Osmanya Phags_Pa Phoenician Rejang Runic Samaritan Saurashtra Shavian \
    Sinhala Sundanese Syloti_Nagri Syriac Tagalog Tagbanwa Tai_Le Tai_Tham Tai_Viet Tamil Telugu Thaana Thai \
    Tibetan Tifinagh Ugaritic Unknown Vai Yi";

impl Class {
    pub(super) const NONE: Self = Self(0);

    const fn range(first: u8, last: u8) -> Self {
        let below_end = if last >= 127 { u128::MAX } else { (1 << (last + 1)) - 1 };
        Self(below_end & !((1 << first) - 1))
    }

    const fn all_of(two: [u8; 2]) -> Self {
        Self(1 << two[0] | 1 << two[1])
    }

    const fn or(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    const fn but(self, other: Self) -> Self {
        Self(self.0 & !other.0)
    }

    pub(super) const fn negated_if(self, is_negated: bool) -> Self {
        if is_negated { Self(!self.0) } else { self }
    }

    /// The characters from one code to another, and those that differ in case when that is ignored.
    pub(super) fn of(first: u32, last: u32, is_folded: bool) -> Self {
        let has = |code: u32| (first..=last).contains(&code);
        let bits = (0..128).filter(|code| has(*code)).fold(0, |bits, code| bits | 1 << code);
        if !is_folded {
            return Self(bits);
        }
        let kelvin = if has(KELVIN) { 1 << b'k' } else { 0 };
        let long_s = if has(LONG_S) { 1 << b's' } else { 0 };
        Self(bits | kelvin | long_s).folded_if(true)
    }

    pub(super) const fn folded_if(self, is_folded: bool) -> Self {
        if !is_folded {
            return self;
        }
        // A letter and its capital are 32 apart.
        Self(self.0 | (self.0 & LOWER.0) >> 32 | (self.0 & UPPER.0) << 32)
    }

    /// Classes like `\d`.
    pub(super) fn perl(name: char) -> Option<Self> {
        let class = match name.to_ascii_lowercase() {
            'd' => DIGITS,
            's' => Self::range(b'\t', b'\r').but(Self::range(0x0b, 0x0b)).or(Self::range(b' ', b' ')),
            'w' => WORD,
            _ => return None,
        };
        Some(class.negated_if(name.is_ascii_uppercase()))
    }

    /// Classes like `[:alpha:]`, without what is around the name.
    fn posix(name: &str) -> Option<Self> {
        Some(match name {
            "alnum" => LETTERS.or(DIGITS),
            "alpha" => LETTERS,
            "ascii" => Self(u128::MAX),
            "blank" => Self::all_of(*b"\t "),
            "cntrl" => CONTROLS,
            "digit" => DIGITS,
            "graph" => PRINTED,
            "lower" => LOWER,
            "print" => Self::range(b' ', b'~'),
            "punct" => PRINTED.but(LETTERS).but(DIGITS),
            "space" => Self::range(b'\t', b'\r').or(Self::range(b' ', b' ')),
            "upper" => UPPER,
            "word" => WORD,
            "xdigit" => DIGITS.or(Self::range(b'A', b'F')).or(Self::range(b'a', b'f')),
            _ => return None,
        })
    }

    /// Classes like `\p{Lu}`, which are named after Unicode's categories and scripts.
    pub(super) fn unicode(name: &str) -> Option<Self> {
        let punctuation = PRINTED.but(LETTERS).but(DIGITS).but(SYMBOLS);
        let (opening, closing) =
            (Self::all_of(*b"[{").or(Self(1 << b'(')), Self::all_of(*b"]}").or(Self(1 << b')')));
        let (dash, connector) = (Self(1 << b'-'), Self(1 << b'_'));
        let modifiers = Self::all_of(*b"^`");
        Some(match name {
            "Any" => Self(u128::MAX),
            "C" | "Cc" => CONTROLS,
            "L" | "Latin" => LETTERS,
            "Ll" => LOWER,
            "Lu" => UPPER,
            "N" | "Nd" => DIGITS,
            "P" => punctuation,
            "Pc" => connector,
            "Pd" => dash,
            "Pe" => closing,
            "Po" => punctuation.but(opening).but(closing).but(dash).but(connector),
            "Ps" => opening,
            "S" => SYMBOLS,
            "Sc" => Self(1 << b'$'),
            "Sk" => modifiers,
            "Sm" => SYMBOLS.but(modifiers).but(Self(1 << b'$')),
            "Z" | "Zs" => Self(1 << b' '),
            "Common" => Self(u128::MAX).but(LETTERS),
            "Cf" | "Co" | "Cs" | "Lm" | "Lo" | "Lt" | "M" | "Mc" | "Me" | "Mn" | "Nl" | "No" | "Pf"
            | "Pi" | "So" | "Zl" | "Zp" => Self::NONE,
            _ if OTHER_SCRIPTS.split(' ').any(|script| script == name) => Self::NONE,
            _ => return None,
        })
    }

    const fn has(self, byte: u8) -> bool {
        byte < 128 && self.0 >> byte & 1 == 1
    }
}

impl fmt::Display for Class {
    /// As the `regex` crate is to have it.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let starts = (0..128).filter(|byte| self.has(*byte) && !(*byte > 0 && self.has(byte - 1)));
        let mut ranges = starts.map(|start| (start, (start..128).take_while(|byte| self.has(*byte)).last()));
        match (ranges.next(), self.0.count_ones()) {
            // A byte that no name has: none matches.
            (None, _) => f.write_str(r"\xff"),
            (Some((byte, _)), 1) if byte.is_ascii_alphanumeric() => write!(f, "{}", char::from(byte)),
            (Some((byte, _)), 1) => write!(f, r"\x{byte:02x}"),
            (first, _) => {
                f.write_str("[")?;
                for (start, end) in first.into_iter().chain(ranges) {
                    write!(f, r"\x{start:02x}-\x{:02x}", end.unwrap_or(start))?;
                }
                f.write_str("]")
            }
        }
    }
}

/// Reads what is behind `[`, up to the `]` of it.
pub(super) fn read(source: &mut Source<'_>, is_folded: bool) -> Result<Class, Refusal> {
    let is_negated = source.skip("^");
    let mut class = Class::NONE;
    let mut is_first = true;
    while is_first || !source.skip("]") {
        is_first = false;
        class = class.or(match source.read_name() {
            Some(name) => named(name, is_folded)?,
            None => read_range(source, is_folded)?,
        });
    }
    Ok(class.negated_if(is_negated))
}

/// A class by what is between `[:` and `:]`.
fn named(name: &str, is_folded: bool) -> Result<Class, Refusal> {
    let class =
        Class::posix(name.strip_prefix('^').unwrap_or(name)).ok_or("there is no class of that name")?;
    Ok(class.folded_if(is_folded).negated_if(name.starts_with('^')))
}

/// Reads a character, a range of them, or a class like `\d`.
fn read_range(source: &mut Source<'_>, is_folded: bool) -> Result<Class, Refusal> {
    let first = match read_character(source, is_folded)? {
        Escape::Character(code) => code,
        Escape::Class(class) => return Ok(class),
        Escape::Place(_) | Escape::Quote(_) => return Err("what is behind `\\` is of no use in a class"),
    };
    if source.rest.starts_with("-]") || !source.skip("-") {
        return Ok(Class::of(first, first, is_folded));
    }
    match read_character(source, is_folded)? {
        Escape::Character(last) if first <= last => Ok(Class::of(first, last, is_folded)),
        _ => Err("a range ends before it starts, or with no character"),
    }
}

fn read_character<'a>(source: &mut Source<'a>, is_folded: bool) -> Result<Escape<'a>, Refusal> {
    match source.pop().ok_or("a class is not closed")? {
        '\\' => escape::read(source, is_folded),
        character => Ok(Escape::Character(character.into())),
    }
}
