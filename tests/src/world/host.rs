use std::time::Duration;

use authgate_core::{Delegation, Proven, Timestamp, Unavailable};
use authgate_tower::{Host, Record, RequestBody};
use bytes::Bytes;
use http::header::COOKIE;
use http::request::Parts;
use http::{Request, Response};

use super::{World, own_page};
use crate::dialogue::Told;

/// The world as the host of a layer, on the timers of some runtime.
#[derive(Clone)]
pub struct WorldHost<R> {
    /// Whose timers they are.
    pub runtime: R,
    /// Who answers everything else.
    pub world: World,
}

impl<R: Host> Host for WorldHost<R> {
    fn now(&self) -> Timestamp {
        self.world.now()
    }

    fn draw(&self) -> Result<[u8; 32], Unavailable> {
        self.world.draw()
    }

    fn sleep(&self, span: Duration) -> impl Future<Output = ()> + Send + 'static {
        self.runtime.sleep(span)
    }

    async fn authenticate(
        &self,
        backend: &'static str,
        request: &Parts,
    ) -> Result<Option<Proven>, Unavailable> {
        self.world.who(backend, request.headers.get(COOKIE).and_then(|cookie| cookie.to_str().ok()))
    }

    async fn answer(
        &self,
        page: &Delegation,
        _request: Request<RequestBody>,
    ) -> Result<Response<Bytes>, Unavailable> {
        Ok(Response::new(Bytes::from(own_page(page))))
    }

    fn record(&self, record: &Record<'_>) {
        record.trace();
        self.world.record(Told::of_record(record));
    }
}
