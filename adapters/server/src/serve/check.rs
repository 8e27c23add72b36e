//! `authgate check` and `authgate explain`: what a configuration comes to, without serving it.

use std::path::Path;

use authgate_core::{Peer, User};

use super::names::Names;
use super::options::{CheckOptions, ExplainOptions};
use super::plan::{Kept, Plan, load};
use super::settings::Settings;
use super::warnings::remarks;
use crate::failure::Failure;
use crate::output::{remark, say};

/// `authgate check`
pub(crate) fn check(options: &CheckOptions) -> Result<(), Failure> {
    let (settings, _) = plan(&options.config).map_err(|failure| failure.ending_with(1))?;
    for sentence in remarks(&settings, &Names::of(Some(&options.config), &Settings::default())) {
        remark(&sentence);
    }
    let behind = settings.upstream.as_deref().unwrap_or("nothing but proxies that ask");
    let rules = match settings.rule.len() {
        0 => "no rules".to_owned(),
        1 => "1 rule".to_owned(),
        many => format!("{many} rules"),
    };
    say(&format!("{}: ok: in front of {behind}, with {rules}", options.config.display()))
}

/// `authgate explain`
pub(crate) fn explain(options: &ExplainOptions) -> Result<(), Failure> {
    let (_, plan) = plan(&options.config)?;
    let user = known(options, &plan).or_else(|| user(options));
    let told = plan.gate.explain(&options.method, &options.path, user.as_ref(), Peer::from(options.from));
    say(&told.to_string())?;
    if told.allows() { Ok(()) } else { Err(Failure::all(Vec::new()).ending_with(1)) }
}

/// The user as the file of users knows them, if nothing else is said of them.
fn known(options: &ExplainOptions, plan: &Plan) -> Option<User> {
    let id = options.user.as_deref().filter(|_| !options.admin && options.roles.is_empty())?;
    plan.users()?.find(id)
}

fn user(options: &ExplainOptions) -> Option<User> {
    let is_somebody = options.user.is_some() || options.admin || !options.roles.is_empty();
    let id = options.user.as_deref().unwrap_or("somebody");
    let roles = options.roles.iter().map(Into::into).collect();
    is_somebody.then(|| User { roles, is_admin: options.admin, ..User::new(id) })
}

fn plan(file: &Path) -> Result<(Settings, Plan), Failure> {
    let (settings, problems) = load(&Settings::default(), Some(file))?;
    let plan = Plan::of(&settings, problems, &Kept::default())?;
    Ok((settings, plan))
}
