//! Where time is constant, and what is wiped from memory.
//!
//! # Where time is constant
//!
//! How long these take depends on how long what is compared is, and never on where it differs:
//!
//! | compared | by |
//! |---|---|
//! | the signature of an HS256, HS384 or HS512 token | `aws_lc_rs::hmac::verify` |
//! | the tag of a sealed session (AES-256-GCM-SIV) | `aws_lc_rs::aead::LessSafeKey::open_in_place` |
//! | the hash of a typed password and the stored one | `argon2::password_hash::phc::Output` |
//! | the stored hashes of one user before and after a change | [`Secret`](crate::Secret) |
//! | the fingerprints of a session's credential and of today's | [`Fingerprint`](crate::Fingerprint) |
//! | the password of `authgate demo`, as a digest | `aws_lc_rs::constant_time` |
//! | a new password and the same again, at the terminal | [`Secret`](crate::Secret) |
//!
//! `tests/timing` counts the instructions of each kind under callgrind, once for every byte that can differ, in a release
//! build: the counts must be equal, to the instruction. The demo's digest and what is typed twice go through the same
//! function as the fingerprint, and are not counted by themselves. callgrind shows a processor without AVX-512 to AWS-LC,
//! which chooses its code by what the processor can do: what was counted is the code for AVX2 and AES-NI. A machine with
//! VAES runs other code before the comparison, and the same comparison (`CRYPTO_memcmp`). Instructions are not time:
//! nothing here speaks of caches, or of what a processor does ahead.
//!
//! What is **not** constant, because what is compared is no secret or tells nothing of one:
//!
//! - A session's record is looked up by a SHA-256 digest of what is in the cookie, in memory by order, in Redis by its own
//!   means. Whoever measures that learns of digests, and would need a cookie for a digest of their choice.
//! - Counts of tries are kept under digests of networks and names.
//! - Usernames, key ids (`kid`), algorithms, audiences and issuers are compared as text. Public keys check signatures in
//!   a time of their own: there is no secret in it.
//! - What a token or a sealed session says is looked for among those that came before, once its signature or seal has been
//!   checked: whoever presents it has it already, and learns hardly more than that it was presented before.
//! - A cookie or token that is malformed is refused sooner than one that is forged.
//! - With several keys, a signature is tried with one after the other: how long that takes tells which key it was.
//!
//! # What is wiped
//!
//! Overwritten when its owner is dropped, whatever became of it. `tests/tests/wiped.rs` searches the memory of the process
//! afterwards, freed blocks included, for any sixteen bytes of what was there:
//!
//! | what | when | searched for |
//! |---|---|---|
//! | an HMAC secret of a [`Key`](crate::Key), and what judging it copies | when the backend is built, or refused | yes |
//! | the key that is derived from a sealing secret | once it is handed to AWS-LC | once AWS-LC has freed its own ¹ |
//! | the body of a login form ([`Body`](crate::Body)), as it grows, too | when it has been read, refused or cut | yes |
//! | a typed password ([`Credentials`](crate::Credentials)) | when it has been checked | yes |
//! | what a new session's cookie is made of | when the cookie is written | on the heap ² |
//! | a hash of a user file, as it is held | when the file has changed, once no check uses it any more | by itself ³ |
//! | a secret or key file, as the program reads it | when the keys are made of it | no ⁴ |
//! | a password at the terminal or on stdin | when it has been hashed | no ⁴ |
//!
//! ¹ Until then the two could not be told from each other. ² On the stack, passing it on leaves copies, which stay until
//! other calls lie over them. ³ What reading the file leaves behind (below) is the same text, so nothing can be shown of a
//! whole file. ⁴ It is within the program, which is not searched: that what holds it erases itself is all that is known.
//!
//! # What is not
//!
//! - **AWS-LC** keeps prepared keys for as long as the gate lives: for HMAC the hash's state after the key, for sealing the
//!   key's schedule. It cleanses what it frees; a key that was moved before that may leave its state where it was.
//! - **hyper** reads a form into its own buffer, and hands pieces of it to the gate. The bytes stay there until the
//!   connection reads something else or ends, and in freed memory until it is used again. So does whatever TLS and proxies
//!   in front have seen.
//! - **Cookies and tokens** that travel: header values in requests and responses are not wiped.
//! - **What tokens and sealed sessions say**: everything in them, such as names, a session's id, its times and what a host
//!   notes about its user, the fingerprint of its credential, and eight bytes of the signature or the nonce, which make
//!   neither. It is kept of those that come again, until others take their places or the gate ends. A token that is shown
//!   after its end is forgotten; one that is never shown again stays, and so does a session whose user has signed out.
//! - **A secret in a JWK**: the JSON text is the caller's, and reading it takes copies within `serde_json` and
//!   `jsonwebtoken`. Give an HMAC secret as bytes.
//! - **A sealing secret** is lent to [`SealingKey::new`](crate::SealingKey::new), and its owner's to wipe. The program and
//!   the Python package do.
//! - **Redis**: the password in a store's URL stands in the configuration and within the client for as long as the
//!   process runs.
//! - **The environment** (`AUTHGATE_JWT_SECRET`) and configuration files, as they were read; of a user file, what reading
//!   TOML leaves behind.
//! - **argon2's memory** between two hashes: it is written over by the next one before it is read.
//! - **Python**: `str` and `bytes` cannot be wiped. What the package itself copies out of them is.
//! - Where the operating system puts memory: swap, hibernation, dumps of a crash. Turn them off where it matters.
