use std::sync::Arc;

use authgate_core::Unanswered;
use authgate_tower::{BodyError, Expiry, Host, RequestBody};
use bytes::Bytes;
use futures_lite::future::or;
use http::request::Parts;
use http::uri::PathAndQuery;
use http::{Method, Request, Response, StatusCode};
use http_body::Body;
use http_body_util::BodyExt as _;
use hyper::body::Incoming;
use hyper::client::conn::http1::Builder;
use hyper::upgrade::OnUpgrade;

use crate::body::Download;
use crate::fault::{About, Fault};
use crate::headers::{
    asks_for_websocket, is_event_stream, is_websocket, towards_client, towards_upstream,
    websocket_towards_client,
};
use crate::limits::bounded;
use crate::pool::Connection;
use crate::proxy::Shared;
use crate::tunnel::tunnel;
use crate::upload::Upload;
use crate::wire::{Metered, Wire};
use crate::{Connector, ProxyBody};

/// Longest head of an answer, in bytes. The number of its fields is hyper's own limit, 100.
const HEAD_BYTES: usize = 64 * 1024;

/// The upstream's answer, and what is needed to bring it home.
pub(crate) struct Answered {
    response: Response<Incoming>,
    connection: Connection,
    is_head: bool,
    websocket: Option<Handshake>,
}

/// The client's side of a websocket that it asked for.
struct Handshake {
    client: OnUpgrade,
    expiry: Option<Expiry>,
}

impl Answered {
    pub(crate) fn status(&self) -> StatusCode {
        self.response.status()
    }
}

impl<C: Connector, H: Host> Shared<C, H> {
    /// Sends the request, with this path and query, and waits for the head of its answer.
    pub(crate) async fn pass_on<B>(
        &self,
        mut parts: Parts,
        path: PathAndQuery,
        body: B,
    ) -> Result<Answered, Fault>
    where
        B: Body<Data = Bytes> + Send + Unpin + 'static,
        B::Error: Into<BodyError>,
    {
        let body = (!body.is_end_stream()).then_some(body);
        let length = body.as_ref().map(Body::size_hint);
        let most = self.limits.body_bytes;
        if let (Some(length), Some(most)) = (&length, most)
            && length.lower() > most
        {
            let text = format!("the request's body has {} bytes, and may have {most}", length.lower());
            return Err(Fault::new(Unanswered::BodyTooLarge, text));
        }
        let websocket =
            asks_for_websocket(&parts, body.is_some()).then(|| parts.extensions.remove()).flatten();
        let expiry: Option<Expiry> = parts.extensions.remove();
        let websocket = websocket.map(|client| Handshake { client, expiry: expiry.clone() });
        let upgrades = websocket.is_some();
        let request = towards_upstream(parts, path, length.as_ref(), upgrades, &self.target, self.keeps_host);
        let is_head = request.method() == Method::HEAD;
        let (response, connection) = self.send(request, body, expiry, upgrades).await?;
        if response.status() == StatusCode::SWITCHING_PROTOCOLS
            && (websocket.is_none() || !is_websocket(response.headers()))
        {
            return Err(Fault::new(Unanswered::Broken, "the upstream switched protocols unasked"));
        }
        Ok(Answered { response, connection, is_head, websocket })
    }

    /// Never two requests for one decision.
    ///
    /// An upstream may close a connection that waits just when a request is sent on it, and then nobody knows
    /// whether it was acted on. So only a request that may be sent twice (safe, RFC 9110 §9.2.1, and without a
    /// body) goes over a connection that was used before; if that dies without a word, it is sent once more, on a
    /// new one (§9.2.2).
    async fn send<B>(
        &self,
        request: Request<()>,
        body: Option<B>,
        expiry: Option<Expiry>,
        is_websocket: bool,
    ) -> Result<(Response<Incoming>, Connection), Fault>
    where
        B: Body<Data = Bytes> + Send + Unpin + 'static,
        B::Error: Into<BodyError>,
    {
        let is_safe = matches!(*request.method(), Method::GET | Method::HEAD | Method::OPTIONS);
        if is_safe
            && body.is_none()
            && !is_websocket
            && let Some(mut used) = self.pool.take().await
        {
            let again = request.clone().map(|()| Upload::none());
            match self.exchange(&mut used, again).await {
                Ok(response) => return Ok((response, used)),
                Err(Failed { died_silently: true, .. }) => {}
                Err(Failed { fault, .. }) => return Err(fault),
            }
        }
        let mut connection = self.open().await?;
        let body = match body {
            Some(body) => {
                connection.may_be_kept = false;
                let body = RequestBody::new(body.map_err(Into::into));
                Upload::new(body, self.limits.body_bytes, expiry, &connection.wire)
            }
            None => Upload::none(),
        };
        let sent = self.exchange(&mut connection, request.map(|()| body)).await;
        sent.map(|response| (response, connection)).map_err(|failed| failed.fault)
    }

    async fn exchange(
        &self,
        connection: &mut Connection,
        request: Request<Upload>,
    ) -> Result<Response<Incoming>, Failed> {
        let Connection { sender, wire, .. } = connection;
        wire.begins();
        let sent = async {
            sender.try_send_request(request).await.map_err(|failed| {
                let was_sent = failed.message().is_none();
                let error = failed.into_error();
                let broken = || Fault::because(Unanswered::Broken, "no answer", &error);
                Failed {
                    died_silently: !was_sent || wire.died_silently(&error),
                    fault: wire.upload_fault().cloned().unwrap_or_else(broken),
                }
            })
        };
        let late = async {
            let fault = wire.silence(&self.host, self.limits.silence).await;
            Err(Failed { died_silently: false, fault })
        };
        or(sent, late).await
    }

    async fn open(&self) -> Result<Connection, Fault> {
        let connected = async {
            self.connector.connect(&self.target).await.map_err(|error| {
                let why = match error.kind() {
                    std::io::ErrorKind::TimedOut => Unanswered::TimedOut,
                    _ => Unanswered::Unreachable,
                };
                Fault::because(why, "could not connect", &error)
            })
        };
        let late = async {
            self.host.sleep(bounded(self.limits.connect)).await;
            let text = format!("could not connect within {} ms", self.limits.connect.as_millis());
            Err(Fault::new(Unanswered::TimedOut, text))
        };
        let io = or(connected, late).await?;
        let wire = Arc::new(Wire::new());
        let mut http = Builder::new();
        http.max_header_size(HEAD_BYTES).max_buf_size(HEAD_BYTES);
        let made = http.handshake(Metered::new(io, Arc::clone(&wire))).await;
        let (sender, driven) =
            made.map_err(|error| Fault::because(Unanswered::Broken, "no connection", &error))?;
        let driven = driven.with_upgrades();
        self.connector.spawn(async {
            if let Err(error) = driven.await {
                tracing::debug!(%error, "connection to the upstream failed");
            }
        });
        Ok(Connection { sender, wire, may_be_kept: true })
    }

    /// The answer as the client gets it.
    pub(crate) fn finish(&self, answered: Answered, about: About) -> Response<ProxyBody> {
        let Answered { mut response, connection, is_head, websocket } = answered;
        if response.status() == StatusCode::SWITCHING_PROTOCOLS
            && let Some(Handshake { client, expiry }) = websocket
        {
            let upstream = hyper::upgrade::on(&mut response);
            self.connector.spawn(tunnel(client, upstream, expiry));
            websocket_towards_client(&mut response);
            return response.map(|_| ProxyBody::own(Bytes::new()));
        }
        towards_client(&mut response, is_head);
        let silence = (!is_event_stream(response.headers())).then_some(self.limits.silence);
        let pool = Arc::clone(&self.pool);
        response.map(|body| {
            ProxyBody::download(Download { body, connection, pool, about, silence, waiting: None })
        })
    }
}

struct Failed {
    /// Not a byte of an answer came, if the request was sent at all.
    died_silently: bool,
    fault: Fault,
}
