use crate::sharing::{EndingsNews, EndingsSince};
use crate::step::Then;
use crate::{Gate, Step, Timestamp, Unavailable};

/// The most answers that all there is to hear may be spread over.
const MOST_ANSWERS: usize = 200;

/// Goes on once everything is known that has ended until now, where gates share a store; at once, where they do not.
pub(super) fn hear_all(
    gate: Gate,
    now: Timestamp,
    then: impl FnOnce(Result<(), Unavailable>, Timestamp) -> Step + Send + 'static,
) -> Step {
    let since = gate.settings().sessions.as_ref().and_then(|sessions| sessions.ask_for_news(now));
    match since {
        None => then(Ok(()), now),
        Some(since) => ask(gate, since, now, MOST_ANSWERS, then),
    }
}

/// The same, from where on it is known already.
pub(super) fn hear_since(
    gate: Gate,
    since: EndingsSince,
    now: Timestamp,
    then: impl FnOnce(Result<(), Unavailable>, Timestamp) -> Step + Send + 'static,
) -> Step {
    ask(gate, since, now, MOST_ANSWERS, then)
}

fn ask(
    gate: Gate,
    since: EndingsSince,
    asked: Timestamp,
    most: usize,
    then: impl FnOnce(Result<(), Unavailable>, Timestamp) -> Step + Send + 'static,
) -> Step {
    let heard = move |answer: Result<EndingsNews, Unavailable>, now| {
        let news = match answer {
            Err(why) => return then(Err(why), now),
            Ok(news) => news,
        };
        let more = news.more;
        let next = gate.settings().sessions.as_ref().and_then(|sessions| {
            sessions.hear(news, asked, now);
            more.then(|| sessions.ask_for_news(now)).flatten()
        });
        match next {
            Some(since) if most > 1 => ask(gate, since, asked, most - 1, then),
            Some(_) => then(Err(Unavailable::new("the store has no end of endings to tell")), now),
            None => then(Ok(()), now),
        }
    };
    Step::HearEndings(since, Then::new(heard))
}
