//! Whole ways over the pages, without a script, and what the application gets in the end.

use serde_json::{Value, json};

use super::browser::{Browser, challenge, enrolled, result};
use crate::house::House;

#[tokio::test]
async fn a_person_enrolls_an_app_takes_recovery_codes_and_comes_back() {
    let house = House::new();
    let mut browser = Browser::sent(&house, "ENROLL", None).await;
    browser.shows("Add a second step");
    browser.submit("/portal/add/app", &[]).await;
    browser.shows("<svg");
    let app = browser.secret();
    // A page that is loaded again shows the same secret.
    browser.go("/portal/add/app").await;
    assert!(browser.secret().0 == app.0);
    let now = house.now();
    browser.refused("/portal/add/app/confirm", &[("code", &app.wrong(now))], 422).await;
    browser.shows("more tries");
    assert!(browser.secret().0 == app.0, "the secret stays the one that was scanned");
    browser.submit("/portal/add/app/confirm", &[("code", &app.code(now))]).await;
    browser.shows("You’re all set");
    let answer = browser.send("/portal/recovery-codes", &[]).await;
    assert_eq!(answer.status, 200, "{}", answer.text());
    browser.page = answer.text().to_owned();
    assert_eq!(browser.page.matches("<li>").count(), 10, "{}", browser.page);
    let code = browser.leave("/portal/finish", &[]).await;
    let result = result(&house, &code).await;
    assert_eq!(result["status"], "COMPLETED");
    assert_eq!(result["purpose"], "ENROLL");
    assert!(result["factorId"].as_str().unwrap().starts_with("fac_"));
    let status = house.get("/v1/users/ann/mfa/status").await.json();
    assert_eq!(
        (&status["factorCount"], &status["recoveryCodesRemaining"]),
        (&json!(1), &json!(10))
    );
}

#[tokio::test]
async fn a_person_answers_a_challenge_and_is_remembered() {
    let house = House::new();
    let (app, factor) = enrolled(&house).await;
    let chl = challenge(&house).await;
    let mut browser = Browser::sent(&house, "CHALLENGE", Some(&chl)).await;
    browser.shows("Confirm it’s you");
    let typed = [("code", &*app.code(house.now())), ("remember", "1")];
    let code = browser.leave("/portal/answer", &typed).await;
    let answer = result(&house, &code).await;
    assert_eq!(answer["status"], "COMPLETED");
    assert_eq!((&answer["challengeId"], &answer["factorId"]), (&json!(chl), &json!(factor)));
    assert!(answer["tokens"]["accessToken"].as_str().unwrap().starts_with("ey"));
    let token = answer["deviceToken"].as_str().unwrap();
    let again = house
        .post("/v1/mfa/challenges", &json!({"userId": "ann", "context": {"deviceToken": token}}))
        .await;
    assert_eq!(again.json()["reason"], "TRUSTED_DEVICE");
}

#[tokio::test]
async fn a_person_enrolls_at_sign_in_and_is_not_asked_twice() {
    let house = House::new();
    house
        .patch(
            "/v1/mfa/policy",
            &json!({"requirement": "REQUIRED", "gracePeriod": {"value": 0, "unit": "DAYS"}}),
        )
        .await;
    let login = house.post("/v1/mfa/challenges", &json!({"userId": "ann"})).await.json();
    assert_eq!(login["enrollmentRequired"], true, "{login}");
    let chl = login["challenge"]["id"].as_str().unwrap();
    for purpose in ["ENROLL", "CHALLENGE"] {
        let browser = Browser::sent(&house, purpose, Some(chl)).await;
        browser.shows("Add a second step");
    }
    let mut browser = Browser::sent(&house, "ENROLL", Some(chl)).await;
    browser.submit("/portal/add/app", &[]).await;
    let code = browser.secret().code(house.now());
    browser.submit("/portal/add/app/confirm", &[("code", &code)]).await;
    let code = browser.leave("/portal/finish", &[]).await;
    let result = result(&house, &code).await;
    assert_eq!(result["challengeId"], *chl);
    assert_ne!(result["tokens"], Value::Null);
}

#[tokio::test]
async fn an_enrollment_outlives_the_sign_in_that_demanded_it() {
    let house = House::new();
    house
        .patch(
            "/v1/mfa/policy",
            &json!({"requirement": "REQUIRED", "gracePeriod": {"value": 0, "unit": "DAYS"}}),
        )
        .await;
    let login = house.post("/v1/mfa/challenges", &json!({"userId": "ann"})).await.json();
    let chl = login["challenge"]["id"].as_str().unwrap();
    let mut browser = Browser::sent(&house, "ENROLL", Some(chl)).await;
    browser.submit("/portal/add/app", &[]).await;
    house.clock.advance(310_000);
    let code = browser.secret().code(house.now());
    browser.submit("/portal/add/app/confirm", &[("code", &code)]).await;
    let code = browser.leave("/portal/finish", &[]).await;
    let result = result(&house, &code).await;
    assert_eq!((&result["status"], &result["tokens"]), (&json!("COMPLETED"), &Value::Null));
}

#[tokio::test]
async fn a_person_adds_a_number_with_a_code_that_is_sent() {
    let house = House::new();
    let mut browser = Browser::sent(&house, "ENROLL", None).await;
    browser.go("/portal/add/phone?change=1").await;
    browser.refused("/portal/add/phone", &[("number", "555 2671")], 422).await;
    browser.shows("with its country code");
    browser.shows("value=\"555 2671\"");
    browser.submit("/portal/add/phone", &[("number", "+1 (415) 555-2671")]).await;
    browser.shows("Check your phone");
    browser.shows("•71");
    browser.shows("You can have a new code sent from");
    let before = house.gateway.sent.lock().unwrap().len();
    browser.refused("/portal/add/phone/send", &[], 429).await;
    browser.shows("30 seconds");
    assert_eq!(house.gateway.sent.lock().unwrap().len(), before);
    house.clock.advance(31_000);
    browser.submit("/portal/add/phone/send", &[]).await;
    let code = house.gateway.last_code();
    browser.submit("/portal/add/phone/confirm", &[("code", &code)]).await;
    browser.shows("You’re all set");
}

#[tokio::test]
async fn a_person_is_sent_a_code_only_once_they_ask() {
    let house = House::new();
    house.put("/v1/users/ann", &json!({"email": "ann@example.com", "emailVerified": true})).await;
    let mut browser = Browser::sent(&house, "ENROLL", None).await;
    browser.submit("/portal/add/email", &[]).await;
    browser.shows("Check your email");
    let code = house.gateway.last_code();
    browser.submit("/portal/add/email/confirm", &[("code", &code)]).await;
    browser.leave("/portal/finish", &[]).await;
    house.clock.advance(60_000);
    let before = house.gateway.sent.lock().unwrap().len();
    let chl = challenge(&house).await;
    let mut browser = Browser::sent(&house, "CHALLENGE", Some(&chl)).await;
    browser.shows("We’ll send a 6-digit code to a•••@example.com");
    assert_eq!(house.gateway.sent.lock().unwrap().len(), before, "looking sends nothing");
    browser.submit("/portal/send", &[]).await;
    let code = house.gateway.last_code();
    browser.leave("/portal/answer", &[("code", &code)]).await;
}

#[tokio::test]
async fn a_person_looks_after_factors_once_verified() {
    let house = House::new();
    let (app, factor) = enrolled(&house).await;
    let mut browser = Browser::sent(&house, "MANAGE", None).await;
    browser.shows("Phone");
    let there = format!("/portal/factors/{factor}");
    browser.go(&there).await;
    browser.shows("First, confirm it’s you");
    browser.submit("/portal/answer", &[("code", &app.code(house.now()))]).await;
    browser.shows("Save name");
    browser.submit(&format!("{there}/rename"), &[("name", "Old phone")]).await;
    browser.shows("The name was saved");
    browser.shows("Old phone");
    browser.go("/portal/recovery-codes").await;
    let answer = browser.send("/portal/recovery-codes", &[]).await;
    assert_eq!(answer.text().matches("<li>").count(), 10);
    browser.go(&there).await;
    browser.shows("your password alone");
    browser.submit(&format!("{there}/remove"), &[]).await;
    browser.shows("was removed");
    browser.shows("You haven’t added any yet");
    let code = browser.leave("/portal/finish", &[]).await;
    assert_eq!(result(&house, &code).await["status"], "COMPLETED");
}

#[tokio::test]
async fn a_verification_that_has_passed_is_asked_for_again_where_it_is_needed() {
    let house = House::new();
    let (app, factor) = enrolled(&house).await;
    let mut browser = Browser::sent(&house, "MANAGE", None).await;
    let there = format!("/portal/factors/{factor}");
    browser.go(&there).await;
    browser.submit("/portal/answer", &[("code", &app.code(house.now()))]).await;
    house.clock.advance(600_000);
    let answer = browser.send(&format!("{there}/remove"), &[]).await;
    let short = there.strip_prefix("/portal").unwrap();
    assert_eq!(browser.short(answer.header("location")), format!("/portal/verify?next={short}"));
    let status = house.get("/v1/users/ann/mfa/status").await.json();
    assert_eq!(status["factorCount"], 1);
}

#[tokio::test]
async fn a_person_takes_another_way() {
    let house = House::new();
    enrolled(&house).await;
    let codes = house.post("/v1/users/ann/mfa/recovery-codes", &json!({})).await.json();
    let recovery = codes["codes"][0].as_str().unwrap();
    let chl = challenge(&house).await;
    let mut browser = Browser::sent(&house, "CHALLENGE", Some(&chl)).await;
    browser.shows("Try another way");
    browser.go("/portal/ways").await;
    browser.shows("Recovery code");
    browser.go("/portal?with=recovery").await;
    browser.refused("/portal/answer", &[("code", "0000-0000-0000")], 422).await;
    browser.shows("4 more tries");
    let code = browser.leave("/portal/answer", &[("code", recovery)]).await;
    let result = result(&house, &code).await;
    assert_eq!(result["factorId"], Value::Null);
    assert_ne!(result["tokens"], Value::Null);
}

#[tokio::test]
async fn a_person_forgets_browsers() {
    let house = House::new();
    let (app, _) = enrolled(&house).await;
    for _ in 0..2 {
        let chl = challenge(&house).await;
        let mut browser = Browser::sent(&house, "CHALLENGE", Some(&chl)).await;
        let typed = [("code", &*app.code(house.now())), ("remember", "1")];
        let code = browser.leave("/portal/answer", &typed).await;
        result(&house, &code).await;
        house.clock.advance(60_000);
    }
    let mut browser = Browser::sent(&house, "MANAGE", None).await;
    browser.shows("2 browsers");
    browser.go("/portal/devices").await;
    browser.submit("/portal/answer", &[("code", &app.code(house.now()))]).await;
    browser.submit("/portal/devices/forget", &[]).await;
    browser.shows("1 browser doesn’t");
    browser.go("/portal/devices").await;
    assert!(!browser.page.contains("value=\"all\""), "{}", browser.page);
}

#[tokio::test]
async fn a_person_gives_up() {
    let house = House::new();
    enrolled(&house).await;
    let chl = challenge(&house).await;
    let mut browser = Browser::sent(&house, "CHALLENGE", Some(&chl)).await;
    let code = browser.leave("/portal/finish", &[]).await;
    let result = result(&house, &code).await;
    assert_eq!((&result["status"], &result["tokens"]), (&json!("CANCELLED"), &Value::Null));
}

#[tokio::test]
async fn a_person_who_is_to_add_a_factor_and_has_one_proves_it_first_or_gives_up() {
    let house = House::new();
    let (app, _) = enrolled(&house).await;
    let mut browser = Browser::new(&house);
    let link = super::browser::link(&house, "ENROLL", None).await;
    browser.open(&link).await;
    browser.shows("First, confirm it’s you");
    let page = browser.page.clone();
    let code = browser.leave("/portal/finish", &[]).await;
    assert_eq!(result(&house, &code).await["status"], "CANCELLED");
    let circle = format!("href=\"{}\"", browser.base);
    assert!(!page.contains(&circle), "it would lead in a circle: {page}");

    let mut browser = Browser::sent(&house, "ENROLL", None).await;
    browser.submit("/portal/answer", &[("code", &app.code(house.now()))]).await;
    browser.shows("Add a second step");
}
