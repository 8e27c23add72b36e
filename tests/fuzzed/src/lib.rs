//! What the fuzz targets run: each function takes any bytes and states what must hold for them, as far as it can against
//! somebody else's reading of the same bytes.
//!
//! `fuzz/` feeds them at length, with a nightly compiler; `tests/seeds.rs` replays the seeds there as ordinary tests.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::missing_panics_doc,
    reason = "a panic is how a finding is told"
)]

mod bearer;
mod cookie;
mod dialogue;
mod form;
mod forwarded;
mod head;
mod jwks;
mod local_path;
mod path;
mod readings;
mod replies;
mod world;

pub use self::bearer::bearer;
pub use self::cookie::cookie;
pub use self::dialogue::dialogue;
pub use self::form::form;
pub use self::forwarded::forwarded;
pub use self::head::head;
pub use self::jwks::jwks;
pub use self::local_path::local_path;
pub use self::path::path;

/// A target: its name, and what it does with any bytes.
pub type Target = (&'static str, fn(&[u8]));

/// All targets, by the names that they have in `fuzz/`.
pub const TARGETS: [Target; 9] = [
    ("bearer", bearer),
    ("cookie", cookie),
    ("dialogue", dialogue),
    ("form", form),
    ("forwarded", forwarded),
    ("head", head),
    ("jwks", jwks),
    ("local_path", local_path),
    ("path", path),
];
