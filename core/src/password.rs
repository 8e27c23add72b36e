use crate::backend::{AuthBackend, LoginAnswer, LogoutAnswer, Proof};
use crate::{Head, Timestamp};

/// People sign in with a username and a password, and have a session from then on.
///
/// Who they are is for the driver to say ([`Step::CheckPassword`](crate::Step::CheckPassword)): the adapters take a
/// function. The session is the gate's: see [`Sessions`](crate::Sessions) and
/// [`GateBuilder::throttle`](crate::GateBuilder::throttle).
///
/// ```
/// use authgate_core::{Gate, JwtBackend, Key, PasswordBackend};
///
/// // People sign in, scripts send tokens, both to the same dashboard.
/// let tokens = JwtBackend::builder().key(Key::secret([7; 32])?).build()?;
/// let gate = Gate::builder(PasswordBackend::new()).backend(tokens).mount("/ops").build()?;
/// # Ok::<(), authgate_core::ConfigError>(())
/// ```
#[derive(Debug, Clone, Copy, Default)]
pub struct PasswordBackend {
    for_host: bool,
}

impl PasswordBackend {
    /// The backend.
    pub fn new() -> Self {
        Self::default()
    }

    /// The backend for a host that keeps sign-ins in sessions of its own: the gate checks passwords, and makes no session.
    /// See [`LoginAnswer::PasswordForHost`].
    pub fn for_host() -> Self {
        Self { for_host: true }
    }
}

impl AuthBackend for PasswordBackend {
    fn name(&self) -> &'static str {
        "password"
    }

    /// Nothing: the gate reads the session itself, before it asks any backend.
    fn authenticate(&self, _head: &Head<'_>, _now: Timestamp) -> Proof {
        Proof::Absent
    }

    fn login(&self) -> LoginAnswer {
        if self.for_host { LoginAnswer::PasswordForHost } else { LoginAnswer::Password }
    }

    fn logout(&self) -> LogoutAnswer {
        if self.for_host { LogoutAnswer::ToLogin } else { LogoutAnswer::EndSession }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_called_by_what_it_checks() {
        assert_eq!(PasswordBackend::new().name(), "password");
    }
}
