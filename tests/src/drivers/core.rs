//! The core alone: bytes in, decision out.

use std::net::{IpAddr, Ipv4Addr};

use authgate_core::{Admission, Decision, Gate, Head, HeadLimits, Peer, Step};
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
                question => self.world.answer(question, &head, body_of(raw)),
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

/// What the dashboard answers to a request that is passed on, with what the gate leaves on it.
fn forward<B>(admission: &Admission, request: &Request<B>) -> Response<bytes::Bytes> {
    let names = request.headers().keys().filter(|name| !admission.strips(name));
    let names = names.map(|name| name.as_str().to_owned()).collect();
    let mut response = dashboard(admission.user.as_deref(), names, request.method());
    admission.response_fields().apply(response.headers_mut());
    response
}
