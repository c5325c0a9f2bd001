//! An email as it is handed in.

use std::time::{Duration, SystemTime};

use countersign_actors::carrier::Parcel;
use countersign_core::email::EmailAddress;
use lettre::address::Envelope;
use lettre::message::header::{Header, HeaderName, HeaderValue};
use lettre::message::{Mailbox, Message, MultiPart};
use lettre::{Address, message};

use crate::delivery::refusal::Refusal;
use crate::delivery::render::Rendered;

/// Says that no person wrote it, so that no machine answers it (RFC 3834 section 5).
#[derive(Clone)]
struct AutoSubmitted;

impl Header for AutoSubmitted {
    fn name() -> HeaderName {
        HeaderName::new_from_ascii_str("Auto-Submitted")
    }

    fn parse(_text: &str) -> Result<Self, Box<dyn std::error::Error + Send + Sync>> {
        Ok(Self)
    }

    fn display(&self) -> HeaderValue {
        HeaderValue::new(Self::name(), "auto-generated".to_owned())
    }
}

/// The email of a parcel. Its `Message-ID` is the same over all attempts, so that a mail server or
/// a reader that got it twice can drop the second (RFC 5322 section 3.6.4).
pub(super) fn of(from: &Mailbox, parcel: &Parcel, words: &Rendered) -> Result<Message, Refusal> {
    let to = mailbox_address(&parcel.message.destination)
        .ok_or_else(|| Refusal::never("invalid_destination"))?;
    // Said here, since lettre would read it from the headers and take the quotes off a name.
    let envelope = Envelope::new(Some(from.email.clone()), vec![to.clone()])
        .map_err(|_| Refusal::never("unrenderable"))?;
    let seconds = Duration::from_secs(parcel.now.unix_seconds());
    Message::builder()
        .envelope(envelope)
        .from(from.clone())
        .to(Mailbox::new(None, to))
        .subject(words.subject.clone().unwrap_or_default())
        .message_id(Some(format!("<{}@{}>", parcel.id, from.email.domain())))
        .date(SystemTime::UNIX_EPOCH + seconds)
        .header(AutoSubmitted)
        .multipart(body(words))
        .map_err(|_| Refusal::never("unrenderable"))
}

/// The address as every mail server reads it, by the rule by which addresses are taken.
fn mailbox_address(text: &str) -> Option<Address> {
    text.parse::<EmailAddress>().ok()?.mailed().parse().ok()
}

/// The plainest first, the best last (RFC 2046 section 5.1.4).
fn body(words: &Rendered) -> MultiPart {
    let html = words.html.clone().unwrap_or_default();
    message::MultiPart::alternative_plain_html(words.text.clone(), html)
}

#[cfg(test)]
mod tests {
    use countersign_core::message::Channel;

    use super::*;
    use crate::delivery::render::tests::parcel;

    fn written(parcel: &Parcel) -> String {
        let from = "Acme <no-reply@acme.example>".parse().unwrap();
        let words = Rendered::of(parcel).unwrap();
        String::from_utf8(of(&from, parcel, &words).unwrap().formatted()).unwrap()
    }

    #[test]
    fn it_has_the_headers_that_make_it_known_and_unanswered() {
        let email = parcel(Channel::Email);
        let letter = written(&email);
        for line in [
            "From: Acme <no-reply@acme.example>".to_owned(),
            "To: ann@mail.example".to_owned(),
            "Subject: Your Acme sign-in code".to_owned(),
            format!("Message-ID: <{}@acme.example>", email.id),
            "Auto-Submitted: auto-generated".to_owned(),
            "Date: Fri, 15 Jan 2027 08:00:00 +0000".to_owned(),
            "MIME-Version: 1.0".to_owned(),
        ] {
            assert!(letter.contains(&format!("{line}\r\n")), "{line}: {letter}");
        }
        let at = |part: &str| letter.find(part).unwrap();
        assert!(
            at("multipart/alternative") < at("text/plain") && at("text/plain") < at("text/html")
        );
        assert!(letter.is_ascii() && letter.lines().all(|line| line.len() <= 998));
    }

    #[test]
    fn no_subject_and_no_issuer_add_a_header() {
        for issuer in ["Acme\r\nBcc: eve@evil.example", "Acmé\r\nBcc: eve@evil.example"] {
            let email = Parcel { issuer: issuer.to_owned(), ..parcel(Channel::Email) };
            let letter = written(&email);
            let (head, _) = letter.split_once("\r\n\r\n").unwrap();
            assert!(!head.lines().any(|line| line.starts_with("Bcc")), "{head}");
        }
    }

    #[test]
    fn a_destination_that_is_no_address_is_refused_without_being_repeated() {
        let from = "a@b.example".parse().unwrap();
        for to in
            ["nobody", "a@b.example\r\nRCPT TO:<eve@evil.example>", "a@b.example, c@d.example"]
        {
            let mut email = parcel(Channel::Email);
            email.message.destination = to.to_owned();
            let words = Rendered::of(&email).unwrap();
            let refused = of(&from, &email, &words).err();
            assert_eq!(refused, Some(Refusal::never("invalid_destination")), "{to}");
        }
    }

    #[test]
    fn odd_addresses_are_quoted_and_domains_go_out_in_punycode() {
        let from = "Acme <no-reply@acme.example>".parse().unwrap();
        for (destination, envelope) in [
            ("hoge.@docomo.ne.jp", "\"hoge.\"@docomo.ne.jp"),
            ("a..b@docomo.ne.jp", "\"a..b\"@docomo.ne.jp"),
            (r#""a,b"@x.example"#, r#""a,b"@x.example"#),
            ("ann@bücher.example", "ann@xn--bcher-kva.example"),
        ] {
            let mut email = parcel(Channel::Email);
            email.message.destination = destination.to_owned();
            let letter = of(&from, &email, &Rendered::of(&email).unwrap()).unwrap();
            let to: Vec<String> = letter.envelope().to().iter().map(ToString::to_string).collect();
            assert_eq!(to, [envelope], "{destination}");
            let written = String::from_utf8(letter.formatted()).unwrap();
            assert!(
                written.is_ascii() && written.contains(&format!("To: {envelope}\r\n")),
                "{written}"
            );
        }
    }
}
