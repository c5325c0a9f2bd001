//! A person: a short life of random operations, each noted for the search for an order.
//!
//! Lives are short for two reasons: the search stays cheap, and no code, challenge or lock expires
//! within one, however far off (up to fifty seconds) a node's clock is. The model leaves time out.

use std::collections::BTreeSet;
use std::time::Duration;

use futures::future::join_all;
use rand::Rng;
use rand::seq::IndexedRandom;
use rand_chacha::ChaCha8Rng;
use serde_json::{Value, json};
use tokio::time::Instant;

use super::sdk::{Request, Sdk};
use crate::app::App;
use crate::client::Answer;
use crate::history::{Op, Record, Ret};

/// Apps that a person has.
const APPS: u8 = 3;
/// How long a person lives at most.
const LIFE: Duration = Duration::from_secs(60);
/// Operations without an answer after which a life ends: each makes the search dearer.
const UNKNOWN_MAX: usize = 2;

/// A challenge that was opened, and where it may be remembered.
#[derive(Clone)]
struct Opened {
    number: u32,
    id: String,
}

/// A person and what it knows.
pub struct Person<'a> {
    sdk: &'a Sdk,
    rng: ChaCha8Rng,
    user: String,
    apps: Vec<App>,
    /// The one time step that this person's codes are of.
    step: u64,
    /// What is known of each app's factor.
    factors: Vec<Option<String>>,
    challenges: Vec<Opened>,
    sets: Vec<(u32, Vec<String>)>,
    devices: Vec<(u32, String)>,
    /// Counts challenges, sets, devices and idempotency keys.
    made: u32,
    unknown: usize,
}

impl<'a> Person<'a> {
    /// Person number `number`.
    pub fn new(sdk: &'a Sdk, number: u64, rng: ChaCha8Rng) -> Self {
        let apps: Vec<App> =
            (0..u64::from(APPS)).map(|app| App::numbered(1 + number * 8 + app)).collect();
        for app in &apps {
            sdk.tape().secret(&app.base32());
        }
        Self {
            sdk,
            rng,
            user: format!("person-{number}"),
            step: apps[0].step(),
            factors: vec![None; apps.len()],
            apps,
            challenges: Vec::new(),
            sets: Vec::new(),
            devices: Vec::new(),
            made: 0,
            unknown: 0,
        }
    }

    /// Who it is.
    pub fn user(&self) -> &str {
        &self.user
    }

    /// Lives.
    pub async fn live(&mut self) {
        let end = Instant::now() + LIFE;
        let rounds = self.rng.random_range(8..16);
        self.import(0).await;
        for _ in 0..rounds {
            if Instant::now() >= end || self.unknown >= UNKNOWN_MAX {
                break;
            }
            self.round().await;
        }
    }

    async fn round(&mut self) {
        match self.rng.random_range(0..100) {
            0..8 => {
                let app = self.rng.random_range(0..APPS);
                self.import(app).await;
            }
            8..13 => self.remove().await,
            13..38 => self.login().await,
            38..50 => self.guess().await,
            50..62 => self.submit_at_once().await,
            62..68 => self.make_codes().await,
            68..77 => self.recover().await,
            77..80 => drop(self.ask(Op::RevokeDevices, self.path("devices"), None).await),
            80..83 => drop(self.ask(Op::Unlock, self.path("unlock"), Some(json!({}))).await),
            83..85 => self.reset().await,
            85..93 => drop(self.query(Op::Status).await),
            _ => self.look().await,
        }
    }

    fn path(&self, rest: &str) -> String {
        format!("/v1/users/{}/mfa/{rest}", self.user)
    }

    fn number(&mut self) -> u32 {
        self.made += 1;
        self.made
    }

    fn request(&mut self, op: &Op, path: String, body: Option<Value>) -> Request {
        let number = self.number();
        let key = format!("{}-{number}", self.user);
        match (op, body) {
            (Op::Factors | Op::Status, _) => Request::get(path),
            (_, None) => Request::delete(path, key),
            (_, Some(body)) => Request::post(path, body, key),
        }
    }

    /// Asks, notes, and now and then asks again for the same answer.
    async fn ask(&mut self, op: Op, path: String, body: Option<Value>) -> Option<Answer> {
        let request = self.request(&op, path, body);
        let first = self.rng.random_range(0..self.sdk.nodes());
        let again = self.rng.random_bool(0.15);
        let answer = converse(self.sdk, &self.user, op, &request, first, again).await;
        self.unknown += usize::from(answer.is_none());
        answer
    }

    async fn query(&mut self, op: Op) -> Option<Answer> {
        let path = self.path(if op == Op::Status { "status" } else { "factors" });
        let request = self.request(&op, path, None);
        let first = self.rng.random_range(0..self.sdk.nodes());
        converse(self.sdk, &self.user, op, &request, first, false).await
    }

    async fn import(&mut self, app: u8) {
        let secret = self.apps[usize::from(app)].base32();
        let body = json!({
            "secret": secret, "digits": 8, "period": 120, "name": format!("app-{app}"),
        });
        let path = self.path("totp/import");
        let answer = self.ask(Op::Import(app), path, Some(body)).await;
        // What is not known for sure is asked for when it is needed.
        self.factors[usize::from(app)] = answer
            .filter(|answer| answer.status.is_success())
            .and_then(|answer| answer.body["id"].as_str().map(str::to_owned));
    }

    async fn look(&mut self) {
        let Some(answer) = self.query(Op::Factors).await else { return };
        for (app, factor) in self.factors.iter_mut().enumerate() {
            let name = format!("app-{app}");
            let all = answer.body["data"].as_array().cloned().unwrap_or_default();
            let found = all.iter().find(|one| one["name"] == name.as_str());
            *factor = found.and_then(|one| one["id"].as_str().map(str::to_owned));
        }
    }

    /// An app whose factor is known.
    fn known(&mut self) -> Option<(u8, String)> {
        let known: Vec<(u8, String)> = (0..APPS)
            .zip(&self.factors)
            .filter_map(|(app, factor)| factor.clone().map(|id| (app, id)))
            .collect();
        known.choose(&mut self.rng).cloned()
    }

    async fn remove(&mut self) {
        let Some((app, id)) = self.known() else { return self.look().await };
        let path = self.path(&format!("factors/{id}"));
        self.factors[usize::from(app)] = None;
        self.ask(Op::Remove(app), path, None).await;
    }

    async fn challenge(&mut self) -> Option<Opened> {
        let number = self.number();
        let device = self.devices.choose(&mut self.rng).cloned();
        let device = device.filter(|_| self.rng.random_bool(0.4));
        let context = match &device {
            Some((_, token)) => json!({ "deviceToken": token }),
            None => json!({}),
        };
        let body = json!({ "userId": self.user, "purpose": "LOGIN", "context": context });
        let op = Op::Challenge { challenge: number, device: device.map(|(number, _)| number) };
        let answer = self.ask(op, "/v1/mfa/challenges".to_owned(), Some(body)).await?;
        let id = answer.body["challenge"]["id"].as_str()?.to_owned();
        let opened = Opened { number, id };
        self.challenges.push(opened.clone());
        Some(opened)
    }

    /// A fresh challenge, or now and then one from before.
    async fn some_challenge(&mut self) -> Option<Opened> {
        if self.rng.random_bool(0.25)
            && let Some(old) = self.challenges.choose(&mut self.rng)
        {
            return Some(old.clone());
        }
        self.challenge().await
    }

    async fn login(&mut self) {
        let Some((app, factor)) = self.known() else { return self.look().await };
        let Some(challenge) = self.some_challenge().await else { return };
        let device = self.number();
        let remember = self.rng.random_bool(0.3);
        let code = self.apps[usize::from(app)].code_of(self.step);
        let body = json!({
            "challengeId": challenge.id, "factorId": factor, "code": code,
            "rememberDevice": remember,
        });
        let op = Op::Verify {
            challenge: challenge.number,
            app,
            step: Some(self.step),
            remember: remember.then_some(device),
        };
        let answer = self.ask(op, "/v1/mfa/challenges/verify".to_owned(), Some(body)).await;
        let token =
            answer.and_then(|answer| answer.body["deviceToken"].as_str().map(str::to_owned));
        if let Some(token) = token {
            self.sdk.tape().secret(&token);
            self.devices.push((device, token));
        }
    }

    async fn guess(&mut self) {
        let Some((app, factor)) = self.known() else { return self.look().await };
        let Some(challenge) = self.some_challenge().await else { return };
        let code = self.apps[usize::from(app)].wrong_code();
        let body = json!({ "challengeId": challenge.id, "factorId": factor, "code": code });
        let op = Op::Verify { challenge: challenge.number, app, step: None, remember: None };
        self.ask(op, "/v1/mfa/challenges/verify".to_owned(), Some(body)).await;
    }

    /// Submits one right code three times at once, through one node each, as three requests.
    async fn submit_at_once(&mut self) {
        let Some((app, factor)) = self.known() else { return self.look().await };
        let Some(challenge) = self.challenge().await else { return };
        let code = self.apps[usize::from(app)].code_of(self.step);
        let body = json!({ "challengeId": challenge.id, "factorId": factor, "code": code });
        let op =
            Op::Verify { challenge: challenge.number, app, step: Some(self.step), remember: None };
        let path = "/v1/mfa/challenges/verify";
        let requests: Vec<Request> =
            (0..3).map(|_| self.request(&op, path.to_owned(), Some(body.clone()))).collect();
        let (sdk, user) = (self.sdk, &self.user);
        let asked = requests.iter().enumerate().map(|(number, request)| {
            converse(sdk, user, op.clone(), request, number % sdk.nodes(), false)
        });
        let answers = join_all(asked).await;
        self.unknown += answers.iter().filter(|answer| answer.is_none()).count();
    }

    async fn make_codes(&mut self) {
        let set = self.number();
        let (op, path) = if self.rng.random_bool(0.3) {
            (Op::RemakeCodes { set }, "recovery-codes/regenerate")
        } else {
            (Op::MakeCodes { set }, "recovery-codes")
        };
        let path = self.path(path);
        let Some(answer) = self.ask(op, path, Some(json!({}))).await else { return };
        let codes = answer.body["codes"].as_array().cloned().unwrap_or_default();
        let codes: Vec<String> =
            codes.iter().filter_map(Value::as_str).map(str::to_owned).collect();
        for code in &codes {
            self.sdk.tape().secret(code);
        }
        if !codes.is_empty() {
            self.sets.push((set, codes));
        }
    }

    async fn recover(&mut self) {
        let Some((set, codes)) = self.sets.choose(&mut self.rng).cloned() else {
            return self.make_codes().await;
        };
        // Few places, so that a code is often tried twice.
        let place = self.rng.random_range(0..3);
        let code = codes[place].clone();
        let code_of = Some((set, u32::try_from(place).unwrap()));
        if self.rng.random_bool(0.5) {
            let op = Op::Recover { challenge: None, code: code_of };
            let path = self.path("recovery-codes/use");
            self.ask(op, path, Some(json!({ "code": code }))).await;
        } else if let Some(challenge) = self.some_challenge().await {
            let op = Op::Recover { challenge: Some(challenge.number), code: code_of };
            let body = json!({ "challengeId": challenge.id, "recoveryCode": code });
            self.ask(op, "/v1/mfa/challenges/verify".to_owned(), Some(body)).await;
        }
    }

    async fn reset(&mut self) {
        self.factors.fill(None);
        let path = self.path("reset");
        self.ask(Op::Reset, path, Some(json!({}))).await;
    }
}

/// Asks and notes. With `again`, the same request then goes to another node, which must answer
/// the same.
async fn converse(
    sdk: &Sdk,
    user: &str,
    op: Op,
    request: &Request,
    first: usize,
    again: bool,
) -> Option<Answer> {
    let tape = sdk.tape();
    let (invoked, from_us) = (tape.place(), tape.now_us());
    let asked = sdk.ask(first, request).await;
    let (returned, to_us) = (tape.place(), tape.now_us());
    let ret = asked.answer.as_ref().map(|answer| read(&op, answer));
    tape.record(Record {
        user: user.to_owned(),
        returned: ret.is_some().then_some(returned),
        op: op.clone(),
        invoked,
        ret,
        from_us,
        to_us,
        nodes: asked.nodes.clone(),
    });
    let answer = asked.answer?;
    let kept =
        answer.status.is_success() || matches!(answer.code(), "invalid_code" | "code_already_used");
    if again && kept && !op.is_query() {
        let other = asked.nodes.last().map_or(0, |last| (last + 1) % sdk.nodes());
        let repeated = sdk.once(other, request).await;
        // Whoever has no answer now may have it later.
        let repeated = repeated.filter(|repeated| repeated.status != 503 && repeated.status != 429);
        if let Some(repeated) = repeated
            && shown(&repeated) != shown(&answer)
        {
            tape.violation(format!(
                "same answer: {user}: {op:?} with key {:?} was answered {} {} by node {:?}, and \
                 then {} {} by node {other}",
                request.key,
                answer.status,
                answer.body,
                asked.nodes.last(),
                repeated.status,
                repeated.body
            ));
        }
    }
    Some(answer)
}

/// What must be the same in an answer that is given again.
fn shown(answer: &Answer) -> (u16, Value) {
    let mut body = answer.body.clone();
    if let Some(fields) = body.as_object_mut() {
        fields.remove("requestId");
    }
    (answer.status.as_u16(), body)
}

/// The answer, as the model knows answers.
fn read(op: &Op, answer: &Answer) -> Ret {
    let body = &answer.body;
    let number = |value: &Value| u32::try_from(value.as_u64().unwrap_or(0)).unwrap_or(u32::MAX);
    if !answer.status.is_success() {
        return match answer.code() {
            "invalid_code" => Ret::Wrong { remaining: number(&body["attemptsRemaining"]) },
            code => Ret::Refused(code.to_owned()),
        };
    }
    match op {
        Op::Challenge { .. } if body["mfaRequired"] == true => Ret::Challenged,
        Op::Challenge { .. } => {
            Ret::NotRequired(body["reason"].as_str().unwrap_or_default().to_owned())
        }
        Op::Verify { .. } | Op::Recover { .. } if body["verified"] == true => Ret::Verified,
        Op::Factors => {
            let all = body["data"].as_array().cloned().unwrap_or_default();
            let app = |one: &Value| one["name"].as_str()?.strip_prefix("app-")?.parse().ok();
            Ret::Factors(all.iter().filter_map(app).collect::<BTreeSet<u8>>())
        }
        Op::Status => Ret::Status {
            failed: number(&body["failedAttempts"]),
            locked: !body["lockedUntil"].is_null() || body["unlockRequired"] == true,
            factors: number(&body["factorCount"]),
            codes: number(&body["recoveryCodesRemaining"]),
            devices: number(&body["trustedDeviceCount"]),
        },
        _ => Ret::Done,
    }
}

/// Asks every node how a user stands, one after the other, as the last of its history.
pub async fn look_back(sdk: &Sdk, user: &str) {
    for node in 0..sdk.nodes() {
        for (op, path) in [(Op::Factors, "factors"), (Op::Status, "status")] {
            let request = Request::get(format!("/v1/users/{user}/mfa/{path}"));
            converse(sdk, user, op, &request, node, false).await;
        }
    }
}
