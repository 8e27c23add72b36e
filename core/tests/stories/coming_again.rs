//! A sealed session that is shown again and again is worth no more than when it was shown first.

use std::sync::Arc;
use std::time::Duration;

use authgate_core::User;

use crate::visitor::Visitor;
use crate::world::sealed;

/// Somebody whose session has been shown until it is remembered.
fn remembered() -> Visitor {
    let mut ada = Visitor::new(sealed());
    ada.sign_in("ada", "right");
    assert!(!is_remembered(&mut ada), "who has come once or twice is read each time");
    assert!(is_remembered(&mut ada));
    ada
}

/// Shows the session twice: whether both times the same reading of it was found.
fn is_remembered(visitor: &mut Visitor) -> bool {
    let [one, other] = [(); 2].map(|()| user(visitor));
    assert_eq!(one, other);
    Arc::ptr_eq(&one, &other)
}

fn user(visitor: &mut Visitor) -> Arc<User> {
    visitor.get("/ops/queues").admitted.unwrap()
}

#[test]
fn t24_it_ends_when_it_is_unused() {
    let mut ada = remembered();
    ada.clock.pass(Duration::from_mins(30));
    assert_eq!(ada.get("/ops/queues").reason, "session-idle");
}

#[test]
fn t23_it_ends_when_its_user_signs_out() {
    let mut ada = remembered();
    let mut other_window = ada.twin();
    assert_eq!(other_window.post("/ops/logout", &[]).reason, "sign-out");
    assert_eq!(ada.get("/ops/queues").reason, "session-signed-out");
}

#[test]
fn t23_it_ends_when_its_user_is_signed_out_everywhere() {
    let mut ada = remembered();
    ada.world.gate.sign_out_everywhere("ada", ada.clock.now());
    assert_eq!(ada.get("/ops/queues").reason, "session-signed-out");
}

#[test]
fn it_ends_when_its_user_is_not_the_same_any_more() {
    let mut ada = remembered();
    ada.world.change("ada", |ada| ada.password = "n3w");
    ada.clock.pass(Duration::from_mins(1));
    assert_eq!(ada.get("/ops/queues").reason, "session-user-changed");
}

#[test]
fn its_seal_is_checked_again() {
    let ada = remembered();
    let whole = ada.cookie.clone().unwrap();
    let (name, value) = whole.split_once('=').unwrap();
    for at in 0..value.len() {
        let other = if &value[at..=at] == "A" { "B" } else { "A" };
        let mut forger = ada.twin();
        forger.cookie = Some(format!("{name}={}{other}{}", &value[..at], &value[at + 1..]));
        assert_eq!(forger.get("/ops/queues").reason, "session-cookie", "byte {at}");
    }
    assert_eq!(ada.twin().who().as_deref(), Some("ada"));
}

/// All sessions of these stories would be remembered in one place.
#[test]
fn each_is_told_who_they_are() {
    let mut ada = remembered();
    let mut bob = ada.world.visitor();
    bob.sign_in("bob", "b0bs");
    for _ in 0..4 {
        assert_eq!((&*user(&mut ada).id, &*user(&mut bob).id), ("ada", "bob"));
    }
    for visitor in [&mut bob, &mut ada] {
        is_remembered(visitor);
        assert!(is_remembered(visitor));
    }
    assert_eq!((&*user(&mut ada).id, &*user(&mut bob).id), ("ada", "bob"));
}
