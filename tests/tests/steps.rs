//! The table of steps: it is what happens, no less and no more, and the drawing in the core's documentation is made from it.
#![allow(missing_docs, clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "tests")]

mod wandering;

use std::collections::BTreeSet;
use std::fs;

use authgate_tests::dialogue::{folder, tables};
use authgate_tests::drivers::{DRIVERS, take};
use authgate_tests::steps::{Pair, drawing, pairs};

/// What needs somebody else to act between two questions of one visit, which no dialogue has: they are seen by wandering.
const BETWEEN_QUESTIONS: [(&str, &str, &str); 8] = [
    ("DrawBytes", "AskBackend", "a session ends while it is sealed anew"),
    ("DrawBytes", "FetchKeys", "the same"),
    ("RenewSession", "AskBackend", "a session ends while it is renewed"),
    ("RenewSession", "FetchKeys", "the same"),
    ("RenewSession", "DropSession", "the same, and its record must go"),
    ("LoadCounts", "HearEndings", "the store goes away while a password is checked"),
    ("SwapCounts", "LoadCounts", "somebody else changes the counts"),
    ("FetchKeys", "FetchKeys", "the keys that came had been asked for before there was the token"),
];

#[test]
fn every_pair_of_steps_is_seen_in_a_dialogue_or_needs_somebody_to_act_in_between() {
    let [(_, core), ..] = DRIVERS;
    let mut seen = BTreeSet::new();
    for (file, table) in tables() {
        for dialogue in &table.dialogue {
            let taken = take(core, &table.gate, dialogue, |visit| {
                seen.extend(pairs_of(visit.outcome.asked.as_ref().unwrap()));
                Ok(())
            });
            taken.unwrap_or_else(|fault| panic!("{file}::{}, {fault}", dialogue.name));
        }
    }
    let between = between_questions();
    let unseen: Vec<_> = pairs().difference(&seen).filter(|pair| !between.contains(pair)).cloned().collect();
    assert!(unseen.is_empty(), "no dialogue takes these pairs of steps.toml: {unseen:?}");
    let stale: Vec<_> = between.intersection(&seen).collect();
    assert!(stale.is_empty(), "a dialogue takes these after all: {stale:?}");
}

#[test]
fn whatever_is_answered_and_whatever_happens_meanwhile_no_step_follows_that_the_table_does_not_have() {
    let seen = wandering::pairs();
    let unseen: Vec<_> = between_questions().difference(&seen).cloned().collect();
    assert!(unseen.is_empty(), "nobody who wanders takes these pairs of steps.toml: {unseen:?}");
}

#[test]
fn the_drawing_in_the_documentation_is_made_from_the_table() {
    let path = folder().join("../core/src/lib.rs");
    let text = fs::read_to_string(&path).unwrap();
    let (before, rest) = text.split_once("//! ```text\n").unwrap();
    let (drawn, after) = rest.split_once("//! ```\n").unwrap();
    let made: Vec<_> = drawing().lines().map(|line| format!("//! {line}")).collect();
    let made = made.join("\n") + "\n";
    if std::env::var_os("AUTHGATE_BLESS").is_some() {
        fs::write(path, format!("{before}//! ```text\n{made}//! ```\n{after}")).unwrap();
    } else {
        assert!(
            drawn == made,
            "core/src/lib.rs shows\n{drawn}and steps.toml has\n{made}AUTHGATE_BLESS=1 writes it"
        );
    }
}

fn between_questions() -> BTreeSet<Pair> {
    BETWEEN_QUESTIONS.iter().map(|(from, to, _)| ((*from).to_owned(), (*to).to_owned())).collect()
}

fn pairs_of(asked: &[&str]) -> Vec<Pair> {
    let from = std::iter::once("begin").chain(asked.iter().copied());
    let to = asked.iter().copied().chain(["Done"]);
    from.zip(to).map(|(from, to)| (from.to_owned(), to.to_owned())).collect()
}
