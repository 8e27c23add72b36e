//! Tokens against `jsonwebtoken::decode`. It reads the system's clock, so no time is near the present one.

use std::collections::HashSet;
use std::time::SystemTime;

use authgate_core::{JwtBackend, Key, Timestamp, VerifyOptions};
use authgate_tests::forge::{self, SECRET, hs256, token};
use authgate_tests::strategies::{cases, one_of};
use jsonwebtoken::jwk::Jwk;
use jsonwebtoken::{Algorithm, DecodingKey, Validation, decode};
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::select;
use proptest::test_runner::TestRunner;
use serde_json::Value;

use crate::list::Reason::{Has, Without};
use crate::list::{Both, Reason, check, is_listed, mended};
use crate::members::{Members, changed, keep_the_last, members, number, replace, value};

/// A token, and what is asked of it.
#[derive(Debug, Clone)]
struct Asked {
    algorithm: &'static str,
    header: String,
    claims: String,
    /// Cut off at the end.
    cut: usize,
    audience: bool,
    issuer: bool,
    needs_end: bool,
}

impl Asked {
    fn token(&self) -> String {
        let sign = forge::signer(self.algorithm);
        let whole = if self.algorithm == "HS256" {
            token(&self.header, &self.claims, &hs256(SECRET))
        } else {
            token(&self.header, &self.claims, &*sign)
        };
        whole[..whole.len() - self.cut].to_owned()
    }

    fn ask(&self) -> Both {
        Both { ours: self.ours().is_some(), theirs: self.theirs().is_some() }
    }

    /// Whom it admits here.
    fn ours(&self) -> Option<String> {
        let key = match self.algorithm {
            "HS256" => Key::secret(SECRET).unwrap(),
            other => Key::pem(&forge::public_pem(forge::key_name(other))).unwrap(),
        };
        let require = if self.needs_end { vec!["exp".to_owned()] } else { Vec::new() };
        let mut backend = JwtBackend::builder()
            .key(key)
            .algorithms([self.algorithm.parse().unwrap()])
            .verify_options(VerifyOptions { require, ..VerifyOptions::default() });
        if self.audience {
            backend = backend.audience(["dash"]);
        }
        if self.issuer {
            backend = backend.issuer(["me"]);
        }
        let (token, now) = (self.token(), Timestamp::from(SystemTime::now()));
        backend
            .build()
            .unwrap()
            .verify(token.as_bytes(), now)
            .ok()
            .map(|admitted| admitted.user.id.to_string())
    }

    /// The claims, if they are accepted there.
    fn theirs(&self) -> Option<Value> {
        let pem = || forge::public_pem(forge::key_name(self.algorithm)).into_bytes();
        let (algorithm, key) = match self.algorithm {
            "HS256" => (Algorithm::HS256, DecodingKey::from_secret(SECRET.as_bytes())),
            "RS256" => (Algorithm::RS256, DecodingKey::from_rsa_pem(&pem()).unwrap()),
            "ES256" => (Algorithm::ES256, DecodingKey::from_ec_pem(&pem()).unwrap()),
            _ => (Algorithm::EdDSA, DecodingKey::from_ed_pem(&pem()).unwrap()),
        };
        let mut validation = Validation::new(algorithm);
        validation.leeway = 0;
        validation.validate_nbf = true;
        let required = [("exp", self.needs_end), ("aud", self.audience), ("iss", self.issuer)];
        validation.required_spec_claims =
            required.iter().filter(|(_, is)| *is).map(|(name, _)| (*name).to_owned()).collect::<HashSet<_>>();
        if self.audience {
            validation.set_audience(&["dash"]);
        }
        if self.issuer {
            validation.set_issuer(&["me"]);
        }
        decode(self.token(), &key, &validation).ok().map(|data| data.claims)
    }

    fn claim(&self, name: &str) -> Option<Value> {
        members(&self.claims).and_then(|members| value(&members, name))
    }

    fn member(&self, name: &str) -> Option<Value> {
        members(&self.header).and_then(|members| value(&members, name))
    }

    /// The same with other claims, if `change` makes others of them.
    fn with_claims(&self, change: impl FnOnce(&mut Members)) -> Option<Self> {
        changed(&self.claims, change).map(|claims| Self { claims, ..self.clone() })
    }

    fn with_header(&self, change: impl FnOnce(&mut Members)) -> Option<Self> {
        changed(&self.header, change).map(|header| Self { header, ..self.clone() })
    }
}

const CLAIMS_READ_BY_THEM: [&str; 5] = ["exp", "nbf", "sub", "iss", "aud"];

const HEADER_READ_BY_THEM: [&str; 15] = [
    "typ", "alg", "cty", "jku", "jwk", "kid", "x5u", "x5c", "x5t", "x5t#S256", "crit", "enc", "zip", "url",
    "nonce",
];

const REASONS: &[Reason<Asked>] = &[
    Has("a token from the future", |asked| {
        asked.claim("iat").is_some_and(|iat| iat.as_f64().is_some_and(|iat| iat > now()))
    }),
    Has("an `iat` that is no number", |asked| asked.claim("iat").is_some_and(|iat| !iat.is_number())),
    Has("a token that names nobody", |asked| asked.claim("sub").is_none_or(|sub| sub == "")),
    Has("a `sub` that is no string", |asked| asked.claim("sub").is_some_and(|sub| !sub.is_string())),
    Has("a `jti` that is no string", |asked| asked.claim("jti").is_some_and(|jti| !jti.is_string())),
    Has("an `iss` that is no string", |asked| {
        asked.claim("iss").is_some_and(|iss| !iss.is_string() && !iss.is_null())
    }),
    Has("an `aud` that is neither a string nor a list of strings", |asked| {
        asked.claim("aud").is_some_and(|aud| match aud {
            Value::Array(list) => !list.iter().all(Value::is_string),
            Value::String(_) | Value::Null => false,
            _ => true,
        })
    }),
    Has("roles that are a number or a boolean", |asked| {
        asked.claim("roles").is_some_and(|roles| roles.is_number() || roles.is_boolean())
    }),
    Has("claims that are a list", |asked| asked.claims.trim_start().starts_with('[')),
    Has("a header with `crit`", |asked| asked.member("crit").is_some()),
    Has("a `b64` that is not true", |asked| asked.member("b64").is_some_and(|b64| b64 != Value::Bool(true))),
    Has("a `kid` that is null", |asked| asked.member("kid").is_some_and(|kid| kid.is_null())),
    Has("a token of more than 64 KiB", |asked| asked.token().len() > 64 * 1024),
    Without("a claim that stands twice", |asked| {
        asked.with_claims(|claims| keep_the_last(claims, &CLAIMS_READ_BY_THEM))
    }),
    Without("a member of the header that stands twice", |asked| {
        asked.with_header(|header| keep_the_last(header, &HEADER_READ_BY_THEM))
    }),
    Without("an unread member of the header of a wrong type", |asked| {
        asked.with_header(|header| header.retain(|(name, json)| !is_unread_and_wrong(name, json)))
    }),
    Without("an `nbf` before 1970", |asked| {
        asked.with_claims(|claims| {
            replace(claims, |name, json| (name == "nbf" && number(json)? < 0.0).then(|| "0".to_owned()));
        })
    }),
    Without("an `exp` beyond 64 bits", |asked| {
        asked.with_claims(|claims| {
            replace(claims, |name, json| {
                let is_beyond = name == "exp" && number(json)? >= 18_446_744_073_709_551_615.0;
                is_beyond.then(|| in_an_hour(1).to_string())
            });
        })
    }),
    Without("an empty `aud` where no audience is set", |asked| {
        let is_empty = |json: &str| json == "\"\"" || json == "[]";
        if asked.audience {
            return None;
        }
        asked.with_claims(|claims| claims.retain(|(name, json)| name != "aud" || !is_empty(json)))
    }),
    Without("a number beyond the range of a float", |asked| {
        let to_one = |members: &mut Members| {
            replace(members, |_, json| number(json)?.is_infinite().then(|| "1".to_owned()));
        };
        let claims = asked.with_claims(to_one);
        claims.as_ref().unwrap_or(asked).with_header(to_one).or(claims)
    }),
];

/// Whether it is a member that we do not read, and that has another type with them.
fn is_unread_and_wrong(name: &str, json: &str) -> bool {
    match name {
        "jwk" => serde_json::from_str::<Option<Jwk>>(json).is_err(),
        "x5c" => serde_json::from_str::<Option<Vec<String>>>(json).is_err(),
        "typ" | "cty" | "jku" | "x5u" | "enc" => serde_json::from_str::<Option<String>>(json).is_err(),
        _ => false,
    }
}

fn now() -> f64 {
    f64::from(u32::try_from(Timestamp::from(SystemTime::now()).as_secs()).unwrap())
}

fn in_an_hour(hours: i64) -> i64 {
    Timestamp::from(SystemTime::now()).as_secs() + hours * 3600
}

/// `{soon}` and `{past}` are an hour from now.
fn filled_in(text: &str) -> String {
    let text =
        text.replace("{soon}", &in_an_hour(1).to_string()).replace("{past}", &in_an_hour(-1).to_string());
    text.replace("{digits}", &"7".repeat(400)).replace("{long}", &"x".repeat(64 * 1024))
}

fn some_members(
    names: &'static [&'static str],
    values: &'static [&'static str],
) -> impl Strategy<Value = Members> {
    vec((one_of(names), one_of(values)), 0..4)
}

// Names and values of claims and of members of the header: what issuers write, and what none does.
const VALUES: &[&str] = &[
    "null",
    "true",
    "false",
    "0",
    "-1",
    "1.5",
    "{soon}",
    "{past}",
    "{soon}.5",
    "{past}.5",
    "-{soon}",
    "{soon}00000000000000000000",
    "1e300",
    "1e999",
    "\"\"",
    "\"ada\"",
    "\"dash\"",
    "\"me\"",
    "\"\\u0061da\"",
    "\"\\ud83d\"",
    "\"é😀\"",
    "[]",
    "[\"dash\"]",
    "[\"me\"]",
    "[\"x\",\"dash\"]",
    "[1]",
    "[\"dash\",1]",
    "{}",
    "{\"a\":1}",
    "NaN",
    "01",
    "[1,]",
    "7.0",
    "{digits}",
    "\"x\"",
    "[[[[[[]]]]]]",
];

const NAMES: &[&str] = &["exp", "nbf", "iat", "iss", "aud", "sub", "jti", "roles", "is_admin", "name", "x"];

const HEADER_NAMES: &[&str] =
    &["typ", "kid", "crit", "b64", "cty", "jku", "jwk", "x5u", "x5c", "x", "alg", "enc"];

const HEADER_VALUES: &[&str] = &[
    "null",
    "1",
    "\"x\"",
    "[]",
    "[\"exp\"]",
    "true",
    "false",
    "{}",
    "\"JWT\"",
    "\"HS256\"",
    "\"none\"",
    "{digits}",
    "{\"kty\":\"oct\",\"k\":\"AA\"}",
];

fn asked() -> impl Strategy<Value = Asked> {
    let algorithm = prop_oneof![30 => Just("HS256"), 1 => select(vec!["RS256", "ES256", "EdDSA"])];
    let usual = (any::<bool>(), any::<bool>(), any::<bool>(), any::<bool>(), prop::bool::weighted(0.95));
    let settings = (prop::bool::weighted(0.3), prop::bool::weighted(0.3), prop::bool::weighted(0.3));
    let text = (
        prop::bool::weighted(0.03),
        prop_oneof![30 => Just(0_usize), 1 => 1..9_usize],
        prop::bool::weighted(0.2),
    );
    let few = prop_oneof![2 => Just(Vec::new()), 1 => some_members(HEADER_NAMES, HEADER_VALUES)];
    (algorithm, some_members(NAMES, VALUES), few, usual, settings, text).prop_map(
        |(
            algorithm,
            odd,
            odd_header,
            (exp, nbf, iat, replace, sub),
            (audience, issuer, needs_end),
            (list, cut, spaced),
        )| {
            let mut claims = vec![("name".to_owned(), "\"Ada\"".to_owned())];
            let usual = [
                (sub, "sub", "\"ada\""),
                (exp || needs_end, "exp", "{soon}"),
                (nbf, "nbf", "{past}"),
                (iat, "iat", "{past}"),
                (audience, "aud", "[\"dash\",\"x\"]"),
                (issuer, "iss", "\"me\""),
            ];
            for (is_there, name, value) in usual {
                let is_replaced = replace && odd.iter().any(|(odd, _)| odd == name);
                if is_there && !is_replaced {
                    claims.push((name.to_owned(), value.to_owned()));
                }
            }
            claims.extend(odd);
            let mut header = vec![("alg".to_owned(), format!("\"{algorithm}\""))];
            header.extend(odd_header);
            let space = if spaced { " " } else { "" };
            let object = |members: &[(String, String)]| {
                let members: Vec<_> =
                    members.iter().map(|(name, value)| format!("\"{name}\":{space}{value}")).collect();
                filled_in(&format!("{space}{{{}}}{space}", members.join(",")))
            };
            let values: Vec<_> = claims.iter().map(|(_, value)| value.clone()).collect();
            let claims = if list { filled_in(&format!("[{}]", values.join(","))) } else { object(&claims) };
            Asked { algorithm, header: object(&header), claims, cut, audience, issuer, needs_end }
        },
    )
}

#[test]
fn tokens_are_read_as_jsonwebtoken_reads_them_but_for_the_list() {
    let counts = std::cell::RefCell::new([0_usize; 4]);
    let judged = TestRunner::new(cases(4000)).run(&asked(), |asked| {
        let (our, their) = (asked.ours(), asked.theirs());
        let both = Both { ours: our.is_some(), theirs: their.is_some() };
        counts.borrow_mut()[usize::from(both.ours) * 2 + usize::from(both.theirs)] += 1;
        let is_alike = both.ours == both.theirs;
        prop_assert!(is_alike || is_listed(REASONS, &asked, both, Asked::ask), "{:?}", both);
        if both.ours {
            // Whom they read in it, or in what they would take for the same.
            let claims = their.or_else(|| mended(REASONS, &asked)?.theirs());
            let named = claims.as_ref().and_then(|claims| claims.get("sub")?.as_str());
            prop_assert_eq!(our.as_deref(), named);
        }
        Ok(())
    });
    judged.unwrap_or_else(|error| panic!("{error}"));
    let counts = counts.into_inner();
    assert!(counts.iter().all(|count| *count > 20), "refused, theirs, ours, accepted: {counts:?}");
}

#[test]
fn every_listed_difference_with_jsonwebtoken_is_there() {
    let read = |witness: &toml::Table| {
        let text =
            |name: &str| filled_in(witness.get(name).and_then(toml::Value::as_str).unwrap_or_default());
        let is_set = |name: &str| witness.get(name).is_some();
        let header = if is_set("header") { text("header") } else { r#"{"alg":"HS256"}"#.to_owned() };
        let claims = if is_set("claims") { text("claims") } else { r#"{"sub":"ada"}"#.to_owned() };
        Asked {
            algorithm: "HS256",
            header,
            claims,
            cut: 0,
            audience: is_set("audience"),
            issuer: is_set("issuer"),
            needs_end: false,
        }
    };
    check("jsonwebtoken", REASONS, read, Asked::ask);
}
