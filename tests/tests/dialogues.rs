//! Every dialogue in `vectors/`, through every driver. The same request must end the same way everywhere.
#![allow(missing_docs, reason = "tests")]

use std::process::ExitCode;
use std::sync::Arc;

use authgate_tests::dialogue::tables;
use authgate_tests::drivers::DRIVERS;
use libtest_mimic::{Arguments, Trial, run};

fn main() -> ExitCode {
    let mut trials = Vec::new();
    for (file, table) in tables() {
        let settings = Arc::new(table.gate);
        for dialogue in table.dialogue {
            for (driver, take) in DRIVERS {
                let (settings, dialogue) = (Arc::clone(&settings), dialogue.clone());
                let name = format!("{file}::{}::{driver}", dialogue.name);
                trials.push(Trial::test(name, move || {
                    dialogue.check(&take(&settings, &dialogue)).map_err(Into::into)
                }));
            }
        }
    }
    run(&Arguments::from_args(), trials).exit_code()
}
