//! `rediss://`.

use std::fs::write;

use authgate_redis::RedisStore;
use authgate_tower::SessionStore as _;
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};

use crate::harness::{Redis, free_port, now, session};
use crate::runtime::block_on;

tests![
    a_server_that_an_authority_vouches_for,
    nobody_else_is_trusted,
    a_server_of_another_name_is_not_trusted,
    plain_where_tls_is_spoken_ends_in_time,
    an_authority_is_of_no_use_without_tls,
];

/// A Redis that speaks TLS under this name, its port, and its authority in PEM.
fn secure(name: &str) -> (Redis, u16, String) {
    let mut params = CertificateParams::default();
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let authority = CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap();
    let key = KeyPair::generate().unwrap();
    let certificate =
        CertificateParams::new(vec![name.to_owned()]).unwrap().signed_by(&key, &authority).unwrap();
    let folder = tempfile::tempdir().unwrap().keep();
    let (cert, private) = (folder.join("cert.pem"), folder.join("key.pem"));
    write(&cert, certificate.pem()).unwrap();
    write(&private, key.serialize_pem()).unwrap();
    let port = free_port();
    let redis = Redis::start_with(&[
        "--tls-port",
        &port.to_string(),
        "--tls-cert-file",
        cert.to_str().unwrap(),
        "--tls-key-file",
        private.to_str().unwrap(),
        "--tls-auth-clients",
        "no",
    ]);
    std::fs::remove_dir_all(folder).unwrap();
    (redis, port, authority.pem())
}

fn at(port: u16) -> RedisStore {
    RedisStore::new(&format!("rediss://localhost:{port}")).unwrap()
}

fn a_server_that_an_authority_vouches_for() {
    let (_redis, port, authority) = secure("localhost");
    let store = at(port).trust(authority.as_bytes()).unwrap();
    block_on(async move {
        let (id, session) = session(1);
        assert_eq!(store.create(id, session.clone(), now()).await, Ok(true));
        assert_eq!(store.load(id, now()).await, Ok(Some(session)));
    });
}

fn nobody_else_is_trusted() {
    let (_redis, port, _) = secure("localhost");
    block_on(async move {
        let why = at(port).ping().await.unwrap_err().to_string();
        assert!(why.contains("certificate"), "{why}");
    });
}

fn a_server_of_another_name_is_not_trusted() {
    let (_redis, port, authority) = secure("elsewhere.example");
    let store = at(port).trust(authority.as_bytes()).unwrap();
    block_on(async move {
        let why = store.ping().await.unwrap_err().to_string();
        assert!(why.contains("certificate"), "{why}");
    });
}

fn plain_where_tls_is_spoken_ends_in_time() {
    let (redis, port, authority) = secure("localhost");
    block_on(async move {
        let plain = RedisStore::new(&format!("redis://localhost:{port}")).unwrap();
        plain.ping().await.unwrap_err();
        let secure = at(redis.port()).trust(authority.as_bytes()).unwrap();
        secure.ping().await.unwrap_err();
    });
}

fn an_authority_is_of_no_use_without_tls() {
    let error = RedisStore::new("redis://localhost").unwrap().trust(b"").unwrap_err();
    assert!(error.to_string().contains("rediss://"), "{error}");
    let error =
        RedisStore::new("rediss://localhost").unwrap().trust(b"-----BEGIN CERTIFICATE-----\nx").unwrap_err();
    assert_eq!(error.field(), "session_store");
    RedisStore::new("rediss://localhost").unwrap().trust(b"nothing").unwrap_err();
}
