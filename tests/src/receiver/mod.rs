//! An HTTP receiver within the test: the operator's own SMS gateway (`sms.provider = http`) to the
//! nodes, or a tenant's webhook endpoint.
//!
//! It keeps each request with its time and answers it as a script says, which may do anything
//! meanwhile: refuse, stall, close half way, or kill the node that asks. Its address is one for
//! life, also while it is [closed](Receiver::close).

mod request;
mod server;

pub use self::request::{Reaction, Received, code_in};
pub use self::server::Receiver;
