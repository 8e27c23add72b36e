use authgate_core::Peer;
use proptest::collection::vec;
use proptest::prelude::*;

use crate::strategies::one_of;

/// What stands in `Host`, once or more often.
pub(super) fn hosts() -> BoxedStrategy<Vec<String>> {
    let good = one_of(&[
        "DASH.example:80",
        "dash.example:",
        "dash.example:8443",
        "ops.example:8443",
        "[2001:db8::1]",
        "[2001:DB8:0::1]:443",
        "dash.example.",
    ]);
    let bad = one_of(&["evil.example", "a/b", "a@b", "", "é", "dash.example:99999", "[::1"]);
    prop_oneof![
        40 => Just(vec!["dash.example".to_owned()]),
        6 => vec(good, 1..2),
        1 => vec(bad, 1..2),
        1 => Just(Vec::new()),
        1 => Just(vec!["dash.example".to_owned(); 2]),
    ]
    .boxed()
}

/// Who is at the other end. Some addresses are the last of a network, or the first after it.
pub(super) fn peers() -> BoxedStrategy<Peer> {
    let usual = ["192.0.2.1", "192.0.2.1", "10.0.0.1", "127.0.0.1", "203.0.113.9", "2001:db8::7"];
    let near = [
        "192.0.2.127",
        "192.0.2.128",
        "192.0.3.1",
        "10.255.255.255",
        "11.0.0.0",
        "9.255.255.255",
        "203.0.113.8",
        "2001:db8:ffff::",
        "2001:db9::7",
        "::1",
    ];
    // However the host writes them: the gate is not told of `Peer::from` by everybody.
    let mapped = ["::ffff:10.0.0.9", "::ffff:192.0.2.1", "::ffff:127.0.0.1", "::ffff:11.0.0.1", "::10.0.0.1"];
    let address = prop_oneof![4 => one_of(&usual), 1 => one_of(&near), 1 => one_of(&mapped)];
    let address = address.prop_map(|text| Peer::Ip(text.parse().unwrap()));
    prop_oneof![8 => address, 1 => Just(Peer::Unix), 1 => Just(Peer::Unknown)].boxed()
}

/// What a browser says about where a request comes from.
pub(super) fn sites() -> BoxedStrategy<Vec<(String, String)>> {
    let site = one_of(&["same-origin", "same-origin", "none", "same-site", "cross-site", "x"]);
    let origin = one_of(&[
        "http://dash.example",
        "https://dash.example",
        "HTTP://Dash.Example:80",
        "http://dash.example:8443",
        "https://[2001:db8::1]",
        "http://evil.example",
        "null",
        "http://dash.example/",
        "ftp://dash.example",
        "https://dash.example:443",
        "ws://dash.example",
    ]);
    let said = |name: &'static str| move |value| (name.to_owned(), value);
    prop_oneof![
        6 => site.clone().prop_map(said("sec-fetch-site")).prop_map(|one| vec![one]),
        4 => origin.clone().prop_map(said("origin")).prop_map(|one| vec![one]),
        1 => (site.prop_map(said("sec-fetch-site")), origin.prop_map(said("origin"))).prop_map(|(one,
            two)| vec![one, two]),
        4 => Just(Vec::new()),
    ]
    .boxed()
}
