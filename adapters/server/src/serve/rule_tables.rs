//! The `[[rule]]` tables of `authgate.toml`.

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::file::line_of;
use super::key::Unknown;
use super::problems::Problems;
use super::settings::RuleTable;

const KEYS: [&str; 3] = ["path", "methods", "allow"];

/// All tables that can be read; of the others it is told why they cannot. `elsewhere` are the keys of the file itself.
pub(super) fn read(
    text: &str,
    value: &Spanned<DeValue<'_>>,
    elsewhere: &[&str],
    problems: &mut Problems,
) -> Vec<RuleTable> {
    let line = line_of(text, value.span().start);
    let DeValue::Array(tables) = value.get_ref() else {
        problems.say_at(line, "rule: write each as a table that starts with [[rule]]");
        return Vec::new();
    };
    if tables.is_empty() {
        problems.say_at(line, "rule: it is empty; leave it out where all that is behind the gate is alike");
    }
    let mut rules = Vec::new();
    for (place, table) in tables.iter().enumerate() {
        let (line, number) = (line_of(text, table.span().start), place + 1);
        let mut found = Vec::new();
        let rule = match table.get_ref() {
            DeValue::Table(keys) => Reader { text, line, elsewhere, found: &mut found }.rule(number, keys),
            _ => {
                found.push((line, "write it as a table that starts with [[rule]]".to_owned()));
                None
            }
        };
        found.sort_by_key(|(line, _)| *line);
        for (line, problem) in &found {
            problems.say_at(*line, format!("rule {number}: {problem}"));
        }
        rules.extend(rule.filter(|_| found.is_empty()));
    }
    rules
}

struct Reader<'a> {
    text: &'a str,
    line: usize,
    elsewhere: &'a [&'a str],
    found: &'a mut Vec<(usize, String)>,
}

impl Reader<'_> {
    fn rule(&mut self, number: usize, table: &DeTable<'_>) -> Option<RuleTable> {
        let meant = self.unknown(table);
        let path = self.there(table, "path", "say what the rule is for, such as path = \"/\"", &meant);
        let path = path.and_then(|path| self.string("path", path));
        let allow = self.there(table, "allow", "say who may pass, such as allow = \"role:ops\"", &meant);
        let allow = allow.and_then(|allow| self.strings("allow", allow));
        let methods = match table.get("methods") {
            Some(methods) => self.strings("methods", methods),
            None => Some(Vec::new()),
        };
        Some(RuleTable { number, line: self.line, path: path?, methods: methods?, allow: allow? })
    }

    /// Tells of keys that there are not, and gives those that they were probably meant to be.
    fn unknown(&mut self, table: &DeTable<'_>) -> Vec<String> {
        let mut meant = Vec::new();
        for key in table.keys() {
            let name = key.get_ref().as_ref();
            let Some(unknown) = Unknown::among(&KEYS, name) else { continue };
            let problem = if self.elsewhere.contains(&name) {
                format!("{name} is no key of a rule; write it above the first [[rule]]")
            } else {
                unknown.problem
            };
            self.say(key.span().start, problem);
            meant.extend(unknown.meant);
        }
        meant
    }

    /// The value of a key that must be there, unless it is there under another name.
    fn there<'t, 'i>(
        &mut self,
        table: &'t DeTable<'i>,
        key: &str,
        remedy: &str,
        meant: &[String],
    ) -> Option<&'t Spanned<DeValue<'i>>> {
        let value = table.get(key);
        if value.is_none() && !meant.iter().any(|meant| meant == key) {
            self.found.push((self.line, format!("{key} is missing; {remedy}")));
        }
        value
    }

    fn string(&mut self, key: &str, value: &Spanned<DeValue<'_>>) -> Option<String> {
        let text = value.get_ref().as_str().map(str::to_owned);
        if text.is_none() {
            self.say(value.span().start, format!("{key}: write a string in quotes"));
        }
        text
    }

    /// One string, or several; an empty list would mean nothing.
    fn strings(&mut self, key: &str, value: &Spanned<DeValue<'_>>) -> Option<Vec<String>> {
        let texts = match value.get_ref() {
            DeValue::String(text) => Some(vec![text.to_string()]),
            DeValue::Array(entries) => {
                entries.iter().map(|entry| entry.get_ref().as_str().map(str::to_owned)).collect()
            }
            _ => None,
        };
        let problem = match &texts {
            Some(texts) if !texts.is_empty() => return Some(texts.clone()),
            Some(_) if key == "methods" => "it is empty; name some, or leave it out for all",
            Some(_) => "it is empty; name who may pass, or leave the rule out where nobody may",
            None => "write a string in quotes, or a list of such",
        };
        self.say(value.span().start, format!("{key}: {problem}"));
        None
    }

    fn say(&mut self, offset: usize, problem: String) {
        self.found.push((line_of(self.text, offset), problem));
    }
}
