//! `authgate demo`: the gate in front of the built-in dashboard, on either runtime.

mod announce;
mod host;
mod people;
mod tokens;

use std::convert::Infallible;
use std::future::ready;
use std::io;
use std::net::TcpListener;
use std::sync::Arc;

use authgate_core::{Access, Gate, JwtBackend, PasswordBackend, User};
use authgate_smol::Smol;
use authgate_tokio::{Limits, Tokio};
use authgate_tower::{Expiry, GateBody, GateLayer, Host};
use http::{Request, Response};
use hyper::body::Incoming;
use tower::{Layer as _, Service, service_fn};

use self::announce::Announcement;
use self::host::{DemoHost, Spawn};
use self::people::People;
use crate::cli::{DemoOptions, Runtime, SessionStore};
use crate::dashboard::{Dashboard, DemoBody, Viewer};
use crate::failure::Failure;
use crate::log;
use crate::sessions::warn_of_sealed_sessions;
use crate::signals::Signals;

/// Runs until SIGTERM or Ctrl-C.
pub(crate) fn demo(options: &DemoOptions) -> Result<(), Failure> {
    let (backend, token) = tokens::of_demo(options)?;
    log::start()?;
    let people = People::of(options)?;
    let gate = gate(options, backend)?;
    let listener = TcpListener::bind(options.listen)
        .and_then(|listener| listener.set_nonblocking(true).map(|()| listener))
        .map_err(|error| Failure::new(format!("--listen {}: {error}", options.listen)))?;
    let address = listener.local_addr().map_err(|error| Failure::new(format!("--listen: {error}")))?;
    let announcement = Announcement {
        address,
        mount: gate.mount().as_str(),
        token: token.as_deref(),
        credentials: people.credentials(),
    };
    let signals = Signals::listen()?;
    people.follow(&gate).map_err(|error| Failure::new(format!("--users-file cannot be watched: {error}")))?;
    if options.session_store == SessionStore::Cookie {
        warn_of_sealed_sessions(&options.session_secret_files, false);
    }
    announcement.say(options.json)?;
    let served = match options.runtime {
        Runtime::Tokio => on_tokio(gate, people, listener, signals),
        Runtime::Smol => on_smol(gate, people, listener, signals),
    };
    served.map_err(|error| Failure::new(format!("the server cannot run: {error}")))
}

fn gate(options: &DemoOptions, backend: JwtBackend) -> Result<Gate, Failure> {
    let access = if options.admins_only { Access::admins() } else { Access::signed_in() };
    let access = match options.roles.as_slice() {
        [] => access,
        roles => access
            .and_any_role(roles)
            .map_err(|_| Failure::new("--role is empty; name a role, or leave it out"))?,
    };
    let gate = Gate::builder(PasswordBackend::new())
        .backend(backend)
        .sessions(people::sessions(options)?)
        .mount(options.mount.as_str())
        .title("Job queues")
        .public_prefix("/static")
        .public_path("/healthz")
        .access(access);
    Ok(gate.build()?)
}

fn on_tokio(gate: Gate, people: People, listener: TcpListener, signals: Signals) -> io::Result<()> {
    tokio::runtime::Builder::new_multi_thread().enable_all().build()?.block_on(async {
        let listener = tokio::net::TcpListener::from_std(listener)?;
        let (service, dashboard) = stack(gate, people, Tokio);
        let stop = async move {
            signals.first().await;
            dashboard.stop();
        };
        authgate_tokio::serve(listener, service, Limits::default(), stop).await
    })
}

fn on_smol(gate: Gate, people: People, listener: TcpListener, signals: Signals) -> io::Result<()> {
    smol::block_on(async {
        let listener = smol::net::TcpListener::from(smol::Async::new(listener)?);
        let (service, dashboard) = stack(gate, people, Smol);
        let stop = async move {
            signals.first().await;
            dashboard.stop();
        };
        authgate_smol::serve(listener, service, Limits::default(), stop).await
    })
}

/// The dashboard with the gate in front of it, and the dashboard itself, to be told when to stop.
fn stack<R: Host + Spawn>(gate: Gate, people: People, runtime: R) -> (impl Stack, Dashboard<DemoHost<R>>) {
    let host = DemoHost::new(runtime);
    let trail = host.clone();
    let mount = gate.mount().to_string();
    let dashboard = Dashboard::new(&mount, host.clone(), move || trail.lines());
    let inner = {
        let dashboard = dashboard.clone();
        service_fn(move |request: Request<Incoming>| {
            let path = request.uri().path().to_owned();
            let path = path.strip_prefix(&*mount).unwrap_or_default();
            let viewer = request.extensions().get::<Arc<User>>().map(|user| Viewer {
                name: user.name.to_string(),
                is_admin: user.is_admin,
                roles: user.roles.iter().map(ToString::to_string).collect(),
            });
            let expiry = request.extensions().get::<Expiry>().cloned();
            let ended = move || expiry.as_ref().is_some_and(Expiry::has_passed);
            ready(Ok::<_, Infallible>(dashboard.answer(request, path, viewer.as_ref(), ended)))
        })
    };
    (GateLayer::new(gate, host).users(people).layer(inner), dashboard)
}

/// What the servers need of a service.
trait Stack:
    Service<Request<Incoming>, Response = Response<GateBody<DemoBody>>, Error = Infallible, Future: Send>
    + Clone
    + Send
    + 'static
{
}

impl<S> Stack for S where
    S: Service<Request<Incoming>, Response = Response<GateBody<DemoBody>>, Error = Infallible, Future: Send>
        + Clone
        + Send
        + 'static
{
}
