//! What a browser attaches by itself proves who asks, and not that they meant to.

use authgate_core::{Gate, Proven, User};
use serde_json::json;
use tower::Layer as _;

use crate::world::{App, World, bearer, by_cookie, gate, request, send, token, waiting};

const COOKIE: (&str, &str) = ("cookie", "session=1");
const OURS: [&[(&str, &str)]; 4] = [
    &[("sec-fetch-site", "same-origin"), ("origin", "null")],
    &[("sec-fetch-site", "none")],
    &[("origin", "http://dash.example")],
    &[("origin", "HTTP://DASH.example:80")],
];
const FOREIGN: [&[(&str, &str)]; 7] = [
    &[],
    &[("sec-fetch-site", "cross-site")],
    &[("sec-fetch-site", "same-site"), ("origin", "http://dash.example")],
    &[("origin", "http://evil.example")],
    &[("origin", "http://dash.example.evil.example")],
    &[("origin", "https://dash.example")],
    &[("origin", "null")],
];

/// The status of a request with a cookie, to a gate that knows by itself and to one that must ask.
async fn statuses(method: &str, fields: &[&[(&str, &str)]]) -> [u16; 2] {
    let fields = [&[COOKIE], &fields.concat()[..]].concat();
    let app = App::default();
    let service = World::new().layer(Gate::builder(by_cookie())).layer(app.clone());
    let at_hand = send(&service, request(method, "/queues", &fields)).await;
    let world = World::new().knowing(|_, _| async { Ok(Some(User::new("ada"))) });
    let service = world.layer(Gate::builder(waiting("session"))).layer(app.clone());
    let asked = send(&service, request(method, "/queues", &fields)).await;
    assert_eq!(
        app.seen.lock().unwrap().len(),
        [&at_hand, &asked].iter().filter(|answer| answer.status == 200).count()
    );
    [at_hand.status, asked.status]
}

#[tokio::test]
async fn t17_reading_needs_no_origin() {
    for method in ["GET", "HEAD", "OPTIONS"] {
        for fields in OURS.into_iter().chain(FOREIGN) {
            assert_eq!(statuses(method, &[fields]).await, [200; 2], "{method} {fields:?}");
        }
    }
}

#[tokio::test]
async fn t19_an_asked_backend_may_say_that_no_browser_attaches_its_proof() {
    for (ambient, status) in [(true, 403), (false, 200)] {
        let world = World::new()
            .proving(move |_, _| async move { Ok(Some(Proven { ambient, ..User::new("ci").into() })) });
        let service = world.layer(Gate::builder(waiting("introspection"))).layer(App::default());
        let answer = send(&service, request("POST", "/queues", &[("authorization", "Bearer opaque")])).await;
        assert_eq!(answer.status, status, "ambient: {ambient}");
    }
}

#[tokio::test]
async fn t19_a_token_beside_a_cookie_needs_no_origin() {
    let gate = Gate::builder(by_cookie()).backend(bearer());
    let service = World::new().layer(gate).layer(App::default());
    let (field, value) = token("ada", json!({}));
    let fields = [COOKIE, (field, value.as_str())];
    assert_eq!(send(&service, request("POST", "/queues", &fields)).await.status, 200);
    assert_eq!(send(&service, request("POST", "/queues", &[COOKIE])).await.status, 403);
}

#[tokio::test]
async fn t19_an_asked_backends_token_beside_a_cookie_needs_no_origin() {
    let world = World::new().proving(|backend, _| async move {
        Ok(Some(Proven { ambient: backend == "sso", ..User::new("ada").into() }))
    });
    let gate = Gate::builder(by_cookie()).backend(waiting("second"));
    let service = world.layer(gate).layer(App::default());
    assert_eq!(send(&service, request("POST", "/queues", &[COOKIE])).await.status, 200);
    let service = world.layer(Gate::builder(waiting("sso")).backend(waiting("second"))).layer(App::default());
    assert_eq!(send(&service, request("POST", "/queues", &[])).await.status, 200);
    let service = world.layer(Gate::builder(waiting("sso"))).layer(App::default());
    assert_eq!(send(&service, request("POST", "/queues", &[])).await.status, 403);
}

#[tokio::test]
async fn t17_every_other_method_is_guarded() {
    for method in ["POST", "PUT", "PATCH", "DELETE", "TRACE", "PURGE", "get", "Head"] {
        assert_eq!(statuses(method, &[]).await, [403; 2], "{method}");
        assert_eq!(statuses(method, &OURS[..1]).await, [200; 2], "{method}");
    }
}

#[tokio::test]
async fn t18_writing_needs_our_own_origin() {
    for fields in OURS {
        assert_eq!(statuses("POST", &[fields]).await, [200; 2], "{fields:?}");
    }
    for fields in FOREIGN {
        assert_eq!(statuses("POST", &[fields]).await, [403; 2], "{fields:?}");
    }
}

#[tokio::test]
async fn t18_the_refusal_is_the_one_that_clients_know() {
    let service = World::new().layer(Gate::builder(by_cookie())).layer(App::default());
    let fields = [COOKIE, ("accept", "application/json"), ("sec-fetch-site", "cross-site")];
    let answer = send(&service, request("POST", "/queues", &fields)).await;
    assert_eq!((answer.status, answer.body.as_str()), (403, "Cross-origin dashboard request rejected"));
}

#[tokio::test]
async fn t08_a_websocket_of_another_site_is_refused() {
    let handshake: &[(&str, &str)] = &[("upgrade", "websocket"), ("connection", "upgrade")];
    for fields in OURS {
        assert_eq!(statuses("GET", &[handshake, fields]).await, [200; 2], "{fields:?}");
    }
    for fields in FOREIGN {
        assert_eq!(statuses("GET", &[handshake, fields]).await, [403; 2], "{fields:?}");
    }
}

#[tokio::test]
async fn t19_a_bearer_token_is_nobodys_ambient_proof() {
    let app = App::default();
    let service = World::new().layer(gate()).layer(app.clone());
    let (field, value) = token("ada", json!({}));
    let handshake = [("upgrade", "websocket"), ("connection", "upgrade")];
    for fields in FOREIGN {
        let fields = [fields, &[(field, value.as_str())]].concat();
        for method in ["POST", "DELETE", "PURGE"] {
            assert_eq!(
                send(&service, request(method, "/ops/queues", &fields)).await.status,
                200,
                "{fields:?}"
            );
        }
        let fields = [&fields[..], &handshake].concat();
        assert_eq!(send(&service, request("GET", "/ops/ws", &fields)).await.status, 200, "{fields:?}");
    }
    assert_eq!(app.seen.lock().unwrap().len(), 4 * FOREIGN.len());
}
