//! Settings that are lists, and rules: each entry is looked at by itself, so that all that are wrong are told.

use std::collections::BTreeSet;

use authgate_core::{ConfigError, Gate, GateBuilder, PasswordBackend, Rule};

use super::problems::Problems;
use super::settings::{RuleTable, Settings};

/// Adds one entry to a gate that has nothing else.
type Add = fn(GateBuilder, &str) -> GateBuilder;

/// Tells of every entry that no gate would take, and returns the builder's settings that have such.
pub(super) fn unusable(settings: &Settings, problems: &mut Problems) -> BTreeSet<&'static str> {
    let lists: [(&str, &[String], Add); 6] = [
        ("trusted_proxies", &settings.trusted_proxies, |gate, entry| gate.trusted_proxies([entry])),
        ("allowed_hosts", &settings.allowed_hosts, |gate, entry| gate.allowed_hosts([entry])),
        ("allowed_networks", &settings.allowed_networks, |gate, entry| gate.allowed_networks([entry])),
        ("identity_headers", &settings.identity_headers, |gate, entry| gate.identity_headers([entry])),
        ("public_path", &settings.public_paths, |gate, entry| gate.public_path(entry)),
        ("public_prefix", &settings.public_prefixes, |gate, entry| gate.public_prefix(entry)),
    ];
    let mut unusable = BTreeSet::new();
    for (field, entries, add) in lists {
        for entry in entries {
            if let Err(error) = add(Gate::builder(PasswordBackend::new()), entry).build() {
                problems.refuse(&error);
                unusable.insert(field);
            }
        }
    }
    if settings.roles.iter().any(String::is_empty) {
        problems.say("roles", "a name in it is empty; name the role, or leave it out");
        unusable.insert("access");
    }
    unusable
}

/// The rules; what is wrong with any is told.
pub(super) fn rules(tables: &[RuleTable], problems: &mut Problems) -> Vec<Rule> {
    let mut rules = Vec::new();
    for table in tables {
        let found = faults(table);
        for error in &found {
            let (number, problem, remedy) = (table.number, error.problem(), error.remedy());
            problems.say_at(table.line, format!("rule {number}: {problem}; {remedy}"));
        }
        if found.is_empty() {
            rules.extend(Rule::parse(&table.path, &texts(&table.methods), &texts(&table.allow)));
        }
    }
    rules
}

/// What is wrong with the path, with each of the methods, and with each of those who may pass.
fn faults(table: &RuleTable) -> Vec<ConfigError> {
    const ANYBODY: &[&str] = &["signed-in"];
    let path = Rule::parse(&table.path, &[], ANYBODY);
    let methods = table.methods.iter().map(|method| Rule::parse("/", &[method], ANYBODY));
    let allow = table.allow.iter().map(|allow| Rule::parse("/", &[], &[allow]));
    [path].into_iter().chain(methods).chain(allow).filter_map(Result::err).collect()
}

fn texts(list: &[String]) -> Vec<&str> {
    list.iter().map(String::as_str).collect()
}
