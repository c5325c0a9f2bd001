//! Emails to a real mail server, as it and a reader of its mail understand them.

use countersign::delivery::Carriers;
use countersign_actors::carrier::{Carried, Carrier};

use crate::authority::Authority;
use crate::mail_server::MailServer;
use crate::parcels::{CODE, carriers, email_to, later, never};

/// `hunter22 & more`, as it is written in an address.
const PASSWORD: &str = "hunter22%20%26%20more";

fn smtp(url: &str, authority: Option<&Authority>) -> Carriers {
    let ca = authority.map(Authority::ca);
    let mut settings =
        vec![("email.url", url), ("email.from", "Acmé, Inc. <no-reply@acme.example>")];
    settings.extend(ca.iter().map(|ca| ("email.ca_file", ca.as_str())));
    carriers(&settings)
}

#[tokio::test]
async fn an_email_arrives_whole_over_starttls_with_a_password() {
    let authority = Authority::new();
    let Some(mut server) = MailServer::start("starttls", &authority).await else { return };
    let url = format!("smtp://ann:{PASSWORD}@localhost:{}?tls=required", server.port);
    let carriers = smtp(&url, Some(&authority));
    let mut parcel = email_to("ann+codes@mail.example");
    parcel.issuer = "Acmé <&> Söhne".to_owned();
    for _ in 0..2 {
        assert_eq!(carriers.carry(&parcel).await, Ok(Carried::default()));
        let mail = server.next().await;
        assert_eq!((mail["user"].as_str(), mail["tls"].as_bool()), (Some("ann"), Some(true)));
        assert_eq!(mail["mail_from"], "no-reply@acme.example");
        assert_eq!(mail["rcpt_to"], serde_json::json!(["ann+codes@mail.example"]));
        assert_eq!(mail["defects"], serde_json::json!([]));
        let headers = &mail["headers"];
        assert_eq!(headers["subject"], "Your Acmé <&> Söhne sign-in code");
        assert_eq!(headers["from"], "\"Acmé, Inc.\" <no-reply@acme.example>");
        assert_eq!(headers["to"], "ann+codes@mail.example");
        assert_eq!(headers["message-id"], format!("<{}@acme.example>", parcel.id));
        assert_eq!(headers["auto-submitted"], "auto-generated");
        assert_eq!(headers["date"], "Fri, 15 Jan 2027 08:00:00 +0000");
        assert!(headers["content-type"].as_str().unwrap().starts_with("multipart/alternative"));
        let (text, html) = (mail["text"].as_str().unwrap(), mail["html"].as_str().unwrap());
        assert!(text.contains(CODE) && text.contains("Acmé <&> Söhne"), "{text}");
        assert!(html.contains(&format!(">{CODE}</p>")) && html.contains("</html>"), "{html}");
        assert!(html.contains("Acmé &#60;&#38;&#62; Söhne"), "{html}");
    }
}

#[tokio::test]
async fn an_email_arrives_over_tls_from_the_first_byte() {
    let authority = Authority::new();
    let Some(mut server) = MailServer::start("tls", &authority).await else { return };
    let url = format!("smtps://ann:{PASSWORD}@127.0.0.1:{}", server.port);
    let carried = smtp(&url, Some(&authority)).carry(&email_to("ann@mail.example")).await;
    assert_eq!(carried, Ok(Carried::default()));
    assert_eq!(server.next().await["user"], "ann");
}

#[tokio::test]
async fn starttls_is_used_when_offered_and_not_missed_when_not() {
    let authority = Authority::new();
    let Some(mut server) = MailServer::start("starttls", &authority).await else { return };
    let url = format!("smtp://ann:{PASSWORD}@localhost:{}", server.port);
    let carried = smtp(&url, Some(&authority)).carry(&email_to("ann@mail.example")).await;
    assert_eq!(carried, Ok(Carried::default()));
    assert_eq!(server.next().await["tls"], true);
    let Some(mut server) = MailServer::start("plain", &authority).await else { return };
    let url = format!("smtp://localhost:{}", server.port);
    let carried = smtp(&url, None).carry(&email_to("ann@mail.example")).await;
    assert_eq!(carried, Ok(Carried::default()));
    assert_eq!(server.next().await["tls"], false);
}

#[tokio::test]
async fn a_server_that_nobody_vouches_for_is_told_nothing() {
    let authority = Authority::new();
    for (mode, scheme, query) in
        [("starttls", "smtp", ""), ("starttls", "smtp", "?tls=required"), ("tls", "smtps", "")]
    {
        let Some(server) = MailServer::start(mode, &authority).await else { return };
        let url = format!("{scheme}://ann:{PASSWORD}@localhost:{}{query}", server.port);
        let carried = smtp(&url, None).carry(&email_to("ann@mail.example")).await;
        assert_eq!(carried, Err(later("tls")), "{url}");
    }
}

#[tokio::test]
async fn a_wrong_password_is_about_us_and_not_about_the_message() {
    let authority = Authority::new();
    let Some(server) = MailServer::start("starttls", &authority).await else { return };
    let url = format!("smtp://ann:wrong@localhost:{}", server.port);
    let carried = smtp(&url, Some(&authority)).carry(&email_to("ann@mail.example")).await;
    assert_eq!(carried, Err(later("smtp_535")));
}

#[tokio::test]
async fn a_server_says_taken_later_or_never() {
    let authority = Authority::new();
    let Some(server) = MailServer::start("plain", &authority).await else { return };
    let url = format!("smtp://localhost:{}", server.port);
    let carriers = smtp(&url, None);
    for (name, expected) in [
        ("gone", Err(never("smtp_550"))),
        ("busy", Err(later("smtp_451"))),
        ("slow", Ok(Carried::default())),
        ("ann", Ok(Carried::default())),
    ] {
        let carried = carriers.carry(&email_to(&format!("{name}@mail.example"))).await;
        assert_eq!(carried, expected, "{name}");
    }
}
