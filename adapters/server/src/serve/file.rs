//! `authgate.toml`, read key by key, so that everything that is wrong with it is found at once.

use std::fs::File;
use std::io::Read as _;
use std::path::Path;

use serde::Deserialize as _;
use toml::Spanned;
use toml::de::{DeTable, DeValue, Deserializer, Error};

use super::key::{Key, Unknown};
use super::problems::Problems;
use super::rule_tables;
use super::settings::Settings;
use crate::failure::Failure;

/// The longest file that is read, in bytes.
const LONGEST: u64 = 1024 * 1024;

/// The settings in a file, as far as they can be read; nothing if it is no TOML at all.
pub(super) fn read(path: &Path, problems: &mut Problems) -> Option<Settings> {
    let failed = |what: String| Failure::at(path, what);
    match text(path).map_err(failed) {
        Ok(text) => Some(parse(&text, problems)?.found_from(path.parent().unwrap_or(Path::new("")))),
        Err(failure) => {
            problems.fail(failure);
            None
        }
    }
}

fn text(path: &Path) -> Result<String, String> {
    let mut bytes = Vec::new();
    // Something endless, such as a device, is no configuration either.
    let read = File::open(path).and_then(|file| file.take(LONGEST + 1).read_to_end(&mut bytes));
    let length =
        read.map_err(|error| format!("cannot be read: {error}; give the path of a file that can"))?;
    if length as u64 > LONGEST {
        return Err(format!("is longer than {LONGEST} bytes; is it the right file?"));
    }
    String::from_utf8(bytes).map_err(|_| "is not text; write it in UTF-8".to_owned())
}

/// The settings in the text of a file.
fn parse(text: &str, problems: &mut Problems) -> Option<Settings> {
    let (table, errors) = DeTable::parse_recoverable(text);
    for error in &errors {
        let (line, told) = told(text, error);
        problems.say_at(line, told);
    }
    errors.is_empty().then_some(())?;
    let keys = Key::all();
    let known: Vec<_> = keys.iter().map(Key::name).chain(["rule"]).collect();
    let mut settings = Settings::default();
    let mut entries: Vec<_> = table.into_inner().into_iter().collect();
    entries.sort_by_key(|(key, _)| key.span().start);
    for (name, value) in entries {
        let line = line_of(text, name.span().start);
        let name = name.get_ref().as_ref();
        if name == "rule" {
            settings.rule = rule_tables::read(text, &value, &known, problems);
        } else if let Some(key) = keys.iter().find(|key| key.name() == name) {
            match setting(key, value) {
                Ok(one) => settings = one.over(settings),
                Err(problem) => {
                    problems.say_at(line, format!("{name}: {problem}"));
                    problems.spoil(name);
                }
            }
        } else if let Some(unknown) = Unknown::among(&known, name) {
            let is_section = unknown.meant.is_none() && value.get_ref().is_table();
            let hint = "there are no sections: write each key alone, above the first [[rule]]";
            let problem = if is_section { format!("[{name}]: {hint}") } else { unknown.problem };
            problems.say_at(line, problem);
            unknown.meant.into_iter().for_each(|meant| problems.spoil(meant));
        }
    }
    Some(settings)
}

/// The settings with this one alone.
fn setting(key: &Key, value: Spanned<DeValue<'_>>) -> Result<Settings, String> {
    if let Some(problem) = key.mistyped(value.get_ref()) {
        return Err(problem);
    }
    let prefix = format!("{}: ", key.name());
    Settings::deserialize(alone(key.name(), value)).map_err(|error| {
        let message = error.message();
        key.misfit().unwrap_or_else(|| message.strip_prefix(&prefix).unwrap_or(message).to_owned())
    })
}

/// A table with this key alone.
fn alone<'i>(key: &str, value: Spanned<DeValue<'i>>) -> Deserializer<'i> {
    let span = value.span();
    let mut table = DeTable::new();
    table.insert(Spanned::new(span.clone(), key.to_owned().into()), value);
    Spanned::new(span, table).into()
}

/// The line of a mistake in the notation, and what it is.
fn told(text: &str, error: &Error) -> (usize, String) {
    let span = error.span().unwrap_or(0..0);
    let line = line_of(text, span.start);
    match (error.message(), text.get(span)) {
        ("duplicate key", Some(key)) => (line, format!("{key} stands here for a second time; leave one out")),
        (message, _) => (line, message.to_owned()),
    }
}

pub(super) fn line_of(text: &str, offset: usize) -> usize {
    text.bytes().take(offset).filter(|&byte| byte == b'\n').count() + 1
}
