//! One provider a channel, as the settings choose.

use countersign_actors::carrier::{Carried, Carrier, NotCarried, Parcel};
use countersign_core::message::Channel;
use futures::FutureExt;
use futures::future::BoxFuture;

use super::provider::Guarded;
use super::sms;
use super::smtp::Smtp;
use crate::config::Messaging;
use crate::error::Error;

/// Carries messages by the providers that are configured.
pub struct Carriers {
    sms: Option<Guarded>,
    email: Option<Guarded>,
}

impl Carriers {
    /// Those that the settings name; none at all if they name none. Nothing is connected to yet.
    ///
    /// # Errors
    /// If the system's trusted certificates are needed and cannot be loaded.
    pub fn configure(messaging: &Messaging) -> Result<Self, Error> {
        let sms = messaging.sms.as_ref().map(sms::provider).transpose()?;
        let email = messaging.email.as_ref().map(Smtp::new).transpose()?;
        Ok(Self {
            sms: sms.map(Guarded::new),
            email: email.map(|smtp| Guarded::new(Box::new(smtp))),
        })
    }

    fn provider(&self, channel: Channel) -> Option<&Guarded> {
        match channel {
            Channel::Sms => self.sms.as_ref(),
            Channel::Email => self.email.as_ref(),
        }
    }
}

impl Carrier for Carriers {
    fn carries(&self, channel: Channel) -> bool {
        self.provider(channel).is_some()
    }

    fn carry<'a>(&'a self, parcel: &'a Parcel) -> BoxFuture<'a, Result<Carried, NotCarried>> {
        async move {
            match self.provider(parcel.message.channel) {
                Some(provider) => provider.carry(parcel).await,
                None => Err(NotCarried::Never { reason: "not_configured".to_owned() }),
            }
        }
        .boxed()
    }
}
