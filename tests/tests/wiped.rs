//! Secrets are gone from the memory of the process once their owner is: whatever can be read of it is searched.
#![cfg(target_os = "linux")]
#![allow(missing_docs, clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "tests")]

#[path = "wiped/memory.rs"]
mod memory;

use std::convert::Infallible;
use std::hint::black_box;

use authgate_core::{
    Decision, Gate, Head, HeaderView, JwtBackend, Key, PasswordBackend, SealingKey, Secret, Sessions, Step,
    Timestamp, User, Verdict,
};
use authgate_smol::Smol;
use authgate_tokio::Tokio;
use authgate_tower::{GateLayer, Host};
use authgate_users::{NewUser, is_outdated};
use aws_lc_rs::hkdf::{HKDF_SHA256, Salt};
use bytes::Bytes;
use http::{Request, Response};
use http_body::Frame;
use http_body_util::{Full, StreamBody};
use smol::stream;
use tower::{Layer as _, ServiceExt as _, service_fn};
use zeroize::Zeroizing;

use memory::{Pattern, WHOLE, Wanted, alone, deep};

const NOW: Timestamp = Timestamp::from_secs(1_800_000_000);

/// Without this, nothing found would mean nothing.
#[test]
fn what_is_not_wiped_is_found() {
    let mut memory = alone();
    let pattern = Pattern::new();
    assert_eq!(memory.places(pattern), 0, "before there is any");
    let secret = black_box(pattern.bytes());
    assert_ne!(memory.places(pattern), 0, "while it is held");
    drop(secret);
    assert_ne!(memory.places(pattern), 0, "in freed memory");
}

#[test]
fn a_secret_is_wiped_when_it_is_dropped() {
    let mut memory = alone();
    let pattern = Pattern::new();
    let secret = Secret::new(pattern.bytes());
    assert_ne!(memory.places(pattern), 0);
    drop(secret);
    assert_eq!(memory.places(pattern), 0);
}

#[test]
fn the_hmac_secret_of_a_gate_is_wiped_once_it_is_prepared() {
    let mut memory = alone();
    let pattern = Pattern::new();
    let backend = JwtBackend::builder().key(Key::secret(pattern.bytes()).unwrap()).build().unwrap();
    let gate = Gate::builder(backend).build().unwrap();
    assert_eq!(memory.places(pattern), 0, "the prepared key is no copy of it");
    drop(gate);
    assert_eq!(memory.places(pattern), 0);
}

#[test]
fn a_secret_that_is_refused_is_wiped_as_well() {
    let mut memory = alone();
    let pattern = Pattern::new();
    let mut bytes = Vec::with_capacity(26 + WHOLE);
    bytes.extend_from_slice(b"-----BEGIN PUBLIC KEY-----");
    pattern.append(&mut bytes);
    assert!(Key::secret(bytes).is_err());
    assert!(JwtBackend::builder().key(Key::secret(pattern.bytes()).unwrap()).algorithms([]).build().is_err());
    assert_eq!(memory.places(pattern), 0);
}

#[test]
fn a_sealing_secret_that_was_lent_is_kept_nowhere() {
    let mut memory = alone();
    let pattern = Pattern::new();
    let secret = Zeroizing::new(pattern.bytes());
    let key = SealingKey::new(&*secret).unwrap();
    drop(secret);
    let gate = Gate::builder(PasswordBackend::new()).sessions(Sessions::sealed([key])).build().unwrap();
    assert_eq!(memory.places(pattern), 0);
    drop(gate);
}

/// As the core derives it (HKDF-SHA256), masked: what AWS-LC prepares for AES begins with the key itself.
fn derived(secret: &[u8]) -> Wanted {
    let mut key = Zeroizing::new([0; 32]);
    let derived = Salt::new(HKDF_SHA256, b"authgate").extract(secret);
    derived.expand(&[b"sealed session"], HKDF_SHA256).unwrap().fill(&mut *key).unwrap();
    Wanted::from(&*key)
}

#[test]
fn the_key_that_is_derived_from_a_sealing_secret_is_gone_with_whoever_seals() {
    let mut memory = alone();
    let secret = Pattern::new().first::<64>();
    let wanted = deep(|| derived(&secret));
    assert_eq!(memory.places(wanted), 0, "deriving it here leaves nothing behind");
    let key = deep(|| SealingKey::new(secret).unwrap());
    assert_ne!(memory.places(wanted), 0, "AWS-LC has it");
    drop(key);
    assert_eq!(memory.places(wanted), 0);
    let sessions = Sessions::sealed([deep(|| SealingKey::new(secret).unwrap())]);
    let gate = Gate::builder(PasswordBackend::new()).sessions(sessions).build().unwrap();
    assert_ne!(memory.places(wanted), 0);
    drop(gate);
    assert_eq!(memory.places(wanted), 0);
}

#[test]
fn what_a_new_sessions_cookie_is_made_of_is_never_anywhere_but_on_the_stack() {
    let mut memory = alone();
    let pattern = Pattern::new();
    let gate = Gate::builder(PasswordBackend::new()).build().unwrap();
    deep(|| {
        let mut step = gate.begin(&login(), NOW);
        loop {
            step = match step {
                Step::ReadBody(limit, then) => {
                    then.resume(limit.body(b"username=ada&password=x".to_vec()), NOW)
                }
                Step::CheckPassword(who, then) => {
                    then.resume(Ok(Verdict::from(Some(User::new(&*who.username)))), NOW)
                }
                Step::DrawBytes(then) => then.resume(Ok(pattern.first()), NOW),
                Step::CreateSession(_, _, then) => then.resume(Ok(true), NOW),
                Step::Done(_) => break,
                other => panic!("not asked about here: {other:?}"),
            }
        }
    });
    // Moving it leaves copies on the stack, which whatever runs there next lies over.
    deep(|| deep(|| deep(|| ())));
    assert_eq!(memory.places(pattern), 0, "on no heap");
}

/// A stored hash whose text is a pattern's.
fn phc(pattern: Pattern) -> Zeroizing<String> {
    let mut text = Zeroizing::new(String::with_capacity(200));
    text.push_str("$argon2id$v=19$m=8,t=1,p=1$AAAAAAAAAAAAAAAAAAAAAA$");
    text.extend(pattern.first::<64>().map(char::from));
    text
}

#[test]
fn a_stored_hash_is_wiped_when_nobody_holds_it_any_more() {
    let mut memory = alone();
    let pattern = Pattern::new();
    // What judges it parses it as a user file's is, and holds it as one.
    assert!(deep(|| is_outdated(&phc(pattern))));
    assert_eq!(memory.places(pattern), 0);
    let mut hash = phc(pattern);
    let user = NewUser::new("ada", std::mem::take(&mut *hash));
    assert_ne!(memory.places(pattern), 0, "while it is held");
    drop(user);
    assert_eq!(memory.places(pattern), 0);
}

/// Signs in through the core, and says whether the password arrived.
fn sign_in(form: Vec<u8>, pattern: Pattern) -> bool {
    let gate = Gate::builder(PasswordBackend::new()).build().unwrap();
    let mut step = gate.begin(&login(), NOW);
    let mut arrived = false;
    let mut form = Some(form);
    loop {
        step = match step {
            Step::ReadBody(limit, then) => then.resume(limit.body(form.take().unwrap()), NOW),
            Step::CheckPassword(who, then) => {
                arrived = pattern.is(who.password.expose());
                then.resume(Ok(Verdict::from(Some(User::new(&*who.username)))), NOW)
            }
            Step::DrawBytes(then) => then.resume(Ok([7; 32]), NOW),
            Step::CreateSession(_, _, then) => then.resume(Ok(true), NOW),
            Step::Done(decision) => {
                assert!(matches!(decision, Decision::Respond(_)));
                return arrived;
            }
            other => panic!("not asked about here: {other:?}"),
        };
    }
}

fn login() -> Head<'static> {
    const FIELDS: [(&[u8], &[u8]); 2] =
        [(b"content-type", b"application/x-www-form-urlencoded"), (b"sec-fetch-site", b"same-origin")];
    Head::new("POST", "/login", HeaderView::Pairs(&FIELDS))
}

fn form(pattern: Pattern) -> Vec<u8> {
    let mut form = Vec::with_capacity(6000);
    form.extend_from_slice(b"username=ada&password=");
    pattern.append(&mut form);
    form
}

#[test]
fn a_typed_password_is_gone_when_the_sign_in_is_over() {
    let mut memory = alone();
    let pattern = Pattern::new();
    assert!(sign_in(form(pattern), pattern), "it was asked about");
    assert_eq!(memory.places(pattern), 0);
}

#[test]
fn a_password_in_a_form_that_is_refused_is_gone_too() {
    let mut memory = alone();
    for end in ["&password=again", "&username=%ff", "&next=a&next=b"] {
        let pattern = Pattern::new();
        let mut form = form(pattern);
        form.extend_from_slice(end.as_bytes());
        assert!(!sign_in(form, pattern));
        assert_eq!(memory.places(pattern), 0, "{end}");
    }
}

/// Signs in through the layer with a form that arrives in pieces, each of which is wiped by whoever brought it, as no
/// server's are.
async fn through_the_layer(host: impl Host, pattern: Pattern) -> u16 {
    let mut form = Zeroizing::new(form(pattern));
    form.extend_from_slice(b"&more=");
    form.resize(6000, b'x');
    let pieces: Vec<_> = form.chunks(700).map(|piece| Zeroizing::new(piece.to_vec())).collect();
    // So that what has been read cannot grow where it is.
    let mut neighbours = Vec::with_capacity(pieces.len());
    let frames = pieces.into_iter().map(move |piece| {
        neighbours.push([1_u8; 4096].to_vec());
        Ok::<_, Infallible>(Frame::data(Bytes::from_owner(piece)))
    });
    let request = Request::post("/login")
        .header("content-type", "application/x-www-form-urlencoded")
        .header("sec-fetch-site", "same-origin")
        .body(StreamBody::new(stream::iter(frames)))
        .unwrap();
    let gate = Gate::builder(PasswordBackend::new()).build().unwrap();
    let verify = move |_: &str, password: &str| pattern.is(password).then(|| User::new("ada"));
    let inner =
        service_fn(|_: Request<_>| async { Ok::<_, Infallible>(Response::new(Full::<Bytes>::default())) });
    let service = GateLayer::new(gate, host).verify_blocking(verify).layer(inner);
    service.oneshot(request).await.unwrap().status().as_u16()
}

#[test]
fn a_typed_password_leaves_nothing_in_the_layer_on_tokio() {
    let mut memory = alone();
    let pattern = Pattern::new();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    assert_eq!(runtime.block_on(through_the_layer(Tokio, pattern)), 303);
    assert_eq!(memory.places(pattern), 0);
}

#[test]
fn a_typed_password_leaves_nothing_in_the_layer_on_smol() {
    let mut memory = alone();
    let pattern = Pattern::new();
    assert_eq!(smol::block_on(through_the_layer(Smol, pattern)), 303);
    assert_eq!(memory.places(pattern), 0);
}
