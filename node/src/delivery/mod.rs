//! How messages and events leave this node: providers of text messages and email, and webhooks.

mod nowhere;
pub(crate) mod webhook;

pub(crate) use self::nowhere::Nowhere;
