//! What operators read.

use std::io::{self, Write};
use std::sync::{LazyLock, Mutex};

use crate::harness::{INTERVAL, Provider, Signer, World, answer, set};

static LINES: Mutex<Vec<u8>> = Mutex::new(Vec::new());

struct Lines;

impl Write for Lines {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        LINES.lock().unwrap().write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

static LOG: LazyLock<()> = LazyLock::new(|| {
    tracing_subscriber::fmt().with_writer(|| Lines).with_ansi(false).without_time().init();
});

/// The lines about the provider at `port` since this was asked last.
fn lines(port: u16) -> Vec<String> {
    let all = std::mem::take(&mut *LINES.lock().unwrap());
    let (ours, others): (Vec<_>, Vec<_>) = String::from_utf8(all)
        .unwrap()
        .lines()
        .map(str::to_owned)
        .partition(|line| line.contains(&format!(":{port}/")));
    LINES.lock().unwrap().extend(others.iter().flat_map(|line| format!("{line}\n").into_bytes()));
    ours
}

#[test]
fn the_log_tells_failures_and_changes_and_no_secret() {
    LazyLock::force(&LOG);
    let provider = Provider::start();
    let port = provider.port();
    let (one, two) = (answer(&set(&[&Signer::ed("a")])), answer(&set(&[&Signer::ed("a"), &Signer::ec("b")])));
    let url = format!("http://127.0.0.1:{port}/certs");
    let world = World::at(&format!("{url}?key=secret"), provider);

    let come =
        |usable: usize| format!(" INFO authgate: the provider's keys have come source={url} usable={usable}");
    world.provider.serve(&one);
    world.is_idle();
    assert_eq!(lines(port), [come(1)]);

    let again = |bytes: &str| {
        let asked = world.ask();
        world.provider.serve(bytes);
        let _ = asked.outcome();
        world.clock.advance(INTERVAL);
        lines(port)
    };
    assert_eq!(again(&one), [""; 0], "nothing has changed");
    assert_eq!(again(&two), [come(2)]);
    let failed = again("HTTP/1.1 302 Found\r\nLocation: /a\x1b[1m\r\n\r\n");
    assert_eq!(failed.len(), 1);
    assert!(
        failed[0].starts_with(" WARN authgate: the provider's keys could not be fetched: it"),
        "{failed:?}"
    );
    assert!(!failed[0].contains('\x1b') && failed[0].ends_with(&format!("source={url}")), "{failed:?}");
}
