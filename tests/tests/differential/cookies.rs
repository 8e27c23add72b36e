//! `Cookie` fields against the `cookie` crate: which sessions are found in one; and `Set-Cookie` as that crate reads it.

use authgate_core::{Scheme, SessionId, Step};
use authgate_tests::case::{Answers, At, Backend, Config, Kept, Person, Request, run, secret};
use authgate_tests::strategies::{cases, one_of};
use authgate_tests::world::NOW;
use proptest::collection::vec;
use proptest::prelude::*;

use crate::list::Reason::Without;
use crate::list::{Both, Reason, check, mended};

fn config() -> Config {
    Config { backends: vec![Backend::People], ..Config::default() }
}

/// The sessions that are found in a field, in its order.
type Found = Vec<SessionId>;

/// What a sign-out ends is all that the gate finds; and it is signed in by one that is alone, and by none of several.
fn ours(field: &str) -> Found {
    let gate = config().build(NOW).gate;
    let posted =
        Request { method: "POST".to_owned(), target: "/ops/logout".to_owned(), ..Request::default() };
    let request = posted.with("cookie", field).with("sec-fetch-site", "same-origin");
    let mut step = request.lend(|head| gate.begin(head, NOW));
    let mut found = Vec::new();
    loop {
        step = match step {
            Step::LoadSession(id, then) => {
                found.push(id);
                then.resume(Ok(None), NOW)
            }
            Step::DropSession(_, then) => then.resume(Ok(()), NOW),
            Step::Done(_) => break,
            other => panic!("not asked about here: {other:?}"),
        };
    }
    // It is the last one that is ended first.
    found.reverse();
    let looked = Request::default().with("cookie", field).lend(|head| gate.begin(head, NOW));
    match (looked, &found[..]) {
        (Step::LoadSession(id, _), [one]) => assert_eq!(id, *one),
        (Step::Done(_), found) => assert_ne!(found.len(), 1, "{field:?}"),
        (step, found) => panic!("{found:?} in {field:?}, but {step:?}"),
    }
    found
}

fn theirs(field: &str) -> Found {
    let named = cookie::Cookie::split_parse(field).flatten().filter(|cookie| cookie.name() == "authgate");
    let number = |value: &str| [1, 2].into_iter().find(|number| value == secret(*number));
    named.filter_map(|cookie| number(cookie.value())).map(Kept::id).collect()
}

fn ask(field: &str) -> Both {
    let one = [Kept::id(1)];
    Both { ours: ours(field) == one, theirs: theirs(field) == one }
}

/// A field with each of its cookies changed.
fn each(field: &str, change: impl FnMut(&str) -> String) -> Option<String> {
    let changed = field.split(';').map(change).collect::<Vec<_>>().join(";");
    (changed != field).then_some(changed)
}

fn is_ours(cookie: &str) -> bool {
    cookie.trim_ascii().starts_with("authgate=")
}

const REASONS: &[Reason<String>] = &[
    Without("white space beyond ASCII", |field| {
        each(field, |cookie| cookie.replace(|c: char| !c.is_ascii() && c.is_whitespace(), " "))
    }),
    Without("white space around the equals sign", |field| {
        each(field, |cookie| match cookie.split_once('=') {
            Some((name, value)) if name.trim() == "authgate" => format!("authgate={}", value.trim()),
            _ => cookie.to_owned(),
        })
    }),
    // The first ones are what is left.
    Without("more than eight cookies of the name", |field| {
        let mut count = 0;
        each(field, |cookie| {
            count += usize::from(is_ours(cookie));
            if is_ours(cookie) && count > 8 { String::new() } else { cookie.to_owned() }
        })
    }),
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
        let (our, their) = (ours(&field), theirs(&field));
        // Not one that the crate does not find, nor in another order.
        let mut rest = their.iter();
        prop_assert!(our.iter().all(|id| rest.any(|other| id == other)), "{:?} {:?}", our, their);
        if our != their {
            let mended = mended(REASONS, &field);
            prop_assert!(mended.is_some_and(|field| ours(&field) == theirs(&field)), "{:?} {:?}", our, their);
        }
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
