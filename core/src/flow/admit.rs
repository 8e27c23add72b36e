use super::refuse::{Asker, Details};
use super::visit::Visit;
use crate::backend::Proof;
use crate::decision::{Decision, Note, Reason};
use crate::local_path::LocalPath;
use crate::step::{Then, Unavailable};
use crate::{Admission, Denial, Gate, Kind, Step, Timestamp, User};

/// Asks the backends in order who this is. A proof that is at hand is taken before anybody is waited for.
pub(super) fn begin(visit: &Visit<'_>, now: Timestamp) -> Step {
    let settings = visit.gate.settings();
    let mut denial = Denial::NotSignedIn;
    let mut waiting = Vec::new();
    for backend in &settings.backends {
        match backend.authenticate(visit.head, now) {
            Proof::Absent => {}
            Proof::Refused(why) => denial = why,
            Proof::Wait => waiting.push(backend.name()),
            Proof::Proven { user, until, ambient } => {
                let foreign = ambient && is_guarded(visit) && visit.is_foreign();
                let note = visit.note(Reason::SignedIn);
                return match check(visit.gate, &user, foreign) {
                    Ok(()) => {
                        Admission { user: Some(user), until, note, identity: settings.identity.clone() }
                            .into()
                    }
                    Err(denial) => {
                        let details = Details { user: Some(user.id), why: None };
                        let login = || visit.login_and_back();
                        Decision::Respond(visit.asker().refuse(settings, denial, details, login)).into()
                    }
                };
            }
        }
    }
    if waiting.is_empty() {
        return visit.refuse(denial);
    }
    waiting.reverse();
    ask(Parked {
        gate: visit.gate.clone(),
        asker: visit.asker(),
        login: visit.login_and_back(),
        foreign: is_guarded(visit) && visit.is_foreign(),
        waiting,
        denial,
    })
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
        Some(backend) => Step::AskBackend(backend, Then::new(move |answer, _now| answered(parked, answer))),
        None => {
            let denial = parked.denial;
            parked.refuse(denial, Details::default())
        }
    }
}

fn answered(parked: Parked, answer: Result<Option<User>, Unavailable>) -> Step {
    match answer {
        Ok(None) => ask(parked),
        Err(why) => parked.refuse(Denial::Unavailable, Details { user: None, why: Some(why.to_string()) }),
        Ok(Some(user)) => match check(&parked.gate, &user, parked.foreign) {
            Err(denial) => parked.refuse(denial, Details { user: Some(user.id), why: None }),
            Ok(()) => {
                let Asker { kind, client, .. } = parked.asker;
                let note = Note { kind, client, reason: Reason::SignedIn, refused_user: None, detail: None };
                let identity = parked.gate.settings().identity.clone();
                Admission { user: Some(user), until: None, note, identity }.into()
            }
        },
    }
}

impl Parked {
    fn refuse(self, denial: Denial, details: Details) -> Step {
        let Self { gate, asker, login, .. } = self;
        Decision::Respond(asker.refuse(gate.settings(), denial, details, || login)).into()
    }
}

/// Whether a known user may pass.
fn check(gate: &Gate, user: &User, foreign: bool) -> Result<(), Denial> {
    if user.id.is_empty() {
        return Err(Denial::NotSignedIn);
    }
    if !gate.settings().access.allows(user) {
        return Err(Denial::NotAllowed);
    }
    if foreign { Err(Denial::CrossSite) } else { Ok(()) }
}

/// Whether the request must not be another site's. A websocket's handshake is a GET, and yet it opens a way in that
/// another site could use.
fn is_guarded(visit: &Visit<'_>) -> bool {
    !visit.head.is_safe() || visit.kind == Kind::WebSocket
}
