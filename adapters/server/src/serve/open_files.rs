//! The limit on open files.

use rustix::process::{Resource, getrlimit, setrlimit};

/// A connection takes two files, the client's and the upstream's; some are needed besides.
const BESIDES: u64 = 256;

/// Raises the limit on open files towards what so many connections need. Many systems start programs with 1024, and allow
/// more to those that ask.
pub(super) fn allow_for(connections: usize) {
    let wanted = u64::try_from(connections).unwrap_or(u64::MAX).saturating_mul(2).saturating_add(BESIDES);
    let mut limit = getrlimit(Resource::Nofile);
    let (Some(current), most) = (limit.current, limit.maximum) else { return };
    if current >= wanted {
        return;
    }
    limit.current = Some(most.map_or(wanted, |most| most.min(wanted)));
    if let Err(error) = setrlimit(Resource::Nofile, limit) {
        tracing::warn!(target: "authgate", %error, "the limit on open files cannot be raised");
    } else if limit.current < Some(wanted) {
        tracing::warn!(
            target: "authgate",
            "only {} files may be open, which is not enough for {connections} connections; raise the limit (ulimit -Hn), or \
             lower max_connections",
            limit.current.unwrap_or_default()
        );
    }
}
