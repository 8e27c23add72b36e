use authgate_core::Secret;

/// A user to be written into a file by [`UserEditor::add`](crate::UserEditor::add). It prints without the hash.
#[derive(Debug)]
pub struct NewUser {
    /// What the user signs in with: 1 to 256 bytes, without control characters or white space around it.
    pub id: String,
    /// What to call the user; the id if nothing.
    pub name: Option<String>,
    /// Names of the roles that the user has.
    pub roles: Vec<String>,
    /// Whether the user may do everything.
    pub is_admin: bool,
    /// Whether the user may not sign in for now.
    pub disabled: bool,
    pub(crate) password: Secret<String>,
}

impl NewUser {
    /// A user without any right, with the hash of their password from [`hash_password`](crate::hash_password).
    pub fn new(id: impl Into<String>, hash: impl Into<String>) -> Self {
        Self {
            id: id.into(),
            name: None,
            roles: Vec::new(),
            is_admin: false,
            disabled: false,
            password: Secret::new(hash.into()),
        }
    }
}

/// What to do about a user who is in the file already.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum IfPresent {
    /// Refuse to add them again.
    Refuse,
    /// Write the new entry in place of theirs.
    Replace,
}
