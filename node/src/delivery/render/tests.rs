use countersign_core::ids::DeliveryId;
use countersign_core::message::{CodeMessage, MessageTemplates};
use countersign_core::secret::Secret;
use countersign_core::time::Timestamp;

use super::*;

const EXPIRES: Timestamp = Timestamp::from_millis(1_800_000_300_000);

/// A parcel with five minutes left.
pub(in crate::delivery) fn parcel(channel: Channel) -> Parcel {
    let destination = match channel {
        Channel::Sms => "+14155550199",
        Channel::Email => "ann@mail.example",
    };
    Parcel {
        id: DeliveryId::from_bytes([channel as u8; 16]),
        issuer: "Acme".to_owned(),
        templates: MessageTemplates::default(),
        message: CodeMessage {
            channel,
            destination: destination.to_owned(),
            code: Secret::from("042917".to_owned()),
            purpose: CodePurpose::Challenge,
            expires_at: EXPIRES,
        },
        now: EXPIRES.plus_millis(-5 * MINUTE_MS),
    }
}

fn rendered(parcel: &Parcel) -> Rendered {
    Rendered::of(parcel).unwrap()
}

#[test]
fn a_text_message_is_one_segment_with_all_that_matters() {
    let text = rendered(&parcel(Channel::Sms)).text;
    assert_eq!(gsm::segments(&text), 1, "{text}");
    for part in ["042917", "Acme", "5 minutes", "Never share"] {
        assert!(text.contains(part), "{part}: {text}");
    }
    assert_eq!(text.trim(), text);
}

#[test]
fn an_issuer_outside_the_gsm_alphabet_gets_a_brief_text_of_one_segment() {
    let parcel = Parcel { issuer: "Zażółć Bank".to_owned(), ..parcel(Channel::Sms) };
    let text = rendered(&parcel).text;
    assert_eq!(gsm::segments(&text), 1, "{text}");
    assert!(text.contains("042917") && text.contains("Zażółć Bank"), "{text}");
    assert!(text.contains("Never share"), "{text}");
}

#[test]
fn an_email_says_what_it_is_why_it_came_and_what_to_do() {
    let mut email = parcel(Channel::Email);
    for (purpose, subject, not_you) in [
        (CodePurpose::Challenge, "Your Acme sign-in code", "change it"),
        (CodePurpose::Enroll, "Confirm your email address for Acme", "tell Acme"),
    ] {
        email.message.purpose = purpose;
        let Rendered { subject: shown, text, html } = rendered(&email);
        assert_eq!(shown.as_deref(), Some(subject));
        // The subject is what mail servers log and locked telephones show.
        assert!(!subject.contains("042917"));
        let html = html.unwrap();
        for part in ["042917", "Acme", "5 minutes", "Why you get this", "not you", not_you] {
            assert!(text.contains(part), "{part}: {text}");
            assert!(html.contains(part), "{part}: {html}");
        }
    }
}

#[test]
fn html_asks_nothing_of_anybody_and_keeps_the_code_whole() {
    let html = rendered(&parcel(Channel::Email)).html.unwrap();
    for part in ["http:", "https:", "src=", "url(", "@import", "<script", "<link"] {
        assert!(!html.contains(part), "{part}");
    }
    assert!(html.contains(">042917</p>"));
    assert!(html.contains("prefers-color-scheme: dark") && html.contains("lang=\"en\""));
}

#[test]
fn an_issuer_is_no_markup_in_the_services_own_words() {
    let email = Parcel { issuer: "<b onload='x'>&".to_owned(), ..parcel(Channel::Email) };
    let html = rendered(&email).html.unwrap();
    assert!(!html.contains("<b onload") && html.contains("&#60;b"), "{html}");
}

#[test]
fn a_subject_is_one_line_whatever_is_put_into_it() {
    for (issuer, words) in [
        ("Acme\r\nBcc: eve@evil.example", None),
        ("Acme\u{2028}Bcc: eve@evil.example\u{0}", None),
        ("Acme", Some("Hello\r\nBcc: eve@evil.example\r\n\r\n{{code}}")),
        ("A\nB", Some("{{issuer}}\n{{issuer}}")),
    ] {
        let mut email = Parcel { issuer: issuer.to_owned(), ..parcel(Channel::Email) };
        email.templates.email_subject = words.map(str::to_owned);
        let subject = rendered(&email).subject.unwrap();
        let breaks = |letter: char| letter.is_control() || letter == '\u{2028}';
        assert!(!subject.contains(breaks), "{subject:?}");
    }
}

#[test]
fn the_tenants_words_come_before_the_services() {
    let mut sms = parcel(Channel::Sms);
    sms.templates.sms_text =
        Some("{{code}} ({{issuer}}, {{minutes}})\n@acme.example #{{code}}".into());
    assert_eq!(rendered(&sms).text, "042917 (Acme, 5)\n@acme.example #042917");
    let mut email = Parcel { issuer: "A & B".to_owned(), ..parcel(Channel::Email) };
    email.templates = MessageTemplates {
        sms_text: None,
        email_subject: Some("{{issuer}}: {{code}}".into()),
        email_text: Some("{{issuer}} {{code}}".into()),
        email_html: Some("<p>{{issuer}} {{code}}".into()),
    };
    let shown = rendered(&email);
    assert_eq!(shown.subject.as_deref(), Some("A & B: 042917"));
    assert_eq!(shown.text, "A & B 042917");
    assert_eq!(shown.html.as_deref(), Some("<p>A &#38; B 042917"));
}

#[test]
fn minutes_are_those_that_are_left() {
    for (seconds, expected) in
        [(300, 5), (299, 5), (275, 5), (269, 4), (95, 2), (20, 1), (0, 1), (-9, 1)]
    {
        let mut sms = parcel(Channel::Sms);
        sms.now = EXPIRES.plus_millis(-1_000 * seconds);
        assert_eq!(minutes_left(&sms), expected, "{seconds}");
    }
}
