//! `authgate serve`: the gate in front of another program, as a reverse proxy or for proxies that ask. And `authgate check` and
//! `authgate explain`, which say what a configuration comes to.

mod admin;
mod announce;
mod check;
mod file;
mod gate;
mod host;
mod metrics;
mod open_files;
mod options;
mod plan;
mod problems;
mod reload;
mod settings;
mod site;

use std::convert::Infallible;
use std::io;
use std::net::{SocketAddr, TcpListener};
use std::sync::Arc;

use authgate_proxy::{Connector, smol::Connector as SmolConnector, tokio::Connector as TokioConnector};
use authgate_smol::Smol;
use authgate_tokio::{Limits, Tokio};
use authgate_tower::Host;
use futures_lite::future::zip;
use smol::channel::{Receiver, Sender, bounded};

use self::announce::Announcement;
pub(crate) use self::check::{check, explain};
use self::metrics::Metrics;
pub(crate) use self::options::{CheckOptions, ExplainOptions, ServeOptions};
use self::plan::{Kept, Plan, load};
use self::reload::{Reloader, follow};
use self::settings::Settings;
use self::site::{Gated, Site, World};
use crate::cli::Runtime;
use crate::failure::Failure;
use crate::log;
use crate::sessions::warn_of_sealed_sessions;
use crate::signals::Signals;

/// Runs until SIGTERM or Ctrl-C.
pub(crate) fn serve(options: &ServeOptions) -> Result<(), Failure> {
    let (settings, problems) = load(&options.settings, options.config.as_deref());
    let plan = Plan::of(&settings, problems, &Kept::default())?;
    log::start()?;
    let start = Start { options, settings, plan, metrics: Arc::new(Metrics::new()?) };
    match start.settings.runtime() {
        Runtime::Tokio => start.on(TokioConnector, Tokio, on_tokio),
        Runtime::Smol => start.on(SmolConnector, Smol, on_smol),
    }
}

/// Everything that is known before a runtime is.
struct Start<'a> {
    options: &'a ServeOptions,
    settings: Settings,
    plan: Plan,
    metrics: Arc<Metrics>,
}

/// Two listeners and what answers on them.
struct Server<C, R> {
    listener: TcpListener,
    admin: Option<TcpListener>,
    limits: Limits,
    site: Site<Gated<C, R>>,
    metrics: Arc<Metrics>,
    signals: Signals,
}

impl Start<'_> {
    fn on<C: Connector + Clone, R: Host>(
        self,
        connector: C,
        runtime: R,
        run: impl FnOnce(Server<C, R>) -> io::Result<()>,
    ) -> Result<(), Failure> {
        let Self { options, settings, plan, metrics } = self;
        let listen = settings.listen.map_or(DEFAULT_LISTEN, |listen| listen.0);
        let (listener, address) = bind("--listen", listen)?;
        let admin = settings.admin_listen.map(|admin| bind("--admin-listen", admin.0)).transpose()?;
        let (admin, admin_address) = admin.unzip();
        let world = World::new(connector, runtime, Arc::clone(&metrics));
        let site = Site::new(world.service(&plan));
        follow(&plan, &Kept::default())
            .map_err(|error| Failure::new(format!("the file of users cannot be watched: {error}")))?;
        let gate = plan.gate.clone();
        let mut reloader = Reloader {
            flags: options.settings.clone(),
            file: options.config.clone(),
            started: settings.clone(),
            kept: plan.kept,
            world,
            site: site.clone(),
        };
        let signals = Signals::listen_and_reload(move || reloader.reload())?;
        warn(&settings, address);
        let announcement = Announcement { address, admin: admin_address, gate: &gate, settings: &settings };
        announcement.say(options.json)?;
        let connections = settings.max_connections.unwrap_or(Limits::default().connections);
        open_files::allow_for(connections);
        let limits = Limits { connections, ..Limits::default() };
        let server = Server { listener, admin, limits, site, metrics, signals };
        run(server).map_err(|error| Failure::new(format!("the server cannot run: {error}")))
    }
}

const DEFAULT_LISTEN: SocketAddr = SocketAddr::new(std::net::IpAddr::V4(std::net::Ipv4Addr::LOCALHOST), 8080);

fn on_tokio<C: Connector + Clone, R: Host>(server: Server<C, R>) -> io::Result<()> {
    let Server { listener, admin, limits, site, metrics, signals } = server;
    tokio::runtime::Builder::new_multi_thread().enable_all().build()?.block_on(async {
        let (stop, stopped) = bounded(1);
        let listener = tokio::net::TcpListener::from_std(listener)?;
        let main = authgate_tokio::serve(listener, site, limits, first(signals, stop));
        let admin = async {
            let Some(admin) = admin else { return Ok(()) };
            let listener = tokio::net::TcpListener::from_std(admin)?;
            authgate_tokio::serve(listener, admin::service(metrics), admin_limits(), ended(stopped)).await
        };
        let (main, admin) = zip(main, admin).await;
        main.and(admin)
    })
}

fn on_smol<C: Connector + Clone, R: Host>(server: Server<C, R>) -> io::Result<()> {
    let Server { listener, admin, limits, site, metrics, signals } = server;
    smol::block_on(async {
        let (stop, stopped) = bounded(1);
        let listener = smol::net::TcpListener::from(smol::Async::new(listener)?);
        let main = authgate_smol::serve(listener, site, limits, first(signals, stop));
        let admin = async {
            let Some(admin) = admin else { return Ok(()) };
            let listener = smol::net::TcpListener::from(smol::Async::new(admin)?);
            authgate_smol::serve(listener, admin::service(metrics), admin_limits(), ended(stopped)).await
        };
        let (main, admin) = zip(main, admin).await;
        main.and(admin)
    })
}

/// Returns at the first signal, and lets the admin listener know.
async fn first(signals: Signals, stop: Sender<Infallible>) {
    signals.first().await;
    drop(stop);
}

async fn ended(stopped: Receiver<Infallible>) {
    let _ = stopped.recv().await;
}

/// A scraper and a few probes.
fn admin_limits() -> Limits {
    Limits { connections: 64, ..Limits::default() }
}

fn bind(flag: &str, address: SocketAddr) -> Result<(TcpListener, SocketAddr), Failure> {
    let failed = |error| Failure::new(format!("{flag} {address}: {error}"));
    let listener = TcpListener::bind(address).map_err(failed)?;
    listener.set_nonblocking(true).map_err(failed)?;
    let bound = listener.local_addr().map_err(failed)?;
    Ok((listener, bound))
}

/// What works, and maybe not as it was meant. To be said once the program is sure to start: a mistake is told alone.
fn warn(settings: &Settings, address: SocketAddr) {
    warn_of_sealed_sessions(settings.store(), &settings.session_secret_files);
    let wants_tls = settings.require_tls.unwrap_or(true);
    if wants_tls && !address.ip().is_loopback() && settings.trusted_proxies.is_empty() {
        tracing::warn!(
            target: "authgate",
            "requests without TLS are refused, and no proxy is trusted to have ended it: only clients on this machine will be \
             answered; name the proxy with trusted_proxies (--trusted-proxy), or set require_tls to false"
        );
    }
}
