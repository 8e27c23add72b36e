//! What a decision costs, beside the least work that any correct answer needs and beside jsonwebtoken, in one run.
//!
//! `cargo bench -p authgate-core`, with nothing else running, compares with the run before it; with `-- --turns 500` the
//! cases take turns of a millisecond, which is what ratios are made of: `tests/bench` prints them.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a bench: what is not as it should be ends it")]
#![allow(
    clippy::disallowed_methods,
    reason = "a bench reads key files, and runs what the core is compared with"
)]

mod cases;
mod floor;
mod growth;
mod nobody;
mod presented;
mod sessions;
mod signed_in;
mod tokens;
mod turns;

use criterion::Criterion;

use self::cases::Cases;

fn main() {
    let mut cases = Cases::default();
    for add in [tokens::hs256, tokens::public_keys, sessions::sealed, nobody::unproven, growth::growth] {
        add(&mut cases);
    }
    if let Some(rounds) = std::env::args().skip_while(|argument| argument != "--turns").nth(1) {
        let Ok(rounds) = rounds.parse() else { panic!("--turns wants a number of rounds, not {rounds}") };
        return turns::take(cases.0, rounds).unwrap();
    }
    let mut criterion = Criterion::default().configure_from_args();
    for mut case in cases.0 {
        criterion.bench_function(&case.name, |bencher| bencher.iter(&mut case.run));
    }
    criterion.final_summary();
}
