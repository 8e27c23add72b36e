//! A person signs in: the form, what was typed into it, and the session that comes of it.
//!
//! ```text
//! POST ─► ReadBody ─► throttle ─► CheckPassword ─► DrawBytes ─► LoadSession, DropSession ─► CreateSession ─► 303
//!            │400/413     │429          │401/503                 (an old one, if shown)       (records only)
//! ```
//!
//! Where gates share a store, `HearEndings` comes before the throttle and again before `DrawBytes`; the throttle is
//! `LoadCounts` and `SwapCounts`, which come once more after `CheckPassword`, to give the charge back; and an old sealed
//! session is told by `DropSession`, without `LoadSession`.

use std::time::Duration;

use http::header::RETRY_AFTER;
use http::{HeaderValue, StatusCode};
use smol_str::SmolStr;

use super::charge::{Try, refund};
use super::hear::hear_all;
use super::leave::Leaving;
use super::refuse::Asker;
use super::visit::Visit;
use crate::account::{Account, Verdict};
use crate::event::{Details, Reason};
use crate::form::{self, FormError, LoginFields};
use crate::local_path::LocalPath;
use crate::page::{LoginError, LoginForm};
use crate::reply::Reply;
use crate::session::{SessionRules, SessionSecret, Shown};
use crate::step::Then;
use crate::throttle::Charge;
use crate::{Body, BodyError, Credentials, Decision, Denial, Gate, Kind, Session, Step, Timestamp};
use crate::{Unavailable, step};

/// How much of a username the log keeps, in characters.
const LOGGED_NAME: usize = 128;

/// The form, empty.
pub(super) fn form(visit: &Visit<'_>) -> Step {
    let attempt = Attempt::of(visit);
    let pages = &visit.gate.settings().pages;
    let form = attempt.form(None);
    let note = visit.note(Reason::Login);
    let reply = Reply::page(StatusCode::OK, pages.login_form(&form), pages.policy(), note);
    attempt.asker.respond(reply.with_form(form))
}

/// Somebody has filled it in.
pub(super) fn begin(visit: &Visit<'_>) -> Step {
    if let Err(error) = LoginFields::expect(visit.head.headers) {
        return visit.refuse(Denial::BadForm(error));
    }
    let mut attempt = Attempt::of(visit);
    if let Some(sessions) = &visit.gate.settings().sessions {
        attempt.asker.fields.touch();
        attempt.old = sessions.all(visit.head.headers, visit.scheme).collect();
    }
    Step::ReadBody(form::LIMIT, Then::new(move |body, now| attempt.read(body, now)))
}

/// One try to sign in: everything that is needed until its end, nothing borrowed.
struct Attempt {
    gate: Gate,
    asker: Asker,
    next: Option<LocalPath>,
    username: String,
    /// The sessions that the browser still has, as a rule one at most: they end as the new one begins.
    old: Vec<Shown>,
    /// How many times all sessions of somebody had been ended when the password was asked about.
    endings: u64,
}

impl Attempt {
    fn of(visit: &Visit<'_>) -> Self {
        Self {
            gate: visit.gate.clone(),
            asker: visit.asker(),
            next: visit.asked_next(),
            username: String::new(),
            old: Vec::new(),
            endings: 0,
        }
    }

    fn read(mut self, body: Result<Body, BodyError>, now: Timestamp) -> Step {
        let fields = body.map_err(FormError::Body).and_then(|body| LoginFields::parse(&body));
        let mut fields = match fields {
            Ok(fields) => fields,
            Err(error) => return self.refuse(Denial::BadForm(error), Details::default()),
        };
        if let Some(next) = &fields.next {
            self.next = self.gate.settings().next(&self.asker.mount, next.as_str());
        }
        let credentials = fields.credentials();
        self.username = fields.username;
        let credentials = match credentials {
            Ok(credentials) => credentials,
            Err(why) => return self.again(Denial::WrongPassword, Some(why.to_owned()), LoginError::Wrong),
        };
        // Whoever could not be given a session anyway need not type a password for it.
        hear_all(self.gate.clone(), now, move |heard, now| match heard {
            Err(why) => self.unavailable(&why),
            Ok(()) => self.charge(credentials, now),
        })
    }

    fn charge(self, credentials: Credentials, now: Timestamp) -> Step {
        let gate = self.gate.clone();
        let attempt = Try { gate, client: self.asker.client, username: credentials.username.clone() };
        attempt.charge(now, move |charged, _| match charged {
            Err(wait) => self.again(Denial::Throttled, None, LoginError::Throttled { wait }),
            Ok(charge) => self.check(credentials, charge),
        })
    }

    fn check(mut self, credentials: Credentials, charge: Charge) -> Step {
        if let Some(sessions) = &self.gate.settings().sessions {
            self.endings = sessions.endings().count();
        }
        Step::CheckPassword(credentials, Then::new(move |verdict, now| self.checked(verdict, charge, now)))
    }

    /// A charge that is not given back stays.
    fn checked(self, verdict: Result<Verdict, Unavailable>, charge: Charge, now: Timestamp) -> Step {
        match verdict {
            Err(why) => self.unavailable(&why),
            Ok(Verdict::Rejected) => self.again(Denial::WrongPassword, None, LoginError::Wrong),
            Ok(Verdict::Accepted(account)) if account.user.id.is_empty() => {
                self.unavailable(&Unavailable::new("the user whose password it is has no id"))
            }
            Ok(Verdict::Accepted(account)) => {
                refund(self.gate.clone(), charge, now, move |now| self.begin_session(account, now))
            }
        }
    }

    /// All that has ended until now is known first: a session that begins must not be one of those.
    fn begin_session(self, account: Account, now: Timestamp) -> Step {
        if self.gate.settings().sessions.is_none() {
            return self.done(account.user.id, None);
        }
        hear_all(self.gate.clone(), now, move |heard, _| match heard {
            Err(why) => self.unavailable(&why),
            Ok(()) => Step::DrawBytes(Then::new(move |random, now| self.drawn(account, random, now))),
        })
    }

    fn drawn(self, account: Account, random: Result<[u8; 32], Unavailable>, now: Timestamp) -> Step {
        let gate = self.gate.clone();
        let Some(sessions) = &gate.settings().sessions else {
            return self.unavailable(&Unavailable::new("this gate keeps no sessions"));
        };
        let secret = match random {
            Ok(random) => SessionSecret::new(random),
            Err(why) => return self.unavailable(&why),
        };
        let Some(session) = sessions.start(account, self.endings, &secret, now) else {
            let why = "the user's sessions were all ended while the password was checked";
            return self.unavailable(&Unavailable::new(why));
        };
        match sessions.cookie(&session, &secret, self.asker.scheme) {
            Err(why) => self.unavailable(&why),
            Ok(cookie) => self.replace_old(New { session, cookie }, now),
        }
    }

    /// Old sessions go before the new one comes (t25).
    fn replace_old(mut self, new: New, now: Timestamp) -> Step {
        let old = std::mem::take(&mut self.old);
        Leaving::begin(self.gate.clone(), old, now, move |ended, _| match ended {
            Err(why) => self.unavailable(&why),
            Ok(_) => self.keep(new),
        })
    }

    fn keep(self, New { session, cookie }: New) -> Step {
        let user = session.user.id.clone();
        if self.gate.settings().sessions.as_ref().is_some_and(SessionRules::are_sealed) {
            return self.done(user, Some(cookie));
        }
        let then = Then::new(move |answer, _| match answer {
            Err(why) => self.unavailable(&why),
            Ok(false) => self.unavailable(&Unavailable::new("the store has a session of this id already")),
            Ok(true) => self.done(user, Some(cookie)),
        });
        Step::CreateSession(session.id, session, then)
    }

    /// Without a cookie where the host keeps the sign-in.
    fn done(mut self, user: SmolStr, cookie: Option<HeaderValue>) -> Step {
        if cookie.is_some() {
            self.asker.fields.set_cookie(cookie);
        }
        let note = self.asker.note_with(Reason::SignIn, Details::of_user(Some(user)));
        let next = self.next.take().unwrap_or_else(|| LocalPath::home(&self.asker.mount));
        self.asker.respond(match self.asker.kind {
            Kind::Htmx => Reply::empty(StatusCode::NO_CONTENT, note).with_hx_redirect(next),
            _ => Reply::see_other(next, note),
        })
    }

    fn unavailable(self, why: &Unavailable) -> Step {
        self.again(Denial::Unavailable, Some(why.to_string()), LoginError::CannotCheck)
    }

    /// The form once more, with the username and the way back, and without the password (t07).
    fn again(self, denial: Denial, why: Option<String>, error: LoginError) -> Step {
        let user = Some(step::one_line(&self.username).chars().take(LOGGED_NAME).collect());
        let settings = self.gate.settings();
        let (status, text) = (denial.answer().status, denial.answer().text);
        let note = self.asker.note_with(Reason::Denied(denial), Details { why, ..Details::of_user(user) });
        let mut reply = match self.asker.kind {
            Kind::Htmx if status == StatusCode::UNAUTHORIZED => {
                let form = LoginForm { fragment: true, ..self.form(Some(error)) };
                Reply::page(status, settings.pages.login_fragment(&form), settings.pages.policy(), note)
                    .with_form(form)
            }
            Kind::Page => {
                let form = self.form(Some(error));
                Reply::page(status, settings.pages.login_form(&form), settings.pages.policy(), note)
                    .with_form(form)
            }
            _ => Reply::text(status, text, note),
        };
        if status == StatusCode::UNAUTHORIZED {
            reply = reply.with_challenges(&settings.challenges);
        }
        if let LoginError::Throttled { wait } = error {
            reply = reply.with(RETRY_AFTER, seconds(wait));
        }
        self.asker.respond(reply)
    }

    fn refuse(self, denial: Denial, details: Details) -> Step {
        let settings = self.gate.settings();
        let login = || settings.login(&self.asker.mount);
        Decision::Respond(self.asker.refuse(settings, denial, details, login)).into()
    }

    fn form(&self, error: Option<LoginError>) -> LoginForm {
        LoginForm {
            action: self.gate.settings().login(&self.asker.mount),
            next: self.next.clone(),
            username: self.username.clone(),
            error,
            fragment: false,
        }
    }
}

/// A session that begins, and its cookie.
struct New {
    session: Session,
    cookie: HeaderValue,
}

fn seconds(span: Duration) -> HeaderValue {
    HeaderValue::from(span.as_secs().max(1))
}
