use std::io::{self, Read as _, Write as _};
use std::net::{Shutdown, TcpStream};
use std::time::Duration;

use super::PATIENCE;

#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) head: String,
    pub(crate) body: String,
}

pub(crate) struct Client {
    stream: TcpStream,
    unread: Vec<u8>,
}

impl Client {
    pub(crate) fn new(stream: TcpStream) -> Self {
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        Self { stream, unread: Vec::new() }
    }

    /// Receives into a small buffer from now on.
    #[cfg(unix)]
    pub(crate) fn with_small_buffer(self) -> Self {
        rustix::net::sockopt::set_socket_recv_buffer_size(&self.stream, super::SMALL).unwrap();
        self
    }

    pub(crate) fn send(&mut self, bytes: impl AsRef<[u8]>) {
        self.stream.write_all(bytes.as_ref()).unwrap();
    }

    pub(crate) fn try_send(&mut self, bytes: impl AsRef<[u8]>) -> io::Result<()> {
        self.stream.write_all(bytes.as_ref())
    }

    pub(crate) fn get(&mut self, path: &str) {
        self.send(format!("GET {path} HTTP/1.1\r\nHost: localhost\r\n\r\n"));
    }

    pub(crate) fn finish_sending(&self) {
        self.stream.shutdown(Shutdown::Write).unwrap();
    }

    fn fill(&mut self) -> io::Result<usize> {
        let mut bytes = [0; 16 * 1024];
        let read = self.stream.read(&mut bytes)?;
        self.unread.extend_from_slice(&bytes[..read]);
        Ok(read)
    }

    pub(crate) fn receive(&mut self, length: usize) -> String {
        while self.unread.len() < length {
            assert_ne!(self.fill().unwrap(), 0, "closed after {:?}", self.unread);
        }
        String::from_utf8(self.unread.drain(..length).collect()).unwrap()
    }

    pub(crate) fn head(&mut self) -> Answer {
        let end = loop {
            if let Some(at) = self.unread.windows(4).position(|four| four == b"\r\n\r\n") {
                break at + 4;
            }
            assert_ne!(self.fill().unwrap(), 0, "closed after {:?}", self.unread);
        };
        let head = self.receive(end).to_lowercase();
        Answer { status: head[9..12].parse().unwrap(), head, body: String::new() }
    }

    /// A response whose length is known.
    pub(crate) fn answer(&mut self) -> Answer {
        let mut answer = self.head();
        let length = answer.head.lines().find_map(|line| line.strip_prefix("content-length: ")).unwrap();
        answer.body = self.receive(length.parse().unwrap());
        answer
    }

    /// Whether the server closes the connection, without a byte more, before patience ends.
    pub(crate) fn is_closed(&mut self) -> bool {
        assert_eq!(self.unread, b"");
        match self.fill() {
            Ok(read) => read == 0,
            Err(error) => error.kind() == io::ErrorKind::ConnectionReset,
        }
    }

    /// How many bytes come until the server closes the connection.
    pub(crate) fn closed_after(&mut self) -> usize {
        loop {
            match self.fill() {
                Ok(0) => return self.unread.len(),
                Ok(_) => {}
                Err(error) if error.kind() == io::ErrorKind::ConnectionReset => return self.unread.len(),
                Err(error) => panic!("not closed: {error}"),
            }
        }
    }

    /// Whether nothing at all comes for a while.
    pub(crate) fn is_silent(&mut self, while_: Duration) -> bool {
        self.stream.set_read_timeout(Some(while_)).unwrap();
        let read = self.fill();
        self.stream.set_read_timeout(Some(PATIENCE)).unwrap();
        read.is_err_and(|error| matches!(error.kind(), io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut))
    }
}
