//! What a server's memory is bounded by, and what was measured.
//!
//! A connection costs what it has sent of a head, up to the longest head, and no time that it takes makes it more. What is
//! read beyond that is refused; bodies pass through, and are never held whole, login forms apart. So the most that strangers
//! can make a server keep is a figure for each connection, times the connections that are let in
//! ([`limits`](super::limits)).
//!
//! # Measured
//!
//! `authgate serve` in a release build, in front of an upstream, on Linux (x86-64, glibc) with two processors and
//! nothing else to do. The first column of figures is the memory at its peak (`VmHWM`), less what there was before,
//! divided by the connections; the second is what the tests demand. They are
//! `tests/python/serve/test_idle_connections.py`, `test_slow_and_endless.py` and `test_http2_floods.py`, where others
//! ask all the time, and must be answered. With `AUTHGATE_LONG=1` there are ten thousand connections of each kind, else
//! three hundred.
//!
//! ## HTTP/1.1, a connection
//!
//! | what it does | tokio | smol | demanded | what becomes of it |
//! |---|---|---|---|---|
//! | nothing, after one request | 20 KiB | 20 KiB | 40 KiB | closed after 1 min |
//! | a head, a byte a second | 22 KiB | 25 KiB | 48 KiB | cut off after 10 s |
//! | a login form, a byte a second | 34 KiB | 36 KiB | 48 KiB | 408 after 5 s |
//! | a head of 60 KiB without an end | 82 KiB | 129 KiB | 320 KiB | cut off after 10 s |
//! | a head of a megabyte, one field or many | 9 KiB | 18 KiB | 320 KiB | 431, closed |
//! | 500 requests, of which it reads no answer | 20 KiB | 18 KiB | 320 KiB | read no further; cut off after 1 min |
//! | nothing, after a head of 60 KiB | 86 KiB | 129 KiB | 320 KiB | closed after 1 min |
//!
//! Ten thousand at a time, in all: 216 MiB of slow heads on tokio, 242 MiB on smol; 331 and 354 MiB of slow forms; 800 and
//! 1255 MiB of heads without an end; 841 and 1258 MiB after large heads. Others waited 0.3 s at most. So 10 000
//! connections, the default, ask for 1.3 GiB at worst. Where there is less, allow fewer of them (`--max-connections`),
//! or shorter heads where the server is one's own.
//!
//! ## HTTP/2, a connection (tokio)
//!
//! | what it does | at its peak | demanded | what becomes of it |
//! |---|---|---|---|
//! | `CONTINUATION` without an end, empty ones too | 10 KiB | 1.5 MiB | closed (`ENHANCE_YOUR_CALM`) |
//! | a head that a few bytes blow up to 3 MB | 10 KiB | 1.5 MiB | closed (`ENHANCE_YOUR_CALM`) |
//! | more streams than a hundred, again and again | 10 KiB | 1.5 MiB | each reset, then closed |
//! | requests that are taken back at once | 10 KiB | 1.5 MiB | closed (`ENHANCE_YOUR_CALM`) |
//! | requests that the server must reset | 10 KiB | 1.5 MiB | closed |
//! | empty `DATA` without an end | 10 KiB | 1.5 MiB | closed (`ENHANCE_YOUR_CALM`) |
//! | `SETTINGS`, `PING` or `PRIORITY` without an end | 39 KiB | 1.5 MiB | read no further than its answers are |
//! | a hundred login forms that do not end | 627 KiB | 1.5 MiB | 408 after 5 s |
//! | a hundred answers without a window | 723 KiB | 1.5 MiB | cut off after 1 min |
//! | a hundred uploads that the upstream does not take | 0.3 MiB | 48 MiB | ended after 1 min |
//! | a hundred heads of 60 KiB that wait for the upstream | 9.1 MiB | 48 MiB | 504 after 1 min |
//! | the same, each of 15 bytes on the line (HPACK) | 6.7 MiB | 48 MiB | 504 after 1 min |
//! | a hundred large answers that it does not read | 23.1 MiB | 48 MiB | cut off after 1 min |
//!
//! The last four want a public path that an upstream answers slowly or at length, or somebody who is signed in. There, a
//! connection stands for a hundred requests, each with its head and its connection to the upstream: the system's limit on
//! open files bounds them sooner than `--max-connections` does. A proxy in front that speaks HTTP/1.1 to the gate, as
//! nginx does, leaves one request a connection.
//!
//! # What else is kept
//!
//! | what | at most |
//! |---|---|
//! | counts of tries to sign in | 400 bytes × 100000: 40 MB |
//! | sessions in memory | 700 bytes × 100000: 70 MB |
//! | what tokens say that come again, for each backend of tokens of each gate in use | 1 KB × 1024 as a rule, 60 KB × 1024 if all are nothing but roles; 0.1 MB from the beginning |
//! | what sealed sessions say that come again, for each gate in use | 1 KB × 1024 as a rule, 75 KB × 1024 if all are nothing but roles; 0.2 MB from the beginning |
//! | early ends of sessions | 100000 of each kind |
//! | passwords being hashed | 19 MiB each, half as many as there are processors |
//! | key ids that a provider does not know | 1000, of at most 256 bytes |
