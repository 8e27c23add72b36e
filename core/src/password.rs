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
pub struct PasswordBackend(());

impl PasswordBackend {
    /// The backend.
    pub fn new() -> Self {
        Self(())
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
        LoginAnswer::Password
    }

    fn logout(&self) -> LogoutAnswer {
        LogoutAnswer::EndSession
    }
}
