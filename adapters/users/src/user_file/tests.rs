use std::cell::RefCell;
use std::fs;
use std::sync::{Barrier, Once, mpsc};

use authgate_core::{Fingerprint, Secret};
use tempfile::TempDir;
use tracing::subscriber;

use super::*;
use crate::hash::hash_password;
use crate::hash::tests::{cheap, kib_hashed};

/// A hash with the current parameters fills so much; a cheap one eight.
const CURRENT_KIB: u64 = 19456;

const ADA: &str = "[[user]]\nid = 'ada'\nname = 'Ada'\nroles = ['ops']\nis_admin = true\npassword = 'HASH'\n";
const BOB: &str = "[[user]]\nid = 'bob'\npassword = 'HASH'\n";

struct Fixture {
    users: UserFile,
    path: PathBuf,
    _folder: TempDir,
}

impl Fixture {
    fn new(text: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("users.toml");
        fs::write(&path, text.replace("HASH", &cheap("enigma"))).unwrap();
        let users = UserFile::open(&path).unwrap();
        Self { users, path, _folder: folder }
    }

    fn write(&self, text: &str) {
        fs::write(&self.path, text.replace("HASH", &cheap("enigma"))).unwrap();
    }

    fn check(&self, id: &str, password: &str) -> Verdict {
        self.users.check(&credentials(id, password)).unwrap()
    }

    fn accepts(&self, id: &str, password: &str) -> bool {
        matches!(self.check(id, password), Verdict::Accepted(account) if account.user.id == id)
    }

    fn knows(&self, id: &str) -> bool {
        self.users.look_up(id).unwrap() != Lookup::Gone
    }
}

fn credentials(id: &str, password: &str) -> Credentials {
    Credentials { username: id.to_owned(), password: Secret::new(password.to_owned()) }
}

#[test]
fn the_right_password_of_a_known_user_and_nothing_else_is_accepted() {
    let fixture = Fixture::new(&format!("{ADA}{BOB}disabled = true\n"));
    let Verdict::Accepted(account) = fixture.check("ada", "enigma") else { panic!("it is her password") };
    assert_eq!((account.user.name.as_str(), account.user.is_admin), ("Ada", true));
    assert_eq!(account.user.roles, ["ops"]);
    assert_eq!(account.credential, Some(Fingerprint::of(cheap("enigma"))));
    assert_eq!(fixture.users.look_up("ada"), Ok(Lookup::Found(account)));
    for (id, password) in
        [("ada", "Enigma"), ("ada", ""), ("Ada", "enigma"), ("eve", "enigma"), ("", ""), ("bob", "enigma")]
    {
        assert_eq!(fixture.check(id, password), Verdict::Rejected, "{id} {password}");
    }
    assert_eq!(fixture.users.look_up("bob"), Ok(Lookup::Gone));
    assert_eq!(fixture.users.look_up("eve"), Ok(Lookup::Gone));
}

#[test]
fn an_unknown_or_disabled_user_costs_a_hash_with_the_current_parameters() {
    let fixture = Fixture::new(&format!("{ADA}{BOB}disabled = true\n"));
    let cost = |id: &str| kib_hashed(|| drop(fixture.check(id, "enigma")));
    assert_eq!(cost("ada"), 8);
    assert_eq!(cost("eve"), CURRENT_KIB);
    assert_eq!(cost("bob"), CURRENT_KIB);
    let good = hash_password(&Secret::new("enigma".to_owned())).unwrap();
    fixture.write(&ADA.replace("HASH", &good));
    assert_eq!(cost("ada"), CURRENT_KIB, "and so does a known one");
}

#[test]
fn a_file_that_is_broken_from_the_start_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("users.toml");
    assert_eq!(UserFile::open(&path).unwrap_err().problem(), "does not exist");
    fs::write(&path, "[[user]]\nid = 'ada'").unwrap();
    assert_eq!(UserFile::open(&path).unwrap_err().user(), Some("ada"));
}

#[test]
fn a_change_counts_at_once_even_of_the_same_length_within_the_same_second() {
    let fixture = Fixture::new(BOB);
    assert!(fixture.accepts("bob", "enigma"));
    for id in ["eve", "zoe", "bob", "eve"] {
        fixture.write(&BOB.replace("bob", id));
        assert!(fixture.accepts(id, "enigma"), "{id}");
    }
    assert!(!fixture.knows("bob"));
    assert_eq!(fixture.users.refresh().ended, ["bob", "eve", "zoe"]);
}

#[test]
fn removed_disabled_and_new_passwords_end_sessions_once() {
    let three = format!("{ADA}{BOB}{}", BOB.replace("bob", "eve"));
    let fixture = Fixture::new(&three);
    assert_eq!(fixture.users.refresh(), Changes { ended: vec![], fault: None });
    fixture
        .write(&format!("# nothing but a comment\n{three}").replace("is_admin = true", "is_admin = false"));
    assert_eq!(fixture.users.refresh().ended, [""; 0], "a lost right ends no session");
    assert!(matches!(fixture.users.look_up("ada"), Ok(Lookup::Found(account)) if !account.user.is_admin));

    let other = BOB.replace("HASH", &cheap("other")).replace("bob", "eve");
    fixture.write(&format!("{BOB}disabled = true\n{other}"));
    assert_eq!(fixture.users.refresh().ended, ["ada", "bob", "eve"]);
    assert_eq!(fixture.users.refresh().ended, [""; 0]);
    assert!(fixture.accepts("eve", "other") && !fixture.accepts("eve", "enigma"));

    fixture.write(&format!("{other}{BOB}disabled = true\n"));
    assert_eq!(fixture.users.refresh().ended, [""; 0], "who stays disabled has no session");

    fixture.write(&format!("{BOB}{other}{ADA}"));
    assert_eq!(fixture.users.refresh().ended, [""; 0], "who comes back had no session");
}

#[test]
fn what_a_check_or_a_look_up_noticed_is_not_lost() {
    let fixture = Fixture::new(&format!("{ADA}{BOB}"));
    fixture.write(ADA);
    assert_eq!(fixture.check("bob", "enigma"), Verdict::Rejected);
    fixture.write(BOB);
    assert_eq!(fixture.users.look_up("ada"), Ok(Lookup::Gone));
    fixture.write("[[");
    let changes = fixture.users.refresh();
    assert_eq!(changes.ended, ["ada", "bob"], "a broken file is no reason to keep them back");
    assert!(changes.fault.is_some());
}

#[test]
fn a_broken_or_missing_file_changes_nothing_until_it_is_good_again() {
    let fixture = Fixture::new(ADA);
    for broken in ["[[user]", "", "[[user]]\nid = 'ada'\n", "# half"] {
        fixture.write(broken);
        assert!(fixture.accepts("ada", "enigma"), "{broken}");
        let changes = fixture.users.refresh();
        assert_eq!(changes.ended, [""; 0]);
        assert_eq!(changes.fault.unwrap().path(), fixture.path);
    }
    fs::remove_file(&fixture.path).unwrap();
    assert!(fixture.accepts("ada", "enigma"));
    assert_eq!(fixture.users.refresh().fault.unwrap().problem(), "does not exist");
    fixture.write(&format!("{ADA}{BOB}"));
    assert_eq!(fixture.users.refresh(), Changes { ended: vec![], fault: None });
    assert!(fixture.accepts("bob", "enigma"));
    fixture.write("user = []");
    assert_eq!(fixture.users.refresh().ended, ["ada", "bob"], "nobody at all, if it is said");
}

#[test]
fn whoever_is_removed_while_their_password_is_hashed_is_not_let_in() {
    let fixture = Fixture::new(ADA);
    let users = fixture.users.current();
    assert!(fixture.users.still(&users, "ada").is_some());
    fixture.write(&ADA.replace("HASH", &cheap("other")));
    assert!(fixture.users.still(&users, "ada").is_none());
    fixture.write(BOB);
    assert!(fixture.users.still(&users, "ada").is_none());
}

#[test]
fn each_state_of_the_file_is_logged_once() {
    Log::listen();
    let fixture = Fixture::new(ADA);
    assert_eq!(
        Log::take(),
        ["WARN password hashes with outdated parameters; these users should set a new password users=ada"]
    );
    fixture.write("[[user]");
    for _ in 0..3 {
        fixture.accepts("ada", "enigma");
        let _ = fixture.users.refresh();
    }
    let told = Log::take();
    assert_eq!(told.len(), 1, "{told:?}");
    assert!(told[0].starts_with("ERROR ") && told[0].contains("users.toml:1: is not TOML"), "{told:?}");
    fixture.write("[[user]]");
    for _ in 0..3 {
        fixture.knows("ada");
    }
    assert_eq!(Log::take().len(), 1, "broken in another way");
    fixture.write(ADA);
    for _ in 0..3 {
        fixture.knows("ada");
    }
    let told = Log::take();
    assert_eq!(told.len(), 2, "{told:?}");
    assert!(told[0].starts_with("INFO the user file is good again"), "{told:?}");
    assert!(told[1].starts_with("WARN ") && told[1].ends_with("users=ada"), "{told:?}");
}

#[test]
fn a_long_list_of_outdated_users_is_cut() {
    Log::listen();
    let many: String = (100..125).map(|number| BOB.replace("bob", &format!("u{number}"))).collect();
    drop(Fixture::new(&many));
    let told = Log::take().concat();
    assert!(told.contains("users=u100, u101, ") && told.ends_with("u119 and 5 more"), "{told}");
}

#[test]
fn no_more_passwords_are_hashed_at_one_time_than_allowed() {
    let mut fixture = Fixture::new(BOB);
    fixture.users = fixture.users.hashes_at_once(2);
    let (first, second) = (fixture.users.turns.take(), fixture.users.turns.take());
    let (done, verdicts) = mpsc::channel();
    let start = Barrier::new(9);
    thread::scope(|scope| {
        for _ in 0..8 {
            let (fixture, start, done) = (&fixture, &start, done.clone());
            scope.spawn(move || {
                start.wait();
                done.send(fixture.accepts("bob", "enigma")).unwrap();
            });
        }
        start.wait();
        // Both turns are taken, so nobody can have finished; a look-up needs none.
        for _ in 0..1000 {
            assert!(fixture.knows("bob"));
            thread::yield_now();
        }
        assert!(verdicts.try_recv().is_err());
        drop((first, second));
    });
    assert_eq!(verdicts.try_iter().filter(|accepted| *accepted).count(), 8);
}

#[test]
fn many_threads_check_while_the_file_changes() {
    let fixture = Fixture::new(&format!("{ADA}{BOB}"));
    thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                for _ in 0..50 {
                    assert!(fixture.accepts("ada", "enigma"), "she is in every state of the file");
                    let _ = fixture.check("bob", "enigma");
                }
            });
        }
        for round in 0..20 {
            let text = if round % 2 == 0 { ADA.to_owned() } else { format!("{ADA}{BOB}") };
            fixture.write(&text);
        }
    });
    assert!(fixture.users.refresh().fault.is_none());
    assert!(fixture.accepts("bob", "enigma"));
}

/// Hears what is logged, one line an event: the level, the message, and the field `users`.
///
/// One for the whole process, which keeps the threads apart: with a subscriber for each thread, what a thread without
/// one logs first is thought to interest nobody.
struct Log;

thread_local! {
    static LINES: RefCell<Vec<String>> = const { RefCell::new(Vec::new()) };
}

impl Log {
    fn listen() {
        static ONCE: Once = Once::new();
        ONCE.call_once(|| subscriber::set_global_default(Log).unwrap());
        Self::take();
    }

    /// What this thread has logged since.
    fn take() -> Vec<String> {
        LINES.take()
    }
}

impl tracing::Subscriber for Log {
    fn enabled(&self, metadata: &tracing::Metadata<'_>) -> bool {
        metadata.target() == "authgate"
    }

    fn event(&self, event: &tracing::Event<'_>) {
        let (mut message, mut users) = (String::new(), String::new());
        event.record(&mut |field: &tracing::field::Field, value: &dyn fmt::Debug| match field.name() {
            "message" => message = format!("{value:?}"),
            "users" => users = format!(" users={value:?}"),
            _ => {}
        });
        let line = format!("{} {message}{users}", event.metadata().level());
        LINES.with_borrow_mut(|lines| lines.push(line));
    }

    fn new_span(&self, _: &tracing::span::Attributes<'_>) -> tracing::span::Id {
        tracing::span::Id::from_u64(1)
    }

    fn record(&self, _: &tracing::span::Id, _: &tracing::span::Record<'_>) {}
    fn record_follows_from(&self, _: &tracing::span::Id, _: &tracing::span::Id) {}
    fn enter(&self, _: &tracing::span::Id) {}
    fn exit(&self, _: &tracing::span::Id) {}
}
