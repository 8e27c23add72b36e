//! From the text of a user file to its entries. The values are walked by hand rather than derived: so every refusal names
//! the user and never repeats a value, which could be a hash in the wrong line.

use std::collections::HashSet;
use std::ops::Range;
use std::path::Path;

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use crate::entry::{Entry, fault_of};
use crate::error::UserFileError;
use crate::hash::{BadHash, Phc};

/// The entries of a user file, in its order.
pub(crate) fn parse(path: &Path, bytes: &[u8]) -> Result<Vec<Entry>, UserFileError> {
    let text = str::from_utf8(bytes).map_err(|_| {
        UserFileError::new(path, "is not UTF-8 text", "write it as TOML, with one [[user]] for each user")
    })?;
    let file = File { path, text };
    let root = DeTable::parse(text).map_err(|error| {
        file.refuse(error.span(), None, &format!("is not TOML: {}", error.message()), "correct this line")
    })?;
    let mut users = None;
    for (key, value) in root.get_ref() {
        match key.get_ref().as_ref() {
            "user" => users = Some(value),
            other => return Err(file.unknown(key.span(), None, other)),
        }
    }
    // A file that is being written can be empty for a moment; that must not remove everybody.
    let users = users.ok_or_else(|| {
        file.refuse(None, None, "holds no [[user]]", "add one, or write user = [] if nobody is to sign in")
    })?;
    let shape =
        |span| file.refuse(Some(span), None, "user is not a list of tables", "begin each with [[user]]");
    let DeValue::Array(list) = users.get_ref() else { return Err(shape(users.span())) };
    let mut known = HashSet::new();
    let mut entries = Vec::new();
    for item in list {
        let DeValue::Table(table) = item.get_ref() else { return Err(shape(item.span())) };
        let entry = file.entry(item.span(), table)?;
        if !known.insert(entry.id.clone()) {
            let (problem, remedy) = ("is in the file twice", "remove one of the two entries");
            return Err(file.refuse(Some(item.span()), Some(&entry.id), problem, remedy));
        }
        entries.push(entry);
    }
    Ok(entries)
}

/// The file that is read, to name it and its lines.
struct File<'a> {
    path: &'a Path,
    text: &'a str,
}

type Value<'a> = Spanned<DeValue<'a>>;

impl File<'_> {
    fn entry(&self, span: Range<usize>, table: &DeTable<'_>) -> Result<Entry, UserFileError> {
        let id = self.id(span.clone(), table)?;
        let user = Some(id.as_str());
        let (mut name, mut roles, mut password) = (None, Vec::new(), None);
        let (mut is_admin, mut disabled) = (false, false);
        for (key, value) in table {
            match key.get_ref().as_ref() {
                "id" => {}
                "name" => name = Some(self.word(user, "name", value)?),
                "roles" => roles = self.roles(user, value)?,
                "is_admin" => is_admin = self.flag(user, "is_admin", value)?,
                "disabled" => disabled = self.flag(user, "disabled", value)?,
                "password" => password = Some(self.password(user, value)?),
                other => return Err(self.unknown(key.span(), user, other)),
            }
        }
        let password = password.ok_or_else(|| {
            self.refuse(Some(span), user, "password is missing", "set a password for the user")
        })?;
        Ok(Entry { id, name, roles, is_admin, disabled, password })
    }

    /// The id comes first: whatever else is wrong is told with it.
    fn id(&self, span: Range<usize>, table: &DeTable<'_>) -> Result<String, UserFileError> {
        let id = table.iter().find(|(key, _)| key.get_ref() == "id");
        let (_, value) = id.ok_or_else(|| {
            self.refuse(Some(span), None, "a [[user]] has no id", "give it one, such as id = \"ada\"")
        })?;
        self.word(None, "id", value)
    }

    fn word(&self, user: Option<&str>, key: &str, value: &Value<'_>) -> Result<String, UserFileError> {
        let remedy = || format!("write it like {key} = \"ada\"");
        let DeValue::String(text) = value.get_ref() else {
            return Err(self.refuse(Some(value.span()), user, &format!("{key} is not a string"), &remedy()));
        };
        match fault_of(text) {
            Some(fault) => Err(self.refuse(Some(value.span()), user, &format!("{key} {fault}"), &remedy())),
            None => Ok(text.to_string()),
        }
    }

    fn roles(&self, user: Option<&str>, value: &Value<'_>) -> Result<Vec<String>, UserFileError> {
        let remedy = "write it like roles = [\"ops\", \"dev\"]";
        let DeValue::Array(list) = value.get_ref() else {
            return Err(self.refuse(Some(value.span()), user, "roles is not a list of names", remedy));
        };
        let mut roles = Vec::new();
        for item in list {
            let problem = match item.get_ref() {
                DeValue::String(role) => fault_of(role).map(|fault| format!("a role {fault}")),
                _ => Some("a role is not a string".to_owned()),
            };
            if let Some(problem) = problem {
                return Err(self.refuse(Some(item.span()), user, &problem, remedy));
            }
            roles.extend(item.get_ref().as_str().map(str::to_owned));
        }
        Ok(roles)
    }

    fn flag(&self, user: Option<&str>, key: &str, value: &Value<'_>) -> Result<bool, UserFileError> {
        match value.get_ref() {
            DeValue::Boolean(flag) => Ok(*flag),
            _ => {
                let (problem, remedy) =
                    (format!("{key} is neither true nor false"), format!("write it like {key} = true"));
                Err(self.refuse(Some(value.span()), user, &problem, &remedy))
            }
        }
    }

    fn password(&self, user: Option<&str>, value: &Value<'_>) -> Result<Phc, UserFileError> {
        let text = value.get_ref().as_str().unwrap_or_default();
        Phc::parse(text)
            .map_err(|BadHash(problem, remedy)| self.refuse(Some(value.span()), user, problem, remedy))
    }

    fn unknown(&self, span: Range<usize>, user: Option<&str>, key: &str) -> UserFileError {
        // Only what looks like a key is repeated: it may be anything.
        let bare =
            key.len() <= 32 && key.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '_' | '-'));
        let problem =
            if bare { format!("{key} is no key of a user file") } else { "an unknown key".to_owned() };
        let known = if user.is_some() {
            "a user has id, name, roles, is_admin, disabled and password"
        } else {
            "there is [[user]] and nothing else"
        };
        self.refuse(Some(span), user, &problem, known)
    }

    fn refuse(
        &self,
        span: Option<Range<usize>>,
        user: Option<&str>,
        problem: &str,
        remedy: &str,
    ) -> UserFileError {
        let before = span.and_then(|span| self.text.get(..span.start));
        let line = before.map(|before| before.matches('\n').count() + 1);
        UserFileError::new(self.path, problem, remedy).at_line(line).about(user)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::hash::tests::cheap;

    fn read(text: &str) -> Result<Vec<Entry>, String> {
        let text = text.replace("HASH", &cheap("enigma"));
        parse(Path::new("users.toml"), text.as_bytes()).map_err(|error| error.to_string())
    }

    #[test]
    fn an_entry_has_defaults_for_all_but_its_id_and_password() {
        let text = "[[user]]\nid = 'ada'\npassword = 'HASH'\n\
            [[user]]\nid = 'bob'\nname = 'Bob B.'\nroles = ['ops', 'dev']\nis_admin = true\ndisabled = true\npassword = 'HASH'";
        let entries = read(text).unwrap();
        let [ada, bob] = entries.as_slice() else { panic!("{entries:?}") };
        assert_eq!((ada.id.as_str(), &ada.name, ada.is_admin, ada.disabled), ("ada", &None, false, false));
        assert!(ada.roles.is_empty());
        assert_eq!(ada.account().user.name, "ada");
        assert_eq!((bob.id.as_str(), bob.is_admin, bob.disabled), ("bob", true, true));
        assert_eq!(bob.roles, ["ops", "dev"]);
        assert_eq!(bob.account().user.name, "Bob B.");
    }

    #[test]
    fn nobody_at_all_must_be_said() {
        assert_eq!(read("user = []").unwrap(), []);
        for empty in ["", "# nobody yet\n"] {
            assert_eq!(
                read(empty).unwrap_err(),
                "users.toml: holds no [[user]]; add one, or write user = [] if nobody is to sign in"
            );
        }
    }

    #[test]
    fn every_refusal_names_the_line_the_user_and_the_remedy() {
        for (entry, told) in [
            ("id = 'ada'", "users.toml:1: user \"ada\": password is missing; set a password for the user"),
            ("password = 'HASH'", "users.toml:1: a [[user]] has no id; give it one, such as id = \"ada\""),
            ("id = 7\npassword = 'HASH'", "users.toml:2: id is not a string; write it like id = \"ada\""),
            ("id = ''\npassword = 'HASH'", "users.toml:2: id is empty; write it like id = \"ada\""),
            ("id = ' ada'", "users.toml:2: id begins or ends with white space; write it like id = \"ada\""),
            ("id = \"a\\nb\"", "users.toml:2: id holds a control character; write it like id = \"ada\""),
            ("id = 'HASH'", "users.toml:2: id is a password hash; write it like id = \"ada\""),
            (
                "id = 'ada'\nname = ''",
                "users.toml:3: user \"ada\": name is empty; write it like name = \"ada\"",
            ),
            (
                "id = 'ada'\nname = true",
                "users.toml:3: user \"ada\": name is not a string; write it like name = \"ada\"",
            ),
            (
                "id = 'ada'\nroles = 'HASH'",
                "users.toml:3: user \"ada\": roles is not a list of names; write it like roles = [\"ops\", \"dev\"]",
            ),
            (
                "id = 'ada'\nroles = [\n'ops',\n7]",
                "users.toml:5: user \"ada\": a role is not a string; write it like roles = [\"ops\", \"dev\"]",
            ),
            (
                "id = 'ada'\nroles = ['']",
                "users.toml:3: user \"ada\": a role is empty; write it like roles = [\"ops\", \"dev\"]",
            ),
            (
                "id = 'ada'\nis_admin = 'HASH'",
                "users.toml:3: user \"ada\": is_admin is neither true nor false; write it like is_admin = true",
            ),
            (
                "id = 'ada'\ndisabled = 1",
                "users.toml:3: user \"ada\": disabled is neither true nor false; write it like disabled = true",
            ),
            (
                "id = 'ada'\npassword = 'enigma'",
                "users.toml:3: user \"ada\": password is not an argon2id hash; \
                 set a new password; a plain one must not be written here",
            ),
            (
                "id = 'ada'\npasword = 'HASH'",
                "users.toml:3: user \"ada\": pasword is no key of a user file; \
                 a user has id, name, roles, is_admin, disabled and password",
            ),
            (
                "id = 'ada'\n'HASH' = 1",
                "users.toml:3: user \"ada\": an unknown key; a user has id, name, roles, is_admin, disabled and password",
            ),
            (
                "id = 'ada'\npassword = 'HASH'\n[[user]]\nid = 'ada'\npassword = 'HASH'",
                "users.toml:4: user \"ada\": is in the file twice; remove one of the two entries",
            ),
        ] {
            assert_eq!(read(&format!("[[user]]\n{entry}")).unwrap_err(), told);
        }
    }

    #[test]
    fn anything_but_a_list_of_users_is_refused() {
        for (text, told) in [
            ("[user]\nid = 'ada'", "users.toml:1: user is not a list of tables; begin each with [[user]]"),
            ("user = [7]", "users.toml:1: user is not a list of tables; begin each with [[user]]"),
            (
                "user = []\nversion = 1",
                "users.toml:2: version is no key of a user file; there is [[user]] and nothing else",
            ),
        ] {
            assert_eq!(read(text).unwrap_err(), told);
        }
        assert!(read("[[user]\n").unwrap_err().starts_with("users.toml:1: is not TOML: "));
        assert!(parse(Path::new("u"), b"user = [] # \xff").unwrap_err().to_string().contains("is not UTF-8"));
    }

    #[test]
    fn a_broken_file_never_shows_a_hash() {
        let hash = cheap("enigma");
        let good = format!("[[user]]\nid = 'ada'\npassword = '{hash}'\nroles = ['ops']\n");
        let secret = hash.rsplit('$').next().unwrap();
        let mut broken = 0;
        for at in 0..good.len() {
            for put in ["", "'", "\"", "\n", "=", "[", "]", "#", "\\", ".", " "] {
                let text = format!("{}{put}{}", &good[..at], &good[at + 1..]);
                if let Err(error) = parse(Path::new("users.toml"), text.as_bytes()) {
                    let (told, debug) = (error.to_string(), format!("{error:?}"));
                    for part in [&secret[..8], &secret[secret.len() - 8..], "argon2id$"] {
                        assert!(!told.contains(part) && !debug.contains(part), "{text}\n{told}");
                    }
                    broken += 1;
                }
            }
        }
        assert!(broken > 500, "only {broken} were broken");
    }
}
