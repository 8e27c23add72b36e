use authgate_users::{ListedUser, UserEditor};
use serde_json::{Value, json};

use super::options::ListOptions;
use crate::failure::Failure;
use crate::output::say;

/// Everybody in the file, in its order.
pub(super) fn list(options: &ListOptions) -> Result<(), Failure> {
    let users = UserEditor::new(&options.file).list()?;
    if options.json {
        return say(&users.iter().map(as_json).collect::<Value>().to_string());
    }
    if users.is_empty() {
        return say("Nobody is in the file.");
    }
    say(&table(&users))
}

fn as_json(user: &ListedUser) -> Value {
    json!({
        "id": user.id, "name": user.name, "is_admin": user.is_admin, "roles": user.roles,
        "disabled": user.disabled, "outdated": user.outdated,
    })
}

fn table(users: &[ListedUser]) -> String {
    let mut rows = vec![["ID", "NAME", "ROLES", "REMARKS"].map(str::to_owned)];
    rows.extend(users.iter().map(|user| {
        let remarks = [("admin", user.is_admin), ("disabled", user.disabled), ("outdated", user.outdated)];
        let remarks: Vec<_> = remarks.iter().filter(|(_, holds)| *holds).map(|(remark, _)| *remark).collect();
        [user.id.clone(), user.name.clone(), user.roles.join(", "), remarks.join(", ")]
    }));
    let mut widths = [0; 4];
    for row in &rows {
        for (width, cell) in widths.iter_mut().zip(row) {
            *width = cell.chars().count().max(*width);
        }
    }
    let line = |row: &[String; 4]| {
        let cells: Vec<_> = row.iter().zip(widths).map(|(cell, width)| format!("{cell:width$}")).collect();
        cells.join("  ").trim_end().to_owned()
    };
    rows.iter().map(line).collect::<Vec<_>>().join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn user(id: &str, name: &str) -> ListedUser {
        ListedUser {
            id: id.to_owned(),
            name: name.to_owned(),
            roles: vec![],
            is_admin: false,
            disabled: false,
            outdated: false,
        }
    }

    #[test]
    fn a_table_has_straight_columns_and_no_blanks_at_the_end() {
        let ada = ListedUser {
            roles: vec!["ops".to_owned(), "dev".to_owned()],
            is_admin: true,
            ..user("ada", "Žofie L.")
        };
        let bob = ListedUser { disabled: true, outdated: true, ..user("bob", "bob") };
        assert_eq!(
            table(&[ada, bob, user("eve", "Eve")]),
            "ID   NAME      ROLES     REMARKS\n\
             ada  Žofie L.  ops, dev  admin\n\
             bob  bob                 disabled, outdated\n\
             eve  Eve"
        );
    }
}
