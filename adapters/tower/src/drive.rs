use std::future::Future;
use std::panic::AssertUnwindSafe;
use std::pin::{Pin, pin};
use std::sync::Arc;

use authgate_core::{Body as Form, BodyError as FormError, BodyLimit, Decision, Step, Unavailable};
use bytes::Bytes;
use futures_lite::FutureExt;
use http::request::Parts;
use http_body::Body;
use http_body_util::BodyExt as _;
use zeroize::Zeroizing;

use crate::layer::Shared;
use crate::{BodyError, Host, SessionStore, SharedMemory, SharedStore};

/// What the log calls it.
const STORE: &str = "the session store";

/// Where records are kept.
#[derive(Clone)]
pub(crate) enum Store {
    /// Here: nobody has to wait.
    Memory(Arc<SharedMemory>),
    Elsewhere(Arc<dyn SessionStore>),
    /// The same, with what gates tell each other.
    Shared(Arc<dyn SharedStore>),
}

/// How long a request goes on waiting for the store, all its questions together.
#[derive(Default)]
struct Patience {
    /// Begun with the first question.
    timer: Option<Pin<Box<dyn Future<Output = ()> + Send>>>,
    is_over: bool,
}

impl<H: Host> Shared<H> {
    /// Answers questions until there are none, or until one must be waited for.
    pub(crate) fn answer_at_once(&self, mut step: Step) -> Step {
        // Nearly every step is the end: it is not even moved, and the clock is not asked.
        while !matches!(step, Step::Done(_)) {
            let now = self.host.now();
            step = match (step, &self.store) {
                (Step::DrawBytes(then), _) => then.resume(self.host.draw(), now),
                (Step::LoadSession(id, then), Store::Memory(store)) => {
                    then.resume(Ok(store.with(|store| store.load(&id, now))), now)
                }
                (Step::CreateSession(id, session, then), Store::Memory(store)) => {
                    then.resume(Ok(store.with(|store| store.create(id, session, now))), now)
                }
                (Step::RenewSession(id, session, then), Store::Memory(store)) => {
                    then.resume(Ok(store.with(|store| store.renew(id, session, now))), now)
                }
                (Step::DropSession(id, then), Store::Memory(store)) => {
                    store.with(|store| store.remove(&id, now));
                    then.resume(Ok(()), now)
                }
                (step, _) => return step,
            };
        }
        step
    }

    /// The whole driver: answers questions until there are none. The body is taken only if it is asked for.
    pub(crate) async fn drive<B>(&self, mut step: Step, request: &Parts, body: &mut Option<B>) -> Decision
    where
        B: Body<Data = Bytes> + Send,
        B::Error: Into<BodyError>,
    {
        let host = &self.host;
        let mut patience = Patience::default();
        loop {
            step = match self.answer_at_once(step) {
                Step::Done(decision) => return decision,
                Step::ReadBody(limit, then) => {
                    let form = match body.take() {
                        Some(body) => self.read(limit, body).await,
                        None => Err(FormError::Cut),
                    };
                    then.resume(form, host.now())
                }
                Step::AskBackend(backend, then) => {
                    let answer = async { host.authenticate(backend, request).await };
                    then.resume(self.ask("the backend", answer).await, host.now())
                }
                Step::FetchKeys(_, then) => {
                    let keys = async { self.keys.fetch().await };
                    then.resume(self.ask("the provider of keys", keys).await, host.now())
                }
                Step::CheckPassword(credentials, then) => {
                    let verdict = async { self.users.check(host, credentials).await };
                    then.resume(self.ask("the password check", verdict).await, host.now())
                }
                Step::LookUpUser(user, then) => {
                    let lookup = async { self.users.look_up(host, user).await };
                    then.resume(self.ask("the user store", lookup).await, host.now())
                }
                Step::DrawBytes(then) => then.resume(host.draw(), host.now()),
                Step::LoadSession(id, then) => {
                    let answer = async { self.store().load(id, host.now()).await };
                    then.resume(self.ask_store(&mut patience, answer).await, host.now())
                }
                Step::CreateSession(id, session, then) => {
                    let answer = async { self.store().create(id, session, host.now()).await };
                    then.resume(self.ask_store(&mut patience, answer).await, host.now())
                }
                Step::RenewSession(id, session, then) => {
                    let answer = async { self.store().renew(id, session, host.now()).await };
                    then.resume(self.ask_store(&mut patience, answer).await, host.now())
                }
                Step::DropSession(id, then) => {
                    let answer = async { self.store().remove(id, host.now()).await };
                    then.resume(self.ask_store(&mut patience, answer).await, host.now())
                }
                Step::HearEndings(since, then) => {
                    let answer = async { self.shared_store()?.endings(since).await };
                    then.resume(self.ask_store(&mut patience, answer).await, host.now())
                }
                Step::LoadCounts(keys, then) => {
                    let answer = async { self.shared_store()?.counts(keys).await };
                    then.resume(self.ask_store(&mut patience, answer).await, host.now())
                }
                Step::SwapCounts(swaps, then) => {
                    let answer = async { self.shared_store()?.swap_counts(swaps).await };
                    then.resume(self.ask_store(&mut patience, answer).await, host.now())
                }
            };
        }
    }

    /// An answer within the deadline. One that is late, or that panics, is none.
    pub(crate) async fn ask<T>(
        &self,
        whom: &'static str,
        answer: impl Future<Output = Result<T, Unavailable>> + Send,
    ) -> Result<T, Unavailable> {
        let late = async {
            self.host.sleep(self.deadline).await;
            Err(Unavailable::new(format!("{whom} gave no answer within {} ms", self.deadline.as_millis())))
        };
        let answer = AssertUnwindSafe(answer).catch_unwind();
        let answer =
            async { answer.await.unwrap_or_else(|_| Err(Unavailable::new(format!("{whom} panicked")))) };
        answer.or(late).await
    }

    /// The store's answer, as long as there is any patience left for it.
    async fn ask_store<T>(
        &self,
        patience: &mut Patience,
        answer: impl Future<Output = Result<T, Unavailable>> + Send,
    ) -> Result<T, Unavailable> {
        let Patience { timer, is_over } = patience;
        let over = async {
            if !*is_over {
                timer.get_or_insert_with(|| Box::pin(self.host.sleep(self.store_deadline))).await;
                *is_over = true;
            }
            let most = self.store_deadline.as_millis();
            Err(Unavailable::new(format!("{STORE} kept this request waiting for more than {most} ms")))
        };
        self.ask(STORE, answer.or(over)).await
    }

    fn store(&self) -> &dyn SessionStore {
        match &self.store {
            Store::Memory(store) => store.as_ref(),
            Store::Elsewhere(store) => store.as_ref(),
            Store::Shared(store) => store.as_ref(),
        }
    }

    pub(crate) fn shared_store(&self) -> Result<&Arc<dyn SharedStore>, Unavailable> {
        match &self.store {
            Store::Shared(store) => Ok(store),
            Store::Memory(_) | Store::Elsewhere(_) => {
                Err(Unavailable::new("the gate shares a store, and the layer has none that can be shared"))
            }
        }
    }

    /// A form's body. Reading ends with the first byte that is too many.
    async fn read<B>(&self, limit: BodyLimit, body: B) -> Result<Form, FormError>
    where
        B: Body<Data = Bytes> + Send,
        B::Error: Into<BodyError>,
    {
        let late = async {
            self.host.sleep(self.deadline).await;
            Err(FormError::TooSlow)
        };
        collect(limit, body).or(late).await
    }
}

async fn collect<B: Body<Data = Bytes>>(limit: BodyLimit, body: B) -> Result<Form, FormError> {
    let mut body = pin!(body);
    let expected = usize::try_from(body.size_hint().lower()).unwrap_or(usize::MAX);
    // It may hold a password, and is erased whatever becomes of it.
    let mut bytes = Zeroizing::new(Vec::with_capacity(expected.clamp(1024, limit.bytes())));
    while let Some(frame) = body.frame().await {
        let frame = frame.map_err(|_| FormError::Cut)?;
        let Ok(data) = frame.into_data() else { continue };
        if bytes.len() + data.len() > limit.bytes() {
            return Err(FormError::TooLarge);
        }
        append(&mut bytes, &data);
    }
    limit.body(std::mem::take(&mut bytes))
}

/// As `extend_from_slice`, and where there is no room for it the old bytes are erased: a vector that grows leaves them
/// behind.
fn append(bytes: &mut Zeroizing<Vec<u8>>, data: &[u8]) {
    let length = bytes.len() + data.len();
    if length > bytes.capacity() {
        let mut roomy = Zeroizing::new(Vec::with_capacity(length.max(2 * bytes.capacity())));
        roomy.extend_from_slice(bytes);
        *bytes = roomy;
    }
    bytes.extend_from_slice(data);
}
