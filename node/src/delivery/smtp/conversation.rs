//! What is said to a mail server, and what its answers mean: an answer of the 4xx kind means later,
//! one of the 5xx kind never (RFC 5321 section 4.2.1), unless it is about us and not about the
//! message. No text of the server's is passed on, since it may repeat addresses.

use std::error::Error as _;
use std::io;

use lettre::address::Envelope;
use lettre::transport::smtp::Error;
use lettre::transport::smtp::authentication::{Credentials, Mechanism};
use lettre::transport::smtp::client::AsyncSmtpConnection;
use lettre::transport::smtp::commands::{Data, Mail, Rcpt};
use lettre::transport::smtp::extension::{Extension, MailParameter};

use super::Server;
use super::blame::{Stage, about_us};
use crate::config::SmtpTls;
use crate::delivery::provider::CONNECT_WITHIN;
use crate::delivery::refusal::{CONNECT, LOST, PROTOCOL, Refusal, TIMEOUT, TLS, is_tls};

/// Answers that are about us, whenever they come: closing down (421), a password transition, a
/// temporary failure of authentication, too weak a mechanism, authentication or encryption
/// required, wrong credentials (RFC 4954 section 6, RFC 5321 section 4.2.3).
const ABOUT_US: [&str; 8] = ["421", "432", "454", "530", "534", "535", "538", "524"];

/// For whoever runs the service: nothing but a change of settings ends it.
const REFUSED: &str = "the mail server refuses this service, whoever an email is for: see `about` (helo: \
    set email.helo to a name that it takes; sender: email.from, SPF, DKIM, DMARC; relay, auth: the user \
    and password of email.url; blocked: the address from which emails leave)";

/// Connects and introduces us. Whatever fails here fails for every message.
pub(super) async fn begin(server: &Server) -> Result<AsyncSmtpConnection, Refusal> {
    let settings = &server.settings;
    let fails = |error: Error| Refusal::fault(word(&error, CONNECT));
    let wrapping = server.tls.clone().filter(|_| settings.tls == SmtpTls::Wrapped);
    let address = (settings.host.as_str(), settings.port);
    let hello = server.hello.to(address.0, address.1).await;
    let connecting =
        AsyncSmtpConnection::connect_tokio1(address, Some(CONNECT_WITHIN), &hello, wrapping, None);
    let mut connection = connecting.await.map_err(fails)?;
    if let Some(tls) = &server.tls {
        if connection.can_starttls() {
            connection.starttls(tls.clone(), &hello).await.map_err(fails)?;
        } else if settings.tls == SmtpTls::Required {
            return Err(Refusal::fault("starttls_not_offered"));
        }
    }
    if let Some(login) = &settings.login {
        if !connection.is_encrypted() && !settings.login_in_clear() {
            return Err(Refusal::fault("password_in_clear"));
        }
        let mechanisms = [Mechanism::Plain, Mechanism::Login];
        let offered =
            |mechanism: &Mechanism| connection.server_info().supports_auth_mechanism(*mechanism);
        if !mechanisms.iter().any(offered) {
            return Err(Refusal::fault("auth_not_offered"));
        }
        let password = login.password.expose_str().to_owned();
        let credentials = Credentials::new(login.user.clone(), password);
        connection.auth(&mechanisms, &credentials).await.map_err(fails)?;
    }
    Ok(connection)
}

/// Hands one email in.
pub(super) async fn send(
    connection: &mut AsyncSmtpConnection,
    envelope: &Envelope,
    email: &[u8],
) -> Result<(), Refusal> {
    let mut parameters = Vec::new();
    if !envelope.to().iter().chain(envelope.from()).all(|one| AsRef::<str>::as_ref(one).is_ascii())
    {
        // RFC 6531 section 3.4: without it such an address cannot be said.
        if !connection.server_info().supports_feature(Extension::SmtpUtfEight) {
            return Err(Refusal::never("smtputf8_not_offered"));
        }
        parameters.push(MailParameter::SmtpUtfEight);
    }
    let from = envelope.from().cloned();
    let refused = |stage| move |error| refusal(error, stage);
    connection.command(Mail::new(from, parameters)).await.map_err(refused(Stage::Sender))?;
    for to in envelope.to() {
        let receiver = Rcpt::new(to.clone(), Vec::new());
        connection.command(receiver).await.map_err(refused(Stage::Receiver))?;
    }
    connection.command(Data).await.map_err(refused(Stage::Email))?;
    connection.message(email).await.map_err(refused(Stage::Email))?;
    Ok(())
}

/// What became of one email.
fn refusal(error: Error, stage: Stage) -> Refusal {
    let word = word(&error, LOST);
    let known = |code: &str| ABOUT_US.contains(&code);
    if let Some(code) = error.status().filter(|code| !known(&code.to_string())) {
        let text = error.source().map(ToString::to_string).unwrap_or_default();
        if let Some(what) = about_us(stage, &code.to_string(), &text) {
            tracing::warn!(reason = %word, about = what, "{REFUSED}");
            return Refusal::fault(format!("{word}_{what}"));
        }
    }
    match error.status() {
        None => Refusal::fault(word),
        Some(code) if known(&code.to_string()) => Refusal::fault(word),
        Some(_) if error.is_permanent() => Refusal::never(word),
        // Such as greylisting or a full mailbox: about this message or its receiver.
        Some(_) => Refusal::later(word),
    }
}

fn word(error: &Error, otherwise: &str) -> String {
    if let Some(code) = error.status() {
        return format!("smtp_{code}");
    }
    let word = if is_tls(error) {
        TLS
    } else if error.is_timeout() {
        TIMEOUT
    } else if error.is_client() || (error.is_response() && !is_cut_off(error)) {
        PROTOCOL
    } else {
        otherwise
    };
    word.to_owned()
}

/// lettre calls an answer that ended before it began a malformed one.
fn is_cut_off(error: &Error) -> bool {
    error.source().is_some_and(|source| source.to_string() == "incomplete response")
        || error.source().is_some_and(|source| source.is::<io::Error>())
}
