//! `Cookie` fields against the `cookie` crate: whether a session is found in one; and `Set-Cookie` as that crate reads it.

use authgate_core::{Scheme, Step};
use authgate_tests::case::{Answers, At, Backend, Config, Kept, Person, Request, run, secret};
use authgate_tests::strategies::{cases, one_of};
use authgate_tests::world::NOW;
use proptest::collection::vec;
use proptest::prelude::*;

use crate::list::{Both, Reason, check, has_a_reason};

fn config() -> Config {
    Config { backends: vec![Backend::People], ..Config::default() }
}

/// Whether either finds the one session, and no other, in this field.
fn ask(field: &str) -> Both {
    let gate = config().build(NOW).gate;
    let request = Request::default().with("cookie", field);
    let step = request.lend(|head| gate.begin(head, NOW));
    let ours = matches!(step, Step::LoadSession(id, _) if id == Kept::id(1));
    let all = cookie::Cookie::split_parse(field).filter_map(Result::ok);
    let values: Vec<_> =
        all.filter(|cookie| cookie.name() == "authgate").map(|cookie| cookie.value().to_owned()).collect();
    let (first, second) = (secret(1), secret(2));
    let sessions: Vec<_> = values.into_iter().filter(|value| *value == first || *value == second).collect();
    Both { ours, theirs: sessions == [first] }
}

const REASONS: &[Reason<String>] = &[
    ("white space around the equals sign", |field| {
        field.split(';').filter_map(|pair| pair.split_once('=')).any(|(name, value)| {
            name.trim() == "authgate"
                && (name.ends_with(char::is_whitespace) || value.starts_with(char::is_whitespace))
        })
    }),
    ("white space beyond ASCII", |field| field.chars().any(|c| !c.is_ascii() && c.is_whitespace())),
    ("more than eight cookies of the name", |field| field.matches("authgate=").count() > 8),
];

fn field() -> impl Strategy<Value = String> {
    let name = prop_oneof![6 => Just("authgate".to_owned()), 2 => one_of(&["authgates", "Authgate", "x", "",
        "authgate "]), 1 => "[ -~]{0,4}"];
    let value = prop_oneof![
        6 => Just(secret(1)),
        1 => Just(secret(2)),
        2 => one_of(&["", "x", "\"", "=", "%41"]),
        1 => Just(format!("\"{}\"", secret(1))),
        1 => Just(format!("{}=", secret(1))),
        1 => "[ -~]{0,4}",
    ];
    let space = || prop_oneof![12 => Just(""), 3 => Just(" "), 1 => Just("\t"), 1 => Just("\u{a0}")];
    let pair = (space(), name, space(), prop_oneof![8 => Just("="), 1 => Just("")], space(), value, space())
        .prop_map(|(a, name, b, equals, c, value, d)| format!("{a}{name}{b}{equals}{c}{value}{d}"));
    prop_oneof![6 => vec(pair.clone(), 1..4), 1 => vec(pair, 6..12)].prop_map(|pairs| pairs.join(";"))
}

proptest! {
    #![proptest_config(cases(2000))]

    #[test]
    fn a_session_is_found_where_the_cookie_crate_finds_it_but_for_the_list(field in field()) {
        let both = ask(&field);
        // In either direction: a cookie that one of them does not find may be the second, and then the first one counts.
        prop_assert!(both.ours == both.theirs || has_a_reason(REASONS, &field), "{:?}", both);
    }

    #[test]
    fn what_is_set_has_the_attributes_that_it_should(sealed in any::<bool>(),
        always_secure in any::<bool>(), over_tls in any::<bool>()) {
        let config = Config { sealed, always_secure, ..config() };
        let scheme = if over_tls { Scheme::Https } else { Scheme::Http };
        let request = Request { scheme, ..Request::sign_in() };
        let password = At::new(NOW.as_millis(), Ok(Some((Person::new("ada"), None))));
        let decision = run(&config.build(NOW), &request, &Answers { password,
            ..Answers::still(NOW) }).decision;
        let authgate_core::Decision::Respond(reply) = decision else { panic!("a sign-in is answered") };
        let (_, field) = reply.headers().iter().find(|(name, _)| name == "set-cookie").unwrap();
        let read = cookie::Cookie::parse(field.to_str().unwrap()).unwrap();
        prop_assert_eq!(read.name(), config.cookie(over_tls));
        prop_assert_eq!((read.http_only(), read.path(), read.same_site()), (Some(true), Some("/"),
            Some(cookie::SameSite::Lax)));
        prop_assert_eq!(read.secure().unwrap_or(false), over_tls || always_secure);
        prop_assert_eq!((read.domain(), read.max_age(), read.expires()), (None, None, None));
        prop_assert!(read.name().len() + read.value().len() <= 4096);
    }
}

#[test]
fn every_listed_difference_with_the_cookie_crate_is_there() {
    let read = |witness: &toml::Table| {
        witness["cookie"]
            .as_str()
            .unwrap()
            .replace("{one}", &secret(1))
            .replace("{eight}", &"authgate=x;".repeat(8))
    };
    check("cookie", REASONS, read, |field| ask(field));
}
