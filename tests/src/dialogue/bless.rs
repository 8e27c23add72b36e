//! Writes what was found into a table: `asked`, `kind`, `headers`, `detail`, `about`, `client_kind` and `rights` of each
//! visit, and the body of those kinds that want the whole of it. Whoever blesses reads the difference, line by line.

use std::fs;

use super::check::{ASIDE, matches};
use super::read::folder;
use super::{BodyKind, Outcome, kinds, reasons};

/// The lines that are written anew.
const WRITTEN: [&str; 8] = ["asked", "kind", "headers", "body", "detail", "about", "client_kind", "rights"];

/// Writes the outcomes of all visits of the table of this name into it, in order.
pub fn bless(table: &str, outcomes: &[Outcome]) {
    let path = folder().join("vectors").join(table).with_extension("toml");
    let text = fs::read_to_string(&path).unwrap();
    let mut outcomes = outcomes.iter();
    let mut parts = text.split("\n[[dialogue").map(str::to_owned);
    let mut made = parts.next().unwrap_or_default();
    for part in parts {
        made.push_str("\n[[dialogue");
        made.push_str(&blessed(&part, outcomes.next().expect("one outcome a visit")));
    }
    fs::write(path, made).unwrap();
}

/// A visit's text, with what was found after its status and its reason.
fn blessed(part: &str, found: &Outcome) -> String {
    let is = |line: &str, name: &str| line.starts_with(&format!("{name} = "));
    let mut made: Vec<String> = Vec::new();
    for line in part.lines().filter(|line| !WRITTEN.iter().any(|name| is(line, name))) {
        made.push(line.to_owned());
        if is(line, "status") {
            made.extend(answer(part, found));
        }
        if is(line, "reason") {
            made.extend(audit(found));
        }
    }
    made.join("\n") + if part.ends_with('\n') { "\n" } else { "" }
}

fn answer(part: &str, found: &Outcome) -> Vec<String> {
    let known = part.lines().find_map(|line| line.strip_prefix("kind = \"")?.strip_suffix('"'));
    let name = known.unwrap_or_else(|| guess(found));
    let kind = kinds().get(name).unwrap_or_else(|| panic!("no kind of body fits {found:?}"));
    let asked: Vec<_> = found.asked.iter().flatten().map(|question| quoted(question)).collect();
    let mut made = vec![format!("asked = [{}]", asked.join(", ")), format!("kind = \"{name}\"")];
    let fields = own_fields(kind, found);
    if !fields.is_empty() {
        made.push(format!("headers = {{ {} }}", fields.join(", ")));
    }
    let had = part.lines().any(|line| line.starts_with("body = "));
    if !found.body.is_empty() && (kind.told || had) {
        made.push(format!("body = {}", quoted(&found.body)));
    }
    made
}

/// What the audit trail has beyond the reason and what goes without saying, and what the dashboard was told of the user.
fn audit(found: &Outcome) -> Vec<String> {
    let told = &found.told;
    let is_usual = reasons().get(&told.reason) == Some(&told.detail);
    let detail = (!is_usual).then(|| format!("detail = {}", quoted(&told.detail)));
    let about = told.about.as_ref().map(|about| format!("about = {}", quoted(about)));
    let kind = (told.kind != "page").then(|| format!("client_kind = \"{}\"", told.kind));
    let rights: Vec<_> = found.all("x-seen-rights").flat_map(str::split_whitespace).map(quoted).collect();
    let rights = (!rights.is_empty()).then(|| format!("rights = [{}]", rights.join(", ")));
    [detail, about, kind, rights].into_iter().flatten().collect()
}

/// The fields that do not come with the kind.
fn own_fields(kind: &BodyKind, found: &Outcome) -> Vec<String> {
    let mut fields: Vec<(&str, Vec<String>)> = Vec::new();
    for (field, value) in &found.headers {
        let comes_along = kind.headers.get(field).is_some_and(|usual| matches(usual, value));
        if comes_along || ASIDE.contains(&field.as_str()) || kind.aside.contains(field) {
            continue;
        }
        let value = quoted(&sealed(value));
        match fields.iter_mut().find(|(name, _)| name == field) {
            Some((_, values)) => values.push(value),
            None => fields.push((field, vec![value])),
        }
    }
    let text = |(name, values): &(&str, Vec<String>)| match values.as_slice() {
        [value] => format!("{name} = {value}"),
        several => format!("{name} = [{}]", several.join(", ")),
    };
    fields.iter().map(text).collect()
}

/// The kind that fits best: the one with the most to ask for.
fn guess(found: &Outcome) -> &'static str {
    let fits = |kind: &BodyKind| {
        kind.fault(&found.body).is_none()
            && kind.headers.keys().all(|name| found.headers.iter().any(|(field, _)| field == name))
    };
    let weight = |kind: &BodyKind| kind.headers.len() + kind.begins.len() + kind.contains.len();
    let fitting = kinds().iter().filter(|(_, kind)| fits(kind));
    fitting.max_by_key(|(_, kind)| weight(kind)).map_or("?", |(name, _)| name.as_str())
}

fn sealed(value: &str) -> String {
    let Some((name, rest)) = value.split_once('=') else { return value.to_owned() };
    let Some((sealed, more)) = rest.split_once(';') else { return value.to_owned() };
    let is_session = sealed.len() >= 40 && !sealed.contains(' ');
    if is_session { format!("{name}={{sealed}};{more}") } else { value.to_owned() }
}

fn quoted(text: &str) -> String {
    if text.contains('"') && !text.contains('\'') {
        format!("'{text}'")
    } else {
        format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\""))
    }
}
