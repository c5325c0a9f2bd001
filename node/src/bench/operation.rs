//! The operations: what is sent, and what must come back.
//!
//! What an account has been through says what every answer must be, down to the number of wrong
//! codes that its status shows: each account is in one pair of hands at a time. An account whose
//! operation failed is not used again, since its state is not known any more.

use std::time::Duration;

use countersign_core::secret::Secret;
use data_encoding::BASE32_NOPAD;
use http::Method;
use tokio::time::Instant;

use super::args::Scenario;
use super::client::{Client, Request};
use super::failure::Failure;
use super::population::Population;
use super::supply::{Account, PARAMETERS};
use super::wire::{
    BeginTotp, BegunTotp, ConfirmTotp, CreateChallenge, Evaluation, Factor, LoginContext, Status,
    Tokens, Verified, Verify,
};

/// Wrong answers that end a challenge.
const CHALLENGE_ATTEMPTS: u32 = 5;

/// Kinds of operations, in the order of the report.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Kind {
    Login,
    Challenge,
    Verify,
    Enroll,
    Status,
    WrongCode,
}

impl Kind {
    pub(super) const ALL: [Self; 6] =
        [Self::Login, Self::Challenge, Self::Verify, Self::Enroll, Self::Status, Self::WrongCode];

    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Login => "login",
            Self::Challenge => "challenge",
            Self::Verify => "verify",
            Self::Enroll => "enroll",
            Self::Status => "status",
            Self::WrongCode => "wrong code",
        }
    }

    /// Whether it is an operation of its own and not a part of a login.
    pub(super) fn stands_alone(self, scenario: Scenario) -> bool {
        match self {
            Self::Login | Self::Enroll | Self::Status | Self::WrongCode => true,
            Self::Verify => scenario == Scenario::Verify,
            Self::Challenge => false,
        }
    }

    /// What the operation with this number is. The mix is exact in every ten.
    pub(super) fn of(scenario: Scenario, number: u64) -> Self {
        match (scenario, number % 10) {
            (Scenario::Login, _) => Self::Login,
            (Scenario::Verify, _) => Self::Verify,
            (Scenario::Enroll, _) | (Scenario::Mixed, 2) => Self::Enroll,
            (Scenario::Mixed, 5) => Self::Status,
            (Scenario::Mixed, 8) => Self::WrongCode,
            (Scenario::Mixed, _) => Self::Login,
        }
    }
}

/// An operation that went as it must.
#[derive(Debug)]
pub(super) struct Done {
    pub(super) kind: Kind,
    /// From its first request to its last answer.
    pub(super) took: Duration,
    /// What it consisted of.
    pub(super) parts: [Option<(Kind, Duration)>; 2],
    /// Whether it created a challenge outside of `took`.
    pub(super) challenge_unmeasured: bool,
}

impl Done {
    const fn alone(kind: Kind, took: Duration) -> Self {
        Self { kind, took, parts: [None, None], challenge_unmeasured: false }
    }
}

/// Does one operation of this kind with a user of the population.
pub(super) async fn perform(population: &Population, kind: Kind) -> Result<Done, Failure> {
    match kind {
        Kind::Login | Kind::Challenge => login(population).await,
        Kind::Verify => verify(population).await,
        Kind::Enroll => enroll(population).await,
        Kind::Status => status(population).await,
        Kind::WrongCode => wrong_code(population).await,
    }
}

async fn login(population: &Population) -> Result<Done, Failure> {
    let mut account = population.with_code().await?;
    let started = Instant::now();
    let challenge_id = create_challenge(population.client(), &account).await?;
    let created = started.elapsed();
    submit(population, &mut account, &challenge_id).await?;
    let took = started.elapsed();
    population.put(account);
    let parts =
        [Some((Kind::Challenge, created)), Some((Kind::Verify, took.saturating_sub(created)))];
    Ok(Done { kind: Kind::Login, took, parts, challenge_unmeasured: false })
}

async fn verify(population: &Population) -> Result<Done, Failure> {
    let mut account = population.with_code().await?;
    let challenge_id = create_challenge(population.client(), &account).await?;
    let started = Instant::now();
    submit(population, &mut account, &challenge_id).await?;
    let took = started.elapsed();
    population.put(account);
    Ok(Done { challenge_unmeasured: true, ..Done::alone(Kind::Verify, took) })
}

async fn create_challenge(client: &Client, account: &Account) -> Result<String, Failure> {
    let request = Request {
        operation: "challenge",
        subject: &account.user_id,
        method: Method::POST,
        path: "/v1/mfa/challenges",
    };
    let body = CreateChallenge {
        user_id: &account.user_id,
        purpose: "LOGIN",
        // TEST-NET-2 (RFC 5737): nobody's address.
        context: LoginContext { ip_address: "198.51.100.10", user_agent: "countersign-bench" },
    };
    let answer = client.send_json(&request, &body).await?;
    let evaluation: Evaluation = answer.json(200)?;
    let reason = &evaluation.reason;
    answer.check(
        evaluation.mfa_required,
        &format!("an enrolled user must verify (the answer's reason: {reason})"),
    )?;
    answer.check(evaluation.tokens.is_none(), "no tokens before the second factor")?;
    answer.check(!evaluation.enrollment_required, "an enrolled user need not enroll")?;
    let Some(challenge) = evaluation.challenge else {
        return Err(answer.wrong("mfaRequired without a challenge".to_owned()));
    };
    answer.check(challenge.purpose == "LOGIN", "the challenge has the purpose asked for")?;
    answer.check(challenge.id.starts_with("chl_"), "challenge ids begin with chl_")?;
    let offered =
        challenge.factors.iter().map(|factor| (factor.id.as_str(), factor.r#type.as_str()));
    answer.check(
        offered.eq([(account.factor_id.as_str(), "TOTP")]),
        "the challenge offers the user's one factor",
    )?;
    Ok(challenge.id)
}

/// Submits the account's next code, which must be accepted.
async fn submit(
    population: &Population,
    account: &mut Account,
    challenge_id: &str,
) -> Result<(), Failure> {
    let Some(code) = account.spend_code(population.now()) else {
        let reason = "this machine's clock went back, so there is no unspent code".to_owned();
        return Err(Failure::Unanswered { operation: "verify", reason });
    };
    let answer = send_code(population.client(), account, challenge_id, &code).await?;
    let verified: Verified = answer.json(200)?;
    answer.check(verified.verified, "a right and unspent code is verified")?;
    answer.check(verified.user_id == account.user_id, "the user is the challenge's")?;
    answer
        .check(verified.factor_id == account.factor_id, "the factor is the one that was named")?;
    answer.check(verified.device_token.is_none(), "no device token unless asked for")?;
    answer.check(is_bearer(&verified.tokens), "tokens are a bearer JWT with a lifetime")?;
    account.wrong_codes = 0;
    Ok(())
}

async fn send_code(
    client: &Client,
    account: &Account,
    challenge_id: &str,
    code: &Secret,
) -> Result<super::answer::Answer, Failure> {
    let request = Request {
        operation: "verify",
        subject: &account.user_id,
        method: Method::POST,
        path: "/v1/mfa/challenges/verify",
    };
    let factor_id = &account.factor_id;
    client.send_json(&request, &Verify { challenge_id, factor_id, code: code.expose_str() }).await
}

fn is_bearer(tokens: &Tokens) -> bool {
    let parts = tokens.access_token.split('.').filter(|part| !part.is_empty()).count();
    parts == 3 && tokens.token_type == "Bearer" && tokens.expires_in > 0
}

async fn enroll(population: &Population) -> Result<Done, Failure> {
    let user_id = population.next_user_id();
    let begin_path = format!("/v1/users/{user_id}/mfa/totp");
    let confirm_path = format!("/v1/users/{user_id}/mfa/totp/verify");
    let begin = Request {
        operation: "begin enrollment",
        subject: &user_id,
        method: Method::POST,
        path: &begin_path,
    };
    let body = BeginTotp {
        name: "bench",
        algorithm: PARAMETERS.algorithm.as_str(),
        digits: PARAMETERS.digits,
        period: PARAMETERS.period_seconds,
    };
    let started = Instant::now();
    let answer = population.client().send_json(&begin, &body).await?;
    let begun: BegunTotp = answer.json(201)?;
    let Ok(secret) = BASE32_NOPAD.decode(begun.secret.trim_end_matches('=').as_bytes()) else {
        return Err(answer.wrong("the secret is not base32".to_owned()));
    };
    answer.check(secret.len() >= 20, "a secret of at least 160 bits (RFC 4226 section 4, R6)")?;
    answer.check(begun.qr_code_uri.starts_with("otpauth://totp/"), "an otpauth URI for TOTP")?;
    let mut account = Account::new(user_id.clone(), begun.factor_id, Secret::new(secret), None);
    let Some(code) = account.spend_code(population.now()) else {
        return Err(answer.wrong("a fresh secret has no code".to_owned()));
    };
    let confirm = Request { operation: "confirm enrollment", path: &confirm_path, ..begin };
    let body = ConfirmTotp { code: code.expose_str() };
    let answer = population.client().send_json(&confirm, &body).await?;
    let factor: Factor = answer.json(200)?;
    let took = started.elapsed();
    answer.check(
        factor.id == account.factor_id && factor.r#type == "TOTP" && factor.status == "ACTIVE",
        "the confirmed factor is the one that was begun, and active",
    )?;
    answer.check(factor.primary, "a first factor is the primary one")?;
    population.put_enrolled(account);
    Ok(Done::alone(Kind::Enroll, took))
}

async fn status(population: &Population) -> Result<Done, Failure> {
    let account = population.without_code(u32::MAX).await?;
    let path = format!("/v1/users/{}/mfa/status", account.user_id);
    let request = Request {
        operation: "status",
        subject: &account.user_id,
        method: Method::GET,
        path: &path,
    };
    let started = Instant::now();
    let answer = population.client().send(&request).await?;
    let took = started.elapsed();
    let status: Status = answer.json(200)?;
    answer.check(
        status.enabled && status.factor_count == 1 && status.factors.get("TOTP") == Some(&1),
        "the user has one factor, of type TOTP",
    )?;
    answer.check(
        status.primary_factor_id.as_ref() == Some(&account.factor_id),
        "the user's one factor is the primary one",
    )?;
    let (found, expected) = (status.failed_attempts, account.wrong_codes);
    answer.check(
        found == expected,
        &format!("{expected} wrong codes were acknowledged, {found} are shown"),
    )?;
    answer.check(status.locked_until.is_none(), "a user below the limit is not locked")?;
    population.put(account);
    Ok(Done::alone(Kind::Status, took))
}

async fn wrong_code(population: &Population) -> Result<Done, Failure> {
    let mut account = population.without_code(population.wrong_codes_max()).await?;
    let challenge_id = create_challenge(population.client(), &account).await?;
    let code = account.wrong_code(population.now());
    let started = Instant::now();
    let answer = send_code(population.client(), &account, &challenge_id, &code).await?;
    let took = started.elapsed();
    let problem = answer.problem(422, "invalid_code")?;
    account.wrong_codes += 1;
    let remaining = population
        .attempts_max()
        .map(|most| most.saturating_sub(account.wrong_codes).min(CHALLENGE_ATTEMPTS - 1));
    if remaining.is_some() && problem.attempts_remaining != remaining {
        let (found, expected) = (problem.attempts_remaining, remaining);
        return Err(answer.wrong(format!("attemptsRemaining is {found:?} and not {expected:?}")));
    }
    population.put(account);
    Ok(Done { challenge_unmeasured: true, ..Done::alone(Kind::WrongCode, took) })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_mix_is_exact_in_every_ten() {
        let of = |kind| (0..10).filter(|n| Kind::of(Scenario::Mixed, 30 + n) == kind).count();
        assert_eq!(
            [Kind::Login, Kind::Enroll, Kind::Status, Kind::WrongCode].map(of),
            [7, 1, 1, 1]
        );
    }

    #[test]
    fn parts_of_a_login_are_not_counted_as_operations() {
        assert!(!Kind::Verify.stands_alone(Scenario::Login));
        assert!(Kind::Verify.stands_alone(Scenario::Verify));
        assert!(!Kind::Challenge.stands_alone(Scenario::Verify));
    }
}
