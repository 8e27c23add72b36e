//! Keys are changed while people work, and a cookie that opens nothing is taken away.

use std::time::Duration;

use authgate_core::{GateBuilder, Sessions};
use base64_simd::URL_SAFE_NO_PAD;

use crate::visitor::Visitor;
use crate::world::{BOTH, Tokens, World, gate, key, sealed};

fn ring(names: &[&str]) -> GateBuilder {
    gate(Sessions::sealed(names.iter().map(|name| key(name))))
}

#[test]
fn a_new_key_goes_first_and_the_old_one_leaves_after_one_renewal() {
    let old = World::new(ring(&["old"]));
    let mut ada = old.visitor();
    ada.sign_in("ada", "right");

    ada.world = old.behind(ring(&["new", "old"]));
    assert_eq!(ada.who().as_deref(), Some("ada"), "the old key still opens");
    let sealed_with_old = ada.twin();
    ada.clock.pass(Duration::from_mins(1));
    assert_eq!(ada.who().as_deref(), Some("ada"));
    assert_ne!(ada.cookie, sealed_with_old.cookie, "sealed anew");

    ada.world = old.behind(ring(&["new"]));
    assert_eq!(ada.who().as_deref(), Some("ada"), "and with the new key");
    let mut late = Visitor { world: ada.world.clone(), ..sealed_with_old };
    let answer = late.get("/ops/queues");
    assert_eq!((answer.status, answer.reason), (303, "session-cookie"));
    assert!(answer.removes_cookie());
}

#[test]
fn a_process_that_has_only_the_old_key_yet_does_not_open_what_the_new_one_sealed() {
    let new = World::new(ring(&["new", "old"]));
    let mut ada = new.visitor();
    ada.sign_in("ada", "right");
    ada.world = new.behind(ring(&["old"]));
    assert_eq!(ada.get("/ops/queues").reason, "session-cookie");
    assert_eq!(ada.cookie, None);
}

/// Where no secret is given, a host may make one up, but the core never does: other processes would not have it.
#[test]
fn t26_gates_know_each_others_sessions_by_a_secret_that_they_were_given_and_by_none_else() {
    assert_eq!(ring(&[]).build().unwrap_err().field(), "session_secret");
    let one = World::new(ring(&["given"]));
    let mut ada = one.visitor();
    ada.sign_in("ada", "right");
    ada.world = one.behind(ring(&["given"]));
    assert_eq!(ada.who().as_deref(), Some("ada"), "at another process with the secret");
    for other in [ring(&["made up"]), gate(Sessions::records())] {
        let mut there = Visitor { world: one.behind(other), ..ada.twin() };
        let answer = there.get("/ops/queues");
        assert_eq!((answer.status, answer.reason), (303, "session-cookie"));
        assert!(answer.removes_cookie());
    }
    // Nor does a record in one process's memory serve in another's.
    let (here, there) = (World::new(gate(Sessions::records())), World::new(gate(Sessions::records())));
    let mut bob = here.visitor();
    bob.sign_in("bob", "b0bs");
    bob.world = there;
    assert_eq!(bob.get("/ops/queues").reason, "session-unknown");
}

/// Cookies that are none, made from one that is.
fn spoilt(good: &str) -> Vec<String> {
    let (name, value) = good.split_once('=').unwrap();
    let bytes = URL_SAFE_NO_PAD.decode_to_vec(value).unwrap();
    let with_first = |first: u8| URL_SAFE_NO_PAD.encode_to_string([&[first], &bytes[1..]].concat());
    let mut tampered = bytes.clone();
    tampered[bytes.len() / 2] ^= 1;
    let mut values: Vec<_> = [0, 1, 255].map(with_first).into();
    values.push(URL_SAFE_NO_PAD.encode_to_string(tampered));
    values.push(value[..value.len() - 1].to_owned());
    values.push(value[..value.len() / 2].to_owned());
    values.extend([format!("{value}="), format!("{value}A"), format!("\"{value}\"")]);
    values.extend([String::new(), "é".to_owned(), "{}".to_owned(), "A".repeat(43), "A".repeat(4097)]);
    let mut cookies: Vec<_> = values.into_iter().map(|value| format!("{name}={value}")).collect();
    cookies.push(format!("{good}; {good}"));
    cookies
}

#[test]
fn a_cookie_that_opens_nothing_is_anonymous_and_removed_once() {
    for sessions in BOTH {
        let mut ada = Visitor::new(sessions());
        ada.sign_in("ada", "right");
        let good = ada.cookie.clone().unwrap();
        let mut stranger = Visitor::new(Sessions::sealed([key("another")]));
        stranger.sign_in("ada", "right");
        stranger.sign_in("ada", "right");
        for bad in spoilt(&good).into_iter().chain(stranger.cookie) {
            ada.cookie = Some(bad.clone());
            let answer = ada.get("/ops/queues");
            assert_eq!((answer.status, answer.location()), (303, "/ops/login?next=%2Fops%2Fqueues"), "{bad}");
            assert!(
                matches!(answer.reason, "session-cookie" | "session-unknown"),
                "{bad}: {}",
                answer.reason
            );
            assert!(
                answer.removes_cookie() && answer.headers.get_all("set-cookie").iter().count() == 1,
                "{bad}"
            );
            assert_eq!((answer.header("vary"), answer.header("cache-control")), ("Cookie", "no-store"));
        }
        ada.cookie = Some(format!("a=1; {good}; authgates=2"));
        assert_eq!(ada.who().as_deref(), Some("ada"), "and among others it is found");
    }
}

#[test]
fn on_a_public_path_no_cookie_is_looked_at() {
    for sessions in BOTH {
        let mut ada = Visitor::new(sessions());
        ada.sign_in("ada", "right");
        let good = ada.cookie.clone().unwrap();
        ada.clock.pass(Duration::from_mins(5));
        for cookie in [good.clone(), "authgate=x".to_owned(), format!("{good}; {good}")] {
            ada.cookie = Some(cookie.clone());
            ada.world.questions();
            let answer = ada.get("/ops/static/a.css");
            assert_eq!((answer.status, answer.reason, answer.user), (200, "public", None));
            assert_eq!(answer.headers.len(), 1, "{:?}", answer.headers);
            assert_eq!(answer.headers["cache-control"], "public");
            assert_eq!((ada.world.questions().len(), ada.cookie.as_ref()), (0, Some(&cookie)));
        }
    }
}

#[test]
fn a_good_token_passes_beside_a_bad_cookie_which_is_removed() {
    for sessions in BOTH {
        let world = World::new(gate(sessions()).backend(Tokens));
        for method in ["GET", "POST"] {
            let mut robot = world.visitor().with(("authorization", "Bearer good"));
            robot.cookie = Some("authgate=x".to_owned());
            let answer = robot.send(method, "/ops/queues", &[], b"");
            assert_eq!((answer.status, answer.user.as_deref()), (200, Some("robot")));
            assert!(answer.removes_cookie() && robot.cookie.is_none());
            assert_eq!((answer.header("vary"), answer.header("cache-control")), ("Cookie", "no-store"));
        }
    }
}

/// Sealed under one name, a cookie is nothing under another.
#[test]
fn a_sealed_cookie_does_not_open_under_another_name() {
    let world = World::new(gate(sealed()));
    let mut ada = world.visitor();
    ada.sign_in("ada", "right");
    ada.world = world.behind(gate(sealed().cookie_name("other")));
    assert_eq!(ada.get("/ops/queues").reason, "not-signed-in");
    ada.cookie = ada.cookie.map(|cookie| cookie.replace("authgate=", "other="));
    assert_eq!(ada.get("/ops/queues").reason, "session-cookie");
}
