//! What pages say, and what they never do.

use countersign_actors::gateway::{Gateway, Question};
use countersign_core::factor::message::SendOutcome;
use countersign_core::factor::webauthn::failure::CeremonyFailure;
use countersign_core::ids::{TenantId, UserKey};
use countersign_core::reply::{Refusal, Reply};
use countersign_core::user::UserState;
use serde_json::json;

use super::browser::{Browser, ORIGIN, challenge, enrolled};
use crate::house::House;
use crate::stranded::{has_key, key_of};

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
    let settings = json!({"rpId": "acme.example", "origins": [ORIGIN, "https://acme.example"]});
    assert_eq!(house.patch("/v1/settings", &settings).await.status, 200);
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

#[tokio::test]
async fn whoever_waited_until_the_code_was_too_old_is_told_that_it_is() {
    let house = House::new();
    let mut browser = waits_for_a_code(&house).await;
    let watch = browser.page.split("data-watch=\"").nth(1).unwrap();
    let watch = watch.split('"').next().unwrap().to_owned();
    house.clock.advance(299_000);
    assert_eq!(browser.get(&watch).await.json(), json!({"status": "PENDING"}));
    house.clock.advance(1_000);
    assert_eq!(browser.get(&watch).await.json(), json!({"status": "EXPIRED"}));
}

/// Changes what is known of Ann.
fn change(house: &House, change: impl FnOnce(&mut UserState)) {
    let ann = UserKey::new(TenantId::default_tenant(), "ann".parse().unwrap());
    change(house.gateway.users.lock().unwrap().get_mut(&ann).unwrap());
}

/// Plans change: a number that was taken before is of a kind that costs now.
#[tokio::test]
async fn whoever_has_a_number_that_is_sent_nothing_any_more_is_offered_another_way_first() {
    let house = House::new();
    let mut browser = waits_for_a_code(&house).await;
    house.clock.advance(31_000);
    change(&house, |ann| {
        let number = ann.factors.iter_mut().find_map(|one| one.kind.message_mut()).unwrap();
        number.destination = "+447012345678".to_owned();
    });
    browser.refused("/portal/send", &[], 422).await;
    browser.shows("We can’t send codes to this kind of number any more. Choose another way.");
    let challenge = json!({"userId": "ann"});
    let challenge = house.post("/v1/mfa/challenges", &challenge).await.json()["challenge"].clone();
    let (id, number) = (challenge["id"].as_str().unwrap(), &challenge["factors"][0]["id"]);
    let path = format!("/v1/mfa/challenges/{id}/send");
    let answer = house.post(&path, &json!({ "factorId": number })).await;
    assert_eq!((answer.status.as_u16(), answer.pointers()), (422, vec!["/factorId".to_owned()]));
    assert!(answer.text().contains("personal (follow-me) number"), "{}", answer.text());
}

/// Answers with a key as a browser does, and the core refuses it so.
async fn answers_with_a_key(browser: &mut Browser<'_>, failure: CeremonyFailure) {
    let answer = json!({
        "id": "AQ", "rawId": "AQ", "type": "public-key",
        "response": {"clientDataJSON": "e30", "authenticatorData": "AQ", "signature": "AQ"},
    });
    let mut fields = browser.hidden("/portal/answer");
    fields.retain(|(name, _)| name != "key");
    fields.push(("key".to_owned(), answer.to_string()));
    let body = url::form_urlencoded::Serializer::new(String::new()).extend_pairs(fields).finish();
    let house = browser.house;
    browser.get("/portal").await;
    let (caller, target, question) = house.gateway.last();
    let view = house.gateway.ask(caller, target, question).await.unwrap();
    house.gateway.answer(move |question| match question {
        Question::Tell(_) => Ok(view.clone()),
        Question::Do(_) => Ok(Reply::Refused(Refusal::InvalidAssertion(failure))),
    });
    let refused = browser.send_raw("/portal/answer", body).await;
    assert_eq!(refused.status, 422, "{}", refused.text());
    browser.page = refused.text().to_owned();
}

#[tokio::test]
async fn a_key_that_has_changed_is_told_and_another_way_comes_first() {
    for (failure, reason) in [
        (CeremonyFailure::BackupEligibility, "This passkey has changed since you added it"),
        (CeremonyFailure::Counter, "This key may have been copied"),
    ] {
        let house = House::new();
        enrolled(&house).await;
        let key = key_of("localhost");
        let id = key.id;
        change(&house, |ann| ann.factors.push(key));
        let chl = challenge(&house).await;
        let mut browser = Browser::sent(&house, "CHALLENGE", Some(&chl)).await;
        browser.go(&format!("/portal?with={id}")).await;
        answers_with_a_key(&mut browser, failure).await;
        browser.shows(reason);
        browser.shows("Choose another way, ");
        let (another, again) = (
            browser.page.find("button primary block\" href="),
            browser.page.find("Use passkey or security key"),
        );
        assert!(another.is_some() && another < again, "{}", browser.page);
        assert_eq!(browser.page.matches("Try another way").count(), 1, "{}", browser.page);
    }
}

#[tokio::test]
async fn whoever_has_nothing_but_a_key_that_has_changed_is_told_what_to_do_instead() {
    for (failure, reason) in [
        (CeremonyFailure::BackupEligibility, "This passkey has changed since you added it"),
        (CeremonyFailure::Counter, "This key may have been copied"),
    ] {
        let house = House::new();
        has_key(&house, "ann", "localhost");
        let chl = challenge(&house).await;
        let mut browser = Browser::sent(&house, "CHALLENGE", Some(&chl)).await;
        answers_with_a_key(&mut browser, failure).await;
        browser.shows(reason);
        browser.shows("Go back and ask for help there.");
        assert!(!browser.page.contains("Choose another way, "), "{}", browser.page);
        assert!(!browser.page.contains("Try another way"), "{}", browser.page);
    }
}

#[tokio::test]
async fn a_key_that_cannot_be_used_any_more_says_so_where_it_is_looked_after() {
    let house = House::new();
    enrolled(&house).await;
    change(&house, |ann| ann.factors.push(key_of("localhost")));
    let mut browser = Browser::sent(&house, "MANAGE", None).await;
    assert!(!browser.page.contains("any more"), "{}", browser.page);
    change(&house, |ann| *ann.factors.last_mut().unwrap() = key_of("elsewhere.example"));
    browser.go("/portal").await;
    let words = "It can’t be used any more. Add it again, then remove this one.";
    assert_eq!(browser.page.matches(words).count(), 1, "{}", browser.page);
    // What the policy shuts out would be shut out again.
    let apps = json!({"allowedFactors": ["WEBAUTHN"]});
    assert_eq!(house.patch("/v1/mfa/policy", &apps).await.status, 200);
    browser.go("/portal").await;
    browser.shows("It can’t be used for your account any more.");
}

/// The page's templates, each as it is written.
fn templates() -> Vec<(String, String)> {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("pages/portal");
    let files = std::fs::read_dir(folder).unwrap().map(|file| file.unwrap().path());
    let read = |path: std::path::PathBuf| {
        let text = std::fs::read_to_string(&path).unwrap();
        (path.file_name().unwrap().to_string_lossy().into_owned(), text)
    };
    files.map(read).collect()
}

#[test]
fn every_form_is_sent_once_however_often_it_is_pressed() {
    let mut seen = 0;
    for (name, text) in templates() {
        for form in text.split("<form").skip(1).map(|rest| rest.split("<button").next().unwrap()) {
            let form = form.split(">\n").next().unwrap();
            if form.contains("method=\"get\"") && !form.contains("method=\"post\"") {
                continue;
            }
            seen += 1;
            assert!(form.contains("data-once") || form.contains("data-key"), "{name}: {form}");
        }
    }
    assert!(seen > 15, "{seen}");
}

/// Marks that nobody sees and words around a code count too, and what is cut off is not seen.
#[test]
fn fields_for_codes_and_numbers_have_room_for_what_is_pasted_along() {
    let mut seen = 0;
    for (name, text) in templates() {
        for input in text.split("<input ").skip(1).map(|rest| rest.split('>').next().unwrap()) {
            if !input.contains("name=\"code\"") && !input.contains("name=\"number\"") {
                continue;
            }
            seen += 1;
            assert!(input.contains("maxlength=\"128\""), "{name}: {input}");
        }
    }
    assert_eq!(seen, 5);
}

#[tokio::test]
async fn a_code_is_read_with_what_was_pasted_around_it() {
    let house = House::new();
    let (app, _) = enrolled(&house).await;
    let chl = challenge(&house).await;
    let mut browser = Browser::sent(&house, "CHALLENGE", Some(&chl)).await;
    let isolates = "\u{2066}".repeat(50);
    let code = format!("{isolates}{}{isolates}", app.code(house.now()));
    browser.leave("/portal/answer", &[("code", &code)]).await;
}
