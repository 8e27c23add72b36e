//! The gate in front of a web dashboard, as a state machine that does no I/O: the head of a request goes in, a
//! decision comes out.
//!
//! **It does**: read heads, judge paths, hosts, origins and forwarded fields, check tokens, read forms, count tries, begin,
//! renew and end sessions, ask backends, weigh rights, and build every redirect, refusal and page that the gate answers
//! with.
//!
//! **It does not**: open a socket or a file, read the clock, draw randomness, hash a password, start a thread or wait. Time
//! and answers are arguments; whoever drives it brings them.
//!
//! After each step on the left, those with a dot may come:
//!
//! ```text
//!                   ReadBody
//!                   │ HearEndings
//!                   │ │ LoadCounts
//!                   │ │ │ SwapCounts
//!                   │ │ │ │ CheckPassword
//!                   │ │ │ │ │ DrawBytes
//!                   │ │ │ │ │ │ LoadSession
//!                   │ │ │ │ │ │ │ LookUpUser
//!                   │ │ │ │ │ │ │ │ RenewSession
//!                   │ │ │ │ │ │ │ │ │ DropSession
//!                   │ │ │ │ │ │ │ │ │ │ CreateSession
//!                   │ │ │ │ │ │ │ │ │ │ │ AskBackend
//!                   │ │ │ │ │ │ │ │ │ │ │ │ FetchKeys
//!                   │ │ │ │ │ │ │ │ │ │ │ │ │ Done
//!  begin ─────────► ● ● · · · · ● ● · ● · ● ● ●
//!  ReadBody ──────► · ● · · ● · · · · · · · · ●
//!  HearEndings ───► · ● ● · · ● ● ● · · · ● ● ●
//!  LoadCounts ────► · ● · ● ● · · · · · · · · ●
//!  SwapCounts ────► · ● ● · ● · · · · · · · · ●
//!  CheckPassword ─► · ● ● · · ● · · · · · · · ●
//!  DrawBytes ─────► · · · · · · ● · · ● ● ● ● ●
//!  LoadSession ───► · · · · · · ● ● · ● ● ● ● ●
//!  LookUpUser ────► · · · · · ● · · ● ● · ● ● ●
//!  RenewSession ──► · · · · · · · · · ● · ● ● ●
//!  DropSession ───► · · · · · · ● · · ● ● ● ● ●
//!  CreateSession ─► · · · · · · · · · · · · · ●
//!  AskBackend ────► · · · · · · · · · · · ● ● ●
//!  FetchKeys ─────► · · · · · · · · · · · ● ● ●
//! ```
//!
//! A token whose key is known, a public path, a refusal, a page, and a sealed session that is not due are `Done` at once. A
//! form is read and its password checked; a new session takes random bytes, and ends the old one. A record is loaded, and
//! once a minute its user is looked up and it is renewed; a sealed one is sealed anew then. Whoever signs out has it dropped.
//! Backends that must wait come last, one after the other, and keys are fetched for a token whose key is unknown.
//! `HearEndings`, `LoadCounts` and `SwapCounts` are asked only where gates share a store. The end is a [`Decision`]:
//!
//! - `Forward(admission)`: pass it on, with the user, without pretended identities;
//! - `Respond(reply)`: send this instead;
//! - `Delegate(delegation)`: a custom backend answers its own login, logout or route.
//!
//! What it withstands, what it promises, and every limit: the [`manual`].
//!
//! A backend that must wait is asked by the driver, whose loop is one flat `match`:
//!
//! ```
//! use authgate_core::{
//!     AuthBackend, Decision, Gate, Head, HeaderView, LoginAnswer, LogoutAnswer, Proof, Step, Timestamp,
//!     Unavailable, User,
//! };
//!
//! struct Directory;
//!
//! impl AuthBackend for Directory {
//!     fn name(&self) -> &'static str {
//!         "directory"
//!     }
//!     fn authenticate(&self, _: &Head<'_>, _: Timestamp) -> Proof {
//!         Proof::Wait
//!     }
//!     fn login(&self) -> LoginAnswer {
//!         LoginAnswer::Delegate
//!     }
//!     fn logout(&self) -> LogoutAnswer {
//!         LogoutAnswer::ToLogin
//!     }
//! }
//!
//! let gate = Gate::builder(Directory).build()?;
//! let now = Timestamp::from_secs(1_800_000_000);
//! let mut step = gate.begin(&Head::new("GET", "/queues", HeaderView::Pairs(&[])), now);
//! let decision = loop {
//!     step = match step {
//!         Step::Done(decision) => break decision,
//!         Step::AskBackend("directory", then) => then.resume(Ok(Some(User::new("ada").into())), now),
//!         question => question.unavailable(Unavailable::new("nobody to ask"), now),
//!     };
//! };
//! assert!(matches!(decision, Decision::Forward(admission) if admission.user.as_ref().unwrap().id == "ada"));
//! # Ok::<(), authgate_core::ConfigError>(())
//! ```

// They would end the host's thread, too. Tests may.
#![cfg_attr(not(test), warn(clippy::string_slice, clippy::unreachable))]

mod access;
mod account;
mod allowed_hosts;
mod backend;
mod base64url;
mod body;
mod builder;
mod byte_class;
mod config_error;
mod cross_site;
mod decision;
mod denial;
mod event;
mod explain;
mod field_names;
mod flow;
mod form;
mod forwarded;
mod gate;
mod head;
mod headers;
mod identity;
mod jwt;
mod kind;
mod lease;
mod local_path;
pub mod manual;
mod mount;
mod networks;
mod origin;
mod page;
mod password;
mod path;
mod peer;
mod remembered;
mod reply;
mod response_fields;
mod rules;
mod secret;
mod session;
mod sharing;
mod step;
mod throttle;
mod time;
mod upstream;
mod user;

pub use access::Access;
pub use account::{Account, Credentials, Fingerprint, Lookup, UserStore, Verdict};
pub use backend::{AuthBackend, BadProof, LoginAnswer, LogoutAnswer, Proof, Proven};
pub use body::{Body, BodyError, BodyLimit};
pub use builder::GateBuilder;
pub use config_error::ConfigError;
pub use cross_site::CrossSite;
pub use decision::{Admission, Decision, DelegatedPage, Delegation};
pub use denial::Denial;
pub use event::{Event, Outcome, Reason};
pub use explain::Explanation;
pub use form::FormError;
pub use forwarded::ForwardedFields;
pub use gate::Gate;
pub use head::{Head, HeadError, HeadLimits};
pub use headers::{HeaderView, Repeated, Values};
pub use jwt::{
    Algorithm, JwtBackend, JwtBackendBuilder, Key, KeySet, KeySetLimits, TokenFault, VerifyOptions,
};
pub use kind::Kind;
pub use lease::Lease;
pub use local_path::LocalPath;
pub use mount::Mount;
pub use origin::Scheme;
pub use page::{LoginError, LoginForm, LoginPage, Texts};
pub use password::PasswordBackend;
pub use peer::Peer;
pub use reply::Reply;
pub use response_fields::ResponseFields;
pub use rules::Rule;
pub use secret::Secret;
pub use session::{MemoryStore, SameSite, SealingKey, Session, SessionFault, SessionId, Sessions};
pub use sharing::{Count, CountKey, Ending, EndingsNews, EndingsSince, NoCount, NoCountKey, Sharing, Swap};
/// Text that is cheap to clone, and needs no memory of its own up to 23 bytes.
pub use smol_str::SmolStr;
pub use step::{Step, Then, Unavailable};
pub use throttle::{Charge, Throttle, ThrottleLimits};
pub use time::Timestamp;
pub use upstream::{Fallback, Unanswered, Upstream, strip_hop_by_hop};
pub use user::{Claims, User};
