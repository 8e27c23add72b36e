//! What changes a user file. Each says on one line what has become of the user.

use authgate_users::{IfPresent, NewUser, UserEditor};

use super::options::{AddOptions, Whom};
use super::password;
use crate::failure::Failure;
use crate::output::say;

pub(super) fn add(options: &AddOptions) -> Result<(), Failure> {
    let Whom { file, id } = &options.whom;
    let editor = UserEditor::new(file);
    // Nobody should type a password twice to hear this afterwards. Whatever else is wrong, the editor says.
    let present = editor.list().is_ok_and(|users| users.iter().any(|user| user.id == *id));
    if present && !options.replace {
        let what = format!("user \"{id}\": is in the file already; remove it first, or use --replace");
        return Err(Failure::at(file, what));
    }
    let mut user = NewUser::new(id, password::hash_of_new(&format!("Password for {id}"))?);
    user.name.clone_from(&options.name);
    user.roles.clone_from(&options.roles);
    user.is_admin = options.admin;
    editor.add(&user, if options.replace { IfPresent::Replace } else { IfPresent::Refuse })?;
    say(&format!("{id} can sign in"))
}

pub(super) fn password(Whom { file, id }: &Whom) -> Result<(), Failure> {
    let editor = UserEditor::new(file);
    if editor.list()?.iter().all(|user| user.id != *id) {
        let what = format!("user \"{id}\": is not in the file; list the users to see who is");
        return Err(Failure::at(file, what));
    }
    editor.set_password(id, &password::hash_of_new(&format!("New password for {id}"))?)?;
    say(&format!("{id} has a new password"))
}

pub(super) fn disable(Whom { file, id }: &Whom) -> Result<(), Failure> {
    UserEditor::new(file).set_disabled(id, true)?;
    say(&format!("{id} cannot sign in any more"))
}

pub(super) fn enable(Whom { file, id }: &Whom) -> Result<(), Failure> {
    UserEditor::new(file).set_disabled(id, false)?;
    say(&format!("{id} can sign in"))
}

pub(super) fn remove(Whom { file, id }: &Whom) -> Result<(), Failure> {
    UserEditor::new(file).remove(id)?;
    say(&format!("{id} is removed"))
}
