//! Somebody who has signed in, with the session sealed into the cookie.

use std::hint::black_box;
use std::rc::Rc;

use authgate_core::MemoryStore;
use http::header::HeaderMap;

use crate::cases::{Cases, in_turn};
use crate::floor;
use crate::presented::{MANY, NOW, decide, is_let_in};
use crate::signed_in::{self, sign_in};

pub(crate) fn sealed(cases: &mut Cases) {
    let (gate, fields) = signed_in::sealed();
    assert!(is_let_in(&gate, "/queues", &fields));
    let (floor, now) = (Rc::new(floor::Sealed::new()), NOW.as_millis());
    let seal = |number: u32| {
        floor.seal(&floor::Session {
            id: [7; 32],
            user: &format!("ada-{number:08}"),
            name: "Ada Lovelace",
            is_admin: true,
            roles: "operator oncall",
            extra: None,
            credential: Some([7; 16]),
            issued: now,
            renewed: now,
            until: now,
            ends: now,
        })
    };
    let text = seal(0);
    assert!(floor.open(&text, &mut [0; 2048]).is_some());
    let read = || {
        let (floor, mut room) = (floor.clone(), [0; 2048]);
        move |text: &String| read(&floor, text, &mut room)
    };
    let decide = || {
        let gate = gate.clone();
        move |fields: &HeaderMap| decide(&gate, black_box("/queues"), fields)
    };
    cases.add("sealed/floor", in_turn(vec![text], read()));
    cases.add("sealed/forward", in_turn(vec![fields], decide()));
    // As with tokens, hardly anybody is remembered. The floor has the sealed text alone, and no request around it.
    cases.add("sealed/floor, new", in_turn((0..MANY).map(seal).collect(), read()));
    let many = (0..MANY).map(|number| sign_in(&gate, number, &mut MemoryStore::new(1)));
    cases.add("sealed/new", in_turn(many.collect(), decide()));
}

fn read(floor: &floor::Sealed, text: &str, room: &mut [u8]) -> i64 {
    let session = floor.open(text, room).unwrap();
    black_box((session.id, session.user, session.name, session.is_admin, session.roles, session.extra));
    black_box((session.credential, session.issued, session.renewed, session.until, session.ends)).1
}
