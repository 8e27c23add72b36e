use std::io;
use std::net::TcpListener;

use authgate_smol::Limits;
use smol::Async;

use crate::harness::Example;

pub(crate) fn run(
    listener: TcpListener,
    service: Example,
    limits: Limits,
    shutdown: impl Future<Output = ()> + Send + 'static,
    abandoned: impl Future<Output = ()> + Send + 'static,
) -> io::Result<()> {
    smol::block_on(smol::spawn(async {
        let listener = smol::net::TcpListener::from(Async::new(listener)?);
        let served = authgate_smol::serve(listener, service, limits, shutdown);
        smol::future::or(served, async {
            abandoned.await;
            Ok(())
        })
        .await
    }))
}

pub(crate) fn spawn(task: impl Future<Output = ()> + Send + 'static) {
    smol::spawn(task).detach();
}
