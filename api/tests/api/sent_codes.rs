//! Whole ways with codes that are sent: the core decides, and the test reads what a courier would
//! have carried out.

use countersign_core::message::Channel;
use serde_json::{Value, json};

use crate::house::{Answer, House};

const NUMBER: &str = "+14155552671";
const ADDRESS: &str = "ann@acme.example";
const MFA: &str = "/v1/users/ann/mfa";

fn said(answer: Answer, status: u16) -> Value {
    assert_eq!(answer.status, status, "{}", answer.text());
    answer.json()
}

/// Begins, sends and confirms.
async fn enroll(house: &House, kind: &str) -> Value {
    let mut begin = json!({"name": "Mine"});
    if kind == "sms" {
        begin["phoneNumber"] = json!(NUMBER);
    } else {
        let profile = json!({"email": ADDRESS, "emailVerified": true});
        house.put("/v1/users/ann", &profile).await;
    }
    said(house.post(&format!("{MFA}/{kind}"), &begin).await, 201);
    said(house.post(&format!("{MFA}/{kind}/send"), &json!({})).await, 202);
    let body = json!({"code": house.gateway.last_code()});
    let factor = said(house.post(&format!("{MFA}/{kind}/verify"), &body).await, 200);
    house.clock.advance(60_000);
    factor
}

async fn challenge(house: &House) -> Value {
    let login = json!({"userId": "ann", "context": {"ipAddress": "203.0.113.7"}});
    said(house.post("/v1/mfa/challenges", &login).await, 200)["challenge"].clone()
}

fn send_path(challenge: &Value) -> String {
    format!("/v1/mfa/challenges/{}/send", challenge["id"].as_str().unwrap())
}

async fn send(house: &House, challenge: &Value, factor: &Value) -> Answer {
    house.post(&send_path(challenge), &json!({"factorId": factor["id"]})).await
}

async fn verify(house: &House, challenge: &Value, factor: &Value, code: &str) -> Answer {
    let body = json!({"challengeId": challenge["id"], "factorId": factor["id"], "code": code});
    house.post("/v1/mfa/challenges/verify", &body).await
}

fn amr(verified: &Value) -> Value {
    let token = verified["tokens"]["accessToken"].as_str().unwrap();
    let claims = token.split('.').nth(1).unwrap().as_bytes();
    let claims = data_encoding::BASE64URL_NOPAD.decode(claims).unwrap();
    serde_json::from_slice::<Value>(&claims).unwrap()["amr"].clone()
}

#[tokio::test]
async fn a_person_enrolls_a_number_and_logs_in_with_a_code_that_works_once() {
    let house = House::new();
    let factor = enroll(&house, "sms").await;
    assert_eq!((&factor["type"], &factor["status"]), (&json!("SMS"), &json!("ACTIVE")));
    assert_eq!(factor["maskedDestination"], "+•••••••71");

    let login = challenge(&house).await;
    assert_eq!(login["factors"][0]["maskedDestination"], "+•••••••71");
    let sent = said(send(&house, &login, &factor).await, 202);
    assert_eq!(sent["factorId"], factor["id"]);
    assert_eq!(sent["expiresAt"], "2026-01-31T12:06:00.000Z");
    assert_eq!(sent["resendAvailableAt"], "2026-01-31T12:01:30.000Z");
    let code = house.gateway.last_code();
    let spaced = format!(" {} - {} ", &code[..3], &code[3..]);
    let verified = said(verify(&house, &login, &factor, &spaced).await, 200);
    assert_eq!(verified["factorId"], factor["id"]);
    assert_eq!(amr(&verified), json!(["pwd", "sms", "mfa"]));

    let again = verify(&house, &challenge(&house).await, &factor, &code).await;
    assert_eq!(again.problem(), "code_already_used");
}

#[tokio::test]
async fn a_person_enrolls_an_address_and_loses_the_factor_with_it() {
    let house = House::new();
    let factor = enroll(&house, "email").await;
    assert_eq!(factor["maskedDestination"], "a•••@acme.example");
    let login = challenge(&house).await;
    said(send(&house, &login, &factor).await, 202);
    let sent = house.gateway.sent.lock().unwrap().last().unwrap().clone();
    assert_eq!((sent.channel, sent.destination.as_str()), (Channel::Email, ADDRESS));
    let code = house.gateway.last_code();
    let verified = said(verify(&house, &login, &factor, &code).await, 200);
    assert_eq!(amr(&verified), json!(["pwd", "email", "mfa"]));

    let moved = json!({"email": "ann@elsewhere.example", "emailVerified": true});
    house.put("/v1/users/ann", &moved).await;
    let listed = house.get(&format!("{MFA}/factors")).await.json();
    assert_eq!(listed["data"], json!([]));
}

#[tokio::test]
async fn a_newer_code_voids_the_one_before_and_neither_is_counted_as_a_guess() {
    let house = House::new();
    let factor = enroll(&house, "sms").await;
    let login = challenge(&house).await;
    said(send(&house, &login, &factor).await, 202);
    let first = house.gateway.last_code();
    house.clock.advance(30_000);
    said(send(&house, &login, &factor).await, 202);
    let second = house.gateway.last_code();
    assert_ne!(first, second);
    assert_eq!(verify(&house, &login, &factor, &first).await.problem(), "code_expired");
    house.clock.advance(5 * 60_000);
    let late = verify(&house, &challenge(&house).await, &factor, &second).await;
    assert_eq!((late.status.as_u16(), late.problem().as_str()), (410, "code_expired"));
    let status = house.get(&format!("{MFA}/status")).await.json();
    assert_eq!(status["failedAttempts"], 0);
}

#[tokio::test]
async fn wrong_answers_are_counted_and_the_lock_keeps_codes_from_being_sent() {
    let house = House::new();
    let factor = enroll(&house, "sms").await;
    let login = challenge(&house).await;
    said(send(&house, &login, &factor).await, 202);
    let code = house.gateway.last_code();
    let wrong = if code == "000000" { "111111" } else { "000000" };
    for left in (0..5).rev() {
        let answer = verify(&house, &login, &factor, wrong).await;
        assert_eq!(answer.problem(), "invalid_code");
        assert_eq!(answer.json()["attemptsRemaining"], left);
    }
    let before = house.gateway.sent.lock().unwrap().len();
    let refused = send(&house, &challenge(&house).await, &factor).await;
    assert_eq!(refused.problem(), "too_many_attempts");
    assert_eq!(house.gateway.sent.lock().unwrap().len(), before, "nothing was sent");
}

#[tokio::test]
async fn a_challenge_sends_to_its_own_factors_of_the_right_type_alone() {
    let house = House::new();
    enroll(&house, "sms").await;
    let secret = json!({"secret": "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP"});
    let app = said(house.post(&format!("{MFA}/totp/import"), &secret).await, 201);
    let login = challenge(&house).await;
    assert_eq!(send(&house, &login, &app).await.problem(), "conflict");
    for unknown in ["fac_04208104208104208104208104", "fac_", "x", ""] {
        let answer = send(&house, &login, &json!({ "id": unknown })).await;
        assert_eq!(answer.problem(), "factor_not_found", "{unknown:?}");
    }
    assert_eq!(house.post(&send_path(&login), &json!({})).await.pointers(), ["/factorId"]);
    let nowhere = "/v1/mfa/challenges/chl_x/send";
    let answer = house.post(nowhere, &json!({"factorId": "fac_x"})).await;
    assert_eq!(answer.problem(), "challenge_not_found");
}

#[tokio::test]
async fn an_enrollment_at_sign_in_answers_the_challenge_with_it() {
    let house = House::new();
    house.patch("/v1/mfa/policy", &json!({"requirement": "REQUIRED"})).await;
    house.clock.advance(1);
    let login = challenge(&house).await;
    assert_eq!(login["factors"], json!([]));
    said(house.post(&format!("{MFA}/sms"), &json!({"phoneNumber": NUMBER})).await, 201);
    said(house.post(&format!("{MFA}/sms/send"), &json!({})).await, 202);
    let body = json!({"code": house.gateway.last_code(), "challengeId": login["id"]});
    let confirmed = said(house.post(&format!("{MFA}/sms/verify"), &body).await, 200);
    assert_ne!(confirmed["tokens"], Value::Null);
}

#[tokio::test]
async fn the_same_number_twice_is_a_conflict() {
    let house = House::new();
    enroll(&house, "sms").await;
    let again = house.post(&format!("{MFA}/sms"), &json!({"phoneNumber": NUMBER})).await;
    assert_eq!((again.status.as_u16(), again.problem().as_str()), (409, "factor_already_enrolled"));
}

#[tokio::test]
async fn no_answer_on_the_way_holds_a_code_or_a_whole_destination() {
    let house = House::new();
    let mut answers = Vec::new();
    let profile = json!({"email": ADDRESS, "emailVerified": true});
    house.put("/v1/users/ann", &profile).await;
    for (kind, begin) in [("sms", json!({"phoneNumber": NUMBER})), ("email", json!({}))] {
        answers.push(house.post(&format!("{MFA}/{kind}"), &begin).await);
        answers.push(house.post(&format!("{MFA}/{kind}/send"), &json!({})).await);
        answers.push(house.post(&format!("{MFA}/{kind}/send"), &json!({})).await);
        let wrong = json!({"code": "none"});
        answers.push(house.post(&format!("{MFA}/{kind}/verify"), &wrong).await);
        let body = json!({"code": house.gateway.last_code()});
        answers.push(house.post(&format!("{MFA}/{kind}/verify"), &body).await);
        house.clock.advance(60_000);
        let login = house.post("/v1/mfa/challenges", &json!({"userId": "ann"})).await;
        let challenge = login.json()["challenge"].clone();
        answers.push(login);
        for factor in challenge["factors"].as_array().unwrap() {
            answers.push(send(&house, &challenge, factor).await);
            let code = house.gateway.last_code();
            answers.push(verify(&house, &challenge, factor, &code).await);
            answers.push(verify(&house, &challenge, factor, &code).await);
        }
    }
    answers.push(house.get(&format!("{MFA}/factors")).await);
    answers.push(house.get(&format!("{MFA}/status")).await);
    let sent = house.gateway.sent.lock().unwrap();
    assert!(sent.len() >= 4 && answers.len() > 15);
    for answer in &answers {
        // A token's base64 may hold six digits in a row by chance; a code stands between others.
        let text = answer.text();
        for message in sent.iter() {
            let code = message.code.expose_str();
            assert!(!text.contains(&format!("\"{code}")), "{text}");
            assert!(!text.contains(&format!(" {code}")), "{text}");
            assert!(!text.contains(&message.destination), "{text}");
        }
    }
}

#[tokio::test]
async fn a_limit_says_in_words_which_one_it_was() {
    let house = House::new();
    house.patch("/v1/mfa/policy", &json!({"sends": {"perTenMinutes": 2}})).await;
    said(house.post(&format!("{MFA}/sms"), &json!({"phoneNumber": NUMBER})).await, 201);
    let path = format!("{MFA}/sms/send");
    for _ in 0..2 {
        said(house.post(&path, &json!({})).await, 202);
        house.clock.advance(30_000);
    }
    let refused = house.post(&path, &json!({})).await;
    assert_eq!(refused.problem(), "too_many_sends");
    let body = refused.json();
    assert!(body["detail"].as_str().unwrap().contains("ten minutes"), "{body}");
    let wait = body["retryAfterSeconds"].as_u64().unwrap();
    assert!((1..=600).contains(&wait), "{body}");
    house.clock.advance(i64::try_from(wait).unwrap() * 1_000);
    said(house.post(&format!("{MFA}/sms"), &json!({"phoneNumber": NUMBER})).await, 201);
    said(house.post(&path, &json!({})).await, 202);
}

#[tokio::test]
async fn what_cannot_be_a_code_is_a_fault_of_the_field_and_other_digits_are_digits() {
    let house = House::new();
    let factor = enroll(&house, "sms").await;
    let challenge = challenge(&house).await;
    assert_eq!(send(&house, &challenge, &factor).await.status, 202);
    for text in ["abcdef", "12345", "1234567"] {
        let refused = said(verify(&house, &challenge, &factor, text).await, 422);
        assert_eq!(refused["code"], "invalid_code", "{text}");
        assert_eq!(refused["errors"][0]["pointer"], "/code", "{text}");
        assert_eq!(refused["errors"][0]["detail"], "must be the 6 digits that were sent", "{text}");
        assert!(refused.get("attemptsRemaining").is_none());
    }
    let read =
        house.get(&format!("/v1/mfa/challenges/{}", challenge["id"].as_str().unwrap())).await;
    assert_eq!(read.json()["attemptsRemaining"], 5);
    let persian = |c: char| char::from_u32(0x6f0 + c.to_digit(10).unwrap()).unwrap();
    let typed: String = house.gateway.last_code().chars().map(persian).collect();
    let typed = format!("\u{202b}{typed}\u{202c}");
    assert_eq!(verify(&house, &challenge, &factor, &typed).await.status, 200);
}
