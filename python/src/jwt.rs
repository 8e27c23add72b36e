use std::collections::HashMap;
use std::sync::{Arc, OnceLock};
use std::time::SystemTime;

use authgate_core::{
    AuthBackend, ConfigError, Head, HeaderView, JwtBackend as CoreBackend, Key, KeySetLimits, Proof, Proven,
    Timestamp, TokenFault, User as CoreUser, VerifyOptions,
};
use authgate_jwks::KeySource;
use pyo3::exceptions::{PyTypeError, PyValueError};
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyDict, PyIterator, PyString, PyTuple};

use crate::clock;
use crate::error;
use crate::provider::Provider;
use crate::user::{Known, Named, User};

/// Checks bearer tokens: the native half of `authgate.JWTAuthBackend`.
#[pyclass(frozen, subclass, weakref, module = "authgate._core", name = "JwtBackend")]
pub(crate) struct JwtBackend {
    made: OnceLock<Made>,
}

struct Made {
    inner: Arc<CoreBackend>,
    named: Arc<Named>,
    header: String,
    /// Who has the keys, if they are fetched.
    provider: Option<Provider>,
}

/// The settings of AsyncMQ's backend, each of one type and with its default filled in.
#[derive(FromPyObject)]
#[pyo3(from_item_all)]
struct Settings {
    /// The argument that a key was given as, what kind of key it is, and its text.
    keys: Vec<(String, String, Vec<u8>)>,
    jwks_url: Option<String>,
    algorithms: Vec<String>,
    audience: Option<Vec<String>>,
    issuer: Option<Vec<String>>,
    header: String,
    scheme: String,
    user_claim: String,
    user_name_claim: String,
    admin_claim: String,
    roles_claim: String,
    /// In seconds.
    leeway: f64,
    /// The switches among PyJWT's options that are set, by name.
    switches: HashMap<String, bool>,
    require: Vec<String>,
}

#[pymethods]
impl JwtBackend {
    // A subclass may take other arguments; they are for its own `__init__`, which calls ours.
    #[new]
    #[pyo3(signature = (*_arguments, **_keywords), text_signature = "(settings)")]
    fn blank(_arguments: &Bound<'_, PyTuple>, _keywords: Option<&Bound<'_, PyDict>>) -> Self {
        Self { made: OnceLock::new() }
    }

    fn __init__(&self, py: Python<'_>, settings: Settings) -> PyResult<()> {
        let named = Named { id: settings.user_claim.clone(), name: settings.user_name_claim.clone() };
        let header = settings.header.clone();
        let (inner, provider) = build(settings).map_err(|error| error::config(py, &error))?;
        let is_new =
            self.made.set(Made { inner: inner.into(), named: named.into(), header, provider }).is_ok();
        if is_new { Ok(()) } else { Err(PyTypeError::new_err("a backend is made once")) }
    }

    /// The user whom `token` proves at the moment `now`, or None if it proves nothing.
    ///
    /// `now` is in seconds since the epoch, as `time.time()` gives it; by default it is the present. If the token's key
    /// is one that the provider must be asked for, this waits for it, 5 s at most; `authgate.Unavailable` is raised if it
    /// cannot be asked.
    #[pyo3(signature = (token, now = None))]
    fn verify(&self, token: &Bound<'_, PyAny>, now: Option<f64>) -> PyResult<Option<User>> {
        let made = self.made()?;
        let checked = made.check(token, now)?;
        if made.provider.is_none() || !matches!(checked, Err(TokenFault::UnknownKey)) {
            return Ok(checked.ok().map(|proven| made.user(proven.user)));
        }
        // As if it had come with a request: only there is it told what the provider must be asked for.
        let value = [made.inner.challenge().as_bytes(), b" ", &bytes(token)?].concat();
        let fields = [(made.header.as_bytes(), &*value)];
        made.prove(token.py(), &Head::new("GET", "/", HeaderView::Pairs(&fields)), moment(now)?)
    }

    /// Whether the keys of the request with these header fields must be fetched first.
    fn wants_keys(&self, headers: &Bound<'_, PyAny>) -> PyResult<bool> {
        let made = self.made()?;
        if made.provider.is_none() {
            return Ok(false);
        }
        let fields = fields(headers, &made.header)?;
        let pairs: Vec<_> = fields.iter().map(|(name, value)| (name.as_bytes(), value.as_bytes())).collect();
        let head = Head::new("GET", "/", HeaderView::Pairs(&pairs));
        Ok(matches!(made.inner.authenticate(&head, moment(None)?), Proof::NeedsKeys(_)))
    }

    /// Waits until keys have been fetched because a token asks for them; tells why there are none.
    fn fetch_keys(&self, py: Python<'_>) -> PyResult<Option<String>> {
        let fetched = self.made()?.provider.as_ref().map(|provider| provider.fetch(py));
        Ok(match fetched {
            None => Some("the backend has no provider".to_owned()),
            Some(fetched) => fetched.err().map(|why| why.to_string()),
        })
    }

    /// Why `token` proves nothing at the moment `now`, for a log; None if it proves a user. Never tell a client. No
    /// provider is asked for keys.
    #[pyo3(signature = (token, now = None))]
    fn explain(&self, token: &Bound<'_, PyAny>, now: Option<f64>) -> PyResult<Option<String>> {
        let fault = self.made()?.check(token, now)?.err();
        Ok(fault.map(|fault| format!("{}: {fault}", fault.slug())))
    }

    /// The user whom a request with these header fields proves, or None. Fields are pairs of name and value. Waits for
    /// keys as `verify` does.
    #[pyo3(signature = (headers, now = None))]
    fn authenticate_headers(&self, headers: &Bound<'_, PyAny>, now: Option<f64>) -> PyResult<Option<User>> {
        let made = self.made()?;
        let now = moment(now)?;
        let fields = fields(headers, &made.header)?;
        let pairs: Vec<_> = fields.iter().map(|(name, value)| (name.as_bytes(), value.as_bytes())).collect();
        let head = Head::new("GET", "/", HeaderView::Pairs(&pairs));
        made.prove(headers.py(), &head, now)
    }
}

impl JwtBackend {
    /// What the gate asks.
    pub(crate) fn inner(&self) -> PyResult<&Arc<CoreBackend>> {
        self.made().map(|made| &made.inner)
    }

    /// Which claims name the users of these tokens.
    pub(crate) fn named(&self) -> PyResult<&Arc<Named>> {
        self.made().map(|made| &made.named)
    }

    fn made(&self) -> PyResult<&Made> {
        self.made.get().ok_or_else(|| {
            PyTypeError::new_err(
                "this backend is not set up: its class must call `super().__init__(secret=…, …)`",
            )
        })
    }
}

impl Made {
    /// The user whom a request proves, once its keys have been fetched.
    fn prove(&self, py: Python<'_>, head: &Head<'_>, now: Timestamp) -> PyResult<Option<User>> {
        let mut proof = self.inner.authenticate(head, now);
        // Twice, because what is under way already may have begun before there was the key.
        for _ in 0..2 {
            let (Proof::NeedsKeys(token), Some(provider)) = (&proof, &self.provider) else { break };
            let fetched = provider.fetch(py);
            proof = self.inner.authenticate_with_keys(token, now, fetched, now);
        }
        match proof {
            Proof::Proven(proven) => Ok(Some(self.user(proven.user))),
            Proof::Unavailable(why) => Err(error::unavailable(py, &why.to_string())),
            _ => Ok(None),
        }
    }

    fn check(&self, token: &Bound<'_, PyAny>, now: Option<f64>) -> PyResult<Result<Proven, TokenFault>> {
        let now = moment(now)?;
        if let Ok(text) = token.cast::<PyString>() {
            // Half a surrogate pair has no UTF-8, and no base64 has one.
            return Ok(text
                .to_str()
                .map_or(Err(TokenFault::Encoding), |text| self.verify(text.as_bytes(), now)));
        }
        match token.cast::<PyBytes>() {
            Ok(bytes) => Ok(self.verify(bytes.as_bytes(), now)),
            Err(_) => Err(PyTypeError::new_err(format!(
                "token: a str or bytes is wanted, not {}",
                token.get_type().name()?
            ))),
        }
    }

    fn verify(&self, token: &[u8], now: Timestamp) -> Result<Proven, TokenFault> {
        self.inner.verify(token, now)
    }

    fn user(&self, user: Arc<CoreUser>) -> User {
        User::known(Some(Known { user, named: Some(self.named.clone()) }))
    }
}

fn build(settings: Settings) -> Result<(CoreBackend, Option<Provider>), ConfigError> {
    let source = settings.jwks_url.as_deref().map(KeySource::parse).transpose()?;
    let has_secret = settings.keys.iter().any(|(argument, ..)| argument == "secret");
    let mut builder = CoreBackend::builder()
        .algorithms(settings.algorithms.iter().map(|name| name.parse()).collect::<Result<Vec<_>, _>>()?)
        .header(settings.header)
        .scheme(settings.scheme)
        .user_claim(settings.user_claim)
        .user_name_claim(settings.user_name_claim)
        .admin_claim(settings.admin_claim)
        .roles_claim(settings.roles_claim)
        .leeway_seconds(settings.leeway)
        .verify_options(options(&settings.switches, settings.require));
    for (argument, kind, material) in settings.keys {
        builder = builder.keys(keys(&kind, material).map_err(|error| error.renamed(known(&argument)))?);
    }
    if let Some(audience) = settings.audience {
        builder = builder.audience(audience);
    }
    if let Some(issuer) = settings.issuer {
        builder = builder.issuer(issuer);
    }
    if source.is_some() {
        builder = builder.key_set(KeySetLimits::default());
    }
    // The secret that is too short may be a JWK's.
    let backend = builder.build().map_err(|error| match error.field() {
        "secret" if !has_secret => error.renamed("keys"),
        _ => error,
    })?;
    let provider = source.zip(backend.key_set()).map(|(source, set)| Provider::new(source, set.clone()));
    Ok((backend, provider))
}

/// A token that is text or bytes.
fn bytes(token: &Bound<'_, PyAny>) -> PyResult<Vec<u8>> {
    match token.cast::<PyString>() {
        Ok(text) => Ok(text.to_str()?.as_bytes().to_vec()),
        Err(_) => Ok(token.cast::<PyBytes>()?.as_bytes().to_vec()),
    }
}

fn keys(kind: &str, material: Vec<u8>) -> Result<Vec<Key>, ConfigError> {
    // What is no text is no PEM and no JSON either, and is refused as such.
    let text = |material: &[u8]| String::from_utf8_lossy(material).into_owned();
    match kind {
        "secret" => Key::secret(material).map(|key| vec![key]),
        "compatible secret" => Key::compatible_secret(material).map(|key| vec![key]),
        "pem" => Key::pem(&text(&material)).map(|key| vec![key]),
        "jwk" => Key::jwk(&text(&material)).map(|key| vec![key]),
        _ => Key::jwk_set(&text(&material)),
    }
}

fn known(argument: &str) -> &'static str {
    ["secret", "jwks"].into_iter().find(|name| *name == argument).unwrap_or("keys")
}

fn options(switches: &HashMap<String, bool>, require: Vec<String>) -> VerifyOptions {
    let default = VerifyOptions::default();
    let is_on = |name: &str, default: bool| switches.get(name).copied().unwrap_or(default);
    VerifyOptions {
        verify_exp: is_on("verify_exp", default.verify_exp),
        verify_nbf: is_on("verify_nbf", default.verify_nbf),
        verify_iat: is_on("verify_iat", default.verify_iat),
        verify_aud: is_on("verify_aud", default.verify_aud),
        verify_iss: is_on("verify_iss", default.verify_iss),
        verify_sub: is_on("verify_sub", default.verify_sub),
        verify_jti: is_on("verify_jti", default.verify_jti),
        strict_aud: is_on("strict_aud", default.strict_aud),
        require,
    }
}

/// The moment that a caller names, else the present.
fn moment(now: Option<f64>) -> PyResult<Timestamp> {
    match now {
        None => Ok(SystemTime::now().into()),
        Some(seconds) => clock::moment(seconds)
            .ok_or_else(|| PyValueError::new_err(format!("now: {seconds} is no moment"))),
    }
}

/// A header field as it came, alive for as long as the core looks at it.
enum Part<'py> {
    Bytes(Bound<'py, PyBytes>),
    Text(Vec<u8>),
}

impl Part<'_> {
    fn as_bytes(&self) -> &[u8] {
        match self {
            Self::Bytes(bytes) => bytes.as_bytes(),
            Self::Text(text) => text,
        }
    }
}

/// The fields that may be `wanted`: names of another length are surely other names. All else is the core's to judge.
fn fields<'py>(headers: &Bound<'py, PyAny>, wanted: &str) -> PyResult<Vec<(Part<'py>, Part<'py>)>> {
    let mut found = Vec::new();
    for pair in PyIterator::from_object(headers)? {
        // A tuple or a list: ASGI servers have both.
        let [name, value]: [Bound<'py, PyAny>; 2] = pair?.extract()?;
        let name = part(&name)?;
        if name.as_bytes().len() == wanted.len() {
            found.push((name, part(&value)?));
        }
    }
    Ok(found)
}

/// Text in a header field stands for bytes in Latin-1 (ASGI and WSGI both); what has none is no part of any token.
fn part<'py>(part: &Bound<'py, PyAny>) -> PyResult<Part<'py>> {
    if let Ok(bytes) = part.cast::<PyBytes>() {
        return Ok(Part::Bytes(bytes.clone()));
    }
    let text = part.cast::<PyString>().map_err(|_| {
        PyTypeError::new_err("headers: pairs of a name and a value are wanted, each as bytes or str")
    })?;
    Ok(Part::Text(text.to_string_lossy().chars().map(|c| u8::try_from(c).unwrap_or(b'?')).collect()))
}
