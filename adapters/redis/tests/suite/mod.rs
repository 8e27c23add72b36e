//! What must hold on every runtime.

mod counts;
mod endings;
mod faults;
mod logins;
mod losses;
mod refusals;
mod sessions;
mod tls;

pub(crate) fn tests() -> Vec<(&'static str, fn())> {
    [
        counts::TESTS,
        endings::TESTS,
        faults::TESTS,
        logins::TESTS,
        losses::TESTS,
        refusals::TESTS,
        sessions::TESTS,
        tls::TESTS,
    ]
    .concat()
}
