//! Who can sign in to the demo, and what their sessions are.

use std::io;
use std::sync::Arc;

use authgate_core::{
    Credentials, Gate, Lookup, SealingKey, Secret, Sessions, Unavailable, User, UserStore, Verdict,
};
use authgate_users::UserFile;
use aws_lc_rs::constant_time::verify_slices_are_equal;
use aws_lc_rs::digest::{Digest, SHA256, digest};
use base64_simd::URL_SAFE_NO_PAD;

use crate::cli::DemoOptions;
use crate::failure::Failure;
use crate::keys::{self, FoundSecret};
use crate::sessions;

/// Who can sign in.
#[derive(Clone)]
pub(super) enum People {
    /// One administrator with a password of this run.
    Demo(Arc<DemoUser>),
    /// Those in a file.
    File(Arc<UserFile>),
}

/// The administrator of this run. Nobody can guess the password, so one digest of it is enough.
pub(super) struct DemoUser {
    user: User,
    password: Secret<String>,
    digest: Digest,
}

impl People {
    pub(super) fn of(options: &DemoOptions) -> Result<Self, Failure> {
        match &options.users_file {
            Some(path) => {
                let users = UserFile::open(path)?;
                Ok(Self::File(Arc::new(users)))
            }
            None => Ok(Self::Demo(Arc::new(DemoUser::new(options)?))),
        }
    }

    /// Username and password, to be told to whoever started the demo.
    pub(super) fn credentials(&self) -> Option<(&str, &str)> {
        match self {
            Self::Demo(demo) => Some((&demo.user.id, demo.password.expose())),
            Self::File(_) => None,
        }
    }

    /// Ends the sessions of users who are disabled, removed or have a new password, from now on.
    pub(super) fn follow(&self, gate: &Gate) -> io::Result<()> {
        match self {
            Self::Demo(_) => Ok(()),
            Self::File(users) => users.follow(gate.clone()),
        }
    }
}

impl UserStore for People {
    fn check(&self, credentials: &Credentials) -> Result<Verdict, Unavailable> {
        match self {
            Self::Demo(demo) => Ok(demo.check(credentials).into()),
            Self::File(users) => users.check(credentials),
        }
    }

    fn look_up(&self, user: &str) -> Result<Lookup, Unavailable> {
        match self {
            Self::Demo(_) => Ok(Lookup::Unknowable),
            Self::File(users) => users.look_up(user),
        }
    }
}

impl DemoUser {
    fn new(options: &DemoOptions) -> Result<Self, Failure> {
        let random = keys::random::<15>()?;
        let password = URL_SAFE_NO_PAD.encode_to_string(random);
        let user = User {
            name: "Demo Admin".into(),
            is_admin: true,
            roles: options.roles.iter().map(Into::into).collect(),
            ..User::new("demo")
        };
        Ok(Self { user, digest: digest(&SHA256, password.as_bytes()), password: Secret::new(password) })
    }

    fn check(&self, credentials: &Credentials) -> Option<User> {
        let typed = digest(&SHA256, credentials.password.expose().as_bytes());
        let right = verify_slices_are_equal(typed.as_ref(), self.digest.as_ref()).is_ok();
        (right && credentials.username == self.user.id).then(|| self.user.clone())
    }
}

/// How the demo keeps sessions.
pub(super) fn sessions(options: &DemoOptions) -> Result<Sessions, Failure> {
    let fresh = || Ok(SealingKey::new(FoundSecret::fresh()?.bytes.expose())?);
    let sessions = sessions::sessions(options.session_store, &options.session_secret_files, fresh)?;
    let sessions = sessions.lifetime(options.session_lifetime);
    Ok(match options.session_idle {
        Some(idle) => sessions.idle(idle),
        None => sessions,
    })
}
