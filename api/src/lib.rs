//! The thin HTTP layer of Countersign: it reads requests, asks the gateway and writes answers.
//!
//! No decision is taken here: a handler turns a request into a command, asks, and maps the reply.
//! [`problem`] alone knows status codes, and [`router()`] is the whole route table on one page.
//!
//! - `request/` reads: who asks, about what, with which body, within which bounds;
//! - `wire/` has the contract's shapes, and how they become what the core speaks;
//! - `routes/` has the handlers, one module a resource;
//! - `portal/` has the pages on which people enroll, answer challenges and look after factors;
//! - `pages/` has what the pages that people use are made of;
//! - `layers/` has what every request passes on its way in and out;
//! - `openapi/` completes the document that the handlers' annotations make.

pub mod address;
mod asking;
mod client;
mod console;
mod error;
pub mod event;
mod host;
mod inbox;
mod layers;
mod openapi;
pub mod pages;
mod portal;
pub mod problem;
mod request;
mod router;
mod routes;
mod state;
mod target;
mod token;
mod wire;

pub use client::{ClientAddress, ForwardedHeader, KeySeen, TrustedProxies, counted_as};
pub use error::ApiError;
pub use inbox::{Inbox, InboxMessage};
pub use layers::limit::RequestLimit;
pub use router::{document, router};
pub use state::{ApiOptions, ApiState, RenderMetrics};
pub use target::WebhookTargets;
pub use token::{Jwk, RETIRED_KEY_KEPT_MS, TokenSigner, new_signing_key};
