//! The users of a run: prepared before it, topped up between operations when none has an unspent
//! code, erased after it if asked.
//!
//! A user is prepared by importing a TOTP secret that was made here, so that its codes are known.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use countersign_actors::ports::Clock;
use countersign_core::secret::Secret;
use countersign_core::time::Timestamp;
use data_encoding::BASE32_NOPAD;
use futures::StreamExt;
use http::Method;

use super::client::{Client, Request};
use super::failure::Failure;
use super::progress::Progress;
use super::supply::{Account, PARAMETERS, Supply};
use super::wire::{Factor, ImportTotp, Policy};

/// Wrong codes in a row that a user is put through at most.
const WRONG_CODES_MAX: u32 = 3;

/// The users, and how to reach them.
pub(super) struct Population {
    client: Client,
    clock: Box<dyn Clock>,
    supply: Mutex<Supply>,
    next_user: AtomicU64,
    added: AtomicU64,
    measuring: AtomicBool,
    keeps_enrolled: bool,
    attempts_max: Option<u32>,
}

impl Population {
    /// Nobody yet. `policy` is the tenant's, if the key may read it; with `keeps_enrolled`, users
    /// that enroll during the run log in later.
    pub(super) fn new(
        client: Client,
        clock: Box<dyn Clock>,
        policy: Option<&Policy>,
        keeps_enrolled: bool,
    ) -> Self {
        Self {
            client,
            clock,
            supply: Mutex::default(),
            next_user: AtomicU64::new(0),
            added: AtomicU64::new(0),
            measuring: AtomicBool::new(false),
            keeps_enrolled,
            attempts_max: policy
                .map(|policy| policy.lockout.max_attempts.min(policy.lockout.hard_limit)),
        }
    }

    pub(super) const fn client(&self) -> &Client {
        &self.client
    }

    pub(super) fn now(&self) -> Timestamp {
        self.clock.now()
    }

    /// The policy's limit of wrong codes in a row, if known.
    pub(super) const fn attempts_max(&self) -> Option<u32> {
        self.attempts_max
    }

    /// With so many wrong codes, a user is left alone until it has logged in.
    pub(super) fn wrong_codes_max(&self) -> u32 {
        self.attempts_max
            .map_or(WRONG_CODES_MAX, |most| most.saturating_sub(1).min(WRONG_CODES_MAX))
    }

    /// Users that were added because none had an unspent code, since measuring began.
    pub(super) fn added(&self) -> u64 {
        self.added.load(Ordering::Relaxed)
    }

    /// From here on, users that are added are counted.
    pub(super) fn start_measuring(&self) {
        self.measuring.store(true, Ordering::Relaxed);
    }

    /// What the ids of all users of this run begin with.
    pub(super) fn prefix(&self) -> String {
        format!("bench-{}-", self.client.run())
    }

    /// An id that no user has.
    pub(super) fn next_user_id(&self) -> String {
        format!("{}{}", self.prefix(), self.next_user.fetch_add(1, Ordering::Relaxed))
    }

    /// Prepares `count` more users, `at_once` at a time.
    pub(super) async fn prepare(
        &self,
        count: u64,
        at_once: usize,
        progress: &Progress,
    ) -> Result<(), Failure> {
        let mut imports =
            futures::stream::iter((0..count).map(|_| self.import())).buffer_unordered(at_once);
        while let Some(account) = imports.next().await {
            self.put(account?);
            progress.advance();
        }
        Ok(())
    }

    /// A user with an unspent code: one of these, or else a new one.
    pub(super) async fn with_code(&self) -> Result<Account, Failure> {
        let taken = self.supply().take(self.now());
        self.or_new(taken).await
    }

    /// A user with fewer than `wrong_codes_below` wrong codes: one of these, or else a new one.
    pub(super) async fn without_code(&self, wrong_codes_below: u32) -> Result<Account, Failure> {
        let taken = self.supply().take_without_code(wrong_codes_below);
        self.or_new(taken).await
    }

    async fn or_new(&self, taken: Option<Account>) -> Result<Account, Failure> {
        if let Some(account) = taken {
            return Ok(account);
        }
        if self.measuring.load(Ordering::Relaxed) {
            self.added.fetch_add(1, Ordering::Relaxed);
        }
        self.import().await
    }

    /// Puts a user back.
    pub(super) fn put(&self, account: Account) {
        let now = self.now();
        self.supply().put(account, now);
    }

    /// Puts a user in that enrolled during the run.
    pub(super) fn put_enrolled(&self, account: Account) {
        if self.keeps_enrolled {
            self.put(account);
        }
    }

    async fn import(&self) -> Result<Account, Failure> {
        let user_id = self.next_user_id();
        let mut secret = vec![0; 20];
        getrandom::fill(&mut secret).map_err(|error| Failure::Unanswered {
            operation: "import",
            reason: format!("this machine gives no randomness: {error}"),
        })?;
        let text = BASE32_NOPAD.encode(&secret);
        let path = format!("/v1/users/{user_id}/mfa/totp/import");
        let request =
            Request { operation: "import", subject: &user_id, method: Method::POST, path: &path };
        let body = ImportTotp {
            secret: &text,
            algorithm: PARAMETERS.algorithm.as_str(),
            digits: PARAMETERS.digits,
            period: PARAMETERS.period_seconds,
            name: "bench",
        };
        let answer = self.client.send_json(&request, &body).await?;
        let factor: Factor = answer.json(201)?;
        answer.check(
            factor.r#type == "TOTP" && factor.status == "ACTIVE" && factor.primary,
            "an imported first factor is an active, primary TOTP factor",
        )?;
        answer.check(factor.id.starts_with("fac_"), "factor ids begin with fac_")?;
        Ok(Account::new(user_id, factor.id, Secret::new(secret), None))
    }

    /// Erases every user of this run. A user who never came into being is no mistake.
    pub(super) async fn erase(&self, at_once: usize, progress: &Progress) -> Result<(), Failure> {
        let prefix = self.prefix();
        let count = self.next_user.load(Ordering::Relaxed);
        progress.begin("erasing users", count);
        let mut erasures = futures::stream::iter((0..count).map(|number| {
            let user_id = format!("{prefix}{number}");
            async move {
                let request = Request {
                    operation: "erase",
                    subject: &user_id,
                    method: Method::DELETE,
                    path: &format!("/v1/users/{user_id}"),
                };
                let answer = self.client.send(&request).await?;
                answer.status(204).or_else(|_| answer.problem(404, "user_not_found").map(|_| ()))
            }
        }))
        .buffer_unordered(at_once);
        while let Some(erased) = erasures.next().await {
            erased?;
            progress.advance();
        }
        Ok(())
    }

    // A panic elsewhere leaves the queue whole: no operation on it can stop half way.
    fn supply(&self) -> MutexGuard<'_, Supply> {
        self.supply.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
