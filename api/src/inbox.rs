//! Messages that were not sent, to be looked at: `countersign dev` alone has an inbox. They hold
//! codes in plain text, so no node that serves ever shows one.

use countersign_core::message::Channel;
use countersign_core::time::Timestamp;

/// A message as its receiver would see it.
#[derive(Clone)]
pub struct InboxMessage {
    /// `dlv_…`.
    pub id: String,
    /// When it was sent.
    pub at: Timestamp,
    /// How it would have travelled.
    pub channel: Channel,
    /// Where to.
    pub to: String,
    /// An email's subject.
    pub subject: Option<String>,
    /// Its words.
    pub text: String,
    /// An email's words as HTML.
    pub html: Option<String>,
    /// The code in it.
    pub code: String,
}

/// Keeps messages.
pub trait Inbox: Send + Sync {
    /// The messages that are kept, the newest first.
    fn messages(&self) -> Vec<InboxMessage>;
}
