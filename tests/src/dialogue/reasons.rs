use std::collections::BTreeMap;
use std::fs;
use std::sync::OnceLock;

use super::read::folder;

/// The sentence that the audit trail usually has for a reason, by the reason's slug.
pub fn reasons() -> &'static BTreeMap<String, String> {
    static REASONS: OnceLock<BTreeMap<String, String>> = OnceLock::new();
    REASONS
        .get_or_init(|| toml::from_str(&fs::read_to_string(folder().join("reasons.toml")).unwrap()).unwrap())
}
