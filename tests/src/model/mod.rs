//! Who should be let in, told slowly and obviously, from the same plain data as the gate is driven with.
//!
//! It shares no code with the gate: it reads paths, cookies, tokens and forwarded fields in its own way, knows no
//! cryptography (a token is good if it stands in the [issuer's book](crate::case::tokens), a sealed cookie if whoever has
//! the key has sealed it), and does not ask step by step but looks at all answers at once.
//!
//! In one paragraph: a request that is malformed, from a foreign network, for a foreign host, over plain HTTP where that
//! is forbidden, or outside of the mount, is nobody's. What is public is everybody's. Otherwise *the first proof that
//! proves somebody decides*: proofs that are at hand come before those that somebody must be asked about, and within both
//! the session comes first and the backends follow in order. If that somebody may not pass, nobody does; if it cannot be
//! found out what a proof is worth, nobody does, either. A proof that a browser sends by itself proves nothing in a request
//! that another site may be behind. If nobody is proven, a rule may still let everybody of the client's network pass.
//!
//! Where proxies ask about the requests that they will pass on, all of this is said of the request that a trusted one
//! describes, and nothing else is anybody's; and a request by which its client would be taken for somebody else, or for
//! one that sends another request, is nobody's.

mod asked;
mod head;
mod networks;
mod paths;
mod pretence;
mod proofs;
mod proxies;
mod rights;
mod sessions;
mod sites;
mod tokens;

pub use self::pretence::is_identity;

use self::head::Seen;
use self::proofs::Proof;
use crate::case::{Answers, Backend, Config, Page, Person, Request};

/// Who is let in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Entry {
    /// Nobody: the gate answers by itself, or leaves the answer to a backend.
    Nobody,
    /// Whoever it is.
    Anybody,
    /// This person.
    Somebody(Person),
}

/// Who should be let in.
pub fn who_enters(config: &Config, request: &Request, answers: &Answers) -> Entry {
    let Some(seen) = Seen::of(config, request) else { return Entry::Nobody };
    let Some(path) = paths::below(&seen.path, paths::without_slash(&config.mount)) else {
        return Entry::Nobody;
    };
    let first = &config.backends[0];
    let may_come = seen.is_safe() || !sites::is_foreign_sign_in(config, &seen);
    if path == config.login_path {
        let is_open = first.login() == Page::Open && may_come;
        return if is_open { Entry::Anybody } else { Entry::Nobody };
    }
    if path == config.logout_path {
        let is_open = first.logout() == Page::Open && may_come;
        return if is_open { whoever_may(config, &seen, &path, answers) } else { Entry::Nobody };
    }
    if config.forward_auth {
        let is_question = asked::PATHS.contains(&&*path);
        return if is_question { whoever_is_asked_about(config, &seen, answers) } else { Entry::Nobody };
    }
    if is_a_backends(config, &path) {
        return Entry::Nobody;
    }
    whoever_may(config, &seen, &path, answers)
}

fn is_a_backends(config: &Config, path: &str) -> bool {
    config.backends.iter().any(|backend| match backend {
        Backend::Directory(directory) => directory.route().as_deref() == Some(path),
        Backend::People | Backend::Tokens(_) => false,
    })
}

fn whoever_is_asked_about(config: &Config, asking: &Seen<'_>, answers: &Answers) -> Entry {
    let Some(request) = asked::about(config, asking) else { return Entry::Nobody };
    let Some(seen) = Seen::of(config, &request) else { return Entry::Nobody };
    if pretence::is_there(config, &seen) {
        return Entry::Nobody;
    }
    let Some(path) = paths::below(&seen.path, paths::without_slash(&config.mount)) else {
        return Entry::Nobody;
    };
    // What is the gate's own comes back to it, and is for everybody.
    if path == config.login_path || path == config.logout_path || is_a_backends(config, &path) {
        return Entry::Anybody;
    }
    whoever_may(config, &seen, &path, answers)
}

/// What is the dashboard's is public, or for whoever proves to be somebody who may have it.
fn whoever_may(config: &Config, seen: &Seen<'_>, path: &str, answers: &Answers) -> Entry {
    if paths::is_public(config, path) {
        return Entry::Anybody;
    }
    whoever_is_proven(config, seen, path, answers)
}

fn whoever_is_proven(config: &Config, seen: &Seen<'_>, path: &str, answers: &Answers) -> Entry {
    let is_guarded = !seen.is_safe() || seen.is_handshake();
    let foreign = is_guarded && sites::is_foreign(config, seen);
    let mut somebody_else_may_be_behind_it = false;
    for proof in proofs::in_order(config, seen, answers, foreign) {
        match proof {
            Proof::Nothing => {}
            Proof::Unknowable => return Entry::Nobody,
            Proof::Of { ambient: true, .. } if foreign => somebody_else_may_be_behind_it = true,
            Proof::Of { person, .. } => {
                let may = !person.id.is_empty() && rights::allow(config, seen, path, Some(&person));
                return if may { Entry::Somebody(person) } else { Entry::Nobody };
            }
        }
    }
    let may = !somebody_else_may_be_behind_it && !foreign && rights::allow(config, seen, path, None);
    if may { Entry::Anybody } else { Entry::Nobody }
}
