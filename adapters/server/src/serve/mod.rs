//! `authgate serve`: the gate in front of another program, as a reverse proxy or for proxies that ask. And `authgate check` and
//! `authgate explain`, which say what a configuration comes to.

mod admin;
mod announce;
mod check;
mod engine;
mod entries;
mod file;
mod gate;
mod host;
mod key;
mod metrics;
mod names;
mod open_files;
mod options;
mod plan;
mod problems;
mod proof;
mod reload;
mod rule_tables;
mod settings;
mod sign_out;
mod site;
mod stores;
mod teller;
mod values;
mod warnings;

use std::convert::Infallible;
use std::io;
use std::net::{SocketAddr, TcpListener};
use std::sync::Arc;

use authgate_proxy::{Connector, smol::Connector as SmolConnector, tokio::Connector as TokioConnector};
use authgate_tokio::Limits;
use authgate_tower::Host;
use futures_lite::future::zip;
use rustix::net::listen;
use smol::channel::{Receiver, Sender, bounded};

use self::announce::Announcement;
pub(crate) use self::check::{check, explain};
use self::engine::{Engine, OnSmol, OnTokio};
use self::metrics::Metrics;
use self::names::Names;
pub(crate) use self::options::{CheckOptions, ExplainOptions, ServeOptions};
use self::plan::{Kept, Plan, load};
use self::reload::{Reloader, follow};
use self::settings::Settings;
pub(crate) use self::sign_out::{SignOutOptions, sign_out};
use self::site::{Gated, Site, World};
use self::warnings::warn;
use crate::cli::Runtime;
use crate::failure::Failure;
use crate::log;
use crate::signals::{HangUps, Signals};

/// Runs until SIGTERM or Ctrl-C.
pub(crate) fn serve(options: &ServeOptions) -> Result<(), Failure> {
    // A SIGHUP at any time is a wish to read the configuration again, and no reason to end.
    let hang_ups = HangUps::listen()?;
    log::start()?;
    let (settings, problems) = load(&options.settings, options.config.as_deref())?;
    let plan = Plan::of(&settings, problems, &Kept::default())?;
    let start = Start { options, settings, plan, hang_ups, metrics: Arc::new(Metrics::new()?) };
    match start.settings.runtime() {
        Runtime::Tokio => {
            let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build();
            let runtime =
                runtime.map_err(|error| Failure::new(format!("the runtime cannot start: {error}")))?;
            let engine = OnTokio(runtime.handle().clone());
            start.on(TokioConnector, engine, |server| runtime.block_on(on_tokio(server)))
        }
        Runtime::Smol => start.on(SmolConnector, OnSmol, |server| smol::block_on(on_smol(server))),
    }
}

/// Everything that is known before a runtime is.
struct Start<'a> {
    options: &'a ServeOptions,
    settings: Settings,
    plan: Plan,
    hang_ups: HangUps,
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
    fn on<C: Connector + Clone, E: Engine>(
        self,
        connector: C,
        engine: E,
        run: impl FnOnce(Server<C, E::Host>) -> io::Result<()>,
    ) -> Result<(), Failure> {
        let Self { options, settings, plan, hang_ups, metrics } = self;
        let names = Names::of(options.config.as_deref(), &options.settings);
        let (listener, address) = bind(&names.of_key("listen"), settings.listen())?;
        let admin =
            settings.admin_listen.map(|admin| bind(&names.of_key("admin_listen"), admin.0)).transpose()?;
        let (admin, admin_address) = admin.unzip();
        let world = World::new(connector, engine, Arc::clone(&metrics));
        let site = Site::new(world.service(&plan)?);
        world.teller.use_store(plan.shared.clone());
        follow(&plan, &Kept::default(), &world.teller)
            .map_err(|error| Failure::new(format!("the file of users cannot be watched: {error}")))?;
        let gate = plan.gate.clone();
        let mut reloader = Reloader {
            flags: options.settings.clone(),
            file: options.config.clone(),
            started: settings.clone(),
            address,
            kept: plan.kept,
            world,
            site: site.clone(),
        };
        let signals = Signals::listen()?;
        warn(&settings, &names, address);
        let announcement = Announcement { address, admin: admin_address, gate: &gate, settings: &settings };
        announcement.say(options.json)?;
        hang_ups.heed(move || reloader.reload())?;
        open_files::allow_for(settings.max_connections());
        let limits = Limits { connections: settings.max_connections(), ..Limits::default() };
        let server = Server { listener, admin, limits, site, metrics, signals };
        run(server).map_err(|error| Failure::new(format!("the server cannot run: {error}")))
    }
}

async fn on_tokio<C: Connector + Clone, R: Host>(server: Server<C, R>) -> io::Result<()> {
    let Server { listener, admin, limits, site, metrics, signals } = server;
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
}

async fn on_smol<C: Connector + Clone, R: Host>(server: Server<C, R>) -> io::Result<()> {
    let Server { listener, admin, limits, site, metrics, signals } = server;
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

fn bind(setting: &str, address: SocketAddr) -> Result<(TcpListener, SocketAddr), Failure> {
    let failed = |error: io::Error| Failure::new(format!("{setting}: {address}: {error}; choose another"));
    let listener = TcpListener::bind(address).map_err(failed)?;
    // Many who connect again at one time would wait for seconds in the usual queue of 128.
    listen(&listener, 4096).map_err(|error| failed(error.into()))?;
    listener.set_nonblocking(true).map_err(failed)?;
    let bound = listener.local_addr().map_err(failed)?;
    Ok((listener, bound))
}
