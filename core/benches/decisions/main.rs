//! What a decision costs, beside the least work that any correct answer needs and beside jsonwebtoken, in one run.
//!
//! `cargo bench -p authgate-core`, with nothing else running; `tests/bench` repeats it and prints the ratios.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a bench: what is not as it should be ends it")]
#![allow(
    clippy::disallowed_methods,
    reason = "a bench reads key files, and runs what the core is compared with"
)]

mod floor;
mod growth;
mod nobody;
mod presented;
mod sessions;
mod signed_in;
mod tokens;

use criterion::Criterion;

fn main() {
    let mut criterion = Criterion::default().configure_from_args();
    for group in [tokens::hs256, tokens::public_keys, sessions::sealed, nobody::unproven, growth::growth] {
        group(&mut criterion);
    }
    criterion.final_summary();
}
