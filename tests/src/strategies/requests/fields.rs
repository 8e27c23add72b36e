use proptest::prelude::*;

use crate::strategies::one_of;

/// Any field, such as clients send, and such as none would.
pub fn fields() -> BoxedStrategy<(String, String)> {
    let proxied = [
        "x-forwarded-for",
        "X-Forwarded-For",
        "x-forwarded-host",
        "x-forwarded-proto",
        "x-forwarded-port",
        "forwarded",
        "via",
    ];
    let by_proxies = [
        "https",
        "http",
        "gopher",
        "203.0.113.9",
        "10.0.0.2, 203.0.113.9",
        "203.0.113.9, 10.0.0.2:80",
        "[2001:db8::9]:1",
        "garbage, 10.0.0.2",
        "127.0.0.1",
        "dash.example",
        "8443",
        "for=203.0.113.9;proto=https;host=dash.example",
        "for=10.0.0.3, for=10.0.0.2;proto=https",
        "for=\"[2001:db8::9]\";host=\"a\\\"b\"",
        "for=203.0.113.9;host=\"x",
        "proto=https",
    ];
    let said = [
        "accept",
        "hx-request",
        "hx-current-url",
        "referer",
        "sec-fetch-mode",
        "sec-websocket-key",
        "upgrade",
        "connection",
        "x-auth-user",
        "X_Auth_User",
        "remote-user",
        "Team_Name",
        "x.forwarded.for",
        "x-method-override",
        "content-length",
        "user-agent",
        "x-original-url",
        "x-http-method-override",
    ];
    let by_clients = [
        "true",
        "*/*",
        "text/html",
        "application/json",
        "text/event-stream",
        "http://dash.example/ops/queues",
        "navigate",
        "cors",
        "http://dash.example//evil.example/ops/",
        "https://dash.example/ops/?a=%0d%0a",
        "javascript:alert(1)",
        "websocket",
        "upgrade",
        "keep-alive, Upgrade",
        "application/x-www-form-urlencoded",
        "12",
        "99999999",
        "eve",
        "/ops/a",
    ];
    let odd = [
        "host",
        "authorization",
        "cookie",
        "origin",
        "sec-fetch-site",
        "content-type",
        "transfer-encoding",
        "content-length",
        "x-badge-1",
    ];
    prop_oneof![
        6 => (one_of(&proxied), one_of(&by_proxies)),
        9 => (one_of(&said), one_of(&by_clients)),
        1 => (one_of(&odd), one_of(&by_clients)),
        1 => (one_of(&said), "[ -~]{0,40}"),
        1 => (one_of(&said), "\\PC{0,8}"),
    ]
    .boxed()
}

/// What is posted.
pub fn bodies() -> BoxedStrategy<String> {
    prop_oneof![
        4 => Just("username=ada&password=s3cret&next=%2Fops%2Fqueues".to_owned()),
        2 => "username=[a-e<>\"&+%]{0,8}&password=s3cret&next=[/.%25efcops2F5C\\\\?#a]{0,20}",
        2 => one_of(&["username=ada&password=s3cret&next=%2F%2Fevil.example", "username=&password=",
            "username=ada&password=x&password=y", "%ff=%ff"]),
        1 => "[ -~]{0,60}",
    ]
    .boxed()
}
