//! What a token must be to prove anything, and what nobody's token ever gets through.
#![allow(
    missing_docs,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "tests"
)]

use std::time::Duration;

use authgate_core::{
    Algorithm, ConfigError, JwtBackend, JwtBackendBuilder, Key, KeySetLimits, TokenFault, User, VerifyOptions,
};
use authgate_tests::forge::{
    self, SECRET, base64, honest, hs256, key_name, public_pem, signer, token, token_of_bytes,
};
use authgate_tests::world::NOW;

const HS256: &str = r#"{"alg":"HS256"}"#;

fn builder() -> JwtBackendBuilder {
    JwtBackend::builder().key(Key::secret(SECRET).unwrap())
}

fn verify(backend: &JwtBackend, token: &str) -> Result<User, TokenFault> {
    backend.verify(token.as_bytes(), NOW).map(|proven| (*proven.user).clone())
}

/// What the default gate says to these claims.
fn claims(payload: &str) -> Result<User, TokenFault> {
    verify(&builder().build().unwrap(), &honest(payload))
}

fn key_for(algorithm: Algorithm) -> Key {
    if algorithm.as_str().starts_with("HS") {
        Key::secret(SECRET).unwrap()
    } else {
        Key::pem(&public_pem(key_name(algorithm.as_str()))).unwrap()
    }
}

fn signed(algorithm: &str) -> String {
    token(&format!(r#"{{"alg":"{algorithm}"}}"#), r#"{"sub":"ada"}"#, &*signer(algorithm))
}

#[test]
fn every_algorithm_opens_with_its_own_key_and_no_other() {
    for &algorithm in Algorithm::ALL {
        let backend = JwtBackend::builder().key(key_for(algorithm)).algorithms([algorithm]).build().unwrap();
        for &other in Algorithm::ALL {
            let found = verify(&backend, &signed(other.as_str()));
            if other == algorithm {
                assert_eq!(found.unwrap().id, "ada", "{algorithm}");
            } else {
                assert_eq!(found.unwrap_err(), TokenFault::Algorithm, "{other} at {algorithm}");
            }
        }
        let sign = signer(algorithm.as_str());
        let flipped = |message: &[u8]| {
            let mut signature = sign(message);
            signature[0] ^= 1;
            signature
        };
        let header = format!(r#"{{"alg":"{algorithm}"}}"#);
        let forged = token(&header, r#"{"sub":"ada"}"#, &flipped);
        assert_eq!(verify(&backend, &forged).unwrap_err(), TokenFault::Signature, "{algorithm}");
    }
}

#[test]
fn t36_a_public_key_is_never_taken_for_a_secret() {
    let pem = public_pem("rsa2048");
    assert_eq!(Key::secret(pem.clone()).unwrap_err().field(), "secret");
    let backend = JwtBackend::builder()
        .keys([Key::secret(SECRET).unwrap(), Key::pem(&pem).unwrap()])
        .algorithms([Algorithm::HS256, Algorithm::RS256])
        .build()
        .unwrap();
    for text in [pem.as_str(), pem.trim_end(), &pem.replace('\n', "")] {
        let forged = token(HS256, r#"{"sub":"ada"}"#, &hs256(text));
        assert_eq!(verify(&backend, &forged), Err(TokenFault::Signature));
    }
    assert!(verify(&backend, &signed("RS256")).is_ok());
}

#[test]
fn t36_no_spelling_of_none_is_an_algorithm() {
    let backend = builder().build().unwrap();
    for name in ["none", "None", "NONE", "nOnE", "", " none", "HS256 ", "hs256", "HS999"] {
        for sign in [&|_: &[u8]| Vec::new() as Vec<u8>, &hs256(SECRET) as forge::Sign<'_>] {
            let forged = token(&format!(r#"{{"alg":"{name}"}}"#), r#"{"sub":"ada"}"#, sign);
            assert_eq!(verify(&backend, &forged), Err(TokenFault::Algorithm), "{name:?}");
        }
    }
    let without = token(r#"{"typ":"JWT"}"#, r#"{"sub":"ada"}"#, &hs256(SECRET));
    assert_eq!(verify(&backend, &without), Err(TokenFault::Algorithm));
    assert!("none".parse::<Algorithm>().is_err());
}

#[test]
fn t35_no_option_turns_the_signature_off() {
    let off = VerifyOptions {
        verify_exp: false,
        verify_nbf: false,
        verify_iat: false,
        verify_aud: false,
        verify_iss: false,
        verify_sub: false,
        verify_jti: false,
        ..VerifyOptions::default()
    };
    let backend = builder().verify_options(off).build().unwrap();
    let loose = r#"{"sub":"ada","exp":1,"nbf":"x","iat":9e99,"aud":"x","iss":"x","jti":1}"#;
    assert!(verify(&backend, &honest(loose)).is_ok());
    let forged = token(HS256, loose, &hs256(&"x".repeat(64)));
    assert_eq!(verify(&backend, &forged), Err(TokenFault::Signature));
}

#[test]
fn t36_unusable_keys_are_refused_at_construction() {
    let refused = |built: Result<JwtBackend, ConfigError>, field: &str| {
        let error = built.unwrap_err();
        assert_eq!(error.field(), field, "{error}");
        error.to_string()
    };
    refused(JwtBackend::builder().build(), "key");
    refused(builder().algorithms([]).build(), "algorithms");
    refused(builder().algorithms([Algorithm::RS256]).build(), "algorithms");
    refused(builder().algorithms([Algorithm::HS256, Algorithm::ES256]).build(), "algorithms");
    let unused = builder().key(Key::pem(&public_pem("rsa2048")).unwrap());
    refused(unused.build(), "algorithms");
    let p384 = || JwtBackend::builder().key(Key::pem(&public_pem("p-384")).unwrap());
    refused(p384().algorithms([Algorithm::ES256]).build(), "algorithms");
    for (algorithm, bytes) in [(Algorithm::HS256, 32), (Algorithm::HS384, 48), (Algorithm::HS512, 64)] {
        let secret =
            |length| JwtBackend::builder().key(Key::secret(vec![7; length]).unwrap()).algorithms([algorithm]);
        let told = refused(secret(bytes - 1).build(), "secret");
        assert!(told.contains(&bytes.to_string()) && told.contains("authgate secret"), "{told}");
        assert!(secret(bytes).build().is_ok());
    }
    for name in ["rsa1024", "secp256k1"] {
        assert_eq!(Key::pem(&public_pem(name)).unwrap_err().field(), "key", "{name}");
    }
    assert!(Key::pem(&public_pem("rsa2048.pkcs1")).is_ok());
    let compatible = |length| {
        let key = Key::compatible_secret(vec![7; length]).unwrap();
        JwtBackend::builder().key(key).algorithms([Algorithm::HS256, Algorithm::HS512]).build()
    };
    assert!(refused(compatible(31), "secret").contains("32") && compatible(32).is_ok());
    assert_eq!(Key::compatible_secret(public_pem("rsa2048")).unwrap_err().field(), "secret");
    let settings: [(&str, JwtBackendBuilder); 9] = [
        ("leeway", builder().leeway_seconds(f64::NAN)),
        ("leeway", builder().leeway(Duration::MAX)),
        ("audience", builder().audience([""])),
        ("audience", builder().audience([] as [&str; 0])),
        ("issuer", builder().issuer([] as [&str; 0])),
        ("header", builder().header("X Token")),
        ("scheme", builder().scheme("")),
        ("user_claim", builder().user_claim("")),
        (
            "strict_aud",
            builder().verify_options(VerifyOptions { strict_aud: true, ..VerifyOptions::default() }),
        ),
    ];
    for (field, settings) in settings {
        refused(settings.build(), field);
    }
}

#[test]
fn t37_nothing_critical_is_understood_and_no_key_comes_with_the_token() {
    let backend = builder().build().unwrap();
    let own = r#""jwk":{"kty":"oct","k":"eA"},"jku":"https://evil.example/k","x5u":"https://evil.example/c","x5c":["x"]"#;
    let brought = token(&format!(r#"{{"alg":"HS256",{own}}}"#), r#"{"sub":"ada"}"#, &hs256("x"));
    assert_eq!(verify(&backend, &brought), Err(TokenFault::Signature));
    for crit in ["[]", r#"["exp"]"#, r#"["b64"]"#, "null", "1", "\"exp\""] {
        let critical =
            token(&format!(r#"{{"alg":"HS256","crit":{crit}}}"#), r#"{"sub":"ada"}"#, &hs256(SECRET));
        assert_eq!(verify(&backend, &critical), Err(TokenFault::Critical), "{crit}");
    }
}

#[test]
fn a_key_id_selects_and_with_an_unknown_one_the_keys_are_tried_in_order() {
    let old = "an old secret of sixty-four bytes, which is being rotated out ...";
    let backend = JwtBackend::builder()
        .key(Key::secret(SECRET).unwrap().with_id("new"))
        .key(Key::secret(old).unwrap())
        .build()
        .unwrap();
    let signed = |kid: &str, secret: &str| {
        token(&format!(r#"{{"alg":"HS256"{kid}}}"#), r#"{"sub":"ada"}"#, &hs256(secret))
    };
    for (kid, secret, opens) in [
        (r#","kid":"new""#, SECRET, true),
        (r#","kid":"new""#, old, false),
        (r#","kid":"gone""#, old, true),
        (r#","kid":"gone""#, SECRET, true),
        ("", SECRET, true),
        ("", old, true),
    ] {
        assert_eq!(verify(&backend, &signed(kid, secret)).is_ok(), opens, "{kid} {secret}");
    }
    assert_eq!(verify(&backend, &signed(r#","kid":7"#, SECRET)), Err(TokenFault::Header));
}

#[test]
fn a_key_set_serves_every_algorithm_that_is_allowed() {
    let set = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/keys/jwks.json")).unwrap();
    let keys = Key::jwk_set(&set).unwrap();
    let ids: Vec<_> = keys.iter().filter_map(Key::id).collect();
    assert_eq!(ids, ["rsa2048", "p-256", "p-384", "p-521", "ed25519"]);
    let public: Vec<_> =
        Algorithm::ALL.iter().copied().filter(|name| !name.as_str().starts_with("HS")).collect();
    let backend = JwtBackend::builder().keys(keys).algorithms(public.clone()).build().unwrap();
    for algorithm in public {
        let name = algorithm.as_str();
        let header = format!(r#"{{"alg":"{name}","kid":"{}"}}"#, key_name(name));
        let known = token(&header, r#"{"sub":"ada"}"#, &*signer(name));
        assert!(verify(&backend, &known).is_ok() && verify(&backend, &signed(name)).is_ok(), "{name}");
    }
    let some = JwtBackend::builder().keys(Key::jwk_set(&set).unwrap()).algorithms([Algorithm::ES256]).build();
    assert!(some.is_ok(), "a set may hold more than is allowed");
    let secret =
        Key::jwk(&format!(r#"{{"kty":"oct","k":"{}","alg":"HS512"}}"#, base64(SECRET.as_bytes()))).unwrap();
    let built = JwtBackend::builder().key(secret).algorithms([Algorithm::HS256]).build();
    assert_eq!(built.unwrap_err().field(), "algorithms", "a JWK is pinned to its `alg`");
}

#[test]
fn t36_nobody_forges_under_the_name_of_a_providers_key() {
    let set = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/keys/jwks.json")).unwrap();
    let backend = JwtBackend::builder().key_set(KeySetLimits::default()).algorithms([Algorithm::ES256]);
    let backend = backend.build().unwrap();
    backend.key_set().unwrap().fetched(&set, None, NOW).unwrap();
    let good = signer("ES256");
    let forged = |message: &[u8]| good(&[message, b"x"].concat());
    for (kid, honestly, otherwise) in [
        (r#","kid":"p-256""#, Ok(()), TokenFault::Signature),
        ("", Ok(()), TokenFault::UnknownKey),
        (r#","kid":"gone""#, Err(TokenFault::UnknownKey), TokenFault::UnknownKey),
        (r#","kid":"ed25519""#, Err(TokenFault::Signature), TokenFault::Signature),
    ] {
        let header = format!(r#"{{"alg":"ES256"{kid}}}"#);
        let verify = |sign: &dyn Fn(&[u8]) -> Vec<u8>| {
            verify(&backend, &token(&header, r#"{"sub":"ada"}"#, sign)).map(|_| ())
        };
        assert_eq!(verify(&*good), honestly, "{kid}");
        assert_eq!(verify(&forged), Err(otherwise), "{kid}");
    }
}

#[test]
fn a_token_with_only_a_subject_and_a_name_is_good() {
    let user = claims(r#"{"sub":"ada","name":"Ada"}"#).unwrap();
    assert_eq!(
        (user.id.as_str(), user.name.as_str(), user.is_admin, user.roles.len()),
        ("ada", "Ada", false, 0)
    );
    assert_eq!(claims(r#"{"sub":"ada","name":""}"#).unwrap().name, "ada");
    assert_eq!(claims(r#"{"sub":"ada","name":null}"#).unwrap().name, "ada");
    assert_eq!(claims(r#"{"sub":"\u00e9\ud83d\ude00"}"#).unwrap().id, "é😀");
    for payload in ["{}", r#"{"sub":""}"#, r#"{"name":"Ada"}"#] {
        assert_eq!(claims(payload), Err(TokenFault::NoUser), "{payload}");
    }
}

#[test]
fn a_user_claim_may_be_a_number_but_nothing_stranger() {
    let backend = builder().user_claim("uid").build().unwrap();
    let id = |json: &str| verify(&backend, &honest(&format!(r#"{{"uid":{json}}}"#))).map(|user| user.id);
    assert_eq!(id("42").unwrap(), "42");
    assert_eq!(id("123456789012345678901234567890").unwrap(), "123456789012345678901234567890");
    for json in
        ["0", "-0", "0.0", "0e5", "-0e1", "1e-400", "null", "true", "[]", "[1]", "{}", r#"{"a":1}"#, "\"\""]
    {
        assert_eq!(id(json), Err(TokenFault::NoUser), "{json}");
    }
}

#[test]
fn t31_rights_come_from_the_configured_claims_only() {
    let admin = |json: &str| claims(&format!(r#"{{"sub":"ada","is_admin":{json}}}"#)).unwrap().is_admin;
    for json in ["true", "\"true\"", "\" Yes \"", "\"1\"", "\"ON\"", r#""\u001con\u00a0""#] {
        assert!(admin(json), "{json}");
    }
    for json in
        ["false", "null", "1", "1.0", "\"\"", "\"no\"", "\"admin\"", "[true]", "[]", "{}", r#"{"true":true}"#]
    {
        assert!(!admin(json), "{json}");
    }
    let roles = |json: &str| claims(&format!(r#"{{"sub":"ada","roles":{json}}}"#)).unwrap().roles;
    assert_eq!(roles("\"ops admin\""), ["ops admin"]);
    assert_eq!(roles(r#"["ops","",null,"viewer",7,["x"],{"y":1},true]"#), ["ops", "viewer", "7"]);
    for json in ["null", "{}", r#"{"ops":true}"#, "[]", "\"\"", "[1.5,0,-0]"] {
        assert!(roles(json).is_empty(), "{json}");
    }
    for json in ["7", "0", "1.5", "true", "false"] {
        let found = claims(&format!(r#"{{"sub":"ada","roles":{json}}}"#));
        assert_eq!(found, Err(TokenFault::Claim("roles")), "{json}");
    }
    let smuggled =
        r#"{"sub":"ada","role":"admin","admin":true,"claims":{"is_admin":true},"extra":{"roles":["x"]}}"#;
    let user = claims(smuggled).unwrap();
    assert!(!user.is_admin && user.roles.is_empty());
}

#[test]
fn times_are_compared_as_pyjwt_does() {
    let at = |payload: &str, leeway_ms: u64, now_ms: i64| {
        let backend = builder().leeway(Duration::from_millis(leeway_ms)).build().unwrap();
        let token = honest(&format!(r#"{{"sub":"ada",{payload}}}"#));
        backend
            .verify(token.as_bytes(), authgate_core::Timestamp::from_millis(now_ms))
            .map(|proven| proven.until)
    };
    for (payload, leeway, now, wanted) in [
        (r#""exp":100"#, 0, 99_999, None),
        (r#""exp":100"#, 0, 100_000, Some(TokenFault::Expired)),
        (r#""exp":100.9"#, 0, 100_000, Some(TokenFault::Expired)),
        (r#""exp":100"#, 500, 100_499, None),
        (r#""exp":100"#, 500, 100_500, Some(TokenFault::Expired)),
        (r#""exp":1e2"#, 0, 99_000, None),
        (r#""exp":99999999999999999999999999"#, 0, 100_000, None),
        (r#""exp":-99999999999999999999999999"#, 0, 100_000, Some(TokenFault::Expired)),
        (r#""exp":1e300"#, 0, 100_000, None),
        (r#""nbf":100"#, 0, 100_000, None),
        (r#""nbf":101"#, 0, 100_999, Some(TokenFault::NotYetValid)),
        (r#""nbf":101"#, 1000, 100_000, None),
        (r#""iat":100.9"#, 0, 100_000, None),
        (r#""iat":101"#, 0, 100_999, Some(TokenFault::NotYetValid)),
        (r#""iat":101,"iat":1"#, 0, 100_000, None),
        (r#""iat":1,"iat":101"#, 0, 100_000, Some(TokenFault::NotYetValid)),
    ] {
        assert_eq!(at(payload, leeway, now).err(), wanted, "{payload} at {now} with {leeway}");
    }
    let strict = builder().leeway_seconds(-1.5).build().unwrap();
    for (payload, now, wanted) in [
        (r#""exp":100"#, 98_499, None),
        (r#""exp":100"#, 98_500, Some(TokenFault::Expired)),
        (r#""nbf":100"#, 101_500, None),
        (r#""nbf":100"#, 101_499, Some(TokenFault::NotYetValid)),
    ] {
        let token = honest(&format!(r#"{{"sub":"ada",{payload}}}"#));
        let found = strict.verify(token.as_bytes(), authgate_core::Timestamp::from_millis(now));
        assert_eq!(found.err(), wanted, "{payload} at {now}");
    }
    let until = at(r#""exp":100"#, 500, 0).unwrap().unwrap();
    assert_eq!(until.as_millis(), 100_500, "a proof ends with its leeway");
}

#[test]
fn t38_every_registered_claim_refuses_every_wrong_type() {
    let types = [
        "null",
        "true",
        "false",
        "0",
        "1",
        "-1",
        "1.5",
        "\"\"",
        "\"x\"",
        "[]",
        "[\"x\"]",
        "[1]",
        "{}",
        r#"{"a":1}"#,
    ];
    let numbers = ["0", "1", "-1", "1.5"];
    for required in [false, true] {
        for claim in ["exp", "nbf", "iat", "iss", "aud", "sub", "jti"] {
            let options = VerifyOptions {
                require: if required { vec![claim.to_owned()] } else { Vec::new() },
                ..VerifyOptions::default()
            };
            let backend = builder().user_claim("uid").verify_options(options).build().unwrap();
            for json in types {
                let sound = match claim {
                    // Long expired, but of the right type.
                    "exp" => false,
                    "nbf" | "iat" => numbers.contains(&json),
                    "iss" => json.starts_with('"') || (json == "null" && !required),
                    // No audience is set, so only an `aud` that names nobody passes.
                    "aud" => matches!(json, "\"\"" | "[]") || (json == "null" && !required),
                    _ => json.starts_with('"'),
                };
                let found = verify(&backend, &honest(&format!(r#"{{"uid":"ada","{claim}":{json}}}"#)));
                assert_eq!(found.is_ok(), sound, "{claim}: {json}, required: {required}: {found:?}");
                if claim == "exp" {
                    let fault =
                        if numbers.contains(&json) { TokenFault::Expired } else { TokenFault::Claim("exp") };
                    assert_eq!(found, Err(fault), "{json}");
                }
            }
            let without = verify(&backend, &honest(r#"{"uid":"ada"}"#));
            assert_eq!(without.is_ok(), !required, "{claim} is missing, required: {required}");
        }
    }
}

#[test]
fn audiences_and_issuers_are_as_in_pyjwt() {
    let table: &[(&[&str], bool, &str, bool)] = &[
        (&[], false, "", true),
        (&[], false, r#","aud":"a""#, false),
        (&["a"], false, "", false),
        (&["a"], false, r#","aud":"a""#, true),
        (&["a", "b"], false, r#","aud":["x","b"]"#, true),
        (&["a"], false, r#","aud":"x""#, false),
        (&["a"], false, r#","aud":"""#, false),
        (&["a"], false, r#","aud":null"#, false),
        (&["a"], false, r#","aud":["x"]"#, false),
        (&["a"], false, r#","aud":[]"#, false),
        (&["a"], false, r#","aud":["a",1]"#, false),
        (&["a"], false, r#","aud":{"a":1}"#, false),
        (&["a"], true, r#","aud":"a""#, true),
        (&["a"], true, r#","aud":["a"]"#, false),
    ];
    for (audience, strict_aud, payload, opens) in table {
        let options = VerifyOptions { strict_aud: *strict_aud, ..VerifyOptions::default() };
        let plain = builder().verify_options(options);
        let backend = if audience.is_empty() { plain } else { plain.audience(audience.iter().copied()) };
        let found = verify(&backend.build().unwrap(), &honest(&format!(r#"{{"sub":"ada"{payload}}}"#)));
        assert_eq!(found.is_ok(), *opens, "{audience:?} {strict_aud} {payload}: {found:?}");
    }
    let demanding = builder().audience(["a"]).build().unwrap();
    assert_eq!(verify(&demanding, &honest(r#"{"sub":"ada"}"#)), Err(TokenFault::Missing("aud")));
    assert_eq!(verify(&demanding, &honest(r#"{"sub":"ada","aud":"x"}"#)), Err(TokenFault::Audience));
    let backend = builder().issuer(["a", "b"]).build().unwrap();
    for (payload, opens) in
        [(r#","iss":"b""#, true), (r#","iss":"c""#, false), ("", false), (r#","iss":["a"]"#, false)]
    {
        let found = verify(&backend, &honest(&format!(r#"{{"sub":"ada"{payload}}}"#)));
        assert_eq!(found.is_ok(), opens, "{payload}: {found:?}");
    }
}

#[test]
fn whoever_has_other_names_for_its_claims_is_understood() {
    let backend = builder()
        .user_claim("uid")
        .user_name_claim("nick")
        .admin_claim("root")
        .roles_claim("groups")
        .build()
        .unwrap();
    let token =
        honest(r#"{"uid":"ada","nick":"Ada","root":true,"groups":["ops"],"sub":"x","is_admin":false}"#);
    let user = verify(&backend, &token).unwrap();
    assert_eq!((&*user.id, &*user.name, user.is_admin, user.roles), ("ada", "Ada", true, vec!["ops".into()]));
    assert_eq!(verify(&backend, &honest(r#"{"sub":"ada"}"#)), Err(TokenFault::NoUser));
}

#[test]
fn as_many_claims_may_be_required_as_there_are_bits_to_count_them() {
    let requiring = |number: usize| {
        let require = (0..number).map(|one| format!("c{one}")).collect();
        builder().verify_options(VerifyOptions { require, ..VerifyOptions::default() }).build()
    };
    assert_eq!(requiring(65).unwrap_err().field(), "require");
    let all = (0..64).map(|one| format!(r#","c{one}":1"#)).collect::<Vec<_>>().concat();
    let (all, last) = (honest(&format!(r#"{{"sub":"ada"{all}}}"#)), all.replace(r#","c63":1"#, ""));
    let backend = requiring(64).unwrap();
    assert!(verify(&backend, &all).is_ok());
    let found = verify(&backend, &honest(&format!(r#"{{"sub":"ada"{last}}}"#)));
    assert_eq!(found, Err(TokenFault::Required));
}

#[test]
fn a_required_claim_must_be_there_and_not_null() {
    let require = vec!["exp".to_owned(), "tenant".to_owned(), "tenant".to_owned()];
    let options = VerifyOptions { require, ..VerifyOptions::default() };
    let backend = builder().verify_options(options).build().unwrap();
    for (payload, opens) in [
        (r#""exp":9999999999,"tenant":0"#, true),
        (r#""exp":9999999999,"tenant":null"#, false),
        (r#""exp":9999999999,"tenant":1,"tenant":null"#, false),
        (r#""exp":9999999999,"tenant":null,"tenant":1"#, true),
        (r#""exp":9999999999,"tenant":1,"tenant":2"#, true),
        (r#""tenant":1"#, false),
    ] {
        let found = verify(&backend, &honest(&format!(r#"{{"sub":"ada",{payload}}}"#)));
        assert_eq!(found.is_ok(), opens, "{payload}: {found:?}");
    }
}

#[test]
fn t39_size_and_depth_end_in_a_refusal() {
    let backend = builder().build().unwrap();
    let long = honest(&format!(r#"{{"sub":"ada","x":"{}"}}"#, "x".repeat(200_000)));
    assert_eq!(verify(&backend, &long), Err(TokenFault::TooLong));
    assert_eq!(verify(&backend, &".".repeat(200_000)), Err(TokenFault::TooLong));
    assert_eq!(verify(&backend, &"x".repeat(64 * 1024 + 1)), Err(TokenFault::TooLong));
    assert_eq!(verify(&backend, &"x".repeat(64 * 1024)), Err(TokenFault::Encoding), "as long as it may be");
    let nested =
        |levels: usize| format!(r#"{{"sub":"ada","x":{}{}}}"#, "[".repeat(levels), "]".repeat(levels));
    assert!(claims(&nested(126)).is_ok());
    assert_eq!(claims(&nested(127)), Err(TokenFault::Payload));
    assert_eq!(claims(&nested(20_000)), Err(TokenFault::Payload));
    let deep_header = format!(r#"{{"alg":"HS256","x":{}{}}}"#, "[".repeat(10_000), "]".repeat(10_000));
    let deep = token(&deep_header, r#"{"sub":"ada"}"#, &hs256(SECRET));
    assert_eq!(verify(&backend, &deep), Err(TokenFault::Header));
}

#[test]
fn leniency_that_no_honest_issuer_needs_is_refused() {
    let backend = builder().build().unwrap();
    let good = honest(r#"{"sub":"ada"}"#);
    let padded = |part: usize| {
        let mut parts: Vec<_> = good.split('.').map(str::to_owned).collect();
        parts[part].push('=');
        parts.join(".")
    };
    for bad in [
        padded(0),
        padded(1),
        padded(2),
        format!("{good}."),
        format!("{good}.x"),
        format!(" {good}"),
        good.replace('.', ","),
    ] {
        assert!(verify(&backend, &bad).is_err(), "{bad}");
    }
    for payload in [
        r#"{"sub":"ada","exp":"9999999999"}"#,
        r#"{"sub":"ada","exp":true}"#,
        r#"{"sub":"ada","exp":1e999}"#,
        r#"{"sub":"ada","x":NaN}"#,
        r#"{"sub":"ada","exp":Infinity}"#,
        r#"{"sub":"ada","x":"\ud83d"}"#,
        r#"{"sub":"ada",}"#,
        r#"{"sub":"ada"} x"#,
        r#"["ada"]"#,
        r#""ada""#,
        "",
    ] {
        assert!(claims(payload).is_err(), "{payload}");
    }
    let utf16: Vec<u8> = r#"{"sub":"ada"}"#.encode_utf16().flat_map(u16::to_le_bytes).collect();
    for bytes in [utf16.as_slice(), b"\xef\xbb\xbf{\"sub\":\"ada\"}", b"{\"sub\":\"ada\",\"x\":\"\xff\"}"] {
        let odd = token_of_bytes(HS256.as_bytes(), bytes, &hs256(SECRET));
        assert_eq!(verify(&backend, &odd), Err(TokenFault::Payload));
    }
}

#[test]
fn claims_are_kept_as_they_were_signed() {
    let digits = |count: usize| format!(r#"{{"sub":"ada","x":[{{"y":-{}}}]}}"#, "7".repeat(count));
    assert!(claims(&digits(4300)).is_ok());
    assert_eq!(claims(&digits(4301)), Err(TokenFault::Payload), "more than CPython reads");
    let payload = r#"{"sub":"ada","big":123456789012345678901234567890,"f":1.50,"dup":1,"dup":2}"#;
    let user = claims(payload).unwrap();
    let kept = user.claims.clone().unwrap();
    assert_eq!(kept.json(), payload);
    assert_eq!((kept.get::<u8>("dup"), kept.get::<u8>("missing")), (Some(2), None));
    assert!(!format!("{user:?}").contains("123456"), "claims are not printed");
}
