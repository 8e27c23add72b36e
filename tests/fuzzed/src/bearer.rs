//! Bearer tokens.

use std::collections::BTreeSet;
use std::sync::LazyLock;

use authgate_core::{
    Algorithm, AuthBackend as _, Head, HeaderView, JwtBackend, Key, Proof, Proven, VerifyOptions,
};
use base64_simd::URL_SAFE_NO_PAD;
use jsonwebtoken::{DecodingKey, EncodingKey, Validation, decode};
use serde_json::Value;

use crate::world::{NOW, SECRET, jwt, sign};

const PUBLIC: &str = include_str!("../../keys/ed25519.pem");
const PRIVATE: &str = include_str!("../../keys/ed25519.private.pem");
const RSA: &str = include_str!("../../keys/rsa2048.pem");

/// Tokens of a secret.
static SECRETS: LazyLock<JwtBackend> = LazyLock::new(|| {
    let hashes = [Algorithm::HS256, Algorithm::HS512];
    JwtBackend::builder().key(Key::secret(SECRET).unwrap()).algorithms(hashes).build().unwrap()
});

/// Tokens of a provider, with public keys.
static KEYS: LazyLock<JwtBackend> = LazyLock::new(|| {
    let keys = [PUBLIC, RSA].map(|pem| Key::pem(pem).unwrap());
    let algorithms = [Algorithm::EdDSA, Algorithm::RS256, Algorithm::PS256];
    JwtBackend::builder().keys(keys).algorithms(algorithms).build().unwrap()
});

/// As bare as it gets, so that other claims than a name are read and not weighed.
static LENIENT: LazyLock<JwtBackend> = LazyLock::new(|| {
    let options = VerifyOptions {
        verify_exp: false,
        verify_nbf: false,
        verify_iat: false,
        verify_aud: false,
        verify_iss: false,
        ..VerifyOptions::default()
    };
    JwtBackend::builder().key(Key::secret(SECRET).unwrap()).verify_options(options).build().unwrap()
});

/// Who signs, and as what: the last three are what forgers try.
static SIGNERS: LazyLock<[(&str, EncodingKey, jsonwebtoken::Algorithm); 6]> = LazyLock::new(|| {
    use jsonwebtoken::Algorithm::{EdDSA, HS256, HS384, HS512};
    let secret = |text: &str| EncodingKey::from_secret(text.as_bytes());
    [
        ("HS256", secret(SECRET), HS256),
        ("HS512", secret(SECRET), HS512),
        ("EdDSA", EncodingKey::from_ed_pem(PRIVATE.as_bytes()).unwrap(), EdDSA),
        ("-", secret(SECRET), HS384),
        ("-", secret(PUBLIC), HS256),
        ("-", secret(""), HS256),
    ]
});

/// `=` and a field's value, or a digit (who signs), a JOSE header, a newline and claims. Nobody is known by a token
/// unless its signature is one of the key's and its header's algorithm is that signature's; jsonwebtoken then accepts
/// it, too, and reads the same user; it proves the same again; and not one byte of it can be changed.
pub fn bearer(data: &[u8]) {
    match data {
        [b'=', value @ ..] => check_field(value),
        [digit @ b'0'..=b'5', rest @ ..] => {
            let mut parts = rest.splitn(2, |&byte| byte == b'\n');
            let (header, payload) = (parts.next().unwrap_or_default(), parts.next().unwrap_or_default());
            check_signed(usize::from(digit - b'0'), header, payload);
        }
        _ => {}
    }
}

fn check_field(value: &[u8]) {
    let fields = [(&b"authorization"[..], value)];
    let backend = jwt();
    let found = backend.authenticate(&Head::new("GET", "/", HeaderView::Pairs(&fields)), NOW);
    match found {
        Proof::Proven(proven) => {
            let value = std::str::from_utf8(value).expect("a token is ASCII");
            let (scheme, token) = value.split_once(' ').expect("a scheme and a token");
            assert!(scheme.eq_ignore_ascii_case("bearer"));
            check_accepted(&backend, token, &proven);
        }
        Proof::Absent => assert!(!value.get(..6).is_some_and(|word| word.eq_ignore_ascii_case(b"bearer"))),
        Proof::Refused(_) => {}
        other => panic!("a key is at hand: {other:?}"),
    }
    // Twice is refused, whatever it is.
    let twice = [fields[0], fields[0]];
    let found = backend.authenticate(&Head::new("GET", "/", HeaderView::Pairs(&twice)), NOW);
    assert!(matches!(found, Proof::Refused(_)));
}

fn check_signed(signer: usize, header: &[u8], payload: &[u8]) {
    let (name, key, algorithm) = &SIGNERS[signer];
    let token = sign(header, payload, key, *algorithm);
    for (backend, names) in
        [(&*SECRETS, ["HS256", "HS512"]), (&*KEYS, ["EdDSA", "-"]), (&*LENIENT, ["HS256", "-"])]
    {
        match backend.verify(token.as_bytes(), NOW) {
            Ok(proven) => {
                assert!(*name != "-" && names.contains(name), "{token}");
                assert!(json(header).is_none_or(|header| header["alg"] == *name), "{token}");
                check_accepted(backend, &token, &proven);
            }
            Err(_) => check_refused(backend, names.contains(name), name, header, payload),
        }
    }
}

/// The plainest tokens are never refused.
fn check_refused(backend: &JwtBackend, is_ours: bool, name: &str, header: &[u8], payload: &[u8]) {
    let plain = format!(r#"{{"alg":"{name}"}}"#);
    let is_plain = header == plain.as_bytes() && payload == br#"{"sub":"ada"}"#;
    assert!(!(is_ours && is_plain), "an honest token is refused by {backend:?}");
}

fn check_accepted(backend: &JwtBackend, token: &str, proven: &Proven) {
    let [header, payload, signature]: [&str; 3] =
        token.split('.').collect::<Vec<_>>().try_into().expect("three parts");
    for part in [header, payload, signature] {
        let bytes = URL_SAFE_NO_PAD.decode_to_vec(part).unwrap();
        assert_eq!(URL_SAFE_NO_PAD.encode_to_string(bytes), part, "one text for each token");
    }
    let [header, claims] = [header, payload].map(|part| URL_SAFE_NO_PAD.decode_to_vec(part).unwrap());
    assert_eq!(proven.user.claims.as_ref().unwrap().json().as_bytes(), claims);
    if let (Some(header), Some(claims)) = (json(&header), json(&claims)) {
        assert!(header.get("crit").is_none(), "{header}");
        check_user(&claims, proven);
        check_theirs(token, &header, proven);
    }
    // However often it comes, and once it is remembered.
    for _ in 0..3 {
        assert_eq!(backend.verify(token.as_bytes(), NOW).as_ref(), Ok(proven));
    }
    // Each byte in turn: also the last ones of each part, where base64 has bits to spare.
    let step = token.len() / 24 + 1;
    let ends = [0, token.find('.').unwrap() - 1, token.rfind('.').unwrap() - 1, token.len() - 1];
    for at in (0..token.len()).step_by(step).chain(ends) {
        let mut forged = token.as_bytes().to_vec();
        forged[at] = if forged[at] == b'A' { b'B' } else { b'A' };
        assert!(backend.verify(&forged, NOW).is_err(), "byte {at} of {token}");
    }
}

/// The user by the last claims of each name, as serde_json keeps them.
fn check_user(claims: &Value, proven: &Proven) {
    let user = &proven.user;
    match claims.get("sub") {
        Some(Value::String(sub)) => assert_eq!(user.id, *sub),
        other => panic!("{:?} is named by {other:?}", user.id),
    }
    assert!(!user.id.is_empty() && !proven.ambient);
    let grants = |value: &Value| {
        *value == Value::Bool(true)
            || value.as_str().is_some_and(|text| {
                let text =
                    text.trim_matches(|c: char| c.is_whitespace() || ('\u{1c}'..='\u{1f}').contains(&c));
                ["1", "true", "yes", "on"].contains(&text.to_ascii_lowercase().as_str())
            })
    };
    assert_eq!(user.is_admin, claims.get("is_admin").is_some_and(grants), "{claims}");
    let roles: BTreeSet<String> = match claims.get("roles") {
        Some(Value::String(role)) => [role.clone()].into(),
        Some(Value::Array(list)) => {
            list.iter().filter(|role| role.is_string() || role.is_number()).map(text).collect()
        }
        _ => BTreeSet::new(),
    };
    // Integers of any size are kept, and serde_json makes floats of the largest.
    let is_large =
        |role: &str| role.len() > 19 && role.bytes().all(|byte| matches!(byte, b'-' | b'0'..=b'9'));
    let is_listed = |role: &str| roles.contains(role) || is_large(role);
    assert!(user.roles.iter().all(|role| is_listed(role)), "{:?} from {claims}", user.roles);
    if let (Some(until), Some(exp)) = (proven.until, claims.get("exp").and_then(Value::as_i64)) {
        assert!(until.as_secs() == exp && until > NOW || exp.checked_mul(1000).is_none());
    }
}

fn text(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

/// jsonwebtoken, with everything but the signature left out.
fn check_theirs(token: &str, header: &Value, proven: &Proven) {
    use jsonwebtoken::Algorithm::{EdDSA, HS256, HS512};
    let (algorithm, key) = match header["alg"].as_str() {
        Some("HS256") => (HS256, DecodingKey::from_secret(SECRET.as_bytes())),
        Some("HS512") => (HS512, DecodingKey::from_secret(SECRET.as_bytes())),
        Some("EdDSA") => (EdDSA, DecodingKey::from_ed_pem(PUBLIC.as_bytes()).unwrap()),
        other => panic!("{other:?} is not allowed"),
    };
    let mut rules = Validation::new(algorithm);
    rules.required_spec_claims.clear();
    (rules.validate_exp, rules.validate_nbf, rules.validate_aud) = (false, false, false);
    match decode::<Value>(token, &key, &rules) {
        Ok(theirs) => assert_eq!(theirs.claims.get("sub"), Some(&Value::String(proven.user.id.to_string()))),
        // It reads members of the header, and registered claims, that nobody here looks at, and wants types of them.
        Err(error) => assert!(matches!(error.kind(), jsonwebtoken::errors::ErrorKind::Json(_)), "{error}"),
    }
}

/// What an accepted token has is JSON. Nothing for numbers beyond all floats, which serde_json reads into no value;
/// where nobody asks for the claim, they are text like any other.
fn json(bytes: &[u8]) -> Option<Value> {
    match serde_json::from_slice(bytes) {
        Ok(value) => Some(value),
        Err(error) => {
            assert!(error.to_string().starts_with("number out of range"), "{error}");
            None
        }
    }
}
