//! The table of steps, which may follow which, and what is drawn of it.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::sync::OnceLock;

use authgate_core::Step;

use crate::dialogue::folder;

/// Two steps, the second right after the first. A visit begins after `begin`.
pub type Pair = (String, String);

/// The steps that may follow each step, by name: `tests/steps.toml`.
pub fn successors() -> &'static BTreeMap<String, Vec<String>> {
    static TABLE: OnceLock<BTreeMap<String, Vec<String>>> = OnceLock::new();
    TABLE.get_or_init(|| toml::from_str(&fs::read_to_string(folder().join("steps.toml")).unwrap()).unwrap())
}

/// All pairs of the table.
pub fn pairs() -> BTreeSet<Pair> {
    let pairs = successors().iter().flat_map(|(from, to)| to.iter().map(|to| (from.clone(), to.clone())));
    pairs.collect()
}

/// All steps, in an order in which most of them come later than those that they may follow.
const ORDER: [&str; 14] = [
    "ReadBody",
    "HearEndings",
    "LoadCounts",
    "SwapCounts",
    "CheckPassword",
    "DrawBytes",
    "LoadSession",
    "LookUpUser",
    "RenewSession",
    "DropSession",
    "CreateSession",
    "AskBackend",
    "FetchKeys",
    "Done",
];

/// The table as a drawing: a line for each step, and a column for each that may follow it.
pub fn drawing() -> String {
    let widest = ORDER.iter().map(|name| name.len()).max().unwrap_or_default();
    let margin = " ".repeat(widest + 5);
    let mut lines: Vec<String> =
        (0..).zip(ORDER).map(|(before, name)| format!("{margin}{}{name}", "│ ".repeat(before))).collect();
    for from in std::iter::once("begin").chain(ORDER).filter(|name| *name != "Done") {
        let may = &successors()[from];
        let marks = ORDER.map(|to| if may.iter().any(|name| name == to) { "●" } else { "·" });
        lines.push(format!(" {from} {}► {}", "─".repeat(widest + 1 - from.len()), marks.join(" ")));
    }
    lines.join("\n")
}

/// The steps of one visit, as they are seen.
#[derive(Debug, Clone, Default)]
pub struct Walk {
    names: Vec<&'static str>,
}

impl Walk {
    /// Sees the next step.
    ///
    /// # Errors
    /// The table does not have it after the one before.
    pub fn see(&mut self, step: &Step) -> Result<(), String> {
        let (from, to) = (self.names.last().copied().unwrap_or("begin"), name(step));
        self.names.push(to);
        match successors().get(from) {
            Some(may) if may.iter().any(|name| name == to) => Ok(()),
            _ => Err(format!("{to} after {from} is not in steps.toml (all: {})", self.names.join(", "))),
        }
    }

    /// What was asked, in order.
    pub fn asked(&self) -> Vec<&'static str> {
        self.names.iter().copied().filter(|name| *name != "Done").collect()
    }

    /// The pairs that were seen.
    pub fn pairs(&self) -> impl Iterator<Item = Pair> {
        let from = std::iter::once("begin").chain(self.names.iter().copied());
        from.zip(&self.names).map(|(from, to)| (from.to_owned(), (*to).to_owned()))
    }
}

/// The name of a step.
pub fn name(step: &Step) -> &'static str {
    match step {
        Step::ReadBody(..) => "ReadBody",
        Step::AskBackend(..) => "AskBackend",
        Step::FetchKeys(..) => "FetchKeys",
        Step::CheckPassword(..) => "CheckPassword",
        Step::LookUpUser(..) => "LookUpUser",
        Step::DrawBytes(..) => "DrawBytes",
        Step::LoadSession(..) => "LoadSession",
        Step::CreateSession(..) => "CreateSession",
        Step::RenewSession(..) => "RenewSession",
        Step::DropSession(..) => "DropSession",
        Step::HearEndings(..) => "HearEndings",
        Step::LoadCounts(..) => "LoadCounts",
        Step::SwapCounts(..) => "SwapCounts",
        Step::Done(..) => "Done",
    }
}
