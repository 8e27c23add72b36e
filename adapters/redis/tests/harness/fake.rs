use std::io::{Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

/// Somebody who answers whatever is asked with the same bytes.
pub(crate) struct Fake {
    port: u16,
    connections: Arc<AtomicUsize>,
}

impl Fake {
    /// After the first request of a connection, which is a `PING`: `answer` to each, or the end.
    pub(crate) fn answering(ping: &'static [u8], answer: Option<&'static [u8]>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let connections = Arc::new(AtomicUsize::new(0));
        let count = Arc::clone(&connections);
        // It ends with the process; nobody asks it any longer than its test.
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                count.fetch_add(1, Ordering::SeqCst);
                let stream = stream.unwrap();
                std::thread::spawn(move || serve(stream, ping, answer));
            }
        });
        Self { port, connections }
    }

    pub(crate) fn url(&self) -> String {
        format!("redis://127.0.0.1:{}", self.port)
    }

    pub(crate) fn connections(&self) -> usize {
        self.connections.load(Ordering::SeqCst)
    }
}

fn serve(mut stream: TcpStream, ping: &[u8], answer: Option<&[u8]>) {
    let mut buffer = [0; 8192];
    let mut next = Some(ping);
    while matches!(stream.read(&mut buffer), Ok(1..)) {
        let Some(bytes) = next else { return };
        if stream.write_all(bytes).is_err() {
            return;
        }
        next = answer;
    }
}
