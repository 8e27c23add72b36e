//! The files under `/static/`, compiled into the program.

use http::{Response, StatusCode};

use super::reply::{self, DemoBody};

/// What the pages link to, so that a new release is not styled by an old one's cached files.
pub(super) const VERSION: &str = env!("CARGO_PKG_VERSION");

/// The file of that name, exactly; there is no directory to climb out of.
pub(super) fn answer(name: &str) -> Response<DemoBody> {
    const JAVASCRIPT: &str = "text/javascript; charset=utf-8";
    match name {
        "app.css" => reply::asset("text/css; charset=utf-8", include_bytes!("../../assets/app.css")),
        "app.js" => reply::asset(JAVASCRIPT, include_bytes!("../../assets/app.js")),
        "htmx.min.js" => reply::asset(JAVASCRIPT, include_bytes!("../../assets/htmx.min.js")),
        "icon.svg" => reply::asset("image/svg+xml", include_bytes!("../../assets/icon.svg")),
        _ => reply::text(StatusCode::NOT_FOUND, "Not found\n"),
    }
}
