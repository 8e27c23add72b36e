//! What each published library offers is what `api/*.txt` says, so that a break stands in the diff.
#![allow(missing_docs, clippy::unwrap_used, clippy::print_stdout, reason = "tests")]

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};
use std::sync::OnceLock;

use libtest_mimic::{Arguments, Failed, Trial};
use public_api::{Builder, PublicItem};

const LIBRARIES: [&str; 9] = [
    "authgate-core",
    "authgate-hyper",
    "authgate-jwks",
    "authgate-proxy",
    "authgate-redis",
    "authgate-smol",
    "authgate-tokio",
    "authgate-tower",
    "authgate-users",
];

/// The format of rustdoc's JSON that `public-api` reads.
const FORMAT: &str = r#""format_version":57"#;

const FLAGS: [&str; 4] = ["-Z", "unstable-options", "--output-format", "json"];

fn main() -> ExitCode {
    let readable = is_readable();
    if !readable {
        println!("skipped: this rustdoc does not write JSON as {FORMAT}; Rust 1.95 does");
    }
    let trial = |name: &'static str| Trial::test(name, || check(name)).with_ignored_flag(!readable);
    let mut arguments = Arguments::from_args();
    arguments.ignored &= readable;
    arguments.include_ignored &= readable;
    libtest_mimic::run(&arguments, LIBRARIES.into_iter().map(trial).collect()).exit_code()
}

fn check(library: &str) -> Result<(), Failed> {
    let json = described()?.join(format!("{}.json", library.replace('-', "_")));
    let offered = offered_by(&json)?;
    let kept = here().join(format!("api/{library}.txt"));
    if std::env::var_os("AUTHGATE_BLESS").is_some() {
        return Ok(fs::write(kept, offered)?);
    }
    let known = fs::read_to_string(kept).unwrap_or_default();
    if known == offered { Ok(()) } else { Err(told(library, &known, &offered).into()) }
}

/// One line an item. What every type has, and what the compiler finds out by itself, would drown it, but whether a
/// type may go to another thread is part of the promise.
fn offered_by(json: &Path) -> Result<String, Failed> {
    let api = Builder::from_rustdoc_json(json).omit_blanket_impls(true).build()?;
    let automatic = ["Freeze", "RefUnwindSafe", "Unpin", "UnsafeUnpin", "UnwindSafe"];
    let is_told = |line: &String| {
        let (head, _) = line.split_once(" for ").unwrap_or_default();
        let of = head.rsplit("::").next().unwrap_or_default();
        !(head.starts_with("impl") && automatic.contains(&of))
    };
    let lines = api.items().map(PublicItem::to_string).filter(is_told);
    Ok(lines.fold(String::new(), |text, line| text + &line + "\n"))
}

fn told(library: &str, known: &str, offered: &str) -> String {
    let (before, after): (BTreeSet<_>, BTreeSet<_>) = (known.lines().collect(), offered.lines().collect());
    let mut text = format!("{library} is not what api/{library}.txt says:\n");
    for line in before.difference(&after) {
        writeln!(text, "-{line}").unwrap();
    }
    for line in after.difference(&before) {
        writeln!(text, "+{line}").unwrap();
    }
    text + "If that is wanted: AUTHGATE_BLESS=1 cargo test -p authgate-tests --test public_api"
}

/// The folder with the JSON of all libraries, which the first of these tests has written.
fn described() -> Result<&'static Path, Failed> {
    static FOLDER: OnceLock<Result<PathBuf, String>> = OnceLock::new();
    FOLDER.get_or_init(describe).as_deref().map_err(Into::into)
}

/// Documents the workspace as the step `doc` does, with all features that anybody asks for, and so from what is built.
fn describe() -> Result<PathBuf, String> {
    let ended = Command::new(env!("CARGO"))
        .args(["doc", "--workspace", "--lib", "--no-deps", "--locked"])
        .env("AUTHGATE_RUSTDOC", rustdoc())
        .env("RUSTDOC", here().join("api/rustdoc"))
        .env("RUSTDOCFLAGS", FLAGS.join(" "))
        .current_dir(here())
        .output()
        .map_err(|why| why.to_string())?;
    if !ended.status.success() {
        return Err(String::from_utf8_lossy(&ended.stderr).into_owned());
    }
    Ok(scratch().with_file_name("doc"))
}

/// Whether the JSON of an empty library is of the format. It changes with the compiler.
fn is_readable() -> bool {
    let (source, folder) = (scratch().join("empty.rs"), scratch().join("empty"));
    fs::write(&source, "//! Nothing.").unwrap();
    let ended = Command::new(here().join("api/rustdoc"))
        .env("AUTHGATE_RUSTDOC", rustdoc())
        .args(FLAGS)
        .args(["--crate-type", "lib", "--out-dir"])
        .args([&folder, &source])
        .output();
    let written = || fs::read_to_string(folder.join("empty.json")).is_ok_and(|json| json.contains(FORMAT));
    ended.is_ok_and(|ended| ended.status.success()) && written()
}

/// The one that belongs to this cargo, whatever else is on the path.
fn rustdoc() -> PathBuf {
    Path::new(env!("CARGO")).with_file_name(format!("rustdoc{}", std::env::consts::EXE_SUFFIX))
}

fn scratch() -> &'static Path {
    Path::new(env!("CARGO_TARGET_TMPDIR"))
}

fn here() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}
