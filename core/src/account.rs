use std::fmt;
use std::sync::Arc;

use aws_lc_rs::digest;
use serde::{Deserialize, Serialize};

use crate::{Secret, Unavailable, User, secret};

/// What somebody typed to sign in. It prints without the password.
///
/// When the gate asks ([`Step::CheckPassword`](crate::Step::CheckPassword)), neither part is empty or longer than 1024
/// bytes, and the username holds no control characters and none that turn text around.
#[derive(Debug)]
pub struct Credentials {
    /// The username, as typed.
    pub username: String,
    /// The password, as typed.
    pub password: Secret<String>,
}

/// What a check of [`Credentials`] came to. "Could not check" is no verdict but [`Unavailable`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    /// The password is this user's.
    Accepted(Account),
    /// There is no such user, or the password is not theirs. Nobody outside learns which.
    Rejected,
}

/// A user, and the state of what they prove themselves with.
///
/// `Account::from(User::new("ada"))` is one without a known credential.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Account {
    /// The user.
    pub user: User,
    /// A fingerprint of the credential: once it differs, the user's older sessions end.
    pub credential: Option<Fingerprint>,
}

/// What is known of a user whose session is being renewed; the answer to
/// [`Step::LookUpUser`](crate::Step::LookUpUser).
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Lookup {
    /// The user as they are now: a new name, new roles and a new credential count from here on.
    Found(Account),
    /// There is no such user any more, or they are disabled: the session ends.
    Gone,
    /// Nobody here can tell: the session goes on as it is.
    Unknowable,
}

/// A user store whose answers may block: a file, a database, a directory. Adapters ask it off their event loop.
///
/// Any `Fn(&str, &str) -> Option<User>` is one, too, by way of the adapters' `verify_blocking`.
pub trait UserStore: Send + Sync + 'static {
    /// Whose the credentials are. An unknown user must cost as much time as a known one.
    ///
    /// # Errors
    /// The store cannot be asked; the visitor is told to try again.
    fn check(&self, credentials: &Credentials) -> Result<Verdict, Unavailable>;

    /// What is known of the user with this id. Asked when a session is renewed, at most once a minute by default.
    ///
    /// # Errors
    /// The store cannot be asked; the visitor is told to try again, and the session stays.
    fn look_up(&self, user: &str) -> Result<Lookup, Unavailable> {
        let _ = user;
        Ok(Lookup::Unknowable)
    }
}

impl<S: UserStore + ?Sized> UserStore for Arc<S> {
    fn check(&self, credentials: &Credentials) -> Result<Verdict, Unavailable> {
        (**self).check(credentials)
    }

    fn look_up(&self, user: &str) -> Result<Lookup, Unavailable> {
        (**self).look_up(user)
    }
}

/// A digest of a credential, such as a password's hash: it tells whether the credential is still the same, and nothing
/// else about it. Two are compared in constant time.
#[derive(Clone, Copy, Eq, Serialize, Deserialize)]
pub struct Fingerprint(#[serde(with = "crate::base64url")] [u8; 16]);

impl Fingerprint {
    /// The fingerprint of a stored credential, such as a salted password hash; never of a bare password.
    pub fn of(credential: impl AsRef<[u8]>) -> Self {
        let mut context = digest::Context::new(&digest::SHA256);
        context.update(b"authgate credential\0");
        context.update(credential.as_ref());
        let mut first = [0; 16];
        first.iter_mut().zip(context.finish().as_ref()).for_each(|(to, from)| *to = *from);
        Self(first)
    }

    pub(crate) fn bytes(self) -> [u8; 16] {
        self.0
    }

    pub(crate) fn from_bytes(bytes: [u8; 16]) -> Self {
        Self(bytes)
    }
}

impl PartialEq for Fingerprint {
    fn eq(&self, other: &Self) -> bool {
        secret::same(&self.0, &other.0)
    }
}

impl fmt::Debug for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Fingerprint(…)")
    }
}

impl Account {
    /// This account with the fingerprint of `credential`; see [`Fingerprint::of`].
    #[must_use]
    pub fn with_credential(self, credential: impl AsRef<[u8]>) -> Self {
        Self { credential: Some(Fingerprint::of(credential)), ..self }
    }
}

impl From<User> for Account {
    fn from(user: User) -> Self {
        Self { user, credential: None }
    }
}

impl From<Option<User>> for Verdict {
    fn from(user: Option<User>) -> Self {
        user.map_or(Self::Rejected, |user| Self::Accepted(user.into()))
    }
}

impl From<Option<Account>> for Verdict {
    fn from(account: Option<Account>) -> Self {
        account.map_or(Self::Rejected, Self::Accepted)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_account_has_the_fingerprint_of_its_credential_and_nobody_elses() {
        let account = Account::from(User::new("ada")).with_credential("hash");
        assert_eq!(account.credential, Some(Fingerprint::of("hash")));
        assert_ne!(account.credential, Some(Fingerprint::of("Hash")));
        assert_eq!(format!("{:?}", Fingerprint::of("hash")), "Fingerprint(…)");
    }
}
