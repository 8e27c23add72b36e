use std::cell::RefCell;
use std::fs;
use std::sync::{Barrier, Once, mpsc};

use authgate_core::{Fingerprint, Secret};
use tempfile::TempDir;
use tracing::subscriber;

use super::*;
use crate::hash::hash_password;
use crate::hash::tests::{cheap, kib_hashed};
use crate::turns::Turns;

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
        let mut users = UserFile::open(&path).unwrap();
        users.reader.get_mut().unwrap().settles = Duration::ZERO;
        Self { users, path, _folder: folder }
    }

    /// Nothing counts as removed, however often somebody looks.
    fn never_settles(mut self) -> Self {
        self.users.reader.get_mut().unwrap().settles = Duration::MAX;
        self
    }

    /// Whose sessions must end since this was asked last.
    fn ended(&self) -> Vec<String> {
        self.users.refresh().ended.into_iter().map(|ended| ended.id).collect()
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
fn t29_an_unknown_or_disabled_user_costs_as_much_as_the_costliest_known_one() {
    let good = hash_password(&Secret::new("enigma".to_owned())).unwrap();
    let fixture = Fixture::new(&format!("{ADA}{BOB}"));
    let cost = |id: &str| kib_hashed(|| drop(fixture.check(id, "enigma")));
    assert_eq!(["ada", "bob", "eve", ""].map(cost), [8; 4], "all are cheap");
    fixture.write(&format!("{}{BOB}", ADA.replace("HASH", &good)));
    assert_eq!(["ada", "bob", "eve"].map(cost), [CURRENT_KIB, 8, CURRENT_KIB], "as the costliest");
    fixture.write(&format!("{ADA}{}disabled = true\n", BOB.replace("HASH", &good)));
    assert_eq!(["ada", "bob", "eve"].map(cost), [8; 3], "only who can sign in counts");
    fixture.write("user = []");
    assert_eq!(["ada", "eve"].map(cost), [CURRENT_KIB; 2], "the current parameters in an empty file");
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
    let _ = fixture.ended();
    assert!(!fixture.knows("bob"));
}

#[test]
fn removed_disabled_and_new_passwords_end_sessions_once() {
    let three = format!("{ADA}{BOB}{}", BOB.replace("bob", "eve"));
    let fixture = Fixture::new(&three);
    assert_eq!(fixture.users.refresh(), Changes { ended: vec![], fault: None });
    fixture
        .write(&format!("# nothing but a comment\n{three}").replace("is_admin = true", "is_admin = false"));
    assert_eq!(fixture.ended(), [""; 0], "a lost right ends no session");
    assert!(matches!(fixture.users.look_up("ada"), Ok(Lookup::Found(account)) if !account.user.is_admin));

    let other = BOB.replace("HASH", &cheap("other")).replace("bob", "eve");
    fixture.write(&format!("{BOB}disabled = true\n{other}"));
    assert_eq!(fixture.ended(), ["bob", "eve"], "these count at once");
    assert_eq!(fixture.ended(), ["ada"], "and a removal at the second look");
    assert_eq!(fixture.ended(), [""; 0]);
    assert!(fixture.accepts("eve", "other") && !fixture.accepts("eve", "enigma"));

    fixture.write(&format!("{other}{BOB}disabled = true\n"));
    assert_eq!(fixture.ended(), [""; 0], "who stays disabled has no session");

    fixture.write(&format!("{BOB}{other}{ADA}"));
    assert_eq!(fixture.ended(), [""; 0], "who comes back had no session");
}

#[test]
fn what_a_check_or_a_look_up_noticed_is_not_lost() {
    let fixture = Fixture::new(&format!("{ADA}{BOB}"));
    fixture.write(&format!("{ADA}{BOB}disabled = true\n"));
    assert_eq!(fixture.check("bob", "enigma"), Verdict::Rejected);
    fixture.write(BOB);
    assert_eq!(fixture.users.look_up("ada"), Ok(Lookup::Unknowable));
    assert_eq!(fixture.users.look_up("ada"), Ok(Lookup::Gone));
    fixture.write("[[");
    let changes = fixture.users.refresh();
    let ended: Vec<_> = changes.ended.iter().map(|ended| ended.id.as_str()).collect();
    assert_eq!(ended, ["ada", "bob"], "a broken file is no reason to keep them back");
    assert!(changes.fault.is_some());
}

#[test]
fn a_file_that_is_saved_in_two_writes_ends_no_session() {
    let fixture = Fixture::new(&format!("{ADA}{BOB}"));
    let bob = fixture.users.look_up("bob");
    fixture.write(ADA);
    assert_eq!(fixture.ended(), [""; 0]);
    fixture.write(&format!("{ADA}{BOB}"));
    for _ in 0..3 {
        assert_eq!(fixture.ended(), [""; 0]);
        assert_eq!(fixture.users.look_up("bob"), bob);
    }
    assert!(fixture.accepts("bob", "enigma"));
}

#[test]
fn who_is_missing_cannot_sign_in_and_keeps_their_session_until_the_file_settles() {
    let mut fixture = Fixture::new(&format!("{ADA}{BOB}")).never_settles();
    fixture.write(ADA);
    for _ in 0..3 {
        assert_eq!(fixture.check("bob", "enigma"), Verdict::Rejected);
        assert_eq!(fixture.users.look_up("bob"), Ok(Lookup::Unknowable));
        assert_eq!(fixture.ended(), [""; 0]);
    }
    assert_eq!(fixture.users.look_up("eve"), Ok(Lookup::Gone), "whom nobody ever knew");
    fixture.users.reader.get_mut().unwrap().settles = Duration::ZERO;
    assert_eq!(fixture.ended(), ["bob"]);
    assert_eq!(fixture.users.look_up("bob"), Ok(Lookup::Gone));
}

#[test]
fn a_removal_counts_after_a_second_without_a_change() {
    let fixture = Fixture::new(&format!("{ADA}{BOB}"));
    let mut users = UserFile::open(&fixture.path).unwrap();
    fixture.write(ADA);
    assert_eq!(users.refresh().ended, []);
    let reader = users.reader.get_mut().unwrap();
    reader.since = reader.since.checked_sub(Duration::from_secs(1)).unwrap();
    assert!(matches!(&*users.refresh().ended, [bob] if bob.id == "bob"));
}

#[test]
fn who_is_missing_stays_so_while_the_file_changes_or_is_broken() {
    let fixture = Fixture::new(&format!("{ADA}{BOB}"));
    fixture.write(ADA);
    assert_eq!(fixture.ended(), [""; 0]);
    fixture.write("[[");
    for _ in 0..3 {
        assert_eq!(fixture.ended(), [""; 0], "a broken file confirms nothing");
    }
    fixture.write(&format!("{ADA}# more is about to come\n"));
    assert_eq!(fixture.users.look_up("bob"), Ok(Lookup::Unknowable));
    assert_eq!(fixture.users.look_up("bob"), Ok(Lookup::Gone), "the second look at the same file");
    assert_eq!(fixture.ended(), ["bob"]);
}

#[test]
fn who_comes_back_disabled_or_with_another_password_is_ended_at_once() {
    let eve = BOB.replace("bob", "eve");
    let fixture = Fixture::new(&format!("{ADA}{BOB}{eve}")).never_settles();
    fixture.write(ADA);
    assert_eq!(fixture.ended(), [""; 0]);
    fixture.write(&format!("{ADA}{BOB}disabled = true\n{}", eve.replace("HASH", &cheap("other"))));
    assert_eq!(fixture.ended(), ["bob", "eve"]);
}

#[test]
fn each_end_carries_the_moment_when_it_was_noticed() {
    let fixture = Fixture::new(&format!("{ADA}{BOB}"));
    let before = SystemTime::now();
    fixture.write(&format!("{ADA}{BOB}disabled = true\n"));
    assert!(!fixture.accepts("bob", "enigma"));
    let after = SystemTime::now();
    fixture.write(&format!("{ADA}{BOB}"));
    assert!(fixture.accepts("bob", "enigma"), "a session that begins now is later than the change");
    let ended = fixture.users.refresh().ended;
    assert!(matches!(&*ended, [bob] if bob.id == "bob" && before <= bob.noticed && bob.noticed <= after));
}

#[test]
fn a_broken_or_missing_file_changes_nothing_until_it_is_good_again() {
    let fixture = Fixture::new(ADA);
    for broken in ["[[user]", "", "[[user]]\nid = 'ada'\n", "# half"] {
        fixture.write(broken);
        assert!(fixture.accepts("ada", "enigma"), "{broken}");
        let changes = fixture.users.refresh();
        assert_eq!(changes.ended, []);
        assert_eq!(changes.fault.unwrap().path(), fixture.path);
    }
    fs::remove_file(&fixture.path).unwrap();
    assert!(fixture.accepts("ada", "enigma"));
    assert_eq!(fixture.users.refresh().fault.unwrap().problem(), "does not exist");
    fixture.write(&format!("{ADA}{BOB}"));
    assert_eq!(fixture.users.refresh(), Changes { ended: vec![], fault: None });
    assert!(fixture.accepts("bob", "enigma"));
    fixture.write("user = []");
    assert_eq!(fixture.ended(), [""; 0]);
    assert_eq!(fixture.ended(), ["ada", "bob"], "nobody at all, if it is said");
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
    fixture.users.turns = Turns::for_ever(2, 8);
    let (first, second) = (fixture.users.turns.take(), fixture.users.turns.take());
    let (done, verdicts) = mpsc::channel();
    thread::scope(|scope| {
        for _ in 0..8 {
            let (fixture, done) = (&fixture, done.clone());
            scope.spawn(move || done.send(fixture.accepts("bob", "enigma")).unwrap());
        }
        fixture.users.turns.until_waiting(8);
        // Both turns are taken, so nobody can have finished; a look-up needs none.
        assert!(fixture.knows("bob"));
        assert!(verdicts.try_recv().is_err());
        let error = fixture.users.check(&credentials("bob", "enigma")).unwrap_err().to_string();
        assert!(error.starts_with("too many passwords are being checked at the moment"), "{error}");
        drop((first, second));
    });
    assert_eq!(verdicts.try_iter().filter(|accepted| *accepted).count(), 8);
    assert!(fixture.accepts("bob", "enigma"));
}

#[test]
fn t29_a_check_that_gets_no_turn_in_time_is_unavailable_whoever_it_is_of() {
    let mut fixture = Fixture::new(BOB);
    fixture.users.turns = Turns::with_limits(1, 8, Duration::ZERO);
    let taken = fixture.users.turns.take();
    for id in ["bob", "eve"] {
        assert!(fixture.users.check(&credentials(id, "enigma")).is_err());
    }
    drop(taken);
    assert!(fixture.accepts("bob", "enigma"));
}

#[test]
fn t29_many_checks_from_many_threads_allocate_once_for_each_turn() {
    let good = hash_password(&Secret::new("enigma".to_owned())).unwrap();
    let mut fixture = Fixture::new(&BOB.replace("HASH", &good));
    fixture.users.turns = Turns::for_ever(2, 16);
    let start = Barrier::new(16);
    thread::scope(|scope| {
        for id in ["bob", "eve"].repeat(8) {
            let (fixture, start) = (&fixture, &start);
            scope.spawn(move || {
                start.wait();
                for _ in 0..4 {
                    assert!(!fixture.accepts(id, "wrong"));
                }
            });
        }
    });
    let turns = &fixture.users.turns;
    assert!((1..=2).contains(&turns.allocations()), "{}", turns.allocations());
    assert_eq!(turns.kept() as u64, CURRENT_KIB * turns.allocations() as u64);
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

#[test]
fn who_is_not_the_same_in_another_file_loses_their_sessions_to_it() {
    let before = Fixture::new(&[ADA, BOB, &BOB.replace("bob", "eve"), &BOB.replace("bob", "dan")].concat());
    let disabled = format!("{}disabled = true\n", BOB.replace("bob", "eve"));
    let after =
        Fixture::new(&[ADA, &disabled, &BOB.replace("bob", "dan").replace("HASH", &cheap("other"))].concat());
    assert_eq!(before.users.lost_to(&after.users).collect::<Vec<_>>(), ["bob", "dan", "eve"]);
    assert_eq!(before.users.lost_to(&before.users).count(), 0);
}
