//! Defaults and limits, all of them with their units.
//!
//! The last column is where a figure stands in the code, and under which name; `tests/tests/manual.rs` compares the two.
//!
//! # Defaults
//!
//! | what | unless something else is said |
//! |---|---|
//! | who passes | whoever is signed in; nobody is an administrator who is not called one |
//! | what is public | the login and logout paths, nothing else |
//! | whose forwarded fields are believed | nobody's |
//! | another site's unsafe requests, websockets, sign-ins, sign-outs | refused |
//! | hosts | any, one of them a request |
//! | token algorithms | HS256; what a key is not for is refused |
//! | claims of a token | no `exp` needed; `exp`, `nbf`, `iat` hold to the second, without leeway |
//! | sessions | records in memory; a sign-out needs a POST |
//! | the session's cookie | `HttpOnly`, `SameSite=Lax`, path `/`; over TLS `Secure` and `__Host-`; ends with the browser |
//! | whatever a session touched | `Cache-Control: no-store`, `Vary: Cookie` |
//! | towards an upstream | without the session's cookie, without `Authorization`, without identities of strangers |
//! | whatever cannot be asked | 503 |
//!
//! # What a request may be
//!
//! | what | at most | where |
//! |---|---|---|
//! | head, in the core | 64 KiB | `core/src/head/mod.rs`: `bytes: 64 * 1024` |
//! | header fields, in the core | 100 | `core/src/head/mod.rs`: `headers: 100` |
//! | login form | 256 KiB | `core/src/form.rs`: `LIMIT: BodyLimit = BodyLimit::new(256 * 1024)` |
//! | fields of a form | 64 | `core/src/form.rs`: `MOST_FIELDS: usize = 64` |
//! | field of a form | 8 KiB | `core/src/form.rs`: `LONGEST_FIELD: usize = 8 * 1024` |
//! | username, password | 1 KiB | `core/src/form.rs`: `LONGEST_CREDENTIAL: usize = 1024` |
//! | `next` | 2 KiB | `core/src/local_path.rs`: `MAX_NEXT: usize = 2048` |
//! | token | 64 KiB | `core/src/jwt/token.rs`: `MAX_BYTES: usize = 64 * 1024` |
//! | signature of a token | 1 KiB | `core/src/jwt/token.rs`: `MAX_SIGNATURE: usize = 1024` |
//! | tokens that are remembered, for each backend; and sealed sessions | 1024 | `core/src/remembered.rs`: `PLACES: usize = 1024` |
//! | the payload of a token that is remembered, as it stands in the token | 4 KiB | `core/src/remembered.rs`: `LONGEST_TEXT: usize = 4096` |
//! | nesting of JSON | 127 | `core/src/jwt/json.rs`: `MAX_DEPTH: usize = 127` |
//! | digits of a number in JSON | 4300 | `core/src/jwt/json.rs`: `MAX_DIGITS: usize = 4300` |
//! | keys that a token without a known `kid` is tried with | 16 | `core/src/jwt/verifier.rs`: `MOST_TRIES: usize = 16` |
//! | session's cookie, name and value | 4 KiB | `core/src/session/cookie.rs`: `LONGEST: usize = 4096` |
//! | cookies of that name that are looked at; more are nobody's | 8 | `core/src/session/cookie.rs`: `MOST: usize = 8` |
//! | hops in a forwarded field | 32 | `core/src/forwarded.rs`: `MOST_HOPS: usize = 32` |
//!
//! # How often, and for how long
//!
//! | what | default | where |
//! |---|---|---|
//! | wrong passwords that cost nothing, by network and by user | 10 | `core/src/throttle/limits.rs`: `tries: 10` |
//! | first delay after them; it doubles | 1 s | `core/src/throttle/limits.rs`: `first_delay: Duration::from_secs(1)` |
//! | longest delay | 15 min | `core/src/throttle/limits.rs`: `longest_delay: Duration::from_mins(15)` |
//! | counts kept, of each kind | 100000 | `core/src/throttle/limits.rs`: `entries: 100_000` |
//! | a session, unused | 30 min | `core/src/session/settings.rs`: `self.idle.unwrap_or(Duration::from_mins(30)` |
//! | a session, at most | 12 h | `core/src/session/settings.rs`: `lifetime: Duration::from_hours(12)` |
//! | a session's renewal | 1 min | `core/src/session/settings.rs`: `self.renew_every.unwrap_or(Duration::from_mins(1)` |
//! | sessions in memory | 100000 | `core/src/session/memory.rs`: `fn default() -> Self { Self::new(100_000)` |
//! | sessions of one user in memory | 100 | `core/src/session/memory.rs`: `MOST_OF_A_USER: usize = 100` |
//! | early ends that are remembered, of each kind | 100000 | `core/src/session/settings.rs`: `ENDINGS: usize = 100_000` |
//! | another gate's sign-out, until it holds | 500 ms | `core/src/sharing/mod.rs`: `stale: Duration::from_millis(500)` |
//! | a stream while the shared store is down | 30 s | `core/src/sharing/mod.rs`: `grace: Duration::from_secs(30)` |
//! | a provider's keys | 1 h | `core/src/jwt/key_set.rs`: `let hour = Duration::from_hours(1); Self { lifetime: hour` |
//! | between two fetches that tokens cause | 10 s | `core/src/jwt/key_set.rs`: `interval: Duration::from_secs(10)` |
//! | key ids remembered that a provider does not know | 1000 | `core/src/jwt/key_set.rs`: `MOST_MISSING: usize = 1000` |
//!
//! # Servers, and whom they ask
//!
//! | what | default | where |
//! |---|---|---|
//! | head of a request | 64 KiB | `adapters/hyper/src/limits.rs`: `head_bytes: 64 * 1024` |
//! | header fields | 100 | `adapters/hyper/src/limits.rs`: `headers: 100` |
//! | a head; a connection's first byte | 10 s | `adapters/hyper/src/limits.rs`: `head_timeout: Duration::from_secs(10)` |
//! | between requests; an idle reader | 1 min | `adapters/hyper/src/limits.rs`: `idle_timeout: Duration::from_mins(1)` |
//! | connections at one time; further ones wait | 10000 | `adapters/hyper/src/limits.rs`: `connections: 10_000` |
//! | requests in flight after the signal to end | 10 s | `adapters/hyper/src/limits.rs`: `drain: Duration::from_secs(10)` |
//! | streams of an HTTP/2 connection | 100 | `adapters/tokio/src/serve/connection.rs`: `max_concurrent_streams(100)` |
//! | a form; an answer of a backend or check | 5 s | `adapters/tower/src/layer.rs`: `deadline: Duration::from_secs(5)` |
//! | a session store, all its answers | 3 s | `adapters/tower/src/layer.rs`: `store_deadline: Duration::from_secs(3)` |
//! | Redis's answer | 1 s | `adapters/redis/src/store.rs`: `link = Link::new(Address::parse(url)?, Duration::from_secs(1)` |
//! | an upstream to connect to | 5 s | `adapters/proxy/src/limits.rs`: `connect: Duration::from_secs(5)` |
//! | a silent upstream, a silent upload | 1 min | `adapters/proxy/src/limits.rs`: `silence: Duration::from_mins(1)` |
//! | a connection to an upstream, unused | 1 s | `adapters/proxy/src/limits.rs`: `idle: Duration::from_secs(1)` |
//! | connections to an upstream that are kept | 64 | `adapters/proxy/src/limits.rs`: `idle_connections: 64` |
//! | passwords that wait for each check | 24 | `adapters/users/src/turns.rs`: `MOST_WAITING_PER_TURN: usize = 24` |
//! | how long they wait | 2 s | `adapters/users/src/turns.rs`: `PATIENCE: Duration = Duration::from_secs(2)` |
//! | user file | 16 MiB | `adapters/users/src/read.rs`: `MOST_BYTES: u64 = 16 * 1024 * 1024` |
//! | key file | 1 MiB | `adapters/server/src/keys.rs`: `MOST_BYTES: usize = 1024 * 1024` |
//! | key set of a provider | 1 MiB | `adapters/jwks/src/fetch.rs`: `MOST_BYTES: usize = 1024 * 1024` |
//!
//! A request body that is passed on to an upstream has no limit of its own unless one is set: it is never held whole.
