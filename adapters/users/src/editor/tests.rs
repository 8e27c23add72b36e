use std::fs;
use std::sync::Barrier;
use std::thread;

use authgate_core::Secret;
use tempfile::TempDir;

use super::*;
use crate::hash::hash_password;
use crate::hash::tests::cheap;

fn in_folder() -> (TempDir, UserEditor) {
    let folder = tempfile::tempdir().unwrap();
    let editor = UserEditor::new(folder.path().join("users.toml"));
    (folder, editor)
}

fn holding(text: &str) -> (TempDir, UserEditor) {
    let (folder, editor) = in_folder();
    fs::write(editor.path(), text.replace("HASH", &cheap("enigma"))).unwrap();
    (folder, editor)
}

fn text(editor: &UserEditor) -> String {
    fs::read_to_string(editor.path()).unwrap().replace(&cheap("enigma"), "HASH")
}

fn user(id: &str) -> NewUser {
    NewUser::new(id, cheap("enigma"))
}

fn ids(editor: &UserEditor) -> Vec<String> {
    editor.list().unwrap().into_iter().map(|user| user.id).collect()
}

#[test]
fn the_first_user_makes_the_file_and_the_list_shows_everybody() {
    let (_folder, editor) = in_folder();
    let good = hash_password(&Secret::new("enigma".to_owned())).unwrap();
    let mut ada = NewUser::new("ada", good);
    ada.name = Some("Ada Lovelace".to_owned());
    ada.roles = vec!["ops".to_owned(), "dev".to_owned()];
    ada.is_admin = true;
    editor.add(&ada, IfPresent::Refuse).unwrap();
    let mut bob = user("bob \"b\"");
    bob.disabled = true;
    editor.add(&bob, IfPresent::Refuse).unwrap();
    let listed = editor.list().unwrap();
    assert_eq!(
        listed,
        [
            ListedUser {
                id: "ada".to_owned(),
                name: "Ada Lovelace".to_owned(),
                roles: vec!["ops".to_owned(), "dev".to_owned()],
                is_admin: true,
                disabled: false,
                outdated: false,
            },
            ListedUser {
                id: "bob \"b\"".to_owned(),
                name: "bob \"b\"".to_owned(),
                roles: vec![],
                is_admin: false,
                disabled: true,
                outdated: true,
            },
        ]
    );
    assert!(
        text(&editor)
            .starts_with("[[user]]\nid = \"ada\"\nname = \"Ada Lovelace\"\nroles = [\"ops\", \"dev\"]\n")
    );
    assert!(
        text(&editor).ends_with("\n\n[[user]]\nid = 'bob \"b\"'\ndisabled = true\npassword = \"HASH\"\n"),
        "{}",
        text(&editor)
    );
}

#[test]
fn a_user_is_not_added_twice_unless_they_are_to_be_replaced() {
    let (_folder, editor) = in_folder();
    editor.add(&user("ada"), IfPresent::Refuse).unwrap();
    let before = text(&editor);
    let error = editor.add(&user("ada"), IfPresent::Refuse).unwrap_err().to_string();
    assert!(
        error
            .ends_with("users.toml: user \"ada\": is in the file already; remove it first, or use --replace"),
        "{error}"
    );
    assert_eq!(text(&editor), before);
    let mut admin = user("ada");
    admin.is_admin = true;
    editor.add(&admin, IfPresent::Replace).unwrap();
    let listed = editor.list().unwrap();
    assert_eq!(listed.len(), 1);
    assert!(listed[0].is_admin);
}

#[test]
fn what_a_reader_would_refuse_is_not_written() {
    let (_folder, editor) = holding("[[user]]\nid = 'bob'\npassword = 'HASH'\n");
    let before = text(&editor);
    for (new, told) in [
        (user(""), "users.toml: id is empty; write it like id = \"ada\""),
        (user("a\nb"), "users.toml: id holds a control character; write it like id = \"ada\""),
        (
            NewUser::new("ada", "enigma"),
            "users.toml: user \"ada\": password is not an argon2id hash; set a new password; a plain one must not be written here",
        ),
        (
            NewUser { roles: vec![String::new()], ..user("ada") },
            "users.toml: user \"ada\": a role is empty; write it like roles = [\"ops\", \"dev\"]",
        ),
    ] {
        let error = editor.add(&new, IfPresent::Refuse).unwrap_err().to_string();
        assert!(error.ends_with(told), "{error}");
        assert!(!error.contains("enigma"));
    }
    assert!(editor.set_password("bob", "enigma").is_err());
    assert_eq!(text(&editor), before);
    let error = editor.add(&user(""), IfPresent::Refuse).unwrap_err();
    assert_eq!(error.line(), None, "the line is in no file");
}

#[test]
fn a_broken_file_is_left_alone() {
    let broken = "[[user]]\nid = 'ada'\n";
    let (folder, editor) = holding(broken);
    assert!(editor.add(&user("bob"), IfPresent::Refuse).is_err());
    assert!(editor.remove("ada").is_err());
    assert!(editor.list().is_err());
    assert_eq!(text(&editor), broken);
    let left: Vec<_> = fs::read_dir(folder.path()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    assert!(!left.iter().any(|name| name == ".users.toml.new"), "{left:?}");
}

#[test]
fn a_user_who_is_not_there_cannot_be_changed() {
    let (_folder, editor) = in_folder();
    let told = |error: UserFileError| error.to_string();
    assert!(
        told(editor.remove("ada").unwrap_err()).ends_with("does not exist; add a user, or give another path")
    );
    assert!(!editor.path().exists(), "only adding makes a file");
    editor.add(&user("bob"), IfPresent::Refuse).unwrap();
    for error in [
        editor.remove("ada").unwrap_err(),
        editor.set_password("ada", &cheap("x")).unwrap_err(),
        editor.set_disabled("ada", true).unwrap_err(),
    ] {
        assert!(
            told(error)
                .ends_with("users.toml: user \"ada\": is not in the file; list the users to see who is")
        );
    }
}

#[test]
fn comments_and_layout_survive_every_change() {
    let (_folder, editor) = holding(
        "# The users of the dashboard.\n\n# Boss.\n[[user]]\nid = 'ada' # her login\nroles = [\n  \"ops\", # on call\n]\n\
         password   =   'HASH' # of May\n\n# Bob is on leave.\n[[user]]\nid = 'bob'\npassword = 'HASH'\n\n# Until June.\n\
         [[user]]\nid = 'eve'\npassword = 'HASH'\n\n# The end.\n",
    );
    editor.set_disabled("ada", true).unwrap();
    editor.set_password("ada", &cheap("other")).unwrap();
    editor.set_password("ada", &cheap("enigma")).unwrap();
    editor.remove("bob").unwrap();
    editor.add(&user("zoe"), IfPresent::Refuse).unwrap();
    editor.set_disabled("ada", false).unwrap();
    assert_eq!(
        text(&editor),
        "# The users of the dashboard.\n\n# Boss.\n[[user]]\nid = 'ada' # her login\nroles = [\n  \"ops\", # on call\n]\n\
         password   =   \"HASH\" # of May\n\n# Until June.\n[[user]]\nid = 'eve'\npassword = 'HASH'\n\n# The end.\n\n\
         [[user]]\nid = \"zoe\"\npassword = \"HASH\"\n"
    );
    let mut ada = user("ada");
    ada.is_admin = true;
    editor.add(&ada, IfPresent::Replace).unwrap();
    assert!(text(&editor).starts_with(
        "# The users of the dashboard.\n\n# Boss.\n[[user]]\nid = \"ada\" # her login\npassword   =   \"HASH\" # of May\nis_admin = true\n"
    ), "{}", text(&editor));
    editor.remove("ada").unwrap();
    assert!(
        text(&editor).starts_with("# The users of the dashboard.\n\n# Until June.\n[[user]]\n"),
        "{}",
        text(&editor)
    );
    editor.remove("eve").unwrap();
    editor.remove("zoe").unwrap();
    let empty = text(&editor);
    assert!(empty.contains("# The users of the dashboard.\n") && empty.ends_with("user = []\n"), "{empty}");
    assert_eq!(ids(&editor), [""; 0]);
    editor.add(&user("ada"), IfPresent::Refuse).unwrap();
    assert!(text(&editor).starts_with("# The users of the dashboard.\n"), "{}", text(&editor));
    assert_eq!(ids(&editor), ["ada"]);
}

#[test]
fn a_file_of_comments_takes_its_first_user() {
    for (before, after) in
        [("", ""), ("# Nobody yet.\n", "# Nobody yet.\n\n"), ("# Nobody.\nuser = []\n", "# Nobody.\n\n")]
    {
        let (_folder, editor) = holding(before);
        editor.add(&user("ada"), IfPresent::Refuse).unwrap();
        assert_eq!(text(&editor), format!("{after}[[user]]\nid = \"ada\"\npassword = \"HASH\"\n"));
    }
}

#[test]
fn lines_may_end_as_on_windows() {
    let (_folder, editor) = holding(
        "# All.\r\n\r\n[[user]]\r\nid = 'ada'\r\npassword = 'HASH'\r\n\r\n[[user]]\r\nid = 'bob'\r\npassword = 'HASH'\r\n",
    );
    editor.remove("ada").unwrap();
    assert_eq!(ids(&editor), ["bob"]);
    assert!(text(&editor).contains("# All."), "{}", text(&editor));
}

#[test]
fn a_list_of_inline_tables_can_be_edited_too() {
    let (_folder, editor) = holding(
        "# All.\nuser = [\n  { id = 'ada', password = 'HASH' },\n  { id = 'bob', password = 'HASH' },\n]\n",
    );
    editor.add(&user("eve"), IfPresent::Refuse).unwrap();
    editor.remove("ada").unwrap();
    editor.set_disabled("bob", true).unwrap();
    assert_eq!(ids(&editor), ["bob", "eve"]);
    assert!(editor.list().unwrap()[0].disabled);
}

#[test]
fn a_file_of_odd_size_and_order_is_read_back_as_it_was_meant() {
    let (_folder, editor) = in_folder();
    for number in 0..40 {
        editor.add(&user(&format!("user {number}")), IfPresent::Refuse).unwrap();
    }
    for number in (0..40).step_by(3) {
        editor.remove(&format!("user {number}")).unwrap();
    }
    let expected: Vec<_> =
        (0..40).filter(|number| number % 3 != 0).map(|number| format!("user {number}")).collect();
    assert_eq!(ids(&editor), expected);
}

#[test]
fn of_many_changes_at_one_time_none_is_lost() {
    let (_folder, editor) = in_folder();
    let start = Barrier::new(8);
    thread::scope(|scope| {
        for one in 0..8 {
            let (editor, start) = (&editor, &start);
            scope.spawn(move || {
                start.wait();
                for other in 0..5 {
                    editor.add(&user(&format!("{one}-{other}")), IfPresent::Refuse).unwrap();
                }
            });
        }
    });
    let mut found = ids(&editor);
    found.sort();
    let mut expected: Vec<_> =
        (0..8).flat_map(|one| (0..5).map(move |other| format!("{one}-{other}"))).collect();
    expected.sort();
    assert_eq!(found, expected);
}

#[test]
fn a_file_left_behind_by_a_crash_is_in_nobodys_way() {
    let (folder, editor) = in_folder();
    fs::write(folder.path().join(".users.toml.new"), "half").unwrap();
    editor.add(&user("ada"), IfPresent::Refuse).unwrap();
    assert_eq!(ids(&editor), ["ada"]);
    assert!(!folder.path().join(".users.toml.new").exists());
}

#[test]
fn a_folder_that_is_missing_is_told() {
    let editor = UserEditor::new("/nowhere/at/all/users.toml");
    let error = editor.add(&user("ada"), IfPresent::Refuse).unwrap_err().to_string();
    assert!(error.ends_with("make sure that its folder exists and may be written to"), "{error}");
}

#[test]
fn a_new_user_prints_without_the_hash() {
    assert!(!format!("{:?}", user("ada")).contains("argon2"));
}

#[cfg(unix)]
#[test]
fn a_new_file_is_its_owners_alone_and_an_old_one_keeps_its_mode() {
    use std::os::unix::fs::PermissionsExt as _;

    let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
    let (folder, editor) = in_folder();
    editor.add(&user("ada"), IfPresent::Refuse).unwrap();
    assert_eq!(mode(editor.path()), 0o600);
    assert_eq!(mode(&folder.path().join(".users.toml.lock")), 0o600);
    fs::set_permissions(editor.path(), fs::Permissions::from_mode(0o640)).unwrap();
    editor.add(&user("bob"), IfPresent::Refuse).unwrap();
    assert_eq!(mode(editor.path()), 0o640);
}

#[cfg(unix)]
#[test]
fn an_old_file_keeps_its_owner() {
    use std::os::unix::fs::{MetadataExt as _, chown};

    let (_folder, editor) = in_folder();
    editor.add(&user("ada"), IfPresent::Refuse).unwrap();
    // Only root may give a file away.
    if chown(editor.path(), Some(1), Some(1)).is_ok() {
        editor.add(&user("bob"), IfPresent::Refuse).unwrap();
        let now = fs::metadata(editor.path()).unwrap();
        assert_eq!((now.uid(), now.gid()), (1, 1));
    }
}

#[cfg(unix)]
#[test]
fn of_a_link_the_file_behind_it_is_changed() {
    let (folder, editor) = in_folder();
    editor.add(&user("ada"), IfPresent::Refuse).unwrap();
    let link = folder.path().join("link.toml");
    std::os::unix::fs::symlink("users.toml", &link).unwrap();
    UserEditor::new(&link).add(&user("bob"), IfPresent::Refuse).unwrap();
    assert!(link.is_symlink());
    assert_eq!(ids(&editor), ["ada", "bob"]);
}
