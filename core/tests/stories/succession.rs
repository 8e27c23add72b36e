//! A gate takes the place of another, with other settings; what people did stays done.

use std::time::Duration;

use authgate_core::{Gate, PasswordBackend, Rule, Sessions, ThrottleLimits};

use crate::world::{BOTH, World, gate};

#[test]
fn t23_who_has_signed_out_stays_out_behind_the_next_gate() {
    for sessions in BOTH {
        let old = World::new(gate(sessions()));
        let mut ada = old.visitor();
        ada.sign_in("ada", "right");
        let kept = ada.cookie.clone();
        let mut bob = old.visitor();
        bob.sign_in("bob", "b0bs");
        ada.post("/ops/logout", &[]);
        let longer = sessions().lifetime(Duration::from_hours(48));
        let rules = [Rule::parse("/", &[], &["signed-in"]).unwrap()];
        let new = old.behind(gate(longer).rules(rules).succeeding(&old.gate));
        let (mut ada, mut bob) =
            (World::visitor(&new), crate::visitor::Visitor { world: new.clone(), ..bob });
        ada.cookie = kept;
        assert_eq!(ada.who(), None);
        assert_eq!(bob.who().as_deref(), Some("bob"), "and who has not, does not notice");
        // Whoever learns of it through the old gate tells the new one, too.
        new.clock.pass(Duration::from_secs(1));
        old.gate.sign_out_everywhere("bob", new.clock.now());
        assert_eq!(bob.who(), None);
    }
}

#[test]
fn t23_who_has_signed_out_stays_out_even_if_nobody_could_sign_in_in_between() {
    for sessions in BOTH {
        let old = World::new(gate(sessions()));
        let mut ada = old.visitor();
        ada.sign_in("ada", "right");
        let kept = ada.cookie.clone();
        ada.post("/ops/logout", &[]);
        let tokens_alone = old.behind(Gate::builder(crate::world::Tokens).succeeding(&old.gate));
        let new = old.behind(gate(sessions()).succeeding(&tokens_alone.gate));
        let mut ada = World::visitor(&new);
        ada.cookie = kept;
        assert_eq!(ada.who(), None);
    }
}

#[test]
fn t28_tries_stay_counted_behind_the_next_gate() {
    let old = World::new(gate(Sessions::records()));
    for _ in 0..10 {
        assert_eq!(old.visitor().try_to_sign_in("ada", "wrong").status, 401);
    }
    let new = old.behind(gate(Sessions::records()).succeeding(&old.gate));
    assert_eq!(new.visitor().try_to_sign_in("ada", "right").status, 429);
    let more = ThrottleLimits { tries: 20, ..ThrottleLimits::default() };
    let more = old.behind(gate(Sessions::records()).throttle(more).succeeding(&old.gate));
    assert_eq!(more.visitor().try_to_sign_in("ada", "right").status, 303, "other limits are counted anew");
    let stranger = old.behind(gate(Sessions::records()));
    assert_eq!(stranger.visitor().try_to_sign_in("ada", "right").status, 303, "another gate knows nothing");
}

#[test]
fn a_gate_can_succeed_one_that_had_no_sessions() {
    let old = World::new(Gate::builder(crate::world::Tokens));
    let new = old.behind(Gate::builder(PasswordBackend::new()).mount("/ops").succeeding(&old.gate));
    new.visitor().sign_in("ada", "right");
}
