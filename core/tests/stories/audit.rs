//! t33: the log says who, from where, what and why, in one line each, and no secret.

use std::time::Duration;

use authgate_core::{Kind, Peer, Sessions};

use crate::visitor::{API, Answer, Visitor};
use crate::world::{BOTH, World, gate};

const PASSWORD: &str = "Zebra-of-Ada";

fn ada(sessions: Sessions) -> Visitor {
    let visitor = Visitor::new(sessions);
    visitor.world.change("ada", |ada| ada.password = PASSWORD);
    visitor
}

#[test]
fn t33_every_sign_in_refusal_throttle_and_sign_out_is_told() {
    for sessions in BOTH {
        let mut ada = ada(sessions()).at([203, 0, 113, 9]);
        let client: Peer = std::net::IpAddr::from([203, 0, 113, 9]).into();
        let told = |answer: Answer, reason: &str, user: Option<&str>| {
            assert_eq!((answer.reason, answer.user.as_deref()), (reason, user), "{answer:?}");
            assert_eq!((answer.client, answer.kind), (client, Kind::Page));
            assert!(!answer.detail.is_empty() && !answer.detail.contains(PASSWORD));
        };
        told(ada.get("/ops/queues"), "not-signed-in", None);
        told(ada.try_to_sign_in("ada", "wrong"), "wrong-password", Some("ada"));
        told(ada.try_to_sign_in("eve", "wrong"), "wrong-password", Some("eve"));
        told(ada.try_to_sign_in("", "wrong"), "wrong-password", Some(""));
        told(ada.try_to_sign_in("ada", PASSWORD), "sign-in", Some("ada"));
        told(ada.get("/ops/queues"), "signed-in", Some("ada"));
        told(ada.send("POST", "/ops/queues", &[], b""), "cross-site", Some("ada"));
        told(ada.send("POST", "/ops/logout", &[], b""), "cross-site", None);
        told(ada.send("POST", "/ops/login", &[], b""), "cross-site", None);
        told(ada.post("/ops/logout", &[]), "sign-out", Some("ada"));
        told(ada.post("/ops/logout", &[]), "logout", None);
        ada.world.only_down(&["check"]);
        told(ada.try_to_sign_in("ada", PASSWORD), "unavailable", Some("ada"));
        ada.world.only_down(&[]);
        for _ in 0..20 {
            ada.try_to_sign_in("ada", "wrong");
        }
        told(ada.try_to_sign_in("ada", PASSWORD), "throttled", Some("ada"));
    }
}

#[test]
fn t33_an_outage_is_told_in_the_stores_own_words() {
    let mut ada = ada(Sessions::records()).with(API);
    ada.world.only_down(&["create"]);
    let answer = ada.try_to_sign_in("ada", PASSWORD);
    assert_eq!((answer.detail.as_str(), answer.kind), ("create is down", Kind::Api));
}

#[test]
fn t33_no_secret_is_ever_printed() {
    for sessions in BOTH {
        let mut ada = ada(sessions());
        let mut cookies = Vec::new();
        let mut events = Vec::new();
        let mut note =
            |answer: &Answer| events.push(format!("{} {} {:?}", answer.reason, answer.detail, answer.user));
        for _ in 0..3 {
            note(&ada.try_to_sign_in("ada", &format!("{PASSWORD}?")));
            note(&ada.try_to_sign_in("ada", PASSWORD));
            cookies.push(ada.cookie.clone().unwrap());
            ada.clock.pass(Duration::from_mins(2));
            note(&ada.get("/ops/queues"));
            cookies.push(ada.cookie.clone().unwrap());
        }
        let mut thief = ada.twin();
        note(&ada.post("/ops/logout", &[]));
        note(&thief.get("/ops/queues"));
        ada.cookie = Some("authgate=spoilt".to_owned());
        note(&ada.get("/ops/queues"));

        let printed = ada.world.printed.lock().unwrap().join("\n");
        assert!(
            printed.contains("CheckPassword")
                && printed.contains("ReadBody")
                && printed.contains("Sensitive")
        );
        let drawn = format!("{:?}", [7_u8; 8]);
        for text in [printed.as_str(), &events.join("\n")] {
            assert!(!text.contains(PASSWORD), "{text}");
            assert!(!text.contains(drawn.trim_matches(['[', ']'])) && !text.contains("spoilt"), "{text}");
            for cookie in &cookies {
                assert!(!text.contains(cookie.split_once('=').unwrap().1), "{text}");
            }
        }
        // A printed step tells whom it is about all the same.
        assert!(printed.contains("username: \"ada\", password: •••"));
    }
}

#[test]
fn t33_a_username_is_one_short_line_whatever_was_typed() {
    let world = World::new(gate(Sessions::records()));
    let long = "é".repeat(4000);
    let line = "a".repeat(300);
    for (number, (typed, told)) in (0..).zip([
        ("ada\nsign-in user=bob", "ada sign-in user=bob".to_owned()),
        ("ada\r\n\0\u{1b}[2K", "ada    [2K".to_owned()),
        ("ada\u{2028}bob\u{202e}x\u{2066}y\u{85}", "ada bob x y ".to_owned()),
        (&long, "é".repeat(128)),
        (&line, "a".repeat(128)),
    ]) {
        let mut somebody = world.visitor().at([203, 0, 113, number]);
        let answer = somebody.try_to_sign_in(typed, "wrong");
        assert_eq!((answer.reason, answer.user), ("wrong-password", Some(told)));
        assert!(!answer.detail.contains(|c: char| c.is_control()));
    }
}

#[test]
fn t33_what_a_store_says_is_one_line() {
    let ada = ada(Sessions::records());
    let step = ada.begin("GET", "/ops/queues", &[("cookie", &format!("authgate={}", "A".repeat(43)))]);
    let why = authgate_core::Unavailable::new("refused\nsign-in user=bob\u{2028}");
    let step = step.unavailable(why, ada.clock.now());
    let authgate_core::Step::Done(decision) = step else { panic!("the end") };
    assert_eq!(decision.event().detail, "refused sign-in user=bob ");
}
