//! What works, and maybe not as it was meant.

use std::fs;
use std::net::SocketAddr;
use std::os::unix::fs::MetadataExt as _;
use std::path::Path;

use super::names::Names;
use super::settings::Settings;
use super::stores::Store;
use crate::sessions::warn_of_sealed_sessions;

/// Logs all of it. To be called once the settings are sure to be in force: a mistake is told alone.
pub(super) fn warn(settings: &Settings, names: &Names, address: SocketAddr) {
    if settings.store() == Store::Cookie {
        warn_of_sealed_sessions(&settings.session_secret_files, settings.revocation_store.is_some());
    }
    let wants_tls = settings.require_tls.unwrap_or(true);
    if wants_tls && !address.ip().is_loopback() && settings.trusted_proxies.is_empty() {
        tracing::warn!(
            target: "authgate",
            "requests without TLS are refused, and no proxy is trusted to have ended it: only clients on this machine will be \
             answered; name the proxy with trusted_proxies (--trusted-proxy), or set require_tls to false"
        );
    }
    for sentence in remarks(settings, names) {
        tracing::warn!(target: "authgate", "{sentence}");
    }
}

/// What `authgate check` can tell of it, too.
pub(super) fn remarks(settings: &Settings, names: &Names) -> Vec<String> {
    let all = [
        exposed(settings, names),
        below_twice(settings, names),
        shown_passwords(settings, names),
        any_token(settings, names),
    ];
    all.concat()
}

/// A sentence for each path that names the mount, below which it is already.
fn below_twice(settings: &Settings, names: &Names) -> Vec<String> {
    let mount = settings.mount.as_deref().unwrap_or_default().trim_end_matches('/');
    let rules = settings.rule.iter().map(|rule| ("rule", &rule.path));
    let paths = settings.public_paths.iter().map(|path| ("public_paths", path));
    let prefixes = settings.public_prefixes.iter().map(|path| ("public_prefixes", path));
    let told = |(key, path): (&str, &String)| {
        let rest = path.strip_prefix(mount).filter(|rest| rest.is_empty() || rest.starts_with('/'))?;
        let (key, short) = (names.of_key(key), if rest.is_empty() { "/" } else { rest });
        Some(format!(
            "{key}: {path:?} is below the mount already, so it means {mount}{path}; write {short:?} if that was not meant"
        ))
    };
    rules.chain(paths).chain(prefixes).filter(|_| !mount.is_empty()).filter_map(told).collect()
}

/// A sentence for each Redis whose password everybody on this machine can read, in a flag or in a file.
fn shown_passwords(settings: &Settings, names: &Names) -> Vec<String> {
    let told = |key| {
        let setting = names.of_key(key);
        match names.file() {
            _ if names.is_flag(key) => Some(format!(
                "{setting}: everybody on this machine can read the password in a flag; name the Redis in the file instead"
            )),
            Some(file) if is_readable_by_everybody(file) => Some(format!(
                "{setting}: it has a password, and everybody on this machine can read the file; make it its owner's alone (chmod 600)"
            )),
            _ => None,
        }
    };
    settings.passwords().filter_map(told).collect()
}

/// A provider signs tokens for many, and not all of them are meant for us.
fn any_token(settings: &Settings, names: &Names) -> Vec<String> {
    let trusts_all =
        settings.jwks_url.is_some() && settings.issuer.is_empty() && settings.audience.is_empty();
    let told = format!(
        "{}: whatever this provider signs without an audience lets somebody in; name the issuer and the audience that are meant",
        names.of_key("jwks_url")
    );
    if trusts_all { vec![told] } else { Vec::new() }
}

/// A sentence for each file that should be its owner's alone, and is everybody's.
fn exposed(settings: &Settings, names: &Names) -> Vec<String> {
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
