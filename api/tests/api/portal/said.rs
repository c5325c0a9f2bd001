//! What pages say, and what they never do.

use countersign_core::factor::message::SendOutcome;
use serde_json::json;

use super::browser::{Browser, challenge, enrolled};
use crate::house::House;

#[tokio::test]
async fn a_page_runs_nothing_of_others_and_its_forms_end_here() {
    let house = House::new();
    let mut browser = Browser::sent(&house, "ENROLL", None).await;
    let answer = browser.get("/portal").await;
    let policy = answer.header("content-security-policy");
    assert!(policy.contains("default-src 'none'") && policy.contains("frame-ancestors 'none'"));
    assert!(policy.ends_with("form-action 'self'"), "{policy}");
    assert_eq!(answer.header("cache-control"), "no-store");
    assert_eq!(answer.header("x-frame-options"), "DENY");
    for path in ["/portal", "/portal/add/key", "/portal/add/phone?change=1"] {
        browser.go(path).await;
        let page = browser.page.clone();
        for within in [" style=", "<style", "<script>", " onclick=", " onsubmit=", "javascript:"] {
            assert!(!page.contains(within), "{within} in {path}: {page}");
        }
        let loaded = page.split("src=\"").skip(1).chain(page.split("<link rel").skip(1));
        assert!(loaded.clone().count() > 1);
        for it in loaded {
            assert!(!it.split('>').next().unwrap().contains("://"), "{it}");
        }
    }
}

#[tokio::test]
async fn what_people_write_is_text_on_every_page() {
    let house = House::new();
    let name = "<b onclick=alert(1)>\"'&";
    let settings = json!({"rpName": "<i>Acme"});
    assert_eq!(house.patch("/v1/settings", &settings).await.status, 200);
    let (_, factor) = enrolled(&house).await;
    let renamed =
        house.patch(&format!("/v1/users/ann/mfa/factors/{factor}"), &json!({ "name": name })).await;
    assert_eq!(renamed.status, 200);
    let user = json!({"email": "\"a<script>\"@example.com", "emailVerified": true});
    assert!(house.put("/v1/users/ann", &user).await.status.is_success());
    let chl = challenge(&house).await;
    for browser in [
        Browser::sent(&house, "MANAGE", None).await,
        Browser::sent(&house, "CHALLENGE", Some(&chl)).await,
    ] {
        browser.shows("&#60;b onclick=alert(1)&#62;");
        browser.shows("&#60;i&#62;Acme");
        for raw in ["<b onclick", "<i>Acme", "<script>"] {
            assert!(!browser.page.contains(raw), "{raw}: {}", browser.page);
        }
    }
}

#[tokio::test]
async fn whose_account_it_is_is_told_no_further_than_its_owner_needs() {
    let house = House::new();
    let user = json!({
        "email": "ann.example@acme.example", "emailVerified": true, "displayName": "Ann Example",
        "phoneNumber": "+14155552671",
    });
    house.put("/v1/users/ann", &user).await;
    let browser = Browser::sent(&house, "ENROLL", None).await;
    browser.shows("a•••@acme.example");
    for hidden in ["ann.example@", "Ann Example", "4155552671", "user_id"] {
        assert!(!browser.page.contains(hidden), "{hidden}: {}", browser.page);
    }
}

#[tokio::test]
async fn what_cannot_be_a_code_is_told_as_that_and_costs_no_try() {
    let house = House::new();
    let (app, _) = enrolled(&house).await;
    let chl = challenge(&house).await;
    let mut browser = Browser::sent(&house, "CHALLENGE", Some(&chl)).await;
    for text in ["letters", "12345", "1234567"] {
        browser.refused("/portal/answer", &[("code", text)], 422).await;
        browser.shows("That isn’t a code.");
    }
    let wrong = app.wrong(house.now());
    browser.refused("/portal/answer", &[("code", &wrong)], 422).await;
    browser.shows("4 more tries");
}

#[tokio::test]
async fn a_wrong_code_says_how_many_tries_are_left_and_a_lock_until_when() {
    let house = House::new();
    let (app, _) = enrolled(&house).await;
    let chl = challenge(&house).await;
    let mut browser = Browser::sent(&house, "CHALLENGE", Some(&chl)).await;
    let wrong = app.wrong(house.now());
    for left in ["4 more tries", "3 more tries", "2 more tries", "one more try"] {
        browser.refused("/portal/answer", &[("code", &wrong)], 422).await;
        browser.shows(left);
        browser.shows("aria-invalid=\"true\"");
    }
    // The last one ends the challenge and locks.
    browser.refused("/portal/answer", &[("code", &wrong)], 410).await;
    browser.shows("Too many wrong codes");
    let chl = challenge(&house).await;
    let browser = Browser::sent(&house, "CHALLENGE", Some(&chl)).await;
    browser.shows("aren’t accepted until <time datetime=\"2026-01-31T12:01:30.000Z\"");
    browser.shows("That’s in 30 seconds.");
    assert!(!browser.page.contains("name=\"code\""), "{}", browser.page);
}

#[tokio::test]
async fn a_code_that_is_none_costs_no_try() {
    let house = House::new();
    enrolled(&house).await;
    let chl = challenge(&house).await;
    let mut browser = Browser::sent(&house, "CHALLENGE", Some(&chl)).await;
    let long = "1".repeat(65);
    for code in ["", "   ", &long] {
        browser.refused("/portal/answer", &[("code", code)], 422).await;
    }
    let status = house.get("/v1/users/ann/mfa/status").await.json();
    assert_eq!(status["failedAttempts"], 0);
}

#[tokio::test]
async fn a_challenge_that_timed_out_says_so_and_leads_back() {
    let house = House::new();
    enrolled(&house).await;
    let chl = challenge(&house).await;
    let mut browser = Browser::sent(&house, "CHALLENGE", Some(&chl)).await;
    house.clock.advance(300_000);
    let answer = browser.get("/portal").await;
    assert_eq!(answer.status, 410);
    assert!(answer.text().contains("timed out"), "{}", answer.text());
    browser.page = answer.text().to_owned();
    let code = browser.leave("/portal/finish", &[]).await;
    let result = super::browser::result(&house, &code).await;
    assert_eq!((&result["status"], &result["tokens"]), (&json!("CANCELLED"), &json!(null)));
}

#[tokio::test]
async fn a_service_without_an_answer_says_so_in_words() {
    let house = House::new();
    let mut browser = Browser::sent(&house, "MANAGE", None).await;
    house.gateway.answer(|_| {
        use countersign_actors::gateway::GatewayError;
        Err(GatewayError::Unavailable("no leader of shard 7".to_owned()))
    });
    let answer = browser.get("/portal").await;
    assert_eq!(answer.status, 503);
    assert!(answer.text().contains("try again in a few seconds"), "{}", answer.text());
    assert!(!answer.text().contains("shard"), "{}", answer.text());
}

#[tokio::test]
async fn keys_are_offered_where_they_work_and_nowhere_else() {
    let house = House::new();
    let browser = Browser::sent(&house, "ENROLL", None).await;
    browser.shows("/add/key\"");
    let settings = json!({"rpId": "acme.example"});
    house.patch("/v1/settings", &settings).await;
    let browser = Browser::sent(&house, "ENROLL", None).await;
    assert!(!browser.page.contains("/add/key\""), "{}", browser.page);
}

/// Ann, with a number and an app, at a sign-in for which a code was sent to the number.
async fn waits_for_a_code(house: &House) -> Browser<'_> {
    let number = json!({"phoneNumber": "+14155552671"});
    house.post("/v1/users/ann/mfa/sms", &number).await;
    house.post("/v1/users/ann/mfa/sms/send", &json!({})).await;
    let code = json!({"code": house.gateway.last_code()});
    assert_eq!(house.post("/v1/users/ann/mfa/sms/verify", &code).await.status, 200);
    enrolled(house).await;
    let chl = challenge(house).await;
    let mut browser = Browser::sent(house, "CHALLENGE", Some(&chl)).await;
    browser.submit("/portal/send", &[]).await;
    browser
}

#[tokio::test]
async fn whoever_waits_for_a_code_that_will_never_arrive_is_told_and_another_way_comes_first() {
    let house = House::new();
    let mut browser = waits_for_a_code(&house).await;
    browser.shows("Enter the 6-digit code that we sent to +•••••••71");
    browser.shows("data-watch=");
    let watch = browser.page.split("data-watch=\"").nth(1).unwrap();
    let watch = watch.split('"').next().unwrap().to_owned();
    assert_eq!(browser.get(&watch).await.json(), json!({"status": "PENDING"}));
    house.gateway.settle(&SendOutcome::Failed { reason: "provider_21610".to_owned() });
    assert_eq!(browser.get(&watch).await.json(), json!({"status": "FAILED"}));
    browser.go("/portal?with=").await;
    // What is asked first is something else, and the number comes last.
    browser.shows("Enter the code that the authenticator app");
    browser.go("/portal/ways").await;
    let (app, number) = (browser.page.find("Authenticator app"), browser.page.find("Text message"));
    assert!(app.is_some() && app < number, "{}", browser.page);
    let there = browser.page.split("href=\"").find(|it| it.contains("•••71")).unwrap();
    let there = there.split('"').next().unwrap().replace("&#38;", "&");
    browser.go(&there).await;
    browser.shows("We couldn’t deliver a code to +•••••••71.");
    browser.shows("Try another way");
    browser.shows("Send a new code");
    assert!(!browser.page.contains("name=\"code\""), "{}", browser.page);
    // The next message is another one.
    house.clock.advance(31_000);
    browser.submit("/portal/send", &[]).await;
    browser.shows("Enter the 6-digit code that we sent to");
    house.gateway.settle(&SendOutcome::Sent);
    browser.go(&there).await;
    assert!(!browser.page.contains("data-watch="), "{}", browser.page);
    browser.leave("/portal/answer", &[("code", &house.gateway.last_code())]).await;
}

#[tokio::test]
async fn the_api_tells_what_became_of_the_last_message() {
    let house = House::new();
    let enrollments =
        async || house.get("/v1/users/ann/mfa/status").await.json()["pendingEnrollments"].clone();
    let email = json!({"email": "ann@example.com", "emailVerified": true});
    house.put("/v1/users/ann", &email).await;
    assert_eq!(enrollments().await, json!([]));
    house.post("/v1/users/ann/mfa/email", &json!({})).await;
    assert_eq!(enrollments().await[0]["lastMessage"], json!(null));
    house.post("/v1/users/ann/mfa/email/send", &json!({})).await;
    assert_eq!(enrollments().await[0]["lastMessage"]["status"], "PENDING");
    house.gateway.settle(&SendOutcome::Failed { reason: "smtp_550".to_owned() });
    let waiting = &enrollments().await[0];
    assert_eq!(
        (&waiting["type"], &waiting["maskedDestination"]),
        (&json!("EMAIL"), &json!("a•••@example.com"))
    );
    assert_eq!(waiting["lastMessage"]["status"], "FAILED");
    assert_eq!(waiting["lastMessage"]["reason"], "smtp_550");
    house.clock.advance(600_000);
    assert_eq!(enrollments().await, json!([]));

    let browser = waits_for_a_code(&house).await;
    let chl = browser.hidden("/portal/answer");
    let (_, chl) = chl.iter().find(|(name, _)| name == "challenge").unwrap();
    let state = async || house.get(&format!("/v1/mfa/challenges/{chl}")).await.json();
    let told = state().await["lastMessage"].clone();
    assert_eq!((&told["status"], &told["channel"]), (&json!("PENDING"), &json!("SMS")));
    house.gateway.settle(&SendOutcome::Sent);
    let told = state().await["lastMessage"].clone();
    assert_eq!((&told["status"], &told["reason"]), (&json!("SENT"), &json!(null)));
    // A later challenge knows nothing of it.
    house.clock.advance(1_000);
    let later = challenge(&house).await;
    let later = house.get(&format!("/v1/mfa/challenges/{later}")).await.json();
    assert_eq!(later["lastMessage"], json!(null));
}
