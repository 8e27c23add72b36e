//! How often a password may be guessed.

mod bounded;
mod buckets;
mod limits;
mod loaded;
#[cfg(test)]
mod model;

use std::net::IpAddr;
use std::time::Duration;

use aws_lc_rs::digest;

use self::bounded::Bounded;
use self::buckets::Buckets;
pub use self::limits::ThrottleLimits;
pub(crate) use self::loaded::Loaded;
use crate::{ConfigError, CountKey, Peer, Timestamp};

/// Counts failed sign-ins by client network and by user, and says who has to wait.
///
/// Every try is charged before the password is checked, so that tries at the same time cannot slip through, and a
/// success gives its own charge back. A network that signed in as a user keeps a count of its own for that user:
/// strangers who guess cannot lock them out.
///
/// ```
/// use authgate_core::{Peer, Throttle, ThrottleLimits, Timestamp};
///
/// let mut throttle = Throttle::new(ThrottleLimits::default())?;
/// let now = Timestamp::from_secs(1_800_000_000);
/// for _ in 0..10 {
///     let charge = throttle.charge(Peer::Unix, "ada", now).expect("the first ten are free");
///     drop(charge); // a wrong password
/// }
/// let wait = throttle.charge(Peer::Unix, "ada", now).unwrap_err();
/// assert_eq!(wait.as_secs(), 1);
/// # Ok::<(), authgate_core::ConfigError>(())
/// ```
#[derive(Debug)]
pub struct Throttle {
    networks: Buckets,
    users: Buckets,
    /// The networks that lately signed in as some user; these pairs are counted here, and nowhere else.
    pairs: Buckets,
    known: Bounded<()>,
    limits: ThrottleLimits,
}

/// A try that is being made. Drop it when the password was wrong or could not be checked; hand it to
/// [`Throttle::refund`] when it was right.
#[derive(Debug)]
#[must_use = "a charge that is dropped is a failed try"]
pub struct Charge {
    at: Timestamp,
    pair: Key,
    charged: Charged,
    /// Where the counts are shared: all that can be involved.
    elsewhere: Option<[CountKey; 4]>,
}

impl Charge {
    /// The counts that were charged elsewhere; nothing, if they are this process's own.
    pub(crate) fn elsewhere(&self) -> Option<[CountKey; 4]> {
        self.elsewhere
    }

    /// The same charge, for whoever finds that giving it back has not come about.
    pub(crate) fn again(&self) -> Self {
        let Self { at, pair, charged, elsewhere } = *self;
        Self { at, pair, charged, elsewhere }
    }
}

impl Throttle {
    /// A throttle that has counted nothing yet.
    ///
    /// # Errors
    /// The limits make no sense; see [`ThrottleLimits::check`].
    pub fn new(limits: ThrottleLimits) -> Result<Self, ConfigError> {
        limits.check()?;
        Ok(Self {
            networks: Buckets::new(limits),
            users: Buckets::new(limits),
            pairs: Buckets::new(limits),
            known: Bounded::new(limits.entries, limits.remember),
            limits,
        })
    }

    /// What it counts by.
    pub(crate) fn limits(&self) -> ThrottleLimits {
        self.limits
    }

    /// Charges a try to sign in as `username`, which need not exist. Case and white space in it make no difference.
    ///
    /// # Errors
    /// It is too early for another try, and nothing was charged. The error is how long to wait at most, in whole
    /// seconds: at least one, and at most the longest delay, rounded up.
    pub fn charge(&mut self, client: Peer, username: &str, now: Timestamp) -> Result<Charge, Duration> {
        let network = network_of(client);
        let pair = key("pair", network, username);
        let (charged, wait) = if self.known.get(&pair, now).is_some() {
            (Charged::Pair, self.pairs.wait(&pair, now))
        } else {
            let (network, user) = (key("network", network, ""), key("user", NO_NETWORK, username));
            let wait = self.networks.wait(&network, now).max(self.users.wait(&user, now));
            (Charged::Strangers { network, user }, wait)
        };
        if !wait.is_zero() {
            let seconds = wait.as_millis().div_ceil(1000);
            return Err(Duration::from_secs(u64::try_from(seconds).unwrap_or(u64::MAX)));
        }
        match charged {
            Charged::Pair => self.pairs.charge(pair, now),
            Charged::Strangers { network, user } => {
                self.networks.charge(network, now);
                self.users.charge(user, now);
            }
        }
        Ok(Charge { at: now, pair, charged, elsewhere: None })
    }

    /// The sign-in succeeded: gives back this charge and no other, and remembers the network as one of the user's.
    #[expect(clippy::needless_pass_by_value, reason = "a charge is given back once")]
    pub fn refund(&mut self, charge: Charge, now: Timestamp) {
        // After a longest delay the charge may have drained; then what is left in the bucket is somebody else's.
        if charge.at.after(self.limits.longest_delay) > now {
            match charge.charged {
                Charged::Pair => self.pairs.refund(charge.pair, now),
                Charged::Strangers { network, user } => {
                    self.networks.refund(network, now);
                    self.users.refund(user, now);
                }
            }
        }
        self.known.put(charge.pair, now.after(self.limits.remember), (), now);
    }
}

/// What a bucket goes by: a digest, so that nobody chooses how much memory their name takes.
type Key = [u8; 16];

#[derive(Debug, Clone, Copy)]
enum Charged {
    /// The network's own count for the user.
    Pair,
    /// What the network and the user share with strangers.
    Strangers { network: Key, user: Key },
}

/// Which kind of network, and its address: all of IPv4's bits, the first 64 of IPv6's.
type Network = (u8, u64);

const NO_NETWORK: Network = (0, 0);

fn network_of(client: Peer) -> Network {
    match client {
        Peer::Ip(address) => match address.to_canonical() {
            IpAddr::V4(address) => (4, address.to_bits().into()),
            IpAddr::V6(address) => (6, u64::try_from(address.to_bits() >> 64).unwrap_or_default()),
        },
        Peer::Unix => (1, 0),
        Peer::Unknown => NO_NETWORK,
    }
}

fn key(kind: &str, (family, address): Network, username: &str) -> Key {
    let mut context = digest::Context::new(&digest::SHA256);
    context.update(format!("authgate throttle {kind}\0").as_bytes());
    context.update(&[family]);
    context.update(&address.to_be_bytes());
    // Many stores find "ADA " and "Straße" where "ada" and "STRASSE" are kept. Who writes a name in another way must
    // not get another ten tries for it. That this takes some users for one does little harm.
    let letters = username.chars().filter(|letter| !letter.is_whitespace());
    for letter in letters.flat_map(char::to_uppercase).flat_map(char::to_lowercase) {
        context.update(letter.encode_utf8(&mut [0; 4]).as_bytes());
    }
    let mut key = Key::default();
    key.iter_mut().zip(context.finish().as_ref()).for_each(|(to, from)| *to = *from);
    key
}

#[cfg(test)]
mod tests {
    use std::net::Ipv6Addr;

    use super::*;

    fn throttle(entries: usize) -> Throttle {
        Throttle::new(ThrottleLimits { entries, ..ThrottleLimits::default() }).unwrap()
    }

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_secs(1_800_000_000 + seconds)
    }

    fn peer(address: &str) -> Peer {
        address.parse::<IpAddr>().unwrap().into()
    }

    fn stranger(number: u32) -> Peer {
        Peer::Ip(std::net::Ipv4Addr::from_bits(0x0a00_0000 + number).into())
    }

    /// How many of so many wrong tries in a row, at one moment, were allowed.
    fn failures(
        throttle: &mut Throttle,
        client: Peer,
        username: &str,
        tries: usize,
        now: Timestamp,
    ) -> usize {
        (0..tries).filter(|_| throttle.charge(client, username, now).is_ok()).count()
    }

    fn succeed(throttle: &mut Throttle, client: Peer, username: &str, now: Timestamp) {
        let charge = throttle.charge(client, username, now).unwrap();
        throttle.refund(charge, now);
    }

    #[test]
    fn t28_many_networks_at_once_get_ten_tries_at_one_user() {
        let mut throttle = throttle(1000);
        let allowed = (0..200).filter(|&number| throttle.charge(stranger(number), "ada", at(0)).is_ok());
        assert_eq!(allowed.count(), 10);
    }

    #[test]
    fn t28_one_network_gets_ten_tries_at_all_users() {
        let mut throttle = throttle(1000);
        let allowed =
            (0..200).filter(|user| throttle.charge(stranger(1), &format!("user {user}"), at(0)).is_ok());
        assert_eq!(allowed.count(), 10);
    }

    #[test]
    fn t28_a_refused_try_is_charged_to_nobody() {
        let mut throttle = throttle(1000);
        assert_eq!(failures(&mut throttle, stranger(1), "ada", 200, at(0)), 10);
        // The network may not try bob, so that bob's own count stays as it was.
        assert_eq!(failures(&mut throttle, stranger(1), "bob", 200, at(0)), 0);
        assert_eq!(failures(&mut throttle, stranger(2), "bob", 200, at(0)), 10);
        assert_eq!(failures(&mut throttle, stranger(3), "ada", 200, at(0)), 0);
        assert_eq!(failures(&mut throttle, stranger(3), "carol", 200, at(0)), 10);
    }

    #[test]
    fn t28_strangers_do_not_lock_out_a_network_that_signed_in_before() {
        let (mut throttle, home) = (throttle(1000), peer("192.0.2.1"));
        succeed(&mut throttle, home, "ada", at(0));
        for second in 0..1000 {
            let number = u32::try_from(second).unwrap();
            let _ = throttle.charge(stranger(number), "ada", at(second));
        }
        assert!(throttle.charge(stranger(5000), "ada", at(1000)).is_err());
        succeed(&mut throttle, home, "Ada", at(1000));
        assert_eq!(
            failures(&mut throttle, home, "ada", 20, at(1000)),
            10,
            "the network has a budget of its own"
        );
        let wait = throttle.charge(home, "ada", at(1000)).unwrap_err();
        assert_eq!(wait.as_secs(), 1);
        assert_eq!(failures(&mut throttle, home, "bob", 20, at(1000)), 10, "a stranger to every other user");
    }

    #[test]
    fn t28_a_network_is_forgotten_after_a_while() {
        let (mut throttle, home) = (throttle(1000), peer("192.0.2.1"));
        succeed(&mut throttle, home, "ada", at(0));
        let week = 7 * 24 * 3600;
        assert_eq!(failures(&mut throttle, stranger(1), "ada", 20, at(week - 1)), 10);
        assert!(throttle.charge(home, "ada", at(week - 1)).is_ok());
        assert_eq!(failures(&mut throttle, stranger(2), "ada", 1, at(week)), 1);
        assert!(throttle.charge(home, "ada", at(week)).is_err());
    }

    #[test]
    fn t28_a_success_gives_back_its_own_charge_only() {
        let (mut throttle, home) = (throttle(1000), peer("192.0.2.1"));
        assert_eq!(failures(&mut throttle, home, "ada", 9, at(0)), 9);
        succeed(&mut throttle, home, "ada", at(0));
        assert_eq!(failures(&mut throttle, home, "bob", 5, at(0)), 1, "of the network's count");
        assert_eq!(failures(&mut throttle, stranger(1), "ada", 5, at(0)), 1, "of the user's count");
        assert_eq!(failures(&mut throttle, home, "ada", 9, at(0)), 9);
        succeed(&mut throttle, home, "ada", at(0));
        assert_eq!(failures(&mut throttle, home, "ada", 5, at(0)), 1, "of the count that is theirs alone");
    }

    #[test]
    fn t28_an_answer_that_comes_after_the_charge_drained_gives_nothing_back() {
        let (mut throttle, home) = (throttle(1000), peer("192.0.2.1"));
        let slow = throttle.charge(home, "ada", at(0)).unwrap();
        assert_eq!(failures(&mut throttle, stranger(1), "ada", 20, at(900)), 10);
        throttle.refund(slow, at(900));
        assert!(throttle.charge(stranger(2), "ada", at(900)).is_err());
    }

    #[test]
    fn t28_a_dropped_charge_stays_charged() {
        let mut throttle = throttle(1000);
        let pending: Vec<_> = (0..10).map(|_| throttle.charge(Peer::Unix, "ada", at(0)).unwrap()).collect();
        assert!(throttle.charge(Peer::Unix, "ada", at(0)).is_err(), "charged before it is answered");
        drop(pending);
        assert!(throttle.charge(Peer::Unix, "ada", at(0)).is_err());
    }

    #[test]
    fn t28_an_address_is_one_network_in_ipv4_and_a_64_in_ipv6() {
        let same = |one: &str, other: &str| network_of(peer(one)) == network_of(peer(other));
        assert!(same("2001:db8:1:2::1", "2001:db8:1:2:ffff:ffff:ffff:ffff"));
        assert!(!same("2001:db8:1:2::1", "2001:db8:1:3::1"));
        assert!(!same("192.0.2.1", "192.0.2.2"));
        assert!(same("192.0.2.1", "::ffff:192.0.2.1"));
        assert!(!same("192.0.2.1", "::c000:201"));
        let unfolded = Peer::Ip("::ffff:192.0.2.1".parse::<Ipv6Addr>().unwrap().into());
        assert_eq!(network_of(unfolded), network_of(peer("192.0.2.1")));
        let others = [Peer::Unix, Peer::Unknown, peer("::"), peer("0.0.0.0")].map(network_of);
        assert!(others.iter().enumerate().all(|(at, network)| !others[..at].contains(network)));
    }

    #[test]
    fn t28_case_and_white_space_do_not_make_another_user() {
        let mut throttle = throttle(1000);
        let names =
            ["ada weiß", "ADA WEIß", " ada weiß", "ada weiß\t", "\u{a0}Ada\u{2003}Weiss ", "ADA  WEISS"];
        for number in 0..10 {
            let name = names[usize::try_from(number).unwrap() % names.len()];
            assert!(throttle.charge(stranger(number), name, at(0)).is_ok());
        }
        for name in names {
            assert!(throttle.charge(stranger(100), name, at(0)).is_err(), "{name:?}");
        }
        assert!(throttle.charge(stranger(100), "ada weis", at(0)).is_ok());
    }

    #[test]
    fn t28_a_flood_is_bounded_and_does_not_wash_away_who_has_many_failures() {
        let (mut throttle, guesser) = (throttle(1000), peer("192.0.2.1"));
        assert_eq!(failures(&mut throttle, guesser, "ada", 10, at(0)), 10);
        for number in 0..300_000 {
            let client = stranger(number);
            let charge =
                throttle.charge(client, &format!("user {number}"), at(i64::from(number) / 1000)).unwrap();
            if number % 3 == 0 {
                throttle.refund(charge, at(i64::from(number) / 1000));
                let _ = throttle.charge(client, &format!("user {number}"), at(i64::from(number) / 1000));
            }
            let counts = [&throttle.networks, &throttle.users, &throttle.pairs].map(Buckets::len);
            assert!(counts.iter().all(|&count| count <= 1000) && throttle.known.len() <= 1000);
        }
        assert_eq!([&throttle.networks, &throttle.users, &throttle.pairs].map(Buckets::len), [1000; 3]);
        assert_eq!(throttle.known.len(), 1000);
        assert_eq!(failures(&mut throttle, guesser, "bob", 5, at(0)), 0);
        assert_eq!(failures(&mut throttle, stranger(1), "ada", 5, at(0)), 0);
    }
}
