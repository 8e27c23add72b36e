//! The manual says what the code does: every threat has its tests, and every figure is the code's.
#![allow(missing_docs, clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "tests")]

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

fn read(path: &str) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("..").join(path);
    fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// A page of the manual, its lines without the marks of comments.
fn page(name: &str) -> Vec<String> {
    let text = read(&format!("core/src/manual/{name}.rs"));
    text.lines().map(|line| line.strip_prefix("//!").unwrap_or(line).to_owned()).collect()
}

/// What stands between grave accents.
fn code(line: &str) -> Vec<&str> {
    line.split('`').skip(1).step_by(2).collect()
}

/// The tests of every threat: through the core or through an adapter, in which file, and its name there.
fn tests() -> BTreeMap<String, Vec<(String, String, String)>> {
    let page = page("threats");
    let mut threats = BTreeMap::<_, Vec<_>>::new();
    let mut threat = String::new();
    for (at, line) in page.iter().enumerate() {
        if let Some((number, _)) = line.strip_prefix(" - **").and_then(|rest| rest.split_once("**: ")) {
            number.clone_into(&mut threat);
            assert!(threats.insert(threat.clone(), Vec::new()).is_none(), "{threat} stands there twice");
        }
        for kind in ["core", "adapter"] {
            if line.starts_with(&format!("   - {kind}: ")) {
                let next = page.get(at + 1).filter(|next| next.starts_with("     "));
                let line = format!("{line}{}", next.map_or("", |next| next));
                let [file, name] = code(&line)[..] else { panic!("no file and test: {line}") };
                let test = (kind.to_owned(), file.to_owned(), name.to_owned());
                threats.get_mut(&threat).unwrap().push(test);
            }
        }
    }
    threats
}

#[test]
fn every_threat_has_a_test_through_the_core_and_one_through_an_adapter() {
    let threats = tests();
    let numbers: BTreeSet<_> = (1..=40).map(|number| format!("t{number:02}")).collect();
    assert_eq!(threats.keys().cloned().collect::<BTreeSet<_>>(), numbers);
    for (threat, tests) in threats {
        let kinds: Vec<_> = tests.iter().map(|(kind, ..)| kind.as_str()).collect();
        assert_eq!(kinds, ["core", "adapter"], "{threat}");
    }
}

/// Where tests go through the core alone, and where through something that drives it; dialogues do both.
fn goes_through(kind: &str, file: &str) -> bool {
    let dialogues = file.starts_with("tests/vectors/");
    match kind {
        "core" => dialogues || file.starts_with("core/") || file.starts_with("tests/tests/"),
        _ => {
            let elsewhere =
                ["adapters/", "python/", "tests/python/", "tests/several/", "tests/tests/off_the_loop.rs"];
            dialogues || elsewhere.iter().any(|start| file.starts_with(start))
        }
    }
}

#[test]
fn every_test_that_is_named_is_there_and_named_for_its_threat() {
    for (threat, tests) in tests() {
        for (kind, file, name) in tests {
            assert!(goes_through(&kind, &file), "{threat}: {file} is no test through the {kind}");
            let plain = name.strip_prefix("test_").unwrap_or(&name);
            assert!(plain.starts_with(&format!("{threat}_")), "{threat}: {name}");
            let written = [format!("fn {name}("), format!("def {name}("), format!("name = \"{name}\"")];
            let text = read(&file);
            assert!(written.iter().any(|test| text.contains(test)), "{threat}: {file} has no {name}");
        }
    }
}

/// The rows of the tables of limits: what, how much, and where in the code.
fn limits() -> Vec<[String; 4]> {
    let rows = page("limits").into_iter().filter_map(|line| {
        let cells: Vec<_> = line.split('|').map(str::trim).collect();
        let [_, what, figure, place, _] = cells[..] else { return None };
        let [file, code] = code(place)[..] else { return None };
        Some([what, figure, file, code].map(str::to_owned))
    });
    rows.collect()
}

/// `64 * 1024` and the like.
fn product(text: &str) -> Option<u64> {
    text.replace('_', "").split('*').map(|factor| factor.trim().parse::<u64>().ok()).product()
}

/// What a piece of code comes to: a number, or a span in milliseconds.
fn value(code: &str) -> Option<u64> {
    for (span, unit) in [("millis", 1), ("secs", 1000), ("mins", 60_000), ("hours", 3_600_000)] {
        if let Some((_, number)) = code.split_once(&format!("Duration::from_{span}(")) {
            return Some(unit * product(number.split(')').next()?)?);
        }
    }
    let number = code.rsplit(['=', ':', '(']).next()?;
    product(number.trim_end_matches(')'))
}

/// What a figure comes to, alike.
fn figure(text: &str) -> Option<u64> {
    let units =
        [("KiB", 1024), ("MiB", 1024 * 1024), ("ms", 1), ("s", 1000), ("min", 60_000), ("h", 3_600_000)];
    match text.split_once(' ') {
        None => text.parse().ok(),
        Some((number, unit)) => {
            let (_, factor) = units.iter().find(|(name, _)| *name == unit)?;
            Some(number.parse::<u64>().ok()? * factor)
        }
    }
}

#[test]
fn every_limit_is_the_one_in_the_code() {
    let limits = limits();
    assert!(limits.len() >= 45, "only {} were read", limits.len());
    for [what, told, file, code] in limits {
        // A whole word, and the end of an expression: `100` is not the beginning of `1000`.
        let text = read(&file);
        let ends = |rest: &str| {
            !rest.starts_with(|c: char| c.is_alphanumeric() || c == '_')
                && !rest.trim_start().starts_with('*')
        };
        assert!(
            text.match_indices(&code).any(|(at, _)| ends(&text[at + code.len()..])),
            "{what}: {file} has no {code}"
        );
        let (told, real) = (figure(&told).unwrap_or_else(|| panic!("{what}: {told}?")), value(&code));
        assert_eq!(Some(told), real, "{what}: {code}");
    }
}
