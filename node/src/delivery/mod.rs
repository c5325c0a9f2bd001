//! How messages and events leave this node: providers of text messages and email, and webhooks.
//!
//! - `carriers` which provider a channel has, `provider` and `breaker` within which bounds it works;
//! - `render` what a person reads, `smtp` and `sms` how it is handed to whom;
//! - `refusal` why it was not taken;
//! - `inbox` what `countersign dev` shows instead of, or beside, sending;
//! - `webhook` events to tenants' endpoints.
//!
//! No code, no destination and no credential is in any error, log line or number.

mod breaker;
mod carriers;
mod inbox;
mod provider;
mod refusal;
mod render;
mod retry_after;
mod sms;
mod smtp;
pub(crate) mod webhook;

pub use self::carriers::Carriers;
pub use self::inbox::Inbox;
