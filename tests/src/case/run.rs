use authgate_core::{Decision, Session, Step, Timestamp};

use super::answers::{Answers, At, Told, down, verdict};
use super::config::Built;
use super::request::Request;
use crate::forge;
use crate::steps::{self, Walk};

/// The most questions that a visit may lead to. The longest is a sign-in where gates share a store that has no end of
/// things to tell: the body (1), all that has ended, in at most 200 answers (`flow/hear.rs`), the counts of tries, loaded
/// and swapped at most 8 times (`flow/charge.rs`), the password (1), the same again to give the charge back, and to hear
/// what has ended meanwhile; random bytes (1), the ends of at most 8 old sessions (`session/cookie.rs`), each loaded and
/// dropped, and the new one (1).
pub const MOST_STEPS: usize = 1 + 200 + 2 * 8 + 1 + 2 * 8 + 200 + 1 + 2 * 8 + 1;

/// How a visit went.
#[derive(Debug)]
pub struct Run {
    /// The names of all questions, in order.
    pub asked: Vec<&'static str>,
    /// The sessions that a store was to keep, new and renewed.
    pub kept: Vec<Session>,
    /// The end.
    pub decision: Decision,
}

/// Takes a request through the gate, by no step that `tests/steps.toml` does not have.
pub fn run(built: &Built, request: &Request, answers: &Answers) -> Run {
    let begin = Timestamp::from_millis(answers.begin);
    let mut step = request.lend(|head| built.gate.begin(head, begin));
    let (mut asked, mut kept) = (Vec::new(), Vec::new());
    let mut walk = Walk::default();
    loop {
        walk.see(&step).unwrap_or_else(|pair| panic!("{pair}"));
        if let Step::Done(decision) = step {
            return Run { asked, kept, decision };
        }
        if let Step::CreateSession(_, session, _) | Step::RenewSession(_, session, _) = &step {
            kept.push(session.clone());
        }
        let name = steps::name(&step);
        let before = asked.iter().filter(|other| **other == name).count();
        asked.push(name);
        assert!(asked.len() <= MOST_STEPS, "more than {MOST_STEPS} questions; the last: {step:?}");
        step = answer(step, built, request, answers, before);
    }
}

/// Answers; the same has been asked `before` so many times.
fn answer(step: Step, built: &Built, request: &Request, answers: &Answers, before: usize) -> Step {
    match step {
        Step::Done(_) => step,
        Step::ReadBody(limit, then) => {
            let At { answer, .. } = answers.body;
            let body = answer.map_or_else(|| limit.body(request.body.clone().into_bytes()), Err);
            then.resume(body, answers.body.now())
        }
        Step::AskBackend(name, then) => {
            let at = &answers.directories[usize::from(name == "directory-2")];
            then.resume(told(&at.answer).map(|vouched| vouched.map(Into::into)), at.now())
        }
        Step::FetchKeys(_, then) => {
            let at = nth(&answers.keys, before);
            let brought = told(&at.answer).map(|names| {
                if let Some(keys) = &built.keys {
                    keys.begin_fetch(at.now());
                    // A set that cannot be used is none; the gate finds out.
                    let _ = keys.fetched(&forge::jwk_set(&names), None, at.now());
                }
            });
            then.resume(brought, at.now())
        }
        Step::CheckPassword(_, then) => {
            let At { answer, .. } = &answers.password;
            then.resume(told(answer).map(|whose| verdict(whose.as_ref())), answers.password.now())
        }
        Step::LookUpUser(_, then) => {
            then.resume(told(&answers.look_up.answer).map(|user| user.lookup()), answers.look_up.now())
        }
        Step::DrawBytes(then) => {
            then.resume(told(&answers.random.answer).map(|byte| [byte; 32]), answers.random.now())
        }
        Step::LoadSession(id, then) => {
            let loaded = told(&answers.load.answer).map(|loaded| loaded.map(|loaded| loaded.session(id)));
            then.resume(loaded, answers.load.now())
        }
        Step::CreateSession(_, _, then) => then.resume(told(&answers.create.answer), answers.create.now()),
        Step::RenewSession(_, _, then) => then.resume(told(&answers.renew.answer), answers.renew.now()),
        Step::DropSession(_, then) => then.resume(told(&answers.drop.answer), answers.drop.now()),
        Step::HearEndings(_, then) => {
            let at = nth(&answers.news, before);
            then.resume(told(&at.answer).map(|news| news.endings(before)), at.now())
        }
        Step::LoadCounts(_, then) => then.resume(told(&answers.counts.answer), answers.counts.now()),
        Step::SwapCounts(_, then) => {
            let at = nth(&answers.swap, before);
            then.resume(told(&at.answer), at.now())
        }
    }
}

fn told<T: Clone>(answer: &Told<T>) -> Result<T, authgate_core::Unavailable> {
    answer.clone().map_err(|()| down())
}

fn nth<T>(answers: &[At<T>], before: usize) -> &At<T> {
    answers.get(before).or(answers.last()).unwrap()
}
