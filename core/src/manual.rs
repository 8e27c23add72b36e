//! What the gate is to withstand, what it promises and what not; the figures behind it, and the tests that show it.
//!
//! - [`threats`]: what must never happen, row by row, each with its tests
//! - [`limits`]: defaults and limits, all of them with their units
//! - [`secrets`]: where time is constant, and what is wiped from memory
//! - [`memory`]: what a server's memory is bounded by, and what was measured
//!
//! # Who attacks
//!
//! **A stranger** sends any bytes over any number of connections: heads that never end, forged tokens and cookies, guessed
//! passwords, paths that two readers would read differently. They get the login page, a refusal, or what is public.
//!
//! **Another site** has a signed-in person's browser send requests. It reads no answer, and nothing that it makes the
//! browser send counts as the person's own: not a post, not a websocket, not a sign-in or a sign-out.
//!
//! **A link** that a person follows carries a `next`, a host, a query. It leads nowhere but below the mount.
//!
//! **A user** is signed in and wants more: another's rights, a session beyond its end, a page after signing out. Rights
//! come from the configured claims and fields alone, and are read again when a session is renewed.
//!
//! **Who holds a copy** of a store, a log or a backup, but not of the process: session ids are digests, tries to sign in
//! are counted under digests, sealed cookies are neither readable nor forgeable without the key, and no log holds a
//! password, a token or a cookie. A record tells names and roles; who can *write* to the store is the gate's equal.
//!
//! **A peer that lies**: a proxy that nobody named is believed nothing. An upstream that answers nonsense is 502, and
//! whatever it answers gives nobody an identity at the gate.
//!
//! # What is promised
//!
//! Nobody is forwarded on a path that is not public without a proof that held at that moment; where it could not be found
//! out, nobody is. What is forwarded carries the identity that the gate gave it and no other. No redirect, refusal or page
//! of the gate is built from text that a request brought without being checked or escaped. A stream ends with its
//! admission. Memory is bounded by settings, not by what clients send.
//!
//! # What is not
//!
//! - **The machine.** Whoever reads the memory, the files or the environment of the process has the keys, and whoever may
//!   run code beside it under the same user does.
//! - **TLS.** It ends in front of the gate. Without it, everybody on the way reads passwords, tokens and cookies.
//! - **Availability** under a flood that fills the line, the processor or the connections of the server. A flood costs
//!   its sender a connection at a time, and cannot grow memory without end; it can keep others waiting.
//! - **The dashboard.** Scripts that it lets strangers put into its pages act as whoever looks at them. The gate keeps
//!   other sites out, not other users' text.
//! - **Who learns a password.** Tries are counted; a password that is known is right the first time. There is no second
//!   factor, and no list of leaked passwords is asked.
//! - **Tokens before their end.** The gate issues none and cannot take one back: it holds until its `exp`. Without `exp`,
//!   which is allowed unless it is required, it holds for as long as its key is trusted.
//! - **Sealed sessions after a restart.** Without a shared store, sign-outs are forgotten with the process.
//! - **The host's own sessions.** Where AsyncMQ's session keeps the sign-in, its cookie can be shown again after a
//!   sign-out, until it has expired.
//! - **Hidden users.** An unknown user costs the same hash as a known one whose parameters are today's; in a file with
//!   several kinds of hashes, who answers faster than a stranger is known to exist.
//! - **Other copies of secrets** than our own; see [`secrets`].

pub mod limits;
pub mod memory;
pub mod secrets;
pub mod threats;
