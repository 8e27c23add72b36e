//! A person with a browser's habits.

use std::sync::Arc;

use authgate_core::{Decision, Head, HeaderView, Kind, Lease, LoginForm, Peer, Scheme, Sessions, Step, User};
use http::Response;

use crate::world::{Clock, World, gate};

/// What a browser says of a form on our own page.
pub(crate) const FORM: [(&str, &str); 2] =
    [("content-type", "application/x-www-form-urlencoded"), ("sec-fetch-site", "same-origin")];

/// Who asks, told by its header fields.
pub(crate) const HTMX: (&str, &str) = ("hx-request", "true");
pub(crate) const API: (&str, &str) = ("accept", "application/json");

/// Somebody with a browser.
pub(crate) struct Visitor {
    pub(crate) world: World,
    pub(crate) clock: Clock,
    /// The cookie that the browser keeps, name and value.
    pub(crate) cookie: Option<String>,
    pub(crate) address: Peer,
    pub(crate) scheme: Scheme,
    /// What the browser says besides.
    pub(crate) headers: Vec<(&'static str, String)>,
}

/// An answer, and what the log says of it.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) headers: http::HeaderMap,
    pub(crate) body: String,
    pub(crate) form: Option<LoginForm>,
    pub(crate) reason: &'static str,
    pub(crate) detail: String,
    pub(crate) user: Option<String>,
    pub(crate) client: Peer,
    pub(crate) kind: Kind,
    /// Who was let through, if somebody was.
    pub(crate) admitted: Option<Arc<User>>,
    pub(crate) lease: Option<Lease>,
}

impl Visitor {
    /// Somebody before a gate under `/ops`.
    pub(crate) fn new(sessions: Sessions) -> Self {
        World::new(gate(sessions)).visitor()
    }

    /// Somebody who asks with these fields, too.
    pub(crate) fn with(mut self, (name, value): (&'static str, &str)) -> Self {
        self.headers.push((name, value.to_owned()));
        self
    }

    pub(crate) fn at(mut self, address: [u8; 4]) -> Self {
        self.address = std::net::IpAddr::from(address).into();
        self
    }

    /// Another window of the same browser.
    pub(crate) fn twin(&self) -> Self {
        let (world, clock, headers) = (self.world.clone(), self.clock.clone(), self.headers.clone());
        Self { world, clock, headers, cookie: self.cookie.clone(), ..*self }
    }

    pub(crate) fn get(&mut self, target: &str) -> Answer {
        self.send("GET", target, &[], b"")
    }

    /// Posts a form, as our own page would.
    pub(crate) fn post(&mut self, target: &str, form: &[(&str, &str)]) -> Answer {
        self.send("POST", target, &FORM, encode(form).as_bytes())
    }

    pub(crate) fn try_to_sign_in(&mut self, username: &str, password: &str) -> Answer {
        self.post("/ops/login", &[("username", username), ("password", password)])
    }

    /// Signs in, and must succeed.
    pub(crate) fn sign_in(&mut self, username: &str, password: &str) {
        let answer = self.try_to_sign_in(username, password);
        assert_eq!((answer.status, answer.reason), (303, "sign-in"), "{answer:?}");
        assert!(self.cookie.is_some());
    }

    /// Who is let through to the dashboard, if anybody is.
    pub(crate) fn who(&mut self) -> Option<String> {
        self.get("/ops/queues").admitted.map(|user| user.id.to_string())
    }

    pub(crate) fn send(
        &mut self,
        method: &str,
        target: &str,
        fields: &[(&str, &str)],
        body: &[u8],
    ) -> Answer {
        let step = self.begin(method, target, fields);
        self.receive(self.world.drive(step, body))
    }

    /// Sends a request that is to be driven by hand.
    pub(crate) fn begin(&self, method: &str, target: &str, fields: &[(&str, &str)]) -> Step {
        let mut pairs: Vec<(&[u8], &[u8])> = vec![(b"host", b"dash.example")];
        pairs.extend(self.cookie.iter().map(|cookie| (&b"cookie"[..], cookie.as_bytes())));
        pairs.extend(self.headers.iter().map(|(name, value)| (name.as_bytes(), value.as_bytes())));
        pairs.extend(fields.iter().map(|(name, value)| (name.as_bytes(), value.as_bytes())));
        let head = Head::new(method, target, HeaderView::Pairs(&pairs));
        self.world.gate.begin(&head.from_peer(self.address).over(self.scheme), self.clock.now())
    }

    /// Reads the answer and keeps its cookie.
    pub(crate) fn receive(&mut self, decision: Decision) -> Answer {
        let answer = Answer::of(decision);
        let set = answer.headers.get_all("set-cookie").iter().map(|field| field.to_str().unwrap());
        let (farewells, set): (Vec<_>, Vec<_>) = set.partition(|field| field.contains("-left=1"));
        assert!(set.len() <= 1 && farewells.len() <= 1, "one cookie of a name: {set:?}");
        // A second cookie changes when somebody signs out, so that browsers keep no page for the back button.
        assert!(farewells.is_empty() || matches!(answer.reason, "sign-out" | "logout"), "{answer:?}");
        if let Some(field) = set.first() {
            let pair = field.split(';').next().unwrap().to_owned();
            self.cookie = (!field.contains("Max-Age=0")).then_some(pair);
        }
        answer
    }
}

impl Answer {
    fn of(decision: Decision) -> Self {
        let event = decision.event();
        let (reason, detail, user) =
            (event.reason.slug(), event.detail.to_string(), event.user.map(str::to_owned));
        let (client, kind) = (event.client, event.kind);
        let (mut form, mut admitted, mut lease) = (None, None, None);
        let response = match decision {
            Decision::Respond(reply) => {
                form = reply.login_form().cloned();
                Response::from(reply)
            }
            Decision::Forward(admission) => {
                let mut response = Response::new("the dashboard".into());
                response.headers_mut().insert("cache-control", "public".parse().unwrap());
                admission.response_fields().apply(response.headers_mut());
                lease = Some(admission.lease());
                admitted = admission.user;
                response
            }
            Decision::Delegate(_) => panic!("no backend here has pages of its own"),
        };
        let (parts, body) = response.into_parts();
        let body = String::from_utf8(body.to_vec()).unwrap();
        let (status, headers) = (parts.status.as_u16(), parts.headers);
        Self { status, headers, body, form, reason, detail, user, client, kind, admitted, lease }
    }

    /// The first field of this name, or nothing.
    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().unwrap())
    }

    pub(crate) fn location(&self) -> &str {
        self.header("location")
    }

    /// Whether the answer takes the cookie away.
    pub(crate) fn removes_cookie(&self) -> bool {
        self.header("set-cookie").contains("=; ") && self.header("set-cookie").ends_with("; Max-Age=0")
    }

    /// The value of the form field, or of the attribute, of this name.
    pub(crate) fn field(&self, name: &str) -> String {
        let input = self.body.split('<').find(|tag| tag.contains(&format!("name=\"{name}\"")));
        let (tag, attribute) = input.map_or((self.body.as_str(), name), |input| (input, "value"));
        let rest = tag.split_once(&format!(" {attribute}=\"")).map_or("", |(_, rest)| rest);
        rest.split('"').next().unwrap().replace("&amp;", "&")
    }
}

pub(crate) fn encode(form: &[(&str, &str)]) -> String {
    form_urlencoded::Serializer::new(String::new()).extend_pairs(form).finish()
}
