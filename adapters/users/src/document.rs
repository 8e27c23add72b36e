//! A user file as text with comments, which outlive every change to the entries.

use toml_edit::{Array, ArrayOfTables, Decor, DocumentMut, Item, RawString, Table, Value};

use crate::new_user::NewUser;

/// The entries, or nothing if `user` is no list of tables.
///
/// A list that is written as a value, `user = []`, becomes one that is written as tables.
pub(crate) fn entries(document: &mut DocumentMut) -> Option<&mut ArrayOfTables> {
    let written = document.get("user").is_some_and(Item::is_array_of_tables);
    if !written {
        let above = document.key("user").map(|key| text(key.leaf_decor().prefix())).unwrap_or_default();
        let mut tables = match document.remove("user") {
            None => ArrayOfTables::new(),
            Some(Item::Value(Value::Array(list))) if list.is_empty() => ArrayOfTables::new(),
            Some(item) => item.into_array_of_tables().ok()?,
        };
        // The comments above the value stay at the top.
        match tables.get_mut(0) {
            Some(first) => first.decor_mut().set_prefix(above),
            None => document.set_trailing(above + &text(Some(document.trailing()))),
        }
        document.insert("user", Item::ArrayOfTables(tables));
    }
    document.get_mut("user").and_then(Item::as_array_of_tables_mut)
}

/// Where the entry with this id is.
pub(crate) fn position(entries: &ArrayOfTables, id: &str) -> Option<usize> {
    entries.iter().position(|entry| entry.get("id").and_then(Item::as_str) == Some(id))
}

/// Writes a new entry at the end.
pub(crate) fn append(document: &mut DocumentMut, user: &NewUser) -> Option<()> {
    let mut entry = Table::new();
    fill(&mut entry, user);
    let first = entries(document)?.is_empty();
    // What stood at the end of the file stands above the new entry now.
    let mut above = text(Some(document.trailing()));
    if !first || !(above.is_empty() || above.ends_with("\n\n")) {
        above.push('\n');
    }
    document.set_trailing("");
    entry.decor_mut().set_prefix(above);
    entries(document)?.push(entry);
    Some(())
}

/// Makes the entry that of `user`. Comments stay on the lines that stay.
pub(crate) fn fill(entry: &mut Table, user: &NewUser) {
    let roles = (!user.roles.is_empty()).then(|| user.roles.iter().collect::<Array>());
    set(entry, "id", Some(user.id.as_str().into()));
    set(entry, "name", user.name.as_deref().map(Value::from));
    set(entry, "roles", roles.map(Value::from));
    set(entry, "is_admin", user.is_admin.then(|| true.into()));
    set(entry, "disabled", user.disabled.then(|| true.into()));
    set(entry, "password", Some(user.password.expose().as_str().into()));
}

/// Sets one value, or removes its line. A comment after the value stays.
pub(crate) fn set(entry: &mut Table, key: &str, value: Option<Value>) {
    match (value, entry.get_mut(key)) {
        (None, _) => {
            entry.remove(key);
        }
        (Some(mut value), Some(item)) => {
            *value.decor_mut() = item.as_value().map(Value::decor).cloned().unwrap_or_default();
            *item = Item::Value(value);
        }
        (Some(value), None) => {
            entry.insert(key, Item::Value(value));
        }
    }
}

/// Removes an entry, and the comment right above it. What an empty line sets apart from it stays.
pub(crate) fn remove(document: &mut DocumentMut, position: usize) -> Option<()> {
    let tables = entries(document)?;
    let gone = tables.remove(position);
    let stays = set_apart(&text(gone.decor().prefix()));
    if let Some(next) = tables.get_mut(position) {
        let below = text(next.decor().prefix());
        let above = match (stays.is_empty(), position) {
            // The first entry of a file has no empty line above it, and neither has what was set apart already.
            (true, 0) | (false, _) => stays + below.trim_start_matches(['\r', '\n']),
            (true, _) => below,
        };
        next.decor_mut().set_prefix(above);
    } else if tables.is_empty() {
        // Nobody at all must be said, or the file would be taken for half written.
        document.remove("user");
        let mut key = toml_edit::Key::new("user");
        *key.leaf_decor_mut() = Decor::new(stays, " ");
        document.insert_formatted(&key, Item::Value(Array::new().into()));
    } else {
        document.set_trailing(stays + &text(Some(document.trailing())));
    }
    Some(())
}

/// Of what stands above an entry, all up to the last empty line, unless it is nothing but empty lines.
fn set_apart(above: &str) -> String {
    let mut end = 0;
    let mut at = 0;
    for line in above.split_inclusive('\n') {
        at += line.len();
        if line.trim().is_empty() {
            end = at;
        }
    }
    let stays = above.get(..end).unwrap_or_default();
    if stays.trim().is_empty() { String::new() } else { stays.to_owned() }
}

fn text(raw: Option<&RawString>) -> String {
    raw.and_then(RawString::as_str).unwrap_or_default().to_owned()
}
