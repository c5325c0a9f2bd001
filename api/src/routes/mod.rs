//! The handlers, one module a resource. A handler takes a typed caller, builds a command, asks,
//! and maps the reply; it has no branch on what the core decided.

pub(crate) mod api_keys;
pub(crate) mod audit;
pub(crate) mod challenges;
pub(crate) mod cluster;
pub(crate) mod devices;
pub(crate) mod discovery;
pub(crate) mod docs;
pub(crate) mod email;
pub(crate) mod factors;
pub(crate) mod inbox;
pub(crate) mod operations;
pub(crate) mod policy;
pub(crate) mod portal;
pub(crate) mod problems;
pub(crate) mod recovery_codes;
pub(crate) mod settings;
pub(crate) mod sms;
pub(crate) mod statistics;
pub(crate) mod status;
pub(crate) mod tenants;
pub(crate) mod tokens;
pub(crate) mod totp;
pub(crate) mod users;
pub(crate) mod webauthn;
pub(crate) mod webhooks;
