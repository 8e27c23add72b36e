//! SIGHUP: the configuration is read again.

use std::io;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::SystemTime;

use authgate_proxy::Connector;

use super::engine::Engine;
use super::names::Names;
use super::plan::{Kept, Plan, load};
use super::settings::Settings;
use super::site::{Gated, Site, World};
use super::teller::Teller;
use super::warnings::warn;

/// Reads the configuration again, and everything that it names.
pub(super) struct Reloader<C, E: Engine> {
    pub(super) flags: Settings,
    pub(super) file: Option<PathBuf>,
    /// What was in force when the program started: some of it cannot change while it runs.
    pub(super) started: Settings,
    /// Where it listens.
    pub(super) address: SocketAddr,
    pub(super) kept: Kept,
    pub(super) world: World<C, E>,
    pub(super) site: Site<Gated<C, E::Host>>,
}

impl<C: Connector + Clone, E: Engine> Reloader<C, E> {
    /// Puts the new configuration in force, if nothing is wrong with it; else everything stays as it is. The log says which.
    pub(super) fn reload(&mut self) {
        let made = self.plan();
        self.world.host.metrics.reloaded(made.is_ok());
        match made {
            Ok(New { settings, plan, service }) => {
                self.put_in_force(plan, service);
                self.warn_of_what_stays(&settings);
                warn(&settings, &Names::of(self.file.as_deref(), &self.flags), self.address);
                tracing::info!(target: "authgate", "reloaded: the new configuration is in force");
            }
            Err(sentences) => {
                for sentence in sentences {
                    // One line, whatever stands in the file.
                    tracing::error!(target: "authgate", "not reloaded: {}", sentence.replace(char::is_control, " "));
                }
                tracing::error!(target: "authgate", "the configuration stays as it was");
            }
        }
    }

    /// The new plan, or all that is wrong with it.
    fn plan(&self) -> Result<New<C, E>, Vec<String>> {
        let (settings, problems) =
            load(&self.flags, self.file.as_deref()).map_err(|problems| problems.sentences().to_vec())?;
        let plan =
            Plan::of(&settings, problems, &self.kept).map_err(|problems| problems.sentences().to_vec())?;
        let service = self.world.service(&plan).map_err(|error| vec![error.to_string()])?;
        follow(&plan, &self.kept, &self.world.teller)
            .map_err(|error| vec![format!("the file of users cannot be watched: {error}")])?;
        Ok(New { settings, plan, service })
    }

    fn put_in_force(&mut self, plan: Plan, service: Gated<C, E::Host>) {
        self.site.replace(service);
        self.world.teller.use_store(plan.shared.clone());
        let (gate, before) = (plan.gate, std::mem::replace(&mut self.kept, plan.kept));
        for user in before.lost_to(&self.kept) {
            self.world.teller.end(&gate, &user, SystemTime::now());
        }
    }

    fn warn_of_what_stays(&self, settings: &Settings) {
        let started = &self.started;
        let changed = [
            ("listen", settings.listen() != started.listen()),
            ("admin_listen", settings.admin_listen != started.admin_listen),
            ("runtime", settings.runtime() != started.runtime()),
            ("max_connections", settings.max_connections() != started.max_connections()),
        ];
        for (key, _) in changed.into_iter().filter(|(_, changed)| *changed) {
            tracing::warn!(target: "authgate", "{key} has changed, and counts from the next start on");
        }
    }
}

/// A configuration that nothing is wrong with.
struct New<C, E: Engine> {
    settings: Settings,
    plan: Plan,
    service: Gated<C, E::Host>,
}

/// Has the file of users followed, unless it already is. Gates share their memory, so whoever follows for an old one does
/// so for the new one, too.
pub(super) fn follow(plan: &Plan, before: &Kept, teller: &Teller) -> io::Result<()> {
    let Some(users) = plan.users() else { return Ok(()) };
    let is_followed = before.users.as_ref().is_some_and(|(_, before)| Arc::ptr_eq(before, users));
    if is_followed {
        return Ok(());
    }
    let (gate, teller) = (plan.gate.clone(), teller.clone());
    users.follow_with(move |user, noticed| teller.end(&gate, user, noticed))
}
