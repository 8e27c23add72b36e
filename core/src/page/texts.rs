/// Every text on the pages that the gate renders; English by default.
///
/// The short sentences that programs match on (`Authentication required`…) are not here: they stay as they are.
///
/// ```
/// use authgate_core::Texts;
///
/// let german = Texts {
///     lang: "de".into(),
///     sign_in: "Anmelden".into(),
///     username: "Benutzername".into(),
///     password: "Passwort".into(),
///     wrong: "Benutzername und Passwort passen nicht zusammen.".into(),
///     ..Texts::default()
/// };
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
#[allow(missing_docs, reason = "each is what its name says, and its default shows it")]
pub struct Texts {
    /// The language of these texts (BCP 47).
    pub lang: String,
    /// The login page's heading and its button.
    pub sign_in: String,
    pub username: String,
    pub password: String,
    /// The username and password are nobody's.
    pub wrong: String,
    /// Too many tries; `{wait}` becomes how long to wait, such as `30 s` or `15 min`.
    pub throttled: String,
    /// The password could not be checked.
    pub cannot_check: String,
    /// The logout page's heading and its button.
    pub sign_out: String,
    pub sign_out_advice: String,
    pub by_token: String,
    pub by_token_advice: String,
    pub not_allowed: String,
    pub not_allowed_advice: String,
    /// The link from "not allowed" to signing out.
    pub switch_user: String,
    pub nothing_here: String,
    pub nothing_here_advice: String,
    pub try_again: String,
    pub try_again_advice: String,
    /// The server behind the gate gave no answer; below the same heading.
    pub no_answer_advice: String,
    /// Any other refusal.
    pub did_not_work: String,
    pub did_not_work_advice: String,
    /// The link home; `{title}` becomes the dashboard's name.
    pub back: String,
}

impl Default for Texts {
    fn default() -> Self {
        let text = str::to_owned;
        Self {
            lang: text("en"),
            sign_in: text("Sign in"),
            username: text("Username"),
            password: text("Password"),
            wrong: text("That username and password do not match. Please try again."),
            throttled: text("Too many tries. Please wait {wait} and try again."),
            cannot_check: text("Your password could not be checked. Please try again in a moment."),
            sign_out: text("Sign out"),
            sign_out_advice: text("You will have to sign in again to come back."),
            by_token: text("Access by token"),
            by_token_advice: text(
                "This dashboard lets in requests that carry a valid token. Tokens are issued elsewhere; ask whoever runs \
                 this dashboard for one, and send it with every request:",
            ),
            not_allowed: text("Not allowed"),
            not_allowed_advice: text("If you think that this is a mistake, ask whoever runs this dashboard."),
            switch_user: text("Sign in as somebody else"),
            nothing_here: text("Nothing here"),
            nothing_here_advice: text("The address may be mistyped, or the page may have moved."),
            try_again: text("Please try again"),
            try_again_advice: text("It could not be checked who you are. Try again in a moment."),
            no_answer_advice: text("It may be starting anew. Try again in a moment."),
            did_not_work: text("This did not work"),
            did_not_work_advice: text("The request could not be understood."),
            back: text("Back to {title}"),
        }
    }
}
