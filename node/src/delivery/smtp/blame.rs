//! Whether a mail server's refusal is about us or about the receiver. One about us (our name, our
//! sender, our address, our rights) meets every message: it is tried again, the provider counts as
//! failing, and no receiver is called unreachable for it. Servers tell by reply code, by enhanced
//! status code (RFC 3463), and, most of all for 550 and 554, in words.

/// What was said to the server when it refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Stage {
    /// `MAIL`: no receiver is known yet.
    Sender,
    /// `RCPT`. Many servers refuse here what they dislike about us.
    Receiver,
    /// `DATA`, and the email itself.
    Email,
}

/// Enhanced codes about the receiver, without the class (RFC 3463 sections 3.2 and 3.3).
const RECEIVER: [&str; 7] = ["1.1", "1.2", "1.3", "1.4", "1.6", "1.10", "2."];
/// Words about the receiver. Some of them stand beside others, as in "unknown in relay recipient
/// table".
const RECEIVER_WORDS: [&str; 6] = [
    "user unknown",
    "unknown user",
    "no such user",
    "mailbox",
    "recipient table",
    "does not exist",
];
/// Words about our sender, which may stand beside words about the receiver.
const SENDER_WORDS: [&str; 6] = [
    "sender address",
    "sender rejected",
    "sender denied",
    "sender domain",
    "sender verify",
    "domain of sender",
];
/// Other words about us, and what they mean.
const OUR_WORDS: [(&str, &str); 15] = [
    ("helo", "helo"),
    ("ehlo", "helo"),
    ("fully-qualified", "helo"),
    ("relay", "relay"),
    ("authentication required", "auth"),
    ("not authenticated", "auth"),
    ("must authenticate", "auth"),
    ("spf", "sender"),
    ("dkim", "sender"),
    ("dmarc", "sender"),
    ("client host", "blocked"),
    ("blocked using", "blocked"),
    ("blocklist", "blocked"),
    ("blacklist", "blocked"),
    ("reverse dns", "blocked"),
];

/// What a refusal says about us, in a word; `None` if it is about the receiver or the email.
pub(super) fn about_us(stage: Stage, code: &str, text: &str) -> Option<&'static str> {
    let text = without_addresses(&text.to_ascii_lowercase());
    let enhanced = enhanced(&text);
    // A parameter that is not taken (RFC 5321 section 4.2.2): our name, unless it is an address that
    // has no full domain.
    if text.contains("helo command") {
        return Some("helo");
    }
    if code == "504" {
        let about_receiver = stage == Stage::Receiver && text.contains("recipient");
        let what = if text.contains("sender") { "sender" } else { "helo" };
        return (!about_receiver).then_some(what);
    }
    // What the server does not understand (500, 502), or not now (503).
    if ["500", "502", "503"].contains(&code) {
        return Some("command");
    }
    // A sender's address, and since RFC 7372 and 7505 how it is vouched for.
    let of_sender = ["1.7", "1.8", "7.20", "7.21", "7.22", "7.23", "7.24", "7.26", "7.27"];
    if enhanced.is_some_and(|enhanced| of_sender.contains(&enhanced))
        || SENDER_WORDS.iter().any(|words| text.contains(words))
    {
        return Some("sender");
    }
    let about_receiver = enhanced.is_some_and(|enhanced| {
        RECEIVER.iter().any(|known| match known.ends_with('.') {
            true => enhanced.starts_with(known),
            false => enhanced == *known,
        })
    });
    // Before `RCPT` no receiver was named, whatever the server's words are.
    if stage != Stage::Sender
        && (about_receiver || RECEIVER_WORDS.iter().any(|word| text.contains(word)))
    {
        return None;
    }
    match enhanced {
        Some("7.25") => return Some("blocked"),
        Some("7.8" | "7.9" | "7.11") => return Some("auth"),
        _ => {}
    }
    if let Some((_, what)) = OUR_WORDS.iter().find(|(words, _)| text.contains(words)) {
        return Some(what);
    }
    // Too large an email (552) is the email's affair; else only the sender was named.
    (stage == Stage::Sender && code.starts_with('5') && code != "552").then_some("sender")
}

/// A text without addresses: they may hold any word.
fn without_addresses(text: &str) -> String {
    let words = text.split_whitespace().filter(|word| !word.contains(['@', '<', '>']));
    words.collect::<Vec<_>>().join(" ")
}

/// The enhanced status code without its class, `7.1` of `5.7.1`, if the text has one.
fn enhanced(text: &str) -> Option<&str> {
    text.split(' ').find_map(|word| {
        let (class, rest) = word.trim_matches(['#', '(', ')', ':', ';']).split_once('.')?;
        let (subject, detail) = rest.split_once('.')?;
        let number = |part: &str| {
            (1..=3).contains(&part.len()) && part.bytes().all(|byte| byte.is_ascii_digit())
        };
        (["4", "5"].contains(&class) && number(subject) && number(detail)).then_some(rest)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn refusals_of_real_servers_are_told_apart() {
        use Stage::{Email, Receiver, Sender};
        for (stage, code, text, about) in [
            (
                Receiver,
                "504",
                "5.5.2 <n1>: Helo command rejected: need fully-qualified hostname",
                "helo",
            ),
            (Receiver, "550", "5.7.1 <n1>: Helo command rejected: Host not found", "helo"),
            (Receiver, "550", "Access denied - Invalid HELO name (See RFC2821 4.1.1.1)", "helo"),
            (Receiver, "554", "5.7.1 <ann@mail.example>: Relay access denied", "relay"),
            (Receiver, "550", "relay not permitted", "relay"),
            (
                Receiver,
                "550",
                "5.7.54 SMTP; Unable to relay recipient in non-accepted domain",
                "relay",
            ),
            (
                Receiver,
                "554",
                "5.7.1 Service unavailable; Client host [192.0.2.1] blocked using x",
                "blocked",
            ),
            (
                Email,
                "550",
                "5.7.25 The IP address sending this message does not have a PTR",
                "blocked",
            ),
            (
                Email,
                "550",
                "5.7.26 This mail has been blocked because the sender is unauthenticated",
                "sender",
            ),
            (Email, "550", "5.7.1 Email rejected per DMARC policy for acme.example", "sender"),
            (
                Receiver,
                "550",
                "5.1.8 <a@b.example>: Sender address rejected: Domain not found",
                "sender",
            ),
            (Sender, "553", "5.1.8 sender", "sender"),
            (Sender, "550", "no", "sender"),
            (Receiver, "550", "5.7.1 Client was not authenticated", "auth"),
            (Receiver, "503", "5.5.1 Error: need MAIL command", "command"),
            (Receiver, "450", "4.7.1 <n1>: Helo command rejected: Host not found", "helo"),
            (Sender, "553", "5.1.8 <a@b>... Domain of sender address a@b does not exist", "sender"),
            (
                Sender,
                "550",
                "Requested action not taken: mailbox unavailable Sender address is not allowed.",
                "sender",
            ),
            (
                Receiver,
                "550",
                "Verification failed for <a@b> No Such User Here Sender verify failed",
                "sender",
            ),
            (Sender, "550", "5.1.0 mailbox unavailable", "sender"),
            (
                Receiver,
                "504",
                "5.5.2 <a@b>: Sender address rejected: need fully-qualified address",
                "sender",
            ),
        ] {
            assert_eq!(about_us(stage, code, text), Some(about), "{text}");
        }
        for (stage, code, text) in [
            (Receiver, "550", "5.1.1 <ann@mail.example>: Recipient address rejected: User unknown"),
            (Receiver, "550", "5.1.1 <x@y>: User unknown in relay recipient table"),
            (Receiver, "550", "User unknown in relay recipient table"),
            (Receiver, "550", "5.1.1 <helo-relay-spf@mail.example> unknown"),
            (Receiver, "550", "no such user here: relay@mail.example"),
            (Receiver, "552", "5.2.2 mailbox full"),
            (
                Receiver,
                "504",
                "5.5.2 <ann@localhost>: Recipient address rejected: need fully-qualified address",
            ),
            (Receiver, "550", "no"),
            (Receiver, "451", "4.7.1 greylisted"),
            (Sender, "552", "5.3.4 too big"),
            (Email, "554", "5.7.1 no"),
        ] {
            assert_eq!(about_us(stage, code, text), None, "{text}");
        }
    }
}
