//! Twilio, Vonage and signed HTTP, each in its documented format.

use std::time::Duration;

use countersign::delivery::Carriers;
use countersign_actors::carrier::{Carried, Carrier, NotCarried};
use data_encoding::BASE64;
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

use crate::authority::Authority;
use crate::http_peer::{Does, HttpPeer};
use crate::parcels::{
    CODE, NOW, NUMBER, carriers, later, never, nobody_listens, text_message, try_carriers,
};

const ACCOUNT: &str = "AC0123456789abcdef";

fn twilio(peer: &HttpPeer, from: &str) -> Carriers {
    provider("twilio", peer, from)
}

fn provider(name: &str, peer: &HttpPeer, from: &str) -> Carriers {
    carriers(&[
        ("sms.provider", name),
        ("sms.url", &peer.url()),
        ("sms.account", ACCOUNT),
        ("sms.token", "t0ken/+"),
        ("sms.from", from),
    ])
}

fn http(url: &str, token: &str) -> Carriers {
    carriers(&[("sms.provider", "http"), ("sms.url", url), ("sms.token", token)])
}

#[tokio::test]
async fn twilio_is_asked_as_its_messages_resource_wants_it() {
    let answer = r#"{"sid": "SM0f", "status": "queued", "error_code": null, "num_segments": "1"}"#;
    let peer = HttpPeer::that([Does::answer(201, answer)]).await;
    let carried = twilio(&peer, "+15005550006").carry(&text_message()).await;
    assert_eq!(carried, Ok(Carried { reference: Some("SM0f".to_owned()) }));
    let asked = peer.asked_once();
    assert_eq!(asked.line, format!("POST /2010-04-01/Accounts/{ACCOUNT}/Messages.json HTTP/1.1"));
    let credentials = BASE64.encode(format!("{ACCOUNT}:t0ken/+").as_bytes());
    assert_eq!(asked.header("authorization"), Some(format!("Basic {credentials}").as_str()));
    assert!(asked.header("content-type").unwrap().starts_with("application/x-www-form-urlencoded"));
    assert_eq!(asked.field("To").as_deref(), Some(NUMBER));
    assert_eq!(asked.field("From").as_deref(), Some("+15005550006"));
    assert_eq!(asked.field("ValidityPeriod").as_deref(), Some("300"));
    assert!(asked.field("Body").unwrap().contains(CODE));
}

#[tokio::test]
async fn a_messaging_service_of_twilio_is_named_as_one() {
    let peer = HttpPeer::that([Does::answer(201, "{}")]).await;
    twilio(&peer, "MG9752274e").carry(&text_message()).await.unwrap();
    let asked = peer.asked_once();
    assert_eq!(asked.field("MessagingServiceSid").as_deref(), Some("MG9752274e"));
    assert_eq!(asked.field("From"), None);
}

#[tokio::test]
async fn twilios_errors_are_told_apart_by_their_codes() {
    let told = |code: u32, status: u16| {
        let body = format!(
            r#"{{"code": {code}, "message": "To {NUMBER} is bad", "more_info": "…", "status": {status}}}"#
        );
        Does::answer(status, &body)
    };
    for (does, expected) in [
        (told(21_211, 400), never("provider_21211")),
        (told(21_610, 400), never("provider_21610")),
        (told(21_408, 400), never("provider_21408")),
        (told(21_614, 400), never("provider_21614")),
        (told(21_606, 400), later("provider_21606")),
        (told(20_003, 401), later("provider_20003")),
        (told(20_404, 404), later("provider_20404")),
        (told(20_429, 429), later("provider_20429")),
        (Does::answer(503, "<html>"), later("http_503")),
        (Does::answer(400, "not json"), never("http_400")),
        (Does::answer(403, ""), later("http_403")),
        (Does::answer(302, ""), never("http_302")),
    ] {
        let peer = HttpPeer::that([does]).await;
        let carried = twilio(&peer, "+15005550006").carry(&text_message()).await;
        assert_eq!(carried, Err(expected));
    }
}

#[tokio::test]
async fn a_message_that_twilio_gave_up_as_it_took_it_is_not_sent() {
    let told = |status: &str, code: &str| {
        Does::answer(
            201,
            &format!(r#"{{"sid": "SM0f", "status": "{status}", "error_code": {code}}}"#),
        )
    };
    for (does, expected) in [
        (told("failed", "21610"), never("provider_21610")),
        (told("undelivered", "30006"), never("provider_30006")),
        (told("failed", "30002"), later("provider_30002")),
        (told("canceled", "null"), never("provider_failed")),
    ] {
        let peer = HttpPeer::that([does]).await;
        let carried = twilio(&peer, "+15005550006").carry(&text_message()).await;
        assert_eq!(carried, Err(expected));
    }
    for status in ["queued", "accepted", "scheduled", "sending", "sent", "delivered", "new"] {
        let peer = HttpPeer::that([told(status, "null")]).await;
        assert!(twilio(&peer, "+15005550006").carry(&text_message()).await.is_ok(), "{status}");
    }
}

#[tokio::test]
async fn what_twilio_took_is_taken_although_its_answer_breaks_off() {
    for does in
        [Does::BreaksOff(201), Does::answer(201, "garbage"), Does::answer(201, r#"{"sid": 7}"#)]
    {
        let peer = HttpPeer::that([does]).await;
        let carried = twilio(&peer, "+15005550006").carry(&text_message()).await;
        assert_eq!(carried, Ok(Carried::default()));
    }
}

#[tokio::test]
async fn vonage_is_asked_as_its_sms_api_wants_it() {
    let answer = r#"{"message-count": "1", "messages": [{"to": "14155550199",
        "message-id": "0A0000000123ABCD1", "status": "0", "remaining-balance": "3.14"}]}"#;
    let peer = HttpPeer::that([Does::answer(200, answer)]).await;
    let carried = provider("vonage", &peer, "Acme").carry(&text_message()).await;
    assert_eq!(carried, Ok(Carried { reference: Some("0A0000000123ABCD1".to_owned()) }));
    let asked = peer.asked_once();
    assert_eq!(asked.line, "POST /sms/json HTTP/1.1");
    let id = text_message().id.to_string();
    for (name, value) in [
        ("api_key", ACCOUNT),
        ("api_secret", "t0ken/+"),
        ("from", "Acme"),
        ("to", "14155550199"),
        ("type", "text"),
        ("ttl", "300000"),
        ("client-ref", &id),
    ] {
        assert_eq!(asked.field(name).as_deref(), Some(value), "{name}");
    }
    assert!(asked.field("text").unwrap().contains(CODE));
}

#[tokio::test]
async fn vonage_is_told_when_a_text_needs_unicode() {
    let answer = r#"{"messages": [{"status": "0"}]}"#;
    let peer = HttpPeer::that([Does::answer(200, answer)]).await;
    let mut parcel = text_message();
    parcel.issuer = "Zażółć".to_owned();
    provider("vonage", &peer, "Acme").carry(&parcel).await.unwrap();
    assert_eq!(peer.asked_once().field("type").as_deref(), Some("unicode"));
}

#[tokio::test]
async fn vonages_200_counts_only_with_its_status() {
    let status = |status: &str| {
        Does::answer(
            200,
            &format!(r#"{{"messages": [{{"status": "{status}", "error-text": "x"}}]}}"#),
        )
    };
    for (does, expected) in [
        (status("1"), later("provider_1")),
        (status("4"), later("provider_4")),
        (status("5"), later("provider_5")),
        (status("9"), later("provider_9")),
        (status("3"), never("provider_3")),
        (status("7"), never("provider_7")),
        (status("1 of <us>"), later("protocol")),
        (
            Does::answer(200, r#"{"messages": [{"status": "0"}, {"status": "6"}]}"#),
            never("provider_6"),
        ),
        (Does::answer(200, r#"{"messages": []}"#), later("protocol")),
        (Does::answer(200, "garbage"), later("protocol")),
        (Does::BreaksOff(200), later("connection_lost")),
        (Does::Floods, later("connection_lost")),
        (Does::answer(401, ""), later("http_401")),
        (Does::answer(500, ""), later("http_500")),
    ] {
        let peer = HttpPeer::that([does]).await;
        let carried = provider("vonage", &peer, "Acme").carry(&text_message()).await;
        assert_eq!(carried, Err(expected));
    }
}

#[tokio::test]
async fn a_receiver_of_ones_own_gets_json_signed_as_standard_webhooks_are() {
    let key = [1_u8, 2, 3, 4, 5];
    let encoded = format!("whsec_{}", BASE64.encode(&key));
    for (token, key) in [(encoded.as_str(), key.as_slice()), ("plain-secret", b"plain-secret")] {
        let peer = HttpPeer::that([Does::answer(202, "whatever")]).await;
        let carried = http(&format!("{}/in?k=v", peer.url()), token).carry(&text_message()).await;
        assert_eq!(carried, Ok(Carried::default()));
        let asked = peer.asked_once();
        assert_eq!(asked.line, "POST /in?k=v HTTP/1.1");
        assert_eq!(asked.header("content-type"), Some("application/json"));
        let told: serde_json::Value = serde_json::from_str(&asked.body).unwrap();
        let id = text_message().id.to_string();
        assert_eq!((told["id"].as_str(), told["to"].as_str()), (Some(id.as_str()), Some(NUMBER)));
        assert!(told["body"].as_str().unwrap().contains(CODE));
        assert_eq!(told.as_object().unwrap().len(), 3);
        let timestamp = NOW.unix_seconds();
        assert_eq!(asked.header("webhook-id"), Some(id.as_str()));
        assert_eq!(asked.header("webhook-timestamp"), Some(timestamp.to_string().as_str()));
        let mut mac = Hmac::<Sha256>::new_from_slice(key).unwrap();
        mac.update(format!("{id}.{timestamp}.{}", asked.body).as_bytes());
        let expected = format!("v1,{}", BASE64.encode(&mac.finalize().into_bytes()));
        assert_eq!(asked.header("webhook-signature"), Some(expected.as_str()));
    }
}

#[tokio::test]
async fn a_receivers_status_says_taken_later_or_never() {
    for (status, expected) in [
        (200, None),
        (204, None),
        (429, Some(later("http_429"))),
        (500, Some(later("http_500"))),
        (599, Some(later("http_599"))),
        (408, Some(later("http_408"))),
        (400, Some(never("http_400"))),
        (401, Some(never("http_401"))),
        (410, Some(never("http_410"))),
        (307, Some(never("http_307"))),
    ] {
        let peer = HttpPeer::that([Does::answer(status, "")]).await;
        let carried = http(&peer.url(), "s").carry(&text_message()).await;
        assert_eq!(carried.err(), expected, "{status}");
    }
}

#[tokio::test]
async fn a_receiver_may_say_when_to_come_again() {
    for (headers, expected) in [
        ("Retry-After: 17\r\n", Some(17)),
        ("Retry-After: Fri, 15 Jan 2027 08:00:09 GMT\r\n", Some(9)),
        ("Retry-After: 99999999\r\n", Some(300)),
        ("Retry-After: soon\r\n", None),
    ] {
        let does = Does::Answer { status: 429, headers, body: String::new() };
        let peer = HttpPeer::that([does]).await;
        let carried = http(&peer.url(), "s").carry(&text_message()).await;
        let after = expected.map(Duration::from_secs);
        assert_eq!(carried, Err(NotCarried::Later { reason: "http_429".to_owned(), after }));
    }
}

#[tokio::test]
async fn no_redirect_is_followed() {
    let elsewhere = HttpPeer::that([Does::answer(200, "")]).await;
    let headers: &'static str = format!("Location: {}/\r\n", elsewhere.url()).leak();
    let peer = HttpPeer::that([Does::Answer { status: 307, headers, body: String::new() }]).await;
    let carried = http(&peer.url(), "s").carry(&text_message()).await;
    assert_eq!(carried, Err(never("http_307")));
    assert!(elsewhere.asked().is_empty());
}

#[tokio::test]
async fn a_receiver_that_breaks_the_rules_costs_an_attempt_and_no_more() {
    for (does, expected) in [
        (Does::HalfCloses, Err(later("connection_lost"))),
        (Does::Babbles, Err(later("connection_lost"))),
        // The status came; what stands behind it is of no use here.
        (Does::BreaksOff(200), Ok(Carried::default())),
        (Does::Floods, Ok(Carried::default())),
    ] {
        let peer = HttpPeer::that([does, Does::answer(200, "")]).await;
        let carriers = http(&peer.url(), "s");
        assert_eq!(carriers.carry(&text_message()).await, expected);
        assert_eq!(carriers.carry(&text_message()).await, Ok(Carried::default()));
        let ids: Vec<_> =
            peer.asked().iter().map(|one| one.header("webhook-id").unwrap().to_owned()).collect();
        assert_eq!(ids.len(), 2);
        assert_eq!(ids[0], ids[1]);
    }
}

#[tokio::test]
async fn a_receiver_that_hangs_costs_ten_seconds() {
    let peer = HttpPeer::that([Does::Hangs]).await;
    assert_eq!(http(&peer.url(), "s").carry(&text_message()).await, Err(later("timeout")));
}

#[tokio::test]
async fn a_provider_out_of_reach_is_left_alone_after_five_attempts() {
    let taken = nobody_listens();
    let url = format!("http://{}", taken.local_addr().unwrap());
    let carriers = http(&url, "s");
    for _ in 0..5 {
        assert_eq!(carriers.carry(&text_message()).await, Err(later("connect")));
    }
    let closed = carriers.carry(&text_message()).await;
    assert!(matches!(closed, Err(NotCarried::Closed { .. })), "{closed:?}");
}

#[tokio::test]
async fn an_authority_counts_only_if_it_is_trusted() {
    let authority = Authority::new();
    let peer = HttpPeer::with_tls(&authority, Does::answer(200, "")).await;
    let url = format!("https://localhost:{}", peer.address.port());
    let carried = http(&url, "s").carry(&text_message()).await;
    assert_eq!(carried, Err(later("tls")));
    assert!(peer.asked().is_empty());
    let settings = [
        ("sms.provider", "http"),
        ("sms.url", &url),
        ("sms.token", "s"),
        ("sms.ca_file", &authority.ca()),
    ];
    let trusting = try_carriers(&settings).unwrap();
    assert_eq!(trusting.carry(&text_message()).await, Ok(Carried::default()));
}
