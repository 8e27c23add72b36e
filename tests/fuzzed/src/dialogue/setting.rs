use authgate_core::{
    Algorithm, AuthBackend, CrossSite, Gate, Head, JwtBackend, Key, KeySet, KeySetLimits, LoginAnswer,
    LogoutAnswer, PasswordBackend, Proof, Rule, SealingKey, Sessions, Sharing, Timestamp, Upstream,
};
use http::HeaderName;

use super::bytes::Bytes;
use crate::world::SECRET;

/// The field by which a request wants the directory to be asked.
pub(super) static ASK: HeaderName = HeaderName::from_static("x-ask");

/// How a gate is set up, as far as what must hold depends on it.
#[derive(Debug, Clone, Copy)]
#[allow(clippy::struct_excessive_bools, reason = "switches, each on its own")]
pub(super) struct Setting {
    pub(super) sessions: Kept,
    pub(super) shared: bool,
    pub(super) upstream: bool,
    pub(super) forward_auth: bool,
    pub(super) rules: bool,
    pub(super) cross_site: CrossSite,
}

/// Where sessions are kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kept {
    Records,
    Sealed,
    /// Nobody signs in here: a directory does that.
    Nowhere,
}

impl Setting {
    pub(super) fn choose(bytes: &mut Bytes<'_>) -> Self {
        let sessions = bytes.one(&[Kept::Records, Kept::Sealed, Kept::Nowhere]);
        let [shared, upstream, forward_auth] = bytes.flags();
        let [rules, allowed, silent] = bytes.flags();
        let cross_site = match (allowed, silent) {
            (false, false) => CrossSite::Refused,
            (false, true) => CrossSite::SilentSignIn,
            (true, _) => CrossSite::Allowed,
        };
        Self {
            sessions,
            shared: shared && sessions != Kept::Nowhere,
            upstream,
            forward_auth,
            rules,
            cross_site,
        }
    }

    pub(super) fn gate(self) -> (Gate, KeySet) {
        let tokens = tokens();
        let keys = tokens.key_set().expect("a provider").clone();
        let gate = match self.sessions {
            Kept::Records => Gate::builder(PasswordBackend::new()),
            Kept::Sealed => {
                let key = SealingKey::new(SECRET).unwrap();
                Gate::builder(PasswordBackend::new()).sessions(Sessions::sealed([key]))
            }
            Kept::Nowhere => Gate::builder(Directory),
        };
        let gate = gate.backend(tokens).mount("/ops").cross_site(self.cross_site);
        let mut gate =
            gate.public_path("/healthz").public_prefix("/static").trusted_proxies(["10.0.0.0/8", "unix"]);
        if self.sessions != Kept::Nowhere {
            gate = gate.backend(Directory);
        }
        if self.shared {
            gate = gate.sharing(Sharing::default());
        }
        if self.upstream || self.forward_auth {
            gate = gate.upstream(Upstream::new());
        }
        if self.forward_auth {
            gate = gate.forward_auth();
        }
        if self.rules {
            let rule = |path, who: &[&str]| Rule::parse(path, &[], who).unwrap();
            let rules = [
                rule("/", &["signed-in"]),
                rule("/secret", &["admins"]),
                rule("/probe", &["network:10.0.0.0/8"]),
            ];
            gate = gate.rules(rules).allowed_hosts(["dash.example"]);
        }
        (gate.build().unwrap(), keys)
    }
}

/// Tokens of a secret, and of a provider whose keys are fetched.
fn tokens() -> JwtBackend {
    let builder = JwtBackend::builder().key(Key::secret(SECRET).unwrap()).key_set(KeySetLimits::default());
    builder.algorithms([Algorithm::HS256, Algorithm::EdDSA]).build().unwrap()
}

/// A backend that must wait, and has pages of its own.
struct Directory;

impl AuthBackend for Directory {
    fn name(&self) -> &'static str {
        "directory"
    }

    fn authenticate(&self, head: &Head<'_>, _: Timestamp) -> Proof {
        if head.headers().has(&ASK) { Proof::Wait } else { Proof::Absent }
    }

    fn login(&self) -> LoginAnswer {
        LoginAnswer::Delegate
    }

    fn logout(&self) -> LogoutAnswer {
        LogoutAnswer::Delegate
    }

    fn routes(&self) -> Vec<String> {
        vec!["/callback".to_owned()]
    }
}
