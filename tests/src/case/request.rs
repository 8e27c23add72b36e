use authgate_core::{Head, HeaderView, Peer, Scheme};

use super::kept::Kept;

/// A request, and which of the sealed cookies in it whoever has the key has sealed.
#[derive(Debug, Clone)]
pub struct Request {
    /// As it is sent.
    pub method: String,
    /// What a router has cut off the path.
    pub prefix: String,
    /// As it is sent: a path, or an absolute URL.
    pub target: String,
    /// Names and values.
    pub fields: Vec<(String, String)>,
    /// Read if the gate asks for it.
    pub body: String,
    /// Who is at the other end.
    pub peer: Peer,
    /// How it arrived.
    pub scheme: Scheme,
    /// Whether a server says that it is a websocket's handshake.
    pub websocket: bool,
    /// The book of sealed cookies.
    pub sealed: Vec<Sealed>,
}

/// The value of a cookie that was sealed with our key, and what is in it.
#[derive(Debug, Clone)]
pub struct Sealed {
    /// The value.
    pub value: String,
    /// The session.
    pub kept: Kept,
}

impl Default for Request {
    fn default() -> Self {
        Self {
            method: "GET".to_owned(),
            prefix: String::new(),
            target: "/ops/queues".to_owned(),
            fields: vec![("host".to_owned(), "dash.example".to_owned())],
            body: String::new(),
            peer: Peer::from(std::net::IpAddr::from([192, 0, 2, 1])),
            scheme: Scheme::Http,
            websocket: false,
            sealed: Vec::new(),
        }
    }
}

impl Request {
    /// Lends it to `ask` as the gate borrows it.
    pub fn lend<T>(&self, ask: impl FnOnce(&Head<'_>) -> T) -> T {
        let pairs: Vec<_> =
            self.fields.iter().map(|(name, value)| (name.as_bytes(), value.as_bytes())).collect();
        let head = Head::new(&self.method, &self.target, HeaderView::Pairs(&pairs));
        let head = head.over(self.scheme).from_peer(self.peer).below(&self.prefix);
        ask(&if self.websocket { head.as_websocket() } else { head })
    }

    /// Ada posts the form of our own page at `/ops/login`.
    pub fn sign_in() -> Self {
        let form = Self {
            method: "POST".to_owned(),
            target: "/ops/login".to_owned(),
            body: "username=ada&password=s3cret".to_owned(),
            ..Self::default()
        };
        form.with("sec-fetch-site", "same-origin").with("content-type", "application/x-www-form-urlencoded")
    }

    /// The same with one more field.
    #[must_use]
    pub fn with(mut self, name: &str, value: impl Into<String>) -> Self {
        self.fields.push((name.to_owned(), value.into()));
        self
    }
}
