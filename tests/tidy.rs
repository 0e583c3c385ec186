//! The rules of style that a machine can check: lengths, names, layers, words.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

#[path = "tidy/code.rs"]
mod code;
#[path = "tidy/repository.rs"]
mod repository;

use code::{code_of, functions, names};
use repository::{files, manifest, members, needed_by, operations, read, root, rust_files};
use std::path::Path;

const FILE_LINES_MAX: usize = 400;
const FUNCTION_LINES_MAX: usize = 70;
const ARCHITECTURE_LINES_MAX: usize = 300;

/// Names that say nothing of what is in the file.
const EMPTY_NAMES: [&str; 8] = ["utils", "util", "common", "helpers", "helper", "types", "misc", "shared"];

/// What the code of a folder may not name.
const LAYERS: [(&str, &[&str]); 4] = [
    (
        "actors/",
        &[
            "callboard_protocol::kafka",
            "callboard_protocol::wire",
            "std::fs",
            "tokio::fs",
            "tokio::net",
            // Addresses are plain data; sockets are not.
            "TcpListener",
            "TcpStream",
            "UdpSocket",
            "UnixStream",
        ],
    ),
    ("storage/", &["actix", "actix_rt", "tokio", "tokio_util", "callboard_protocol::kafka", "std::net"]),
    ("protocol/", &["actix", "actix_rt", "tokio", "tokio_util", "std::fs", "std::net"]),
    ("client/", &["actix", "actix_rt", "std::fs"]),
];

/// Which of our crates a crate may need; arrows point down.
const ARROWS: [(&str, &[&str]); 6] = [
    (".", &["callboard-actors", "callboard-client", "callboard-protocol", "callboard-storage"]),
    ("actors", &["callboard-protocol", "callboard-storage"]),
    ("storage", &["callboard-protocol"]),
    ("client", &["callboard-protocol"]),
    ("protocol", &["callboard-protocol-derive"]),
    ("protocol/derive", &[]),
];

/// Files of `src/kafka/` that are no operation.
const NO_OPERATIONS: [&str; 8] = [
    "altering.rs",
    "config_resource.rs",
    "mod.rs",
    "apis.rs",
    "error_code.rs",
    "groups.rs",
    "refusing.rs",
    "repeated.rs",
];

/// Words that would tie the files to the machine or the day on which they were written. They are
/// taken apart, so that this file does not hold them.
const FOREIGN_WORDS: [&str; 21] = [
    concat!("/wor", "k/"),
    concat!("/tm", "p/"),
    concat!("/roo", "t/"),
    concat!("/hom", "e/"),
    concat!("crate", "s.io"),
    concat!("registry.npm", "js.org"),
    concat!("registry.yarn", "pkg.com"),
    concat!("py", "pi.org"),
    concat!("pythonho", "sted.org"),
    concat!("proxy.gol", "ang.org"),
    concat!("sum.gol", "ang.org"),
    concat!("maven", ".org/maven2"),
    concat!("repo.maven.ap", "ache.org"),
    concat!("this ses", "sion"),
    concat!("last ses", "sion"),
    concat!("previous ses", "sion"),
    concat!("earlier ses", "sion"),
    concat!("the sp", "ec"),
    concat!("desi", "gn.md"),
    concat!("sty", "le.md"),
    concat!("kafka_", "facts"),
];

#[test]
fn every_rust_file_begins_by_saying_what_it_is() {
    holds(rust_files().iter().filter(|file| {
        let first = file.text.lines().next().unwrap_or_default();
        !first.starts_with("//! ") || first.len() < 20
    }));
}

#[test]
fn files_are_short() {
    holds(rust_files().iter().filter(|file| file.text.lines().count() > FILE_LINES_MAX));
}

#[test]
fn functions_are_short() {
    let files = rust_files();
    let long = files.iter().flat_map(|file| {
        let functions = functions(&code_of(&file.text)).into_iter();
        functions.filter(|it| it.lines > FUNCTION_LINES_MAX).map(|it| format!("{}: {it:?}", file.name))
    });
    holds(long);
}

#[test]
fn files_have_names_that_say_something() {
    holds(rust_files().iter().filter(|file| {
        let stem = Path::new(&file.name).file_stem().unwrap();
        EMPTY_NAMES.iter().any(|name| stem == *name)
    }));
}

#[test]
fn each_layer_knows_only_what_it_may() {
    let mut wrong = Vec::new();
    for file in rust_files() {
        let code = code_of(&file.text);
        let of_file = LAYERS.iter().filter(|(folder, _)| file.name.starts_with(folder));
        for path in of_file.flat_map(|(_, paths)| *paths).filter(|path| names(&code, path)) {
            wrong.push(format!("{} names {path}", file.name));
        }
    }
    holds(wrong.iter());
}

#[test]
fn tests_wait_for_events_and_not_for_time() {
    let tests: Vec<_> = rust_files().into_iter().filter(|file| file.name.starts_with("tests/")).collect();
    holds(tests.iter().filter(|file| code_of(&file.text).contains("sleep(")));
}

#[test]
fn dependencies_point_down() {
    let mut wrong = Vec::new();
    // Benchmarks measure all layers, and nothing depends on them.
    for member in members().iter().filter(|member| *member != "benches") {
        let Some((_, may_need)) = ARROWS.iter().find(|(folder, _)| folder == member) else {
            wrong.push(format!("{member} has no place among the layers"));
            continue;
        };
        for needed in needed_by(&manifest(member)).iter().filter(|name| name.starts_with("callboard")) {
            if !may_need.contains(&needed.as_str()) {
                wrong.push(format!("{member} needs {needed}"));
            }
        }
    }
    holds(wrong.iter());
}

#[test]
fn crates_need_each_other_by_the_version_that_all_have() {
    // Without one nothing can be published, and with an older one something else would be built.
    let root = manifest(".");
    let version = root.lines().find(|line| line.starts_with("version = ")).unwrap();
    let own: Vec<_> = root.lines().filter(|line| line.contains("{ path = ")).collect();
    assert_eq!(own.len(), ARROWS.len(), "{own:?}");
    holds(own.iter().filter(|line| !line.contains(&format!(", {version} }}"))));
}

#[test]
fn every_crate_takes_the_lints_of_the_workspace() {
    let members = members();
    assert!(members.len() > 4, "{members:?}");
    holds(members.iter().filter(|member| !manifest(member).contains("[lints]\nworkspace = true")));
}

#[test]
fn an_operation_of_kafka_names_its_versions_in_its_first_line_and_in_the_documents() {
    let table = read("docs/KAFKA.md");
    let operations = operations(&code_of(&read("src/kafka/apis.rs")));
    assert!(operations.len() > 10, "{operations:?}");
    let mut wrong = Vec::new();
    for (module, first, last) in &operations {
        let text = read(&format!("src/kafka/{module}.rs"));
        let line = text.lines().next().unwrap().replace('`', "");
        let (versions, row) = if first == last {
            (format!("version {first}:"), format!("{first}"))
        } else {
            (format!("versions {first} to {last}:"), format!("{first}–{last}"))
        };
        let name = line.trim_start_matches("//! ").split(',').next().unwrap();
        if !line.contains(&versions) {
            wrong.push(format!("src/kafka/{module}.rs does not begin with {versions}"));
        }
        if !table.lines().any(|line| line.starts_with('|') && line.contains(&format!(" {name} | {row} |"))) {
            wrong.push(format!("docs/KAFKA.md has no row for {name} {row}"));
        }
    }
    for file in rust_files() {
        let module = file.name.strip_prefix("src/kafka/").filter(|rest| !rest.contains('/'));
        let module = module.filter(|name| !NO_OPERATIONS.contains(name));
        let stem = module.map(|name| name.trim_end_matches(".rs"));
        if stem.is_some_and(|stem| operations.iter().all(|(module, ..)| module != stem)) {
            wrong.push(format!("{} is in no row of the table of operations", file.name));
        }
    }
    holds(wrong.iter());
}

#[test]
fn no_file_speaks_of_the_machine_that_it_was_written_on() {
    let mut wrong = Vec::new();
    for file in files().into_iter().filter(|file| !file.name.ends_with("Cargo.lock")) {
        for (number, line) in (1..).zip(file.text.lines()) {
            if let Some(word) = foreign_word(line) {
                wrong.push(format!("{}:{number} says {word}", file.name));
            }
        }
    }
    holds(wrong.iter());
}

#[test]
fn the_example_of_the_readme_is_one_that_is_tested() {
    let (readme, tested) = (repository::read("README.md"), repository::read("src/lib.rs"));
    let example = readme.split("```rust\n").nth(1).and_then(|rest| rest.split("```").next()).unwrap();
    assert!(example.lines().count() > 3, "{example}");
    let untested = example.lines().filter(|line| !tested.contains(&format!("//! {line}\n")));
    holds(untested.map(|line| format!("README.md: not in the documentation of src/lib.rs: {line}")));
}

#[test]
fn documents_are_short_and_name_files_that_exist() {
    assert!(read("docs/ARCHITECTURE.md").lines().count() <= ARCHITECTURE_LINES_MAX);
    let mut wrong = Vec::new();
    for file in files().into_iter().filter(|file| file.is("md")) {
        let folder = Path::new(&file.name).parent().unwrap();
        // Between the first and second backquote, the third and fourth and so on.
        let quoted = file.text.split('`').skip(1).step_by(2);
        let sources =
            quoted.filter(|it| it.contains('/') && !it.contains(' ') && extension(it) == Some("rs"));
        let missing = sources.filter(|it| !root().join(it).exists());
        let links = file.text.split("](").skip(1).filter_map(|rest| rest.split([')', '#']).next());
        let links = links.filter(|it| !it.is_empty() && !it.starts_with("http"));
        let broken = links.filter(|it| !root().join(folder).join(it).exists());
        wrong.extend(missing.chain(broken).map(|it| format!("{} names {it}", file.name)));
    }
    holds(wrong.iter());
}

fn holds(wrong: impl Iterator<Item = impl ToString>) {
    let wrong: Vec<String> = wrong.map(|it| it.to_string()).collect();
    assert!(wrong.is_empty(), "\n{}\n", wrong.join("\n"));
}

fn extension(path: &str) -> Option<&str> {
    path.rsplit_once('.').map(|(_, extension)| extension)
}

fn foreign_word(line: &str) -> Option<String> {
    let line = line.to_lowercase();
    let is_there = |word: &&&str| {
        line.match_indices(**word).any(|(at, _)| !line[at + word.len()..].starts_with(char::is_alphabetic))
            || word.ends_with('/') && line.contains(**word)
    };
    let numbered = line.split(concat!("iss", "ue ")).skip(1);
    let is_number = |rest: &str| rest.trim_start_matches('#').starts_with(|it: char| it.is_ascii_digit());
    let word = FOREIGN_WORDS.iter().find(is_there).map(ToString::to_string);
    word.or_else(|| numbered.into_iter().any(is_number).then(|| "a numbered issue".to_owned()))
}

#[test]
fn a_foreign_word_is_found_as_a_word_only() {
    let word = |line: &str| foreign_word(line).is_some();
    assert!(word(concat!("see /wor", "k/place")) && word(concat!("As The Sp", "ec says")));
    assert!(word(concat!("fixes iss", "ue #7")) && word(concat!("iss", "ue 12")));
    assert!(!word("the special case, the issue at hand, a fetch session"));
}
