//! Fields by which a client would be taken for somebody else, or its request for another one.

use super::head::Seen;
use crate::case::Config;

/// Of the fields that dashboards read an identity from, those that are drawn.
const IDENTITIES: [&str; 7] = [
    "x-auth-user",
    "x-auth-roles",
    "remote-user",
    "x-forwarded-user",
    "x-forwarded-email",
    "x-webauth-user",
    "tailscale-user-login",
];

/// Of the fields that name another method or target.
const OTHER_REQUESTS: [&str; 4] =
    ["x-http-method", "x-http-method-override", "x-method-override", "x-rewrite-url"];

/// Whether the dashboard could read an identity from a field of this name.
pub fn is_identity(config: &Config, name: &str) -> bool {
    let mut all = IDENTITIES.into_iter().chain(config.identity_headers.iter().map(String::as_str));
    all.any(|identity| fold(identity) == fold(name))
}

/// Whether the request that a proxy asks about has such a field: the proxy would pass it on.
pub(super) fn is_there(config: &Config, asked: &Seen<'_>) -> bool {
    let request = asked.request;
    let is_bad = |name: &str| {
        let may_be_a_proxys = fold(name) == name.to_ascii_lowercase();
        is_identity(config, name)
            || OTHER_REQUESTS.contains(&&*fold(name))
            || (fold(name).starts_with("x-forwarded") && !may_be_a_proxys)
    };
    // Without the host, if it was asked for with one.
    let path =
        request.target.find("://").filter(|_| !request.target.starts_with('/')).map_or(0, |end| end + 3);
    let target = &request.target[path..];
    let target = if path == 0 { target } else { &target[target.find('/').unwrap_or(target.len())..] };
    let is_other = |name: &str, is_same: &dyn Fn(&str) -> bool| match asked.all(name)[..] {
        [] => false,
        [value] => !is_same(value),
        _ => true,
    };
    let is_target = |value: &str| {
        let hosts = ["http://dash.example", "https://dash.example"];
        value == target || hosts.iter().any(|host| value.strip_prefix(host) == Some(target))
    };
    request.fields.iter().any(|(name, _)| is_bad(name))
        || is_other("x-original-url", &is_target)
        || is_other("x-original-uri", &is_target)
        || is_other("x-original-method", &|value| value == request.method)
}

/// A name as servers read it that turn all but letters and digits into one sign.
fn fold(name: &str) -> String {
    name.chars().map(|c| if c.is_ascii_alphanumeric() { c.to_ascii_lowercase() } else { '-' }).collect()
}
