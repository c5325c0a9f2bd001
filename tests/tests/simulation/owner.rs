//! The application of one user: enrolls, logs in, spends recovery codes, removes and resets, and
//! tries what must not work (the same code twice at once, a code again, a request again).

use std::sync::Arc;

use countersign_actors::gateway::{Question, Target};
use countersign_actors::ports::Clock;
use countersign_core::challenge::Purpose;
use countersign_core::command::{Command, Proof, Query};
use countersign_core::factor::totp::Parameters;
use countersign_core::ids::{ChallengeId, FactorId};
use countersign_core::reply::Reply;
use countersign_core::risk::LoginContext;
use countersign_core::secret::Secret;
use countersign_core::user::Profile;
use rand::Rng;

use crate::board::{Board, profile_number};
use crate::client::{Client, Repeatable};

/// Answered requests that may come again.
const REPEATED: usize = 8;
/// Sets of recovery codes that one owner makes at most: each costs real hashing time.
const SETS: u32 = 2;

/// The owner of a user.
pub(crate) struct Owner {
    /// How it asks.
    pub(crate) client: Client,
    /// What is known of its user.
    pub(crate) board: Arc<Board>,
    app: Option<App>,
    spent: Option<u64>,
    recovery_codes: Vec<Secret>,
    sets: u32,
    answered: Vec<(Repeatable, Reply)>,
}

/// An authenticator app.
#[derive(Clone)]
struct App {
    id: FactorId,
    secret: Secret,
    parameters: Parameters,
}

impl Owner {
    /// An owner of a user that does not exist yet.
    pub(crate) const fn new(client: Client, board: Arc<Board>, recovery_codes: bool) -> Self {
        Self {
            client,
            board,
            app: None,
            spent: None,
            recovery_codes: Vec::new(),
            sets: if recovery_codes { 0 } else { SETS },
            answered: Vec::new(),
        }
    }

    /// Works until it is time to end, and ends with a change that is seen through every node: the
    /// proof that the user's shard serves.
    pub(crate) async fn run(mut self) {
        self.write_profile().await;
        while !self.client.finishing() {
            self.step().await;
            self.client.think(150).await;
        }
        self.write_profile().await;
        for node in 1..=self.client.nodes {
            while !self.read_profile(node).await {
                self.client.think(100).await;
            }
        }
    }

    async fn step(&mut self) {
        let dice = self.client.random.random_range(0..100);
        match (dice, self.app.clone()) {
            (0..20, _) => self.write_profile().await,
            (20..30, _) => {
                let node = self.client.any_node();
                self.read_profile(node).await;
            }
            (30..38, _) => self.repeat().await,
            (_, None) => self.enroll().await,
            (38..70, Some(app)) => self.log_in(&app).await,
            (70..80, Some(app)) => self.replay(&app).await,
            (80..90, Some(_)) => self.recover().await,
            (90..95, Some(app)) => self.remove(app.id).await,
            (95..97, Some(_)) => self.reset().await,
            (_, Some(_)) => drop(self.change(Command::Unlock).await),
        }
    }

    /// A change that is asked for until it is answered.
    async fn change(&mut self, command: Command) -> Reply {
        let request = self.client.repeatable(Question::Do(command));
        let reply = self.client.certain(&self.board, &request).await;
        if !matches!(reply, Reply::Refused(_)) {
            if self.answered.len() == REPEATED {
                self.answered.remove(0);
            }
            self.answered.push((request, reply.clone()));
        }
        reply
    }

    /// Makes an answered request again: the answer must be the same.
    async fn repeat(&mut self) {
        if self.answered.is_empty() {
            return;
        }
        let which = self.client.random.random_range(0..self.answered.len());
        let (request, first) = self.answered[which].clone();
        let again = self.client.certain(&self.board, &request).await;
        if again != first {
            self.board.answered_otherwise("repeated");
        }
    }

    async fn write_profile(&mut self) {
        let number = self.board.begin_profile();
        let profile = Profile { display_name: Some(number.to_string()), ..Profile::default() };
        self.change(Command::PutProfile(profile)).await;
        self.board.profile_written(number);
    }

    async fn read_profile(&mut self, node: u64) -> bool {
        let floor = self.board.profile_floor();
        let target = Target::User(self.board.key.user.clone());
        let question = Question::Tell(Query::User);
        let number = match self.client.ask(node, &self.board, target, question, None).await {
            Some(Reply::User(view)) => profile_number(view.profile.display_name.as_deref()),
            Some(_) => 0,
            None => return false,
        };
        self.board.profile_read(floor, number);
        true
    }

    async fn enroll(&mut self) {
        let parameters = Parameters::default();
        let begin = Command::BeginTotp { name: None, parameters, account_name: None, resume: None };
        let Reply::TotpEnrollment(begun) = self.change(begin).await else { return };
        let app = App { id: begun.factor_id, secret: begun.secret, parameters };
        let step = parameters.step_at(self.client.clock.now());
        let code = parameters.code(&app.secret, step);
        self.board.confirming(app.id, &app.secret);
        let confirm = Command::ConfirmTotp { code, name: None, challenge: None };
        if let Reply::Factor { .. } = self.change(confirm).await {
            self.board.confirmed(app.id, step);
            self.spent = Some(step);
            self.app = Some(app);
            self.make_codes().await;
        }
    }

    async fn make_codes(&mut self) {
        if self.sets < SETS {
            self.sets += 1;
            if let Reply::RecoveryCodes(codes) = self.change(Command::RegenerateRecoveryCodes).await
            {
                self.recovery_codes = codes;
            }
        }
    }

    async fn challenge(&mut self) -> Option<ChallengeId> {
        let command = Command::CreateChallenge {
            purpose: Purpose::Login,
            context: LoginContext::default(),
            device_token: None,
        };
        let Reply::Challenge(answer) = self.change(command).await else { return None };
        answer.challenge.map(|challenge| challenge.id)
    }

    /// The right code, submitted twice at once through two nodes.
    async fn log_in(&mut self, app: &App) {
        let Some(challenge) = self.challenge().await else { return };
        let step = app.parameters.step_at(self.client.clock.now());
        if self.submit(app, challenge, step).await {
            self.spent = Some(step);
        }
    }

    /// The code that was right last time, for a new challenge.
    async fn replay(&mut self, app: &App) {
        let Some(step) = self.spent else { return };
        let Some(challenge) = self.challenge().await else { return };
        self.submit(app, challenge, step).await;
    }

    async fn submit(&mut self, app: &App, challenge: ChallengeId, step: u64) -> bool {
        let code = app.parameters.code(&app.secret, step);
        let (one, other) = (self.client.any_node(), self.client.any_node());
        let verify = |node| {
            let question = Question::Do(Command::Verify {
                challenge,
                proof: Proof::Code { factor: app.id, code: code.clone() },
                remember_device: None,
            });
            self.client.ask(node, &self.board, Target::Challenge(challenge), question, None)
        };
        let (one, other) = futures::join!(verify(one), verify(other));
        let mut accepted = false;
        for reply in [one, other].into_iter().flatten() {
            if let Reply::Verified(_) = reply {
                accepted = true;
                self.board.code_accepted(challenge, app.id, step);
            }
        }
        accepted
    }

    /// A recovery code, spent twice at once through two nodes.
    async fn recover(&mut self) {
        let Some(code) = self.recovery_codes.pop() else { return };
        let (one, other) = (self.client.any_node(), self.client.any_node());
        let spend = |node| {
            let question = Question::Do(Command::UseRecoveryCode { code: code.clone() });
            let target = Target::User(self.board.key.user.clone());
            self.client.ask(node, &self.board, target, question, None)
        };
        let (one, other) = futures::join!(spend(one), spend(other));
        for reply in [one, other].into_iter().flatten() {
            if let Reply::RecoveryCodeUsed { .. } = reply {
                self.board.recovery_code_accepted(code.expose());
            }
        }
    }

    async fn remove(&mut self, id: FactorId) {
        if let Reply::Done = self.change(Command::RemoveFactor { id }).await {
            self.board.removed(id);
            self.app = None;
        }
    }

    async fn reset(&mut self) {
        if let Reply::Done = self.change(Command::Reset { reason: None }).await {
            self.board.reset();
            self.app = None;
            self.recovery_codes.clear();
        }
    }
}
