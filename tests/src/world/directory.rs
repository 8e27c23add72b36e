use authgate_core::{
    AuthBackend, Delegation, Head, LoginAnswer, LogoutAnswer, Proof, Proven, Timestamp, User,
};
use http::header::COOKIE;

use super::NOW;

/// A backend that must wait: its users show a cookie, and the driver asks who that is.
pub(super) struct Directory(pub(super) &'static str);

impl AuthBackend for Directory {
    fn name(&self) -> &'static str {
        self.0
    }

    fn authenticate(&self, head: &Head<'_>, _now: Timestamp) -> Proof {
        if head.headers().has(&COOKIE) { Proof::Wait } else { Proof::Absent }
    }

    fn login(&self) -> LoginAnswer {
        LoginAnswer::Delegate
    }

    fn logout(&self) -> LogoutAnswer {
        LogoutAnswer::Delegate
    }

    fn routes(&self) -> Vec<String> {
        if self.0 == "directory" { vec!["/callback".to_owned()] } else { Vec::new() }
    }
}

/// Whom the backend knows by a cookie; an error if it cannot be asked.
pub(super) fn who(backend: &str, cookie: Option<&str>) -> Result<Option<Proven>, &'static str> {
    let user = |id: &str, name: &str| User { name: name.into(), ..User::new(id) };
    Ok(match (backend, cookie) {
        ("directory", Some("session=ada")) => Some(user("ada", "Ada").into()),
        ("annex", Some("session=grace")) => Some(user("grace", "Grace").into()),
        // A proof that has ended, and a user who is nobody.
        ("directory", Some("session=past")) => Some(Proven { until: Some(NOW), ..user("ada", "Ada").into() }),
        ("directory", Some("session=nobody")) => Some(user("", "").into()),
        ("directory", Some("session=down")) => return Err("the directory is down"),
        _ => None,
    })
}

/// What the directory's own pages say.
pub fn own_page(page: &Delegation) -> String {
    format!("{}: {:?}", page.backend, page.page)
}
