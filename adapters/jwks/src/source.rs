use std::fmt;
use std::net::IpAddr;
use std::sync::Arc;

use authgate_core::ConfigError;
use http::Uri;
use http::uri::{Authority, Scheme};
use rustls::crypto::aws_lc_rs;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, RootCertStore};

use crate::connect::Endpoint;

const URL: &str = "jwks_url";

/// Where an identity provider publishes its keys, and whose word counts for that being the provider.
///
/// It prints without its query, which may be a secret.
#[derive(Clone)]
pub struct KeySource {
    path_and_query: String,
    authority: Authority,
    /// The authority's own, without brackets.
    host: String,
    port: u16,
    /// The name that the certificate must be for; nothing for plain HTTP.
    name: Option<ServerName<'static>>,
    /// Besides the operating system's.
    roots: RootCertStore,
}

impl KeySource {
    /// Reads an `https://` address. A provider on this machine (`localhost`, 127.0.0.0/8, `[::1]`) may be asked over
    /// `http://`, as nobody is on the way to it.
    ///
    /// ```
    /// # use authgate_jwks::KeySource;
    /// let source = KeySource::parse("https://id.example/realms/ops/protocol/openid-connect/certs")?;
    /// assert!(KeySource::parse("http://localhost:8080/certs").is_ok());
    /// assert!(KeySource::parse("http://id.example/certs").is_err());
    /// # Ok::<(), authgate_core::ConfigError>(())
    /// ```
    ///
    /// # Errors
    /// [`ConfigError`] of the field `jwks_url`: not such an address, or one with a user name or a fragment.
    pub fn parse(url: &str) -> Result<Self, ConfigError> {
        let refuse = |problem: &str, remedy: &str| {
            Err(ConfigError::new(URL, format!("{} {problem}", shown(url)), remedy))
        };
        let example = "write for example https://id.example/.well-known/jwks.json";
        if url.contains('#') {
            return refuse("has a fragment", "leave out the # and what follows");
        }
        let Ok(uri) = url.parse::<Uri>() else { return refuse("is no address", example) };
        let (Some(scheme), Some(authority)) = (uri.scheme(), uri.authority()) else {
            return refuse("is no https:// address", example);
        };
        if authority.as_str().contains('@') {
            return refuse("has a user name", "leave out what stands before the @");
        }
        let usual = match scheme {
            it if *it == Scheme::HTTPS => 443,
            it if *it == Scheme::HTTP => 80,
            _ => return refuse("is no https:// address", example),
        };
        let port = match authority.port() {
            Some(port) => Some(port.as_u16()).filter(|&port| port != 0),
            None => (authority.host() == authority.as_str()).then_some(usual),
        };
        let Some(port) = port else {
            return refuse("has no usable port", "give one from 1 to 65535, or leave it out");
        };
        let host = authority.host();
        let host = host.strip_prefix('[').and_then(|host| host.strip_suffix(']')).unwrap_or(host);
        let Ok(name) = ServerName::try_from(host.to_owned()) else {
            return refuse("has no usable host", example);
        };
        let secure = *scheme == Scheme::HTTPS;
        if !secure && !is_here(host) {
            return refuse(
                "is plain HTTP, where anybody on the way could put keys of their own",
                "write https://; http:// is for a provider on this machine: localhost, 127.0.0.1 or [::1]",
            );
        }
        Ok(Self {
            path_and_query: uri.path_and_query().map_or("/", |it| it.as_str()).to_owned(),
            authority: authority.clone(),
            host: host.to_owned(),
            port,
            name: secure.then_some(name),
            roots: RootCertStore::empty(),
        })
    }

    /// Trusts these certificates, as PEM text, besides the operating system's: a company's own authority, say.
    ///
    /// # Errors
    /// [`ConfigError`] of the field `jwks_root_certificates`: there is none, or one that cannot be read.
    pub fn with_root_certificates(mut self, pem: &[u8]) -> Result<Self, ConfigError> {
        let refuse = |problem: String| {
            ConfigError::new(
                "jwks_root_certificates",
                problem,
                "give PEM text that starts with -----BEGIN CERTIFICATE-----",
            )
        };
        let before = self.roots.len();
        for certificate in CertificateDer::pem_slice_iter(pem) {
            let certificate = certificate.map_err(|error| refuse(format!("it is no PEM ({error})")))?;
            let added = self.roots.add(certificate);
            added.map_err(|error| refuse(format!("a certificate in it cannot be used ({error})")))?;
        }
        if self.roots.len() == before {
            return Err(refuse("there is no certificate in it".to_owned()));
        }
        Ok(self)
    }

    pub(crate) fn path_and_query(&self) -> &str {
        &self.path_and_query
    }

    /// What `Host` says.
    pub(crate) fn authority(&self) -> &str {
        self.authority.as_str()
    }

    /// Where to connect to. Reads the operating system's root certificates, if they are needed.
    pub(crate) fn endpoint(&self) -> Result<Endpoint, ConfigError> {
        let tls = match &self.name {
            Some(name) => Some((Arc::new(self.tls()?), name.clone())),
            None => None,
        };
        Ok(Endpoint { host: self.host.clone(), port: self.port, tls })
    }

    fn tls(&self) -> Result<ClientConfig, ConfigError> {
        let mut roots = self.roots.clone();
        let system = rustls_native_certs::load_native_certs();
        roots.add_parsable_certificates(system.certs);
        if roots.is_empty() {
            let why = system.errors.first().map(|error| format!(" ({error})")).unwrap_or_default();
            return Err(ConfigError::new(
                URL,
                format!("there is no root certificate to check the provider's with{why}"),
                "install the system's (the package ca-certificates), or name a file in SSL_CERT_FILE",
            ));
        }
        // Named here, as another part of the program may have chosen otherwise for all of it.
        let provider = Arc::new(aws_lc_rs::default_provider());
        let config = ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions();
        let config = config.map_err(|error| {
            ConfigError::new(URL, format!("TLS cannot be set up ({error})"), "report this, please")
        })?;
        let mut config = config.with_root_certificates(roots).with_no_client_auth();
        config.alpn_protocols = vec![b"http/1.1".to_vec()];
        Ok(config)
    }
}

impl fmt::Display for KeySource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let scheme = if self.name.is_some() { "https" } else { "http" };
        let path = self.path_and_query.split('?').next().unwrap_or_default();
        write!(f, "{scheme}://{}{path}", self.authority)
    }
}

impl fmt::Debug for KeySource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "KeySource({self})")
    }
}

/// Whether nobody but this machine answers there.
fn is_here(host: &str) -> bool {
    host.eq_ignore_ascii_case("localhost") || host.parse().is_ok_and(|address: IpAddr| address.is_loopback())
}

/// An address as an error may repeat it: not its query, and nothing of one that may have a password.
fn shown(url: &str) -> String {
    let bare = url.split(['?', '#']).next().unwrap_or_default();
    if url.contains('@') || bare.is_empty() {
        "the address".to_owned()
    } else {
        bare.escape_debug().to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::KeySource;

    #[test]
    fn an_address_is_read() {
        for (url, host, port, path) in [
            ("https://id.example", "id.example", 443, "/"),
            ("HTTPS://id.example:8443/a/b?c=d", "id.example", 8443, "/a/b?c=d"),
            ("https://id.example/@ops/certs", "id.example", 443, "/@ops/certs"),
            ("https://[2001:db8::1]/certs", "2001:db8::1", 443, "/certs"),
            ("https://192.0.2.1/", "192.0.2.1", 443, "/"),
            ("http://localhost:8080/certs", "localhost", 8080, "/certs"),
            ("http://LocalHost/certs", "LocalHost", 80, "/certs"),
            ("http://127.9.9.9/certs", "127.9.9.9", 80, "/certs"),
            ("http://[::1]:1/certs", "::1", 1, "/certs"),
        ] {
            let source = KeySource::parse(url).unwrap();
            assert_eq!((source.host.as_str(), source.port), (host, port), "{url}");
            assert_eq!(source.path_and_query(), path, "{url}");
            assert_eq!(source.name.is_some(), url.to_lowercase().starts_with("https:"), "{url}");
        }
        assert_eq!(KeySource::parse("http://[::1]:81").unwrap().authority(), "[::1]:81");
    }

    #[test]
    fn anything_else_is_refused_with_the_field_and_a_remedy_and_no_secret_in_it() {
        for url in [
            "",
            "id.example",
            "id.example:443",
            "/certs",
            "ftp://id.example/certs",
            "https://",
            "https://:443/certs",
            "https://id.example:/certs",
            "https://id.example:0/certs",
            "https://id.example:65536/certs",
            "https://id.example/certs#keys",
            "https://two hosts/certs?key=secret",
            "https://user:secret@id.example/certs",
            "https://user:secret@id.example/certs#keys",
            "https://user:secret@two hosts/certs",
            "https://id.example:0/certs?key=secret",
            "https://b\u{fc}cher.example/certs",
            "https://*.example/certs",
            "http://id.example/certs?key=secret",
            "http://localhost.example/certs",
            "http://sub.localhost/certs",
            "http://127.1/certs",
            "http://127.0.0.1.example/certs",
            "http://[::ffff:127.0.0.1]/certs",
            "http://0.0.0.0/certs",
            "http://localhost@id.example/certs",
        ] {
            let error = KeySource::parse(url).expect_err(url);
            assert_eq!(error.field(), "jwks_url", "{url}");
            assert!(!error.problem().is_empty() && !error.remedy().is_empty(), "{url}");
            assert!(!error.to_string().contains("secret"), "{error}");
        }
    }

    #[test]
    fn a_source_prints_without_its_query() {
        let source = KeySource::parse("https://id.example:8443/certs?key=secret").unwrap();
        assert_eq!(source.to_string(), "https://id.example:8443/certs");
        assert_eq!(format!("{source:?}"), "KeySource(https://id.example:8443/certs)");
    }

    #[test]
    fn text_without_a_usable_certificate_is_refused() {
        let source = KeySource::parse("https://id.example/certs").unwrap();
        for pem in [
            &b""[..],
            b"certificate",
            b"-----BEGIN PUBLIC KEY-----\nMCowBQYDK2VwAyEA\n-----END PUBLIC KEY-----\n",
            b"-----BEGIN CERTIFICATE-----\nMCowBQYDK2VwAyEA\n-----END CERTIFICATE-----\n",
            b"-----BEGIN CERTIFICATE-----\nno base64!\n-----END CERTIFICATE-----\n",
            b"-----BEGIN CERTIFICATE-----\nMCow",
        ] {
            let error = source.clone().with_root_certificates(pem).unwrap_err();
            assert_eq!(error.field(), "jwks_root_certificates", "{error}");
        }
    }
}
