use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;
use proptest::sample::{select, subsequence};

use crate::case::{Trust, TrustedKey, tokens};

/// Any way to check tokens. Half of them are as they are by default but for the keys.
pub fn trusts() -> BoxedStrategy<Trust> {
    prop_oneof![1 => keys(), 1 => (keys(), parties(), claims(), carriers()).prop_map(
        |(trust, (audience, strict, issuer), (leeway, require, ignored, others), (header, scheme))| Trust {
            strict_audience: strict && audience.len() == 1,
            audience,
            issuer,
            leeway,
            require,
            ignored,
            user_claim: if others[0] { "uid" } else { trust.user_claim },
            admin_claim: if others[1] { "adm" } else { trust.admin_claim },
            roles_claim: if others[2] { "groups" } else { trust.roles_claim },
            header,
            scheme,
            ..trust
        },
    )]
    .boxed()
}

/// One key or several, with or without names, and the algorithms that they are for.
fn keys() -> BoxedStrategy<Trust> {
    let one = prop_oneof![2 => Just("secret"), 1 => Just("rsa2048"), 1 => Just("p-256")];
    let one = prop_oneof![3 => one.prop_map(Trust::in_key), 1 => Just(Trust::in_provider())];
    // A name may be that of another key, or of several.
    let id = option::of(select(vec!["one", "two", "rsa2048"]));
    let key = (select(tokens::KEYS.to_vec()), id).prop_map(|(name, id)| TrustedKey { name, id });
    let several = (vec(key, 1..4), prop::bool::weighted(0.3), subsequence(vec!["RS256", "ES256"], 1..=2));
    let several = several.prop_map(|(keys, provider, fetched)| {
        Trust { keys, provider, ..Trust::in_provider() }.for_its_keys(&fetched)
    });
    prop_oneof![1 => one, 1 => several].boxed()
}

type Parties = (Vec<&'static str>, bool, Vec<&'static str>);

fn parties() -> BoxedStrategy<Parties> {
    let some = |names: &[&'static str]| {
        let names = names.to_vec();
        prop_oneof![2 => Just(Vec::new()), 3 => subsequence(names, 1..=2)]
    };
    (some(&["dash", "ops"]), prop::bool::weighted(0.25), some(&["idp", "another idp"])).boxed()
}

type Claims = (i64, Vec<&'static str>, Vec<&'static str>, [bool; 3]);

fn claims() -> BoxedStrategy<Claims> {
    let require = [&["exp"][..], &["email"], &["jti"], &["exp", "iss"], &["nobody has it"]];
    let ignored = ["exp", "nbf", "iat", "aud", "iss", "sub", "jti"];
    let another = || prop::bool::weighted(0.15);
    (
        prop_oneof![2 => Just(0), 3 => select(vec![30_000, 30_000, 60_000, 500, -500, -30_000])],
        prop_oneof![3 => Just(Vec::new()), 1 => select(require.to_vec()).prop_map(<[_]>::to_vec)],
        prop_oneof![3 => Just(Vec::new()), 1 => subsequence(ignored.to_vec(), 1..4)],
        [another(), another(), another()],
    )
        .boxed()
}

fn carriers() -> BoxedStrategy<(&'static str, &'static str)> {
    prop_oneof![4 => Just(("authorization", "Bearer")), 1 => Just(("authorization", "Token")),
        1 => Just(("x-token", "bearer"))]
    .boxed()
}
