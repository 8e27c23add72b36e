//! One comparison of a secret, to be counted by the instruction: `compare KIND CASE`, with the kinds and cases of `KINDS`.
//!
//! `tests/timing` runs it. What is counted is what happens within [`measured`], and nothing else.
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, missing_docs, reason = "a test")]

use std::hint::black_box;
use std::path::PathBuf;
use std::time::Duration;
use std::{env, fs, process, thread};

use argon2::{Argon2, Params};
use authgate_core::{
    Credentials, Fingerprint, Gate, Head, HeaderView, JwtBackend, Key, PasswordBackend, SealingKey, Secret,
    Sessions, Step, UserStore as _, Verdict,
};
use authgate_tests::forge;
use authgate_tests::world::{NOW, session};
use authgate_users::UserFile;
use base64_simd::{STANDARD_NO_PAD, URL_SAFE_NO_PAD};

/// Which byte of what is shown is another one.
type Change = Option<usize>;

/// Compares with what was changed so; tells whether what was shown is taken.
type Compare = fn(Change) -> bool;

/// What is compared, how long it is in bytes, and how.
const KINDS: [(&str, usize, Compare); 8] = [
    ("hs256", 32, |change| token("HS256", change)),
    ("hs384", 48, |change| token("HS384", change)),
    ("hs512", 64, |change| token("HS512", change)),
    ("seal", 16, seal),
    ("fingerprint", 16, fingerprint),
    ("password", 32, password),
    ("secret", 64, secret),
    // Not constant, so that a run shows that a difference would be seen.
    ("naive", 64, naive),
];

fn main() {
    let arguments: Vec<String> = env::args().skip(1).collect();
    let Some((_, length, compare)) =
        KINDS.iter().find(|(name, ..)| Some(*name) == arguments.first().map(|it| &**it))
    else {
        let kinds: Vec<_> = KINDS.iter().map(|(name, length, _)| format!("{name} {length}")).collect();
        print(&kinds.join("\n"));
        return;
    };
    let change = match arguments[1].as_str() {
        "same" => None,
        number => Some(number.parse().unwrap()),
    };
    assert!(change.is_none_or(|change| change < *length), "there is no such byte");
    assert_eq!(compare(change), change.is_none(), "what was shown was judged wrongly");
}

#[allow(clippy::print_stdout, reason = "whoever runs it asked")]
fn print(text: &str) {
    println!("{text}");
}

/// What callgrind counts.
#[inline(never)]
fn measured<T>(compare: impl FnOnce() -> T) -> T {
    black_box(compare())
}

fn changed(bytes: &[u8], change: Change) -> Vec<u8> {
    let mut bytes = bytes.to_vec();
    if let Some(change) = change {
        bytes[change] ^= 1;
    }
    bytes
}

/// The signature of a token.
fn token(algorithm: &str, change: Change) -> bool {
    let sign = forge::signer(algorithm);
    let header = format!(r#"{{"alg":"{algorithm}","typ":"JWT"}}"#);
    let token = forge::token(&header, r#"{"sub":"ada"}"#, &|message| changed(&sign(message), change));
    let key = Key::secret(forge::SECRET).unwrap();
    let backend = JwtBackend::builder().key(key).algorithms([algorithm.parse().unwrap()]).build().unwrap();
    measured(|| backend.verify(black_box(token.as_bytes()), NOW)).is_ok()
}

/// The tag of a sealed session: the last sixteen bytes of the cookie.
fn seal(change: Change) -> bool {
    let cookie = session("ada", NOW);
    let (name, value) = cookie.split_once('=').unwrap();
    let sealed = URL_SAFE_NO_PAD.decode_to_vec(value).unwrap();
    let tag = sealed.len() - 16;
    let value = URL_SAFE_NO_PAD.encode_to_string(changed(&sealed, change.map(|change| tag + change)));
    let cookie = format!("{name}={value}");
    let keys = [SealingKey::new(forge::SECRET).unwrap()];
    let gate = Gate::builder(PasswordBackend::new()).sessions(Sessions::sealed(keys)).build().unwrap();
    let fields: [(&[u8], &[u8]); 1] = [(b"cookie", cookie.as_bytes())];
    let head = Head::new("GET", "/", HeaderView::Pairs(black_box(&fields)));
    let step = measured(|| gate.begin(&head, NOW));
    let Step::Done(decision) = step else { panic!("nothing is asked: {step:?}") };
    decision.event().user.is_some()
}

/// The fingerprints of two credentials.
fn fingerprint(change: Change) -> bool {
    let read = |bytes: &[u8]| -> Fingerprint {
        toml::Value::String(URL_SAFE_NO_PAD.encode_to_string(bytes)).try_into().unwrap()
    };
    let (one, other) = (read(&[7; 16]), read(&changed(&[7; 16], change)));
    measured(|| black_box(one) == black_box(other))
}

/// How old a file is whose stamp tells all later changes: see `TICK` of authgate-users.
const SETTLED: Duration = Duration::from_millis(2100);

/// The hash of a typed password and the one in the user file.
fn password(change: Change) -> bool {
    const SALT: &[u8] = b"salt of 16 bytes";
    let mut hash = [0; 32];
    let cheap = Argon2::from(Params::new(64, 1, 1, None).unwrap());
    cheap.hash_password_into(b"enigma", SALT, &mut hash).unwrap();
    let [salt, hash] = [SALT, &changed(&hash, change)].map(|bytes| STANDARD_NO_PAD.encode_to_string(bytes));
    let folder = Folder::new();
    let file = folder.0.join("users.toml");
    let text = format!("[[user]]\nid = 'ada'\npassword = '$argon2id$v=19$m=64,t=1,p=1${salt}${hash}'\n");
    fs::write(&file, text).unwrap();
    let users = UserFile::open(&file).unwrap();
    let typed = Credentials { username: "ada".to_owned(), password: Secret::new("enigma".to_owned()) };
    // A file that has just been written is read anew for every check.
    while fs::metadata(&file).unwrap().modified().unwrap().elapsed().unwrap() < SETTLED {
        thread::sleep(SETTLED / 10);
    }
    // Once before: the first check makes its room, and reads the file a last time.
    let before = users.check(&typed).unwrap();
    let verdict = measured(|| users.check(black_box(&typed))).unwrap();
    assert_eq!(before, verdict);
    matches!(verdict, Verdict::Accepted(_))
}

/// Two secrets.
fn secret(change: Change) -> bool {
    let (one, other) = (Secret::new(vec![7; 64]), Secret::new(changed(&[7; 64], change)));
    measured(|| black_box(&one) == black_box(&other))
}

fn naive(change: Change) -> bool {
    let (one, other) = (vec![7; 64], changed(&[7; 64], change));
    measured(|| black_box(&one).iter().zip(black_box(&other)).all(|(one, other)| one == other))
}

/// A folder of its own, gone with it.
struct Folder(PathBuf);

impl Folder {
    fn new() -> Self {
        let path = env::temp_dir().join(format!("authgate-compare-{}", process::id()));
        fs::create_dir(&path).unwrap();
        Self(path)
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}
