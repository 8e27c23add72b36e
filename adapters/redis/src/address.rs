use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;

use authgate_core::ConfigError;
use percent_encoding::percent_decode_str;
use redis::RedisConnectionInfo;
use rustls::ClientConfig;
use url::{Host, Url};

use crate::tls;

const FIELD: &str = "session_store";
const REMEDY: &str = "write redis://host:6379, rediss:// for TLS, or unix:///path/to/socket; \
                      a user and a password as in redis://user:password@host, percent-encoded";

/// Where Redis is, and as whom to ask it. It prints without the password.
#[derive(Clone)]
pub(crate) struct Address {
    pub(crate) place: Place,
    pub(crate) tls: Option<Arc<ClientConfig>>,
    pub(crate) login: RedisConnectionInfo,
}

#[derive(Debug, Clone)]
pub(crate) enum Place {
    Tcp(String, u16),
    #[cfg(unix)]
    Unix(PathBuf),
}

impl Address {
    /// No error repeats any part of what was given: it may hold a password, at any place where somebody forgot to encode it.
    pub(crate) fn parse(text: &str) -> Result<Self, ConfigError> {
        let url = Url::parse(text).map_err(|error| refuse(format!("this is no URL ({error})")))?;
        if url.query().is_some() || url.fragment().is_some() {
            return Err(refuse("the URL has a query (?) or a fragment (#), which mean nothing here"));
        }
        let secure = match url.scheme() {
            "redis" | "valkey" => false,
            "rediss" | "valkeys" => true,
            "unix" => return Self::unix(&url),
            _ => return Err(refuse("the URL does not begin with redis://, rediss:// or unix://")),
        };
        let host = match url.host() {
            Some(Host::Domain(name)) => name.to_owned(),
            Some(Host::Ipv4(address)) => address.to_string(),
            Some(Host::Ipv6(address)) => address.to_string(),
            None => return Err(refuse("the URL names no host")),
        };
        let mut login = RedisConnectionInfo::default().set_skip_set_lib_name();
        let path = url.path().trim_start_matches('/');
        if !path.is_empty() {
            let number: u16 =
                path.parse().map_err(|_| refuse("what follows the host is no database number"))?;
            login = login.set_db(number.into());
        }
        let decode = |text: &str| {
            let text = percent_decode_str(text).decode_utf8();
            text.map(String::from).map_err(|_| refuse("the user or the password is not UTF-8"))
        };
        if !url.username().is_empty() {
            login = login.set_username(decode(url.username())?);
        }
        if let Some(password) = url.password() {
            login = login.set_password(decode(password)?);
        }
        let tls = if secure { Some(tls::config(Vec::new())?) } else { None };
        Ok(Self { place: Place::Tcp(host, url.port().unwrap_or(6379)), tls, login })
    }

    /// Trusts these authorities, in PEM, beside those of the machine.
    pub(crate) fn trust(&mut self, pem: &[u8]) -> Result<(), ConfigError> {
        if self.tls.is_none() {
            return Err(ConfigError::new(
                FIELD,
                "an authority to trust is of no use without TLS",
                "use rediss://",
            ));
        }
        self.tls = Some(tls::config(tls::certificates(pem)?)?);
        Ok(())
    }

    #[cfg(unix)]
    fn unix(url: &Url) -> Result<Self, ConfigError> {
        if url.host().is_some() || url.path().len() < 2 {
            return Err(refuse("the URL names no socket"));
        }
        let path = percent_decode_str(url.path()).decode_utf8();
        let path = path.map_err(|_| refuse("the path is not UTF-8"))?;
        let login = RedisConnectionInfo::default().set_skip_set_lib_name();
        Ok(Self { place: Place::Unix(PathBuf::from(path.as_ref())), tls: None, login })
    }

    #[cfg(not(unix))]
    fn unix(_: &Url) -> Result<Self, ConfigError> {
        Err(refuse("there are no sockets in files on this system"))
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let scheme = if self.tls.is_some() { "rediss" } else { "redis" };
        match &self.place {
            Place::Tcp(host, port) if host.contains(':') => write!(f, "{scheme}://[{host}]:{port}")?,
            Place::Tcp(host, port) => write!(f, "{scheme}://{host}:{port}")?,
            #[cfg(unix)]
            Place::Unix(path) => return write!(f, "unix://{}", path.display()),
        }
        match self.login.db() {
            0 => Ok(()),
            number => write!(f, "/{number}"),
        }
    }
}

fn refuse(problem: impl Into<String>) -> ConfigError {
    ConfigError::new(FIELD, problem, REMEDY)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_told_without_what_is_secret() {
        for (text, shown) in [
            ("redis://localhost", "redis://localhost:6379"),
            ("redis://:hunter2@10.0.0.1:7000/3", "redis://10.0.0.1:7000/3"),
            ("rediss://ada:hunter2@[::1]/", "rediss://[::1]:6379"),
            ("valkey://cache.example", "redis://cache.example:6379"),
            ("unix:///run/redis.sock", "unix:///run/redis.sock"),
        ] {
            assert_eq!(Address::parse(text).unwrap().to_string(), shown);
        }
    }

    #[test]
    fn a_user_and_a_password_are_decoded() {
        let login = Address::parse("redis://ada%40home:p%2Fq%3A%20@host").unwrap().login;
        assert_eq!((login.username(), login.password()), (Some("ada@home"), Some("p/q: ")));
        assert!(!format!("{login:?}").contains("p/q"));
    }

    #[test]
    fn nonsense_is_refused_and_no_password_repeated() {
        for text in [
            "",
            "hunter2",
            "hunter2://host",
            "http://:hunter2@host",
            "redis://:hunter2",
            "redis://:hunter2#x@host",
            "redis://:hunter2?x@host",
            "redis://:hun/ter2@host",
            "redis://:x@host/hunter2",
            "redis://:hunter2@host:99999",
            "redis://:hunter2@host/70000",
            "redis://:hunter2%ff@host",
            "rediss://host/#insecure",
            "unix://hunter2",
            "redis:///0",
        ] {
            let error = Address::parse(text).err().unwrap_or_else(|| panic!("{text:?} was taken"));
            assert_eq!(error.field(), "session_store");
            let error = error.to_string();
            assert!(!error.contains("hunter2") && !error.contains("ter2"), "{text:?}: {error}");
            assert!(error.contains("rediss://"), "{text:?}: {error}");
        }
    }
}
