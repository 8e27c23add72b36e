use std::net::TcpListener;

use authgate_smol::{Limits, Smol};
use smol::Async;

use crate::harness::Setup;

/// Serves until `stopped`, and drops what is left then.
pub(crate) fn serve(listener: TcpListener, setup: Setup, stopped: impl Future<Output = ()> + Send + 'static) {
    let served = async {
        let listener = smol::net::TcpListener::from(Async::new(listener).unwrap());
        let service = setup.service(authgate_proxy::smol::Connector, Smol);
        authgate_smol::serve(listener, service, Limits::default(), std::future::pending()).await.unwrap();
    };
    smol::spawn(smol::future::or(served, stopped)).detach();
}

pub(crate) fn block_on<T: Send + 'static>(future: impl Future<Output = T> + Send + 'static) -> T {
    smol::block_on(smol::spawn(future))
}

pub(crate) const HOST: Smol = Smol;
pub(crate) const CONNECTOR: authgate_proxy::smol::Connector = authgate_proxy::smol::Connector;
