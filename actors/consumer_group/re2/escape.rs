//! What a backslash says.

use super::Refusal;
use super::class::Class;
use super::source::Source;

/// What is behind a backslash.
#[derive(Debug)]
pub(super) enum Escape<'a> {
    /// A character, by its code; not all codes are characters.
    Character(u32),
    /// Any one of a class.
    Class(Class),
    /// A place between characters, as the `regex` crate writes it.
    Place(&'static str),
    /// Characters that all stand for themselves.
    Quote(&'a str),
}

/// The largest code of a character.
const CODE_MAX: u32 = 0x10_ffff;

/// Reads what is behind a backslash.
pub(super) fn read<'a>(source: &mut Source<'a>, is_folded: bool) -> Result<Escape<'a>, Refusal> {
    let next = source.pop().ok_or("a backslash is the last character")?;
    if let Some(class) = Class::perl(next) {
        return Ok(Escape::Class(class.folded_if(is_folded)));
    }
    Ok(match next {
        'A' => Escape::Place("^"),
        'z' => Escape::Place("$"),
        'b' => Escape::Place(r"\b"),
        'B' => Escape::Place(r"\B"),
        'p' | 'P' => {
            let class = read_unicode(source, next == 'P', is_folded);
            Escape::Class(class.ok_or("there is no class of that name")?)
        }
        'Q' => Escape::Quote(match source.read_until(r"\E") {
            Some(quoted) => quoted,
            None => std::mem::take(&mut source.rest),
        }),
        'x' => Escape::Character(read_hexadecimal(source).ok_or("what is behind `\\x` is no character")?),
        '0'..='7' => Escape::Character(read_octal(source, next).ok_or("there are no references back")?),
        'a' => Escape::Character(0x07),
        'f' => Escape::Character(0x0c),
        'n' => Escape::Character(0x0a),
        'r' => Escape::Character(0x0d),
        't' => Escape::Character(0x09),
        'v' => Escape::Character(0x0b),
        _ if next.is_ascii_alphanumeric() => return Err("what is behind `\\` means nothing"),
        _ => Escape::Character(next.into()),
    })
}

/// Reads what is behind `\p`: a letter, or a name in brackets.
fn read_unicode(source: &mut Source<'_>, is_negated: bool, is_folded: bool) -> Option<Class> {
    let name = if source.skip("{") { source.read_until("}") } else { source.read_bytes(1) }?;
    let (is_negated, name) = name.strip_prefix('^').map_or((is_negated, name), |name| (!is_negated, name));
    Some(Class::unicode(name)?.folded_if(is_folded).negated_if(is_negated))
}

/// Two digits, or any number of them in brackets.
fn read_hexadecimal(source: &mut Source<'_>) -> Option<u32> {
    let digits = if source.skip("{") { source.read_until("}") } else { source.read_bytes(2) }?;
    // The standard library would take a sign.
    let is_number = digits.bytes().all(|byte| byte.is_ascii_hexdigit());
    let code = Some(digits).filter(|_| is_number).and_then(|it| u32::from_str_radix(it, 16).ok());
    code.filter(|code| *code <= CODE_MAX)
}

/// Up to three digits, of which one was read. One alone that is not zero would be a reference back.
fn read_octal(source: &mut Source<'_>, first: char) -> Option<u32> {
    let count = source.rest.bytes().take(2).take_while(|byte| matches!(byte, b'0'..=b'7')).count();
    let more = source.read_bytes(count).filter(|more| first == '0' || !more.is_empty())?;
    u32::from_str_radix(&format!("{first}{more}"), 8).ok()
}
