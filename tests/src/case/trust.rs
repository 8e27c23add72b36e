use authgate_core::{Algorithm, JwtBackend, Key, KeySetLimits, VerifyOptions};

use super::tokens;
use crate::forge;

/// How tokens are checked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Trust {
    /// The keys that are known, in order.
    pub keys: Vec<TrustedKey>,
    /// Whether there are keys that are still to be fetched, too.
    pub provider: bool,
    /// The algorithms that it allows.
    pub algorithms: Vec<&'static str>,
    /// Whom tokens must be for; empty: nobody in particular.
    pub audience: Vec<&'static str>,
    /// Who must have issued them; empty: anybody.
    pub issuer: Vec<&'static str>,
    /// How far the issuer's clock may be off, in milliseconds; below zero, tokens hold for less long than they say.
    pub leeway: i64,
    /// Claims that must be there.
    pub require: Vec<&'static str>,
    /// Registered claims that nobody looks at.
    pub ignored: Vec<&'static str>,
    /// `aud` must be one text.
    pub strict_audience: bool,
    /// The claim with the user's id.
    pub user_claim: &'static str,
    /// The claim that makes an administrator.
    pub admin_claim: &'static str,
    /// The claim with the roles.
    pub roles_claim: &'static str,
    /// The field that carries the token.
    pub header: &'static str,
    /// The word before it.
    pub scheme: &'static str,
}

/// A key that tokens are checked with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TrustedKey {
    /// As the issuer's [book](tokens) calls it.
    pub name: &'static str,
    /// What tokens may call it, if it has such a name.
    pub id: Option<&'static str>,
}

impl Trust {
    /// One key, one algorithm that it is for, and whatever else is the default.
    pub fn in_key(name: &'static str) -> Self {
        Self { keys: vec![TrustedKey { name, id: None }], ..Self::in_nothing(&[tokens::algorithm(name)]) }
    }

    /// RS256 and ES256, with keys that are still to be fetched.
    pub fn in_provider() -> Self {
        Self { provider: true, ..Self::in_nothing(&["RS256", "ES256"]) }
    }

    /// The same, with the algorithms that its keys are for; of keys that are fetched, for these.
    #[must_use]
    pub fn for_its_keys(self, fetched: &[&'static str]) -> Self {
        let is_for = |name: &&str| self.has_a_key_for(name, fetched);
        let algorithms = ["HS256", "RS256", "ES256"].into_iter().filter(is_for).collect();
        Self { algorithms, ..self }
    }

    /// Whether a gate can be built with it: each algorithm has a key, and what is fetched is for one.
    pub fn is_complete(&self) -> bool {
        let has_public = self.algorithms.iter().any(|name| *name != "HS256");
        !self.algorithms.is_empty()
            && self.algorithms.iter().all(|name| self.has_a_key_for(name, &self.algorithms))
            && (has_public || !self.provider)
    }

    /// A provider's secret would be everybody's.
    fn has_a_key_for(&self, name: &str, fetched: &[&str]) -> bool {
        let is_fetched = self.provider && name != "HS256" && fetched.contains(&name);
        is_fetched || self.keys.iter().any(|key| tokens::algorithm(key.name) == name)
    }

    fn in_nothing(algorithms: &[&'static str]) -> Self {
        Self {
            keys: Vec::new(),
            provider: false,
            algorithms: algorithms.to_vec(),
            audience: Vec::new(),
            issuer: Vec::new(),
            leeway: 0,
            require: Vec::new(),
            ignored: Vec::new(),
            strict_audience: false,
            user_claim: "sub",
            admin_claim: "is_admin",
            roles_claim: "roles",
            header: "authorization",
            scheme: "Bearer",
        }
    }

    pub(super) fn backend(&self) -> JwtBackend {
        let mut builder = JwtBackend::builder()
            .keys(self.keys.iter().map(TrustedKey::key))
            .algorithms(self.algorithms.iter().map(|name| name.parse::<Algorithm>().unwrap()))
            .verify_options(self.options())
            .user_claim(self.user_claim)
            .admin_claim(self.admin_claim)
            .roles_claim(self.roles_claim)
            .header(self.header)
            .scheme(self.scheme);
        // Without a leeway it is as by default.
        if self.leeway != 0 {
            #[allow(clippy::cast_precision_loss, reason = "some minutes at most")]
            let seconds = self.leeway as f64 / 1000.0;
            builder = builder.leeway_seconds(seconds);
        }
        if self.provider {
            builder = builder.key_set(KeySetLimits::default());
        }
        if !self.audience.is_empty() {
            builder = builder.audience(self.audience.iter().copied());
        }
        if !self.issuer.is_empty() {
            builder = builder.issuer(self.issuer.iter().copied());
        }
        builder.build().unwrap()
    }

    fn options(&self) -> VerifyOptions {
        let looks_at = |claim| !self.ignored.contains(&claim);
        VerifyOptions {
            verify_exp: looks_at("exp"),
            verify_nbf: looks_at("nbf"),
            verify_iat: looks_at("iat"),
            verify_aud: looks_at("aud"),
            verify_iss: looks_at("iss"),
            verify_sub: looks_at("sub"),
            verify_jti: looks_at("jti"),
            strict_aud: self.strict_audience,
            require: self.require.iter().map(|&claim| claim.to_owned()).collect(),
        }
    }
}

impl TrustedKey {
    fn key(&self) -> Key {
        let key = match self.name {
            "secret" => Key::secret(forge::SECRET).unwrap(),
            "another secret" => Key::secret(tokens::ANOTHER_SECRET).unwrap(),
            name => Key::pem(&forge::public_pem(name)).unwrap(),
        };
        match self.id {
            Some(id) => key.with_id(id),
            None => key,
        }
    }
}
