//! A provider of messages and an endpoint of webhooks that do what the test says and remember what
//! they were handed.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use countersign_core::message::Channel;
use futures::FutureExt;
use futures::future::BoxFuture;
use tokio::sync::watch;

use crate::carrier::{Carried, Carrier, NotCarried, NotPosted, Parcel, Poster, Posting};

/// What becomes of a parcel or a posting.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Reception {
    /// It is taken.
    Take,
    /// It is taken once [`Provider::release`] is called.
    TakeLater,
    /// It is refused for now: 503, with the time after which to come again.
    Later(Option<Duration>),
    /// It is refused for good, with this status.
    Never(u16),
    /// The provider is left alone. A posting cannot be.
    Closed(Duration),
    /// There is never an answer.
    Hang,
    /// The provider panics.
    Panic,
}

type Receives = dyn Fn(&Parcel) -> Reception + Send + Sync;
type Takes = dyn Fn(&Posting) -> Reception + Send + Sync;

/// The provider. Share it by [`Arc`].
pub struct Provider {
    parcel: Mutex<Arc<Receives>>,
    posting: Mutex<Arc<Takes>>,
    parcels: Mutex<Vec<Parcel>>,
    postings: Mutex<Vec<Posting>>,
    released: watch::Sender<bool>,
    counts: watch::Sender<Counts>,
}

#[derive(Clone, Copy, Debug, Default)]
struct Counts {
    handed: usize,
    posted: usize,
    held: usize,
    at_once: usize,
}

impl Provider {
    /// One that takes all.
    pub fn new() -> Arc<Self> {
        Arc::new(Self {
            parcel: Mutex::new(Arc::new(|_| Reception::Take)),
            posting: Mutex::new(Arc::new(|_| Reception::Take)),
            parcels: Mutex::default(),
            postings: Mutex::default(),
            released: watch::Sender::new(false),
            counts: watch::Sender::default(),
        })
    }

    /// From here on `receive` says what becomes of a parcel, and what is held stays held.
    pub fn on_parcel(&self, receive: impl Fn(&Parcel) -> Reception + Send + Sync + 'static) {
        self.released.send_replace(false);
        *lock(&self.parcel) = Arc::new(receive);
    }

    /// From here on `receive` says what becomes of a posting, and what is held stays held.
    pub fn on_posting(&self, receive: impl Fn(&Posting) -> Reception + Send + Sync + 'static) {
        self.released.send_replace(false);
        *lock(&self.posting) = Arc::new(receive);
    }

    /// Takes what was to be taken later, and holds nothing from here on.
    pub fn release(&self) {
        self.released.send_replace(true);
    }

    /// All parcels that were handed over, taken or not, in order.
    pub fn parcels(&self) -> Vec<Parcel> {
        lock(&self.parcels).clone()
    }

    /// All postings, taken or not, in order.
    pub fn postings(&self) -> Vec<Posting> {
        lock(&self.postings).clone()
    }

    /// Returns once `n` parcels were handed over.
    pub async fn handed(&self, n: usize) {
        // The sender lives as long as `self`, so this cannot fail.
        let _ = self.counts.subscribe().wait_for(|counts| counts.handed >= n).await;
    }

    /// Returns once `n` postings were made.
    pub async fn posted(&self, n: usize) {
        let _ = self.counts.subscribe().wait_for(|counts| counts.posted >= n).await;
    }

    /// Parcels and postings that are being answered now.
    pub fn held(&self) -> usize {
        self.counts.borrow().held
    }

    /// The most that were ever answered at once.
    pub fn at_once(&self) -> usize {
        self.counts.borrow().at_once
    }

    async fn answer(&self, reception: Reception) -> Reception {
        let _held = Held::new(&self.counts);
        match reception {
            Reception::TakeLater => {
                let _ = self.released.subscribe().wait_for(|released| *released).await;
                Reception::Take
            }
            Reception::Hang => std::future::pending().await,
            #[expect(clippy::panic, reason = "a provider that fails so is what is tested")]
            Reception::Panic => panic!("the provider fails"),
            other => other,
        }
    }
}

impl Carrier for Provider {
    fn carries(&self, _channel: Channel) -> bool {
        true
    }

    fn carry<'a>(&'a self, parcel: &'a Parcel) -> BoxFuture<'a, Result<Carried, NotCarried>> {
        async move {
            let receive = Arc::clone(&lock(&self.parcel));
            lock(&self.parcels).push(parcel.clone());
            self.counts.send_modify(|counts| counts.handed += 1);
            match self.answer(receive(parcel)).await {
                Reception::Later(after) => {
                    Err(NotCarried::Later { reason: "http_503".to_owned(), after })
                }
                Reception::Never(status) => {
                    Err(NotCarried::Never { reason: format!("http_{status}") })
                }
                Reception::Closed(reopens_in) => Err(NotCarried::Closed { reopens_in }),
                _ => Ok(Carried { reference: Some("taken".to_owned()) }),
            }
        }
        .boxed()
    }
}

impl Poster for Provider {
    fn post<'a>(&'a self, posting: &'a Posting) -> BoxFuture<'a, Result<u16, NotPosted>> {
        async move {
            let receive = Arc::clone(&lock(&self.posting));
            lock(&self.postings).push(posting.clone());
            self.counts.send_modify(|counts| counts.posted += 1);
            match self.answer(receive(posting)).await {
                Reception::Later(after) => Err(NotPosted::Refused { status: 503, after }),
                Reception::Never(status) => Err(NotPosted::Refused { status, after: None }),
                Reception::Closed(_) => {
                    Err(NotPosted::Unreachable { reason: "connect".to_owned() })
                }
                _ => Ok(200),
            }
        }
        .boxed()
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Counts one for as long as it lives.
struct Held<'a>(&'a watch::Sender<Counts>);

impl<'a> Held<'a> {
    fn new(counts: &'a watch::Sender<Counts>) -> Self {
        counts.send_modify(|counts| {
            counts.held += 1;
            counts.at_once = counts.at_once.max(counts.held);
        });
        Self(counts)
    }
}

impl Drop for Held<'_> {
    fn drop(&mut self) {
        self.0.send_modify(|counts| counts.held -= 1);
    }
}
