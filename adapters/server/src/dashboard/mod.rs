//! The dashboard that `authgate demo` shows behind the gate: a job queue's admin pages, with everything that such
//! a dashboard tends to have (pages, a polling fragment, an event stream, a websocket, a form).
//!
//! It stands *behind* the gate and never decides who may enter: it is told who was admitted, and asks whether they still are.
//! The jobs are simulated; it needs no runtime but a [`Timer`].

mod assets;
mod events;
mod flow;
mod lifetime;
mod pages;
mod queues;
mod reply;
mod websocket;

#[cfg(test)]
mod testing;
#[cfg(test)]
mod tests;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use http::{Method, Request, Response, StatusCode};
use percent_encoding::percent_decode_str;

use self::lifetime::Lifetime;
use self::pages::{Shell, Tab};
use self::queues::Queues;
pub(crate) use self::reply::DemoBody;

/// Time for the demo's streams, on whatever runtime it runs.
pub(crate) trait Timer: Clone + Send + Sync + 'static {
    fn sleep(&self, duration: Duration) -> impl Future<Output = ()> + Send;
    fn spawn(&self, task: impl Future<Output = ()> + Send + 'static);
    /// Unix time.
    fn seconds(&self) -> i64;
}

/// Whether the admission of a request has ended: its time is up, or its user has signed out.
type Ended = Box<dyn Fn() -> bool + Send + Sync>;

/// Whom the gate admitted.
#[derive(Clone, Debug)]
pub(crate) struct Viewer {
    pub name: String,
    pub is_admin: bool,
    pub roles: Vec<String>,
}

/// One decision of the gate, as its log tells it.
#[derive(Clone, Debug)]
pub(crate) struct AuditLine {
    pub time: i64,
    pub request_id: String,
    pub client: String,
    pub method: String,
    pub path: String,
    pub kind: String,
    pub outcome: String,
    pub reason: String,
    pub user: Option<String>,
    /// Of the gate's own answer; nothing if it passed the request on.
    pub status: Option<u16>,
}

/// The dashboard. Clones share their queues.
#[derive(Clone)]
pub(crate) struct Dashboard<T> {
    /// Empty, or `/ops` without a slash at its end.
    mount: Arc<str>,
    timer: T,
    /// The gate's last decisions, oldest first.
    audit: Arc<dyn Fn() -> Vec<AuditLine> + Send + Sync>,
    queues: Arc<Queues>,
    stopping: Arc<AtomicBool>,
}

impl<T: Timer> Dashboard<T> {
    /// `audit` is asked for the gate's last decisions, oldest first, whenever somebody looks at them.
    pub(crate) fn new(
        mount: &str,
        timer: T,
        audit: impl Fn() -> Vec<AuditLine> + Send + Sync + 'static,
    ) -> Self {
        let queues = Arc::new(Queues::new(timer.seconds()));
        Self { mount: mount.into(), timer, audit: Arc::new(audit), queues, stopping: Arc::default() }
    }

    /// Ends every stream that is open, so that a server which waits for its connections need not wait for those.
    pub(crate) fn stop(&self) {
        self.stopping.store(true, Ordering::Relaxed);
    }

    /// Answers a request that the gate let through. `path` is the request's path below the mount, still
    /// percent-encoded; streams ask `ended` whether the admission has ended, and end with it.
    pub(crate) fn answer<B>(
        &self,
        request: Request<B>,
        path: &str,
        viewer: Option<&Viewer>,
        ended: impl Fn() -> bool + Send + Sync + 'static,
    ) -> Response<DemoBody> {
        let mut request = request.map(|_| ());
        let head = request.method() == Method::HEAD;
        let response = self.route(&mut request, path, viewer, Box::new(ended));
        let response = if head { reply::head_only(response) } else { response };
        reply::harden(response)
    }

    fn route(
        &self,
        request: &mut Request<()>,
        path: &str,
        viewer: Option<&Viewer>,
        ended: Ended,
    ) -> Response<DemoBody> {
        if let Some(name) = path.strip_prefix("/queues/").and_then(|rest| rest.strip_suffix("/pause")) {
            return self.pause(request, name, viewer);
        }
        let known =
            matches!(path, "" | "/" | "/queues" | "/queues/rows" | "/events" | "/ws" | "/audit" | "/healthz");
        if (known || path.starts_with("/static/")) && !is_read(request.method()) {
            return reply::method_not_allowed("GET, HEAD");
        }
        let shell = |tab| Shell { mount: &self.mount, viewer, tab };
        match path {
            "" | "/" => self.overview(shell(Tab::Overview)),
            "/queues" => self.queues(shell(Tab::Queues), request),
            "/queues/rows" => self.rows(request),
            "/events" => reply::events(events::body(Arc::clone(&self.queues), self.lifetime(ended))),
            "/ws" => websocket::answer(request, self.lifetime(ended)),
            "/audit" => reply::html(StatusCode::OK, pages::audit(shell(Tab::Audit), &(self.audit)())),
            "/healthz" => reply::text(StatusCode::OK, "ok"),
            _ => match path.strip_prefix("/static/") {
                Some(name) => assets::answer(name),
                None => not_found(request, shell(Tab::None)),
            },
        }
    }

    fn overview(&self, shell: Shell<'_>) -> Response<DemoBody> {
        let now = self.timer.seconds();
        let view = pages::Overview {
            time: now,
            totals: self.queues.totals(now),
            lately: self.queues.waiting_lately(60, now),
            busiest: self.queues.busiest(5, now),
        };
        reply::html(StatusCode::OK, pages::overview(shell, &view))
    }

    fn queues(&self, shell: Shell<'_>, request: &Request<()>) -> Response<DemoBody> {
        let page = self.page(request);
        reply::html(StatusCode::OK, pages::queues(shell, &page))
    }

    fn rows(&self, request: &Request<()>) -> Response<DemoBody> {
        let page = self.page(request);
        reply::html(StatusCode::OK, pages::rows(&self.mount, &page.rows))
    }

    /// Pauses or resumes the queue of that percent-encoded name.
    fn pause(&self, request: &Request<()>, name: &str, viewer: Option<&Viewer>) -> Response<DemoBody> {
        if request.method() != Method::POST {
            return reply::method_not_allowed("POST");
        }
        let name = percent_decode_str(name).decode_utf8().ok();
        let Some(row) = name.and_then(|name| self.queues.toggle(&name, self.timer.seconds())) else {
            return not_found(request, Shell { mount: &self.mount, viewer, tab: Tab::Queues });
        };
        if is_htmx(request) {
            return reply::html(StatusCode::OK, pages::rows(&self.mount, &[row]));
        }
        reply::see_other(&pages::queues_link(&self.mount, row.page()))
    }

    fn page(&self, request: &Request<()>) -> queues::Page {
        let query = request.uri().query().unwrap_or_default();
        let asked = form_urlencoded::parse(query.as_bytes()).find(|(name, _)| name == "page");
        self.queues.page(asked.as_ref().map(|(_, number)| number.as_ref()), self.timer.seconds())
    }

    fn lifetime(&self, admission_ended: Ended) -> Lifetime<T> {
        Lifetime { timer: self.timer.clone(), admission_ended, stopping: Arc::clone(&self.stopping) }
    }
}

fn is_read(method: &Method) -> bool {
    matches!(*method, Method::GET | Method::HEAD)
}

fn is_htmx(request: &Request<()>) -> bool {
    request.headers().get("hx-request").is_some_and(|value| value == "true")
}

fn not_found(request: &Request<()>, shell: Shell<'_>) -> Response<DemoBody> {
    if is_htmx(request) {
        return reply::text(StatusCode::NOT_FOUND, "Not found\n");
    }
    reply::html(StatusCode::NOT_FOUND, pages::not_found(shell))
}
