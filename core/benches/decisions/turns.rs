//! Cases that take turns of a millisecond each, so that whatever else the machine does meets all of them alike: one after
//! the other, as criterion has them, a processor that slows down for a few seconds spoils their ratios.

use std::collections::BTreeMap;
use std::io::{self, Write};
use std::time::{Duration, Instant};

use crate::cases::Case;

const TURN: Duration = Duration::from_millis(1);

/// Prints a line for each round: what each case took, in nanoseconds by its name, as JSON.
pub(crate) fn take(mut cases: Vec<Case>, rounds: usize) -> io::Result<()> {
    let many: Vec<u32> = cases.iter_mut().map(in_a_turn).collect();
    for _ in 0..rounds {
        let mut round = BTreeMap::new();
        for (case, &times) in cases.iter_mut().zip(&many) {
            // Others have had the caches since its last turn.
            run(case, times / 4);
            let took = run(case, times).as_secs_f64() * 1e9 / f64::from(times);
            round.insert(&case.name, took);
        }
        writeln!(io::stdout(), "{}", serde_json::to_string(&round)?)?;
    }
    Ok(())
}

/// How often a case can be run in a turn, at least once.
fn in_a_turn(case: &mut Case) -> u32 {
    let mut times = 1;
    loop {
        if run(case, times) >= TURN {
            break times;
        }
        times *= 2;
    }
}

fn run(case: &mut Case, times: u32) -> Duration {
    let start = Instant::now();
    for _ in 0..times {
        (case.run)();
    }
    start.elapsed()
}
