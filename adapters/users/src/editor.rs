use std::path::{Path, PathBuf};

use toml_edit::{ArrayOfTables, DocumentMut, Table};

use crate::document;
use crate::error::UserFileError;
use crate::listed_user::ListedUser;
use crate::new_user::{IfPresent, NewUser};
use crate::parse::parse;
use crate::read::read;
use crate::write;

/// Changes a user file, for a command line. Each change is all or nothing, and of two at one time none is lost. What
/// people wrote around the entries stays, comments included.
#[derive(Debug, Clone)]
pub struct UserEditor {
    path: PathBuf,
}

impl UserEditor {
    /// An editor of the file at `path`. Adding the first user makes the file, for its owner's eyes only.
    pub fn new(path: impl Into<PathBuf>) -> Self {
        Self { path: path.into() }
    }

    /// The file that is edited.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Everybody in the file, in its order.
    ///
    /// # Errors
    /// The file cannot be read, or anything in it is wrong.
    pub fn list(&self) -> Result<Vec<ListedUser>, UserFileError> {
        let entries = parse(&self.path, &read(&self.path)?.bytes)?;
        Ok(entries.into_iter().map(ListedUser::from).collect())
    }

    /// Adds a user, or writes their entry anew if they may be replaced.
    ///
    /// # Errors
    /// The user is in the file already and must not be replaced, something about the user is wrong, or the file is
    /// broken or cannot be written.
    pub fn add(&self, user: &NewUser, if_present: IfPresent) -> Result<(), UserFileError> {
        self.edit(true, |document| {
            let entries = self.entries(document)?;
            match (document::position(entries, &user.id).and_then(|at| entries.get_mut(at)), if_present) {
                (None, _) => document::append(document, user).ok_or_else(|| self.odd()),
                (Some(entry), IfPresent::Replace) => {
                    document::fill(entry, user);
                    Ok(())
                }
                (Some(_), IfPresent::Refuse) => {
                    let (problem, remedy) = ("is in the file already", "remove it first, or use --replace");
                    Err(UserFileError::new(&self.path, problem, remedy).about(Some(&user.id)))
                }
            }
        })
    }

    /// Gives a user another password, by its hash from [`hash_password`](crate::hash_password); all else stays.
    ///
    /// # Errors
    /// There is no such user, the hash is none, or the file is broken or cannot be written.
    pub fn set_password(&self, id: &str, hash: &str) -> Result<(), UserFileError> {
        self.change(id, |entry| document::set(entry, "password", Some(hash.into())))
    }

    /// Keeps a user from signing in, or lets them again; all else stays.
    ///
    /// # Errors
    /// There is no such user, or the file is broken or cannot be written.
    pub fn set_disabled(&self, id: &str, disabled: bool) -> Result<(), UserFileError> {
        self.change(id, |entry| document::set(entry, "disabled", disabled.then(|| true.into())))
    }

    /// Removes a user, and the comment right above their entry.
    ///
    /// # Errors
    /// There is no such user, or the file is broken or cannot be written.
    pub fn remove(&self, id: &str) -> Result<(), UserFileError> {
        self.edit(false, |document| {
            let position = document::position(self.entries(document)?, id).ok_or_else(|| self.nobody(id))?;
            document::remove(document, position).ok_or_else(|| self.odd())
        })
    }

    fn change(&self, id: &str, change: impl FnOnce(&mut Table)) -> Result<(), UserFileError> {
        self.edit(false, |document| {
            let entries = self.entries(document)?;
            let entry = document::position(entries, id).and_then(|at| entries.get_mut(at));
            change(entry.ok_or_else(|| self.nobody(id))?);
            Ok(())
        })
    }

    /// Reads, changes and writes the file while nobody else does. What is written is what a reader takes.
    fn edit(
        &self,
        create: bool,
        change: impl FnOnce(&mut DocumentMut) -> Result<(), UserFileError>,
    ) -> Result<(), UserFileError> {
        // Of a link, the file behind it is replaced, and not the link.
        let real = self.path.canonicalize().unwrap_or_else(|_| self.path.clone());
        let lock = write::lock(&real)?;
        let old = match real.try_exists() {
            Ok(false) if create => Vec::new(),
            _ => read(&self.path)?.bytes,
        };
        let text = String::from_utf8_lossy(&old);
        // A new file has no entry yet; any other must be good before and after.
        if !(create && is_blank(&text)) {
            parse(&self.path, &old)?;
        }
        let mut document = text.parse::<DocumentMut>().map_err(|_| self.odd())?;
        change(&mut document)?;
        let new = document.to_string();
        // A line of what was not written would lead nowhere.
        parse(&self.path, new.as_bytes()).map_err(|error| error.at_line(None))?;
        write::replace(&real, &new, &lock)
    }

    fn entries<'a>(&self, document: &'a mut DocumentMut) -> Result<&'a mut ArrayOfTables, UserFileError> {
        document::entries(document).ok_or_else(|| self.odd())
    }

    fn nobody(&self, id: &str) -> UserFileError {
        let id: String = id.chars().take(256).collect();
        UserFileError::new(&self.path, "is not in the file", "list the users to see who is").about(Some(&id))
    }

    /// The reader took the text, so the editor ought to.
    fn odd(&self) -> UserFileError {
        UserFileError::new(&self.path, "is written in a way that cannot be edited", "edit it by hand")
    }
}

/// Whether a file holds comments at most.
fn is_blank(text: &str) -> bool {
    text.lines().all(|line| line.trim().is_empty() || line.trim_start().starts_with('#'))
}

#[cfg(test)]
mod tests;
