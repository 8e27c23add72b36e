//! Passwords are not to be guessed, and guessing locks nobody out (t28).

use std::time::Duration;

use authgate_core::{Sessions, Step};

use crate::visitor::{API, FORM, HTMX, Visitor, encode};
use crate::world::{BOTH, World, gate};

const LINK: &str = "/ops/queues?page=2";

/// How many of so many tries with a wrong password were asked about.
fn guess(visitor: &mut Visitor, username: &str, tries: usize) -> usize {
    let before = visitor.world.asked.lock().unwrap().len();
    for _ in 0..tries {
        let status = visitor.try_to_sign_in(username, "wr0ng").status;
        assert!(matches!(status, 401 | 429), "{status}");
    }
    visitor.world.asked.lock().unwrap().len() - before
}

#[test]
fn t28_after_ten_wrong_passwords_people_are_told_to_wait() {
    for sessions in BOTH {
        let mut ada = Visitor::new(sessions());
        assert_eq!(guess(&mut ada, "ada", 10), 10);
        // The right one is not even asked about.
        let fields = [("username", "ada"), ("password", "right"), ("next", LINK)];
        let answer = ada.post("/ops/login", &fields);
        assert_eq!((answer.status, answer.reason, answer.user.as_deref()), (429, "throttled", Some("ada")));
        assert_eq!((answer.header("retry-after"), answer.header("set-cookie")), ("1", ""));
        assert_eq!((&*answer.field("username"), &*answer.field("next")), ("ada", LINK));
        assert!(answer.body.contains("Too many tries. Please wait 1 s and try again."));
        assert!(!answer.body.contains("right"));
        assert_eq!(ada.world.asked.lock().unwrap().len(), 10);

        // Time opens it again, and the link is not lost.
        ada.clock.pass(Duration::from_secs(1));
        let answer = ada.post("/ops/login", &fields);
        assert_eq!((answer.status, answer.location()), (303, LINK));
    }
}

#[test]
fn t28_every_wrong_password_after_that_doubles_the_wait() {
    let mut ada = Visitor::new(Sessions::records());
    assert_eq!(guess(&mut ada, "ada", 10), 10);
    for wait in [1, 2, 4, 8, 16, 32, 64] {
        let answer = ada.try_to_sign_in("ada", "right");
        assert_eq!((answer.status, answer.header("retry-after")), (429, &*wait.to_string()));
        ada.clock.pass(Duration::from_millis(wait * 1000 - 1));
        assert_eq!(ada.try_to_sign_in("ada", "right").status, 429);
        ada.clock.pass(Duration::from_millis(1));
        assert_eq!(guess(&mut ada, "ada", 1), 1);
    }
}

#[test]
fn t28_programs_read_a_text() {
    for kind in [HTMX, API] {
        let mut ada = Visitor::new(Sessions::records()).with(kind);
        guess(&mut ada, "ada", 10);
        let answer = ada.try_to_sign_in("ada", "right");
        assert_eq!((answer.status, answer.body.as_str()), (429, "Too many tries"));
        assert_eq!(answer.header("content-type"), "text/plain; charset=utf-8");
        assert_eq!((answer.header("retry-after"), answer.header("hx-redirect")), ("1", ""));
    }
}

#[test]
fn t28_tries_at_the_same_instant_cannot_slip_through() {
    let ada = Visitor::new(Sessions::records());
    let body = encode(&[("username", "ada"), ("password", "wr0ng")]);
    let waiting: Vec<_> = (0..200)
        .map(|_| ada.world.advance(ada.begin("POST", "/ops/login", &FORM), body.as_bytes()))
        .filter(|step| matches!(step, Step::CheckPassword(..)))
        .collect();
    assert_eq!(waiting.len(), 10, "each is charged before it is asked about");
}

#[test]
fn t28_many_networks_share_the_tries_at_one_user() {
    let world = World::new(gate(Sessions::records()));
    for number in 0..200 {
        guess(&mut world.visitor().at([203, 0, 113, number]), "ada", 1);
    }
    assert_eq!(world.asked.lock().unwrap().len(), 10);
    assert_eq!(guess(&mut world.visitor().at([203, 0, 113, 250]), "bob", 1), 1, "Bob is not Ada");
}

#[test]
fn t28_a_name_written_in_another_way_is_the_same_name() {
    let world = World::new(gate(Sessions::records()));
    let mut asked = 0;
    for (number, name) in (0..).zip(["ada", "ADA", "Ada", " ada", "ada ", "a da", "ada\u{a0}"].repeat(3)) {
        asked += guess(&mut world.visitor().at([203, 0, 113, number]), name, 1);
    }
    assert_eq!(asked, 10);
}

#[test]
fn t28_strangers_lock_nobody_out_of_a_network_that_signed_in_before() {
    let world = World::new(gate(Sessions::records()));
    let mut home = world.visitor();
    home.sign_in("ada", "right");
    for number in 0..100 {
        guess(&mut world.visitor().at([203, 0, 113, number]), "ada", 3);
        world.clock.pass(Duration::from_secs(1));
    }
    let mut new_place = world.visitor().at([198, 51, 100, 1]);
    assert_eq!(new_place.try_to_sign_in("ada", "right").status, 429);
    home.sign_in("ada", "right");
    assert_eq!(guess(&mut home, "ada", 20), 10, "it has tries of its own, and no more");
}

#[test]
fn t28_a_success_gives_back_its_own_charge_only() {
    let mut ada = Visitor::new(Sessions::records());
    assert_eq!(guess(&mut ada, "ada", 9), 9);
    ada.sign_in("ada", "right");
    assert_eq!(guess(&mut ada, "bob", 5), 1, "nine of the network's tries stay used");
    let mut elsewhere = ada.world.visitor().at([198, 51, 100, 1]);
    assert_eq!(guess(&mut elsewhere, "ada", 5), 1, "and nine of those at Ada");
    for _ in 0..30 {
        ada.sign_in("ada", "right");
    }
    assert_eq!(guess(&mut ada, "ada", 20), 10, "signing in costs nothing");
}

#[test]
fn t28_an_outage_is_no_way_to_guess_for_free() {
    let mut ada = Visitor::new(Sessions::records());
    ada.world.only_down(&["check"]);
    for _ in 0..10 {
        assert_eq!(ada.try_to_sign_in("ada", "right").status, 503);
    }
    ada.world.only_down(&[]);
    assert_eq!(ada.try_to_sign_in("ada", "right").status, 429);
    ada.clock.pass(Duration::from_secs(1));
    ada.sign_in("ada", "right");
}

#[test]
fn t28_the_client_is_who_a_trusted_proxy_says_and_nobody_elses_word_counts() {
    let from = |number: u8| ("x-forwarded-for", format!("203.0.113.{number}"));
    for (proxies, asked) in [(&["192.0.2.1"][..], 30), (&[], 10)] {
        let mut proxy =
            World::new(gate(Sessions::records()).trusted_proxies(proxies.iter().copied())).visitor();
        for number in 0..30 {
            proxy.headers = vec![from(number)];
            proxy.try_to_sign_in(&format!("user {number}"), "wr0ng");
        }
        assert_eq!(proxy.world.asked.lock().unwrap().len(), asked);
    }
}
