//! Emails over SMTP, by lettre's connections.
//!
//! The pool is our own: lettre's takes a connection back also when a message was given up half way
//! through, and the next message would be written into the middle of that one. Here a connection
//! is kept only after a conversation that came to its end.
//!
//! lettre's feature `tracing` must stay off: it logs every line, passwords and codes among them.

mod blame;
mod conversation;
mod hello;
mod letter;
mod pool;

use countersign_actors::carrier::{Carried, Parcel};
use futures::FutureExt;
use futures::future::BoxFuture;
use lettre::message::Mailbox;
use lettre::transport::smtp::client::{Certificate, CertificateStore, TlsParameters};

use self::hello::Hello;
use self::pool::Pool;
use super::provider::Provider;
use super::refusal::Refusal;
use super::render::Rendered;
use crate::config::{EmailSettings, SmtpTls};
use crate::error::Error;

/// A mail server that takes our emails.
pub(super) struct Smtp {
    server: Server,
    from: Mailbox,
    pool: Pool,
}

/// Where it is, and how to speak to it.
struct Server {
    settings: EmailSettings,
    /// `None` if TLS is never spoken.
    tls: Option<TlsParameters>,
    /// What we call ourselves.
    hello: Hello,
}

impl Smtp {
    pub(super) fn new(settings: &EmailSettings) -> Result<Self, Error> {
        // Without TLS no certificates are needed, and a machine may have none.
        let tls = (settings.tls != SmtpTls::Never).then(|| trust(settings)).transpose()?;
        Ok(Self {
            from: settings.from.clone(),
            server: Server { hello: Hello::of(settings), settings: settings.clone(), tls },
            pool: Pool::default(),
        })
    }

    async fn post(&self, parcel: &Parcel, words: &Rendered) -> Result<Carried, Refusal> {
        let letter = letter::of(&self.from, parcel, words)?;
        let mut connection = match self.pool.take().await {
            Some(connection) => connection,
            None => conversation::begin(&self.server).await?,
        };
        conversation::send(&mut connection, letter.envelope(), &letter.formatted()).await?;
        self.pool.put(connection);
        Ok(Carried::default())
    }
}

impl Provider for Smtp {
    fn name(&self) -> &'static str {
        "smtp"
    }

    fn send<'a>(
        &'a self,
        parcel: &'a Parcel,
        words: &'a Rendered,
    ) -> BoxFuture<'a, Result<Carried, Refusal>> {
        self.post(parcel, words).boxed()
    }
}

/// Whom we trust: the system's authorities (or those of `SSL_CERT_FILE`) and the operator's own.
fn trust(settings: &EmailSettings) -> Result<TlsParameters, Error> {
    let mut builder =
        TlsParameters::builder(settings.host.clone()).certificate_store(CertificateStore::Default);
    for root in &settings.roots {
        let root = Certificate::from_der(root.to_vec()).map_err(untrusting)?;
        builder = builder.add_root_certificate(root);
    }
    builder.build().map_err(untrusting)
}

fn untrusting(error: lettre::transport::smtp::Error) -> Error {
    Error::Trust { key: "email.url", reason: error.to_string() }
}
