use std::collections::BTreeMap;
use std::time::Duration;

use authgate_core::{
    Account, Count, CountKey, Ending, EndingsNews, Lookup, Session, SessionId, Step, Timestamp, Unavailable,
    User, Verdict,
};

use super::bytes::Bytes;
use super::request::Request;
use super::{Course, Stage, Talk};

const KNOWN: &str = include_str!("../../../keys/jwks.json");

/// Everything outside of the gate: a clock that only goes on, a store, and a source of bytes that never come twice.
pub(super) struct World {
    pub(super) now: Timestamp,
    /// What the store has.
    records: BTreeMap<SessionId, Session>,
    /// Whatever it ever had: a store that lies gives it back.
    relics: BTreeMap<SessionId, Session>,
    endings: Vec<Ending>,
    counts: BTreeMap<CountKey, Count>,
    drawn: u8,
}

/// How a question is answered.
#[derive(Clone, Copy)]
enum Mood {
    Honest,
    No,
    Down,
    Nonsense,
}

impl World {
    pub(super) fn new(now: Timestamp) -> Self {
        Self {
            now,
            records: BTreeMap::new(),
            relics: BTreeMap::new(),
            endings: Vec::new(),
            counts: BTreeMap::new(),
            drawn: 0,
        }
    }

    pub(super) fn pass(&mut self, span: Duration) {
        self.now = self.now.after(span);
    }

    fn draw(&mut self) -> [u8; 32] {
        self.drawn += 1;
        [self.drawn; 32]
    }
}

/// A user as every store knows them: only `root` is an administrator.
fn user(id: &str) -> User {
    User { is_admin: id == "root", ..User::new(id) }
}

impl Talk {
    /// Answers whatever is asked, and notes what that proves.
    pub(super) fn answer(
        &mut self,
        bytes: &mut Bytes<'_>,
        request: &Request,
        course: &mut Course,
        step: Step,
    ) -> Step {
        let mood = bytes.one(&[Mood::Honest, Mood::No, Mood::Down, Mood::Nonsense]);
        let now = self.now();
        match (step, mood) {
            (Step::ReadBody(limit, then), Mood::Honest | Mood::No | Mood::Nonsense) => {
                then.resume(limit.body(request.form.clone().into_bytes()), now)
            }
            (step, Mood::Down) => {
                if let Step::RenewSession(..) | Step::LookUpUser(..) = step {
                    course.renewal_failed = true;
                }
                step.unavailable(Unavailable::new("down"), now)
            }
            (Step::AskBackend(name, then), mood) => {
                assert_eq!(name, "directory");
                let found = match mood {
                    Mood::Honest => Some(bytes.one(&["ada", "root"])),
                    Mood::Nonsense => Some(""),
                    _ => None,
                };
                course.proved.extend(found.map(str::to_owned));
                then.resume(Ok(found.map(|id| user(id).into())), now)
            }
            (Step::FetchKeys(name, then), mood) => {
                assert_eq!(name, "jwt");
                then.resume(self.fetch(mood), now)
            }
            (Step::CheckPassword(who, then), mood) => {
                assert!(!who.username.is_empty() && !who.password.expose().is_empty());
                let found = match mood {
                    Mood::Honest if who.password.expose() == "right" => Some(who.username),
                    Mood::Nonsense => Some(bytes.one(&["", "root"]).to_owned()),
                    _ => None,
                };
                course.accepted.clone_from(&found);
                then.resume(Ok(Verdict::from(found.map(|id| user(&id)))), now)
            }
            (Step::LookUpUser(id, then), mood) => {
                then.resume(Ok(self.look_up(&id, mood, course, request)), now)
            }
            (Step::DrawBytes(then), _) => {
                course.stage = Stage::Drawn;
                then.resume(Ok(self.world.draw()), now)
            }
            (step, mood) => self.answer_for_store(course, step, mood),
        }
    }

    fn answer_for_store(&mut self, course: &mut Course, step: Step, mood: Mood) -> Step {
        let now = self.now();
        match step {
            Step::LoadSession(id, then) => {
                let found = self.load(id, mood);
                let visit = self.jar.visit_of(&id);
                course
                    .loaded
                    .extend(visit.filter(|_| found.as_ref().is_some_and(|session| session.id() == id)));
                then.resume(Ok(found), now)
            }
            Step::CreateSession(id, session, then) => {
                assert!(
                    course.accepted.as_deref() == Some(&*session.user().id)
                        && session.user().claims.is_none()
                );
                let taken = matches!(mood, Mood::No) || self.world.relics.contains_key(&id);
                if !taken {
                    course.created = Some(id);
                    self.world.records.insert(id, session.clone());
                    self.world.relics.insert(id, session);
                }
                then.resume(Ok(!taken), now)
            }
            Step::RenewSession(id, session, then) => {
                let there = self.world.records.contains_key(&id) && !matches!(mood, Mood::No);
                assert!(session.until() <= session.ends() && session.id() == id);
                if there {
                    self.world.records.insert(id, session.clone());
                    self.world.relics.insert(id, session);
                }
                course.renewal_failed |= !there;
                then.resume(Ok(there), now)
            }
            Step::DropSession(id, then) => {
                // A store that says that it did, and did not.
                if matches!(mood, Mood::Honest) {
                    self.world.records.remove(&id);
                    self.world.endings.push(Ending::Session { id, at: now });
                }
                then.resume(Ok(()), now)
            }
            other => self.answer_for_sharers(course, other, mood),
        }
    }

    fn answer_for_sharers(&mut self, course: &mut Course, step: Step, mood: Mood) -> Step {
        let now = self.now();
        match step {
            Step::HearEndings(since, then) => {
                let from = since.position.and_then(|position| position.parse().ok()).unwrap_or(0_usize);
                course.hears += 1;
                let news = EndingsNews {
                    endings: self.world.endings.get(from..).unwrap_or_default().to_vec(),
                    position: self.world.endings.len().to_string(),
                    more: matches!(mood, Mood::No) && course.hears <= 3,
                    floor: if matches!(mood, Mood::Nonsense) { now } else { Timestamp::from_secs(0) },
                    now,
                };
                then.resume(Ok(news), now)
            }
            Step::LoadCounts(keys, then) => {
                let full = Count { end: now.after(Duration::from_hours(3)), last: now };
                let counts = keys.iter().map(|key| match mood {
                    Mood::No => Some(full),
                    _ => self.world.counts.get(key).copied(),
                });
                let mut counts: Vec<_> = counts.collect();
                if matches!(mood, Mood::Nonsense) {
                    counts.pop();
                }
                then.resume(Ok(counts), now)
            }
            Step::SwapCounts(swaps, then) => {
                let same = swaps.iter().all(|swap| self.world.counts.get(&swap.key).copied() == swap.was);
                let swapped = same && !matches!(mood, Mood::No);
                for swap in swaps.into_iter().filter(|_| swapped) {
                    match swap.becomes {
                        Some(count) => self.world.counts.insert(swap.key, count),
                        None => self.world.counts.remove(&swap.key),
                    };
                }
                then.resume(Ok(swapped), now)
            }
            other => panic!("nobody has an answer to {other:?}"),
        }
    }

    fn load(&self, id: SessionId, mood: Mood) -> Option<Session> {
        match mood {
            Mood::Honest => self.world.records.get(&id).cloned(),
            // Somebody else's.
            Mood::No => self.world.relics.values().find(|session| session.id() != id).cloned(),
            // One that was dropped.
            _ => self.world.relics.get(&id).cloned(),
        }
    }

    fn look_up(&mut self, id: &str, mood: Mood, course: &mut Course, request: &Request) -> Lookup {
        let lookup = match mood {
            Mood::Honest => return Lookup::Found(user(id).into()),
            Mood::Nonsense => Lookup::Found(Account::from(user("somebody else"))),
            _ => Lookup::Gone,
        };
        course.renewal_failed = true;
        // The gate ends the session by itself.
        let shown = request.shown.iter().map(|shown| shown.visit);
        let ended: Vec<_> = if course.loaded.is_empty() { shown.collect() } else { course.loaded.clone() };
        if let [visit] = ended[..] {
            self.jar.end(visit);
        }
        lookup
    }

    /// What the provider says, if it is time to ask it.
    fn fetch(&self, mood: Mood) -> Result<(), Unavailable> {
        let now = self.now();
        match mood {
            Mood::Honest => {
                self.keys.begin_fetch_for_token(now)?;
                self.keys
                    .fetched(KNOWN, None, now)
                    .map(|_| ())
                    .map_err(|why| Unavailable::new(why.to_string()))
            }
            Mood::No => self.keys.begin_fetch_for_token(now),
            // Somebody else's fetch, which brought nothing.
            _ => Ok(()),
        }
    }
}
