use authgate_core::ConfigError;
use http::{HeaderValue, Uri};

/// The upstream: where every request goes, whatever it says itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Target {
    host: String,
    port: u16,
    authority: HeaderValue,
}

impl Target {
    /// Reads `http://host` or `http://host:port`. A path is refused, because the request's own is passed on as it is.
    ///
    /// ```
    /// # use authgate_proxy::Target;
    /// let target = Target::parse("http://[::1]:5555")?;
    /// assert_eq!((target.host(), target.port()), ("::1", 5555));
    /// assert!(Target::parse("http://127.0.0.1:5555/flower").is_err());
    /// # Ok::<(), authgate_core::ConfigError>(())
    /// ```
    ///
    /// # Errors
    /// [`ConfigError`] of the field `upstream`: not such an address.
    pub fn parse(text: &str) -> Result<Self, ConfigError> {
        if text.contains('@') {
            // It may have a password, so it is not repeated.
            return Err(refused("the address", "has a user name", "write http://host:port alone"));
        }
        let uri: Uri = text.parse().map_err(|_| refused(text, "is no address", "write http://host:port"))?;
        match uri.scheme_str() {
            Some("http") => {}
            Some("https") => {
                return Err(refused(
                    text,
                    "is HTTPS",
                    "name the upstream's http:// port: the gate speaks no TLS",
                ));
            }
            _ => return Err(refused(text, "is no http:// address", "write http://host:port")),
        }
        if uri.path() != "/" || uri.query().is_some() || text.contains('#') {
            return Err(refused(
                text,
                "has a path",
                "write http://host:port alone; the request's path is passed on as it is",
            ));
        }
        let Some(authority) = uri.authority() else {
            return Err(refused(text, "has no host", "write http://host:port"));
        };
        let port = match authority.port() {
            Some(port) => Some(port.as_u16()).filter(|&port| port != 0),
            None => (authority.host() == authority.as_str()).then_some(80),
        };
        let Some(port) = port else {
            return Err(refused(
                text,
                "has no usable port",
                "write http://host:port, the port from 1 to 65535",
            ));
        };
        let host = authority.host();
        let host = host.strip_prefix('[').and_then(|host| host.strip_suffix(']')).unwrap_or(host);
        if host.is_empty() {
            return Err(refused(text, "has no host", "write http://host:port"));
        }
        let value = HeaderValue::from_str(authority.as_str());
        let value = value.map_err(|_| refused(text, "is no address", "write http://host:port"))?;
        Ok(Self { host: host.to_owned(), port, authority: value })
    }

    /// The name or address to connect to, without brackets.
    pub fn host(&self) -> &str {
        &self.host
    }

    /// The port to connect to.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// What `Host` says when it is the target's own.
    pub(crate) fn authority(&self) -> &HeaderValue {
        &self.authority
    }
}

fn refused(text: &str, problem: &str, remedy: &str) -> ConfigError {
    ConfigError::new("upstream", format!("{text} {problem}"), remedy)
}

#[cfg(test)]
mod tests {
    use super::Target;

    #[test]
    fn a_host_and_a_port_are_read() {
        for (text, host, port) in [
            ("http://127.0.0.1:5555", "127.0.0.1", 5555),
            ("http://localhost", "localhost", 80),
            ("http://flower:5555/", "flower", 5555),
            ("http://[::1]:80", "::1", 80),
            ("HTTP://localhost:1", "localhost", 1),
        ] {
            let target = Target::parse(text).unwrap();
            assert_eq!((target.host(), target.port()), (host, port), "{text}");
        }
        assert_eq!(Target::parse("http://[::1]:81").unwrap().authority(), "[::1]:81");
    }

    #[test]
    fn anything_else_is_refused_with_the_field_and_a_remedy() {
        for text in [
            "",
            "localhost:5555",
            "127.0.0.1",
            "/path",
            "https://localhost",
            "ftp://localhost",
            "http://",
            "http://:80",
            "http://localhost:",
            "http://localhost:0",
            "http://localhost:65536",
            "http://localhost/path",
            "http://localhost/?query",
            "http://localhost#fragment",
            "http://user:secret@localhost",
            "https://user:secret@localhost/path",
            "user:secret@localhost",
            "http://two hosts",
        ] {
            let error = Target::parse(text).expect_err(text);
            assert_eq!(error.field(), "upstream", "{text}");
            assert!(!error.remedy().is_empty(), "{text}");
            assert!(!error.to_string().contains("secret"));
        }
    }
}
