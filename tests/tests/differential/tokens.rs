//! Tokens against `jsonwebtoken::decode`. It reads the system's clock, so no time is near the present one.

use std::collections::HashSet;
use std::time::SystemTime;

use authgate_core::{JwtBackend, Key, Timestamp, VerifyOptions};
use authgate_tests::forge::{self, SECRET, hs256, token};
use authgate_tests::strategies::{cases, one_of};
use jsonwebtoken::{Algorithm, DecodingKey, Validation, decode};
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::select;
use proptest::test_runner::TestRunner;
use serde_json::Value;

use crate::list::{Both, Reason, check, is_listed};

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
        let token = self.token();
        Both { ours: self.ours(&token), theirs: self.theirs(&token) }
    }

    fn ours(&self, token: &str) -> bool {
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
        backend.build().unwrap().verify(token.as_bytes(), Timestamp::from(SystemTime::now())).is_ok()
    }

    fn theirs(&self, token: &str) -> bool {
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
        decode::<Value>(token, &key, &validation).is_ok()
    }

    fn claim(&self, name: &str) -> Option<Value> {
        serde_json::from_str::<Value>(&self.claims).ok()?.get(name).cloned()
    }

    fn member(&self, name: &str) -> Option<Value> {
        serde_json::from_str::<Value>(&self.header).ok()?.get(name).cloned()
    }
}

/// How often a name stands in the outermost object: text is all that a test writes it as.
fn times(json: &str, name: &str) -> usize {
    json.matches(&format!("\"{name}\":")).count()
}

const READ_BY_THEM: [&str; 5] = ["exp", "nbf", "sub", "iss", "aud"];

const REASONS: &[Reason<Asked>] = &[
    ("a token from the future", |asked| {
        asked.claim("iat").is_some_and(|iat| iat.as_f64().is_none_or(|iat| iat > now()))
    }),
    ("a token that names nobody", |asked| {
        asked.claim("sub").is_none_or(|sub| sub.as_str().is_none_or(str::is_empty))
    }),
    ("a `jti` that is no string", |asked| asked.claim("jti").is_some_and(|jti| !jti.is_string())),
    ("an `iss` that is no string", |asked| {
        asked.claim("iss").is_some_and(|iss| !iss.is_string() && !iss.is_null())
    }),
    ("an `aud` that is neither a string nor a list of strings", |asked| {
        asked.claim("aud").is_some_and(|aud| match aud {
            Value::Array(list) => !list.iter().all(Value::is_string),
            Value::String(_) | Value::Null => false,
            _ => true,
        })
    }),
    ("roles that are a number or a boolean", |asked| {
        asked.claim("roles").is_some_and(|roles| roles.is_number() || roles.is_boolean())
    }),
    ("claims that are a list", |asked| asked.claims.trim_start().starts_with('[')),
    ("an extension that must be understood", |asked| asked.member("crit").is_some()),
    ("a `b64` that is not true", |asked| asked.member("b64").is_some_and(|b64| b64 != Value::Bool(true))),
    ("a `kid` that is null", |asked| asked.member("kid").is_some_and(|kid| kid.is_null())),
    ("a token of more than 64 KiB", |asked| asked.token().len() > 64 * 1024),
    ("a claim that stands twice", |asked| READ_BY_THEM.iter().any(|name| times(&asked.claims, name) > 1)),
    ("a member of the header that stands twice", |asked| {
        ["alg", "kid", "typ", "jku", "crit", "enc", "cty", "jwk", "x5u", "x5c"]
            .iter()
            .any(|name| times(&asked.header, name) > 1)
    }),
    ("an unread member of the header of a wrong type", |asked| {
        ["typ", "cty", "jku", "x5u", "x5c", "jwk", "enc"].iter().any(|name| {
            asked.member(name).is_some_and(|value| !value.is_string() && !value.is_null())
                || (["x5c", "jwk"].contains(name) && asked.member(name).is_some())
        })
    }),
    ("a time before 1970", |asked| {
        asked.claim("nbf").is_some_and(|nbf| nbf.as_f64().is_some_and(|nbf| nbf < 0.0))
    }),
    ("a time beyond 64 bits", |asked| {
        asked
            .claim("exp")
            .is_some_and(|exp| exp.as_f64().is_some_and(|exp| exp >= 18_446_744_073_709_551_615.0))
    }),
    ("an empty `aud`", |asked| {
        asked.claim("aud").is_some_and(|aud| aud == "" || aud.as_array().is_some_and(Vec::is_empty))
    }),
    ("a number beyond the range of a float", |asked| {
        let has_many_digits =
            |text: &str| text.split(|c: char| !c.is_ascii_digit()).any(|run| run.len() > 308);
        [&asked.claims, &asked.header].iter().any(|text| text.contains("1e999") || has_many_digits(text))
    }),
];

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

fn members(
    names: &'static [&'static str],
    values: &'static [&'static str],
) -> impl Strategy<Value = Vec<(String, String)>> {
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
    let few = prop_oneof![2 => Just(Vec::new()), 1 => members(HEADER_NAMES, HEADER_VALUES)];
    (algorithm, members(NAMES, VALUES), few, usual, settings, text).prop_map(
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
        let both = asked.ask();
        counts.borrow_mut()[usize::from(both.ours) * 2 + usize::from(both.theirs)] += 1;
        let is_alike = both.ours == both.theirs;
        prop_assert!(is_alike || is_listed("jsonwebtoken", REASONS, &asked, both), "{:?}", both);
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
