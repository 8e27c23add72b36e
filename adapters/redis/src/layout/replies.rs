use authgate_core::{Count, Ending, EndingsNews, Session, SessionId, Timestamp, Unavailable};

/// The session in a record. What cannot be read is none.
pub fn session(record: &[u8]) -> Option<Session> {
    serde_json::from_slice(record).ok()
}

/// The count in a reply. What cannot be read is none.
pub fn count(reply: &[u8]) -> Option<Count> {
    std::str::from_utf8(reply).ok()?.parse().ok()
}

/// What has ended, from the reply of [`ENDINGS`](super::ENDINGS).
///
/// # Errors
///
/// If this is no such reply.
pub fn news<B: AsRef<[u8]>>(reply: &[B]) -> Result<EndingsNews, Unavailable> {
    read(reply).ok_or_else(|| Unavailable::new("what the session store tells of endings cannot be read"))
}

fn read<B: AsRef<[u8]>>(reply: &[B]) -> Option<EndingsNews> {
    let (head, endings) = reply.split_first_chunk::<4>()?;
    let [position, more, floor, now] = head.each_ref().map(|item| std::str::from_utf8(item.as_ref()).ok());
    let mut news = EndingsNews {
        endings: Vec::with_capacity(endings.len()),
        position: position?.to_owned(),
        more: more? == "1",
        floor: moment(floor?)?,
        now: moment(now?)?,
    };
    for ending in endings {
        let (at, ending) = split(ending.as_ref())?;
        match ending {
            Some(ending) => news.endings.push(ending),
            // Whoever it was about: nobody from before it comes back.
            None => news.floor = news.floor.max(at),
        }
    }
    Some(news)
}

/// The moment of an ending, and the ending unless it is about nobody that can be.
fn split(entry: &[u8]) -> Option<(Timestamp, Option<Ending>)> {
    let mut parts = entry.splitn(3, |&byte| byte == b':');
    let (kind, at, whom) = (parts.next()?, parts.next()?, parts.next()?);
    let at = moment(std::str::from_utf8(at).ok()?)?;
    let whom = std::str::from_utf8(whom).ok();
    let ending = match kind {
        b"s" => whom.and_then(id).map(|id| Ending::Session { id, at }),
        b"u" => whom.map(|user| Ending::User { user: user.to_owned(), until: at }),
        _ => return None,
    };
    Some((at, ending))
}

fn moment(text: &str) -> Option<Timestamp> {
    text.parse().ok().map(Timestamp::from_millis)
}

fn id(text: &str) -> Option<SessionId> {
    serde_json::from_value(text.into()).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    const ID: &str = "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";

    fn at(milliseconds: i64) -> Timestamp {
        Timestamp::from_millis(milliseconds)
    }

    #[test]
    fn endings_are_read_whatever_a_user_is_called() {
        let session = format!("s:1700000000001:{ID}");
        let reply = ["17-4", "1", "1600000000000", "1700000000009", &session, "u:-5:a:b \n\u{e9}", "u:7:"]
            .map(str::as_bytes);
        let news = news(&reply).unwrap();
        assert_eq!((news.position.as_str(), news.more), ("17-4", true));
        assert_eq!((news.floor, news.now), (at(1_600_000_000_000), at(1_700_000_000_009)));
        let user = |user: &str, until| Ending::User { user: user.to_owned(), until: at(until) };
        let session = Ending::Session { id: id(ID).unwrap(), at: at(1_700_000_000_001) };
        assert_eq!(news.endings, [session, user("a:b \n\u{e9}", -5), user("", 7)]);
    }

    #[test]
    fn an_ending_of_nobody_that_can_be_ends_everybody_before_it() {
        for odd in [&b"s:900:nobody"[..], b"u:900:\xff"] {
            let news = news(&[&b"1-1"[..], b"0", b"5", b"999", odd]).unwrap();
            assert_eq!((news.endings.len(), news.floor), (0, at(900)));
        }
    }

    #[test]
    fn what_is_no_such_reply_is_an_error() {
        for reply in [&[][..], &["1-1", "0", "5"], &["1-1", "0", "x", "9"], &["1-1", "0", "5", "9", "x:1:a"]]
        {
            assert!(news(reply).is_err(), "{reply:?}");
        }
        assert!(news(&["1-1", "0", "5", "9", "u:1"]).is_err());
    }

    #[test]
    fn what_cannot_be_read_is_none() {
        assert_eq!(session(b"{}"), None);
        assert_eq!(count(b"1:x"), None);
        assert_eq!(count(b"2:1"), Some(Count { end: at(2), last: at(1) }));
    }
}
