//! A telephone in a person's hand, whose text messages come to a [`Receiver`].

use std::sync::Arc;
use std::time::Duration;

use reqwest::Method;
use serde_json::{Value, json};
use tokio::time::{Instant, sleep, timeout};

use crate::client::{Answer, Client};
use crate::receiver::{Received, Receiver};

/// What the nodes sign text messages with.
pub const SIGNING_SECRET: &str = "whsec_dGhlIHNlY3JldCBvZiBhbiBTTVMgZ2F0ZXdheSAhISEhISE=";
/// How long a message may take where nothing is in its way.
pub const PATIENCE: Duration = Duration::from_secs(20);

/// The variables that let nodes send text messages to a receiver. The path of each request is its
/// sender's name.
pub fn environment(receiver: &Receiver) -> Vec<(String, String)> {
    [
        ("COUNTERSIGN_SMS_PROVIDER", "http"),
        ("COUNTERSIGN_SMS_URL", receiver.url("/{name}").as_str()),
        ("COUNTERSIGN_SMS_TOKEN", SIGNING_SECRET),
    ]
    .map(|(name, value)| (name.to_owned(), value.to_owned()))
    .into()
}

/// Lifts every limit on messages, for tests of something else, and waits until codes can be sent.
///
/// # Panics
/// If they cannot within twenty seconds.
pub async fn without_limits(client: &Client) {
    let sends = json!({
        "cooldownSeconds": 0, "perTenMinutes": 100, "perDay": 1_000,
        "perDestinationPerDay": 10_000, "perPrefixPerHour": 1_000_000,
        "perTenantPerDay": 100_000_000, "conversion": { "enabled": false },
    });
    let deadline = Instant::now() + PATIENCE;
    loop {
        let body = json!({ "sends": sends });
        let answer = client.patch("/v1/mfa/policy", body).await;
        let begun = Phone::of("waiting-for-messages", 0).begin(client).await;
        if answer.status.is_success() && begun.status == 201 {
            return;
        }
        let late = Instant::now() >= deadline;
        assert!(!late, "no codes can be sent: {answer:?}, {begun:?}");
        sleep(Duration::from_millis(50)).await;
    }
}

/// A person with a telephone.
#[derive(Clone, Debug)]
pub struct Phone {
    /// Who.
    pub user: String,
    /// The number.
    pub number: String,
}

impl Phone {
    /// A telephone of San Francisco: always the same number for the same `serial`.
    pub fn of(user: impl Into<String>, serial: u32) -> Self {
        Self::within("+1415", user, serial)
    }

    /// A telephone whose number begins with an area code of North America, `+1212`.
    pub fn within(prefix: &str, user: impl Into<String>, serial: u32) -> Self {
        Self { user: user.into(), number: format!("{prefix}{}", 2_000_000 + serial) }
    }

    fn path(&self, rest: &str) -> String {
        format!("/v1/users/{}/mfa/sms{rest}", self.user)
    }

    /// Begins the enrollment.
    pub async fn begin(&self, client: &Client) -> Answer {
        client.post(&self.path(""), json!({ "phoneNumber": self.number })).await
    }

    /// Has a code sent to the pending enrollment.
    pub async fn ask(&self, client: &Client) -> Answer {
        client.post(&self.path("/send"), json!({})).await
    }

    /// Confirms the enrollment.
    pub async fn confirm(&self, client: &Client, code: &str) -> Answer {
        client.post(&self.path("/verify"), json!({ "code": code })).await
    }

    /// Has a code sent that answers a challenge.
    pub async fn ask_for_login(&self, client: &Client, challenge: &str, factor: &str) -> Answer {
        let path = format!("/v1/mfa/challenges/{challenge}/send");
        client.post(&path, json!({ "factorId": factor })).await
    }

    /// Enrolls from beginning to end; the factor.
    ///
    /// # Panics
    /// If any of it does not succeed.
    pub async fn enroll(&self, client: &Client, receiver: &Receiver) -> String {
        let asked_at = Instant::now();
        self.begin(client).await.ok();
        self.ask(client).await.ok();
        let code = self.code(receiver, asked_at).await;
        self.confirm(client, &code).await.ok()["id"].as_str().unwrap().to_owned()
    }

    /// Opens a challenge and has a code sent for it; the challenge and the code.
    ///
    /// # Panics
    /// If any of it does not succeed.
    pub async fn challenge(
        &self,
        client: &Client,
        receiver: &Receiver,
        factor: &str,
    ) -> (String, String) {
        let asked_at = Instant::now();
        let challenge = client.challenge(&self.user).await.unwrap();
        self.ask_for_login(client, &challenge, factor).await.ok();
        (challenge, self.code(receiver, asked_at).await)
    }

    /// Whether a message is for this telephone.
    pub fn is_for_me(&self, message: &Received) -> bool {
        message.to() == self.number
    }

    /// The messages that came.
    pub fn messages(&self, receiver: &Receiver) -> Vec<Arc<Received>> {
        receiver.those(|message| self.is_for_me(message))
    }

    /// The code of the next message, from `since` on.
    ///
    /// # Panics
    /// If none comes.
    pub async fn code(&self, receiver: &Receiver, since: Instant) -> String {
        let wanted = |message: &Received| self.is_for_me(message) && message.at >= since;
        let Some(message) = receiver.wait_for(PATIENCE, wanted).await else {
            panic!("no message for {} came within {PATIENCE:?}", self.user);
        };
        message.code().unwrap_or_else(|| panic!("no code in {}", message.body)).to_owned()
    }
}

/// A code that is certainly another.
pub fn wrong_for(code: &str) -> String {
    let number: u32 = code.parse().unwrap();
    format!("{:06}", (number + 1) % 1_000_000)
}

/// Sends a request under one idempotency key until some node has answered it with success; nodes may
/// die meanwhile.
///
/// # Errors
/// The last answer, if half a minute was not enough, or the first that is final and no success.
pub async fn insist(
    clients: &[Client],
    path: &str,
    body: Value,
    key: &str,
) -> Result<Value, String> {
    let deadline = Instant::now() + Duration::from_secs(30);
    let mut last = None;
    for client in clients.iter().cycle() {
        let asked = client.send(Method::POST, path, Some(body.clone()), Some(key));
        let answer = timeout(Duration::from_secs(2), asked).await.ok().flatten();
        match answer {
            Some(answer) if answer.status.is_success() => return Ok(answer.body),
            Some(answer) if answer.status.is_client_error() => {
                return Err(format!("POST {path}: {} {}", answer.status, answer.body));
            }
            answer => last = answer.or(last),
        }
        if Instant::now() >= deadline {
            break;
        }
        sleep(Duration::from_millis(10)).await;
    }
    Err(format!("POST {path}: no success within half a minute: {last:?}"))
}
