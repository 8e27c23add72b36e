//! The book of an issuer: every token that anybody ever signed here, and what stands in it. Whatever is not in the book
//! was made up, and proves nothing.

use std::collections::BTreeMap;
use std::sync::OnceLock;

use serde_json::{Map, Value, json};

use crate::forge;
use crate::world::NOW;

/// A token with a signature, of a key that is here or of a stranger.
#[derive(Debug, Clone)]
pub struct Issued {
    /// As it is sent.
    pub text: String,
    /// `HS256`, `RS256` or `ES256`.
    pub algorithm: &'static str,
    /// The key that has signed it; none if it was a stranger's.
    pub key: Option<&'static str>,
    /// The key that it says has signed it.
    pub kid: Option<&'static str>,
    /// What it claims.
    pub claims: Map<String, Value>,
}

/// All keys that sign here.
pub const KEYS: [&str; 4] = ["secret", "another secret", "rsa2048", "p-256"];

/// What `another secret` is.
pub const ANOTHER_SECRET: &str = "another secret that is known to the tests only, of as many bytes";

/// The algorithm that a key signs with.
pub fn algorithm(key: &str) -> &'static str {
    match key {
        "rsa2048" => "RS256",
        "p-256" => "ES256",
        _ => "HS256",
    }
}

/// The whole book.
pub fn book() -> &'static [Issued] {
    static BOOK: OnceLock<Vec<Issued>> = OnceLock::new();
    BOOK.get_or_init(|| {
        let kids = ["rsa2048", "p-256", "one", "two", "unknown"];
        let mut book = Vec::new();
        for (place, key) in KEYS.into_iter().enumerate() {
            let signer = Signer::of(key);
            for (number, claims) in contents().into_iter().enumerate() {
                // Not each with each: that would be many signatures for little.
                let kid = Some(kids[number % kids.len()]);
                book.push(signer.sign(true, None, claims.clone()));
                book.push(signer.sign(true, kid, claims.clone()));
                if number % 8 == place {
                    book.push(signer.sign(false, kid.filter(|_| number % 3 == 0), claims));
                }
            }
        }
        book
    })
}

/// What is in the book about a token.
pub fn look_up(text: &str) -> Option<&'static Issued> {
    static PLACES: OnceLock<BTreeMap<&'static str, &'static Issued>> = OnceLock::new();
    let places = PLACES.get_or_init(|| book().iter().map(|issued| (&*issued.text, issued)).collect());
    places.get(text).copied()
}

/// What tokens claim: each of the three tables goes round with another stride, so that they do not keep step.
fn contents() -> Vec<Map<String, Value>> {
    let (people, times, parties) = (people(), times(), parties());
    let content = |number: usize| {
        let person = &people[number % people.len()];
        let time = &times[number * 5 % times.len()];
        let party = &parties[(number * 7 + number / parties.len()) % parties.len()];
        [person, time, party].into_iter().flat_map(|part| part.as_object().unwrap().clone()).collect()
    };
    (0..140).map(content).collect()
}

/// Who it is, under the usual names and under others.
fn people() -> Vec<Value> {
    vec![
        json!({"sub": "ada", "uid": "bob", "is_admin": false, "roles": []}),
        json!({"sub": "bob", "uid": "ada", "is_admin": false, "roles": ["ops"], "groups": ["audit"]}),
        json!({"sub": "eve", "is_admin": true, "adm": false}),
        json!({"sub": "cleo", "uid": "cleo", "roles": ["ops", "audit"], "groups": "ops"}),
        json!({"sub": "ada", "uid": "eve", "adm": true, "roles": "audit", "jti": "1"}),
        json!({"sub": "bob", "uid": "bob", "is_admin": "yes", "adm": "no", "groups": ["ops", 7, null]}),
        json!({"sub": "ada", "uid": "", "is_admin": 1, "roles": {"ops": true}, "jti": "2"}),
        json!({"sub": "", "uid": "ada", "adm": true}),
        json!({"sub": 7, "uid": 7, "roles": ["ops"], "groups": ["ops"]}),
        json!({"sub": "bob", "uid": null, "roles": 7, "jti": 7}),
        json!({"uid": "ada", "is_admin": true, "groups": false}),
    ]
}

/// When it holds. Moments are next to now, and next to where now is with some leeway.
fn times() -> Vec<Value> {
    let now = NOW.as_secs();
    let exp = |seconds| json!({"exp": now + seconds});
    let nbf = |seconds| json!({"nbf": now + seconds, "exp": now + 3600});
    let iat = |seconds| json!({"iat": now + seconds});
    let mut times = vec![json!({}), exp(3600), nbf(-60), iat(-60), json!({"iat": now - 9, "exp": now + 60})];
    times.extend((0..6).flat_map(|_| [json!({}), exp(3600)]));
    times.extend([-3600, -60, -59, -31, -30, -29, -1, 0, 1, 29, 30, 31].map(exp));
    times.extend([-31, -30, -29, 0, 1, 30, 31, 60, 1800].map(nbf));
    times.extend([-30, -29, 1, 30, 31, 60].map(iat));
    // The fraction does not count.
    let not_quite = |seconds: i64| format!("{}.9", now + seconds).parse::<f64>().unwrap();
    times.extend([0, 1].map(|seconds| json!({"exp": not_quite(seconds)})));
    times.extend([json!({"exp": "soon"}), json!({"nbf": null}), json!({"exp": now + 1, "iat": 1.7e9})]);
    times
}

/// Whom it is for, and from whom.
fn parties() -> Vec<Value> {
    vec![
        json!({}),
        json!({"aud": "dash", "iss": "idp"}),
        json!({}),
        json!({"aud": ["dash", "wiki"], "iss": "idp", "email": "a@b"}),
        json!({"iss": "idp"}),
        json!({"aud": "dash"}),
        json!({"aud": "ops", "iss": "another idp"}),
        json!({"aud": "wiki", "iss": "idp"}),
        json!({"aud": "dash", "iss": "evil"}),
        json!({"aud": ["wiki", "mail"], "email": "a@b"}),
        json!({"aud": ["ops"], "iss": "idp", "email": null}),
        json!({"aud": [], "iss": "idp"}),
        json!({"aud": "", "iss": null, "email": "a@b"}),
        json!({"aud": null, "iss": ""}),
        json!({"aud": 7, "iss": "idp"}),
        json!({"aud": ["dash", 7], "iss": "idp"}),
        json!({"aud": "dash", "iss": ["idp"]}),
        json!({"aud": "Dash", "iss": "IDP"}),
    ]
}

struct Signer {
    key: &'static str,
    sign: forge::Signer,
}

impl Signer {
    fn of(key: &'static str) -> Self {
        let sign = match key {
            "another secret" => Box::new(forge::hs256(ANOTHER_SECRET)),
            key => forge::signer(algorithm(key)),
        };
        Self { key, sign }
    }

    /// As the key signs it, or as a stranger does who would be taken for it.
    fn sign(&self, ours: bool, kid: Option<&'static str>, claims: Map<String, Value>) -> Issued {
        let algorithm = algorithm(self.key);
        let mut header = json!({"alg": algorithm, "typ": "JWT"});
        if let Some(kid) = kid {
            header["kid"] = kid.into();
        }
        let sign = |message: &[u8]| {
            let mut signature = (self.sign)(message);
            if !ours {
                signature[7] ^= 1;
            }
            signature
        };
        let text = forge::token(&header.to_string(), &Value::Object(claims.clone()).to_string(), &sign);
        Issued { text, algorithm, key: ours.then_some(self.key), kid, claims }
    }
}
