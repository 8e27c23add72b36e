use authgate_core::User;

/// Somebody, as tokens, stores and directories know them; called by their id.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Person {
    /// What identifies them. Empty: a mistake of whoever names them.
    pub id: String,
    /// Whether they may do everything.
    pub is_admin: bool,
    /// Their roles.
    pub roles: Vec<String>,
}

impl Person {
    /// Somebody without rights.
    pub fn new(id: &str) -> Self {
        Self { id: id.to_owned(), ..Self::default() }
    }

    /// The same, with a role.
    #[must_use]
    pub fn with_role(mut self, role: &str) -> Self {
        self.roles.push(role.to_owned());
        self
    }

    /// The same, as an administrator.
    #[must_use]
    pub fn as_admin(self) -> Self {
        Self { is_admin: true, ..self }
    }

    /// As the gate calls them.
    pub fn user(&self) -> User {
        let roles = self.roles.iter().map(Into::into).collect();
        User { is_admin: self.is_admin, roles, ..User::new(&self.id) }
    }
}

impl From<&User> for Person {
    fn from(user: &User) -> Self {
        let roles = user.roles.iter().map(ToString::to_string).collect();
        Self { id: user.id.to_string(), is_admin: user.is_admin, roles }
    }
}
