use std::convert::Infallible;
use std::future::pending;
use std::io;
use std::sync::mpsc::Sender;
use std::time::Duration;

use authgate_core::{Gate, JwtBackend, Key, Upstream};
use authgate_proxy::{Connector, Exchange, Proxy, ProxyLimits, Target};
use authgate_tower::{BodyError, GateLayer, Host};
use bytes::Bytes;
use http::{Request, Response};
use http_body_util::BodyExt as _;
use http_body_util::combinators::UnsyncBoxBody;
use hyper::body::Incoming;
use jsonwebtoken::{EncodingKey, Header, crypto::aws_lc, encode};
use tower::util::BoxCloneService;
use tower::{Layer as _, Service, ServiceExt as _};

use super::SHORT;

const SECRET: [u8; 32] = [7; 32];

/// What stands in front of the upstream.
pub(crate) struct Setup {
    target: Target,
    pub(crate) limits: ProxyLimits,
    pub(crate) keeps_host: bool,
    /// Whether connecting never ends.
    pub(crate) hangs: bool,
    pub(crate) gate: Option<Gate>,
    pub(crate) exchanges: Option<Sender<Exchange>>,
}

type Body = UnsyncBoxBody<Bytes, BodyError>;

impl Setup {
    pub(crate) fn towards(url: &str) -> Self {
        let target = Target::parse(url).unwrap();
        Self {
            target,
            limits: ProxyLimits::default(),
            keeps_host: true,
            hangs: false,
            gate: None,
            exchanges: None,
        }
    }

    pub(crate) fn impatient(mut self) -> Self {
        self.limits.silence = SHORT;
        self
    }

    /// Behind a gate that admits whoever has a token.
    pub(crate) fn gated(mut self) -> Self {
        let backend = JwtBackend::builder().key(Key::secret(SECRET).unwrap()).build().unwrap();
        self.gate = Some(Gate::builder(backend).upstream(Upstream::new()).build().unwrap());
        self
    }

    /// The whole, as the server calls it.
    pub(crate) fn service<C: Connector, H: Host>(
        self,
        connector: C,
        host: H,
    ) -> BoxCloneService<Request<Incoming>, Response<Body>, Infallible> {
        let connector = Door { connector, hangs: self.hangs };
        let mut proxy =
            Proxy::new(self.target, connector, host.clone(), self.limits).keep_host(self.keeps_host);
        if let Some(exchanges) = self.exchanges {
            proxy = proxy.on_exchange(move |exchange| {
                let _ = exchanges.send(*exchange);
            });
        }
        match self.gate {
            Some(gate) => boxed(GateLayer::new(gate, host).layer(proxy)),
            None => boxed(proxy),
        }
    }
}

fn boxed<S, B>(service: S) -> BoxCloneService<Request<Incoming>, Response<Body>, Infallible>
where
    S: Service<Request<Incoming>, Response = Response<B>, Error = Infallible> + Clone + Send + 'static,
    S::Future: Send,
    B: http_body::Body<Data = Bytes, Error: Into<BodyError>> + Send + 'static,
{
    service
        .map_response(|response: Response<B>| response.map(|body| body.map_err(Into::into).boxed_unsync()))
        .boxed_clone()
}

/// A token that holds for `span`.
pub(crate) fn token<H: Host>(host: &H, span: Duration) -> String {
    let _ = aws_lc::DEFAULT_PROVIDER.install_default();
    let claims = serde_json::json!({ "sub": "ada", "exp": host.now().after(span).as_secs() });
    encode(&Header::default(), &claims, &EncodingKey::from_secret(&SECRET)).unwrap()
}

/// A connector that may never come back.
#[derive(Clone)]
struct Door<C> {
    connector: C,
    hangs: bool,
}

impl<C: Connector> Connector for Door<C> {
    type Connection = C::Connection;

    async fn connect(&self, target: &Target) -> io::Result<C::Connection> {
        if self.hangs {
            pending::<()>().await;
        }
        self.connector.connect(target).await
    }

    fn spawn(&self, task: impl Future<Output = ()> + Send + 'static) {
        self.connector.spawn(task);
    }
}
