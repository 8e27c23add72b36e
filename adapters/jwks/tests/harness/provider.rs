use std::net::{TcpListener, TcpStream};
use std::sync::mpsc::{self, Receiver, TryRecvError};
use std::sync::{Arc, LazyLock};
use std::thread;

use rcgen::{BasicConstraints, CertificateParams, CertifiedKey, IsCa, Issuer, KeyPair};
use rustls::ServerConfig;
use rustls::crypto::aws_lc_rs;
use rustls::pki_types::PrivateKeyDer;

use super::{PATIENCE, Peer};

/// An identity provider whose connections a test plays by hand.
pub(crate) struct Provider {
    port: u16,
    tls: Option<Arc<ServerConfig>>,
    accepted: Receiver<TcpStream>,
}

impl Provider {
    pub(crate) fn start() -> Self {
        Self::with(None)
    }

    /// One that speaks TLS.
    pub(crate) fn secure(tls: Arc<ServerConfig>) -> Self {
        Self::with(Some(tls))
    }

    fn with(tls: Option<Arc<ServerConfig>>) -> Self {
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
        Self { port, tls, accepted }
    }

    pub(crate) fn url(&self) -> String {
        let scheme = if self.tls.is_some() { "https" } else { "http" };
        format!("{scheme}://localhost:{}/certs", self.port)
    }

    pub(crate) fn port(&self) -> u16 {
        self.port
    }

    /// The next connection.
    pub(crate) fn accept(&self) -> Peer {
        Peer::new(self.connection(), self.tls.as_ref())
    }

    /// The next connection, without TLS.
    pub(crate) fn accept_bare(&self) -> Peer {
        Peer::new(self.connection(), None)
    }

    fn connection(&self) -> TcpStream {
        self.accepted.recv_timeout(PATIENCE).expect("the fetcher connects")
    }

    /// Answers the next request with `bytes`, and closes the connection.
    pub(crate) fn serve(&self, bytes: impl AsRef<[u8]>) {
        let mut peer = self.accept();
        peer.head();
        // It may give up in the middle.
        let _ = peer.try_send(bytes);
    }

    /// Whether there has been no connection beyond those that were accepted.
    pub(crate) fn is_left_alone(&self) -> bool {
        matches!(self.accepted.try_recv(), Err(TryRecvError::Empty))
    }
}

/// An answer with `document`.
pub(crate) fn answer(document: &str) -> String {
    format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n{document}", document.len())
}

/// One that signs certificates.
pub(crate) struct Authority {
    certified: CertifiedKey<KeyPair>,
    params: CertificateParams,
}

/// The one that tests trust.
pub(crate) static COMPANY: LazyLock<Authority> = LazyLock::new(Authority::new);

impl Authority {
    pub(crate) fn new() -> Self {
        let mut params = CertificateParams::new(Vec::new()).unwrap();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let signing_key = KeyPair::generate().unwrap();
        let cert = params.self_signed(&signing_key).unwrap();
        Self { certified: CertifiedKey { cert, signing_key }, params }
    }

    pub(crate) fn company() -> &'static Self {
        &COMPANY
    }

    pub(crate) fn pem(&self) -> String {
        self.certified.cert.pem()
    }

    /// What a server of this name needs.
    pub(crate) fn server(&self, name: &str) -> Arc<ServerConfig> {
        self.server_until(name, 2100)
    }

    /// With a certificate that is good until this year begins.
    pub(crate) fn server_until(&self, name: &str, year: i32) -> Arc<ServerConfig> {
        let key = KeyPair::generate().unwrap();
        let mut params = CertificateParams::new(vec![name.to_owned()]).unwrap();
        params.not_after = rcgen::date_time_ymd(year, 1, 1);
        let issuer = Issuer::from_params(&self.params, &self.certified.signing_key);
        let certificate = params.signed_by(&key, &issuer).unwrap();
        let config = ServerConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(
                vec![certificate.der().clone()],
                PrivateKeyDer::try_from(key.serialize_der()).unwrap(),
            );
        Arc::new(config.unwrap())
    }
}
