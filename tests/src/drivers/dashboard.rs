//! What stands behind the gate: it says who came and with which header fields.

use std::convert::Infallible;
use std::future::ready;
use std::sync::Arc;

use authgate_core::{Mount, User};
use authgate_tower::{BodyError, GateBody, GateLayer, Host};
use bytes::Bytes;
use http::{Method, Request, Response};
use http_body_util::Full;
use tower::{Layer as _, Service, service_fn};

use crate::world::{Settings, World, WorldHost};

/// What every driver's dashboard answers.
pub(super) fn dashboard(user: Option<&User>, mut names: Vec<String>, method: &Method) -> Response<Bytes> {
    names.retain(|name| !matches!(name.as_str(), "host" | "connection" | "authorization" | "content-length"));
    names.sort();
    names.dedup();
    let body = if method == Method::HEAD { String::new() } else { format!("passed: {}", names.join(" ")) };
    let mut response = Response::new(Bytes::from(body));
    let fields = response.headers_mut();
    fields.insert("x-seen-user", user.map_or("-", |user| &user.name).parse().unwrap());
    fields.insert("x-seen-rights", user.map(rights).unwrap_or_default().parse().unwrap());
    response
}

/// What somebody may do, in the words of rules.
fn rights(user: &User) -> String {
    let roles = user.roles.iter().map(|role| format!("role:{role}"));
    user.is_admin.then(|| "admins".to_owned()).into_iter().chain(roles).collect::<Vec<_>>().join(" ")
}

/// The gate's layer before it, and the world that it is in.
pub(super) fn stack<B, R: Host>(
    settings: &Settings,
    runtime: R,
) -> (
    World,
    impl Service<Request<B>, Response = Response<GateBody<Full<Bytes>>>, Error = Infallible, Future: Send>
    + Clone
    + Send
    + 'static
    + use<B, R>,
)
where
    B: http_body::Body<Data = Bytes> + Send + 'static,
    B::Error: Into<BodyError>,
{
    let inner = service_fn(|request: Request<B>| {
        let user = request.extensions().get::<Arc<User>>().map(Arc::as_ref);
        let names = request.headers().keys().map(|name| name.as_str().to_owned()).collect();
        ready(Ok::<_, Infallible>(dashboard(user, names, request.method()).map(Full::new)))
    });
    let (gate, keys) = settings.build();
    let world = World::new(keys);
    let host = WorldHost { runtime, world: world.clone() };
    let layer = GateLayer::new(gate, host).users(world.clone()).key_fetcher(world.clone());
    let layer =
        if settings.sharing { layer.shared_store(world.clone()) } else { layer.session_store(world.clone()) };
    (world, layer.below(Mount::parse(&settings.below).unwrap()).layer(inner))
}
