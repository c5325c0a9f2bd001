//! What would have been sent, kept in memory to be looked at: for `countersign dev` alone. It holds
//! codes in plain text, which no other part of the service does; no node that serves has one.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError};

use countersign_actors::carrier::{Carried, Carrier, NotCarried, Parcel};
use countersign_api::InboxMessage;
use countersign_core::message::Channel;
use futures::FutureExt;
use futures::future::BoxFuture;

use super::render::Rendered;

/// How many messages are kept; the oldest fall out.
const KEPT: usize = 200;

/// Keeps messages, and passes on what a provider is configured for.
pub struct Inbox {
    kept: Mutex<VecDeque<InboxMessage>>,
    next: Arc<dyn Carrier>,
}

impl Inbox {
    /// An empty one in front of `next`.
    pub fn before(next: Arc<dyn Carrier>) -> Self {
        Self { kept: Mutex::new(VecDeque::with_capacity(KEPT)), next }
    }

    fn keep(&self, parcel: &Parcel, words: Rendered) {
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        // Tried again, or by another node of this process: it is one message.
        let id = parcel.id.to_string();
        kept.retain(|message| message.id != id);
        if kept.len() == KEPT {
            kept.pop_front();
        }
        kept.push_back(InboxMessage {
            id,
            at: parcel.now,
            channel: parcel.message.channel,
            to: parcel.message.destination.clone(),
            subject: words.subject,
            text: words.text,
            html: words.html,
            code: parcel.message.code.expose_str().to_owned(),
        });
    }
}

impl countersign_api::Inbox for Inbox {
    fn messages(&self) -> Vec<InboxMessage> {
        let kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        kept.iter().rev().cloned().collect()
    }
}

impl Carrier for Inbox {
    fn carries(&self, _channel: Channel) -> bool {
        true
    }

    fn carry<'a>(&'a self, parcel: &'a Parcel) -> BoxFuture<'a, Result<Carried, NotCarried>> {
        async move {
            let words = Rendered::of(parcel).map_err(|refusal| refusal.not)?;
            self.keep(parcel, words);
            if self.next.carries(parcel.message.channel) {
                self.next.carry(parcel).await
            } else {
                Ok(Carried::default())
            }
        }
        .boxed()
    }
}

#[cfg(test)]
mod tests {
    use countersign_api::Inbox as _;
    use countersign_core::ids::DeliveryId;

    use super::*;
    use crate::config::Messaging;
    use crate::delivery::Carriers;
    use crate::delivery::render::tests::parcel;

    fn inbox() -> Inbox {
        Inbox::before(Arc::new(Carriers::configure(&Messaging::default()).unwrap()))
    }

    #[tokio::test]
    async fn without_a_provider_every_message_is_kept_and_counts_as_sent() {
        let inbox = inbox();
        for channel in Channel::ALL {
            assert!(inbox.carries(channel));
            assert_eq!(inbox.carry(&parcel(channel)).await, Ok(Carried::default()));
        }
        let messages = inbox.messages();
        let channels: Vec<Channel> = messages.iter().map(|message| message.channel).collect();
        assert_eq!(channels, [Channel::Email, Channel::Sms]);
        assert!(messages.iter().all(|message| message.text.contains(&message.code)));
        assert!(messages[0].html.is_some() && messages[0].subject.is_some());
        assert!(messages[1].html.is_none() && messages[1].subject.is_none());
    }

    #[tokio::test]
    async fn a_message_that_is_tried_again_is_kept_once() {
        let inbox = inbox();
        let again = parcel(Channel::Sms);
        for _ in 0..3 {
            inbox.carry(&again).await.unwrap();
        }
        assert_eq!(inbox.messages().len(), 1);
    }

    #[tokio::test]
    async fn the_oldest_fall_out() {
        let inbox = inbox();
        let mut last = parcel(Channel::Sms);
        for number in 0..=u8::try_from(KEPT).unwrap() {
            last = Parcel { id: DeliveryId::from_bytes([number; 16]), ..last };
            inbox.carry(&last).await.unwrap();
        }
        let messages = inbox.messages();
        assert_eq!(messages.len(), KEPT);
        assert_eq!(messages[0].id, last.id.to_string());
        assert_eq!(messages[KEPT - 1].id, DeliveryId::from_bytes([1; 16]).to_string());
    }
}
