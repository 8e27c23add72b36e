//! A proxy on a real socket, with a raw client before it and a raw upstream behind it. What that needs of a
//! runtime is in `runtime` beside this module. One thread plays both, so nothing happens before its turn.

mod peer;
mod setup;
mod upstream;

use std::net::{SocketAddr, TcpListener, TcpStream};
use std::time::Duration;

use async_channel::Sender;

use crate::runtime;
pub(crate) use peer::{Answer, Head, Peer};
pub(crate) use setup::{Setup, token};
pub(crate) use upstream::Upstream;

/// Longer than anything here takes, shorter than a test may hang.
pub(crate) const PATIENCE: Duration = Duration::from_secs(10);
pub(crate) const SHORT: Duration = Duration::from_millis(300);

pub(crate) struct Front {
    address: SocketAddr,
    _stop: Sender<()>,
}

impl Front {
    pub(crate) fn start(setup: Setup) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        listener.set_nonblocking(true).unwrap();
        let (stop, stopped) = async_channel::bounded::<()>(1);
        runtime::serve(listener, setup, async move {
            let _ = stopped.recv().await;
        });
        Self { address, _stop: stop }
    }

    #[allow(dead_code, reason = "a client of HTTP/2 connects by itself")]
    pub(crate) fn address(&self) -> SocketAddr {
        self.address
    }

    pub(crate) fn connect(&self) -> Peer {
        Peer::new(TcpStream::connect(self.address).unwrap())
    }

    /// A client that has sent `bytes`.
    pub(crate) fn send(&self, bytes: impl AsRef<[u8]>) -> Peer {
        let mut client = self.connect();
        client.send(bytes);
        client
    }

    pub(crate) fn get(&self, path: &str) -> Peer {
        self.send(format!("GET {path} HTTP/1.1\r\nHost: dash.example\r\n\r\n"))
    }
}

/// A proxy before an upstream, as most tests want it.
pub(crate) fn proxied() -> (Front, Upstream) {
    proxied_with(|setup| setup)
}

pub(crate) fn proxied_with(change: impl FnOnce(Setup) -> Setup) -> (Front, Upstream) {
    let upstream = Upstream::start();
    (Front::start(change(Setup::towards(&upstream.url()))), upstream)
}
