use authgate_core::{Account, Lookup, Unavailable, User, Verdict};

/// Whose a password is.
pub fn verdict(username: &str, password: &str) -> Result<Verdict, Unavailable> {
    match (username, password) {
        (_, "down") => Err(Unavailable::new("the user store is out of reach")),
        (_, "nonsense") => Ok(Some(User::new("")).into()),
        ("ada" | "alan" | "joan" | "mary", "right") | ("grace", "hopper-1906") => {
            Ok(Some(user(username)).into())
        }
        _ => Ok(Verdict::Rejected),
    }
}

/// What has become of a user since they signed in: Alan is gone, Joan has lost her role, Mary has another password, and of
/// everybody else nothing is known.
pub(super) fn look_up(id: &str) -> Lookup {
    let later = user(id);
    match id {
        "alan" => Lookup::Gone,
        "joan" => Lookup::Found(User { roles: Vec::new(), ..later.user }.into()),
        "mary" => Lookup::Found(later.with_credential("another hash")),
        _ => Lookup::Unknowable,
    }
}

/// A user who is called by their id, with a capital.
fn user(id: &str) -> Account {
    let (first, rest) = id.split_at(1);
    let name = first.to_uppercase() + rest;
    let roles = if id == "joan" { vec!["ops".into()] } else { Vec::new() };
    let account = Account::from(User { name: name.into(), roles, ..User::new(id) });
    if id == "mary" { account.with_credential("a hash") } else { account }
}
