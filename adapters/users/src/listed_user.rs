use crate::entry::Entry;

/// A user of a file, as [`UserEditor::list`](crate::UserEditor::list) shows them: all but the hash.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ListedUser {
    /// What the user signs in with.
    pub id: String,
    /// What to call the user; the id if the file has no name.
    pub name: String,
    /// Names of the roles that the user has.
    pub roles: Vec<String>,
    /// Whether the user may do everything.
    pub is_admin: bool,
    /// Whether the user may not sign in for now.
    pub disabled: bool,
    /// Whether the hash was made with other parameters than the current ones; see [`is_outdated`](crate::is_outdated).
    pub outdated: bool,
}

impl From<Entry> for ListedUser {
    fn from(entry: Entry) -> Self {
        Self {
            outdated: entry.password.is_outdated(),
            name: entry.name.unwrap_or_else(|| entry.id.clone()),
            id: entry.id,
            roles: entry.roles,
            is_admin: entry.is_admin,
            disabled: entry.disabled,
        }
    }
}
