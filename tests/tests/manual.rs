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
        assert!(kinds.is_sorted_by_key(|kind| *kind != "core"), "{threat}: the core comes first");
        assert_eq!(
            kinds.into_iter().collect::<BTreeSet<_>>(),
            BTreeSet::from(["adapter", "core"]),
            "{threat}"
        );
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

/// Whether a file has a test of this name: one that runs, and not a word in a comment or a helper.
fn has_test(file: &str, text: &str, name: &str) -> bool {
    let after = |line: &str, word: &str| {
        let line = line.trim_start();
        let line = line.strip_prefix("async ").unwrap_or(line);
        line.strip_prefix(word)
            .and_then(|line| line.strip_prefix(name))
            .is_some_and(|rest| rest.starts_with('('))
    };
    let lines: Vec<_> = text.lines().collect();
    match file.rsplit('.').next() {
        Some("rs") => lines.iter().enumerate().any(|(at, line)| after(line, "fn ") && is_test(&lines[..at])),
        // pytest runs what is called a test, in a file that is.
        Some("py") => {
            let is_run = name.starts_with("test_") && file.rsplit('/').next().unwrap().starts_with("test_");
            is_run && lines.iter().any(|line| after(line, "def "))
        }
        Some("toml") => {
            let dialogues = text.parse::<toml::Table>().unwrap();
            let dialogues = dialogues.get("dialogue").and_then(toml::Value::as_array).unwrap();
            dialogues.iter().any(|dialogue| dialogue.get("name").and_then(toml::Value::as_str) == Some(name))
        }
        _ => false,
    }
}

/// Whether attributes that end here make a test of a function, and let it run.
fn is_test(lines: &[&str]) -> bool {
    let above = lines.iter().rev().map(|line| line.trim());
    let attributes: Vec<_> =
        above.take_while(|line| line.starts_with("#[") || line.starts_with("//")).collect();
    let is = |name: &str| attributes.iter().any(|line| line.starts_with("#[") && line.contains(name));
    (is("[test]") || is("::test]") || is("::test(")) && !is("[ignore")
}

#[test]
fn a_name_in_a_comment_or_of_a_helper_is_no_test() {
    for (file, text, wanted) in [
        ("a.rs", "#[test]\nfn t() {}", true),
        ("a.rs", "    #[tokio::test]\n    // Why.\n    async fn t() {}", true),
        ("a.rs", "// #[test]\nfn t() {}", false),
        ("a.rs", "#[test]\n// fn t() {}\nfn u() {}", false),
        ("a.rs", "#[test]\n#[ignore = \"slow\"]\nfn t() {}", false),
        ("a.rs", "#[test]\nfn ta() {}", false),
        ("a.rs", "fn t() {}", false),
        ("test_a.py", "async def test_t() -> None:", true),
        ("test_a.py", "# def test_t()", false),
        ("a.py", "def test_t():", false),
        ("a.toml", "[[dialogue]]\nname = \"t\"", true),
        ("a.toml", "[[dialogue]]\n# name = \"t\"\nname = \"u\"", false),
    ] {
        let name = if file.ends_with("py") { "test_t" } else { "t" };
        assert_eq!(has_test(file, text, name), wanted, "{text}");
    }
}

#[test]
fn every_test_that_is_named_is_there_and_named_for_its_threat() {
    for (threat, tests) in tests() {
        for (kind, file, name) in tests {
            assert!(goes_through(&kind, &file), "{threat}: {file} is no test through the {kind}");
            let plain = name.strip_prefix("test_").unwrap_or(&name);
            assert!(plain.starts_with(&format!("{threat}_")), "{threat}: {name}");
            assert!(has_test(&file, &read(&file), &name), "{threat}: {file} has no test {name}");
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

/// Whether a piece of code begins with what is given a value: `LIMIT: usize = …`, `field: …`, `let name = …`, `name(…)`,
/// `self.name.unwrap_or(…)`.
fn has_a_name(code: &str) -> bool {
    let code = ["let ", "fn ", "self."].iter().find_map(|word| code.strip_prefix(word)).unwrap_or(code);
    let end = code.find(|c: char| !c.is_alphanumeric() && c != '_').unwrap_or(code.len());
    let (name, rest) = code.split_at(end);
    !name.is_empty() && [": ", " = ", "(", ".unwrap_or("].iter().any(|then| rest.starts_with(then))
}

/// Whether a piece of code stands in a file, as whole words and up to the end of an expression: `100` is not the beginning
/// of `1000`, nor `tries: 1` the end of `retries: 1`. Comments and the file's own tests do not count.
fn stands_in(text: &str, code: &str) -> bool {
    let code = plain(code);
    let text = plain(text.split("#[cfg(test)]\nmod ").next().unwrap());
    let is_word = |c: char| c.is_alphanumeric() || c == '_';
    text.match_indices(&code).any(|(at, _)| {
        let rest = &text[at + code.len()..];
        !text[..at].ends_with(is_word) && !rest.starts_with(is_word) && !rest.trim_start().starts_with('*')
    })
}

/// Code without comments, on one line.
fn plain(code: &str) -> String {
    let lines = code.lines().filter(|line| !line.trim_start().starts_with("//"));
    let lines = lines.map(|line| line.split(" // ").next().unwrap());
    lines.flat_map(str::split_whitespace).collect::<Vec<_>>().join(" ")
}

#[test]
fn a_limit_is_found_by_its_name_and_by_all_of_it() {
    let text = "// MOST: usize = 7\nconst MOST: usize = 8; // MOST: usize = 9\nSelf {\n    retries: 10,\n    wait: 3 * 60,\n}\n";
    for code in ["MOST: usize = 8", "retries: 10", "wait: 3 * 60", "Self { retries: 10"] {
        assert!(stands_in(text, code), "{code}");
    }
    for code in ["MOST: usize = 7", "MOST: usize = 9", "tries: 10", "retries: 1", "wait: 3"] {
        assert!(!stands_in(text, code), "{code}");
    }
    assert!(!stands_in("#[cfg(test)]\nmod tests {\n    const MOST: usize = 8;\n}", "MOST: usize = 8"));
    for (code, wanted) in [("tries: 10", true), ("Duration::from_secs(1)", false), ("100", false)] {
        assert_eq!(has_a_name(code), wanted, "{code}");
    }
}

#[test]
fn every_limit_is_the_one_in_the_code() {
    let limits = limits();
    assert!(limits.len() >= 45, "only {} were read", limits.len());
    for [what, told, file, code] in limits {
        assert!(has_a_name(&code), "{what}: {code} does not say what it is a limit of");
        assert!(stands_in(&read(&file), &code), "{what}: {file} has no {code}");
        let (told, real) = (figure(&told).unwrap_or_else(|| panic!("{what}: {told}?")), value(&code));
        assert_eq!(Some(told), real, "{what}: {code}");
    }
}
