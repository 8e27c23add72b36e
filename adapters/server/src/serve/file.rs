//! `authgate.toml`, read key by key, so that everything that is wrong with it is found at once.

use std::fs;
use std::path::Path;

use clap::Args as _;
use serde::Deserialize as _;
use toml::Spanned;
use toml::de::{DeTable, DeValue, Deserializer};

use super::problems::Problems;
use super::settings::{RuleTable, Settings};

/// The longest file that is read, in bytes.
const LONGEST: u64 = 1024 * 1024;

/// Secrets that somebody may want to write down here, and what to write instead.
const SECRETS: [(&str, &str); 5] = [
    ("jwt_secret", "jwt_secret_file"),
    ("secret", "jwt_secret_file"),
    ("session_secret", "session_secret_files"),
    ("password", "users_file"),
    ("users", "users_file"),
];

/// The settings in a file, as far as they can be read.
pub(super) fn read(path: &Path, problems: &mut Problems) -> Settings {
    let text = match fs::metadata(path).and_then(|about| Ok((about.len(), fs::read_to_string(path)?))) {
        Ok((length, _)) if length > LONGEST => {
            problems.say_at(1, format!("it is longer than {LONGEST} bytes; is it the right file?"));
            return Settings::default();
        }
        Ok((_, text)) => text,
        Err(error) => {
            problems.fail(crate::failure::Failure::at(path, format!("cannot be read: {error}")));
            return Settings::default();
        }
    };
    let folder = path.parent().unwrap_or(Path::new(""));
    parse(&text, problems).found_from(folder)
}

/// The settings in the text of a file.
fn parse(text: &str, problems: &mut Problems) -> Settings {
    let (table, errors) = DeTable::parse_recoverable(text);
    for error in &errors {
        let line = error.span().map_or(1, |span| line_of(text, span.start));
        problems.say_at(line, error.message());
    }
    if !errors.is_empty() {
        return Settings::default();
    }
    let mut settings = Settings::default();
    for (key, value) in table.into_inner() {
        let line = line_of(text, key.span().start);
        let name = key.get_ref().to_string();
        if name == "rule" {
            settings.rule = rules(text, value, problems);
        } else if let Some(problem) = unknown(&name, &keys()) {
            problems.say_at(line, problem);
        } else {
            match Settings::deserialize(alone(&name, value)) {
                Ok(one) => settings = one.over(settings),
                Err(error) => problems.say_at(line, format!("{name}: {}", error.message())),
            }
        }
    }
    settings
}

/// The `[[rule]]` tables; one that cannot be read is told and left out.
fn rules(text: &str, value: Spanned<DeValue<'_>>, problems: &mut Problems) -> Vec<RuleTable> {
    let line = line_of(text, value.span().start);
    let DeValue::Array(tables) = value.into_inner() else {
        problems.say_at(line, "rule: write each as a table that starts with [[rule]]");
        return Vec::new();
    };
    if tables.is_empty() {
        problems.say_at(line, "rule: it is empty; leave it out where all that is behind the gate is alike");
    }
    let mut rules = Vec::new();
    for (place, table) in tables.into_iter().enumerate() {
        let line = line_of(text, table.span().start);
        let number = place + 1;
        let DeValue::Table(keys) = table.get_ref() else {
            problems.say_at(line, format!("rule {number}: write it as a table that starts with [[rule]]"));
            continue;
        };
        let strange: Vec<_> = keys
            .keys()
            .filter_map(|key| unknown(key.get_ref(), &RuleTable::KEYS.map(str::to_owned)))
            .collect();
        if !strange.is_empty() {
            for problem in strange {
                problems.say_at(line, format!("rule {number}: {problem}"));
            }
            continue;
        }
        match RuleTable::deserialize(toml::de::ValueDeserializer::from(table)) {
            Ok(rule) => rules.push(rule),
            Err(error) => problems.say_at(line, format!("rule {number}: {}", error.message())),
        }
    }
    rules
}

/// A table with this key alone.
fn alone<'i>(key: &str, value: Spanned<DeValue<'i>>) -> Deserializer<'i> {
    let span = value.span();
    let mut table = DeTable::new();
    table.insert(Spanned::new(span.clone(), key.to_owned().into()), value);
    Spanned::new(span, table).into()
}

/// All keys that a file may have: the flags' own names.
pub(super) fn keys() -> Vec<String> {
    let command = Settings::augment_args(clap::Command::new("serve"));
    let flags = command.get_arguments().map(|argument| argument.get_id().to_string());
    flags.chain(["rule".to_owned()]).collect()
}

/// What is wrong with a key, if it is none of `known`.
fn unknown(key: &str, known: &[String]) -> Option<String> {
    if known.iter().any(|known| known == key) {
        return None;
    }
    if let Some((_, instead)) = SECRETS.iter().find(|(secret, _)| *secret == key) {
        return Some(format!(
            "{key} does not belong here; keep it in a file of its own, and name that as {instead}"
        ));
    }
    let likeness = |known: &&String| strsim::jaro_winkler(key, known);
    let nearest = known.iter().max_by(|one, other| likeness(one).total_cmp(&likeness(other)));
    Some(match nearest.filter(|known| likeness(known) > 0.8) {
        Some(nearest) => format!("unknown key {key}; did you mean {nearest}?"),
        None => format!("unknown key {key}; see `authgate serve --help` for those that there are"),
    })
}

fn line_of(text: &str, offset: usize) -> usize {
    text.bytes().take(offset).filter(|&byte| byte == b'\n').count() + 1
}
