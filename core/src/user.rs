use std::collections::BTreeMap;
use std::fmt;

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use smol_str::SmolStr;

/// Who was admitted.
///
/// Nobody is an administrator, and nobody has a role, unless the backend says so.
///
/// ```
/// use authgate_core::User;
///
/// let ada = User { name: "Ada Lovelace".into(), roles: vec!["ops".into()], ..User::new("ada") };
/// assert!(ada.has_role("ops") && ada.name == "Ada Lovelace" && !ada.is_admin);
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct User {
    /// What identifies the user for good; never empty.
    pub id: SmolStr,
    /// What to call the user on a page.
    pub name: SmolStr,
    /// Whether the user may do everything.
    pub is_admin: bool,
    /// Names of the roles that the user has.
    pub roles: Vec<SmolStr>,
    /// The claims of the token that the user presented, if it was a token. No session keeps them.
    #[serde(skip)]
    pub claims: Option<Claims>,
    /// What a host notes about the user beside that, as a JSON object: the gate never reads it, and sessions keep it. A
    /// sealed session must fit into a cookie with it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub extra: Option<Claims>,
}

impl User {
    /// A user without any right, called by their id.
    pub fn new(id: impl Into<SmolStr>) -> Self {
        let id = id.into();
        Self { name: id.clone(), id, is_admin: false, roles: Vec::new(), claims: None, extra: None }
    }

    /// Whether a text grants a right, as AsyncMQ reads it: `1`, `true`, `yes` or `on`, whatever the case.
    pub fn grants(text: &str) -> bool {
        // Python counts these four separators as white space, too.
        let is_space = |c: char| c.is_whitespace() || ('\u{1c}'..='\u{1f}').contains(&c);
        ["1", "true", "yes", "on"].iter().any(|yes| text.trim_matches(is_space).eq_ignore_ascii_case(yes))
    }

    /// Whether the user has the role `name`.
    pub fn has_role(&self, name: &str) -> bool {
        self.roles.iter().any(|role| role == name)
    }
}

/// The claims of a verified token, or what a host notes about a user: kept as the text of a JSON object, and read only when
/// somebody asks.
#[derive(Clone, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Claims(Box<str>);

impl Claims {
    /// Claims from the text of a JSON object; nothing if it is none.
    pub fn from_json(json: &str) -> Option<Self> {
        let object: Option<BTreeMap<String, &RawValue>> = serde_json::from_str(json).ok();
        object.map(|_| Self(json.into()))
    }

    /// Claims from text that has been read as a JSON object already.
    pub(crate) fn known(json: String) -> Self {
        Self(json.into_boxed_str())
    }

    /// The JSON object as it was given.
    pub fn json(&self) -> &str {
        &self.0
    }

    /// The claim `name`, or nothing if it is missing or of another type. The last of duplicate names counts.
    pub fn get<T: DeserializeOwned>(&self, name: &str) -> Option<T> {
        let mut all: BTreeMap<String, &RawValue> = serde_json::from_str(self.json()).ok()?;
        serde_json::from_str(all.remove(name)?.get()).ok()
    }
}

impl TryFrom<String> for Claims {
    type Error = &'static str;

    fn try_from(json: String) -> Result<Self, Self::Error> {
        Self::from_json(&json).ok_or("this is no JSON object")
    }
}

impl From<Claims> for String {
    fn from(claims: Claims) -> Self {
        claims.0.into_string()
    }
}

impl PartialEq for Claims {
    fn eq(&self, other: &Self) -> bool {
        self.json() == other.json()
    }
}

impl Eq for Claims {}

// Claims may hold personal data; a log line that prints a user must not print them.
impl fmt::Debug for Claims {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Claims(…)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn claims_are_an_object_and_nothing_else() {
        assert_eq!(Claims::from_json(r#" {"a":[1]} "#).unwrap().get("a"), Some(vec![1]));
        for json in ["", "[]", "1", "{", r#"{"a":1}x"#] {
            assert!(Claims::from_json(json).is_none(), "{json}");
        }
    }

    #[test]
    fn claims_are_the_same_if_their_text_is_and_print_nothing_of_it() {
        let claims = |json: &str| Claims::from_json(json).unwrap();
        assert!(claims(r#"{"a":1}"#) == claims(r#"{"a":1}"#) && claims(r#"{"a":1}"#) != claims(r#"{"a":2}"#));
        assert_eq!(format!("{:?}", claims(r#"{"mail":"ada@dash.example"}"#)), "Claims(…)");
    }
}
