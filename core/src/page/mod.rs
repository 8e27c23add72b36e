//! The pages that the gate renders: plain HTML and one style, no script, nothing loaded.

mod login;
mod texts;

use std::fmt::Write as _;
use std::time::Duration;

use aws_lc_rs::digest;
use http::{HeaderValue, StatusCode};

pub use self::login::{LoginError, LoginForm, LoginPage};
pub use self::texts::Texts;
use crate::ConfigError;
use crate::local_path::LocalPath;

const STYLE: &str = include_str!("page.css");

/// What all pages of a gate share, prepared once.
#[derive(Debug)]
pub(crate) struct Pages {
    title: String,
    logo: String,
    texts: Texts,
    policy: HeaderValue,
}

/// What a refusal may offer besides its advice.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Links<'a> {
    pub(crate) home: &'a LocalPath,
    /// The logout page, for somebody who may be somebody else, too.
    pub(crate) switch_user: Option<&'a LocalPath>,
}

impl Pages {
    pub(crate) fn new(title: &str, logo: Option<String>, texts: Texts) -> Result<Self, ConfigError> {
        if title.trim().is_empty() {
            return Err(ConfigError::new("title", "it is empty", "name the dashboard"));
        }
        let hash = digest::digest(&digest::SHA256, STYLE.as_bytes());
        let hash = base64_simd::STANDARD.encode_to_string(hash.as_ref());
        let policy = format!(
            "default-src 'none'; style-src 'sha256-{hash}'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
        );
        let policy = HeaderValue::from_str(&policy)
            .map_err(|_| ConfigError::new("title", "no policy can be built", "report this as a bug"))?;
        Ok(Self { title: title.to_owned(), logo: logo.unwrap_or_else(|| title.to_owned()), texts, policy })
    }

    /// The policy that lets a page use its own style and nothing else (CSP level 3).
    pub(crate) fn policy(&self) -> &HeaderValue {
        &self.policy
    }

    pub(crate) fn login(&self, page: &LoginPage) -> String {
        match page {
            LoginPage::Token { header, scheme } => self.render(
                &self.texts.by_token,
                &format!(
                    "<p>{}</p><pre><code>{}: {} eyJ…</code></pre>",
                    escape(&self.texts.by_token_advice),
                    escape(header),
                    escape(scheme)
                ),
            ),
        }
    }

    /// The page with the form that somebody signs in with.
    pub(crate) fn login_form(&self, form: &LoginForm) -> String {
        self.render(&self.texts.sign_in, &self.login_fragment(form))
    }

    /// The form alone.
    pub(crate) fn login_fragment(&self, form: &LoginForm) -> String {
        let texts = &self.texts;
        let mut html = format!("<form method=\"post\" action=\"{}\">\n", escape(form.action.as_str()));
        // Focus starts where there is something to read or to write: at the error, or else at the first empty field.
        let (mut focus, mut described) = (" autofocus", "");
        if let Some(error) = form.error {
            let text = match error {
                LoginError::Wrong => texts.wrong.clone(),
                LoginError::Throttled { wait } => texts.throttled.replace("{wait}", &spell(wait)),
                LoginError::CannotCheck => texts.cannot_check.clone(),
            };
            let text = escape(&text);
            // Writing to a String cannot fail.
            let _ = writeln!(
                html,
                "<p class=\"error\" id=\"error\" role=\"alert\" tabindex=\"-1\" autofocus>{text}</p>"
            );
            (focus, described) = ("", " aria-describedby=\"error\"");
        }
        let _ = write!(
            html,
            "<label for=\"username\">{}</label>\n\
             <input id=\"username\" name=\"username\" type=\"text\" value=\"{}\" autocomplete=\"username\" \
             autocapitalize=\"none\" autocorrect=\"off\" spellcheck=\"false\" required{focus}{described}>\n\
             <label for=\"password\">{}</label>\n\
             <input id=\"password\" name=\"password\" type=\"password\" autocomplete=\"current-password\" \
             required{described}>\n",
            escape(&texts.username),
            escape(&form.username),
            escape(&texts.password),
        );
        if let Some(next) = &form.next {
            let _ =
                writeln!(html, "<input type=\"hidden\" name=\"next\" value=\"{}\">", escape(next.as_str()));
        }
        let _ = write!(html, "<button type=\"submit\">{}</button>\n</form>\n", escape(&texts.sign_in));
        html
    }

    /// The page with the button that signs out.
    pub(crate) fn logout(&self, action: &LocalPath, home: &LocalPath) -> String {
        let body = format!(
            "<p>{}</p>\n<form method=\"post\" action=\"{}\">\n<button type=\"submit\" autofocus>{}</button>\n</form>\n{}",
            escape(&self.texts.sign_out_advice),
            escape(action.as_str()),
            escape(&self.texts.sign_out),
            self.link(home, &self.back()),
        );
        self.render(&self.texts.sign_out, &body)
    }

    /// A refusal. It says what to do next, and not why.
    pub(crate) fn refusal(&self, status: StatusCode, text: &str, links: Links<'_>) -> String {
        let texts = &self.texts;
        let (heading, advice) = match status {
            StatusCode::FORBIDDEN => (&texts.not_allowed, &texts.not_allowed_advice),
            StatusCode::NOT_FOUND => (&texts.nothing_here, &texts.nothing_here_advice),
            StatusCode::SERVICE_UNAVAILABLE => (&texts.try_again, &texts.try_again_advice),
            StatusCode::BAD_GATEWAY | StatusCode::GATEWAY_TIMEOUT => {
                (&texts.try_again, &texts.no_answer_advice)
            }
            _ => (&texts.did_not_work, &texts.did_not_work_advice),
        };
        let mut body = format!("<p role=\"alert\">{}.</p>\n<p>{}</p>\n", escape(text), escape(advice));
        if let Some(switch) = links.switch_user {
            body.push_str(&self.link(switch, &texts.switch_user));
        }
        body.push_str(&self.link(links.home, &self.back()));
        self.render(heading, &body)
    }

    fn back(&self) -> String {
        self.texts.back.replace("{title}", &self.title)
    }

    #[allow(clippy::unused_self, reason = "a part of a page, as the others are")]
    fn link(&self, to: &LocalPath, text: &str) -> String {
        format!("<p><a href=\"{}\">{}</a></p>\n", escape(to.as_str()), escape(text))
    }

    fn render(&self, heading: &str, body: &str) -> String {
        let (lang, title, logo) = (escape(&self.texts.lang), escape(&self.title), escape(&self.logo));
        let heading = escape(heading);
        format!(
            "<!doctype html>\n<html lang=\"{lang}\">\n<head>\n<meta charset=\"utf-8\">\n\
             <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
             <meta name=\"color-scheme\" content=\"light dark\">\n\
             <meta name=\"robots\" content=\"noindex\">\n<title>{heading} · {title}</title>\n\
             <style>{STYLE}</style>\n</head>\n<body>\n<main>\n<p class=\"brand\">{logo}</p>\n<h1>{heading}</h1>\n\
             {body}</main>\n</body>\n</html>\n"
        )
    }
}

/// A span as people read it in any language: `30 s`, `15 min`.
fn spell(span: Duration) -> String {
    match span.as_secs() {
        seconds @ ..120 => format!("{seconds} s"),
        seconds => format!("{} min", seconds.div_ceil(60)),
    }
}

/// Text that stands in an element or a quoted attribute.
fn escape(text: &str) -> String {
    let mut safe = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '&' => safe.push_str("&amp;"),
            '<' => safe.push_str("&lt;"),
            '>' => safe.push_str("&gt;"),
            '"' => safe.push_str("&quot;"),
            '\'' => safe.push_str("&#39;"),
            other => safe.push(other),
        }
    }
    safe
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_others_wrote_is_escaped() {
        let texts = Texts { username: "<u>".into(), ..Texts::default() };
        let pages = Pages::new("<Ops> & \"Co\"", None, texts).unwrap();
        let page = LoginPage::Token { header: "x'><script>".into(), scheme: "Bearer".into() };
        let html = pages.login(&page);
        assert!(html.contains("&lt;Ops&gt; &amp; &quot;Co&quot;") && !html.contains("<script"));
        let html = pages.login_form(&LoginForm { username: "\"><script>".into(), ..form() });
        assert!(html.contains("&lt;u&gt;") && !html.contains("<script"));
    }

    fn form() -> LoginForm {
        let home = LocalPath::home(&crate::Mount::default());
        LoginForm { action: home, next: None, username: String::new(), error: None, fragment: false }
    }

    #[test]
    fn focus_starts_in_one_place_and_an_error_is_announced() {
        let pages = Pages::new("Ops", Some("Logo".into()), Texts::default()).unwrap();
        let throttled = LoginError::Throttled { wait: Duration::from_mins(15) };
        for (error, text) in [
            (None, "Logo"),
            (Some(LoginError::Wrong), "do not match"),
            (Some(throttled), "wait 15 min and"),
            (Some(LoginError::CannotCheck), "could not be checked"),
        ] {
            let html = pages.login_form(&LoginForm { error, ..form() });
            assert!(html.contains(text), "{html}");
            assert_eq!(html.matches(" autofocus").count(), 1);
            assert_eq!(html.matches("role=\"alert\"").count(), usize::from(error.is_some()));
        }
    }

    #[test]
    fn the_policy_knows_the_style_and_nothing_else() {
        let pages = Pages::new("Ops", None, Texts::default()).unwrap();
        let policy = pages.policy().to_str().unwrap();
        assert!(policy.contains("style-src 'sha256-") && !policy.contains("unsafe"), "{policy}");
        assert!(!STYLE.contains("</") && !STYLE.contains("url(") && !STYLE.contains("@import"));
    }

    #[test]
    fn a_refusal_says_what_to_do_next() {
        let pages = Pages::new("Ops", None, Texts::default()).unwrap();
        let home = LocalPath::home(&crate::Mount::default());
        let texts = Texts::default();
        for (status, heading, advice) in [
            (StatusCode::FORBIDDEN, &texts.not_allowed, &texts.not_allowed_advice),
            (StatusCode::NOT_FOUND, &texts.nothing_here, &texts.nothing_here_advice),
            (StatusCode::SERVICE_UNAVAILABLE, &texts.try_again, &texts.try_again_advice),
            (StatusCode::BAD_GATEWAY, &texts.try_again, &texts.no_answer_advice),
            (StatusCode::GATEWAY_TIMEOUT, &texts.try_again, &texts.no_answer_advice),
            (StatusCode::BAD_REQUEST, &texts.did_not_work, &texts.did_not_work_advice),
        ] {
            let html = pages.refusal(status, "Refused", Links { home: &home, switch_user: None });
            assert!(
                html.contains(&escape(heading)[..]) && html.contains(&escape(advice)[..]),
                "{status}: {html}"
            );
        }
    }
}
