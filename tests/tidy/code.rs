//! What code names and how long its functions are, without parsing all of the language.

pub(crate) fn is_word(it: char) -> bool {
    it.is_alphanumeric() || it == '_'
}

/// Whether code names a path, as a whole or in the braces of an import.
pub(crate) fn names(code: &str, path: &str) -> bool {
    let is_whole = |(at, _): (usize, &str)| {
        !code[..at].ends_with(is_word) && !code[at + path.len()..].starts_with(is_word)
    };
    if code.match_indices(path).any(is_whole) {
        return true;
    }
    let Some((parent, name)) = path.rsplit_once("::") else { return false };
    let opening = format!("{parent}::{{");
    let mut groups = code.split(&opening).skip(1).flat_map(parts_of_group);
    groups.any(|part| part.split(|it| !is_word(it)).next() == Some(name))
}

/// The parts of an import up to the brace that closes it.
fn parts_of_group(rest: &str) -> Vec<String> {
    let (mut depth, mut parts) = (0_i32, vec![String::new()]);
    for it in rest.chars().filter(|it| !it.is_whitespace()) {
        depth += i32::from(it == '{') - i32::from(it == '}');
        match it {
            '}' if depth < 0 => break,
            ',' if depth == 0 => parts.push(String::new()),
            it => parts.last_mut().unwrap().push(it),
        }
    }
    parts
}

#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Function {
    pub(crate) name: String,
    pub(crate) lines: usize,
}

/// The functions with a body in code without comments and literals.
pub(crate) fn functions(code: &str) -> Vec<Function> {
    let mut found = Vec::new();
    for (at, _) in code.match_indices("fn ").filter(|(at, _)| !code[..*at].ends_with(is_word)) {
        let rest = &code[at..];
        let name: String = rest[3..].chars().take_while(|it| is_word(*it)).collect();
        let (mut nested, mut braces) = (0_i32, 0_i32);
        for (length, it) in rest.char_indices() {
            match it {
                '(' | '[' if braces == 0 => nested += 1,
                ')' | ']' if braces == 0 => nested -= 1,
                ';' if braces == 0 && nested == 0 => break,
                '{' => braces += 1,
                '}' => braces -= 1,
                _ => continue,
            }
            if it == '}' && braces == 0 {
                found.push(Function { name, lines: rest[..length].matches('\n').count() + 1 });
                break;
            }
        }
    }
    found
}

/// The code with spaces in the place of comments and literals, line for line.
pub(crate) fn code_of(text: &str) -> String {
    let chars: Vec<char> = text.chars().collect();
    let (mut code, mut at) = (String::with_capacity(text.len()), 0);
    while at < chars.len() {
        let length = opaque(&chars[at..], code.ends_with(is_word)).min(chars.len() - at);
        let blank = |it: &char| if *it == '\n' { '\n' } else { ' ' };
        code.extend(chars[at..at + length].iter().map(blank));
        if length == 0 {
            code.push(chars[at]);
        }
        at += length.max(1);
    }
    code
}

/// The length of the comment or literal that stands here; 0 for code.
fn opaque(rest: &[char], is_inside_word: bool) -> usize {
    let find = |from: usize, wanted: &[char]| {
        let tail = rest.get(from..).unwrap_or_default();
        tail.windows(wanted.len())
            .position(|it| it == wanted)
            .map_or(rest.len(), |at| from + at + wanted.len())
    };
    match rest {
        ['/', '/', ..] => find(2, &['\n']) - usize::from(rest.contains(&'\n')),
        ['/', '*', ..] => find(2, &['*', '/']),
        ['\'', '\\', ..] => find(3, &['\'']),
        ['\'', _, '\'', ..] => 3,
        ['"', ..] => {
            let mut at = 1;
            while at < rest.len() && rest[at] != '"' {
                at += 1 + usize::from(rest[at] == '\\');
            }
            at + 1
        }
        ['r', ..] | ['b' | 'c', 'r', ..] if !is_inside_word => {
            let begin = if rest[0] == 'r' { 1 } else { 2 };
            let hashes = rest[begin..].iter().take_while(|it| **it == '#').count();
            let is_raw = rest.get(begin + hashes) == Some(&'"');
            let end: Vec<char> = std::iter::once('"').chain(std::iter::repeat_n('#', hashes)).collect();
            if is_raw { find(begin + hashes + 1, &end) } else { 0 }
        }
        _ => 0,
    }
}

#[test]
fn comments_and_literals_are_no_code() {
    let text = "a /* fn */ 'x' '\\'' \"q\\\"}\" r#\"{\"{\"# b\"{\" // {\nfor<'a> r#type";
    let code = code_of(text);
    let words: Vec<_> = code.split_whitespace().collect();
    assert_eq!(words, ["a", "b", "for<'a>", "r#type"]);
    assert_eq!(code.len(), text.len());
    assert_eq!(code.lines().count(), 2);
}

#[test]
fn functions_are_counted_from_their_name_to_their_last_brace() {
    let code =
        "trait T { fn no_body(a: [u8; 4]); }\nfn one() {}\nfn two(f: fn(u8)) -> [u8; 2]\n{\n  {\n  }\n}\n";
    let found: Vec<_> = functions(code).into_iter().map(|it| (it.name, it.lines)).collect();
    assert_eq!(found, [("one".to_owned(), 1), ("two".to_owned(), 5)]);
}

#[test]
fn a_path_is_found_whole_and_in_braces() {
    assert!(names("use std::fs::File;", "std::fs"));
    assert!(names("use std::{io, fs::{self, File}};", "std::fs"));
    assert!(names("use actix::Actor;", "actix"));
    assert!(!names("use std::fs_other;", "std::fs"));
    assert!(!names("use std::{io::{fs}, net}; use other::{fs};", "std::fs"));
    assert!(!names("use actix_rt::Arbiter;", "actix"));
}
