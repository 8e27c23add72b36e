use http::header::{COOKIE, HOST, HeaderName, HeaderValue, UPGRADE};
use http::request::Parts;
use http::uri::PathAndQuery;
use http::{Method, Uri};

use super::hop_by_hop::strip_hop_by_hop;
use super::settings::UpstreamRules;
use super::unanswered::Fallback;
use crate::flow::Asker;
use crate::headers::HeaderView;
use crate::mount::below;
use crate::{Admission, Gate};

/// What is needed to pass an admitted request on to another server.
#[derive(Debug, Clone)]
pub(crate) struct Passing {
    gate: Gate,
    asker: Asker,
}

impl Passing {
    /// Nothing, where the gate has no other server behind it.
    pub(crate) fn of(gate: &Gate, asker: impl FnOnce() -> Asker) -> Option<Box<Self>> {
        gate.settings().upstream.as_ref()?;
        Some(Box::new(Self { gate: gate.clone(), asker: asker() }))
    }

    fn rules(&self) -> Option<&UpstreamRules> {
        self.gate.settings().upstream.as_deref()
    }
}

impl Admission {
    /// Makes an admitted request ready for whoever is behind the gate.
    ///
    /// Always removes the fields that pretend an identity, as [`strips`](Self::strips) tells. With
    /// [`GateBuilder::upstream`](crate::GateBuilder::upstream), for another server, also: the target becomes a path and query
    /// with the authority in `Host` (RFC 9112 §3.2.2); what is meant for this connection only goes
    /// ([`strip_hop_by_hop`](crate::strip_hop_by_hop)), and so do the session's cookie, `Authorization`, and whatever only the
    /// gate may tell; who asked, and who was let in, is added.
    pub fn pass_on(&self, request: &mut Parts) {
        let passing = self.passing.as_deref();
        let Some((passing, rules)) = passing.and_then(|passing| Some((passing, passing.rules()?))) else {
            return remove(request, |name| self.strips(name));
        };
        set_target(request, rules.strip_mount.then(|| passing.gate.mount().as_str()));
        if request.method != Method::GET {
            // Only GET begins a websocket (RFC 6455 §4.1).
            request.headers.remove(UPGRADE);
        }
        strip_hop_by_hop(&mut request.headers);
        remove(request, |name| self.strips(name) || rules.keeps_back(name));
        set_cookies(request, rules);
        request.headers.extend(passing.asker.told.iter().cloned());
        request.headers.extend(self.identity_fields());
    }

    /// The fields that say who was let in, for another server.
    pub(crate) fn identity_fields(&self) -> Vec<(HeaderName, HeaderValue)> {
        let rules = self.passing.as_deref().and_then(Passing::rules);
        let known = rules.zip(self.user.as_deref());
        known.into_iter().flat_map(|(rules, user)| rules.identity(user)).collect()
    }

    /// For a request that is passed on to another server: what is answered if that gives no answer.
    pub fn fallback(&self) -> Option<Fallback> {
        self.passing.as_deref().map(|passing| Fallback::new(passing.gate.clone(), passing.asker.clone()))
    }
}

fn remove(request: &mut Parts, unwanted: impl Fn(&HeaderName) -> bool) {
    let names: Vec<_> = request.headers.keys().filter(|name| unwanted(name)).cloned().collect();
    for name in names {
        request.headers.remove(name);
    }
}

/// Path and query stay as they were sent, byte for byte, except for a mount that is cut off.
fn set_target(request: &mut Parts, mount: Option<&str>) {
    if let Some(authority) = request.uri.authority()
        && let Ok(host) = HeaderValue::from_str(authority.as_str())
    {
        request.headers.insert(HOST, host);
    }
    let sent = request.uri.path_and_query().map_or("/", PathAndQuery::as_str);
    let path = request.uri.path();
    let shorter = mount.and_then(|mount| below(path, mount)).filter(|rest| *rest != path);
    let target = match shorter {
        Some(rest) => format!("{rest}{}", sent.strip_prefix(path).unwrap_or_default()),
        None => sent.to_owned(),
    };
    if let Ok(target) = PathAndQuery::try_from(target) {
        request.uri = Uri::from(target);
    }
}

fn set_cookies(request: &mut Parts, rules: &UpstreamRules) {
    if request.headers.contains_key(COOKIE) {
        match rules.cookies.without_session(HeaderView::Map(&request.headers)) {
            Some(kept) => request.headers.insert(COOKIE, kept),
            None => request.headers.remove(COOKIE),
        };
    }
}
