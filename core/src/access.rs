use crate::{ConfigError, User};

/// What a user must be, beyond being signed in.
///
/// ```
/// use authgate_core::{Access, User};
/// let access = Access::any_role(["ops", "oncall"]).unwrap();
/// let mut ada = User::new("ada");
/// assert!(!access.allows(&ada));
/// ada.roles.push("oncall".into());
/// assert!(access.allows(&ada));
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Access {
    admins_only: bool,
    any_of: Vec<String>,
    /// Roles that are as good as being an administrator.
    admin_roles: Vec<String>,
}

impl Access {
    /// Any signed-in user. The default.
    pub fn signed_in() -> Self {
        Self::default()
    }

    /// Administrators only.
    pub fn admins() -> Self {
        Self { admins_only: true, ..Self::default() }
    }

    /// Administrators, and users with one of `roles`, which makes them administrators here.
    ///
    /// # Errors
    /// An empty name: that would mean nothing.
    pub fn admins_or(roles: impl IntoIterator<Item = impl Into<String>>) -> Result<Self, ConfigError> {
        let admin_roles: Vec<String> = roles.into_iter().map(Into::into).collect();
        if admin_roles.iter().any(String::is_empty) {
            return Err(ConfigError::new("access", "a role has an empty name", "name it, or leave it out"));
        }
        Ok(Self { admin_roles, ..Self::admins() })
    }

    /// Users with at least one of `roles`.
    ///
    /// # Errors
    /// An empty list, or an empty name in it: that would admit nobody or mean nothing.
    pub fn any_role(roles: impl IntoIterator<Item = impl Into<String>>) -> Result<Self, ConfigError> {
        Self::signed_in().and_any_role(roles)
    }

    /// This, and at least one of `roles` as well.
    ///
    /// # Errors
    /// As [`Access::any_role`].
    pub fn and_any_role(
        mut self,
        roles: impl IntoIterator<Item = impl Into<String>>,
    ) -> Result<Self, ConfigError> {
        self.any_of = roles.into_iter().map(Into::into).collect();
        if self.any_of.is_empty() || self.any_of.iter().any(String::is_empty) {
            return Err(ConfigError::new(
                "access",
                "a role list is empty or has an empty name",
                "name at least one role, or use `Access::signed_in()`",
            ));
        }
        Ok(self)
    }

    /// Whether `user` may pass.
    pub fn allows(&self, user: &User) -> bool {
        let has_any = |roles: &[String]| roles.iter().any(|role| user.has_role(role));
        (!self.admins_only || user.is_admin || has_any(&self.admin_roles))
            && (self.any_of.is_empty() || has_any(&self.any_of))
    }
}
