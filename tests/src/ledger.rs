//! What one caller was told about one user, and the check that it still holds.
//!
//! A request without an answer is *unknown*: it may have taken effect or not. Nothing is asserted
//! of it, and since it may have changed what came before, the user's story ends there.

use serde_json::json;

use crate::app::App;
use crate::client::Client;

/// One thing that was acknowledged.
#[derive(Clone, Debug)]
enum Fact {
    Enrolled { factor: String },
    Removed { factor: String },
    CodeSpent { factor: String, code: String },
    RecoveryCodeSpent { code: String },
    CodesFailed { at_least: u64 },
    Reset,
}

/// The story of one user.
pub struct Ledger {
    user: String,
    app: App,
    facts: Vec<Fact>,
    /// Whether a request had no answer.
    unknown: bool,
}

impl Ledger {
    /// The story of user number `number`.
    pub fn new(number: u64) -> Self {
        Self {
            user: format!("user-{number}"),
            app: App::numbered(number),
            facts: Vec::new(),
            unknown: false,
        }
    }

    /// How many facts were acknowledged.
    pub const fn len(&self) -> usize {
        self.facts.len()
    }

    /// Whether none was.
    pub const fn is_empty(&self) -> bool {
        self.facts.is_empty()
    }

    /// Lives a user's life until it ends or the node stops answering: enroll, take recovery codes,
    /// spend a code, spend a recovery code, fail once, enroll another app, remove it; every third
    /// user is reset at last.
    pub async fn live(&mut self, client: &Client, reset: bool) {
        self.unknown = self.try_live(client, reset).await.is_none();
    }

    async fn try_live(&mut self, client: &Client, reset: bool) -> Option<()> {
        let user = self.user.clone();
        let base = format!("/v1/users/{user}/mfa");
        let factor = client.import(&user, &self.app).await?;
        self.facts.push(Fact::Enrolled { factor: factor.clone() });

        let answer = client.try_post(&format!("{base}/recovery-codes"), json!({})).await?;
        let recovery = answer.ok()["codes"][0].as_str().unwrap().to_owned();

        let challenge = client.challenge(&user).await?;
        let code = self.app.code(0);
        let answer = client.verify(&challenge, &factor, &code).await?;
        assert_eq!(answer.status, 200, "{}", answer.body);
        self.facts.push(Fact::CodeSpent { factor: factor.clone(), code });

        let challenge = client.challenge(&user).await?;
        let answer = client.recover(&challenge, &recovery).await?;
        assert_eq!(answer.status, 200, "{}", answer.body);
        self.facts.push(Fact::RecoveryCodeSpent { code: recovery });

        let challenge = client.challenge(&user).await?;
        let answer = client.verify(&challenge, &factor, &self.app.wrong_code()).await?;
        assert_eq!(answer.code(), "invalid_code");
        self.facts.push(Fact::CodesFailed { at_least: 1 });

        let second = App::numbered(self.app.bytes()[0].into());
        let other = client.import(&user, &second).await?;
        self.facts.push(Fact::Enrolled { factor: other.clone() });
        let path = format!("{base}/factors/{other}");
        let answer = client.send(reqwest::Method::DELETE, &path, None, None).await?;
        assert_eq!(answer.status, 204, "{}", answer.body);
        self.facts.push(Fact::Removed { factor: other });

        if reset {
            let answer = client.try_post(&format!("{base}/reset"), json!({})).await?;
            assert_eq!(answer.status, 204, "{}", answer.body);
            self.facts.push(Fact::Reset);
        }
        Some(())
    }

    /// Checks every fact against the node, oldest knowledge first.
    ///
    /// # Panics
    /// If one does not hold.
    pub async fn check(&self, client: &Client) {
        if self.facts.is_empty() {
            return;
        }
        let base = format!("/v1/users/{}/mfa", self.user);
        let factors = client.get(&format!("{base}/factors")).await.ok()["data"].to_string();
        let was_reset = self.facts.iter().any(|fact| matches!(fact, Fact::Reset));
        let removed = |id: &String| {
            self.facts.iter().any(|fact| matches!(fact, Fact::Removed { factor } if factor == id))
        };
        // The request that had no answer may have been the removal or the reset that follows.
        let settled = !self.unknown;
        for fact in &self.facts {
            match fact {
                Fact::Enrolled { factor } => {
                    let gone = was_reset || removed(factor);
                    let listed = factors.contains(factor.as_str());
                    assert!(
                        listed != gone || (!settled && !gone),
                        "{}: {fact:?}, but listed: {listed}",
                        self.user
                    );
                }
                Fact::Removed { factor } => {
                    assert!(!factors.contains(factor.as_str()), "{}: {fact:?} is back", self.user);
                }
                Fact::CodeSpent { factor, code } if !was_reset => {
                    self.check_spent(client, factor, code).await;
                }
                Fact::RecoveryCodeSpent { code } if !was_reset => {
                    let path = format!("{base}/recovery-codes/use");
                    let answer = client.post(&path, json!({ "code": code })).await;
                    assert_ne!(answer.status, 200, "{}: {fact:?} was accepted again", self.user);
                }
                Fact::CodesFailed { at_least } if !was_reset && settled => {
                    let status = client.get(&format!("{base}/status")).await.ok();
                    let counted = status["failedAttempts"].as_u64().unwrap();
                    assert!(counted >= *at_least, "{}: {counted} < {at_least}", self.user);
                }
                Fact::Reset => assert_eq!(factors, "[]", "{}: reset, but listed", self.user),
                Fact::CodeSpent { .. }
                | Fact::RecoveryCodeSpent { .. }
                | Fact::CodesFailed { .. } => {}
            }
        }
    }

    async fn check_spent(&self, client: &Client, factor: &str, code: &str) {
        let body = json!({ "userId": self.user, "purpose": "LOGIN", "context": {} });
        let answer = client.post("/v1/mfa/challenges", body).await.ok();
        // A reset that had no answer may have taken the factor away.
        let Some(challenge) = answer["challenge"]["id"].as_str() else {
            assert!(self.unknown, "{}: no challenge although enrolled", self.user);
            return;
        };
        let answer = client.verify(challenge, factor, code).await.expect("an answer");
        assert_ne!(answer.status, 200, "{}: the spent code {code} was accepted again", self.user);
    }
}
