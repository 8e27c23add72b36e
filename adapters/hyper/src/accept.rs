use std::io;
use std::time::Duration;

use authgate_tower::Host;

/// The next connection that `attempt` accepts.
///
/// A connection that is gone before it was accepted is passed over. Any other failure, for want of file descriptors
/// say, is logged and tried again after 50 ms.
///
/// # Errors
/// When the listener can never accept because its socket does not listen.
pub async fn accept<C, F>(host: &impl Host, mut attempt: impl FnMut() -> F) -> io::Result<C>
where
    F: Future<Output = io::Result<C>>,
{
    loop {
        match attempt().await {
            Ok(connection) => return Ok(connection),
            Err(error) => match error.kind() {
                io::ErrorKind::InvalidInput => return Err(error),
                io::ErrorKind::ConnectionReset | io::ErrorKind::ConnectionAborted => {}
                _ => {
                    tracing::warn!(%error, "accept failed");
                    host.sleep(Duration::from_millis(50)).await;
                }
            },
        }
    }
}
