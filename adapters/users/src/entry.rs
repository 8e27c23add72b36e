use authgate_core::{Account, User};

use crate::error::is_odd;
use crate::hash::Phc;

/// The longest id, name or role in bytes.
const MOST_BYTES: usize = 256;

/// One `[[user]]` of the file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Entry {
    pub(crate) id: String,
    pub(crate) name: Option<String>,
    pub(crate) roles: Vec<String>,
    pub(crate) is_admin: bool,
    pub(crate) disabled: bool,
    pub(crate) password: Phc,
}

impl Entry {
    /// The account that the gate hears of.
    pub(crate) fn account(&self) -> Account {
        let mut user = User::new(self.id.as_str());
        user.name = self.name.as_ref().unwrap_or(&self.id).into();
        user.roles = self.roles.iter().map(Into::into).collect();
        user.is_admin = self.is_admin;
        Account::from(user).with_credential(self.password.as_str())
    }
}

/// Why `text` can be no id, name or role; nothing if it can.
pub(crate) fn fault_of(text: &str) -> Option<&'static str> {
    if text.is_empty() {
        Some("is empty")
    } else if text.len() > MOST_BYTES {
        Some("is longer than 256 bytes")
    } else if text.contains(is_odd) {
        Some("holds a control character")
    } else if text.trim() != text {
        Some("begins or ends with white space")
    } else if text.starts_with("$argon2") {
        // Two lines that were mixed up: a hash must get into no log and no page by way of an id.
        Some("is a password hash")
    } else {
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_is_one_word_or_several_but_never_odd() {
        for good in ["ada", "ada@example.org", "Ada Lovelace", "Žofie", &"x".repeat(256)] {
            assert_eq!(fault_of(good), None, "{good}");
        }
        for bad in
            ["", " ada", "ada ", "\u{a0}ada", "a\nb", "a\0", "a\u{202e}b", "$argon2id$v=19", &"x".repeat(257)]
        {
            assert!(fault_of(bad).is_some(), "{bad:?}");
        }
    }
}
