//! Who has signed in, and which of their cookies is still worth anything.

use std::collections::BTreeMap;

use authgate_core::SessionId;

/// The cookies that the gate has handed out, and what is known of the sessions behind them.
#[derive(Default)]
pub(super) struct Jar {
    cookies: Vec<Shown>,
    visits: Vec<SignedIn>,
    records: BTreeMap<SessionId, usize>,
}

/// A cookie, and which sign-in it is of.
#[derive(Debug, Clone)]
pub(super) struct Shown {
    /// `name=value`.
    pub(super) pair: String,
    pub(super) visit: usize,
}

/// What came of a sign-in.
struct SignedIn {
    user: String,
    /// Nobody may get in by it any more.
    over: bool,
}

impl Shown {
    pub(super) fn name(&self) -> &str {
        self.pair.split('=').next().unwrap_or_default()
    }
}

impl Jar {
    pub(super) fn pick(&self, place: usize) -> Option<Shown> {
        self.cookies.get(place.checked_rem(self.cookies.len())?).cloned()
    }

    /// Somebody has signed in.
    pub(super) fn begin(&mut self, user: &str, record: Option<SessionId>) -> usize {
        let visit = self.visits.len();
        self.visits.push(SignedIn { user: user.to_owned(), over: false });
        self.records.extend(record.map(|id| (id, visit)));
        visit
    }

    pub(super) fn keep(&mut self, pair: &str, visit: usize) {
        self.cookies.push(Shown { pair: pair.to_owned(), visit });
    }

    /// The sign-in that a record is of.
    pub(super) fn visit_of(&self, id: &SessionId) -> Option<usize> {
        self.records.get(id).copied()
    }

    /// The user of a sign-in, if that is not over.
    pub(super) fn user(&self, visit: usize) -> Option<&str> {
        self.visits.get(visit).filter(|signed_in| !signed_in.over).map(|signed_in| signed_in.user.as_str())
    }

    pub(super) fn end(&mut self, visit: usize) {
        self.visits[visit].over = true;
    }

    pub(super) fn end_all_of(&mut self, user: &str) {
        self.visits.iter_mut().filter(|visit| visit.user == user).for_each(|visit| visit.over = true);
    }
}
