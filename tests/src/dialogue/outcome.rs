use authgate_core::Event;

/// What an audit trail was told.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Told {
    /// `forward`, `respond` or `delegate`.
    pub outcome: String,
    /// The reason's slug.
    pub reason: String,
    /// The user's id.
    pub user: Option<String>,
    /// The client's address.
    pub client: String,
    /// The kind of client.
    pub kind: String,
    /// The status of the gate's own answer.
    pub status: Option<u16>,
    /// Why, in a sentence.
    pub detail: String,
}

impl Told {
    /// What there is to know of an event.
    pub fn of(event: &Event<'_>) -> Self {
        Self {
            outcome: event.outcome.as_str().to_owned(),
            reason: event.reason.slug().to_owned(),
            user: event.user.map(str::to_owned),
            client: event.client.to_string(),
            kind: event.kind.as_str().to_owned(),
            status: event.status,
            detail: event.detail.clone().into_owned(),
        }
    }
}

/// What came of a visit through some driver.
#[derive(Debug, Clone)]
pub struct Outcome {
    /// The status.
    pub status: u16,
    /// The answer's fields, names in lower case.
    pub headers: Vec<(String, String)>,
    /// The answer's body.
    pub body: String,
    /// What the audit trail was told.
    pub told: Told,
    /// What was asked, in order, if the driver can tell.
    pub asked: Option<Vec<&'static str>>,
}
