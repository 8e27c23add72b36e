//! The ways a request can take. Nothing else makes a [`Step`].

mod addresses;
mod admit;
mod charge;
mod check;
mod hear;
mod held;
mod leave;
mod login;
mod logout;
mod refuse;
mod sign_in;
mod visit;

use self::check::Check;
pub(crate) use self::refuse::Asker;
use self::visit::Visit;
use crate::decision::{Decision, DelegatedPage, Delegation, Links};
use crate::event::Reason;
use crate::{Denial, Gate, Head, Step, Timestamp};

/// Where a request goes: nowhere, to the login or logout page, to a backend's own page, or through the gate.
pub(crate) fn begin(gate: &Gate, head: &Head<'_>, now: Timestamp) -> Step {
    let mut visit = Visit::new(gate, head);
    if let Err(denial) = visit.examine() {
        return visit.refuse(denial);
    }
    let settings = gate.settings();
    let Some(path) = visit.path else { return visit.refuse(Denial::OutsideMount) };
    if path == settings.login_path {
        login::login(&visit)
    } else if path == settings.logout_path {
        logout::logout(&visit, now)
    } else if settings.forward_auth {
        match Check::at(path) {
            Some(question) => check::begin(&visit, question, now),
            None => visit.refuse(Denial::OutsideMount),
        }
    } else if let Some(route) = settings.routes.iter().find(|route| route.path == path) {
        delegate(&visit, route.backend, DelegatedPage::Route, Reason::Route)
    } else {
        ordinary(&visit, now)
    }
}

/// A path that is the dashboard's.
fn ordinary(visit: &Visit<'_>, now: Timestamp) -> Step {
    let settings = visit.gate.settings();
    if visit.path.is_some_and(|path| settings.public.contains(path)) {
        visit.admit_anybody()
    } else {
        admit::begin(visit, now)
    }
}

fn delegate(visit: &Visit<'_>, backend: &'static str, page: DelegatedPage, reason: Reason) -> Step {
    let otherwise = visit.refusal(Denial::Unavailable);
    let next = visit.asked_next();
    let links = Links { login: visit.login().with_next(next.as_ref()), home: visit.home(), next };
    let identity = visit.gate.settings().identity.clone();
    let path = visit.path.unwrap_or("/").to_owned();
    let delegation = Delegation { backend, page, path, links, identity, note: visit.note(reason), otherwise };
    Decision::Delegate(Box::new(delegation)).into()
}

#[cfg(test)]
mod tests {
    use crate::{Decision, Gate, Head, HeaderView, JwtBackend, Key, Step, Timestamp};

    #[test]
    fn t08_a_websocket_whose_upgrade_the_server_consumed_is_refused_like_any_other() {
        let backend = JwtBackend::builder().key(Key::secret([7; 32]).unwrap()).build().unwrap();
        let gate = Gate::builder(backend).build().unwrap();
        let head = Head::new("GET", "/ws", HeaderView::Pairs(&[(b"accept", b"text/html")]));
        for (head, status) in [(head, 303), (head.as_websocket(), 401)] {
            let Step::Done(Decision::Respond(reply)) = gate.begin(&head, Timestamp::from_secs(0)) else {
                panic!("nobody is let in");
            };
            assert_eq!(reply.status(), status);
        }
    }

    #[test]
    fn t04_a_prefix_that_is_no_path_is_refused_and_never_echoed() {
        let backend = JwtBackend::builder().key(Key::secret([7; 32]).unwrap()).build().unwrap();
        let gate = Gate::builder(backend).mount("/ops").build().unwrap();
        for (prefix, status) in
            [("//evil.example", 400), ("evil", 400), ("/a/../b", 400), ("/team/", 303), ("", 303)]
        {
            let head = Head::new("GET", "/ops/queues", HeaderView::Pairs(&[])).below(prefix);
            let Step::Done(Decision::Respond(reply)) = gate.begin(&head, Timestamp::from_secs(0)) else {
                panic!("nobody is let in");
            };
            assert_eq!(reply.status(), status, "{prefix}");
            assert!(!format!("{reply:?}").contains("evil"), "{prefix}");
        }
    }

    #[test]
    fn an_answer_to_head_has_no_body_and_says_so() {
        let backend = JwtBackend::builder().key(Key::secret([7; 32]).unwrap()).build().unwrap();
        let gate = Gate::builder(backend).build().unwrap();
        for (method, bodiless) in [("GET", false), ("HEAD", true)] {
            let head = Head::new(method, "/login", HeaderView::Pairs(&[]));
            let Step::Done(Decision::Respond(reply)) = gate.begin(&head, Timestamp::from_secs(0)) else {
                panic!("there is a login page");
            };
            assert_eq!((reply.is_bodiless(), reply.body().is_empty()), (bodiless, bodiless));
        }
    }

    #[test]
    fn t04_a_page_that_refuses_a_bad_head_leads_home_below_the_prefix() {
        let backend = JwtBackend::builder().key(Key::secret([7; 32]).unwrap()).build().unwrap();
        let gate = Gate::builder(backend).mount("/ops").build().unwrap();
        let head = Head::new("G T", "/ops/queues", HeaderView::Pairs(&[])).below("/team");
        let Step::Done(Decision::Respond(reply)) = gate.begin(&head, Timestamp::from_secs(0)) else {
            panic!("nobody is let in");
        };
        let html = std::str::from_utf8(reply.body()).unwrap();
        assert!(html.contains("href=\"/team/ops/\""), "{html}");
    }
}
