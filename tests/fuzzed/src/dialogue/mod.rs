//! Any requests and any answers, one dialogue with one gate after the other.

mod answers;
mod bytes;
mod people;
mod request;
mod setting;
mod told;

use std::time::Duration;

use authgate_core::{Gate, Head, HeaderView, KeySet, SessionId, Step, Timestamp};

use self::answers::World;
use self::bytes::Bytes;
use self::people::Jar;
use self::request::Request;
use self::setting::Setting;
use crate::world::NOW;

/// The most questions that one request may lead to, given that the store says at most three times that there is more to
/// hear: a form; what has ended, twice; counts, loaded and swapped eight times, for the charge and for giving it back;
/// a password, random bytes, a new session; and each of seven old ones loaded and dropped.
const MOST_STEPS: usize = 64;

/// Digits choose a gate, requests, and an answer to each question. Every request ends; nobody is let in whom no token,
/// no answer and no session that still holds has proved; what was signed out stays so, whatever the store says; and
/// every reply is one that can be sent.
pub fn dialogue(data: &[u8]) {
    let mut bytes = Bytes::new(data);
    let setting = Setting::choose(&mut bytes);
    let (gate, keys) = setting.gate();
    let mut talk = Talk { setting, gate, keys, world: World::new(NOW), jar: Jar::default() };
    for _ in 0..8 {
        if bytes.is_empty() {
            return;
        }
        match bytes.number() % 8 {
            6 => talk.sign_out_everywhere("ada"),
            7 => talk.world.pass(bytes.one(&[
                Duration::from_mins(2),
                Duration::from_mins(25),
                Duration::from_hours(13),
            ])),
            _ => talk.ask(&mut bytes),
        }
    }
}

struct Talk {
    setting: Setting,
    gate: Gate,
    keys: KeySet,
    world: World,
    jar: Jar,
}

/// What one request has come to so far.
#[derive(Default)]
struct Course {
    /// Users whom a token or an answer has proved.
    proved: Vec<String>,
    /// Sign-ins whose record the store gave back.
    loaded: Vec<usize>,
    /// Whether a session could not go on: nobody is let in by it.
    renewal_failed: bool,
    /// How often was asked what has ended.
    hears: usize,
    /// How far a sign-in has come.
    stage: Stage,
    /// Whose password it was.
    accepted: Option<String>,
    created: Option<SessionId>,
    /// Whether all sessions of `ada` were ended before hers had begun, or after.
    outdated: bool,
    ended_at_once: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
enum Stage {
    #[default]
    Begun,
    Checking,
    Drawn,
}

impl Talk {
    fn now(&self) -> Timestamp {
        self.world.now
    }

    fn sign_out_everywhere(&mut self, user: &str) {
        self.gate.sign_out_everywhere(user, self.now());
        self.jar.end_all_of(user);
    }

    fn ask(&mut self, bytes: &mut Bytes<'_>) {
        let request = Request::choose(bytes, &self.jar);
        let pairs = request.pairs();
        let head = Head::new(request.method, &request.target, HeaderView::Pairs(&pairs));
        let head = head.over(request.scheme).from_peer(request.peer);
        let proved = request.tokens.iter().map(ToString::to_string).collect();
        let mut course = Course { proved, ..Course::default() };
        let mut step = self.gate.begin(&head, self.now());
        for _ in 0..MOST_STEPS {
            if let Step::Done(decision) = step {
                self.check_end(&request, &head, &course, &decision);
                self.note(&request, &course, &decision);
                return;
            }
            if let Step::CheckPassword(..) = step {
                course.stage = Stage::Checking;
            }
            self.interrupt(bytes, &mut course);
            step = self.answer(bytes, &request, &mut course, step);
        }
        panic!("more than {MOST_STEPS} questions: {step:?}");
    }

    /// What happens while a question is open.
    fn interrupt(&mut self, bytes: &mut Bytes<'_>, course: &mut Course) {
        let [later, out] = bytes.flags();
        if later {
            self.world.pass(Duration::from_secs(1));
        }
        if out {
            self.sign_out_everywhere("ada");
            course.outdated |= course.stage == Stage::Checking;
            course.ended_at_once |= course.stage == Stage::Drawn;
        }
    }
}
