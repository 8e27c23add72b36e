use redis::{ErrorKind, RedisError};

/// What went wrong, in words that hold nothing of what was sent: neither a password nor whose session it was about.
pub(crate) fn words(error: &RedisError) -> String {
    match (error.code(), error.kind()) {
        (_, ErrorKind::AuthenticationFailed) | (Some("WRONGPASS"), _) => {
            "it refuses the user or the password".into()
        }
        (Some("NOAUTH"), _) => "it demands a password, and its URL has none (NOAUTH)".into(),
        (Some("NOPERM"), _) => "its user may not do that (NOPERM)".into(),
        (Some("OOM"), _) => "it is out of memory (OOM)".into(),
        (Some("READONLY"), _) => "it is a replica and cannot be written to (READONLY)".into(),
        (Some("LOADING"), _) => "it is still loading its data (LOADING)".into(),
        (Some("BUSY"), _) => "it is busy with a script (BUSY)".into(),
        (Some("MISCONF"), _) => "it cannot save to its disk (MISCONF)".into(),
        (Some("WRONGTYPE"), _) => "a key of ours holds something else (WRONGTYPE)".into(),
        (Some(code), _) => format!("it refuses ({code})"),
        (None, ErrorKind::Io) => format!("{error}"),
        (None, ErrorKind::Parse) => "it answers with what is no Redis reply".into(),
        (None, _) => error.category().to_owned(),
    }
}

/// Whether another connection might do better: the other end has changed its role or its mind.
pub(crate) fn wants_another_connection(error: &RedisError) -> bool {
    matches!(error.code(), Some("READONLY" | "LOADING" | "MASTERDOWN" | "NOAUTH" | "WRONGPASS"))
}
