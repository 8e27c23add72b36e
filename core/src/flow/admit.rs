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
    let foreign = is_guarded(visit) && visit.is_foreign();
    let mut denial = Denial::NotSignedIn;
    let mut ambient = None;
    let mut waiting = Vec::new();
    for backend in &visit.gate.settings().backends {
        match backend.authenticate(visit.head, now) {
            Proof::Absent => {}
            Proof::Refused(why) => denial = Denial::BadProof(why),
            Proof::Wait => waiting.push(backend.name()),
            // Another backend may have a proof that no other site could make the browser send.
            Proof::Proven(proven) if foreign && proven.ambient => ambient = ambient.or(Some(proven)),
            Proof::Proven(proven) => return settle(visit, proven, foreign, now),
        }
    }
    if let Some(proven) = ambient {
        return settle(visit, proven, foreign, now);
    }
    if waiting.is_empty() {
        return visit.refuse(denial);
    }
    waiting.reverse();
    ask(Parked {
        gate: visit.gate.clone(),
        asker: visit.asker(),
        login: visit.login_and_back(),
        foreign,
        waiting,
        denial,
    })
}

fn settle(visit: &Visit<'_>, proven: Proven, foreign: bool, now: Timestamp) -> Step {
    match check(visit.gate, proven, foreign, now, visit.note(Reason::SignedIn)) {
        Ok(admission) => admission.into(),
        Err((denial, details)) => {
            let reply =
                visit.asker().refuse(visit.gate.settings(), denial, details, || visit.login_and_back());
            Decision::Respond(reply).into()
        }
    }
}

/// A visit that waits for a backend: everything that is still needed, nothing borrowed.
struct Parked {
    gate: Gate,
    asker: Asker,
    login: LocalPath,
    foreign: bool,
    /// Who is still to be asked, the next one last.
    waiting: Vec<&'static str>,
    denial: Denial,
}

fn ask(mut parked: Parked) -> Step {
    match parked.waiting.pop() {
        Some(backend) => {
            Step::AskBackend(backend, Then::new(move |answer, now| answered(parked, answer, now)))
        }
        None => {
            let denial = parked.denial;
            parked.refuse(denial, Details::default())
        }
    }
}

fn answered(parked: Parked, answer: Result<Option<Proven>, Unavailable>, now: Timestamp) -> Step {
    match answer {
        Ok(None) => ask(parked),
        Err(why) => parked.refuse(Denial::Unavailable, Details { user: None, why: Some(why.to_string()) }),
        Ok(Some(proven)) => {
            let note = parked.asker.note(Reason::SignedIn);
            match check(&parked.gate, proven, parked.foreign, now, note) {
                Ok(admission) => admission.into(),
                Err((denial, details)) => parked.refuse(denial, details),
            }
        }
    }
}

impl Parked {
    fn refuse(self, denial: Denial, details: Details) -> Step {
        let Self { gate, asker, login, .. } = self;
        Decision::Respond(asker.refuse(gate.settings(), denial, details, || login)).into()
    }
}

/// Whether somebody known may pass. `foreign`: another site may be behind a request that must not be another site's,
/// which matters only for a proof that the browser attaches by itself.
fn check(
    gate: &Gate,
    proven: Proven,
    foreign: bool,
    now: Timestamp,
    note: Note,
) -> Result<Admission, (Denial, Details)> {
    let Proven { user, until, ambient } = proven;
    let denial = if user.id.is_empty() {
        Denial::BadProof(BadProof::Other("the backend's user has no id"))
    } else if until.is_some_and(|until| until <= now) {
        Denial::BadProof(BadProof::Other("the backend's proof has ended"))
    } else if !gate.settings().access.allows(&user) {
        Denial::NotAllowed
    } else if foreign && ambient {
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
