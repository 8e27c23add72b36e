use authgate_tokio::Limits;
use http_body_util::BodyExt as _;

use super::{Client, text};
use crate::harness::{LARGE, SHORT, Server};
use crate::runtime::block_on;

#[test]
fn a_slow_but_steady_http2_reader_gets_the_whole_response() {
    let limits = Limits { idle_timeout: 2 * SHORT, head_timeout: SHORT, ..Limits::default() };
    let server = Server::start(limits);
    let address = server.address;
    block_on(async move {
        let mut client = Client::connect(address).await;
        let mut body = client.get("/large").await.unwrap().into_body();
        let (mut length, mut pauses) = (0, 0);
        while let Some(frame) = body.frame().await {
            length += frame.unwrap().into_data().unwrap().len();
            if length > pauses * LARGE / 40 {
                tokio::time::sleep(SHORT / 6).await;
                pauses += 1;
            }
        }
        assert_eq!(length, LARGE);
        assert_eq!(text(client.get("/").await).await, "hello");
    });
}

#[test]
fn an_http2_reader_that_takes_nothing_loses_its_place() {
    let limits = Limits { idle_timeout: 2 * SHORT, head_timeout: SHORT, connections: 1, ..Limits::default() };
    let server = Server::start(limits);
    let address = server.address;
    // It reads the connection and answers pings all the while.
    let _reader = block_on(async move {
        let mut client = Client::connect(address).await;
        (client.get("/endless").await.unwrap(), client)
    });
    let mut next = server.connect();
    next.get("/");
    assert_eq!(next.answer().body, "hello");
}
