use std::fmt;
use std::sync::Arc;

use argon2::password_hash::phc::{Output, ParamsString, PasswordHash, Salt};
use argon2::password_hash::{self, PasswordHasher as _};
use argon2::{ARGON2ID_IDENT, Algorithm, Argon2, Params, Version};
use authgate_core::Secret;

use crate::memory::Memory;

/// The longest password in bytes; the gate's login form takes no longer one either.
const MOST_PASSWORD_BYTES: usize = 1024;

/// OWASP's first choice for argon2id: 19 MiB, two passes, one lane; and a 32-byte output.
const CURRENT: Params = match Params::new(19 * 1024, 2, 1, Some(OUTPUT_BYTES)) {
    Ok(params) => params,
    Err(_) => Params::DEFAULT,
};
const OUTPUT_BYTES: usize = 32;
const SALT_BYTES: usize = 16;

/// What a stored hash may ask for at most. More would stall every login, whoever wrote it.
const MOST_MEMORY_KIB: u32 = 1024 * 1024;
const MOST_PASSES: u32 = 100;
const MOST_LANES: u32 = 16;
/// Memory times passes: a few seconds of work.
const MOST_WORK_KIB: u64 = 4 * 1024 * 1024;

/// The argon2id hash of `password` with the current parameters and a fresh salt, as a PHC string: what the user file
/// holds.
///
/// # Errors
/// The password is empty or longer than 1024 bytes, or the machine is out of memory or random bytes.
pub fn hash_password(password: &Secret<String>) -> Result<String, HashError> {
    let password = password.expose().as_bytes();
    match password.len() {
        0 => return Err(HashError::Empty),
        1..=MOST_PASSWORD_BYTES => {}
        _ => return Err(HashError::TooLong),
    }
    let hashed = current().hash_password_with_salt(password, &random::<SALT_BYTES>()?);
    hashed.map(|hash| hash.to_string()).map_err(HashError::from)
}

/// Whether a stored hash was made with other parameters than [`hash_password`] uses now, or is no argon2id hash at all.
/// Its user should set a new password.
pub fn is_outdated(phc: &str) -> bool {
    Phc::parse(phc).map_or(true, |phc| phc.is_outdated())
}

/// Why a password cannot be hashed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum HashError {
    /// The password is empty.
    Empty,
    /// The password is longer than 1024 bytes.
    TooLong,
    /// The operating system has no random bytes.
    NoRandomness,
    /// There is not enough memory for the hash.
    NoMemory,
}

impl fmt::Display for HashError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Empty => "the password is empty; choose one of 1 to 1024 bytes",
            Self::TooLong => "the password is too long; choose one of 1 to 1024 bytes",
            Self::NoRandomness => "the operating system has no random bytes; try again later",
            Self::NoMemory => "the password cannot be hashed; 19 MiB of memory must be free",
        })
    }
}

impl std::error::Error for HashError {}

impl From<password_hash::Error> for HashError {
    fn from(_: password_hash::Error) -> Self {
        // Parameters, salt and password are known to be good, so memory is all that can be missing.
        Self::NoMemory
    }
}

/// A stored hash that is known to be argon2id and to ask for no more than is sane. It prints as dots, is compared in
/// constant time, and erases itself.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Phc(Arc<Secret<String>>);

/// Why a text is no hash that is taken: the problem and the remedy.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct BadHash(pub(crate) &'static str, pub(crate) &'static str);

const NOT_ARGON2ID: BadHash =
    BadHash("password is not an argon2id hash", "set a new password; a plain one must not be written here");
const TOO_COSTLY: BadHash = BadHash(
    "password is a hash that asks for too much work",
    "set a new password (allowed are m=1048576, t=100, p=16, and m times t up to 4194304)",
);

impl Phc {
    pub(crate) fn parse(text: &str) -> Result<Self, BadHash> {
        let parsed = PasswordHash::new(text).map_err(|_| NOT_ARGON2ID)?;
        // A hash without a version would be of 0x10, which argon2id has never had.
        let version = parsed.version.ok_or(NOT_ARGON2ID)?;
        Version::try_from(version).map_err(|_| NOT_ARGON2ID)?;
        if parsed.algorithm != ARGON2ID_IDENT || parsed.salt.is_none() || parsed.hash.is_none() {
            return Err(NOT_ARGON2ID);
        }
        let params = Params::try_from(&parsed).map_err(|_| NOT_ARGON2ID)?;
        if params.m_cost() > MOST_MEMORY_KIB
            || params.t_cost() > MOST_PASSES
            || params.p_cost() > MOST_LANES
            || work(&params) > MOST_WORK_KIB
        {
            return Err(TOO_COSTLY);
        }
        Ok(Self::of(text.to_owned()))
    }

    /// A hash with the current parameters that no password has: it costs a stranger as much time as a user. Its output
    /// is random, so making it costs nothing.
    pub(crate) fn nobody() -> Result<Self, HashError> {
        let hash = PasswordHash {
            algorithm: ARGON2ID_IDENT,
            version: Some(Version::V0x13.into()),
            params: ParamsString::try_from(&CURRENT)?,
            salt: Some(Salt::new(&random::<SALT_BYTES>()?).map_err(password_hash::Error::from)?),
            hash: Some(Output::new(&random::<OUTPUT_BYTES>()?).map_err(password_hash::Error::from)?),
        };
        Ok(Self::of(hash.to_string()))
    }

    /// This hash with the parameters of `other`, so that it costs as much; meant for [`Phc::nobody`].
    pub(crate) fn as_costly_as(&self, other: &Self) -> Self {
        let (Ok(own), Ok(other)) = (PasswordHash::new(self.as_str()), PasswordHash::new(other.as_str()))
        else {
            return self.clone();
        };
        Self::of(PasswordHash { salt: own.salt, hash: own.hash, ..other }.to_string())
    }

    /// How much a check costs: memory times passes.
    pub(crate) fn work(&self) -> u64 {
        PasswordHash::new(self.as_str())
            .ok()
            .and_then(|parsed| Params::try_from(&parsed).ok())
            .map_or(0, |params| work(&params))
    }

    /// Whether this is the hash of `password`. The memory is that of a turn: a hash takes 19 MiB.
    pub(crate) fn verify(&self, password: &[u8], memory: &mut Memory) -> Result<bool, password_hash::Error> {
        let parsed = PasswordHash::new(self.as_str())?;
        #[cfg(test)]
        tests::count(&parsed);
        let (Some(salt), Some(expected)) = (parsed.salt, parsed.hash) else { return Ok(false) };
        let version = parsed.version.map_or(Ok(Version::V0x13), Version::try_from)?;
        let argon2 = Argon2::new(Algorithm::Argon2id, version, Params::try_from(&parsed)?);
        let mut buffer = [0; Output::MAX_LENGTH];
        let hash = buffer.get_mut(..expected.len()).ok_or(password_hash::Error::OutputSize)?;
        memory
            .lend(argon2.params().block_count(), |blocks| {
                argon2.hash_password_into_with_memory(password, &salt, hash, blocks)
            })
            .map_err(|_| password_hash::Error::OutOfMemory)??;
        // Two outputs are compared in constant time.
        Ok(Output::new(hash).map_err(password_hash::Error::from)? == expected)
    }

    pub(crate) fn is_outdated(&self) -> bool {
        let Ok(parsed) = PasswordHash::new(self.as_str()) else { return true };
        let salt = parsed.salt.as_ref().map_or(0, |salt| salt.len());
        salt < SALT_BYTES
            || parsed.version != Some(Version::V0x13.into())
            || Params::try_from(&parsed).ok() != Some(CURRENT)
    }

    pub(crate) fn as_str(&self) -> &str {
        self.0.expose()
    }

    fn of(text: String) -> Self {
        Self(Arc::new(Secret::new(text)))
    }
}

impl fmt::Debug for Phc {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Phc(…)")
    }
}

fn current() -> Argon2<'static> {
    Argon2::new(Algorithm::Argon2id, Version::V0x13, CURRENT)
}

fn work(params: &Params) -> u64 {
    u64::from(params.m_cost()) * u64::from(params.t_cost())
}

fn random<const N: usize>() -> Result<[u8; N], HashError> {
    let mut bytes = [0; N];
    getrandom::fill(&mut bytes).map_err(|_| HashError::NoRandomness)?;
    Ok(bytes)
}

#[cfg(test)]
pub(crate) mod tests {
    use std::cell::Cell;

    use super::*;

    thread_local! {
        /// The memory cost of every check that this thread made, added up.
        static KIB: Cell<u64> = const { Cell::new(0) };
    }

    pub(crate) fn count(hash: &PasswordHash) {
        let cost = Params::try_from(hash).unwrap().m_cost();
        KIB.set(KIB.get() + u64::from(cost));
    }

    /// How much memory the checks in `work` filled.
    pub(crate) fn kib_hashed(work: impl FnOnce()) -> u64 {
        let before = KIB.get();
        work();
        KIB.get() - before
    }

    /// A hash that costs next to nothing, and is outdated therefore.
    pub(crate) fn cheap(password: &str) -> String {
        let argon2 = Argon2::from(Params::new(8, 1, 1, None).unwrap());
        argon2.hash_password_with_salt(password.as_bytes(), b"salt of 16 bytes").unwrap().to_string()
    }

    fn secret(text: &str) -> Secret<String> {
        Secret::new(text.to_owned())
    }

    fn matches(phc: &str, password: &str) -> bool {
        Phc::parse(phc).unwrap().verify(password.as_bytes(), &mut Memory::default()).unwrap()
    }

    #[test]
    fn a_hash_is_argon2id_with_the_current_parameters_and_its_own_salt() {
        let (one, other) =
            (hash_password(&secret("enigma")).unwrap(), hash_password(&secret("enigma")).unwrap());
        assert!(one.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"), "{one}");
        assert_ne!(one, other);
        assert!(matches(&one, "enigma"));
        assert!(!matches(&one, "Enigma"));
        assert!(!is_outdated(&one));
    }

    #[test]
    fn a_password_is_neither_empty_nor_too_long() {
        assert_eq!(hash_password(&secret("")), Err(HashError::Empty));
        assert_eq!(hash_password(&secret(&"x".repeat(1025))), Err(HashError::TooLong));
        assert!(hash_password(&secret(&"x".repeat(1024))).is_ok());
    }

    #[test]
    fn a_hash_of_another_tool_is_known() {
        // echo -n password | argon2 somesalt -id -t 2 -m 16 -p 1 (the reference implementation's own vector)
        let reference =
            "$argon2id$v=19$m=65536,t=2,p=1$c29tZXNhbHQ$CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAph8ArZWb2GRPPc";
        assert!(matches(reference, "password"));
        assert!(!matches(reference, "passwort"));
    }

    #[test]
    fn what_other_hashes_left_in_the_memory_changes_nothing() {
        let mut memory = Memory::default();
        let (cheap, good) = (cheap("enigma"), hash_password(&secret("enigma")).unwrap());
        let lanes = good.replace("p=1", "p=4");
        for _ in 0..2 {
            for (phc, password, right) in [
                (&cheap, "enigma", true),
                (&good, "enigma", true),
                (&cheap, "enigma", true),
                (&lanes, "enigma", false),
                (&good, "Enigma", false),
            ] {
                let phc = Phc::parse(phc).unwrap();
                assert_eq!(phc.verify(password.as_bytes(), &mut memory), Ok(right), "{}", phc.as_str());
            }
        }
    }

    #[test]
    fn t29_nobody_costs_as_much_as_anybody_else_and_has_no_password() {
        let nobody = Phc::nobody().unwrap();
        let costly = Phc::parse(&cheap("enigma").replace("m=8,t=1", "m=64,t=3")).unwrap();
        let as_costly = nobody.as_costly_as(&costly);
        assert!(as_costly.as_str().starts_with("$argon2id$v=19$m=64,t=3,p=1$"), "{}", as_costly.as_str());
        assert_eq!(as_costly.work(), 3 * 64);
        assert_eq!(Phc::parse(as_costly.as_str()).as_ref(), Ok(&as_costly));
        assert_eq!(as_costly.as_costly_as(&nobody), nobody, "the salt and the output are its own");
    }

    #[test]
    fn weaker_stronger_and_foreign_hashes_are_outdated() {
        let good = hash_password(&secret("enigma")).unwrap();
        for (from, to) in
            [("m=19456", "m=19455"), ("m=19456", "m=65536"), ("t=2", "t=1"), ("p=1", "p=2"), ("v=19", "v=16")]
        {
            assert!(is_outdated(&good.replace(from, to)), "{to}");
        }
        let (rest, _) = good.rsplit_once('$').unwrap();
        assert!(is_outdated(&format!("{rest}$AAAAAAAAAAAAAAAAAAAAAA")), "a short output");
        assert!(is_outdated("$2b$12$abcdefghijklmnopqrstuv"));
        assert!(is_outdated(&cheap("enigma")));
        assert!(!is_outdated(Phc::nobody().unwrap().as_str()));
    }

    #[test]
    fn what_is_no_argon2id_hash_is_refused() {
        let good = cheap("enigma");
        assert!(Phc::parse(&good).is_ok());
        let (without_hash, _) = good.rsplit_once('$').unwrap();
        let (without_salt, _) = without_hash.rsplit_once('$').unwrap();
        for bad in [
            "",
            "enigma",
            "$argon2id$",
            without_hash,
            without_salt,
            &good.replace("argon2id", "argon2i"),
            &good.replace("argon2id", "argon2d"),
            &good.replace("v=19", "v=20"),
            &good.replace("$v=19", ""),
            &good.replace("m=8", "m=7"),
            &good.replace("m=8", "x=8"),
            &format!("{good} "),
            &format!("{good}$more"),
            "$2b$12$abcdefghijklmnopqrstuvabcdefghijklmnopqrstuvabcdefghijk",
        ] {
            assert_eq!(Phc::parse(bad), Err(NOT_ARGON2ID), "{bad}");
        }
    }

    #[test]
    fn a_hash_that_would_stall_logins_is_refused() {
        let good = cheap("enigma");
        for (bad, fine) in [
            ("m=1048577,t=1,p=1", "m=1048576,t=4,p=1"),
            ("m=1024,t=101,p=1", "m=1024,t=100,p=1"),
            ("m=1024,t=1,p=17", "m=1024,t=1,p=16"),
            ("m=1048576,t=5,p=1", "m=419430,t=10,p=1"),
        ] {
            assert_eq!(Phc::parse(&good.replace("m=8,t=1,p=1", bad)), Err(TOO_COSTLY), "{bad}");
            assert!(Phc::parse(&good.replace("m=8,t=1,p=1", fine)).is_ok(), "{fine}");
        }
    }
}
