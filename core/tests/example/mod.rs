//! An example as a process of its own, and a client that speaks plain HTTP. All examples announce themselves alike:
//! their address, and a command that asks for it with a token.
#![allow(
    clippy::disallowed_methods,
    clippy::disallowed_types,
    reason = "a test drives processes and sockets"
)]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests")]

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpStream;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

pub(crate) struct Example {
    _running: Running,
    /// `127.0.0.1:PORT`
    host: String,
    mount: String,
    /// The header field with the token.
    proof: String,
}

impl Example {
    /// Starts the example `name` of this package on a free port.
    pub(crate) fn start(name: &str) -> Self {
        // target/PROFILE/deps/TEST stands beside target/PROFILE/examples/NAME.
        let test = std::env::current_exe().unwrap();
        let file = format!("{name}{}", std::env::consts::EXE_SUFFIX);
        let program = test.parent().unwrap().with_file_name("examples").join(file);
        assert!(program.exists(), "{} is missing; `cargo test` without --test builds it", program.display());
        let mut running = Running(Command::new(program).arg("0").stdout(Stdio::piped()).spawn().unwrap());
        let mut said = BufReader::new(running.0.stdout.take().unwrap()).lines();
        let mut line = || said.next().expect("two lines").unwrap();
        let (url, command) = (line(), line());
        let (host, path) = url.strip_prefix("http://").and_then(|url| url.split_once('/')).expect(&url);
        let mount = format!("/{path}").trim_end_matches('/').to_owned();
        let proof = command.split('\'').nth(1).expect(&command).to_owned();
        Self { _running: running, host: host.to_owned(), mount, proof }
    }

    /// Status, head and body of the answer to `request`.
    pub(crate) fn send(&self, request: &str) -> (u16, String, String) {
        let mut stream = TcpStream::connect(&self.host).unwrap();
        stream.set_read_timeout(Some(Duration::from_secs(10))).unwrap();
        stream.write_all(request.as_bytes()).unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        let (head, body) = answer.split_once("\r\n\r\n").expect(&answer);
        let status = head.split(' ').nth(1).and_then(|status| status.parse().ok()).expect(head);
        (status, head.to_ascii_lowercase(), body.to_owned())
    }

    /// The answer to a GET of `path` below the mount with one more header field.
    pub(crate) fn get(&self, path: &str, field: &str) -> (u16, String, String) {
        let Self { host, mount, .. } = self;
        self.send(&format!(
            "GET {mount}{path} HTTP/1.1\r\nhost: {host}\r\nconnection: close\r\n{field}\r\n\r\n"
        ))
    }

    /// What every example must do.
    pub(crate) fn admits_only_who_has_the_token(&self) {
        let escaped = self.mount.replace('/', "%2F");
        let (status, head, _) = self.get("/queues?page=2", "accept: text/html");
        assert_eq!(status, 303);
        let login = format!("\r\nlocation: {}/login?next={escaped}%2fqueues%3fpage%3d2", self.mount);
        assert!(head.contains(&login.to_ascii_lowercase()), "{head}");

        let (status, head, _) = self.get("/", "accept: application/json");
        assert_eq!(status, 401);
        assert!(head.contains("\r\nwww-authenticate: bearer"), "{head}");
        let forged = format!("{}x", self.proof);
        assert_eq!(self.get("/", &format!("{forged}\r\naccept: application/json")).0, 401);

        let (status, _, body) = self.get("/", &self.proof);
        assert_eq!((status, body.as_str()), (200, "Hello, Ada Lovelace!\n"));
        assert_eq!(self.get("/login", "accept: text/html").0, 200);
        assert_eq!(self.get("/healthz", "accept: */*").0, 200);
    }
}

/// Ends the process with the test, also with one that fails.
struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}
