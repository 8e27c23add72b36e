//! The addresses that a gate's answers lead to; all carry the mount.

use crate::gate::Settings;
use crate::local_path::{LocalPath, MAX_NEXT};
use crate::mount::{Mount, below};

impl Settings {
    /// The login page.
    pub(crate) fn login(&self, mount: &Mount) -> LocalPath {
        address(mount, &self.login_path)
    }

    /// The logout page.
    pub(super) fn logout(&self, mount: &Mount) -> LocalPath {
        address(mount, &self.logout_path)
    }

    /// A page to come back to: below the mount, not too long, and not one that signs in or out.
    pub(super) fn next(&self, mount: &Mount, raw: &str) -> Option<LocalPath> {
        let path = raw.split(['?', '#']).next().and_then(|path| below(path, mount.as_str()))?;
        let signs = path == self.login_path || path == self.logout_path;
        (raw.len() <= MAX_NEXT && !signs).then(|| LocalPath::parse(raw, mount)).flatten()
    }
}

fn address(mount: &Mount, path: &str) -> LocalPath {
    LocalPath::parse(&format!("{mount}{path}"), mount).unwrap_or_else(|| LocalPath::home(mount))
}
