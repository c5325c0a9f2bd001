//! Many clients at once, until told to stop.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;
use serde_json::json;
use tokio::task::JoinHandle;
use tokio::time::sleep;

use super::guesser::{self, Guesser};
use super::person::{self, Person};
use super::racer;
use super::sdk::Sdk;
use crate::client::Client;

/// Seconds of a lock: longer than any run, so that no lock ends within one.
const LOCK_SECONDS: u32 = 86_400;

/// Clients at work.
pub struct Crowd {
    sdk: Sdk,
    shared: Arc<Shared>,
    workers: Vec<JoinHandle<()>>,
}

#[derive(Default)]
struct Shared {
    stop: AtomicBool,
    numbers: AtomicU64,
    people: Mutex<Vec<String>>,
    fresh: Mutex<Vec<String>>,
    guessers: Mutex<Vec<Guesser>>,
}

/// Sets the policy that the clients count on.
///
/// # Panics
/// If it cannot be set.
pub async fn prepare(client: &Client) {
    let lockout = json!({
        "maxAttempts": 5, "baseDelaySeconds": LOCK_SECONDS, "maxDelaySeconds": LOCK_SECONDS,
    });
    client.insist_patch("/v1/mfa/policy", json!({ "lockout": lockout })).await.ok();
}

impl Crowd {
    /// Sets `workers` clients to work. The seed decides what each does.
    pub fn start(sdk: &Sdk, workers: usize, seed: u64) -> Self {
        let shared = Arc::new(Shared::default());
        let work = |_| tokio::spawn(work(sdk.clone(), Arc::clone(&shared), seed));
        Self { sdk: sdk.clone(), workers: (0..workers).map(work).collect(), shared }
    }

    /// Lets everybody finish what it is at. Answers how many people lived.
    ///
    /// # Panics
    /// If a client panicked.
    pub async fn stop(&mut self) -> usize {
        self.shared.stop.store(true, Ordering::SeqCst);
        for worker in self.workers.drain(..) {
            worker.await.unwrap();
        }
        self.shared.people.lock().unwrap().len()
    }

    /// People whose life is over and who were not looked at since, the latest `most` of them.
    pub fn finished(&self, most: usize) -> Vec<String> {
        let mut fresh = std::mem::take(&mut *self.shared.fresh.lock().unwrap());
        fresh.drain(..fresh.len().saturating_sub(most));
        fresh
    }

    /// Looks at some people again, through every node.
    pub async fn look_at(&self, people: &[String]) {
        for chunk in people.chunks(16) {
            let looks = chunk.iter().map(|user| person::look_back(&self.sdk, user));
            futures::future::join_all(looks).await;
        }
    }

    /// Looks at everybody again through every node. The cluster must be whole.
    pub async fn look_back(&self) {
        let people = self.shared.people.lock().unwrap().clone();
        self.look_at(&people).await;
        let guessers = std::mem::take(&mut *self.shared.guessers.lock().unwrap());
        for guesser in &guessers {
            guesser::look_back(&self.sdk, guesser).await;
        }
    }
}

async fn work(sdk: Sdk, shared: Arc<Shared>, seed: u64) {
    while !shared.stop.load(Ordering::SeqCst) {
        let number = shared.numbers.fetch_add(1, Ordering::Relaxed);
        let mut rng = ChaCha8Rng::seed_from_u64(seed ^ number.wrapping_mul(0x9e37_79b9_7f4a_7c15));
        let pause = rng.random_range(1..30);
        match rng.random_range(0..100) {
            0..6 => {
                let guesser = guesser::guess(&sdk, number).await;
                shared.guessers.lock().unwrap().extend(guesser);
            }
            6..10 => drop(racer::race(&sdk, number).await),
            _ => {
                let mut person = Person::new(&sdk, number, rng);
                person.live().await;
                shared.people.lock().unwrap().push(person.user().to_owned());
                shared.fresh.lock().unwrap().push(person.user().to_owned());
            }
        }
        sleep(Duration::from_millis(pause)).await;
    }
}
