//! Whole ways through the API, with the real core behind it.

use countersign_actors::gateway::Question;
use countersign_core::command::Command;
use countersign_core::factor::totp::Parameters;
use countersign_core::secret::Secret;
use countersign_core::time::Timestamp;
use data_encoding::BASE32_NOPAD;
use serde_json::{Value, json};

use crate::house::{Answer, House, NOW};

/// An authenticator app.
struct App(Secret);

impl App {
    fn scan(enrollment: &Value) -> Self {
        let secret = enrollment["secret"].as_str().unwrap();
        Self(Secret::new(BASE32_NOPAD.decode(secret.as_bytes()).unwrap()))
    }

    fn code(&self, now: Timestamp) -> String {
        let parameters = Parameters::default();
        parameters.code(&self.0, parameters.step_at(now)).expose_str().to_owned()
    }
}

async fn enroll(house: &House) -> (App, Value) {
    let enrollment = house.post("/v1/users/ann/mfa/totp", &json!({"name": "Phone"})).await;
    assert_eq!(enrollment.status, 201, "{}", enrollment.text());
    let enrollment = enrollment.json();
    let app = App::scan(&enrollment);
    let body = json!({"code": app.code(NOW)});
    let confirmed = house.post("/v1/users/ann/mfa/totp/verify", &body).await;
    assert_eq!(confirmed.status, 200, "{}", confirmed.text());
    let factor = confirmed.json();
    assert_eq!(factor["id"], enrollment["factorId"]);
    (app, factor)
}

async fn challenge(house: &House) -> Value {
    let answer = house.post("/v1/mfa/challenges", &json!({"userId": "ann"})).await;
    assert_eq!(answer.status, 200, "{}", answer.text());
    answer.json()
}

async fn verify(house: &House, challenge: &Value, factor: &Value, code: &str) -> Answer {
    let body = json!({
        "challengeId": challenge["challenge"]["id"], "factorId": factor["id"], "code": code,
    });
    house.post("/v1/mfa/challenges/verify", &body).await
}

#[tokio::test]
async fn a_person_enrolls_an_authenticator_and_logs_in_with_it_once_a_code() {
    let house = House::new();
    let (app, factor) = enroll(&house).await;
    assert_eq!(factor["type"], "TOTP");
    assert_eq!(factor["status"], "ACTIVE");
    assert_eq!(factor["primary"], true);
    assert_eq!(factor["tokens"], Value::Null);

    let login = challenge(&house).await;
    assert_eq!(login["mfaRequired"], true);
    assert_eq!(login["reason"], "USER_ENROLLED");
    assert_eq!(login["challenge"]["factors"][0]["id"], factor["id"]);
    // The code that confirmed the enrollment is spent by it.
    let spent = verify(&house, &login, &factor, &app.code(NOW)).await;
    assert_eq!(spent.problem(), "code_already_used");

    house.clock.advance(30_000);
    let code = app.code(NOW.plus_millis(30_000));
    let spaced = format!(" {} {}-", &code[..3], &code[3..]);
    let verified = verify(&house, &login, &factor, &spaced).await;
    assert_eq!(verified.status, 200, "{}", verified.text());
    assert_eq!(verified.json()["verified"], true);
    assert_eq!(verified.json()["factorId"], factor["id"]);

    let replay = verify(&house, &challenge(&house).await, &factor, &code).await;
    assert_eq!(replay.problem(), "code_already_used");
    let path = format!("/v1/mfa/challenges/{}", login["challenge"]["id"].as_str().unwrap());
    assert_eq!(house.get(&path).await.json()["status"], "VERIFIED");
}

#[tokio::test]
async fn wrong_codes_lock_and_an_administrator_unlocks() {
    let house = House::new();
    let (app, factor) = enroll(&house).await;
    house.clock.advance(30_000);
    for left in (0..5).rev() {
        let login = challenge(&house).await;
        let right = app.code(NOW.plus_millis(30_000));
        let wrong = if right == "000000" { "111111" } else { "000000" };
        let answer = verify(&house, &login, &factor, wrong).await;
        assert_eq!(answer.problem(), "invalid_code");
        assert_eq!(answer.json()["attemptsRemaining"], left);
    }
    let login = challenge(&house).await;
    let right = app.code(NOW.plus_millis(30_000));
    let locked = verify(&house, &login, &factor, &right).await;
    assert_eq!(locked.problem(), "too_many_attempts");
    assert_eq!(locked.header("retry-after"), "30");
    let status = house.get("/v1/users/ann/mfa/status").await.json();
    assert_eq!(status["failedAttempts"], 5);
    assert_ne!(status["lockedUntil"], Value::Null);
    let unlocked = house.post("/v1/users/ann/mfa/unlock", &json!({})).await;
    assert_eq!(unlocked.status, 204);
    assert_eq!(verify(&house, &login, &factor, &right).await.status, 200);
}

#[tokio::test]
async fn recovery_codes_are_shown_once_and_open_a_challenge() {
    let house = House::new();
    enroll(&house).await;
    let path = "/v1/users/ann/mfa/recovery-codes";
    house.patch("/v1/mfa/policy", &json!({"recoveryCodesCount": 2})).await;
    let made = house.post(path, &json!({})).await;
    assert_eq!(made.status, 201, "{}", made.text());
    let codes = made.json()["codes"].as_array().unwrap().clone();
    assert_eq!(codes.len(), 2);
    assert_eq!(house.post(path, &json!({})).await.problem(), "recovery_codes_exist");

    let login = challenge(&house).await;
    let body = json!({"challengeId": login["challenge"]["id"], "recoveryCode": codes[0]});
    let verified = house.post("/v1/mfa/challenges/verify", &body).await.json();
    assert_eq!(verified["factorId"], Value::Null);
    let used = house.post(&format!("{path}/use"), &json!({"code": codes[1]})).await.json();
    assert_eq!(used, json!({"verified": true, "remaining": 0}));
    let counted = house.get(path).await.json();
    assert_eq!((&counted["total"], &counted["remaining"]), (&json!(2), &json!(0)));
}

#[tokio::test]
async fn a_remembered_browser_stands_in_for_the_second_factor_until_it_is_revoked() {
    let house = House::new();
    let (app, factor) = enroll(&house).await;
    house.clock.advance(30_000);
    let login = challenge(&house).await;
    let body = json!({
        "challengeId": login["challenge"]["id"], "factorId": factor["id"],
        "code": app.code(NOW.plus_millis(30_000)), "rememberDevice": true, "deviceName": "Laptop",
    });
    let verified = house.post("/v1/mfa/challenges/verify", &body).await.json();
    let token = verified["deviceToken"].as_str().unwrap();
    let login = json!({"userId": "ann", "context": {"deviceToken": token}});
    let trusted = house.post("/v1/mfa/challenges", &login).await.json();
    assert_eq!(trusted["reason"], "TRUSTED_DEVICE");
    assert_ne!(trusted["tokens"], Value::Null);
    let devices = house.get("/v1/users/ann/mfa/devices").await.json();
    assert_eq!(devices["data"][0]["name"], "Laptop");
    let path = format!("/v1/users/ann/mfa/devices/{}", devices["data"][0]["id"].as_str().unwrap());
    assert_eq!(house.delete(&path).await.status, 204);
    let asked = house.post("/v1/mfa/challenges", &login).await.json();
    assert_eq!(asked["reason"], "USER_ENROLLED");
}

#[tokio::test]
async fn a_login_without_a_factor_gets_a_token_of_one_factor() {
    let house = House::new();
    let answer = challenge(&house).await;
    assert_eq!(answer["mfaRequired"], false);
    assert_eq!(answer["reason"], "NOT_ENROLLED");
    assert_eq!(answer["challenge"], Value::Null);
    let token = answer["tokens"]["accessToken"].as_str().unwrap();
    let claims =
        data_encoding::BASE64URL_NOPAD.decode(token.split('.').nth(1).unwrap().as_bytes()).unwrap();
    let claims: Value = serde_json::from_slice(&claims).unwrap();
    assert_eq!((&claims["acr"], &claims["amr"]), (&json!("aal1"), &json!(["pwd"])));
}

#[tokio::test]
async fn an_enrollment_shows_a_qr_code_of_its_address() {
    let house = House::new();
    let body = json!({"accountName": "ann@example.com"});
    let enrollment = house.post("/v1/users/ann/mfa/totp", &body).await.json();
    let address = enrollment["qrCodeUri"].as_str().unwrap();
    assert!(address.starts_with("otpauth://totp/"), "{address}");
    assert!(address.contains(enrollment["secret"].as_str().unwrap()));
    let svg = enrollment["qrCodeSvg"].as_str().unwrap();
    assert!(svg.starts_with("<svg") && svg.ends_with("</svg>") && svg.len() > 1_000, "{svg}");
    assert_eq!(enrollment["expiresAt"], "2026-01-31T12:10:00.000Z");
}

#[tokio::test]
async fn factors_are_listed_renamed_and_removed() {
    let house = House::new();
    let (_, factor) = enroll(&house).await;
    let path = format!("/v1/users/ann/mfa/factors/{}", factor["id"].as_str().unwrap());
    let renamed = house.patch(&path, &json!({"name": "Work phone"})).await.json();
    assert_eq!(renamed["name"], "Work phone");
    let listed = house.get("/v1/users/ann/mfa/factors").await.json();
    assert_eq!(listed, json!({"data": [renamed], "nextCursor": null}));
    assert_eq!(house.post(&format!("{path}/primary"), &json!({})).await.status, 200);
    assert_eq!(house.delete(&path).await.status, 204);
    assert_eq!(house.delete(&path).await.problem(), "factor_not_found");
    assert_eq!(house.delete("/v1/users/ann").await.status, 204);
    assert_eq!(house.get("/v1/users/ann").await.problem(), "user_not_found");
}

#[tokio::test]
async fn a_secret_is_taken_over_as_apps_export_it() {
    let house = House::new();
    let import = async |user: &str, body: Value| {
        house.post(&format!("/v1/users/{user}/mfa/totp/import"), &body).await
    };
    // Seventeen letters: five bits more than ten bytes.
    let odd = import("ann", json!({"secret": "JBSWY3DPEHPK3PXPB"})).await;
    assert_eq!(odd.status, 201, "{}", odd.text());
    let same = import("ann", json!({"secret": "jbsw y3dp-ehpk\u{a0}3pxp===="})).await;
    assert_eq!(same.problem(), "factor_already_enrolled");
    let uri = "otpauth://totp/Acme:bob?secret=JBSWY3DPEHPK3PXPB&issuer=Acme&digits=8&period=60";
    let taken = import("bob", json!({"uri": uri, "name": "Phone"})).await;
    assert_eq!((taken.status.as_u16(), &taken.json()["name"]), (201, &json!("Phone")));
    let parameters = Parameters { digits: 8, period_seconds: 60, ..Parameters::default() };
    let secret = Secret::new(b"Hello!\xde\xad\xbe\xef".to_vec());
    let code = parameters.code(&secret, parameters.step_at(NOW));
    let login = house.post("/v1/mfa/challenges", &json!({"userId": "bob"})).await.json();
    let verified = verify(&house, &login, &taken.json(), code.expose_str()).await;
    assert_eq!(verified.status, 200, "{}", verified.text());
    for (body, pointer, part) in [
        (json!({}), "/secret", "missing"),
        (json!({"secret": "JBSWY3DPEHPK3PX1"}), "/secret", "must be base32"),
        (json!({"secret": "JBSWY3DP"}), "/secret", "these characters are 5"),
        (json!({"secret": uri}), "/secret", "as `uri`"),
        (json!({"uri": uri, "secret": "JBSWY3DPEHPK3PXP"}), "/uri", "`secret`"),
        (json!({"uri": uri, "digits": 6}), "/uri", "`digits`"),
        (json!({"uri": "otpauth://hotp/x?secret=JBSWY3DPEHPK3PXP"}), "/uri", "counter"),
    ] {
        let refused = import("cem", body.clone()).await;
        assert_eq!(refused.status, 422, "{body}");
        let error = refused.json()["errors"][0].clone();
        assert_eq!(error["pointer"], pointer, "{body}");
        assert!(error["detail"].as_str().unwrap().contains(part), "{error}");
    }
}

#[tokio::test]
async fn an_attachment_that_nobody_knows_is_read_as_none() {
    let house = House::new();
    let path = "/v1/users/ann/mfa/webauthn/verify";
    for attachment in [json!("hybrid"), json!(""), json!(7), json!(null), json!("platform")] {
        let credential = json!({
            "id": "AQID", "rawId": "AQID", "type": "public-key",
            "authenticatorAttachment": attachment,
            "response": {"clientDataJSON": "e30", "attestationObject": "oA"},
            "clientExtensionResults": {},
        });
        let refused = house.post(path, &json!({ "credential": credential })).await;
        assert_eq!(refused.problem(), "user_not_found", "{attachment}: {}", refused.text());
    }
}

/// As a password manager's imitation may have them.
#[tokio::test]
async fn what_may_be_left_out_of_a_registration_is_read_as_none_if_it_is_something_else() {
    let house = House::new();
    let path = "/v1/users/ann/mfa/webauthn/verify";
    let long = "x".repeat(33);
    for (results, resident) in [
        (json!({"credProps": {"rk": true}}), Some(true)),
        (json!({"credProps": {"rk": "yes"}}), None),
        (json!({"credProps": true}), None),
        (json!({"credProps": []}), None),
        (json!({"hmacCreateSecret": true}), None),
        (json!([]), None),
        (json!("none"), None),
        (json!(null), None),
    ] {
        for (transports, kept) in [
            (json!(["usb", 1, null, ["nfc"], "", "a b", long, "hybrid"]), vec!["usb", "hybrid"]),
            (
                json!(["x1", "x2", "x3", "x4", "x5", "x6", "x7", "x8", "x9"]),
                vec!["x1", "x2", "x3", "x4", "x5", "x6", "x7", "x8"],
            ),
            (json!("usb"), vec![]),
            (json!({"0": "usb"}), vec![]),
            (json!(null), vec![]),
        ] {
            let credential = json!({
                "id": "AQID", "rawId": "AQID", "type": "public-key",
                "response": {
                    "clientDataJSON": "e30", "attestationObject": "oA", "transports": transports,
                },
                "clientExtensionResults": results,
            });
            let refused = house.post(path, &json!({ "credential": credential })).await;
            assert_eq!(refused.problem(), "user_not_found", "{results} {transports}");
            let (_, _, question) = house.gateway.last();
            let Question::Do(Command::ConfirmWebAuthn { response, .. }) = question else {
                panic!("{question:?}")
            };
            assert_eq!(response.resident, resident, "{results}");
            assert_eq!(response.transports, kept, "{transports}");
        }
    }
}
