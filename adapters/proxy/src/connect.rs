use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use authgate_tower::Host;
use hyper::rt::{Read, Write};

use crate::Target;
use crate::limits::bounded;

/// What the proxy needs of a runtime: connections to the upstream, and tasks that drive them.
///
/// Ready to use: `authgate_proxy::tokio::Connector` and `authgate_proxy::smol::Connector`, each behind the
/// feature of its name.
pub trait Connector: Clone + Send + Sync + 'static {
    /// A connection, as hyper drives it.
    type Connection: Read + Write + Unpin + Send + 'static;

    /// Connects to `target`: resolves its name, and tries its addresses in turn.
    fn connect(&self, target: &Target) -> impl Future<Output = io::Result<Self::Connection>> + Send;

    /// Runs `task` to its end beside everything else. Where that cannot be, it is dropped.
    fn spawn(&self, task: impl Future<Output = ()> + Send + 'static);
}

pub(crate) type Task = Pin<Box<dyn Future<Output = ()> + Send>>;

/// A connector and a host, whatever their types.
pub(crate) trait World: Send + Sync {
    fn spawn(&self, task: Task);
    fn sleep(&self, span: Duration) -> Task;
}

pub(crate) struct Runtime<C, H> {
    pub(crate) connector: C,
    pub(crate) host: H,
}

impl<C: Connector, H: Host> Runtime<C, H> {
    pub(crate) fn shared(connector: &C, host: &H) -> Arc<dyn World> {
        Arc::new(Self { connector: connector.clone(), host: host.clone() })
    }
}

impl<C: Connector, H: Host> World for Runtime<C, H> {
    fn spawn(&self, task: Task) {
        self.connector.spawn(task);
    }

    fn sleep(&self, span: Duration) -> Task {
        Box::pin(self.host.sleep(bounded(span)))
    }
}
