use super::refuse::{Asker, Details};
use super::visit::Visit;
use crate::account::Lookup;
use crate::backend::{BadProof, Proof, Proven};
use crate::decision::Decision;
use crate::event::Reason;
use crate::lease::Holder;
use crate::local_path::LocalPath;
use crate::response_fields::ResponseFields;
use crate::session::{Presented, Session, SessionFault, SessionId, SessionRules};
use crate::step::{Then, Unavailable};
use crate::{Admission, Denial, Gate, Kind, Scheme, Step, Timestamp};

/// Asks the session and then the backends in order who this is. A proof that is at hand is taken before anybody is
/// waited for.
pub(super) fn begin(visit: &Visit<'_>, now: Timestamp) -> Step {
    let settings = visit.gate.settings();
    let mut search = Search::new(is_guarded(visit) && visit.is_foreign());
    if let Some(sessions) = &settings.sessions
        && let Some(found) = search.read(sessions, visit, now)
    {
        return settle(visit, found, search);
    }
    for backend in &settings.backends {
        match backend.authenticate(visit.head, now) {
            Proof::Absent => {}
            Proof::Refused(why) => search.denial = Denial::BadProof(why),
            Proof::Wait => search.waiting.push(Question::Backend(backend.name())),
            Proof::Proven(proven) => {
                if let Some(found) = search.weigh(Found::from(proven), now) {
                    return settle(visit, found, search);
                }
            }
        }
    }
    if search.waiting.is_empty() {
        return match search.ambient.take() {
            Some(found) => settle(visit, Found { foreign: true, ..found }, search),
            None => refuse(visit, search.denial, Details::default(), search.fields),
        };
    }
    search.waiting.reverse();
    let (gate, asker, login) = (visit.gate.clone(), visit.asker(), visit.login_and_back());
    Parked { gate, asker, login, search }.ask()
}

fn settle(visit: &Visit<'_>, found: Found, search: Search) -> Step {
    match check(visit.gate, found) {
        Ok(known) => known.admit(visit.gate, &visit.asker(), search.fields),
        Err((denial, details)) => refuse(visit, denial, details, search.fields),
    }
}

fn refuse(visit: &Visit<'_>, denial: Denial, details: Details, fields: ResponseFields) -> Step {
    let asker = Asker { fields, ..visit.asker() };
    Decision::Respond(asker.refuse(visit.gate.settings(), denial, details, || visit.login_and_back())).into()
}

/// Somebody who seems to be known.
struct Found {
    proven: Proven,
    /// The session that says so, if it is one.
    session: Option<Holder>,
    /// Another site may have made the browser send the proof.
    foreign: bool,
}

/// What is still to be asked.
enum Question {
    Load(SessionId),
    /// A sealed session that is due.
    Renew(SessionId, Box<Session>),
    Backend(&'static str),
}

/// What has been found while the session and the backends are asked.
struct Search {
    /// Another site may be behind a request that must not be another site's.
    foreign: bool,
    /// Why nobody is known, as far as anybody said.
    denial: Denial,
    /// A proof that the browser attached by itself to a foreign request; another backend may have a better one.
    ambient: Option<Found>,
    /// What is still to be asked; once all is known, the next one last.
    waiting: Vec<Question>,
    /// What the session leaves on the answer.
    fields: ResponseFields,
}

impl Search {
    fn new(foreign: bool) -> Self {
        Self {
            foreign,
            denial: Denial::NotSignedIn,
            ambient: None,
            waiting: Vec::new(),
            fields: ResponseFields::default(),
        }
    }

    /// Reads the session's cookie; gives its user if that settles the matter.
    fn read(&mut self, sessions: &SessionRules, visit: &Visit<'_>, now: Timestamp) -> Option<Found> {
        self.fields.touch();
        match sessions.read(visit.head.headers, visit.scheme) {
            Presented::Nothing => {}
            Presented::Bad => self.reject(sessions, SessionFault::Cookie, visit.scheme),
            Presented::Record(id) => self.waiting.push(Question::Load(id)),
            Presented::Sealed(id, session) => match sessions.judge(&id, &session, now) {
                Err(fault) => self.reject(sessions, fault, visit.scheme),
                // A request that another site may be behind keeps no session alive.
                Ok(()) if sessions.is_due(&session, now) && !self.foreign => {
                    self.waiting.push(Question::Renew(id, session.into()));
                }
                Ok(()) => return self.weigh(Found::in_session(id, session), now),
            },
        }
        None
    }

    /// A session that does not hold: its cookie is removed.
    fn reject(&mut self, sessions: &SessionRules, fault: SessionFault, scheme: Scheme) {
        self.denial = Denial::BadProof(BadProof::Session(fault));
        self.fields.set_cookie(sessions.removal(scheme));
    }

    /// Gives a proof back if it settles the matter.
    fn weigh(&mut self, found: Found, now: Timestamp) -> Option<Found> {
        if found.proven.until.is_some_and(|until| until <= now) {
            self.denial = Denial::BadProof(BadProof::Other("the backend's proof has ended"));
            None
        } else if self.foreign && found.proven.ambient {
            self.ambient.get_or_insert(found);
            None
        } else {
            Some(found)
        }
    }
}

/// A visit that waits for an answer: everything that is still needed, nothing borrowed.
struct Parked {
    gate: Gate,
    asker: Asker,
    login: LocalPath,
    search: Search,
}

impl Parked {
    /// Asks what is still to be asked, one after the other.
    fn ask(mut self) -> Step {
        match self.search.waiting.pop() {
            Some(Question::Backend(backend)) => {
                Step::AskBackend(backend, Then::new(move |answer, now| self.answered(answer, now)))
            }
            Some(Question::Load(id)) => {
                Step::LoadSession(id, Then::new(move |answer, now| self.loaded(id, answer, now)))
            }
            Some(Question::Renew(id, session)) => self.renew(id, *session),
            None => match self.search.ambient.take() {
                Some(found) => self.settle(Found { foreign: true, ..found }),
                None => {
                    let denial = self.search.denial;
                    self.refuse(denial, Details::default())
                }
            },
        }
    }

    fn answered(mut self, answer: Result<Option<Proven>, Unavailable>, now: Timestamp) -> Step {
        match answer {
            Err(why) => self.unavailable(&why),
            Ok(proven) => match proven.and_then(|proven| self.search.weigh(Found::from(proven), now)) {
                Some(found) => self.settle(found),
                None => self.ask(),
            },
        }
    }

    fn loaded(mut self, id: SessionId, answer: Result<Option<Session>, Unavailable>, now: Timestamp) -> Step {
        let gate = self.gate.clone();
        let Some(sessions) = &gate.settings().sessions else { return self.ask() };
        let session = match answer {
            Err(why) => return self.unavailable(&why),
            Ok(None) => return self.reject(SessionFault::Unknown),
            Ok(Some(session)) => session,
        };
        match sessions.judge(&id, &session, now) {
            Err(fault) => self.reject(fault),
            Ok(()) if sessions.is_due(&session, now) && !self.search.foreign => self.renew(id, session),
            Ok(()) => match self.search.weigh(Found::in_session(id, session), now) {
                Some(found) => self.settle(found),
                None => self.ask(),
            },
        }
    }

    /// A session that is used goes on, if its user is still the same.
    fn renew(self, id: SessionId, session: Session) -> Step {
        let user = session.user.id.clone();
        Step::LookUpUser(user, Then::new(move |answer, now| self.looked_up(id, session, answer, now)))
    }

    fn looked_up(
        self,
        id: SessionId,
        session: Session,
        answer: Result<Lookup, Unavailable>,
        now: Timestamp,
    ) -> Step {
        let gate = self.gate.clone();
        let Some(sessions) = &gate.settings().sessions else { return self.ask() };
        let issued = session.issued();
        let lookup = match answer {
            Err(why) => return self.unavailable(&why),
            Ok(lookup) => lookup,
        };
        match sessions.renewed(session, lookup, now) {
            None => {
                sessions.endings().end(id, issued, now);
                self.forget(id, sessions.are_sealed())
            }
            Some(session) if sessions.are_sealed() => {
                Step::DrawBytes(Then::new(move |random, now| self.seal(id, session, random, now)))
            }
            Some(session) => Step::RenewSession(
                id,
                session.clone(),
                Then::new(move |answer, now| self.renewed(id, session, answer, now)),
            ),
        }
    }

    /// A session whose user is not the same any more.
    fn forget(self, id: SessionId, sealed: bool) -> Step {
        if sealed {
            return self.reject(SessionFault::UserChanged);
        }
        Step::DropSession(
            id,
            Then::new(move |answer, _| match answer {
                Err(why) => self.unavailable(&why),
                Ok(()) => self.reject(SessionFault::UserChanged),
            }),
        )
    }

    fn seal(
        mut self,
        id: SessionId,
        session: Session,
        random: Result<[u8; 32], Unavailable>,
        now: Timestamp,
    ) -> Step {
        let gate = self.gate.clone();
        let Some(sessions) = &gate.settings().sessions else { return self.ask() };
        match random.and_then(|random| sessions.seal(id, &session, &random, self.asker.scheme)) {
            Err(why) => self.unavailable(&why),
            Ok(cookie) => {
                self.search.fields.set_cookie(Some(cookie));
                self.go_on(id, session, now)
            }
        }
    }

    fn renewed(
        self,
        id: SessionId,
        session: Session,
        answer: Result<bool, Unavailable>,
        now: Timestamp,
    ) -> Step {
        match answer {
            Err(why) => self.unavailable(&why),
            // Its user signed out in the meantime.
            Ok(false) => self.reject(SessionFault::Unknown),
            Ok(true) => self.go_on(id, session, now),
        }
    }

    fn go_on(mut self, id: SessionId, session: Session, now: Timestamp) -> Step {
        match self.search.weigh(Found::in_session(id, session), now) {
            Some(found) => self.settle(found),
            None => self.ask(),
        }
    }

    /// A session that does not hold; somebody else may know better.
    fn reject(mut self, fault: SessionFault) -> Step {
        if let Some(sessions) = &self.gate.settings().sessions {
            self.search.reject(sessions, fault, self.asker.scheme);
        }
        self.ask()
    }

    fn settle(self, found: Found) -> Step {
        match check(&self.gate, found) {
            Ok(known) => known.admit(&self.gate, &self.asker, self.search.fields),
            Err((denial, details)) => self.refuse(denial, details),
        }
    }

    fn unavailable(self, why: &Unavailable) -> Step {
        self.refuse(Denial::Unavailable, Details::of(why))
    }

    fn refuse(self, denial: Denial, details: Details) -> Step {
        let Self { gate, asker, login, search } = self;
        let asker = Asker { fields: search.fields, ..asker };
        Decision::Respond(asker.refuse(gate.settings(), denial, details, || login)).into()
    }
}

impl Found {
    /// A session is attached by the browser itself, whoever makes it do so.
    fn in_session(id: SessionId, session: Session) -> Self {
        let holder = Holder { id, user: session.user.id.clone(), issued: session.issued };
        let proven = Proven { user: session.user, until: Some(session.until), ambient: true };
        Self { proven, session: Some(holder), foreign: false }
    }

    fn admit(self, gate: &Gate, asker: &Asker, fields: ResponseFields) -> Step {
        let Proven { user, until, .. } = self.proven;
        let admission = Admission::new(gate.settings(), Some(user), until, asker.note(Reason::SignedIn));
        Admission {
            // Whoever came without a session is as cacheable as ever, unless a cookie is to be removed.
            fields: if self.session.is_some() { fields } else { fields.cookie_only() },
            session: self.session.map(|holder| (gate.clone(), holder)),
            ..admission
        }
        .into()
    }
}

impl From<Proven> for Found {
    fn from(proven: Proven) -> Self {
        Self { proven, session: None, foreign: false }
    }
}

/// Whether somebody known may pass.
fn check(gate: &Gate, found: Found) -> Result<Found, (Denial, Details)> {
    let user = &found.proven.user;
    let denial = if user.id.is_empty() {
        Denial::BadProof(BadProof::Other("the backend's user has no id"))
    } else if !gate.settings().access.allows(user) {
        Denial::NotAllowed
    } else if found.foreign {
        Denial::CrossSite
    } else {
        return Ok(found);
    };
    Err((denial, Details { user: Some(found.proven.user.id), why: None }))
}

/// Whether the request must not be another site's. A websocket's handshake is a GET, and yet it opens a way in that
/// another site could use.
fn is_guarded(visit: &Visit<'_>) -> bool {
    !visit.head.is_safe() || visit.kind == Kind::WebSocket
}
