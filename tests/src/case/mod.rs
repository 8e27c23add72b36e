//! A visit as plain data: how the gate is set up, what is asked, and what everybody answers when. Nothing here decides
//! anything; the gate is driven with it, and the [model](crate::model) reads it.

mod answers;
mod config;
mod directory;
mod kept;
mod person;
mod request;
mod run;
pub mod tokens;
mod trust;

pub use self::answers::{Answers, At, Ended, Holder, Loaded, LookedUp, News, Told, down};
pub use self::config::{Backend, Built, Config, Lifetimes, RuleText};
pub use self::directory::{Directory, Page, Shown, Vouched, shown};
pub use self::kept::{Kept, secret};
pub use self::person::Person;
pub use self::request::{Request, Sealed};
pub use self::run::{MOST_STEPS, Run, run};
pub use self::trust::{Trust, TrustedKey};
