use proptest::collection::vec;
use proptest::prelude::*;

use crate::strategies::one_of;

/// A path; `{mount}`, `{login}` and `{logout}` are the gate's.
pub fn paths() -> BoxedStrategy<String> {
    let usual = [
        "/queues",
        "/queues",
        "/queues/secret",
        "/Queues",
        "/audit",
        "/static/a.css",
        "/healthz",
        "/",
        "/a%20b",
    ];
    let pieces = [
        "/queues",
        "/secret",
        "/Queues",
        "/open",
        "/static",
        "/assets",
        "/healthz",
        "/audit",
        "/one",
        "/a;b",
        "/",
        "/",
        "//",
        "/.",
        "/..",
        "/%2e%2e",
        "/%252e",
        "/..;",
        "/..%20",
        "/.%3b",
        "%2f",
        "%5c",
        "%00",
        "%0d%0a",
        "/%41",
        "/%61udit",
        "/a%20b",
        "/caf%C3%A9",
        "/%C3%A9",
        "/%ff",
        "%u002e",
        ";",
        ";x=1",
        ".",
        "a",
        "//evil.example",
        "/logout",
        "%2561",
        "/%25",
    ];
    let odd = prop_oneof![one_of(&["\\", "#x", "é", " ", "\u{7f}", "\"", "<"]), "[ -~]{0,12}"];
    let below = prop_oneof![
        16 => one_of(&usual),
        5 => vec(one_of(&pieces), 1..5).prop_map(|pieces| pieces.concat()),
        1 => (vec(one_of(&pieces), 1..3), odd).prop_map(|(pieces, odd)| pieces.concat() + &odd),
    ]
    .boxed();
    prop_oneof![
        30 => below.clone().prop_map(|path| format!("{{mount}}{path}")),
        1 => Just("{mount}".to_owned()),
        1 => below,
        3 => Just("{mount}{login}".to_owned()),
        2 => Just("{mount}{logout}".to_owned()),
        1 => one_of(&["{mount}/callback-1", "{mount}/callback-2"]),
    ]
    .boxed()
}

pub(super) fn queries() -> BoxedStrategy<String> {
    prop_oneof![
        6 => Just(String::new()),
        2 => one_of(&["?page=2", "?", "?next=%2Fops%2Fqueues%3Fa%3D1%26b", "?next=//evil.example",
            "?next=%2Fops%2F%2Fevil.example", "?next=%2F%5Cevil.example"]),
        1 => "\\?next=[/.%25efcops2F5C\\\\?#&a]{0,20}",
        1 => "\\?[ -~]{0,20}",
    ]
    .boxed()
}
