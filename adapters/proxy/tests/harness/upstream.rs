use std::net::{TcpListener, TcpStream};
use std::sync::mpsc::{self, Receiver, TryRecvError};
use std::thread;

use super::{PATIENCE, Peer};

/// A server whose connections a test plays by hand.
pub(crate) struct Upstream {
    port: u16,
    accepted: Receiver<TcpStream>,
}

impl Upstream {
    pub(crate) fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let (accept, accepted) = mpsc::channel();
        // Ends with the first connection after the test, or with the process.
        thread::spawn(move || {
            while let Ok((stream, _)) = listener.accept() {
                if accept.send(stream).is_err() {
                    break;
                }
            }
        });
        Self { port, accepted }
    }

    pub(crate) fn url(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    /// The next connection.
    pub(crate) fn accept(&self) -> Peer {
        Peer::new(self.accepted.recv_timeout(PATIENCE).expect("the proxy connects"))
    }

    /// Whether the proxy has opened no connection beyond those that were accepted.
    pub(crate) fn is_left_alone(&self) -> bool {
        matches!(self.accepted.try_recv(), Err(TryRecvError::Empty))
    }
}
