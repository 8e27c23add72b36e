use std::collections::{BTreeSet, HashMap};

use authgate_core::Lookup;

use crate::entry::Entry;
use crate::hash::Phc;

/// The users of one state of the file.
#[derive(Clone)]
pub(crate) struct Users {
    entries: HashMap<String, Entry>,
    /// Who was in the last state and is not in this one, by id, with the password that they had: removed, or cut off by
    /// somebody who is just writing the file.
    missing: HashMap<String, Phc>,
    /// Whom an unknown user is compared with. It costs as much as the costliest of the users.
    nobody: Phc,
}

impl Users {
    /// An unknown user is compared with `nobody`, made as costly as these users; as it is if there are none.
    pub(crate) fn new(entries: Vec<Entry>, nobody: &Phc) -> Self {
        let active = entries.iter().filter(|entry| !entry.disabled).map(|entry| &entry.password);
        let nobody = active
            .max_by_key(|password| password.work())
            .map_or_else(|| nobody.clone(), |costliest| nobody.as_costly_as(costliest));
        let entries = entries.into_iter().map(|entry| (entry.id.clone(), entry)).collect();
        Self { entries, missing: HashMap::new(), nobody }
    }

    /// The state after this one, and whose sessions end by it: of who is disabled or has another password now. Who is
    /// missing is not among them yet.
    pub(crate) fn next(&self, entries: Vec<Entry>, nobody: &Phc) -> (Self, BTreeSet<String>) {
        let mut next = Self::new(entries, nobody);
        let mut ended = BTreeSet::new();
        for (id, password) in self.known() {
            match next.entries.get(id) {
                None => {
                    next.missing.insert(id.clone(), password.clone());
                }
                Some(entry) if entry.disabled || entry.password != *password => {
                    ended.insert(id.clone());
                }
                Some(_) => {}
            }
        }
        (next, ended)
    }

    /// Whose sessions end when the users of another file take the place of these: of who is not among them, or has another
    /// password there.
    pub(crate) fn lost_to(&self, others: &Self) -> BTreeSet<String> {
        let stays =
            |id: &str, password: &Phc| others.active(id).is_some_and(|entry| entry.password == *password);
        self.known().filter(|(id, password)| !stays(id, password)).map(|(id, _)| id.clone()).collect()
    }

    /// All who may have sessions, with their passwords.
    fn known(&self) -> impl Iterator<Item = (&String, &Phc)> {
        let active = self.entries.values().filter(|entry| !entry.disabled);
        active.map(|entry| (&entry.id, &entry.password)).chain(&self.missing)
    }

    /// Takes who is missing for removed: their ids.
    pub(crate) fn confirm(&mut self) -> BTreeSet<String> {
        std::mem::take(&mut self.missing).into_keys().collect()
    }

    /// How many are missing.
    pub(crate) fn missing(&self) -> usize {
        self.missing.len()
    }

    /// The user with this id, unless they are disabled.
    pub(crate) fn active(&self, id: &str) -> Option<&Entry> {
        self.entries.get(id).filter(|entry| !entry.disabled)
    }

    /// The password of the user with this id, and whether there is such a user; nobody's otherwise.
    pub(crate) fn password(&self, id: &str) -> (&Phc, bool) {
        self.active(id).map_or((&self.nobody, false), |entry| (&entry.password, true))
    }

    /// What is known of a user. Of who is missing nothing is: their sessions go on as they are.
    pub(crate) fn look_up(&self, id: &str) -> Lookup {
        match self.active(id) {
            Some(entry) => Lookup::Found(entry.account()),
            None if self.missing.contains_key(id) => Lookup::Unknowable,
            None => Lookup::Gone,
        }
    }

    pub(crate) fn len(&self) -> usize {
        self.entries.len()
    }

    /// Whose hash has outdated parameters.
    pub(crate) fn outdated(&self) -> BTreeSet<&str> {
        let outdated = self.entries.values().filter(|entry| entry.password.is_outdated());
        outdated.map(|entry| entry.id.as_str()).collect()
    }
}
