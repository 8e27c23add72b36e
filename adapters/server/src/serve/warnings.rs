//! What works, and maybe not as it was meant.

use std::fs;
use std::net::SocketAddr;
use std::os::unix::fs::MetadataExt as _;
use std::path::Path;

use super::names::Names;
use super::settings::Settings;
use crate::sessions::warn_of_sealed_sessions;

/// Logs all of it. To be called once the settings are sure to be in force: a mistake is told alone.
pub(super) fn warn(settings: &Settings, names: &Names, address: SocketAddr) {
    warn_of_sealed_sessions(settings.store(), &settings.session_secret_files);
    let wants_tls = settings.require_tls.unwrap_or(true);
    if wants_tls && !address.ip().is_loopback() && settings.trusted_proxies.is_empty() {
        tracing::warn!(
            target: "authgate",
            "requests without TLS are refused, and no proxy is trusted to have ended it: only clients on this machine will be \
             answered; name the proxy with trusted_proxies (--trusted-proxy), or set require_tls to false"
        );
    }
    for sentence in exposed(settings, names) {
        tracing::warn!(target: "authgate", "{sentence}");
    }
}

/// A sentence for each file that should be its owner's alone, and is everybody's.
pub(super) fn exposed(settings: &Settings, names: &Names) -> Vec<String> {
    let single = [
        ("users_file", settings.users_file.as_deref()),
        ("jwt_secret_file", settings.jwt_secret_file.as_deref()),
    ];
    let sealing =
        settings.session_secret_files.iter().map(|path| ("session_secret_files", Some(path.as_path())));
    let files = single.into_iter().chain(sealing).filter_map(|(key, path)| Some((key, path?)));
    let exposed = files.filter(|(_, path)| is_readable_by_everybody(path));
    let told = |(key, path): (&str, &Path)| {
        let (key, path) = (names.of_key(key), path.display());
        format!(
            "{key}: {path} can be read by everybody on this machine; make it its owner's alone (chmod 600)"
        )
    };
    exposed.map(told).collect()
}

fn is_readable_by_everybody(path: &Path) -> bool {
    const OTHERS_MAY_READ: u32 = 0o004;
    fs::metadata(path).is_ok_and(|about| about.is_file() && about.mode() & OTHERS_MAY_READ != 0)
}
