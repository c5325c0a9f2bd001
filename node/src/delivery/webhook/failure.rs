//! Why there was no answer, in one word that is the same for everybody: never the URL, never what
//! came over the line.

use std::error::Error;
use std::io;

use super::names::NoAddress;

/// The URL is none that can be posted to.
pub(super) const URL: &str = "url";
/// No secret is left to sign with.
pub(super) const UNSIGNED: &str = "unsigned";
/// No answer in time.
pub(super) const TIMEOUT: &str = "timeout";
/// No encrypted connection.
pub(super) const TLS: &str = "tls";
/// No connection.
const CONNECT: &str = "connect";
/// The connection ended before an answer was whole, or what came was no HTTP.
const NO_ANSWER: &str = "no_answer";

/// The word for what the client says.
pub(super) fn word(error: &reqwest::Error) -> &'static str {
    let mut cause: Option<&(dyn Error + 'static)> = Some(error);
    while let Some(error) = cause {
        if let Some(no_address) = error.downcast_ref::<NoAddress>() {
            return no_address.word();
        }
        if error.is::<rustls::Error>() {
            return TLS;
        }
        // What an I/O error was made of is not its source.
        let within = error.downcast_ref::<io::Error>().and_then(io::Error::get_ref);
        cause = match within {
            Some(within) => Some(within),
            None => error.source(),
        };
    }
    if error.is_timeout() {
        TIMEOUT
    } else if error.is_connect() {
        CONNECT
    } else {
        NO_ANSWER
    }
}
