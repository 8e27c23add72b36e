use std::future::Future;
use std::panic::AssertUnwindSafe;
use std::time::Duration;

use authgate_core::{Decision, Step, Unavailable};
use futures_lite::FutureExt;
use http::request::Parts;

use crate::Host;

/// The whole driver: answers questions until there are none.
pub async fn drive<H: Host>(mut step: Step, host: &H, request: &Parts, deadline: Duration) -> Decision {
    loop {
        step = match step {
            Step::Done(decision) => return decision,
            Step::AskBackend(backend, then) => {
                let answer = ask(host, deadline, async { host.authenticate(backend, request).await }).await;
                then.resume(answer, host.now())
            }
            question => question.unavailable(Unavailable::new("nothing here answers that"), host.now()),
        };
    }
}

/// An answer within the deadline. One that is late, or that panics, is none.
pub(crate) async fn ask<T>(
    host: &impl Host,
    deadline: Duration,
    answer: impl Future<Output = Result<T, Unavailable>> + Send,
) -> Result<T, Unavailable> {
    let late = async {
        host.sleep(deadline).await;
        Err(Unavailable::new(format!("no answer within {} ms", deadline.as_millis())))
    };
    let answer = AssertUnwindSafe(answer).catch_unwind();
    let answer = async { answer.await.unwrap_or_else(|_| Err(Unavailable::new("the backend panicked"))) };
    answer.or(late).await
}
