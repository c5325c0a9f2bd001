//! One user's story: a state, a clock that only the test moves, and every decision put through
//! `prepare`, `decide` and `evolve` as the actor does it.

#![allow(dead_code, reason = "each test file tells another part of the story")]

mod post;

use std::collections::BTreeSet;
use std::net::IpAddr;

use countersign_core::alerts::Pressure;
use countersign_core::audit::AuditEntry;
use countersign_core::command::{Command, Proof, Query};
use countersign_core::context::{Context, Surroundings};
use countersign_core::decide::{decide, prepare};
use countersign_core::entropy::SeededEntropy;
use countersign_core::event::UserEvent;
use countersign_core::evolve::evolve_all;
use countersign_core::factor::totp::Parameters;
use countersign_core::ids::{ChallengeId, FactorId, KeyId, TenantId, UserHash, UserKey};
use countersign_core::message::Channels;
use countersign_core::policy::{Policy, Requirement};
use countersign_core::query;
use countersign_core::reply::{
    ChallengeAnswer, FactorView, Refusal, Reply, TotpEnrollment, Verified,
};
use countersign_core::risk::LoginContext;
use countersign_core::secret::Secret;
use countersign_core::settings::Settings;
use countersign_core::system::FEATURE_LEVEL;
use countersign_core::tenant::TenantState;
use countersign_core::time::Timestamp;
use countersign_core::user::UserState;
use countersign_core::vault::{Sealed, Vault, VaultError};
use sha2::{Digest, Sha256};

#[allow(unused_imports, reason = "each test file tells another part of the story")]
pub(crate) use post::{EMAIL, NUMBER, Sent, Traffics};

/// Seals nothing and binds everything: the plain text behind a digest of its context.
pub(crate) struct GlassVault;

impl Vault for GlassVault {
    fn seal(&self, context: &[u8], _nonce: [u8; 24], plain: &[u8]) -> Sealed {
        Sealed::from_bytes([&Sha256::digest(context)[..], plain].concat())
    }

    fn open(&self, context: &[u8], sealed: &Sealed) -> Result<Secret, VaultError> {
        let bound = Sha256::digest(context);
        let plain = sealed.as_bytes().strip_prefix(&bound[..]).ok_or(VaultError::Broken)?;
        Ok(Secret::new(plain.to_vec()))
    }

    fn challenge_id(&self, user: UserHash, random: [u8; 8]) -> ChallengeId {
        let mut bytes = [0; 16];
        bytes[..8].copy_from_slice(&user.0.to_be_bytes());
        bytes[8..].copy_from_slice(&random);
        ChallengeId::from_bytes(bytes)
    }

    fn challenge_user(&self, id: ChallengeId) -> UserHash {
        let mut first = [0; 8];
        first.copy_from_slice(&id.as_bytes()[..8]);
        UserHash(u64::from_be_bytes(first))
    }

    fn fingerprint(&self, context: &[u8], plain: &[u8]) -> [u8; 16] {
        let mut first = [0; 16];
        first.copy_from_slice(&Sha256::digest([context, plain].concat())[..16]);
        first
    }
}

pub(crate) const ACTOR: KeyId = KeyId::from_bytes([7; 16]);

pub(crate) struct Story {
    pub(crate) key: UserKey,
    pub(crate) state: UserState,
    pub(crate) tenant: TenantState,
    pub(crate) now: Timestamp,
    /// Where a browser on the hosted pages is.
    pub(crate) browser_address: Option<IpAddr>,
    /// How far `now` is ahead of real time.
    pub(crate) ahead_ms: i64,
    pub(crate) failures_from_address: u32,
    pub(crate) pressure: Pressure,
    pub(crate) channels: Channels,
    pub(crate) traffics: Traffics,
    pub(crate) events: Vec<UserEvent>,
    pub(crate) audit: Vec<AuditEntry>,
    pub(crate) entropy: SeededEntropy,
}

impl Story {
    pub(crate) fn new() -> Self {
        Self::of("user_1")
    }

    pub(crate) fn of(user: &str) -> Self {
        let now = Timestamp::from_millis(1_800_000_000_000);
        let tenant = TenantId::default_tenant();
        let key = UserKey::new(tenant.clone(), user.parse().unwrap());
        let entropy = SeededEntropy::new(key.hash().0);
        Self {
            key,
            state: UserState::default(),
            tenant: TenantState::new(
                tenant,
                "Test".to_owned(),
                now,
                Policy::initial(now),
                Settings::initial(),
            ),
            now,
            browser_address: None,
            ahead_ms: 0,
            failures_from_address: 0,
            pressure: Pressure::default(),
            channels: Channels { sms: true, email: true },
            traffics: Traffics::default(),
            events: Vec::new(),
            audit: Vec::new(),
            entropy,
        }
    }

    pub(crate) fn requiring(requirement: Requirement) -> Self {
        let mut story = Self::new();
        story.tenant.policy.requirement = requirement;
        story.tenant.policy.required_since = Some(story.now);
        story
    }

    pub(crate) fn wait_ms(&mut self, millis: i64) {
        self.now = self.now.plus_millis(millis);
    }

    pub(crate) fn wait_s(&mut self, seconds: i64) {
        self.wait_ms(seconds * 1_000);
    }

    /// Puts a command through all stages, as the actor does.
    pub(crate) fn ask(&mut self, command: &Command) -> Reply {
        let around = Surroundings {
            browser_address: self.browser_address,
            failures_from_address: self.failures_from_address,
            pressure: self.pressure,
            channels: self.channels,
            traffic: &self.traffics,
            ..Surroundings::of(&self.tenant, "kid")
        };
        let mut context = Context {
            now: self.now,
            clock: self.now.plus_millis(-self.ahead_ms),
            entropy: &mut self.entropy,
            vault: &GlassVault,
            actor: Some(ACTOR),
            feature_level: FEATURE_LEVEL,
        };
        let worked = prepare(&self.state, command, &around, &mut context).map(|work| work.run());
        let decision = decide(&self.key, &self.state, command, worked, &around, &mut context);
        evolve_all(&mut self.state, &decision.events, self.now);
        self.traffics.apply(&decision.events, self.now);
        self.events = decision.events;
        self.audit = decision.audit;
        decision.reply
    }

    pub(crate) fn tell(&self, query: &Query) -> Reply {
        let around = Surroundings {
            failures_from_address: self.failures_from_address,
            ..Surroundings::of(&self.tenant, "kid")
        };
        query::answer(&self.key, &self.state, query, &around, self.now)
    }

    pub(crate) fn refusal(&mut self, command: &Command) -> Refusal {
        match self.ask(command) {
            Reply::Refused(refusal) => refusal,
            other => panic!("{command:?} was not refused: {other:?}"),
        }
    }

    pub(crate) fn begin(&mut self, parameters: Parameters) -> TotpEnrollment {
        match self.ask(&Command::BeginTotp {
            name: None,
            parameters,
            account_name: None,
            resume: None,
        }) {
            Reply::TotpEnrollment(enrollment) => enrollment,
            other => panic!("no enrollment: {other:?}"),
        }
    }

    /// Enrolls an app and lets its confirming step pass.
    pub(crate) fn enroll(&mut self) -> App {
        let enrollment = self.begin(Parameters::default());
        let app = App {
            id: enrollment.factor_id,
            secret: enrollment.secret,
            parameters: enrollment.parameters,
        };
        let code = app.code(self.now);
        match self.ask(&Command::ConfirmTotp { code, name: None, challenge: None }) {
            Reply::Factor { .. } => {}
            other => panic!("not confirmed: {other:?}"),
        }
        self.wait_s(60);
        app
    }

    pub(crate) fn login(&mut self) -> ChallengeAnswer {
        self.login_from(LoginContext::default(), None)
    }

    pub(crate) fn login_from(
        &mut self,
        context: LoginContext,
        token: Option<Secret>,
    ) -> ChallengeAnswer {
        let purpose = countersign_core::challenge::Purpose::Login;
        match self.ask(&Command::CreateChallenge { purpose, context, device_token: token }) {
            Reply::Challenge(answer) => answer,
            other => panic!("no answer: {other:?}"),
        }
    }

    pub(crate) fn challenge(&mut self) -> ChallengeId {
        self.login().challenge.expect("a challenge").id
    }

    pub(crate) fn verify(&mut self, challenge: ChallengeId, app: &App, code: Secret) -> Reply {
        self.ask(&Command::Verify {
            challenge,
            proof: Proof::Code { factor: app.id, code },
            remember_device: None,
        })
    }

    pub(crate) fn verified(&mut self, challenge: ChallengeId, app: &App) -> Verified {
        let code = app.code(self.now);
        match self.verify(challenge, app, code) {
            Reply::Verified(verified) => verified,
            other => panic!("not verified: {other:?}"),
        }
    }

    pub(crate) fn recovery_codes(&mut self) -> Vec<Secret> {
        match self.ask(&Command::GenerateRecoveryCodes) {
            Reply::RecoveryCodes(codes) => codes,
            other => panic!("no codes: {other:?}"),
        }
    }

    pub(crate) fn factors(&self) -> Vec<FactorView> {
        match self.tell(&Query::Factors) {
            Reply::Factors(factors) => factors,
            other => panic!("no factors: {other:?}"),
        }
    }

    pub(crate) fn allow(&mut self, types: &[countersign_core::factor::FactorType]) {
        self.tenant.policy.allowed_factors = types.iter().copied().collect::<BTreeSet<_>>();
    }

    pub(crate) fn audit_types(&self) -> Vec<&str> {
        self.audit.iter().map(|entry| entry.event_type.as_str()).collect()
    }
}

/// An authenticator app in somebody's hand.
#[derive(Clone)]
pub(crate) struct App {
    pub(crate) id: FactorId,
    pub(crate) secret: Secret,
    pub(crate) parameters: Parameters,
}

impl App {
    pub(crate) fn code(&self, now: Timestamp) -> Secret {
        self.parameters.code(&self.secret, self.parameters.step_at(now))
    }

    /// The code of the step that is `steps` away.
    pub(crate) fn code_off(&self, now: Timestamp, steps: i64) -> Secret {
        let step = self.parameters.step_at(now).checked_add_signed(steps).unwrap();
        self.parameters.code(&self.secret, step)
    }

    /// A code that is wrong in every step of the window.
    pub(crate) fn wrong_code(&self, now: Timestamp) -> Secret {
        let near: Vec<Secret> = (-3..=3).map(|off| self.code_off(now, off)).collect();
        let mut guess = 0u32;
        loop {
            let code = Secret::from(format!("{guess:06}"));
            if !near.contains(&code) {
                return code;
            }
            guess += 1;
        }
    }
}

pub(crate) fn secret(text: &str) -> Secret {
    Secret::from(text.to_owned())
}
