//! The bounds of values, and what becomes of them.

use std::net::IpAddr;

use countersign_actors::gateway::{Question, Target};
use countersign_core::command::{Command, Proof};
use countersign_core::factor::totp::Algorithm;
use countersign_core::risk::LoginContext;
use serde_json::{Value, json};

use crate::house::House;

const TOTP: &str = "/v1/users/ann/mfa/totp";

fn last_command(house: &House) -> Command {
    match house.gateway.last().2 {
        Question::Do(command) => command,
        Question::Tell(query) => panic!("only asked: {query:?}"),
    }
}

#[tokio::test]
async fn names_have_at_most_100_characters_and_no_control_characters() {
    let house = House::new();
    for fine in ["x", "Ann's phone 📱", &"ä".repeat(100)] {
        let answer = house.post(TOTP, &json!({"name": fine})).await;
        assert_eq!(answer.status, 201, "{fine}");
    }
    for odd in ["", "a\nb", "\u{7f}", &"ä".repeat(101)] {
        let answer = house.post(TOTP, &json!({"name": odd, "accountName": odd})).await;
        assert_eq!(answer.pointers(), ["/name", "/accountName"], "{odd:?}");
    }
}

#[tokio::test]
async fn totp_parameters_have_bounds() {
    let house = House::new();
    for (body, pointers) in [
        (json!({"digits": 7}), vec!["/digits"]),
        (json!({"period": 14}), vec!["/period"]),
        (json!({"period": 121, "digits": 0}), vec!["/digits", "/period"]),
        (json!({"algorithm": "MD5"}), vec!["/algorithm"]),
        (json!({"digits": -6}), vec!["/digits"]),
        (json!({"digits": 4_294_967_302_u64}), vec!["/digits"]),
    ] {
        assert_eq!(house.post(TOTP, &body).await.pointers(), pointers, "{body}");
    }
    let body = json!({"algorithm": "SHA512", "digits": 8, "period": 15});
    assert_eq!(house.post(TOTP, &body).await.status, 201);
    let Command::BeginTotp { parameters, .. } = last_command(&house) else { panic!() };
    assert_eq!(parameters.algorithm, Algorithm::Sha512);
    assert_eq!((parameters.digits, parameters.period_seconds), (8, 15));
}

#[tokio::test]
async fn a_secret_is_imported_however_it_is_spelt() {
    let house = House::new();
    let path = "/v1/users/ann/mfa/totp/import";
    for spelt in [
        "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ",
        "gezd gnbv gy3t qojq gezd gnbv gy3t qojq",
        "GEZD-GNBV-GY3T-QOJQ-GEZD-GNBV-GY3T-QOJQ",
    ] {
        house.post(path, &json!({"secret": spelt})).await;
        let Command::ImportTotp { secret, .. } = last_command(&house) else { panic!() };
        assert_eq!(secret.expose(), b"12345678901234567890");
    }
    house.post(path, &json!({"secret": "ORSXG5DJNZTTCMRTGQ======"})).await;
    let Command::ImportTotp { secret, .. } = last_command(&house) else { panic!() };
    assert_eq!(secret.expose(), b"testing1234");
    let short = "GEZDGNBVGY3TQOI";
    for odd in ["", "========", "1", "GEZDGNBVGY3TQOJ0", short, &"A".repeat(8 * 26)] {
        let answer = house.post(path, &json!({"secret": odd})).await;
        assert_eq!(answer.pointers(), ["/secret"], "{odd}");
        assert!(odd.is_empty() || !answer.text().contains(&format!("{odd:?}")));
    }
}

#[tokio::test]
async fn codes_have_at_most_64_characters() {
    let house = House::new();
    let long = "1".repeat(65);
    for code in ["", long.as_str()] {
        let verify = house.post("/v1/users/ann/mfa/totp/verify", &json!({"code": code})).await;
        assert_eq!(verify.pointers(), ["/code"]);
        let spent =
            house.post("/v1/users/ann/mfa/recovery-codes/use", &json!({"code": code})).await;
        assert_eq!(spent.pointers(), ["/code"]);
        let body = json!({"challengeId": "chl_x", "recoveryCode": code});
        let answer = house.post("/v1/mfa/challenges/verify", &body).await;
        assert_eq!(answer.pointers(), ["/recoveryCode"]);
    }
    assert!(house.gateway.asked.lock().unwrap().is_empty());
}

#[tokio::test]
async fn what_is_told_of_a_user_has_bounds() {
    let house = House::new();
    let wrong = json!({
        "email": "ann", "phoneNumber": "0791234567", "displayName": "x".repeat(201),
        "groups": ["", "ok", "x".repeat(65)],
    });
    assert_eq!(
        house.put("/v1/users/ann", &wrong).await.pointers(),
        ["/email", "/phoneNumber", "/displayName", "/groups/0", "/groups/2"]
    );
    let many: Vec<String> = (0..51).map(|n| format!("g{n}")).collect();
    assert_eq!(house.put("/v1/users/ann", &json!({"groups": many})).await.pointers(), ["/groups"]);
    for email in ["a@b", "a.b+c@sub.example.com", "ä@müller.example", "hoge.@docomo.ne.jp"] {
        assert_ne!(house.put("/v1/users/ann", &json!({"email": email})).await.status, 422);
    }
    let long = ["x".repeat(253), "x".repeat(65)].map(|name| format!("{name}@b"));
    for email in
        ["", "@b", "a@", "a b@c", "a@b c", "a@b@c", "a,b@x.example", "a@b..c", &long[0], &long[1]]
    {
        let answer = house.put("/v1/users/ann", &json!({"email": email})).await;
        assert_eq!(answer.pointers(), ["/email"], "{email}");
    }
    for (number, words) in [
        ("+123456", "must be in E.164"),
        ("+12345678901234567", "must be in E.164"),
        ("+0123456789", "must be in E.164"),
        ("+1 415 call me", "must be in E.164"),
        ("+", "must be in E.164"),
        ("+1234567", "is not a number of any numbering plan"),
        ("+999123456789", "is not a number of any numbering plan"),
    ] {
        let answer = house.put("/v1/users/ann", &json!({"phoneNumber": number})).await;
        assert_eq!(answer.pointers(), ["/phoneNumber"], "{number}");
        assert!(answer.text().contains(words), "{}", answer.text());
    }
}

#[tokio::test]
async fn the_number_of_a_user_is_read_as_for_an_enrollment_but_need_take_no_messages() {
    let house = House::new();
    for (written, kept) in [
        ("\u{202a}+1 (415) 555‑0123\u{202c}", "+14155550123"),
        ("+44 (0)7400 123456", "+447400123456"),
        ("0049 (0)151 23456789", "+4915123456789"),
        ("+39 06 6982 1234", "+390669821234"),
        // To these no codes are sent.
        ("+44 (0)7012 345678", "+447012345678"),
        ("tel:+1-800-555-2671", "+18005552671"),
        ("+881 612 345678", "+881612345678"),
    ] {
        let user = house.put("/v1/users/ann", &json!({"phoneNumber": written})).await.json();
        assert_eq!(user["phoneNumber"], kept, "{written}");
    }
    let body = json!({"phoneNumber": "+44 (0)7400 123456"});
    assert_eq!(house.post("/v1/users/ann/mfa/sms", &body).await.status, 201);
    let Command::BeginSms { number, .. } = last_command(&house) else { panic!() };
    assert_eq!(number.as_str(), "+447400123456");
}

#[tokio::test]
async fn a_put_replaces_all_that_was_told() {
    let house = House::new();
    let full = json!({"email": "ann@example.com", "emailVerified": true, "phoneNumber":
        "+14155550123", "displayName": "Ann", "groups": ["b", "a", "b"]});
    let user = house.put("/v1/users/ann", &full).await.json();
    assert_eq!(user["groups"], json!(["a", "b"]));
    assert_eq!(user["emailVerified"], true);
    let user = house.put("/v1/users/ann", &json!({"displayName": "Ann"})).await.json();
    assert_eq!(user["email"], Value::Null);
    assert_eq!(user["emailVerified"], false);
    assert_eq!(user["groups"], json!([]));
}

#[tokio::test]
async fn a_logins_context_is_read() {
    let house = House::new();
    let body = json!({"userId": "ann", "purpose": "STEP_UP", "context": {
        "ipAddress": "2001:db8::7", "userAgent": "ä".repeat(300), "deviceId": "d1",
        "deviceToken": "dvt_x",
        "location": {"country": "us", "region": "CA", "city": "Zürich",
            "latitude": 37.7, "longitude": -122},
    }});
    assert_eq!(house.post("/v1/mfa/challenges", &body).await.status, 200);
    let (_, target, question) = house.gateway.last();
    assert_eq!(target, Target::User("ann".parse().unwrap()));
    let Question::Do(Command::CreateChallenge { purpose, context, device_token }) = question else {
        panic!()
    };
    assert_eq!(format!("{purpose:?}"), "StepUp");
    assert_eq!(context.ip_address, Some("2001:db8::7".parse::<IpAddr>().unwrap()));
    assert_eq!(context.user_agent.unwrap().chars().count(), 256);
    assert_eq!(device_token.unwrap().expose(), b"dvt_x");
    let location = context.location.unwrap();
    assert_eq!(location.country.as_deref(), Some("US"));
    assert_eq!((location.latitude, location.longitude), (Some(37.7), Some(-122.0)));
}

/// What becomes of a login's context.
async fn read(context: Value) -> LoginContext {
    let house = House::new();
    let body = json!({"userId": "ann", "context": context});
    let answer = house.post("/v1/mfa/challenges", &body).await;
    assert_eq!(answer.status, 200, "{}", answer.text());
    let Command::CreateChallenge { context, .. } = last_command(&house) else { panic!() };
    context
}

#[tokio::test]
async fn an_address_is_read_as_what_it_means_and_never_ends_a_login() {
    for (text, meant) in [
        ("1.2.3.4:5678", Some("1.2.3.4")),
        ("[2001:db8::1]:443", Some("2001:db8::1")),
        ("fe80::1%eth0", Some("fe80::1")),
        ("::ffff:1.2.3.4", Some("1.2.3.4")),
        ("203.0.113.9, 1.2.3.4", Some("1.2.3.4")),
        ("203.0.113.256", None),
        ("unknown", None),
        ("", None),
    ] {
        let address = read(json!({ "ipAddress": text })).await.ip_address;
        assert_eq!(address, meant.map(|text| text.parse().unwrap()), "{text}");
    }
}

#[tokio::test]
async fn a_country_that_is_none_is_unknown_and_never_ends_a_login() {
    for (text, kept) in
        [("us", Some("US")), ("T1", Some("ZZ")), ("XX", Some("ZZ")), ("USA", Some("ZZ"))]
    {
        let location = read(json!({"location": {"country": text}})).await.location.unwrap();
        assert_eq!(location.country.as_deref(), kept, "{text}");
    }
    assert_eq!(read(json!({"location": {"country": ""}})).await.location, None);
}

#[tokio::test]
async fn nothing_of_a_logins_context_ends_the_login() {
    let long = |first: &str| format!("{first}{}", "x".repeat(200));
    let [one, other] = [long("a"), long("b")].map(|id| json!({ "deviceId": id }));
    let (one, other) = (read(one).await.device_id.unwrap(), read(other).await.device_id.unwrap());
    assert!(one != other && one.len() <= 128, "{one} {other}");
    assert_eq!(read(json!({"deviceId": " "})).await.device_id, None);
    let agent = read(json!({"userAgent": "A\nB"})).await.user_agent;
    assert_eq!(agent.as_deref(), Some("AB"));
    assert_eq!(read(json!({"userAgent": ""})).await.user_agent, None);
    let odd = json!({"location": {
        "country": "FR", "city": "x".repeat(101), "region": "\u{0}", "latitude": 90.1, "longitude": 1,
    }});
    let location = read(odd).await.location.unwrap();
    assert_eq!(location.city.unwrap().len(), 100);
    assert_eq!((location.region, location.latitude, location.longitude), (None, None, None));
    assert_eq!(read(json!({"location": {"latitude": 1.0}})).await.location, None);
    let house = House::new();
    let body = json!({"userId": "ann", "context": {"deviceToken": "x".repeat(257)}});
    assert_eq!(house.post("/v1/mfa/challenges", &body).await.status, 200);
    let Command::CreateChallenge { device_token, .. } = last_command(&house) else { panic!() };
    assert_eq!(device_token, None);
}

#[tokio::test]
async fn a_user_id_that_a_path_would_not_keep_is_refused() {
    let house = House::new();
    for id in [".", "..", "%2e", "a/b", "a\\b", "a\u{0}", ""] {
        let answer = house.post("/v1/mfa/challenges", &json!({"userId": id})).await;
        assert_eq!(answer.pointers(), ["/userId"], "{id:?}");
    }
    for path in ["/v1/users/%2e%2e", "/v1/users/%2E", "/v1/users/a%2Fb", "/v1/users/a%00"] {
        let answer = house.get(path).await;
        assert_eq!(answer.status, 400, "{path}");
        assert_eq!(answer.problem(), "invalid_request", "{path}");
    }
}

#[tokio::test]
async fn names_hold_no_marks_that_turn_text_around_or_break_lines() {
    let house = House::new();
    for odd in ["a\u{202e}b", "a\u{2066}b", "a\u{2028}b", "a\u{feff}b"] {
        let answer = house.post(TOTP, &json!({"name": odd})).await;
        assert_eq!(answer.pointers(), ["/name"], "{odd:?}");
        let groups = house.put("/v1/users/ann", &json!({"groups": [odd]})).await;
        assert_eq!(groups.pointers(), ["/groups/0"], "{odd:?}");
    }
    // What joins letters and emoji belongs to names.
    let answer = house.post(TOTP, &json!({"name": "\u{1f468}\u{200d}\u{1f4bb} \u{200e}"})).await;
    assert_eq!(answer.status, 201);
}

#[tokio::test]
async fn an_answer_to_a_challenge_is_a_code_or_a_recovery_code() {
    let house = House::new();
    let challenge = "chl_0c1g60o30c1g60o30c1g60o30c";
    let factor = "fac_04208104208104208104208104";
    let post = async |rest: Value| {
        let mut body = rest;
        body["challengeId"] = json!(challenge);
        house.post("/v1/mfa/challenges/verify", &body).await
    };
    assert_eq!(post(json!({"factorId": factor})).await.pointers(), ["/code"]);
    assert_eq!(post(json!({"code": "123456"})).await.pointers(), ["/factorId"]);
    assert_eq!(post(json!({})).await.pointers(), [""]);
    let both = json!({"factorId": factor, "code": "123456", "recoveryCode": "x"});
    assert_eq!(post(both).await.pointers(), [""]);
    assert!(house.gateway.asked.lock().unwrap().is_empty());

    let answer = json!({"factorId": factor, "code": "123456", "rememberDevice": true,
        "deviceName": "Laptop"});
    post(answer).await;
    let (_, target, _) = house.gateway.last();
    assert_eq!(target, Target::Challenge(challenge.parse().unwrap()));
    let Command::Verify { proof, remember_device, .. } = last_command(&house) else { panic!() };
    let Proof::Code { factor: proved, code } = proof else { panic!() };
    assert_eq!((proved.to_string().as_str(), code.expose()), (factor, b"123456".as_slice()));
    assert_eq!(remember_device.unwrap().name.as_deref(), Some("Laptop"));

    let bogus = json!({"factorId": "fac_x", "code": "123456"});
    assert_eq!(post(bogus).await.problem(), "factor_not_found");
}

#[tokio::test]
async fn times_are_read_with_any_offset() {
    let house = House::new();
    house.put("/v1/users/ann", &json!({})).await;
    let path = "/v1/users/ann/password-changed";
    for at in ["2026-01-31T11:00:00Z", "2026-01-31T12:00:00+01:00", "2026-01-31T11:00:00.000Z"] {
        assert_eq!(house.post(path, &json!({"at": at})).await.status, 204, "{at}");
        let Command::PasswordChanged { changed_at } = last_command(&house) else { panic!() };
        assert_eq!(changed_at.unwrap().millis(), 1_769_857_200_000);
    }
    for odd in ["", "2026-01-31", "yesterday", "1769857200"] {
        assert_eq!(house.post(path, &json!({"at": odd})).await.pointers(), ["/at"], "{odd}");
    }
}
