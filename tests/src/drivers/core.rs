//! The core alone: bytes in, decision out.

use std::net::{IpAddr, Ipv4Addr};

use authgate_core::{Admission, BodyError, Decision, Gate, Head, HeadLimits, Peer, Step};
use http::header::{CONTENT_LENGTH, COOKIE};
use http::{Request, Response};

use super::Driver;
use super::dashboard::dashboard;
use super::wire::{body_of, read_http, request_of};
use crate::dialogue::{Outcome, Told};
use crate::steps::Walk;
use crate::world::{Settings, World, own_page};

/// A gate and nothing around it.
struct Core {
    gate: Gate,
    below: String,
    world: World,
}

pub(super) fn make(settings: &Settings) -> (World, Box<dyn Driver>) {
    let (gate, keys) = settings.build();
    let world = World::new(keys);
    (world.clone(), Box::new(Core { gate, below: settings.below.clone(), world }))
}

impl Driver for Core {
    fn ask(&mut self, raw: &[u8]) -> Result<Outcome, String> {
        let mut slots = [httparse::EMPTY_HEADER; 100];
        // How large it may be is for the gate to judge.
        let limits = HeadLimits { bytes: raw.len(), ..HeadLimits::default() };
        let (head, _) = Head::parse(raw, &mut slots, &limits).unwrap().unwrap();
        let head = head.from_peer(Peer::from(IpAddr::from(Ipv4Addr::LOCALHOST))).below(&self.below);
        let mut walk = Walk::default();
        let mut step = self.gate.begin(&head, self.world.now());
        let decision = loop {
            walk.see(&step)?;
            step = match step {
                Step::Done(decision) => break decision,
                question => self.answer(question, &head, body_of(raw)),
            };
        };
        let told = Told::of(&decision.event());
        let response = match decision {
            Decision::Respond(reply) => Response::from(reply),
            Decision::Delegate(page) => Response::new(own_page(&page).into()),
            Decision::Forward(admission) => forward(&admission, &request_of(raw)),
        };
        Ok(Outcome { told, asked: Some(walk.asked()), ..read_http(response) })
    }
}

impl Core {
    fn answer(&self, question: Step, head: &Head<'_>, body: &[u8]) -> Step {
        let (world, now) = (&self.world, self.world.now());
        match question {
            Step::Done(_) => question,
            Step::ReadBody(limit, then) => {
                let length = head.headers().text(&CONTENT_LENGTH).and_then(|length| length.parse().ok());
                let is_whole = length == Some(body.len());
                then.resume(if is_whole { limit.body(body.to_vec()) } else { Err(BodyError::Cut) }, now)
            }
            Step::AskBackend(backend, then) => {
                let cookie = head.headers().one(&COOKIE).unwrap();
                let cookie = cookie.and_then(|cookie| std::str::from_utf8(cookie).ok());
                then.resume(world.who(backend, cookie), now)
            }
            Step::FetchKeys(_, then) => then.resume(world.fetch_keys(), now),
            Step::CheckPassword(who, then) => {
                then.resume(world.check(&who.username, who.password.expose()), now)
            }
            Step::LookUpUser(user, then) => then.resume(world.look_up(&user), now),
            Step::DrawBytes(then) => then.resume(world.draw(), now),
            Step::LoadSession(id, then) => then.resume(world.load(id), now),
            Step::CreateSession(id, session, then) => then.resume(world.create(id, session), now),
            Step::RenewSession(id, session, then) => then.resume(world.renew(id, session), now),
            Step::DropSession(id, then) => then.resume(world.remove(id), now),
            Step::HearEndings(since, then) => then.resume(world.endings(&since), now),
            Step::LoadCounts(keys, then) => then.resume(world.counts(&keys), now),
            Step::SwapCounts(swaps, then) => then.resume(world.swap_counts(&swaps), now),
        }
    }
}

/// What the dashboard answers to a request that is passed on, with what the gate leaves on it.
fn forward<B>(admission: &Admission, request: &Request<B>) -> Response<bytes::Bytes> {
    let user = admission.user.as_ref().map(|user| user.name.as_str());
    let names = request.headers().keys().filter(|name| !admission.strips(name));
    let names = names.map(|name| name.as_str().to_owned()).collect();
    let mut response = dashboard(user, names, request.method());
    admission.response_fields().apply(response.headers_mut());
    response
}
