use std::borrow::Cow;
use std::sync::Arc;

use http::header::{HeaderName, HeaderValue};

use super::check::Check;
use super::refuse::Asker;
use crate::cross_site::{CrossSite, is_foreign, is_silent};
use crate::decision::Decision;
use crate::event::{Details, Note, Reason};
use crate::field_names::{FieldName, HX_CURRENT_URL, REFERER};
use crate::head::HeadError;
use crate::local_path::LocalPath;
use crate::mount::{Mount, below};
use crate::origin::{Authority, Origin};
use crate::reply::Reply;
use crate::response_fields::ResponseFields;
use crate::rules::Demand;
use crate::upstream::ForwardedTo;
use crate::{Admission, Denial, Gate, Head, Kind, Peer, Scheme, Step};

/// A request as the gate sees it: what asked, from where, for what below which mount.
#[derive(Clone)]
pub(super) struct Visit<'a> {
    pub(super) gate: &'a Gate,
    pub(super) head: &'a Head<'a>,
    pub(super) kind: Kind,
    client: Peer,
    /// Where the client is, for whatever depends on that: unknown if somebody stands between us of whom nobody has told us.
    pub(super) place: Peer,
    /// How the browser sees the request arrive.
    pub(super) scheme: Scheme,
    /// Our own origin, as the browser sees it.
    origin: Option<Origin<'a>>,
    /// The host application's prefix and the gate's mount.
    pub(super) mount: Cow<'a, Mount>,
    /// The path below the mount, or nothing if it is elsewhere.
    pub(super) path: Option<&'a str>,
    /// A proxy asks about the request, and will pass it on itself.
    pub(super) check: Option<Check>,
}

impl<'a> Visit<'a> {
    /// What is known before the head has been examined: enough to refuse it.
    pub(super) fn new(gate: &'a Gate, head: &'a Head<'a>) -> Self {
        Self {
            gate,
            head,
            kind: if head.websocket { Kind::WebSocket } else { Kind::of(head.headers) },
            client: head.peer,
            place: head.peer,
            scheme: head.scheme,
            origin: None,
            mount: Cow::Borrowed(&gate.settings().mount),
            path: None,
            check: None,
        }
    }

    /// Examines the head: what no honest client sends is refused, and the rest is read once.
    pub(super) fn examine(&mut self) -> Result<(), Denial> {
        let (settings, head) = (self.gate.settings(), self.head);
        // First, since a page that refuses the rest has links, too.
        if !head.prefix.is_empty() {
            self.mount = Cow::Owned(settings.mount.inside(head.prefix).ok_or(HeadError::Prefix)?);
        }
        head.check(&settings.limits)?;
        let forwarded = settings.proxies.resolve(head.peer, head.headers);
        self.client = forwarded.client;
        self.place = forwarded.place(head.headers);
        if !settings.allowed_networks.is_empty() && !settings.allowed_networks.contain(self.place) {
            return Err(Denial::ForeignNetwork);
        }
        let named = head.host()?;
        let authority = match forwarded.host {
            Some(host) => Some(Authority::parse(host).ok_or(HeadError::Host)?),
            None => named,
        };
        let authority = authority.map(|authority| authority.or_port(forwarded.port));
        self.scheme = forwarded.scheme.unwrap_or(head.scheme);
        if !settings.allowed_hosts.contain(authority, self.scheme) {
            return Err(HeadError::ForeignHost.into());
        }
        if settings.require_tls && self.scheme == Scheme::Http && !self.place.is_this_machine() {
            return Err(Denial::PlainHttp);
        }
        self.origin = authority.map(|authority| Origin::new(self.scheme, authority));
        self.path = below(head.path, settings.mount.as_str());
        Ok(())
    }

    /// Whether another site may be behind a request that must not be another site's.
    pub(super) fn is_foreign(&self) -> bool {
        self.gate.settings().cross_site != CrossSite::Allowed && is_foreign(self.head.headers, self.origin)
    }

    /// The same for a post that signs in or out.
    pub(super) fn is_foreign_sign_in(&self) -> bool {
        let silence_passes = self.gate.settings().cross_site == CrossSite::SilentSignIn;
        self.is_foreign() && !(silence_passes && is_silent(self.head.headers))
    }

    /// The login page's address.
    pub(super) fn login(&self) -> LocalPath {
        self.gate.settings().login(&self.mount)
    }

    /// The login page's address, leading back to the page that the person sees.
    pub(super) fn login_and_back(&self) -> LocalPath {
        let next = match self.kind {
            Kind::Page if self.head.is_safe() => self.next(self.target()),
            Kind::Page => self.own_page(&REFERER).and_then(|page| self.next(page)),
            Kind::Htmx => self.own_page(&HX_CURRENT_URL).and_then(|page| self.next(page)),
            Kind::Api | Kind::WebSocket => None,
        };
        self.login().with_next(next.as_ref())
    }

    pub(super) fn home(&self) -> LocalPath {
        LocalPath::home(&self.mount)
    }

    pub(super) fn note(&self, reason: Reason) -> Note {
        let mut note = Note::plain(self.kind, self.client, reason);
        if let Some(about) = self.about() {
            note.details().about = Some(about);
        }
        note
    }

    /// What a proxy asks about, if one does.
    fn about(&self) -> Option<Arc<(String, String)>> {
        self.check.map(|_| Arc::new((self.head.method.to_owned(), self.head.path.to_owned())))
    }

    pub(super) fn refuse(&self, denial: Denial) -> Step {
        Decision::Respond(self.refusal(denial)).into()
    }

    pub(super) fn refusal(&self, denial: Denial) -> Reply {
        self.refusal_because(denial, Details::default())
    }

    pub(super) fn refusal_because(&self, denial: Denial, details: Details) -> Reply {
        self.asker().refuse(self.gate.settings(), denial, details, || self.login_and_back())
    }

    pub(super) fn asker(&self) -> Asker {
        Asker {
            kind: self.kind,
            client: self.client,
            place: self.place,
            scheme: self.scheme,
            mount: self.mount.clone().into_owned(),
            bodiless: self.head.method == "HEAD",
            fields: ResponseFields::default(),
            told: self.told(),
            check: self.check,
            about: self.about(),
        }
    }

    /// What the rules demand of the sender, where there are any.
    pub(super) fn demand(&self) -> Option<Demand> {
        let rules = self.gate.settings().rules.as_ref()?;
        Some(rules.demand(self.kind, self.head.method, self.path?))
    }

    /// Leave for whoever it is.
    pub(super) fn admission(&self, reason: Reason) -> Admission {
        Admission::new(self.gate, self.note(reason), || self.asker())
    }

    /// The end for whoever may pass. Most requests simply go on, and nothing of them is kept.
    pub(super) fn let_in(&self, admission: Admission) -> Step {
        if self.check.is_some() { self.asker().let_in(admission) } else { admission.into() }
    }

    pub(super) fn admit_anybody(&self) -> Step {
        self.let_in(self.admission(Reason::Public))
    }

    /// What another server behind the gate, or the proxy that asks, is told about the request.
    fn told(&self) -> Vec<(HeaderName, HeaderValue)> {
        let Some(upstream) = &self.gate.settings().upstream else { return Vec::new() };
        if self.check.is_some() {
            return self.kept_cookies().into_iter().collect();
        }
        let forwarded = ForwardedTo {
            client: self.client,
            scheme: self.scheme,
            authority: self.origin.map(|origin| origin.authority()),
            prefix: upstream.strip_mount.then_some(&*self.mount),
        };
        forwarded.fields()
    }

    /// The `next` that the request itself asks for, in its query.
    pub(super) fn asked_next(&self) -> Option<LocalPath> {
        let query = self.head.query.unwrap_or_default().as_bytes();
        let (_, raw) = form_urlencoded::parse(query).find(|(name, _)| name == "next")?;
        self.next(raw)
    }

    fn next<'r>(&self, raw: impl Into<Cow<'r, str>>) -> Option<LocalPath> {
        self.gate.settings().next(&self.mount, raw)
    }

    /// The request's own address, as the browser knows it.
    fn target(&self) -> String {
        let (mark, query) = self.head.query.map_or(("", ""), |query| ("?", query));
        [self.head.prefix, self.head.path, mark, query].concat()
    }

    /// The path and query of the page that a header field names, if it is one of ours.
    fn own_page(&self, field: &FieldName) -> Option<&'a str> {
        let (origin, page) = Origin::split_url(self.head.headers.text(field)?)?;
        (Some(origin) == self.origin).then_some(page)
    }
}
