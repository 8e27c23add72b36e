use super::refuse::{Asker, Details};
use super::visit::Visit;
use crate::backend::{BadProof, Proof, Proven};
use crate::decision::Decision;
use crate::event::{Note, Reason};
use crate::local_path::LocalPath;
use crate::step::{Then, Unavailable};
use crate::{Admission, Denial, Gate, Kind, Step, Timestamp};

/// Asks the backends in order who this is. A proof that is at hand is taken before anybody is waited for.
pub(super) fn begin(visit: &Visit<'_>, now: Timestamp) -> Step {
    let mut search = Search::new(is_guarded(visit) && visit.is_foreign());
    for backend in &visit.gate.settings().backends {
        match backend.authenticate(visit.head, now) {
            Proof::Absent => {}
            Proof::Refused(why) => search.denial = Denial::BadProof(why),
            Proof::Wait => search.waiting.push(backend.name()),
            Proof::Proven(proven) => {
                if let Some(proven) = search.weigh(proven, now) {
                    return settle(visit, proven, false);
                }
            }
        }
    }
    if search.waiting.is_empty() {
        return match search.ambient {
            Some(proven) => settle(visit, proven, true),
            None => visit.refuse(search.denial),
        };
    }
    search.waiting.reverse();
    let (gate, asker, login) = (visit.gate.clone(), visit.asker(), visit.login_and_back());
    ask(Parked { gate, asker, login, search })
}

fn settle(visit: &Visit<'_>, proven: Proven, foreign: bool) -> Step {
    match check(visit.gate, proven, foreign, visit.note(Reason::SignedIn)) {
        Ok(admission) => admission.into(),
        Err((denial, details)) => {
            let reply =
                visit.asker().refuse(visit.gate.settings(), denial, details, || visit.login_and_back());
            Decision::Respond(reply).into()
        }
    }
}

/// What has been found while backends are asked.
struct Search {
    /// Another site may be behind a request that must not be another site's.
    foreign: bool,
    /// Why nobody is known, as far as anybody said.
    denial: Denial,
    /// A proof that the browser attached by itself to a foreign request; another backend may have a better one.
    ambient: Option<Proven>,
    /// Who is still to be asked; once all are known, the next one last.
    waiting: Vec<&'static str>,
}

impl Search {
    fn new(foreign: bool) -> Self {
        Self { foreign, denial: Denial::NotSignedIn, ambient: None, waiting: Vec::new() }
    }

    /// Gives a proof back if it settles the matter.
    fn weigh(&mut self, proven: Proven, now: Timestamp) -> Option<Proven> {
        if proven.until.is_some_and(|until| until <= now) {
            self.denial = Denial::BadProof(BadProof::Other("the backend's proof has ended"));
            None
        } else if self.foreign && proven.ambient {
            self.ambient.get_or_insert(proven);
            None
        } else {
            Some(proven)
        }
    }
}

/// A visit that waits for a backend: everything that is still needed, nothing borrowed.
struct Parked {
    gate: Gate,
    asker: Asker,
    login: LocalPath,
    search: Search,
}

fn ask(mut parked: Parked) -> Step {
    match parked.search.waiting.pop() {
        Some(backend) => {
            Step::AskBackend(backend, Then::new(move |answer, now| answered(parked, answer, now)))
        }
        None => match parked.search.ambient.take() {
            Some(proven) => parked.settle(proven, true),
            None => {
                let denial = parked.search.denial;
                parked.refuse(denial, Details::default())
            }
        },
    }
}

fn answered(mut parked: Parked, answer: Result<Option<Proven>, Unavailable>, now: Timestamp) -> Step {
    match answer {
        Err(why) => parked.refuse(Denial::Unavailable, Details { user: None, why: Some(why.to_string()) }),
        Ok(found) => match found.and_then(|proven| parked.search.weigh(proven, now)) {
            Some(proven) => parked.settle(proven, false),
            None => ask(parked),
        },
    }
}

impl Parked {
    fn settle(self, proven: Proven, foreign: bool) -> Step {
        let note = self.asker.note(Reason::SignedIn);
        match check(&self.gate, proven, foreign, note) {
            Ok(admission) => admission.into(),
            Err((denial, details)) => self.refuse(denial, details),
        }
    }

    fn refuse(self, denial: Denial, details: Details) -> Step {
        let Self { gate, asker, login, .. } = self;
        Decision::Respond(asker.refuse(gate.settings(), denial, details, || login)).into()
    }
}

/// Whether somebody known may pass. `foreign`: another site may have made the browser send the proof.
fn check(gate: &Gate, proven: Proven, foreign: bool, note: Note) -> Result<Admission, (Denial, Details)> {
    let Proven { user, until, .. } = proven;
    let denial = if user.id.is_empty() {
        Denial::BadProof(BadProof::Other("the backend's user has no id"))
    } else if !gate.settings().access.allows(&user) {
        Denial::NotAllowed
    } else if foreign {
        Denial::CrossSite
    } else {
        return Ok(Admission::new(gate.settings(), Some(user), until, note));
    };
    Err((denial, Details { user: Some(user.id), why: None }))
}

/// Whether the request must not be another site's. A websocket's handshake is a GET, and yet it opens a way in that
/// another site could use.
fn is_guarded(visit: &Visit<'_>) -> bool {
    !visit.head.is_safe() || visit.kind == Kind::WebSocket
}
