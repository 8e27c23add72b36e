use std::sync::Arc;

use authgate_core::ConfigError;
use rustls::crypto::aws_lc_rs;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject as _;
use rustls::{ClientConfig, RootCertStore};

/// Trusts the machine's authorities, and these. The provider is named: none is installed for the whole process.
pub(crate) fn config(authorities: Vec<CertificateDer<'static>>) -> Result<Arc<ClientConfig>, ConfigError> {
    let mut roots = RootCertStore::empty();
    // One that cannot be read is no reason to trust no other.
    roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
    for authority in authorities {
        roots.add(authority).map_err(|error| refuse(format!("nothing can be trusted by this: {error}")))?;
    }
    let config = ClientConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
        .with_safe_default_protocol_versions()
        .map_err(|error| refuse(error.to_string()))?;
    Ok(Arc::new(config.with_root_certificates(roots).with_no_client_auth()))
}

/// The certificates in PEM, of which there must be one.
pub(crate) fn certificates(pem: &[u8]) -> Result<Vec<CertificateDer<'static>>, ConfigError> {
    match CertificateDer::pem_slice_iter(pem).collect::<Result<Vec<_>, _>>() {
        Ok(certificates) if !certificates.is_empty() => Ok(certificates),
        Ok(_) => Err(refuse("there is no certificate in what should be trusted".to_owned())),
        Err(_) => Err(refuse("what should be trusted is not in order as PEM".to_owned())),
    }
}

fn refuse(problem: String) -> ConfigError {
    ConfigError::new("session_store", problem, "give the authority's certificate as PEM")
}
