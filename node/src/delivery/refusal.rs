//! Why a provider did not take a message, and whether that says anything about the provider.

use std::error::Error as StdError;
use std::io;
use std::time::Duration;

use countersign_actors::carrier::NotCarried;

/// No answer in time.
pub(super) const TIMEOUT: &str = "timeout";
/// No encrypted connection: a certificate that is not trusted, or none of the versions we speak.
pub(super) const TLS: &str = "tls";
/// No connection, or no address for the name.
pub(super) const CONNECT: &str = "connect";
/// The connection ended before the answer was whole.
pub(super) const LOST: &str = "connection_lost";
/// What came is not what this provider's documents say.
pub(super) const PROTOCOL: &str = "protocol";
/// As many messages as may be under way to this provider are, and none ended in time.
pub(super) const BUSY: &str = "busy";

/// A message was not taken.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Refusal {
    /// What the courier is told.
    pub(super) not: NotCarried,
    /// Whether the next message would have fared no better: the provider is down, out of reach,
    /// overloaded, or does not know us. What is wrong with one message is not.
    pub(super) fault: bool,
}

impl Refusal {
    /// The provider fails; later it may not.
    pub(super) fn fault(reason: impl Into<String>) -> Self {
        Self::fault_until(reason, None)
    }

    /// The provider fails and may have said for how long.
    pub(super) fn fault_until(reason: impl Into<String>, after: Option<Duration>) -> Self {
        Self { not: NotCarried::Later { reason: reason.into(), after }, fault: true }
    }

    /// This message is not taken now; others may be.
    pub(super) fn later(reason: impl Into<String>) -> Self {
        Self { not: NotCarried::Later { reason: reason.into(), after: None }, fault: false }
    }

    /// This message is never taken; others may be.
    pub(super) fn never(reason: impl Into<String>) -> Self {
        Self { not: NotCarried::Never { reason: reason.into() }, fault: false }
    }
}

/// Whether an error came of TLS.
pub(super) fn is_tls(error: &(dyn StdError + 'static)) -> bool {
    chain(error).any(|cause| cause.is::<rustls::Error>())
}

/// An error and what it came of.
fn chain<'a>(
    error: &'a (dyn StdError + 'static),
) -> impl Iterator<Item = &'a (dyn StdError + 'static)> {
    std::iter::successors(
        Some(error),
        |cause: &&'a (dyn StdError + 'static)| -> Option<&'a (dyn StdError + 'static)> {
            let cause: &'a (dyn StdError + 'static) = *cause;
            // What an I/O error was made of is not its source.
            match cause.downcast_ref::<io::Error>().and_then(io::Error::get_ref) {
                Some(within) => Some(within as &(dyn StdError + 'static)),
                None => cause.source(),
            }
        },
    )
}

/// What a provider calls something, fit for audit rows and metrics: short, and of letters, digits
/// and little else, so that a provider can neither fill them nor forge other words.
pub(super) fn word_of(text: &str) -> Option<String> {
    let fits = (1..=64).contains(&text.len())
        && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte));
    fits.then(|| text.to_owned())
}
