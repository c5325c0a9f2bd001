//! Amazon SNS: the query API, signed. The signature is checked here anew, from what came over the
//! line, as the service does it.

use countersign::delivery::Carriers;
use countersign_actors::carrier::{Carried, Carrier};
use data_encoding::HEXLOWER;
use hmac::{Hmac, KeyInit, Mac};
use sha2::{Digest, Sha256};

use crate::http_peer::{Asked, Does, HttpPeer};
use crate::parcels::{CODE, NUMBER, carriers, later, never, text_message};

const ACCESS_KEY: &str = "AKIDEXAMPLE";
const SECRET: &str = "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY";

const TAKEN: &str = r#"<PublishResponse xmlns="https://sns.amazonaws.com/doc/2010-03-31/">
    <PublishResult><MessageId>567910cd-659e-55d4-8ccb-5aaf14679dc0</MessageId></PublishResult>
    <ResponseMetadata><RequestId>d74b8436</RequestId></ResponseMetadata></PublishResponse>"#;

fn sns(peer: &HttpPeer, from: Option<&str>) -> Carriers {
    let url = format!("{}/?region=eu-west-1", peer.url());
    let mut settings = vec![
        ("sms.provider", "sns"),
        ("sms.url", url.as_str()),
        ("sms.account", ACCESS_KEY),
        ("sms.token", SECRET),
    ];
    settings.extend(from.map(|from| ("sms.from", from)));
    carriers(&settings)
}

fn mac(key: &[u8], data: &str) -> Vec<u8> {
    let mut mac = Hmac::<Sha256>::new_from_slice(key).unwrap();
    mac.update(data.as_bytes());
    mac.finalize().into_bytes().to_vec()
}

/// The signature that the service makes of the request it got.
fn authorization(asked: &Asked) -> String {
    let signed = ["content-type", "host", "x-amz-date"];
    let headers: String =
        signed.iter().map(|name| format!("{name}:{}\n", asked.header(name).unwrap())).collect();
    let path = asked.line.split(' ').nth(1).unwrap();
    let body = HEXLOWER.encode(&Sha256::digest(asked.body.as_bytes()));
    let request = format!("POST\n{path}\n\n{headers}\n{}\n{body}", signed.join(";"));
    let date = asked.header("x-amz-date").unwrap();
    let scope = format!("{}/eu-west-1/sns/aws4_request", &date[..8]);
    let hashed = HEXLOWER.encode(&Sha256::digest(request.as_bytes()));
    let to_sign = format!("AWS4-HMAC-SHA256\n{date}\n{scope}\n{hashed}");
    let mut key = format!("AWS4{SECRET}").into_bytes();
    for part in scope.split('/') {
        key = mac(&key, part);
    }
    let signature = HEXLOWER.encode(&mac(&key, &to_sign));
    format!(
        "AWS4-HMAC-SHA256 Credential={ACCESS_KEY}/{scope}, SignedHeaders={}, Signature={signature}",
        signed.join(";")
    )
}

#[tokio::test]
async fn sns_is_asked_to_publish_and_can_check_the_signature() {
    let peer = HttpPeer::that([Does::answer(200, TAKEN)]).await;
    let carried = sns(&peer, Some("ACME")).carry(&text_message()).await;
    let reference = "567910cd-659e-55d4-8ccb-5aaf14679dc0".to_owned();
    assert_eq!(carried, Ok(Carried { reference: Some(reference) }));
    let asked = peer.asked_once();
    assert_eq!(asked.line, "POST / HTTP/1.1");
    assert_eq!(asked.header("x-amz-date"), Some("20270115T080000Z"));
    assert_eq!(asked.header("authorization"), Some(authorization(&asked).as_str()));
    for (name, value) in [
        ("Action", "Publish"),
        ("Version", "2010-03-31"),
        ("PhoneNumber", NUMBER),
        ("MessageAttributes.entry.1.Name", "AWS.SNS.SMS.SMSType"),
        ("MessageAttributes.entry.1.Value.DataType", "String"),
        ("MessageAttributes.entry.1.Value.StringValue", "Transactional"),
        ("MessageAttributes.entry.2.Name", "AWS.SNS.SMS.SenderID"),
        ("MessageAttributes.entry.2.Value.StringValue", "ACME"),
    ] {
        assert_eq!(asked.field(name).as_deref(), Some(value), "{name}");
    }
    assert!(asked.field("Message").unwrap().contains(CODE));
}

#[tokio::test]
async fn a_number_as_sender_is_an_origination_number_and_none_is_the_accounts_own() {
    let name = "MessageAttributes.entry.2.Name";
    for (from, expected) in
        [(Some("+12065550100"), Some("AWS.MM.SMS.OriginationNumber")), (None, None)]
    {
        let peer = HttpPeer::that([Does::answer(200, TAKEN)]).await;
        sns(&peer, from).carry(&text_message()).await.unwrap();
        assert_eq!(peer.asked_once().field(name).as_deref(), expected);
    }
}

#[tokio::test]
async fn errors_of_sns_are_told_apart_by_their_codes() {
    let told = |status: u16, code: &str| {
        let body = format!(
            "<ErrorResponse><Error><Type>Sender</Type><Code>{code}</Code>\
             <Message>{NUMBER} is bad</Message></Error></ErrorResponse>"
        );
        Does::answer(status, &body)
    };
    for (does, expected) in [
        (told(400, "InvalidParameter"), never("provider_InvalidParameter")),
        (told(400, "OptedOut"), never("provider_OptedOut")),
        (told(400, "Throttling"), later("provider_Throttling")),
        (told(429, "Throttled"), later("provider_Throttled")),
        (told(403, "SignatureDoesNotMatch"), later("provider_SignatureDoesNotMatch")),
        (told(403, "InvalidClientTokenId"), later("provider_InvalidClientTokenId")),
        (told(500, "InternalError"), later("provider_InternalError")),
        (told(400, "a b\" and more"), never("http_400")),
        (Does::answer(400, "<Code>"), never("http_400")),
        (Does::answer(503, "garbage"), later("http_503")),
        (Does::HalfCloses, later("connection_lost")),
    ] {
        let peer = HttpPeer::that([does]).await;
        assert_eq!(sns(&peer, None).carry(&text_message()).await, Err(expected));
    }
}
