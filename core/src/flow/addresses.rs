//! The addresses that a gate's answers lead to; all carry the mount.

use std::borrow::Cow;

use crate::gate::Settings;
use crate::local_path::{LocalPath, MAX_NEXT};
use crate::mount::{Mount, below};

impl Settings {
    /// The login page.
    pub(crate) fn login(&self, mount: &Mount) -> LocalPath {
        // Only a host's prefix makes it another.
        if *mount == self.mount { self.login.clone() } else { LocalPath::at(&self.login_path, mount) }
    }

    /// The logout page.
    pub(super) fn logout(&self, mount: &Mount) -> LocalPath {
        LocalPath::at(&self.logout_path, mount)
    }

    /// A page to come back to: below the mount, not too long, and not one that signs in or out.
    pub(super) fn next<'r>(&self, mount: &Mount, raw: impl Into<Cow<'r, str>>) -> Option<LocalPath> {
        let raw = raw.into();
        let path = raw.split(['?', '#']).next().and_then(|path| below(path, mount.as_str()))?;
        let signs = path == self.login_path || path == self.logout_path;
        (raw.len() <= MAX_NEXT && !signs).then(|| LocalPath::of(raw.into_owned(), mount)).flatten()
    }
}
