//! The servers on tokio and on smol, over real sockets.

use std::future::pending;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::OnceLock;

use authgate_smol::Smol;
use authgate_tokio::{Limits, Tokio};

use super::Driver;
use super::dashboard::stack;
use super::wire::{exchange, read_bytes};
use crate::dialogue::Outcome;
use crate::world::{Settings, World};

/// A server that serves until this is dropped.
struct Served<G> {
    address: SocketAddr,
    world: World,
    /// Ends it.
    _guard: G,
}

impl<G> Driver for Served<G> {
    fn ask(&mut self, raw: &[u8]) -> Result<Outcome, String> {
        let answer = exchange(self.address, raw);
        read_bytes(&answer, self.world.told())
    }
}

/// A task of tokio's that ends with this.
struct Aborted<T>(tokio::task::JoinHandle<T>);

impl<T> Drop for Aborted<T> {
    fn drop(&mut self) {
        self.0.abort();
    }
}

pub(super) fn on_tokio(settings: &Settings) -> (World, Box<dyn Driver>) {
    static RUNTIME: OnceLock<tokio::runtime::Runtime> = OnceLock::new();
    let runtime = RUNTIME.get_or_init(|| tokio::runtime::Runtime::new().unwrap());
    let (world, service) = stack(settings, Tokio);
    let listener = runtime.block_on(tokio::net::TcpListener::bind((Ipv4Addr::LOCALHOST, 0))).unwrap();
    let address = listener.local_addr().unwrap();
    let server = runtime.spawn(authgate_tokio::serve(listener, service, Limits::default(), pending()));
    (world.clone(), Box::new(Served { address, world, _guard: Aborted(server) }))
}

pub(super) fn on_smol(settings: &Settings) -> (World, Box<dyn Driver>) {
    let (world, service) = stack(settings, Smol);
    let listener = smol::block_on(smol::net::TcpListener::bind((Ipv4Addr::LOCALHOST, 0))).unwrap();
    let address = listener.local_addr().unwrap();
    let server = smol::spawn(authgate_smol::serve(listener, service, Limits::default(), pending()));
    // A task of smol's ends when it is dropped.
    (world.clone(), Box::new(Served { address, world, _guard: server }))
}
