//! Compares what came of a visit with what must come of it.

use std::collections::BTreeSet;

use super::{BodyKind, Cookies, Outcome, Visit, kinds, reasons, secrets};
use aws_lc_rs::digest;

/// The transport's own fields, and what the dashboard saw, which is compared by itself.
pub(super) const ASIDE: [&str; 7] =
    ["date", "connection", "content-length", "transfer-encoding", "server", "x-seen-user", "x-seen-rights"];

impl Visit {
    /// Says all that differs, if anything does.
    pub fn check(&self, found: &Outcome, cookies: &Cookies) -> Result<(), String> {
        let mut faults = Faults::default();
        faults.expect("status", &self.status, &found.status);
        self.check_audit(found, cookies, &mut faults);
        let kind = self.kind.as_ref().and_then(|kind| kinds().get(kind));
        match kind {
            None => faults.push(format!("kind: {:?} is none of those in kinds.toml", self.kind)),
            Some(kind) => {
                self.check_headers(kind, found, &mut faults);
                self.check_body(kind, found, &mut faults);
            }
        }
        match (&self.asked, &found.asked) {
            (Some(wanted), Some(asked)) => faults.expect("asked", wanted, asked),
            (None, Some(asked)) => faults.push(format!("asked is missing; {asked:?} was asked")),
            (_, None) => {}
        }
        faults.all()
    }

    fn check_audit(&self, found: &Outcome, cookies: &Cookies, faults: &mut Faults) {
        let told = &found.told;
        faults.expect("outcome", &self.outcome, &told.outcome);
        faults.expect("reason", &self.reason, &told.reason);
        let usual = || reasons().get(&self.reason).map(String::as_str);
        faults.expect("detail", &self.detail.as_deref().or_else(usual), &Some(told.detail.as_str()));
        faults.expect("about", &self.about, &told.about);
        if let Some(line) = &told.line {
            faults.expect("method and path", &self.about.clone().unwrap_or_else(|| self.line(cookies)), line);
        }
        faults.expect("user", &self.user, &told.user);
        faults.expect("client", &self.client, &told.client);
        faults.expect("client_kind", &self.client_kind, &told.kind);
        let status = (self.outcome == "respond").then_some(self.status);
        faults.expect("the audit's status", &status, &told.status);
        let text = format!("{told:?}");
        let is_told = |secret: &str| text.contains(secret);
        if secrets().any(is_told) || cookies.secrets().any(is_told) {
            faults.push(format!("a secret stands in the audit: {text}"));
        }
    }

    fn check_headers(&self, kind: &BodyKind, found: &Outcome, faults: &mut Faults) {
        let aside = |name: &str| ASIDE.contains(&name) || kind.aside.iter().any(|aside| aside == name);
        let usual = kind.headers.iter().map(|(name, value)| (name.as_str(), std::slice::from_ref(value)));
        let own = self.headers.iter().map(|(name, values)| (name.as_str(), values.all()));
        let usual = usual.filter(|(name, _)| !self.headers.contains_key(*name));
        let wanted: Vec<_> = usual.chain(own).collect();
        for (name, values) in &wanted {
            let got: Vec<_> = found.all(name).collect();
            let is_same = got.len() == values.len()
                && values.iter().zip(&got).all(|(pattern, value)| matches(pattern, value));
            if !is_same {
                faults.push(format!("{name}: wanted {values:?}, got {got:?}"));
            }
        }
        let named: BTreeSet<_> = wanted.iter().map(|(name, _)| *name).collect();
        for (name, value) in &found.headers {
            if !named.contains(name.as_str()) && !aside(name) {
                faults.push(format!("{name}: nobody asked for it, got {value:?}"));
            }
            if value.bytes().any(|byte| !(b' '..=b'~').contains(&byte)) {
                faults.push(format!("{name}: {value:?} is not plain ASCII"));
            }
        }
        let is_seen = self.outcome == "forward";
        let wanted: Vec<_> = is_seen.then(|| self.seen()).into_iter().collect();
        faults.expect("whom the dashboard saw", &wanted, &found.all("x-seen-user").collect::<Vec<_>>());
        let wanted: Vec<_> = is_seen.then(|| self.rights.join(" ")).into_iter().collect();
        faults.expect("with which rights", &wanted, &found.all("x-seen-rights").collect::<Vec<_>>());
    }

    fn check_body(&self, kind: &BodyKind, found: &Outcome, faults: &mut Faults) {
        let body = &found.body;
        if self.is_head() {
            return faults.expect("body of HEAD", &"", &body.as_str());
        }
        if let Some(wanted) = kind.fault(body) {
            faults.push(format!("body: wanted {wanted}, got {:?}", brief(body)));
        }
        match &self.body {
            Some(whole) => faults.expect("body", whole, body),
            None if kind.told => faults.push(format!("body is missing; it was {:?}", brief(body))),
            None => {}
        }
        if let Some(text) = &self.contains
            && !body.contains(text.as_str())
        {
            faults.push(format!("body: wanted {text:?} in it, got {:?}", brief(body)));
        }
        if let Some(passed) = &self.passed {
            faults.expect("passed", &format!("passed: {}", passed.join(" ")), body);
        }
        if let Some((_, rest)) = body.split_once("<style>") {
            let style = rest.split("</style>").next().unwrap_or_default();
            let hash = digest::digest(&digest::SHA256, style.as_bytes());
            let hash = format!("'sha256-{}'", base64_simd::STANDARD.encode_to_string(hash.as_ref()));
            if !found.all("content-security-policy").all(|policy| policy.contains(&hash)) {
                faults.push(format!("the policy does not allow the page's own style, {hash}"));
            }
        }
    }

    /// The method and the path, as they are sent.
    fn line(&self, cookies: &Cookies) -> String {
        let raw = self.raw(cookies);
        let text = String::from_utf8_lossy(&raw);
        let mut words = text.split(' ');
        let (method, target) = (words.next().unwrap_or_default(), words.next().unwrap_or_default());
        let path = target
            .split_once("://")
            .map_or(target, |(_, rest)| &rest[rest.find('/').unwrap_or(rest.len())..]);
        format!("{method} {}", path.split('?').next().unwrap_or_default())
    }

    /// What the dashboard calls whoever was let in: all of them have a name that is their id with a capital.
    fn seen(&self) -> String {
        let Some(user) = &self.user else { return "-".to_owned() };
        let mut letters = user.chars();
        letters.next().map(|first| first.to_uppercase().chain(letters).collect()).unwrap_or_default()
    }
}

impl Outcome {
    /// The values of a field.
    pub(super) fn all(&self, name: &str) -> impl Iterator<Item = &str> {
        self.headers.iter().filter(move |(field, _)| field == name).map(|(_, value)| value.as_str())
    }
}

/// What somebody would see of a page.
fn brief(body: &str) -> &str {
    body.split_once("<main>").map_or(body, |(_, shown)| shown)
}

/// Whether a value is what a pattern says. `{sealed}` stands for a sealed cookie or a session's secret, `{hash}` for a
/// digest in base64.
pub(super) fn matches(pattern: &str, value: &str) -> bool {
    let is_sealed = |byte: u8| byte.is_ascii_alphanumeric() || b"_-".contains(&byte);
    let is_hash = |byte: u8| byte.is_ascii_alphanumeric() || b"+/=".contains(&byte);
    let places: [(&str, &dyn Fn(u8) -> bool); 2] = [("{sealed}", &is_sealed), ("{hash}", &is_hash)];
    let first = places
        .iter()
        .filter_map(|(name, is)| Some((pattern.find(name)?, name.len(), is)))
        .min_by_key(|place| place.0);
    let Some((at, length, is)) = first else { return pattern == value };
    let Some(rest) = value.strip_prefix(&pattern[..at]) else { return false };
    let taken = rest.bytes().take_while(|&byte| is(byte)).count();
    taken > 0 && matches(&pattern[at + length..], &rest[taken..])
}

/// What differs.
#[derive(Default)]
struct Faults(Vec<String>);

impl Faults {
    fn push(&mut self, fault: String) {
        self.0.push(fault);
    }

    fn expect(&mut self, what: &str, wanted: &dyn std::fmt::Debug, got: &dyn std::fmt::Debug) {
        if format!("{wanted:?}") != format!("{got:?}") {
            self.push(format!("{what}: wanted {wanted:?}, got {got:?}"));
        }
    }

    fn all(self) -> Result<(), String> {
        if self.0.is_empty() { Ok(()) } else { Err(self.0.join("\n")) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_stands_for_something_and_for_nothing_else() {
        let pattern = "authgate={sealed}; Path=/";
        assert!(matches(pattern, "authgate=a-_Z9; Path=/") && matches("plain", "plain"));
        for value in ["authgate=; Path=/", "authgate=a b; Path=/", "authgate=a; Path=/; Secure", "authgate=a"]
        {
            assert!(!matches(pattern, value), "{value}");
        }
        assert!(matches("a 'sha256-{hash}' b", "a 'sha256-x+/y=' b"));
        assert!(!matches("a 'sha256-{hash}' b", "a 'sha256-' b"));
    }
}
