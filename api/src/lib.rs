//! The thin HTTP layer of Countersign: it reads requests, asks the gateway and writes answers.
//!
//! No decision is taken here: a handler turns a request into a command, asks, and maps the reply.
//! [`problem`] alone knows status codes, [`router`] is the whole route table on one page.

#![cfg_attr(test, allow(clippy::unwrap_used, clippy::expect_used, clippy::panic))]

mod error;
mod router;
mod state;
mod token;

pub use error::ApiError;
pub use router::router;
pub use state::{ApiOptions, ApiState, RenderMetrics};
pub use token::{Jwk, RETIRED_KEY_KEPT_MS, TokenSigner, new_signing_key};
