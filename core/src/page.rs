//! The pages that the gate renders: plain HTML and one style, no script, nothing loaded.

use std::fmt::Write as _;

use aws_lc_rs::digest;
use http::{HeaderValue, StatusCode};

use crate::ConfigError;
use crate::local_path::LocalPath;

const STYLE: &str = include_str!("page.css");

/// What a login path shows.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum LoginPage {
    /// Tokens are issued elsewhere: says in which field and with which word they are expected.
    Token {
        /// The header field.
        header: String,
        /// The word before the token.
        scheme: String,
    },
}

/// What all pages of a gate share, prepared once.
#[derive(Debug)]
pub(crate) struct Pages {
    title: String,
    policy: HeaderValue,
}

impl Pages {
    pub(crate) fn new(title: &str) -> Result<Self, ConfigError> {
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
        Ok(Self { title: title.to_owned(), policy })
    }

    /// The policy that lets a page use its own style and nothing else (CSP level 3).
    pub(crate) fn policy(&self) -> &HeaderValue {
        &self.policy
    }

    pub(crate) fn login(&self, page: &LoginPage) -> String {
        match page {
            LoginPage::Token { header, scheme } => self.render(
                "Access by token",
                &format!(
                    "<p>This dashboard lets in requests that carry a valid token. Tokens are issued elsewhere; \
                     ask whoever runs this dashboard for one, and send it with every request:</p>\
                     <pre><code>{}: {} eyJ…</code></pre>",
                    escape(header),
                    escape(scheme)
                ),
                None,
            ),
        }
    }

    /// A refusal. It says what to do next, and not why.
    pub(crate) fn refusal(&self, status: StatusCode, text: &str, home: &LocalPath) -> String {
        let (heading, advice) = match status {
            StatusCode::FORBIDDEN => {
                ("Not allowed", "If you think you should be, ask whoever runs this dashboard.")
            }
            StatusCode::NOT_FOUND => {
                ("Nothing here", "The address may be mistyped, or the page may have moved.")
            }
            StatusCode::SERVICE_UNAVAILABLE => {
                ("Please try again", "It could not be checked who you are. Try again in a moment.")
            }
            _ => ("This did not work", "The request could not be understood."),
        };
        let body = format!("<p role=\"alert\">{}.</p><p>{}</p>", escape(text), escape(advice));
        self.render(heading, &body, Some(home))
    }

    fn render(&self, heading: &str, body: &str, home: Option<&LocalPath>) -> String {
        let (title, heading) = (escape(&self.title), escape(heading));
        let mut html = format!(
            "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
             <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
             <meta name=\"color-scheme\" content=\"light dark\">\n\
             <meta name=\"robots\" content=\"noindex\">\n<title>{heading} · {title}</title>\n\
             <style>{STYLE}</style>\n</head>\n<body>\n<main>\n<p class=\"brand\">{title}</p>\n<h1>{heading}</h1>\n{body}\n"
        );
        if let Some(home) = home {
            // Writing to a String cannot fail.
            let _ = writeln!(html, "<p><a href=\"{}\">Back to {title}</a></p>", escape(home.as_str()));
        }
        html.push_str("</main>\n</body>\n</html>\n");
        html
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
        let pages = Pages::new("<Ops> & \"Co\"").unwrap();
        let page = LoginPage::Token { header: "x'><script>".into(), scheme: "Bearer".into() };
        let html = pages.login(&page);
        assert!(html.contains("&lt;Ops&gt; &amp; &quot;Co&quot;") && !html.contains("<script"));
    }

    #[test]
    fn the_policy_knows_the_style_and_nothing_else() {
        let pages = Pages::new("Ops").unwrap();
        let policy = pages.policy().to_str().unwrap();
        assert!(policy.contains("style-src 'sha256-") && !policy.contains("unsafe"), "{policy}");
        assert!(!STYLE.contains("</") && !STYLE.contains("url(") && !STYLE.contains("@import"));
    }
}
