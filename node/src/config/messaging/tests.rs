use super::*;
use crate::config::Config;
use crate::config::sources::{Origin, Sources};

const MASTER: &str = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=";

fn read(settings: &[(&'static str, &str)]) -> Result<Messaging, Error> {
    let mut sources = Sources::default();
    for (path, value) in [("data_dir", "/tmp/x"), ("name", "n1"), ("master_key", MASTER)] {
        sources.set(path, value, Origin::Default);
    }
    for (path, value) in settings {
        sources.set(path, *value, Origin::Flag("--it".to_owned()));
    }
    Config::read(&sources).map(|config| config.messaging)
}

fn email(url: &str) -> EmailSettings {
    read(&[("email.url", url), ("email.from", "a@b.example")]).unwrap().email.unwrap()
}

#[test]
fn nothing_is_configured_unless_something_is_set() {
    assert_eq!(read(&[]).unwrap(), Messaging::default());
}

#[test]
fn a_mail_server_is_read_from_its_address() {
    let settings = email("smtp://ann%40acme:p%2B+%26%3D%2F%25@mail.example:2525?tls=required");
    assert_eq!((settings.host.as_str(), settings.port), ("mail.example", 2525));
    assert_eq!(settings.tls, SmtpTls::Required);
    let login = settings.login.unwrap();
    assert_eq!((login.user.as_str(), login.password.expose_str()), ("ann@acme", "p++&=/%"));
    let settings = email("smtps://[::1]");
    assert_eq!((settings.host.as_str(), settings.port), ("::1", 465));
    assert_eq!((settings.tls, settings.login), (SmtpTls::Wrapped, None));
    assert_eq!((email("smtp://h").tls, email("smtp://h").port), (SmtpTls::WhenOffered, 587));
    assert_eq!(email("smtp://h/?tls=none").tls, SmtpTls::Never);
}

#[test]
fn a_password_goes_in_clear_only_where_that_is_meant() {
    for (url, expected) in [
        ("smtp://u:p@mail.example", false),
        ("smtp://u:p@10.1.2.3", false),
        ("smtp://u:p@localhost.example", false),
        ("smtp://u:p@mail.example?tls=none", true),
        ("smtp://u:p@127.0.0.1", true),
        ("smtp://u:p@localhost", true),
        ("smtp://u:p@[::1]", true),
    ] {
        assert_eq!(email(url).login_in_clear(), expected, "{url}");
    }
}

#[test]
fn the_name_for_mail_servers_is_a_full_name_or_an_address() {
    let helo = |text| {
        let settings =
            [("email.url", "smtp://h"), ("email.from", "a@b.example"), ("email.helo", text)];
        read(&settings).map(|messaging| messaging.email.unwrap().helo.unwrap().to_string())
    };
    for (text, said) in [
        ("mail.acme.example", "mail.acme.example"),
        ("n1.internal", "n1.internal"),
        ("192.0.2.1", "[192.0.2.1]"),
        ("[192.0.2.1]", "[192.0.2.1]"),
        ("2001:db8::1", "[IPv6:2001:db8::1]"),
        ("[IPv6:2001:db8::1]", "[IPv6:2001:db8::1]"),
    ] {
        assert_eq!(helo(text).unwrap(), said, "{text}");
    }
    for text in
        ["n1", "localhost", "n1.", ".n1", "a..b", "a b.example", "-a.example", "1.2.3", "ü.example"]
    {
        let error = helo(text).unwrap_err().to_string();
        assert!(error.contains("email.helo") && error.contains("mail.acme.example"), "{error}");
    }
    assert!(read(&[("email.helo", "mail.acme.example")]).is_err(), "of use only with email.url");
}

#[test]
fn a_sender_keeps_its_name() {
    for (from, name) in [
        ("Acme, Inc. <no-reply@acme.example>", Some("Acme, Inc.")),
        ("\"Acme, Inc.\" <no-reply@acme.example>", Some("Acme, Inc.")),
        ("<no-reply@acme.example>", None),
        ("no-reply@acme.example", None),
    ] {
        let settings = read(&[("email.url", "smtp://h"), ("email.from", from)]);
        let read_back = settings.unwrap().email.unwrap().from;
        assert_eq!(read_back.name.as_deref(), name, "{from}");
        assert_eq!(read_back.email.to_string(), "no-reply@acme.example");
    }
    for from in
        ["Acme", "A\r\nBcc: x <a@b.example>", "a@b.example>", "<a@b.example", "A <B> <a@b.example>"]
    {
        assert!(read(&[("email.url", "smtp://h"), ("email.from", from)]).is_err(), "{from}");
    }
}

#[test]
fn providers_have_their_own_addresses() {
    let common = [("sms.account", "A1"), ("sms.token", "t"), ("sms.from", "+1")];
    for (provider, address) in [
        ("twilio", "https://api.twilio.com/"),
        ("vonage", "https://rest.nexmo.com/"),
        ("sns", "https://sns.us-east-1.amazonaws.com/"),
    ] {
        let mut settings = common.to_vec();
        settings.push(("sms.provider", provider));
        let read_back = read(&settings).unwrap().sms.unwrap();
        assert_eq!(read_back.url.0.as_str(), address);
        settings.push(("sms.url", "http://127.0.0.1:9/base"));
        let read_back = read(&settings).unwrap().sms.unwrap();
        assert_eq!(read_back.url.0.as_str(), "http://127.0.0.1:9/base");
    }
}

#[test]
fn what_does_not_fit_together_is_said_with_the_settings_names() {
    let url = ("email.url", "smtp://h");
    let provider = |name| ("sms.provider", name);
    let (account, token) = (("sms.account", "A1"), ("sms.token", "t"));
    for (settings, parts) in [
        (vec![url], ["email.url", "email.from", "COUNTERSIGN_EMAIL_FROM"]),
        (vec![("email.from", "a@b.example")], ["email.from", "email.url", "--it"]),
        (vec![url, ("email.from", "nobody")], ["email.from", "no-reply@acme.example", "--it"]),
        (vec![url, ("email.from", "a@b.example\r\nBcc: x@y.example")], ["email.from", "", ""]),
        (vec![("sms.token", "t")], ["sms.token", "sms.provider", "--it"]),
        (vec![provider("twilio"), account], ["sms.provider", "twilio needs", "sms.token"]),
        (vec![provider("twilio"), token], ["sms.provider", "twilio needs", "sms.account"]),
        (vec![provider("twilio"), account, token], ["sms.provider", "twilio needs", "sms.from"]),
        (vec![provider("vonage"), account, token], ["sms.provider", "vonage needs", "sms.from"]),
        (vec![provider("sns"), account], ["sms.provider", "sns needs", "sms.token"]),
        (vec![provider("http"), token], ["sms.provider", "http needs", "sms.url"]),
        (
            vec![provider("http"), ("sms.url", "http://h")],
            ["sms.provider", "http needs", "sms.token"],
        ),
        (vec![provider("http"), ("sms.token", "whsec_§")], ["sms.token", "base64", "--it"]),
        (vec![("sms.ca_file", "/no/such.pem")], ["sms.ca_file", "cannot be read", ""]),
    ] {
        let error = read(&settings).unwrap_err().to_string();
        for part in parts {
            assert!(error.contains(part), "{settings:?}: {part}: {error}");
        }
    }
}

#[test]
fn a_wrong_address_is_refused_without_being_repeated() {
    for (key, value) in [
        ("email.url", "smtp://user:hunter22@"),
        ("email.url", "smtp://:hunter22@mail.example"),
        ("email.url", "smtp://hunter22@mail.example"),
        ("email.url", "smtp://u:hunter22@mail.example/path"),
        ("email.url", "smtp://u:hunter22@mail.example?tls=maybe"),
        ("email.url", "smtps://u:hunter22@mail.example?tls=none"),
        ("email.url", "smtp://u:hunter22@mail.example?helo=me"),
        ("email.url", "smtp://u:hunter22%00@mail.example"),
        ("email.url", "mail.example/hunter22"),
        ("sms.url", "https://u:hunter22@sms.example"),
        ("sms.url", "https://sms.example/#hunter22"),
        ("sms.url", "ftp://sms.example/hunter22"),
        ("sms.account", "hunter22:x"),
    ] {
        let error = read(&[(key, value)]).unwrap_err();
        let shown = format!("{error} {error:?}");
        assert!(shown.contains(key) && shown.contains("--it"), "{value}: {shown}");
        assert!(!shown.contains("hunter22"), "{shown}");
    }
}

#[test]
fn no_debug_text_holds_a_secret() {
    let read_back = read(&[
        ("email.url", "smtp://u:hunter22@mail.example"),
        ("email.from", "a@b.example"),
        ("sms.provider", "http"),
        ("sms.url", "https://sms.example/hunter22?key=hunter22"),
        ("sms.token", "hunter22"),
    ]);
    let shown = format!("{:?}", read_back.unwrap());
    assert!(shown.contains("https://sms.example"), "{shown}");
    assert!(!shown.contains("hunter22"), "{shown}");
}
