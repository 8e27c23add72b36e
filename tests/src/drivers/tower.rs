//! The tower layer, called in process.

use std::net::{IpAddr, Ipv4Addr};

use authgate_core::Peer;
use authgate_smol::Smol;
use bytes::Bytes;
use http::Response;
use http_body_util::BodyExt as _;
use tower::ServiceExt as _;

use super::Driver;
use super::dashboard::stack;
use super::wire::{Arriving, only, read_http, request_of};
use crate::dialogue::Outcome;
use crate::world::{Settings, World};

/// Sends a request and waits for its whole answer.
struct InProcess<F> {
    send: F,
    world: World,
}

pub(super) fn make(settings: &Settings) -> (World, Box<dyn Driver>) {
    let (world, service) = stack(settings, Smol);
    let send = move |raw: &[u8]| {
        let mut request = request_of(raw).map(|()| Arriving::new(raw));
        request.extensions_mut().insert(Peer::from(IpAddr::from(Ipv4Addr::LOCALHOST)));
        let service = service.clone();
        smol::block_on(async {
            let (parts, body) = service.oneshot(request).await.unwrap().into_parts();
            Response::from_parts(parts, body.collect().await.unwrap().to_bytes())
        })
    };
    (world.clone(), Box::new(InProcess { send, world }))
}

impl<F: FnMut(&[u8]) -> Response<Bytes>> Driver for InProcess<F> {
    fn ask(&mut self, raw: &[u8]) -> Result<Outcome, String> {
        let response = (self.send)(raw);
        Ok(Outcome { told: only(self.world.told())?, ..read_http(response) })
    }
}
