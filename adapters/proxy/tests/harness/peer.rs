use std::io::{self, ErrorKind, Read as _, Write as _};
use std::net::{Shutdown, TcpStream};
use std::time::Duration;

use super::PATIENCE;

/// One end of a connection: a client's or an upstream's.
pub(crate) struct Peer {
    pub(crate) stream: TcpStream,
    unread: Vec<u8>,
}

impl Peer {
    pub(crate) fn new(stream: TcpStream) -> Self {
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        stream.set_write_timeout(Some(PATIENCE)).unwrap();
        stream.set_nodelay(true).unwrap();
        Self { stream, unread: Vec::new() }
    }

    pub(crate) fn send(&mut self, bytes: impl AsRef<[u8]>) {
        self.stream.write_all(bytes.as_ref()).unwrap();
    }

    pub(crate) fn try_send(&mut self, bytes: impl AsRef<[u8]>) -> io::Result<()> {
        self.stream.write_all(bytes.as_ref())
    }

    pub(crate) fn finish_sending(&self) {
        self.stream.shutdown(Shutdown::Write).unwrap();
    }

    /// Closes the connection so that the other side sees a reset.
    #[cfg(unix)]
    pub(crate) fn reset(self) {
        rustix::net::sockopt::set_socket_linger(&self.stream, Some(Duration::ZERO)).unwrap();
    }

    fn fill(&mut self) -> io::Result<usize> {
        let mut bytes = [0; 16 * 1024];
        let read = self.stream.read(&mut bytes)?;
        self.unread.extend_from_slice(&bytes[..read]);
        Ok(read)
    }

    fn more(&mut self) {
        assert_ne!(self.fill().unwrap(), 0, "closed after {:?}", String::from_utf8_lossy(&self.unread));
    }

    pub(crate) fn receive(&mut self, length: usize) -> String {
        while self.unread.len() < length {
            self.more();
        }
        String::from_utf8(self.unread.drain(..length).collect()).unwrap()
    }

    /// Fills `bytes`, without keeping more.
    #[allow(dead_code, reason = "the tests on memory only")]
    pub(crate) fn receive_into(&mut self, bytes: &mut [u8]) {
        let early = self.unread.len().min(bytes.len());
        bytes[..early].copy_from_slice(&self.unread[..early]);
        self.unread.drain(..early);
        self.stream.read_exact(&mut bytes[early..]).unwrap();
    }

    /// The next head, unless the other side closes the connection first.
    pub(crate) fn next_head(&mut self) -> Option<Head> {
        if self.unread.is_empty() && self.fill().is_ok_and(|read| read == 0) {
            return None;
        }
        Some(self.head())
    }

    /// The head of a request or a response, as sent but for the case of its names; without the empty line.
    pub(crate) fn head(&mut self) -> Head {
        self.until("\r\n\r\n").into()
    }

    /// What comes before `end`, which is consumed too.
    pub(crate) fn until(&mut self, end: &str) -> String {
        let at = loop {
            if let Some(at) = self.unread.windows(end.len()).position(|bytes| bytes == end.as_bytes()) {
                break at;
            }
            self.more();
        };
        let text = self.receive(at);
        self.receive(end.len());
        text
    }

    /// A response whose length is known.
    pub(crate) fn answer(&mut self) -> Answer {
        let head = self.head();
        let length = head.field("content-length").expect("a length").parse().unwrap();
        Answer { status: head.status(), body: self.receive(length), head }
    }

    /// One chunk of a chunked body; the last one is empty.
    pub(crate) fn chunk(&mut self) -> String {
        let size = usize::from_str_radix(&self.until("\r\n"), 16).unwrap();
        let chunk = self.receive(size);
        assert_eq!(self.receive(2), "\r\n");
        chunk
    }

    /// A chunked body, whole.
    pub(crate) fn chunks(&mut self) -> String {
        let mut body = String::new();
        loop {
            let chunk = self.chunk();
            if chunk.is_empty() {
                return body;
            }
            body += &chunk;
        }
    }

    /// Whether the other side closes the connection, without a byte more, before patience ends.
    pub(crate) fn is_closed(&mut self) -> bool {
        self.closed_after() == 0
    }

    /// How many bytes come until the other side closes the connection.
    pub(crate) fn closed_after(&mut self) -> usize {
        loop {
            match self.fill() {
                Ok(0) => return self.unread.len(),
                Ok(_) => {}
                Err(error) if error.kind() == ErrorKind::ConnectionReset => return self.unread.len(),
                Err(error) => panic!("not closed: {error}"),
            }
        }
    }

    /// Whether nothing at all comes for a while.
    pub(crate) fn is_silent(&mut self, span: Duration) -> bool {
        self.stream.set_read_timeout(Some(span)).unwrap();
        let read = self.fill();
        self.stream.set_read_timeout(Some(PATIENCE)).unwrap();
        self.unread.is_empty()
            && read.is_err_and(|error| matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut))
    }

    /// How many bytes can be sent until the other side takes no more for a while.
    pub(crate) fn room(&mut self, most: usize) -> usize {
        let bytes = vec![b'x'; 64 * 1024];
        self.stream.set_write_timeout(Some(super::SHORT)).unwrap();
        let mut sent = 0;
        while sent < most {
            match self.stream.write(&bytes) {
                Ok(count) => sent += count,
                Err(_) => break,
            }
        }
        self.stream.set_write_timeout(Some(PATIENCE)).unwrap();
        sent
    }
}

#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) head: Head,
    pub(crate) body: String,
}

#[derive(Debug)]
pub(crate) struct Head {
    /// The request line or the status line.
    pub(crate) line: String,
    fields: Vec<(String, String)>,
}

impl From<String> for Head {
    fn from(text: String) -> Self {
        let mut lines = text.split("\r\n");
        let line = lines.next().unwrap().to_owned();
        let fields = lines.map(|line| line.split_once(": ").expect("a field"));
        Self { line, fields: fields.map(|(name, value)| (name.to_lowercase(), value.to_owned())).collect() }
    }
}

impl Head {
    pub(crate) fn status(&self) -> u16 {
        self.line[9..12].parse().unwrap()
    }

    /// The value of the only field of this name.
    pub(crate) fn field(&self, name: &str) -> Option<&str> {
        let mut values = self.fields.iter().filter(|(it, _)| it == name).map(|(_, value)| value.as_str());
        let value = values.next();
        assert_eq!(values.next(), None, "{name} once: {self:?}");
        value
    }

    pub(crate) fn has(&self, name: &str) -> bool {
        self.fields.iter().any(|(it, _)| it == name)
    }
}
