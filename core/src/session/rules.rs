use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use http::HeaderValue;

use super::cookie::{MOST, SessionCookie};
use super::endings::Endings;
use super::heard::Heard;
use super::id::SessionSecret;
use super::seal::KeyRing;
use super::{Session, SessionFault, SessionId};
use crate::account::{Account, Fingerprint, Lookup};
use crate::headers::RequestFields;
use crate::sharing::{EndingsNews, EndingsSince, Sharing};
use crate::{Scheme, Timestamp, Unavailable, User};

/// The rules that a gate's sessions live by, prepared once.
pub(crate) struct SessionRules {
    /// The keys of sealed sessions; none where sessions are records.
    pub(super) ring: Option<KeyRing>,
    pub(super) cookie: SessionCookie,
    pub(super) endings: Arc<Mutex<Endings>>,
    pub(super) idle: Duration,
    pub(super) lifetime: Duration,
    pub(super) renew_every: Duration,
    /// Whether others tell what has ended elsewhere.
    pub(super) sharing: Option<Sharing>,
    pub(super) heard: Mutex<Heard>,
}

/// What a request's cookie turned out to be.
pub(crate) enum Presented {
    Nothing,
    /// None of ours, or two.
    Bad,
    One(Shown),
}

/// A session that a request shows, not judged yet.
pub(crate) enum Shown {
    Sealed(Session),
    /// The way to a record.
    Record(SessionId),
}

/// What a session is worth to a request.
pub(crate) enum Standing {
    Holds {
        until: Timestamp,
    },
    /// It holds, and its user is to be looked up.
    Due,
    Fails(SessionFault),
}

impl SessionRules {
    /// Reads the request's cookie. Two of ours are nobody's: who knows which of them the person means. So are more cookies of
    /// the name than are looked at: the second may be among the rest, where somebody else's stands before it.
    pub(crate) fn read(&self, headers: RequestFields<'_>, scheme: Scheme) -> Presented {
        let mut presented = Presented::Nothing;
        for (index, value) in self.cookie.values(headers, scheme).enumerate() {
            if index == MOST {
                return Presented::Bad;
            }
            presented = match (presented, self.shown(value)) {
                (Presented::One(_), Some(_)) => return Presented::Bad,
                (Presented::One(one), None) | (_, Some(one)) => Presented::One(one),
                (_, None) => Presented::Bad,
            };
        }
        presented
    }

    /// Whether a request has a cookie of our name, whatever it is worth.
    pub(crate) fn are_shown(&self, headers: RequestFields<'_>, scheme: Scheme) -> bool {
        self.cookie.values(headers, scheme).next().is_some()
    }

    /// The sessions that a request shows, for whoever ends them.
    pub(crate) fn all<'a>(
        &'a self,
        headers: RequestFields<'a>,
        scheme: Scheme,
    ) -> impl Iterator<Item = Shown> + 'a {
        self.cookie.values(headers, scheme).take(MOST).filter_map(|value| self.shown(value))
    }

    /// What a cookie of our name shows; nothing if it was not made by us.
    fn shown(&self, value: &[u8]) -> Option<Shown> {
        match &self.ring {
            None => Some(Shown::Record(SessionSecret::parse(value)?.id())),
            Some(ring) => Some(Shown::Sealed(ring.open(value)?)),
        }
    }

    /// What a session is worth now. A request that another site may be behind (`foreign`) keeps no session alive.
    pub(crate) fn weigh(&self, session: &Session, foreign: bool, now: Timestamp) -> Standing {
        match self.judge(session, now) {
            Err(fault) => Standing::Fails(fault),
            Ok(()) if self.is_due(session, self.time(now)) && !foreign => Standing::Due,
            Ok(()) => Standing::Holds { until: self.until(session, now) },
        }
    }

    /// Whether a session holds now, and why not. What it was promised once is worth no more than today's settings allow.
    pub(crate) fn judge(&self, session: &Session, now: Timestamp) -> Result<(), SessionFault> {
        let now = self.time(now);
        let (until, ends) = self.bounds(session);
        if session.user.id.is_empty() || ends > now.after(self.lifetime).after(self.lifetime) {
            // No clock is that wrong.
            Err(SessionFault::Cookie)
        } else if now >= ends {
            Err(SessionFault::Ended)
        } else if now >= until {
            Err(SessionFault::Idle)
        } else if !self.spares(&session.id, &session.user.id, session.issued) {
            Err(SessionFault::SignedOut)
        } else {
            Ok(())
        }
    }

    /// When a session ends unless it is renewed, and when it ends whatever happens, by today's settings.
    fn bounds(&self, session: &Session) -> (Timestamp, Timestamp) {
        let ends = session.ends.min(session.issued.after(self.lifetime));
        (session.until.min(session.renewed.after(self.idle)).min(ends), ends)
    }

    /// When a session that holds ends unless it is renewed, by this gate's clock.
    pub(crate) fn until(&self, session: &Session, now: Timestamp) -> Timestamp {
        let (until, _) = self.bounds(session);
        if self.sharing.is_some() { now.after(until.time_left(self.time(now))) } else { until }
    }

    /// Whether it is time to renew a session that holds. One that cannot last any longer is renewed, too, and one from the
    /// future, because a clock was set back: its user is looked up again.
    fn is_due(&self, session: &Session, now: Timestamp) -> bool {
        now < session.renewed || now >= session.renewed.after(self.renew_every)
    }

    /// The session as it goes on from now, with what is known of its user; nothing if its user is not the same any more.
    pub(crate) fn renewed(&self, session: Session, lookup: Lookup, now: Timestamp) -> Option<Session> {
        let (_, ends) = self.bounds(&session);
        let (user, credential) = match lookup {
            Lookup::Gone => return None,
            Lookup::Unknowable => (session.user, session.credential),
            Lookup::Found(account) if account.user.id != session.user.id => return None,
            Lookup::Found(account) if differ(session.credential, account.credential) => return None,
            Lookup::Found(account) => (kept(account.user), account.credential.or(session.credential)),
        };
        let now = self.time(now);
        let until = now.after(self.idle).min(ends);
        Some(Session { user, credential, renewed: now, until, ..session })
    }

    /// A new session of somebody who has just signed in, whose password was asked about when there had been `asked` endings;
    /// nothing if the user's sessions have all been ended since.
    pub(crate) fn start(
        &self,
        account: Account,
        asked: u64,
        secret: &SessionSecret,
        now: Timestamp,
    ) -> Option<Session> {
        let Account { user, credential } = account;
        let user = kept(user);
        let now = self.time(now);
        // Where a store is shared, the moment up to which it has been heard: what ends later ends this session, too.
        let (heard, floor) = {
            let heard = self.heard();
            (heard.told_until(), heard.floor().map(|floor| floor.after(Duration::from_millis(1))))
        };
        let begin = heard.unwrap_or(now);
        let issued = self.endings().issue(&user.id, asked, floor.map_or(begin, |floor| begin.max(floor)))?;
        let ends = now.after(self.lifetime);
        let until = now.after(self.idle).min(ends);
        Some(Session { id: secret.id(), user, credential, issued, renewed: now, until, ends })
    }

    /// The cookie of a new session: sealed, or with the secret that leads to it.
    pub(crate) fn cookie(
        &self,
        session: &Session,
        secret: &SessionSecret,
        scheme: Scheme,
    ) -> Result<HeaderValue, Unavailable> {
        if self.are_sealed() {
            return self.seal(session, secret.bytes(), scheme);
        }
        let cookie = self.cookie.set(&secret.to_text(), scheme);
        cookie.ok_or_else(|| Unavailable::new("the session's cookie cannot be written"))
    }

    /// The cookie of a sealed session.
    pub(crate) fn seal(
        &self,
        session: &Session,
        random: &[u8; 32],
        scheme: Scheme,
    ) -> Result<HeaderValue, Unavailable> {
        let value = self.ring.as_ref().and_then(|ring| ring.seal(session, random));
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

    /// What the store must be asked before any session counts; nothing if what is known is new enough.
    pub(crate) fn news_wanted(&self, now: Timestamp) -> Option<EndingsSince> {
        let stale = self.sharing?.stale;
        let must_ask = self.heard().must_ask(stale, now);
        if must_ask { self.ask_for_news(now) } else { None }
    }

    /// What to ask the store for the newest; nothing if there is none that others share.
    pub(crate) fn ask_for_news(&self, now: Timestamp) -> Option<EndingsSince> {
        self.sharing?;
        Some(EndingsSince { position: self.heard().ask(now), lifetime: self.lifetime })
    }

    /// Takes what the store told when it was asked at the moment `asked`.
    pub(crate) fn hear(&self, news: EndingsNews, asked: Timestamp, now: Timestamp) {
        let EndingsNews { endings, position, more, floor, now: time } = news;
        self.endings().hear(endings, time);
        // Once they are known: whoever finds that the store was heard must find what it told, too.
        let mut heard = self.heard();
        heard.begin_at(floor);
        heard.hear(position, more, time, asked, now);
    }

    /// The time by the clock that sessions live by: the store's where one is shared, since gates' clocks may differ.
    pub(crate) fn time(&self, now: Timestamp) -> Timestamp {
        if self.sharing.is_some() { self.heard().store_time(now) } else { now }
    }

    fn heard(&self) -> MutexGuard<'_, Heard> {
        // Every change of it is whole before anything could panic.
        self.heard.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether others are told what ends here.
    pub(crate) fn are_shared(&self) -> bool {
        self.sharing.is_some()
    }

    /// Whether a stream that was let in may go on: the store has been heard lately enough.
    pub(crate) fn is_in_touch(&self, now: Timestamp) -> bool {
        self.sharing.is_none_or(|sharing| self.heard().within(sharing.grace, now))
    }

    /// Whether sessions are in the cookie itself.
    pub(crate) fn are_sealed(&self) -> bool {
        self.ring.is_some()
    }

    /// The names that the cookie may have.
    pub(crate) fn cookie_names(&self) -> [&str; 2] {
        self.cookie.names()
    }

    /// The `Set-Cookie` that removes the cookie.
    pub(crate) fn removal(&self, scheme: Scheme) -> Option<HeaderValue> {
        self.cookie.remove(scheme)
    }

    /// A `Set-Cookie` beside the removal, so that the back button shows nothing.
    pub(crate) fn farewell(&self, scheme: Scheme) -> Option<HeaderValue> {
        self.cookie.farewell(scheme)
    }

    /// Goes on where others leave off: whatever has ended before its time stays so.
    pub(crate) fn succeed(&mut self, others: &Arc<Mutex<Endings>>) {
        self.endings = Arc::clone(others);
        self.endings().outlive(self.lifetime);
    }

    /// What has ended before its time, to be remembered beyond these rules.
    pub(crate) fn shared_endings(&self) -> Arc<Mutex<Endings>> {
        Arc::clone(&self.endings)
    }

    /// Whether a session of this user, issued then, has not been ended before its time.
    pub(crate) fn spares(&self, id: &SessionId, user: &str, issued: Timestamp) -> bool {
        let is_known = self.heard().reaches(issued);
        is_known && self.endings().spare(id, user, issued)
    }

    /// Ends one session for good.
    pub(crate) fn end(&self, id: SessionId, issued: Timestamp, now: Timestamp) {
        let now = self.time(now);
        self.endings().end(id, issued, now);
    }

    /// Ends all sessions of a user that have begun until the moment `until`.
    pub(crate) fn end_user(&self, user: &str, until: Timestamp, now: Timestamp) {
        let (until, now) = (self.time(until), self.time(now));
        self.endings().end_user(user, until, now);
    }

    /// What has ended before its time.
    pub(crate) fn endings(&self) -> MutexGuard<'_, Endings> {
        // Every change of it is whole before anything could panic.
        self.endings.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What a session keeps of a user.
fn kept(user: User) -> Arc<User> {
    Arc::new(User { claims: None, ..user })
}

/// Whether two credentials are known and not the same. A store that tells none cannot end sessions this way.
fn differ(one: Option<Fingerprint>, other: Option<Fingerprint>) -> bool {
    one.zip(other).is_some_and(|(one, other)| one != other)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Sessions;
    use crate::session::tests::session;

    fn rules() -> SessionRules {
        Sessions::records().prepare("dashboard", None).unwrap()
    }

    #[test]
    fn t24_a_session_may_be_from_a_clock_that_is_ahead_by_its_whole_lifetime_and_no_more() {
        let (rules, session) = (rules(), session("ada"));
        let earliest = session.ends.before(2 * rules.lifetime);
        assert_eq!(rules.judge(&session, earliest), Ok(()));
        let before = earliest.before(Duration::from_millis(1));
        assert_eq!(rules.judge(&session, before), Err(SessionFault::Cookie));
    }

    #[test]
    fn a_renewed_session_knows_the_credential_that_either_of_them_knew() {
        let (rules, now) = (rules(), Timestamp::from_secs(1100));
        let hash = Some(Fingerprint::of("hash"));
        for (kept, found, renewed) in
            [(hash, None, hash), (None, hash, hash), (hash, hash, hash), (None, None, None)]
        {
            let session = Session { credential: kept, ..session("ada") };
            let account = Account { user: (*session.user).clone(), credential: found };
            let session = rules.renewed(session, Lookup::Found(account), now).unwrap();
            assert_eq!(session.credential, renewed);
        }
        let other = Account { user: User::new("ada"), credential: Some(Fingerprint::of("another")) };
        assert!(rules.renewed(session("ada"), Lookup::Found(other), now).is_none());
    }
}
