use std::io;
use std::path::PathBuf;
use std::sync::Arc;

use authgate_proxy::Connector;
use authgate_tower::Host;

use super::plan::{Kept, Plan, load};
use super::settings::Settings;
use super::site::{Gated, Site, World};

/// Reads the configuration again, and everything that it names.
pub(super) struct Reloader<C, R> {
    pub(super) flags: Settings,
    pub(super) file: Option<PathBuf>,
    /// What was in force when the program started: some of it cannot change while it runs.
    pub(super) started: Settings,
    pub(super) kept: Kept,
    pub(super) world: World<C, R>,
    pub(super) site: Site<Gated<C, R>>,
}

impl<C: Connector + Clone, R: Host> Reloader<C, R> {
    /// Puts the new configuration in force, if nothing is wrong with it; else everything stays as it is. The log says which.
    pub(super) fn reload(&mut self) {
        let (settings, problems) = load(&self.flags, self.file.as_deref());
        let metrics = &self.world.host.metrics;
        let plan = Plan::of(&settings, problems, &self.kept);
        let followed = plan.map(|plan| follow(&plan, &self.kept).map(|()| plan));
        let sentences = match followed {
            Ok(Ok(plan)) => {
                self.warn_of_what_stays(&settings);
                self.site.replace(self.world.service(&plan));
                self.kept = plan.kept;
                metrics.reloaded(true);
                tracing::info!(target: "authgate", "reloaded: the new configuration is in force");
                return;
            }
            Ok(Err(error)) => vec![format!("the file of users cannot be watched: {error}")],
            Err(problems) => problems.sentences().to_vec(),
        };
        metrics.reloaded(false);
        for sentence in sentences {
            tracing::error!(target: "authgate", "not reloaded: {sentence}");
        }
        tracing::error!(target: "authgate", "the configuration stays as it was");
    }

    fn warn_of_what_stays(&self, settings: &Settings) {
        let changed = [
            ("listen", settings.listen != self.started.listen),
            ("admin_listen", settings.admin_listen != self.started.admin_listen),
            ("runtime", settings.runtime() != self.started.runtime()),
            ("max_connections", settings.max_connections != self.started.max_connections),
        ];
        for (key, _) in changed.into_iter().filter(|(_, changed)| *changed) {
            tracing::warn!(target: "authgate", "{key} has changed, and counts from the next start on");
        }
    }
}

/// Has the file of users followed, unless it already is. Gates share their memory, so whoever follows for an old one does so for
/// the new one, too.
pub(super) fn follow(plan: &Plan, before: &Kept) -> io::Result<()> {
    let Some(users) = plan.users() else { return Ok(()) };
    let is_followed = before.users.as_ref().is_some_and(|(_, before)| Arc::ptr_eq(before, users));
    if is_followed && before.gate.is_some() { Ok(()) } else { users.follow(plan.gate.clone()) }
}
