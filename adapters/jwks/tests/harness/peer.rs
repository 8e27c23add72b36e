use std::io::{self, ErrorKind, Read, Write};
use std::net::TcpStream;
use std::sync::Arc;

use rustls::{ServerConfig, ServerConnection, StreamOwned};

use super::PATIENCE;

/// The provider's end of a connection.
pub(crate) struct Peer {
    tcp: TcpStream,
    stream: Box<dyn Stream>,
}

trait Stream: Read + Write + Send {}

impl<T: Read + Write + Send> Stream for T {}

impl Peer {
    pub(crate) fn new(tcp: TcpStream, tls: Option<&Arc<ServerConfig>>) -> Self {
        tcp.set_read_timeout(Some(PATIENCE)).unwrap();
        tcp.set_write_timeout(Some(PATIENCE)).unwrap();
        let copy = tcp.try_clone().unwrap();
        let stream: Box<dyn Stream> = match tls {
            None => Box::new(copy),
            Some(config) => {
                Box::new(StreamOwned::new(ServerConnection::new(Arc::clone(config)).unwrap(), copy))
            }
        };
        Self { tcp, stream }
    }

    /// The head of the request.
    pub(crate) fn head(&mut self) -> String {
        self.try_head().unwrap()
    }

    pub(crate) fn try_head(&mut self) -> io::Result<String> {
        let mut head = Vec::new();
        while !head.ends_with(b"\r\n\r\n") {
            let mut byte = [0];
            self.stream.read_exact(&mut byte)?;
            head.push(byte[0]);
        }
        Ok(String::from_utf8(head).unwrap())
    }

    pub(crate) fn send(&mut self, bytes: impl AsRef<[u8]>) {
        self.try_send(bytes).unwrap();
    }

    pub(crate) fn try_send(&mut self, bytes: impl AsRef<[u8]>) -> io::Result<()> {
        self.stream.write_all(bytes.as_ref())?;
        self.stream.flush()
    }

    /// Closes the connection so that the other side sees a reset.
    #[cfg(unix)]
    pub(crate) fn reset(self) {
        rustix::net::sockopt::set_socket_linger(&self.tcp, Some(std::time::Duration::ZERO)).unwrap();
    }

    /// Whether the other side closes the connection before patience ends; what it sends until then does not count.
    pub(crate) fn is_closed(&mut self) -> bool {
        loop {
            match self.tcp.read(&mut [0; 1024]) {
                Ok(0) => return true,
                Ok(_) => {}
                Err(error) => {
                    return matches!(error.kind(), ErrorKind::ConnectionReset | ErrorKind::BrokenPipe);
                }
            }
        }
    }
}
