use std::sync::Arc;

use smol_str::SmolStr;

use super::hear::hear_since;
use super::held::Held;
use super::refuse::Asker;
use super::visit::Visit;
use crate::backend::{BadProof, Proof, Proven};
use crate::decision::Decision;
use crate::event::{Details, Reason};
use crate::lease::Holder;
use crate::local_path::LocalPath;
use crate::response_fields::ResponseFields;
use crate::rules::{Demand, Verdict};
use crate::session::{Presented, Session, SessionFault, SessionId, SessionRules, Shown, Standing};
use crate::sharing::EndingsSince;
use crate::step::{Then, Unavailable};
use crate::{Admission, Denial, Gate, Kind, Peer, Scheme, Step, Timestamp, User};

/// Asks the session and then the backends in order who this is. A proof that is at hand is taken before anybody is
/// waited for.
pub(super) fn begin(visit: &Visit<'_>, now: Timestamp) -> Step {
    let settings = visit.gate.settings();
    let mut search = Search::new(is_guarded(visit) && visit.is_foreign(), visit.demand());
    if let Some(sessions) = &settings.sessions
        && let Some(found) = search.read(sessions, visit, now)
    {
        return settle(visit, found, search);
    }
    for (index, backend) in settings.backends.iter().enumerate() {
        match backend.authenticate(visit.head, now) {
            Proof::Absent => {}
            Proof::Refused(why) => search.denial = Denial::BadProof(why),
            Proof::Wait => search.waiting.push(Question::Backend(backend.name())),
            Proof::NeedsKeys(token) => {
                search.waiting.push(Question::Keys { index, token, asked: now, rounds: 2 });
            }
            Proof::Unavailable(why) => search.waiting.push(Question::Unanswered(why)),
            Proof::Proven(proven) => match search.weigh(&proven, now) {
                Worth::Settles => return settle(visit, proven.into(), search),
                Worth::Waits => search.set_aside(proven.into()),
                Worth::Nothing => {}
            },
        }
    }
    if search.waiting.is_empty() {
        return match search.ambient.take() {
            Some(found) => settle(visit, Found { foreign: true, ..*found }, search),
            None => match nobody(visit.gate, visit.place, &search) {
                Ok(()) => visit.let_in(search.admit_nobody(|reason| visit.admission(reason))),
                Err(denial) => refuse(visit, denial, Details::of_user(search.user), search.fields),
            },
        };
    }
    search.waiting.reverse();
    let (gate, asker, login) = (visit.gate.clone(), visit.asker(), visit.login_and_back());
    Parked { gate, asker, login, search }.ask(now)
}

fn settle(visit: &Visit<'_>, found: Found, search: Search) -> Step {
    match check(visit.gate, visit.place, &search, &found) {
        Ok(()) => visit.let_in(search.admit(found, |reason| visit.admission(reason))),
        Err((denial, details)) => refuse(visit, denial, details, search.fields),
    }
}

fn refuse(visit: &Visit<'_>, denial: Denial, details: Details, fields: ResponseFields) -> Step {
    let asker = Asker { fields, ..visit.asker() };
    Decision::Respond(asker.refuse(visit.gate.settings(), denial, details, || visit.login_and_back())).into()
}

/// Somebody who seems to be known.
pub(super) struct Found {
    proven: Proven,
    /// The session that says so, if it is one.
    session: Option<Arc<Holder>>,
    /// Another site may have made the browser send the proof.
    foreign: bool,
}

/// What is still to be asked.
enum Question {
    /// What has ended elsewhere, before a session counts.
    Hear(EndingsSince),
    Load(SessionId),
    /// A sealed session, once that is known.
    Weigh(Session),
    /// A sealed session that is due.
    Renew(Session),
    Backend(&'static str),
    /// Keys for a token of the backend at this place.
    Keys {
        index: usize,
        token: Vec<u8>,
        asked: Timestamp,
        /// How often they may still be asked for.
        rounds: usize,
    },
    /// A backend could not be asked.
    Unanswered(Unavailable),
}

/// What has been found while the session and the backends are asked.
pub(super) struct Search {
    /// Another site may be behind a request that must not be another site's.
    pub(super) foreign: bool,
    /// What the rules demand, where there are any.
    demand: Option<Demand>,
    /// Why nobody is known, as far as anybody said.
    denial: Denial,
    /// Whose session it was that does not hold.
    user: Option<SmolStr>,
    /// A proof that the browser attached by itself to a foreign request; another backend may have a better one.
    ambient: Option<Box<Found>>,
    /// What is still to be asked; once all is known, the next one last.
    waiting: Vec<Question>,
    /// What the session leaves on the answer.
    pub(super) fields: ResponseFields,
}

impl Search {
    fn new(foreign: bool, demand: Option<Demand>) -> Self {
        Self {
            foreign,
            demand,
            denial: Denial::NotSignedIn,
            user: None,
            ambient: None,
            waiting: Vec::new(),
            fields: ResponseFields::default(),
        }
    }

    /// Reads the session's cookie; gives its user if that settles the matter.
    fn read(&mut self, sessions: &SessionRules, visit: &Visit<'_>, now: Timestamp) -> Option<Found> {
        self.fields.touch();
        let shown = match sessions.read(visit.head.headers, visit.scheme) {
            Presented::Nothing => return None,
            Presented::Bad => {
                self.reject(sessions, SessionFault::Cookie, None, visit.scheme);
                return None;
            }
            Presented::One(shown) => shown,
        };
        let news = sessions.news_wanted(now).map(Question::Hear);
        let must_hear = news.is_some();
        self.waiting.extend(news);
        match shown {
            Shown::Record(id) => self.waiting.push(Question::Load(id)),
            Shown::Sealed(session) if must_hear => self.waiting.push(Question::Weigh(session)),
            Shown::Sealed(session) => match sessions.weigh(&session, self.foreign, now) {
                Standing::Fails(fault) => self.reject(sessions, fault, Some(session), visit.scheme),
                Standing::Due => self.waiting.push(Question::Renew(session)),
                Standing::Holds { until } => {
                    let found = Found::in_session(visit.gate, session, until);
                    match self.weigh(&found.proven, now) {
                        Worth::Settles => return Some(found),
                        Worth::Waits => self.set_aside(found),
                        Worth::Nothing => {}
                    }
                }
            },
        }
        None
    }

    /// A session that does not hold: its cookie is removed.
    fn reject(
        &mut self,
        sessions: &SessionRules,
        fault: SessionFault,
        session: Option<Session>,
        scheme: Scheme,
    ) {
        self.denial = Denial::BadProof(BadProof::Session(fault));
        self.user = session.map(|session| session.user.id.clone());
        self.fields.set_cookie(sessions.removal(scheme));
    }

    /// Whether this user, or nobody in particular, may pass; and if not, why, where there is more to say than that.
    fn judge<'g>(&self, gate: &'g Gate, user: Option<&User>, place: Peer) -> Result<(), Option<Verdict<'g>>> {
        let settings = gate.settings();
        match (&settings.rules, &self.demand) {
            (Some(rules), Some(demand)) => {
                let verdict = rules.judge(demand, user, place);
                if verdict.allows() { Ok(()) } else { Err(Some(verdict)) }
            }
            (None, _) if user.is_some_and(|user| settings.access.allows(user)) => Ok(()),
            (Some(_), None) | (None, _) => Err(None),
        }
    }

    fn weigh(&mut self, proven: &Proven, now: Timestamp) -> Worth {
        if proven.until.is_some_and(|until| until <= now) {
            self.denial = Denial::BadProof(BadProof::Other("the backend's proof has ended"));
            Worth::Nothing
        } else if self.foreign && proven.ambient {
            Worth::Waits
        } else {
            Worth::Settles
        }
    }

    /// Leave to pass for somebody known.
    fn admit(self, found: Found, admission: impl FnOnce(Reason) -> Admission) -> Admission {
        let mut admission = admission(Reason::SignedIn);
        // Whoever came without a session is as cacheable as ever, unless a cookie is to be removed.
        let fields = if found.session.is_some() { self.fields } else { self.fields.cookie_only() };
        admission.fields.adopt(fields);
        admission.until = found.proven.until;
        admission.session = found.session;
        admission.user = Some(found.proven.user);
        admission
    }

    /// Leave to pass for whoever is in a network. A cache would answer other networks, too.
    fn admit_nobody(mut self, admission: impl FnOnce(Reason) -> Admission) -> Admission {
        let mut admission = admission(Reason::Network);
        self.fields.touch();
        admission.fields.adopt(self.fields);
        admission
    }

    /// Keeps a proof that waits for a better one; the first counts.
    fn set_aside(&mut self, found: Found) {
        self.ambient.get_or_insert_with(|| Box::new(found));
    }
}

/// What a proof is worth.
enum Worth {
    /// Nobody else need be asked.
    Settles,
    /// Another site may be behind it, unless there is a better one.
    Waits,
    Nothing,
}

/// A visit that waits for an answer: everything that is still needed, nothing borrowed.
pub(super) struct Parked {
    pub(super) gate: Gate,
    pub(super) asker: Asker,
    login: LocalPath,
    pub(super) search: Search,
}

impl Parked {
    /// Asks what is still to be asked, one after the other.
    fn ask(mut self, now: Timestamp) -> Step {
        match self.search.waiting.pop() {
            Some(Question::Hear(since)) => {
                hear_since(self.gate.clone(), since, now, move |answer, now| match answer {
                    Err(why) => self.unavailable(&why),
                    Ok(()) => self.ask(now),
                })
            }
            Some(Question::Weigh(session)) => Held { parked: self, session }.begin(now),
            Some(Question::Backend(backend)) => {
                Step::AskBackend(backend, Then::new(move |answer, now| self.answered(answer, now)))
            }
            Some(Question::Keys { rounds: 0, .. }) => self.unavailable(&Unavailable::new(
                "the keys that came had been asked for before the token was there",
            )),
            Some(Question::Keys { index, token, asked, rounds }) => {
                let name = self.gate.settings().backends.get(index).map_or("", |backend| backend.name());
                Step::FetchKeys(
                    name,
                    Then::new(move |answer, now| {
                        let backend = self.gate.settings().backends.get(index);
                        let proof = backend.map_or(Proof::Absent, |backend| {
                            backend.authenticate_with_keys(&token, asked, answer, now)
                        });
                        self.fetched(
                            proof,
                            |token| Question::Keys { index, token, asked, rounds: rounds - 1 },
                            now,
                        )
                    }),
                )
            }
            Some(Question::Unanswered(why)) => self.unavailable(&why),
            Some(Question::Load(id)) => {
                Step::LoadSession(id, Then::new(move |answer, now| self.loaded(id, answer, now)))
            }
            Some(Question::Renew(session)) => Held { parked: self, session }.renew(),
            None => match self.search.ambient.take() {
                Some(found) => self.settle(Found { foreign: true, ..*found }),
                None => self.nobody(),
            },
        }
    }

    fn answered(self, answer: Result<Option<Proven>, Unavailable>, now: Timestamp) -> Step {
        match answer {
            Err(why) => self.unavailable(&why),
            Ok(Some(proven)) => self.weigh(proven.into(), now),
            Ok(None) => self.ask(now),
        }
    }

    /// The token once more, with the keys that there are now.
    fn fetched(mut self, proof: Proof, again: impl FnOnce(Vec<u8>) -> Question, now: Timestamp) -> Step {
        match proof {
            Proof::Proven(proven) => return self.weigh(proven.into(), now),
            Proof::Unavailable(why) => return self.unavailable(&why),
            Proof::Refused(why) => self.search.denial = Denial::BadProof(why),
            Proof::NeedsKeys(token) => self.search.waiting.push(again(token)),
            // Whoever has asked for keys needs nobody else.
            Proof::Absent | Proof::Wait => {}
        }
        self.ask(now)
    }

    fn loaded(self, id: SessionId, answer: Result<Option<Session>, Unavailable>, now: Timestamp) -> Step {
        match answer {
            Err(why) => self.unavailable(&why),
            Ok(None) => self.reject(SessionFault::Unknown, None, now),
            Ok(Some(session)) if session.id != id => {
                self.unavailable(&Unavailable::new("the session store answered with another session"))
            }
            Ok(Some(session)) => Held { parked: self, session }.begin(now),
        }
    }

    /// A session that does not hold; somebody else may know better.
    pub(super) fn reject(mut self, fault: SessionFault, session: Option<Session>, now: Timestamp) -> Step {
        if let Some(sessions) = &self.gate.settings().sessions {
            self.search.reject(sessions, fault, session, self.asker.scheme);
        }
        self.ask(now)
    }

    /// Goes on with what has been found, if it settles the matter.
    pub(super) fn weigh(mut self, found: Found, now: Timestamp) -> Step {
        match self.search.weigh(&found.proven, now) {
            Worth::Settles => return self.settle(found),
            Worth::Waits => self.search.set_aside(found),
            Worth::Nothing => {}
        }
        self.ask(now)
    }

    fn settle(self, found: Found) -> Step {
        match check(&self.gate, self.asker.place, &self.search, &found) {
            Ok(()) => {
                let Self { gate, asker, search, .. } = self;
                asker.let_in(search.admit(found, |reason| asker.admission(&gate, reason)))
            }
            Err((denial, details)) => self.refuse(denial, details),
        }
    }

    fn nobody(mut self) -> Step {
        match nobody(&self.gate, self.asker.place, &self.search) {
            Ok(()) => {
                let Self { gate, asker, search, .. } = self;
                asker.let_in(search.admit_nobody(|reason| asker.admission(&gate, reason)))
            }
            Err(denial) => {
                let user = self.search.user.take();
                self.refuse(denial, Details::of_user(user))
            }
        }
    }

    fn unavailable(self, why: &Unavailable) -> Step {
        self.refuse(Denial::Unavailable, Details::of(why))
    }

    pub(super) fn refuse(self, denial: Denial, details: Details) -> Step {
        let Self { gate, asker, login, search } = self;
        let asker = Asker { fields: search.fields, ..asker };
        Decision::Respond(asker.refuse(gate.settings(), denial, details, || login)).into()
    }
}

impl Found {
    /// A session is attached by the browser itself, whoever makes it do so.
    pub(super) fn in_session(gate: &Gate, session: Session, until: Timestamp) -> Self {
        let (gate, user) = (gate.clone(), session.user.id.clone());
        let holder = Arc::new(Holder { gate, id: session.id, user, issued: session.issued });
        let proven = Proven { user: session.user, until: Some(until), ambient: true };
        Self { proven, session: Some(holder), foreign: false }
    }
}

impl From<Proven> for Found {
    fn from(proven: Proven) -> Self {
        Self { proven, session: None, foreign: false }
    }
}

/// Whether somebody known may pass.
fn check(gate: &Gate, place: Peer, search: &Search, found: &Found) -> Result<(), (Denial, Details)> {
    let user = &found.proven.user;
    let (denial, why) = if user.id.is_empty() {
        (Denial::BadProof(BadProof::Other("the backend's user has no id")), None)
    } else if let Err(why) = search.judge(gate, Some(user), place) {
        (Denial::NotAllowed, why.map(|verdict| verdict.to_string()))
    } else if found.foreign {
        (Denial::CrossSite, None)
    } else {
        return Ok(());
    };
    let user = Some(user.id.clone()).filter(|id| !id.is_empty());
    Err((denial, Details { why, ..Details::of_user(user) }))
}

/// Nobody is known. A rule may let everybody of the client's network pass; being there is a proof that a browser attaches to
/// whatever another site makes it send, as it does with a session.
fn nobody(gate: &Gate, place: Peer, search: &Search) -> Result<(), Denial> {
    if search.judge(gate, None, place).is_err() {
        Err(search.denial)
    } else if search.foreign {
        Err(Denial::CrossSite)
    } else {
        Ok(())
    }
}

/// Whether the request must not be another site's. A websocket's handshake is a GET, and yet it opens a way in that
/// another site could use.
fn is_guarded(visit: &Visit<'_>) -> bool {
    !visit.head.is_safe() || visit.kind == Kind::WebSocket
}
