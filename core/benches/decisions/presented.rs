//! What is presented: a request as programs and browsers send it, and a token of 320 bytes.

use std::fs;
use std::path::PathBuf;

use authgate_core::{
    Algorithm, Decision, Gate, GateBuilder, Head, HeaderView, JwtBackend, JwtBackendBuilder, Key, Step,
    Timestamp,
};
use http::header::{ACCEPT, AUTHORIZATION, HOST, HeaderMap, HeaderName, HeaderValue, USER_AGENT};
use jsonwebtoken::EncodingKey;
use serde::Serialize;

pub(crate) const NOW: Timestamp = Timestamp::from_secs(1_800_000_000);
pub(crate) const SECRET: &str = "a secret of sixty-four bytes that is known to the benches only..";
pub(crate) const AUDIENCE: &str = "dashboard";
pub(crate) const ISSUER: &str = "https://issuer.example";

/// How many are shown in turn where nobody comes again before everybody else has, so that hardly anybody is remembered.
pub(crate) const MANY: u32 = 4096;

/// The claims that dashboards ask for.
#[derive(Serialize)]
struct Claims {
    sub: &'static str,
    name: &'static str,
    is_admin: bool,
    roles: [&'static str; 2],
    iat: i64,
    exp: i64,
    aud: &'static str,
    iss: &'static str,
}

/// A token that holds.
pub(crate) struct Presented {
    pub(crate) token: String,
    pub(crate) algorithm: Algorithm,
    kid: Option<&'static str>,
}

impl Presented {
    pub(crate) fn hs256() -> Self {
        Self::aged(0)
    }

    /// Another token for each number of seconds.
    pub(crate) fn aged(seconds: u32) -> Self {
        Self::named("HS256", None, Timestamp::from_secs(NOW.as_secs() - i64::from(seconds)))
    }

    /// Signed with one of the key pairs in `tests/keys`, or with [`SECRET`], a minute before `now`; `kid` names the key.
    pub(crate) fn named(algorithm: &str, kid: Option<&'static str>, now: Timestamp) -> Self {
        let private = match algorithm {
            "HS256" => EncodingKey::from_secret(SECRET.as_bytes()),
            "RS256" => EncodingKey::from_rsa_pem(&pem("rsa2048.private")).unwrap(),
            "ES256" => EncodingKey::from_ec_pem(&pem("p-256.private")).unwrap(),
            "EdDSA" => EncodingKey::from_ed_pem(&pem("ed25519.private")).unwrap(),
            other => panic!("no key for {other}"),
        };
        let mut header = jsonwebtoken::Header::new(algorithm.parse().unwrap());
        header.kid = kid.map(str::to_owned);
        let claims = Claims {
            sub: "ada-lovelace",
            name: "Ada Lovelace",
            is_admin: true,
            roles: ["operator", "oncall"],
            iat: now.as_secs() - 60,
            exp: now.as_secs() + 86_400,
            aud: AUDIENCE,
            iss: ISSUER,
        };
        let token = jsonwebtoken::encode(&header, &claims, &private).unwrap();
        Self { token, algorithm: algorithm.parse().unwrap(), kid }
    }

    /// The key that checks it.
    pub(crate) fn key(&self) -> Key {
        let key = match self.algorithm {
            Algorithm::RS256 => public("rsa2048"),
            Algorithm::ES256 => public("p-256"),
            Algorithm::EdDSA => public("ed25519"),
            _ => Key::secret(SECRET).unwrap(),
        };
        self.kid.into_iter().fold(key, Key::with_id)
    }

    /// A backend that asks what the floor asks.
    pub(crate) fn backend(&self) -> JwtBackendBuilder {
        let backend = JwtBackend::builder().key(self.key()).algorithms([self.algorithm]);
        backend.audience([AUDIENCE]).issuer([ISSUER])
    }

    pub(crate) fn gate(&self) -> GateBuilder {
        Gate::builder(self.backend().build().unwrap())
    }

    pub(crate) fn headers(&self) -> HeaderMap {
        headers(&[(AUTHORIZATION, &format!("Bearer {}", self.token))])
    }
}

/// What every request has, and these fields.
pub(crate) fn headers(more: &[(HeaderName, &str)]) -> HeaderMap {
    let usual = [(HOST, "dash.example"), (USER_AGENT, "curl/8.18.0"), (ACCEPT, "*/*")];
    let all = usual.iter().chain(more);
    all.map(|(name, value)| (name.clone(), HeaderValue::from_str(value).unwrap())).collect()
}

/// A browser that opens a page.
pub(crate) fn browser() -> HeaderMap {
    let mut fields = headers(&[]);
    let accepted = "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8";
    fields.insert(ACCEPT, HeaderValue::from_static(accepted));
    fields
}

/// A program that reads JSON.
pub(crate) fn program() -> HeaderMap {
    let mut fields = headers(&[]);
    fields.insert(ACCEPT, HeaderValue::from_static("application/json"));
    fields
}

/// The decision on a GET.
pub(crate) fn decide(gate: &Gate, path: &str, headers: &HeaderMap) -> Decision {
    match gate.begin(&Head::of("GET", path, None, HeaderView::Map(headers)), NOW) {
        Step::Done(decision) => decision,
        other => panic!("it waits: {other:?}"),
    }
}

/// Whether somebody was let in; benches make sure before they count.
pub(crate) fn is_let_in(gate: &Gate, path: &str, headers: &HeaderMap) -> bool {
    matches!(decide(gate, path, headers), Decision::Forward(admission) if admission.user.is_some())
}

pub(crate) fn pem(name: &str) -> Vec<u8> {
    let keys = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../tests/keys");
    fs::read(keys.join(format!("{name}.pem"))).unwrap()
}

fn public(name: &str) -> Key {
    Key::pem(std::str::from_utf8(&pem(name)).unwrap()).unwrap()
}
