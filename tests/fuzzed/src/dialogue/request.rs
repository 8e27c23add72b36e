use std::net::IpAddr;
use std::sync::LazyLock;

use authgate_core::{Peer, Scheme};
use jsonwebtoken::EncodingKey;

use super::bytes::Bytes;
use super::people::{Jar, Shown};
use crate::world::{sign, token};

const PRIVATE: &str = include_str!("../../../keys/ed25519.private.pem");

/// A token of the secret's, for `tok`.
static TOKEN: LazyLock<String> = LazyLock::new(|| format!("Bearer {}", token(r#"{"sub":"tok"}"#)));

/// A token of the provider's, for `key`.
static KEYED: LazyLock<String> = LazyLock::new(|| keyed("ed25519", "key"));

/// The same for `eve`, by a key that nobody has published.
static FORGED: LazyLock<String> = LazyLock::new(|| keyed("x", "eve"));

fn keyed(kid: &str, user: &str) -> String {
    let key = EncodingKey::from_ed_pem(PRIVATE.as_bytes()).unwrap();
    let (header, claims) = (format!(r#"{{"alg":"EdDSA","kid":"{kid}"}}"#), format!(r#"{{"sub":"{user}"}}"#));
    let token = sign(header.as_bytes(), claims.as_bytes(), &key, jsonwebtoken::Algorithm::EdDSA);
    format!("Bearer {token}")
}

const METHODS: [&str; 7] = ["GET", "POST", "HEAD", "DELETE", "OPTIONS", "get", ""];

const TARGETS: [&str; 18] = [
    "/ops/queues",
    "/ops/login",
    "/ops/logout",
    "/ops/static/x",
    "/ops/secret/x",
    "/ops/login?next=%2Fops%2Fqueues%3Fpage%3D2",
    "/ops/login?next=%2F%2Fevil.example",
    "/ops/probe",
    "/ops/callback?next=/ops/x",
    "/ops/authgate/auth-request",
    "/ops/authgate/forward-auth",
    "/ops/static/..;/secret/x",
    "/ops/%73ecret",
    "http://dash.example/ops/queues",
    "/elsewhere",
    "/ops/healthz",
    "/ops/authgate/login",
    "/ops/authgate/logout",
];

/// Fields as they stand; further below, those that prove something.
const FIELDS: [(&str, &str); 22] = [
    ("host", "dash.example"),
    ("sec-fetch-site", "same-origin"),
    ("content-type", "application/x-www-form-urlencoded"),
    ("origin", "http://dash.example"),
    ("origin", "http://evil.example"),
    ("hx-request", "true"),
    ("hx-current-url", "http://dash.example/ops/queues#x"),
    ("referer", "http://dash.example//evil.example"),
    ("accept", "application/json"),
    ("sec-fetch-mode", "websocket"),
    ("sec-fetch-site", "cross-site"),
    ("x-forwarded-for", "192.0.2.9, 10.0.0.2"),
    ("x-forwarded-proto", "https"),
    ("x-forwarded-method", "GET"),
    ("x-forwarded-uri", "/ops/queues"),
    ("x-forwarded-uri", "/ops/secret/x"),
    ("x-auth-user", "root"),
    ("x_auth_user", "root"),
    ("x-ask", "1"),
    ("authorization", "Bearer x.y.z"),
    ("cookie", "authgate=x"),
    ("content-length", "999999"),
];

const FORMS: [&str; 6] = [
    "username=ada&password=right&next=%2Fops%2Fqueues",
    "username=root&password=right",
    "username=ada&password=wrong&next=%2F%2Fevil.example",
    "username=&password=",
    "username=ada&username=root&password=right",
    "username=%ff&password=right",
];

/// One request, and what its sender can prove without anybody being asked.
pub(super) struct Request {
    pub(super) method: &'static str,
    pub(super) target: String,
    pub(super) fields: Vec<(&'static str, String)>,
    pub(super) scheme: Scheme,
    pub(super) peer: Peer,
    pub(super) form: String,
    /// The users whose tokens it carries.
    pub(super) tokens: Vec<&'static str>,
    /// The cookies that it carries.
    pub(super) shown: Vec<Shown>,
}

impl Request {
    pub(super) fn choose(bytes: &mut Bytes<'_>, jar: &Jar) -> Self {
        let method = bytes.one(&METHODS);
        let target = match TARGETS.get(bytes.number() % (TARGETS.len() + 1)) {
            Some(target) => (*target).to_owned(),
            None => bytes.line(),
        };
        let [tls, _] = bytes.flags();
        let mut request = Self {
            method,
            target,
            fields: Vec::new(),
            scheme: if tls { Scheme::Https } else { Scheme::Http },
            peer: peer(bytes.number()),
            form: String::new(),
            tokens: Vec::new(),
            shown: Vec::new(),
        };
        for _ in 0..bytes.number() % 8 {
            request.add_field(bytes, jar);
        }
        request.form = match FORMS.get(bytes.number() % (FORMS.len() + 1)) {
            Some(form) => (*form).to_owned(),
            None => bytes.line(),
        };
        request
    }

    fn add_field(&mut self, bytes: &mut Bytes<'_>, jar: &Jar) {
        let place = bytes.number() % (FIELDS.len() + 5);
        let proof = place.checked_sub(FIELDS.len());
        let (name, value) = match proof {
            None => (FIELDS[place].0, FIELDS[place].1.to_owned()),
            Some(0) => ("authorization", TOKEN.clone()),
            Some(1) => ("authorization", KEYED.clone()),
            Some(2) => ("authorization", FORGED.clone()),
            Some(3) => match jar.pick(bytes.number()) {
                None => return,
                Some(shown) => {
                    let pair = shown.pair.clone();
                    self.shown.push(shown);
                    ("cookie", pair)
                }
            },
            Some(_) => ("x-forwarded-host", bytes.line()),
        };
        match proof {
            Some(0) => self.tokens.push("tok"),
            Some(1) => self.tokens.push("key"),
            _ => {}
        }
        self.fields.push((name, value));
    }

    pub(super) fn pairs(&self) -> Vec<(&[u8], &[u8])> {
        self.fields.iter().map(|(name, value)| (name.as_bytes(), value.as_bytes())).collect()
    }

    pub(super) fn has(&self, name: &str, value: &str) -> bool {
        self.fields.iter().any(|(known, text)| *known == name && text == value)
    }
}

fn peer(place: usize) -> Peer {
    let address = |text: &str| text.parse::<IpAddr>().unwrap().into();
    match place % 5 {
        0 => address("192.0.2.7"),
        1 => address("10.0.0.1"),
        2 => Peer::Unix,
        3 => address("::1"),
        _ => Peer::Unknown,
    }
}
