//! Neither a code, nor where it goes, nor a credential is ever in an error or a log line, even at
//! the level at which everything is logged.

use std::io::Write;
use std::sync::{Arc, Mutex};

use countersign_actors::carrier::Carrier;
use data_encoding::BASE64;

use crate::http_peer::{Does, HttpPeer};
use crate::parcels::{CODE, NUMBER, carriers, email_to, text_message};
use crate::smtp_peer::{Manners, Says, SmtpPeer};

#[derive(Clone, Default)]
struct Lines(Arc<Mutex<Vec<u8>>>);

impl Write for Lines {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

#[tokio::test]
async fn nothing_that_must_stay_secret_is_said() {
    let lines = Lines::default();
    let writer = lines.clone();
    let subscriber = tracing_subscriber::fmt()
        .with_max_level(tracing::Level::TRACE)
        .with_writer(move || writer.clone())
        .finish();
    // For the whole process: one for this thread alone may miss lines that others were the first to
    // reach. So the other tests' lines are looked at as well.
    tracing::subscriber::set_global_default(subscriber).unwrap();
    let mut said = String::new();

    let told = format!(r#"{{"code": 21211, "message": "{NUMBER} got {CODE}", "status": 400}}"#);
    for (provider, does) in [
        ("twilio", Does::answer(400, &told)),
        ("vonage", Does::answer(200, &told)),
        ("sns", Does::answer(400, &format!("<Code>{NUMBER} {CODE}</Code>"))),
        ("http", Does::HalfCloses),
        ("http", Does::answer(200, "")),
    ] {
        let peer = HttpPeer::that([does]).await;
        let carriers = carriers(&[
            ("sms.provider", provider),
            ("sms.url", &format!("{}/p4th-secret", peer.url())),
            ("sms.account", "account"),
            ("sms.token", "hunter22"),
            ("sms.from", "Acme"),
        ]);
        for _ in 0..6 {
            let outcome = carriers.carry(&text_message()).await;
            let error = outcome.err().map(|error| format!("{error} {error:?}"));
            said.push_str(&error.unwrap_or_default());
        }
    }
    let offers = &["AUTH PLAIN LOGIN"];
    for answers in [
        &[("AUTH", Says::Line("535 bad hunter22"))],
        &[("RCPT", Says::Line("550 <ann@mail.example> unknown"))],
    ] as [&'static [(&'static str, Says)]; 2]
    {
        let peer = SmtpPeer::with(&[Manners { offers, answers, ..Manners::default() }]).await;
        let url = format!("smtp://user:hunter22@{}", peer.address);
        let carriers = carriers(&[("email.url", &url), ("email.from", "no-reply@acme.example")]);
        for _ in 0..6 {
            let outcome = carriers.carry(&email_to("ann@mail.example")).await;
            said.push_str(&format!("{outcome:?}"));
        }
    }
    said.push_str(&format!("{:?}", text_message()));

    let logged = String::from_utf8(lines.0.lock().unwrap().clone()).unwrap();
    assert!(logged.contains("a provider fails"), "{logged}");
    let encoded = BASE64.encode(b"\0user\0hunter22");
    for secret in [CODE, NUMBER, &NUMBER[1..], "ann@mail", "hunter22", "p4th-secret", &encoded] {
        assert!(!said.contains(secret), "{secret}: {said}");
        let line = logged.lines().find(|line| line.contains(secret));
        assert_eq!(line, None, "{secret}");
    }
}
