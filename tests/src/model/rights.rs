//! What somebody may do.

use super::head::Seen;
use super::networks::is_in;
use super::paths;
use crate::case::{Config, Person, RuleText};

/// Whether this person, or whoever it is, may send the request.
pub(super) fn allow(config: &Config, seen: &Seen<'_>, path: &str, person: Option<&Person>) -> bool {
    if config.rules.is_empty() {
        return person.is_some_and(|person| has_rights(config, person));
    }
    let Some(readings) = paths::readings(path) else { return false };
    let as_written = config.rules.clone();
    let fold = |rule: &RuleText| RuleText { path: rule.path.to_ascii_lowercase(), ..rule.clone() };
    let in_small_letters: Vec<_> = config.rules.iter().map(fold).collect();
    let method = seen.request.method.as_str();
    let mut actions = vec![Action::Method(method)];
    if method == "GET" && seen.is_handshake() {
        actions.push(Action::Handshake);
    }
    // However the path is read, and whatever the request may be taken for.
    readings.iter().all(|reading| {
        actions.iter().all(|action| {
            let one =
                |rules: &[RuleText], path: &str| the_longest_decides(rules, path, *action, seen, person);
            one(&as_written, reading) && one(&in_small_letters, &reading.to_ascii_lowercase())
        })
    })
}

fn has_rights(config: &Config, person: &Person) -> bool {
    let has = |roles: &[String]| roles.iter().any(|role| person.roles.contains(role));
    let is_admin = person.is_admin || has(&config.admin_roles);
    (!config.admins_only || is_admin) && (config.any_role.is_empty() || has(&config.any_role))
}

#[derive(Clone, Copy)]
enum Action<'a> {
    Method(&'a str),
    Handshake,
}

fn the_longest_decides(
    rules: &[RuleText],
    path: &str,
    action: Action<'_>,
    seen: &Seen<'_>,
    person: Option<&Person>,
) -> bool {
    let root = |rule: &RuleText| paths::without_slash(&rule.path).to_owned();
    let contains = |rule: &&RuleText| root(rule).is_empty() || paths::below(path, &root(rule)).is_some();
    let Some(longest) = rules.iter().filter(contains).map(root).max_by_key(String::len) else { return false };
    let mut group = rules.iter().filter(|rule| root(rule) == longest);
    group.any(|rule| speaks_of(rule, action) && rule.who.iter().any(|who| lets(who, seen, person)))
}

fn speaks_of(rule: &RuleText, action: Action<'_>) -> bool {
    let names = |name: &str| rule.methods.iter().any(|method| method == name);
    rule.methods.is_empty()
        || match action {
            Action::Handshake => names("WEBSOCKET"),
            Action::Method("WEBSOCKET") => false,
            Action::Method("HEAD") => names("HEAD") || names("GET"),
            Action::Method(method) => names(method),
        }
}

fn lets(who: &str, seen: &Seen<'_>, person: Option<&Person>) -> bool {
    if let Some(network) = who.strip_prefix("network:") {
        return is_in(network, seen.place);
    }
    person.is_some_and(|person| match who.split_once(':') {
        None => who == "signed-in" || (who == "admins" && person.is_admin),
        Some(("user", id)) => person.id == id,
        Some((_, role)) => person.roles.iter().any(|one| one == role),
    })
}
