use std::net::TcpListener;
use std::sync::LazyLock;

use authgate_tokio::{Limits, Tokio};
use tokio::runtime::Runtime;

use crate::harness::Setup;

// It outlives every server, so nothing ends merely because its runtime did.
static RUNTIME: LazyLock<Runtime> = LazyLock::new(|| Runtime::new().unwrap());

/// Serves until `stopped`, and drops what is left then.
pub(crate) fn serve(listener: TcpListener, setup: Setup, stopped: impl Future<Output = ()> + Send + 'static) {
    RUNTIME.spawn(async move {
        let listener = tokio::net::TcpListener::from_std(listener).unwrap();
        let service = setup.service(authgate_proxy::tokio::Connector, Tokio);
        tokio::select! {
            ended = authgate_tokio::serve(listener, service, Limits::default(), std::future::pending()) => ended.unwrap(),
            () = stopped => {}
        }
    });
}

pub(crate) fn block_on<T: Send + 'static>(future: impl Future<Output = T> + Send + 'static) -> T {
    RUNTIME.block_on(RUNTIME.spawn(future)).unwrap()
}

pub(crate) const HOST: Tokio = Tokio;
pub(crate) const CONNECTOR: authgate_proxy::tokio::Connector = authgate_proxy::tokio::Connector;
