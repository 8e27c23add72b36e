use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use http::HeaderValue;

use super::cookie::{Found, SessionCookie};
use super::endings::Endings;
use super::id::SessionSecret;
use super::seal::{KeyRing, Sealed};
use super::{Session, SessionFault, SessionId};
use crate::account::{Account, Fingerprint, Lookup};
use crate::headers::HeaderView;
use crate::{Scheme, Timestamp, Unavailable, User};

/// The rules that a gate's sessions live by, prepared once.
pub(crate) struct SessionRules {
    /// The keys of sealed sessions; none where sessions are records.
    pub(super) ring: Option<KeyRing>,
    pub(super) cookie: SessionCookie,
    pub(super) endings: Mutex<Endings>,
    pub(super) idle: Duration,
    pub(super) lifetime: Duration,
    pub(super) renew_every: Duration,
}

/// What a request's cookie turned out to be.
pub(crate) enum Presented {
    Nothing,
    /// None of ours.
    Bad,
    /// A sealed session, not judged yet.
    Sealed(SessionId, Session),
    /// The way to a record.
    Record(SessionId),
}

/// Where a new session is to be kept, and the value of its cookie.
pub(crate) enum Kept {
    InCookie { cookie: HeaderValue },
    InStore { cookie: HeaderValue },
}

impl SessionRules {
    /// Reads the request's cookie.
    pub(crate) fn read(&self, headers: HeaderView<'_>, scheme: Scheme) -> Presented {
        let value = match self.cookie.find(headers, scheme) {
            Found::Nothing => return Presented::Nothing,
            Found::Odd => return Presented::Bad,
            Found::Value(value) => value,
        };
        match &self.ring {
            None => {
                SessionSecret::parse(value).map_or(Presented::Bad, |secret| Presented::Record(secret.id()))
            }
            Some(ring) => ring
                .open(value, self.cookie.plain_name())
                .map_or(Presented::Bad, |sealed| Presented::Sealed(sealed.id, sealed.session)),
        }
    }

    /// Whether a session holds now, and why not.
    pub(crate) fn judge(
        &self,
        id: &SessionId,
        session: &Session,
        now: Timestamp,
    ) -> Result<(), SessionFault> {
        if session.user.id.is_empty() {
            Err(SessionFault::Cookie)
        } else if now >= session.ends {
            Err(SessionFault::Ended)
        } else if now >= session.until {
            Err(SessionFault::Idle)
        } else if !self.endings().spare(id, &session.user.id, session.issued) {
            Err(SessionFault::SignedOut)
        } else {
            Ok(())
        }
    }

    /// Whether it is time to renew a session that holds. One that cannot last any longer is renewed, too: its user is looked
    /// up again.
    pub(crate) fn is_due(&self, session: &Session, now: Timestamp) -> bool {
        now >= session.renewed.after(self.renew_every)
    }

    /// The session as it goes on from now, with what is known of its user; nothing if its user is not the same any more.
    pub(crate) fn renewed(&self, session: Session, lookup: Lookup, now: Timestamp) -> Option<Session> {
        let Account { user, credential } = match lookup {
            Lookup::Gone => return None,
            Lookup::Unknowable => Account { user: session.user, credential: session.credential },
            Lookup::Found(account) if account.user.id != session.user.id => return None,
            Lookup::Found(account) if differ(session.credential, account.credential) => return None,
            Lookup::Found(account) => {
                Account { credential: account.credential.or(session.credential), ..account }
            }
        };
        let until = now.after(self.idle).min(session.ends);
        let user = User { claims: None, ..user };
        Some(Session { user, credential, renewed: now, until, ..session })
    }

    /// A new session of somebody who has just signed in, whose password was asked about when there had been `asked` endings;
    /// nothing if the user's sessions have all been ended since.
    pub(crate) fn start(&self, account: Account, asked: u64, now: Timestamp) -> Option<Session> {
        let Account { user, credential } = account;
        let user = User { claims: None, ..user };
        let issued = self.endings().issue(&user.id, asked, now)?;
        let ends = now.after(self.lifetime);
        Some(Session { user, credential, issued, renewed: now, until: now.after(self.idle).min(ends), ends })
    }

    /// The id of a new session, where it is kept, and its cookie.
    pub(crate) fn keep(
        &self,
        session: &Session,
        random: [u8; 32],
        scheme: Scheme,
    ) -> Result<(SessionId, Kept), Unavailable> {
        let secret = SessionSecret::new(random);
        let id = secret.id();
        if self.ring.is_some() {
            return Ok((id, Kept::InCookie { cookie: self.seal(id, session, &random, scheme)? }));
        }
        let cookie = self.cookie.set(&secret.to_text(), scheme);
        let cookie = cookie.ok_or_else(|| Unavailable::new("the session's cookie cannot be written"))?;
        Ok((id, Kept::InStore { cookie }))
    }

    /// The cookie of a sealed session.
    pub(crate) fn seal(
        &self,
        id: SessionId,
        session: &Session,
        random: &[u8; 32],
        scheme: Scheme,
    ) -> Result<HeaderValue, Unavailable> {
        let sealed = Sealed { id, session: session.clone() };
        let value = self.ring.as_ref().and_then(|ring| ring.seal(&sealed, self.cookie.plain_name(), random));
        let value = value.ok_or_else(|| Unavailable::new("the session cannot be sealed"))?;
        self.cookie.set(&value, scheme).ok_or_else(|| {
            Unavailable::new(format!(
                "the sealed session of user {:?} takes {} bytes, more than a cookie holds; shorten the user's name and \
                 roles, or keep sessions in a store",
                session.user.id,
                value.len()
            ))
        })
    }

    /// Whether sessions are in the cookie itself.
    pub(crate) fn are_sealed(&self) -> bool {
        self.ring.is_some()
    }

    /// The `Set-Cookie` that removes the cookie.
    pub(crate) fn removal(&self, scheme: Scheme) -> Option<HeaderValue> {
        self.cookie.remove(scheme)
    }

    /// What has ended before its time.
    pub(crate) fn endings(&self) -> MutexGuard<'_, Endings> {
        // Every change of it is whole before anything could panic.
        self.endings.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Whether two credentials are known and not the same. A store that tells none cannot end sessions this way.
fn differ(one: Option<Fingerprint>, other: Option<Fingerprint>) -> bool {
    one.zip(other).is_some_and(|(one, other)| one != other)
}
