use authgate_core::Event;
use authgate_tower::Record;

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
    /// Method and path of the request that a proxy asked about, if it was such a question.
    pub about: Option<String>,
    /// Method and path of the request, or of the one that a proxy asked about, if the driver can tell.
    pub line: Option<String>,
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
            about: event.about.map(|(method, path)| format!("{method} {path}")),
            line: None,
        }
    }

    /// What there is to know of a layer's record.
    pub fn of_record(record: &Record<'_>) -> Self {
        Self { line: Some(format!("{} {}", record.method, record.path)), ..Self::of(&record.event) }
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
