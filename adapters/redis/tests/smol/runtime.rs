use std::time::Duration;

pub(crate) fn block_on<T: Send + 'static>(future: impl Future<Output = T> + Send + 'static) -> T {
    smol::block_on(smol::spawn(future))
}

/// Whether it ended in time. It is dropped if it did not.
pub(crate) async fn within<T>(span: Duration, future: impl Future<Output = T>) -> Option<T> {
    let late = async {
        smol::Timer::after(span).await;
        None
    };
    smol::future::or(async { Some(future.await) }, late).await
}

/// Lets them run side by side.
pub(crate) async fn all<T: Send + 'static>(
    futures: impl IntoIterator<Item = impl Future<Output = T> + Send + 'static>,
) -> Vec<T> {
    let tasks: Vec<_> = futures.into_iter().map(smol::spawn).collect();
    let mut answers = Vec::new();
    for task in tasks {
        answers.push(task.await);
    }
    answers
}

pub(crate) async fn pause(span: Duration) {
    smol::Timer::after(span).await;
}
