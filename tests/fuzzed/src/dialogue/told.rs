//! What must hold at the end of a request, and what it changes for those that come after.

use authgate_core::{Admission, CrossSite, Decision, Head, Mount, Reason};
use http::{HeaderName, HeaderValue, header};

use super::request::Request;
use super::setting::Kept;
use super::{Course, Talk};
use crate::readings::{below, climbs};
use crate::replies::{self, stays};

impl Talk {
    pub(super) fn check_end(&self, request: &Request, head: &Head<'_>, course: &Course, decision: &Decision) {
        let event = decision.event();
        match decision {
            Decision::Forward(admission) => {
                assert!(!self.setting.forward_auth || event.reason == Reason::Login);
                assert_eq!(admission.user.is_some(), event.reason == Reason::SignedIn);
                assert!(admission.until.is_none_or(|until| until > self.now()), "{admission:?}");
                self.check_place(head.path(), admission, event.reason);
                self.check_passed_on(request, admission);
            }
            Decision::Respond(reply) => {
                replies::check(reply, &Mount::parse("/ops").unwrap());
                let lets_in = matches!(event.reason, Reason::SignedIn | Reason::Public | Reason::Network);
                assert!(!lets_in || (self.setting.forward_auth && reply.status() == 204), "{reply:?}");
                if event.reason == Reason::SignIn {
                    assert_eq!(course.accepted.as_deref(), event.user);
                    assert!(self.setting.sessions != Kept::Records || course.created.is_some());
                    assert!(!(course.outdated && event.user == Some("ada")), "signed out while signing in");
                }
            }
            Decision::Delegate(page) => {
                assert_eq!(page.backend, "directory");
                assert!(
                    stays(page.next().as_str(), "/ops") && stays(page.login().as_str(), "/ops"),
                    "{page:?}"
                );
            }
        }
        if event.reason == Reason::SignedIn {
            let user = event.user.expect("somebody");
            assert!(!user.is_empty() && self.is_proved(request, course, user), "{user:?} has proved nothing");
            self.check_cross_site(request, user);
        }
    }

    /// Whether a token, an answer or a session that is not over says that this is `user`.
    fn is_proved(&self, request: &Request, course: &Course, user: &str) -> bool {
        let shown = request.shown.iter().map(|shown| shown.visit);
        let mut visits: Vec<_> = match self.setting.sessions {
            Kept::Records => course.loaded.clone(),
            Kept::Sealed => shown.collect(),
            Kept::Nowhere => Vec::new(),
        };
        visits.retain(|_| !course.renewal_failed);
        course.proved.iter().any(|proved| proved == user)
            || visits.into_iter().any(|visit| self.jar.user(visit) == Some(user))
    }

    /// Only what may be seen by whoever was let in.
    fn check_place(&self, path: &str, admission: &Admission, reason: Reason) {
        let place = below(path, "/ops").expect("below the mount");
        match reason {
            Reason::Public => assert!(place == "/healthz" || below(place, "/static").is_some(), "{path}"),
            Reason::Network => assert!(self.setting.rules && below(place, "/probe").is_some(), "{path}"),
            Reason::SignedIn => {}
            other => panic!("nobody is let in because of {other:?}"),
        }
        // Whoever is known may ask for any path, unless rules depend on what it names.
        let is_judged = self.setting.rules || reason != Reason::SignedIn;
        assert!(!is_judged || !path.split('/').any(|segment| climbs(segment.as_bytes())), "{path}");
        let is_admin = admission.user.as_ref().is_some_and(|user| user.is_admin);
        assert!(!self.setting.rules || is_admin || below(place, "/secret").is_none(), "{path}");
    }

    /// Whoever acts by a proof that browsers attach by themselves acts from our own pages.
    fn check_cross_site(&self, request: &Request, user: &str) {
        let is_safe = matches!(request.method, "GET" | "HEAD" | "OPTIONS");
        let is_guarded = self.setting.cross_site != CrossSite::Allowed && !self.setting.forward_auth;
        if is_safe || !is_guarded || request.tokens.contains(&user) {
            return;
        }
        let is_ours =
            request.has("sec-fetch-site", "same-origin") || request.has("origin", "http://dash.example");
        assert!(is_ours && !request.has("sec-fetch-site", "cross-site"), "another site acts for {user}");
    }

    /// The server behind learns who it is from the gate alone.
    fn check_passed_on(&self, request: &Request, admission: &Admission) {
        let mut sent = http::Request::get("/ops/x");
        for (name, value) in &request.fields {
            let Ok(value) = HeaderValue::from_str(value) else { return };
            sent = sent.header(*name, value);
        }
        let (mut parts, ()) = sent.body(()).unwrap().into_parts();
        admission.pass_on(&mut parts);
        let user = HeaderName::from_static("x-auth-user");
        let named: Vec<_> =
            parts.headers.get_all(&user).iter().map(|value| value.to_str().unwrap()).collect();
        if self.setting.upstream {
            let known: Vec<_> = admission.user.iter().map(|user| user.id.as_str()).collect();
            assert_eq!(named, known);
            assert!(!parts.headers.contains_key(header::AUTHORIZATION));
            let cookies = parts.headers.get_all(header::COOKIE);
            assert!(!cookies.iter().any(|cookies| cookies.to_str().unwrap().contains("authgate=")));
        }
        assert!(!parts.headers.contains_key("x_auth_user") || !self.setting.upstream);
    }

    /// What the visitor has now, and what is over.
    pub(super) fn note(&mut self, request: &Request, course: &Course, decision: &Decision) {
        let fields: Vec<_> = match decision {
            Decision::Forward(admission) => admission.response_fields().appended().collect(),
            Decision::Respond(reply) => reply.headers().to_vec(),
            Decision::Delegate(_) => return,
        };
        let cookies = fields.iter().filter(|(name, _)| *name == header::SET_COOKIE).map(|(_, value)| value);
        let reason = decision.event().reason;
        for cookie in cookies.map(|cookie| cookie.to_str().unwrap()) {
            let pair = cookie.split(';').next().unwrap();
            let name = pair.split('=').next().unwrap();
            if name.ends_with("-left") {
                continue;
            }
            let shown: Vec<_> = request.shown.iter().filter(|shown| shown.name() == name).collect();
            if matches!(reason, Reason::SignIn | Reason::SignOut) {
                match self.setting.sessions {
                    Kept::Records => course.loaded.iter().for_each(|visit| self.jar.end(*visit)),
                    _ => shown.iter().for_each(|shown| self.jar.end(shown.visit)),
                }
            }
            if cookie.contains("; Max-Age=0") {
                assert!(pair.ends_with('='), "{cookie}");
            } else if let (Reason::SignIn, Some(user)) = (reason, &course.accepted) {
                let visit = self.jar.begin(user, course.created);
                self.jar.keep(pair, visit);
                if course.ended_at_once && user == "ada" {
                    self.jar.end(visit);
                }
            } else {
                let [shown] = shown[..] else { panic!("a cookie out of nowhere: {cookie}") };
                let visit = shown.visit;
                self.jar.keep(pair, visit);
            }
        }
    }
}
