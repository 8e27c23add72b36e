//! Several gates share a store: what is done at one holds at the others.

use std::time::Duration;

use authgate_core::{GateBuilder, Sessions, Sharing, Step};

use crate::visitor::Visitor;
use crate::world::{BOTH, World, gate};

fn shared(sessions: Sessions) -> GateBuilder {
    gate(sessions).sharing(Sharing::default())
}

/// Two gates, each with a memory of its own, on one store.
fn two(sessions: fn() -> Sessions) -> (World, World) {
    let one = World::new(shared(sessions()));
    let other = one.behind(shared(sessions()));
    (one, other)
}

/// The same browser at another gate.
fn at(world: &World, visitor: &Visitor) -> Visitor {
    Visitor { world: world.clone(), ..visitor.twin() }
}

fn pass(world: &World, milliseconds: u64) {
    world.clock.pass(Duration::from_millis(milliseconds));
}

#[test]
fn who_signs_in_at_one_gate_is_known_at_the_other() {
    for sessions in BOTH {
        let (one, other) = two(sessions);
        let mut ada = one.visitor();
        ada.sign_in("ada", "right");
        assert_eq!(at(&other, &ada).who().as_deref(), Some("ada"));
    }
}

#[test]
fn t23_who_signs_out_at_one_gate_is_out_at_the_other_within_the_stale_time() {
    for sessions in BOTH {
        let (one, other) = two(sessions);
        let mut ada = one.visitor();
        ada.sign_in("ada", "right");
        let mut kept = at(&other, &ada);
        assert_eq!(kept.who().as_deref(), Some("ada"));
        ada.post("/ops/logout", &[]);
        assert_eq!(ada.world.shared.told(), 1);
        pass(&one, 500);
        assert_eq!(kept.who(), None);
        let mut back = at(&one, &kept);
        assert_eq!(back.who(), None);
    }
}

#[test]
fn t23_all_sessions_of_a_user_end_everywhere_and_new_ones_do_not() {
    for (sessions, ahead) in BOTH.into_iter().flat_map(|sessions| [(sessions, 0), (sessions, 3000)]) {
        let (one, other) = two(sessions);
        one.shared.run_ahead(Duration::from_millis(ahead));
        let (mut ada, mut again, mut bob) = (one.visitor(), other.visitor(), other.visitor());
        ada.sign_in("ada", "right");
        again.sign_in("ada", "right");
        bob.sign_in("bob", "b0bs");
        pass(&one, 10);
        one.gate.sign_out_everywhere("ada", one.clock.now());
        one.shared.end_user("ada");
        assert_eq!(ada.who(), None);
        pass(&one, 500);
        assert_eq!(again.who(), None);
        assert_eq!(bob.who().as_deref(), Some("bob"));
        again.sign_in("ada", "right");
        pass(&one, 500);
        assert_eq!(again.who().as_deref(), Some("ada"), "{ahead} ms ahead");
        assert_eq!(at(&one, &again).who().as_deref(), Some("ada"), "{ahead} ms ahead");
    }
}

#[test]
fn t23_a_gate_that_starts_hears_all_that_has_ended_before() {
    let one = World::new(shared(crate::world::sealed()));
    let mut everybody: Vec<_> = (0..8).map(|_| one.visitor()).collect();
    for visitor in &mut everybody {
        visitor.sign_in("ada", "right");
    }
    let kept: Vec<_> = everybody.iter().map(|visitor| visitor.cookie.clone()).collect();
    for visitor in &mut everybody[..7] {
        visitor.post("/ops/logout", &[]);
    }
    let fresh = one.behind(shared(crate::world::sealed()));
    for (index, cookie) in kept.into_iter().enumerate() {
        let mut visitor = Visitor { cookie, ..fresh.visitor() };
        assert_eq!(visitor.who().is_some(), index == 7, "{index}");
    }
}

#[test]
fn t23_a_store_that_has_lost_everything_revives_nobody() {
    let (one, other) = two(crate::world::sealed);
    let mut ada = one.visitor();
    ada.sign_in("ada", "right");
    let kept = ada.twin();
    ada.post("/ops/logout", &[]);
    pass(&one, 10_000);
    one.shared.forget();
    for world in [&one, &other, &one.behind(shared(crate::world::sealed()))] {
        assert_eq!(at(world, &kept).who(), None);
    }
    ada.sign_in("ada", "right");
    assert_eq!(at(&other, &ada).who().as_deref(), Some("ada"), "and whoever signs in anew is in");
}

#[test]
fn a_gate_asks_once_in_a_while_and_not_for_every_request() {
    let world = World::new(shared(crate::world::sealed()));
    let mut ada = world.visitor();
    ada.sign_in("ada", "right");
    world.questions();
    for _ in 0..100 {
        assert!(ada.who().is_some());
        pass(&world, 10);
    }
    assert_eq!(world.questions().len(), 3, "at 250, 500 and 750 ms");
}

#[test]
fn t32_while_the_store_is_down_a_session_is_503_and_everybody_else_is_served() {
    for sessions in BOTH {
        let (one, _) = two(sessions);
        let mut ada = one.visitor();
        ada.sign_in("ada", "right");
        let cookie = ada.cookie.clone();
        pass(&one, 600);
        one.only_down(&["endings", "load", "create", "renew", "drop", "counts", "swap"]);
        assert_eq!(ada.get("/ops/queues").status, 503);
        assert_eq!(ada.cookie, cookie, "nobody is thrown out");
        let mut stranger = one.visitor();
        assert_eq!(stranger.get("/ops/queues").status, 303);
        assert_eq!(stranger.get("/ops/static/a.css").status, 200);
        one.questions();
        assert_eq!(stranger.try_to_sign_in("ada", "right").status, 503);
        assert!(!one.questions().iter().any(|question| question == "CheckPassword"), "for nothing");
        assert_eq!(ada.post("/ops/logout", &[]).status, 503);
        one.only_down(&[]);
        assert_eq!(ada.who().as_deref(), Some("ada"), "and it needs no restart");
    }
}

#[test]
fn t28_all_gates_have_one_budget_of_tries() {
    let (one, other) = two(Sessions::records);
    for number in 0..10 {
        let world = if number % 2 == 0 { &one } else { &other };
        assert_eq!(world.visitor().try_to_sign_in("ada", "wrong").status, 401);
    }
    for world in [&one, &other] {
        assert_eq!(world.visitor().try_to_sign_in("ada", "right").status, 429);
    }
    // The store's clock has gone on by a millisecond since it began.
    pass(&one, 1001);
    assert_eq!(other.visitor().try_to_sign_in("ada", "right").status, 303);
    assert_eq!(
        one.visitor().try_to_sign_in("ada", "wrong").status,
        401,
        "a network that signed in has its own"
    );
}

#[test]
fn t28_somebody_who_is_quicker_costs_nobody_a_try_and_a_crowd_waits() {
    let (one, _) = two(Sessions::records);
    one.shared.crowd(7);
    assert_eq!(one.visitor().try_to_sign_in("ada", "wrong").status, 401);
    one.shared.crowd(8);
    assert_eq!(one.visitor().try_to_sign_in("ada", "right").status, 429);
    assert_eq!(one.visitor().try_to_sign_in("ada", "right").status, 303);
}

#[test]
fn a_charge_is_given_back_in_a_crowd_too_with_eight_tries_at_most() {
    // How often others are quicker while a charge is given back, how often that is tried, and whether it succeeds.
    for (others, tries, given_back) in [(0, 1, true), (7, 8, true), (8, 8, false), (9, 8, false)] {
        let (one, _) = two(Sessions::records);
        one.shared.crowd_after(1, others);
        one.visitor().sign_in("ada", "right");
        let changes = one.questions().iter().filter(|question| *question == "SwapCounts").count();
        assert_eq!(changes, 1 + tries, "{others} others");
        one.shared.crowd(0);
        let (mut stranger, mut made) = (one.visitor().at([198, 51, 100, 7]), 0);
        while stranger.try_to_sign_in("ada", "wrong").status == 401 {
            made += 1;
        }
        assert_eq!(made, if given_back { 10 } else { 9 }, "{others} others");
    }
}

#[test]
fn t28_without_the_shared_counts_this_gate_counts_alone() {
    for down in [&["counts"], &["swap"]] {
        let (one, _) = two(Sessions::records);
        one.only_down(down);
        for _ in 0..10 {
            assert_eq!(one.visitor().try_to_sign_in("ada", "wrong").status, 401);
        }
        assert_eq!(one.visitor().try_to_sign_in("ada", "right").status, 429);
    }
}

#[test]
fn t13_a_stream_ends_when_its_user_signs_out_elsewhere_and_when_nobody_tells_for_too_long() {
    for sessions in BOTH {
        let (one, other) = two(sessions);
        let mut ada = one.visitor();
        ada.sign_in("ada", "right");
        let lease = ada.get("/ops/events").lease.unwrap();
        assert!(lease.is_shared() && lease.asks(one.clock.now()).is_none() && lease.holds(one.clock.now()));
        let mut elsewhere = at(&other, &ada);
        let hear = |one: &World| {
            let now = one.clock.now();
            let since = lease.asks(now).unwrap();
            lease.hear(one.shared.endings(&since), now, now);
        };
        pass(&one, 29_000);
        assert!(lease.holds(one.clock.now()), "for a while");
        pass(&one, 2_000);
        assert!(!lease.holds(one.clock.now()), "and no longer");
        hear(&one);
        assert!(lease.holds(one.clock.now()));
        elsewhere.post("/ops/logout", &[]);
        pass(&one, 500);
        assert!(lease.holds(one.clock.now()), "not heard yet");
        hear(&one);
        assert!(!lease.holds(one.clock.now()));
    }
}

#[test]
fn t25_an_id_that_exists_is_not_taken_over() {
    let (one, other) = two(Sessions::records);
    let mut ada = one.visitor();
    ada.sign_in("ada", "right");
    *one.drawn.lock().unwrap() = 0;
    assert_eq!(other.visitor().try_to_sign_in("bob", "b0bs").status, 503);
    assert_eq!(ada.who().as_deref(), Some("ada"));
}

#[test]
fn a_gate_without_sessions_has_nothing_to_share() {
    let tokens = authgate_core::Gate::builder(crate::world::Tokens).sharing(Sharing::default());
    assert_eq!(tokens.build().unwrap_err().field(), "sharing");
}

#[test]
fn t23_an_ending_that_comes_while_somebody_signs_in_ends_that_session_too() {
    for sessions in BOTH {
        let (one, _) = two(sessions);
        let form = [("username", "ada"), ("password", "right")];
        let mut ada = one.visitor();
        let body = crate::visitor::encode(&form);
        let mut step = ada.begin("POST", "/ops/login", &crate::visitor::FORM);
        let mut heard = 0;
        let decision = loop {
            heard += usize::from(matches!(step, Step::HearEndings(..)));
            let has_heard_all = heard == 2 && !matches!(step, Step::HearEndings(..));
            if has_heard_all && one.shared.told() == 0 {
                pass(&one, 5);
                one.shared.end_user("ada");
                pass(&one, 5);
            }
            step = match one.advance(step, body.as_bytes()) {
                Step::Done(decision) => break decision,
                question => question,
            };
        };
        assert_eq!(ada.receive(decision).status, 303);
        assert_eq!(one.shared.told(), 1);
        pass(&one, 500);
        assert_eq!(ada.who(), None);
    }
}

/// A gate whose clock is off, on the store of another.
fn skewed(one: &World, sessions: fn() -> Sessions, ahead: bool, span: Duration) -> World {
    let other = one.behind(shared(sessions()));
    let off = other.clock.apart();
    if ahead {
        off.pass(span);
    } else {
        off.set_back(span);
    }
    World { clock: off, ..other }
}

#[test]
fn t24_gates_whose_clocks_differ_agree_on_how_long_a_session_lasts() {
    for sessions in BOTH {
        for ahead in [false, true] {
            let one = World::new(shared(sessions()));
            let other = skewed(&one, sessions, ahead, Duration::from_hours(5));
            let mut ada = one.visitor();
            ada.sign_in("ada", "right");
            let mut there = at(&other, &ada);
            there.clock = other.clock.clone();
            for _ in 0..10 {
                assert_eq!(there.who().as_deref(), Some("ada"), "ahead: {ahead}");
                ada.cookie.clone_from(&there.cookie);
                assert_eq!(ada.who().as_deref(), Some("ada"), "ahead: {ahead}");
                there.cookie.clone_from(&ada.cookie);
                pass(&one, 20 * 60_000);
                other.clock.pass(Duration::from_mins(20));
            }
            pass(&one, 31 * 60_000);
            other.clock.pass(Duration::from_mins(31));
            let reason = there.get("/ops/queues").reason;
            assert!(matches!(reason, "session-idle" | "session-unknown"), "{reason}, ahead: {ahead}");
        }
    }
}

#[test]
fn t28_a_gate_whose_clock_is_ahead_delays_nobody_at_another() {
    let one = World::new(shared(Sessions::records()));
    let off = skewed(&one, Sessions::records, true, Duration::from_hours(5));
    for _ in 0..10 {
        let mut eve = off.visitor();
        assert_eq!(eve.try_to_sign_in("ada", "wrong").status, 401);
    }
    let mut ada = one.visitor();
    let answer = ada.try_to_sign_in("ada", "right");
    assert_eq!((answer.status, answer.header("retry-after")), (429, "1"));
    pass(&one, 1001);
    assert_eq!(ada.try_to_sign_in("ada", "right").status, 303);
}

#[test]
fn a_gate_with_another_store_goes_by_that_one_alone() {
    for sessions in BOTH {
        let old = World::new(shared(sessions()));
        old.shared.run_ahead(Duration::from_hours(1));
        let mut ada = old.visitor();
        ada.sign_in("ada", "right");
        // The old one has heard far more than there is in the new one.
        for _ in 0..5 {
            old.shared.end_user("eve");
        }
        pass(&old, 600);
        assert!(ada.who().is_some());
        let mut new = old.behind(gate(sessions()).succeeding(&old.gate));
        let mut bob = new.visitor();
        bob.sign_in("bob", "b0bs");
        pass(&new, 13 * 3_600_000);
        bob.sign_in("bob", "b0bs");
        assert_eq!(bob.who().as_deref(), Some("bob"), "without a store, its time means nothing");
        new.shared = std::sync::Arc::new(crate::shared::Shared::new(new.clock.clone()));
        new.gate = shared(sessions()).succeeding(&old.gate).build().unwrap();
        let mut carol = World::visitor(&new);
        carol.sign_in("ada", "right");
        assert_eq!(carol.who().as_deref(), Some("ada"));
        new.shared.end_user("ada");
        pass(&new, 600);
        assert_eq!(carol.who(), None, "and it hears all that the new one tells");
    }
}
