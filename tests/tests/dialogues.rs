//! Every dialogue in `vectors/`, through every driver. The same visits must end the same way everywhere.
//!
//! With `AUTHGATE_BLESS=1`, what comes of them through the core alone is written into the tables instead.
#![allow(missing_docs, clippy::panic, reason = "tests")]

use std::collections::BTreeMap;
use std::process::ExitCode;
use std::sync::Arc;

use authgate_tests::dialogue::{Table, bless, tables};
use authgate_tests::drivers::{DRIVERS, check, take};
use libtest_mimic::{Arguments, Trial, run};

fn main() -> ExitCode {
    if std::env::var_os("AUTHGATE_BLESS").is_some() {
        for (file, table) in tables() {
            bless_table(&file, &table);
        }
    }
    let mut trials = Vec::new();
    for (file, table) in tables() {
        let settings = Arc::new(table.gate);
        for dialogue in table.dialogue {
            for (driver, make) in DRIVERS.into_iter().filter(|(driver, _)| dialogue.is_for(driver)) {
                let (settings, dialogue) = (Arc::clone(&settings), dialogue.clone());
                let name = format!("{file}::{}::{driver}", dialogue.name);
                trials.push(Trial::test(name.clone(), move || {
                    check(make, &settings, &dialogue).map_err(|fault| format!("{name}, {fault}").into())
                }));
            }
        }
    }
    run(&Arguments::from_args(), trials).exit_code()
}

/// Writes what comes of each visit through the core alone; of the last time, where there are several.
fn bless_table(file: &str, table: &Table) {
    let [(_, core), ..] = DRIVERS;
    let outcomes = table.dialogue.iter().flat_map(|dialogue| {
        let mut last = BTreeMap::new();
        let taken = take(core, &table.gate, dialogue, |seen| {
            last.insert(seen.number, seen.outcome.clone());
            Ok(())
        });
        taken.unwrap_or_else(|fault| panic!("{file}::{}, {fault}", dialogue.name));
        last.into_values()
    });
    bless(file, &outcomes.collect::<Vec<_>>());
}
