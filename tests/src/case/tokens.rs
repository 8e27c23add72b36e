//! The book of an issuer: every token that anybody ever signed here, and what stands in it. Whatever is not in the book
//! was made up, and proves nothing.

use std::sync::OnceLock;

use super::person::Person;
use crate::forge;
use crate::world::NOW;

/// A token with a signature, of ours or of a stranger.
#[derive(Debug, Clone)]
pub struct Issued {
    /// As it is sent.
    pub text: String,
    /// `HS256`, `RS256` or `ES256`.
    pub algorithm: &'static str,
    /// Whether our key has signed it.
    pub ours: bool,
    /// The key that it names.
    pub kid: Option<&'static str>,
    /// Whom it names.
    pub person: Person,
    /// When it ends, begins and was issued, in seconds, where it says so.
    pub times: Times,
}

/// `exp`, `nbf` and `iat`.
#[derive(Debug, Clone, Copy, Default)]
pub struct Times {
    /// Not from then on.
    pub exp: Option<i64>,
    /// Not before.
    pub nbf: Option<i64>,
    /// Not before, either.
    pub iat: Option<i64>,
}

/// The whole book.
pub fn book() -> &'static [Issued] {
    static BOOK: OnceLock<Vec<Issued>> = OnceLock::new();
    BOOK.get_or_init(|| {
        let kids = [None, Some("rsa2048"), Some("p-256"), Some("unknown")];
        let algorithms = ["HS256", "RS256", "ES256"];
        let mut book = Vec::new();
        for (algorithm, ours) in algorithms.into_iter().flat_map(|name| [(name, true), (name, false)]) {
            for (number, (person, times)) in contents().into_iter().enumerate() {
                // Not each with each: that would be many signatures for little.
                let kid = kids[number % kids.len()];
                for kid in if ours { vec![None, kid] } else { vec![kid] } {
                    book.push(sign(algorithm, ours, kid, person.clone(), times));
                }
            }
        }
        book
    })
}

/// What is in the book about a token.
pub fn look_up(text: &str) -> Option<&'static Issued> {
    book().iter().find(|issued| issued.text == text)
}

fn contents() -> Vec<(Person, Times)> {
    let now = NOW.as_secs();
    let exp = |seconds| Times { exp: Some(now + seconds), ..Times::default() };
    vec![
        (Person::new("ada"), Times::default()),
        (Person::new("bob").with_role("ops"), exp(3600)),
        (Person::new("eve").as_admin(), exp(3600)),
        (Person::new("cleo").with_role("ops").with_role("audit"), Times::default()),
        (Person::new("ada").with_role("audit"), exp(-3600)),
        (Person::new("bob").as_admin(), Times { nbf: Some(now + 1800), ..exp(7200) }),
        (Person::new("eve"), Times { iat: Some(now - 60), ..exp(60) }),
        (Person::new("ada").as_admin(), Times { iat: Some(now + 60), ..Times::default() }),
        (Person::new(""), exp(3600)),
        (Person::new("bob").with_role("audit"), exp(1)),
    ]
}

fn sign(
    algorithm: &'static str,
    ours: bool,
    kid: Option<&'static str>,
    person: Person,
    times: Times,
) -> Issued {
    let mut header = serde_json::json!({"alg": algorithm, "typ": "JWT"});
    let mut claims =
        serde_json::json!({"sub": person.id, "is_admin": person.is_admin, "roles": person.roles});
    if let Some(kid) = kid {
        header["kid"] = kid.into();
    }
    for (name, time) in [("exp", times.exp), ("nbf", times.nbf), ("iat", times.iat)] {
        if let Some(time) = time {
            claims[name] = time.into();
        }
    }
    let honest = forge::signer(algorithm);
    let sign = |message: &[u8]| {
        let mut signature = honest(message);
        if !ours {
            signature[7] ^= 1;
        }
        signature
    };
    let text = forge::token(&header.to_string(), &claims.to_string(), &sign);
    Issued { text, algorithm, ours, kid, person, times }
}
