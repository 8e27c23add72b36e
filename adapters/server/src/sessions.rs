use std::path::PathBuf;

use authgate_core::{SealingKey, Sessions};

use crate::cli::SessionStore;
use crate::failure::Failure;
use crate::keys::FoundSecret;

/// Sessions that are kept in `store`; sealed with the secrets in `files`, or with `fresh` if there are none.
pub(crate) fn sessions(
    store: SessionStore,
    files: &[PathBuf],
    fresh: impl FnOnce() -> Result<SealingKey, Failure>,
) -> Result<Sessions, Failure> {
    match (store, files) {
        (SessionStore::Memory, []) => Ok(Sessions::records()),
        (SessionStore::Memory, _) => Err(Failure::new(
            "--session-secret-file is for sessions in cookies; add --session-store cookie, or leave it out",
        )),
        (SessionStore::Cookie, []) => Ok(Sessions::sealed([fresh()?])),
        (SessionStore::Cookie, files) => {
            let keys = files.iter().map(|path| {
                let secret = FoundSecret::in_file(path)?;
                SealingKey::new(secret.bytes.expose())
                    .map_err(|error| Failure::at(path, error.renamed("secret")))
            });
            Ok(Sessions::sealed(keys.collect::<Result<Vec<_>, _>>()?))
        }
    }
}

/// Says what sessions in cookies cannot do. To be said once the program is sure to start: a mistake is told alone.
pub(crate) fn warn_of_sealed_sessions(files: &[PathBuf], tells_others: bool) {
    if files.is_empty() && tells_others {
        tracing::warn!(
            target: "authgate",
            "no --session-secret-file (session_secret_files): no other gate can open this one's sessions; make one with \
             `authgate secret`, and give it to all"
        );
    } else if files.is_empty() {
        tracing::warn!(
            target: "authgate",
            "no --session-secret-file (session_secret_files): sessions are sealed with a secret of this run and end with it"
        );
    } else if !tells_others {
        tracing::warn!(target: "authgate", "sessions are in cookies: sign-outs are forgotten when this process ends");
    }
}
