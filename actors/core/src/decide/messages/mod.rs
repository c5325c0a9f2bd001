//! Codes that are sent, to a number or an address: [`enroll`] begins, [`send`] makes a code and its
//! message within [`limits`], [`confirm`] ends an enrollment. A code that answers a challenge is read
//! in `decide/verify`, and all of them pass the one gate in `decide/guess`.
//!
//! Nothing is sent from here. A decision makes the code, keeps its keyed digest and seals the message;
//! the commit that makes the code known puts the message into the outbox.

mod confirm;
mod enroll;
mod limits;
mod over_users;
mod send;

pub(super) use self::confirm::confirm;
pub(super) use self::enroll::{begin_email, begin_sms};
pub(super) use self::limits::next_at;
pub(super) use self::send::{send_to_enrollment, send_to_factor};
use super::case::Case;
use crate::event::UserEvent;
use crate::factor::message::MessageFactor;
use crate::ids::{DeliveryId, FactorId};
use crate::message::Channel;
use crate::phone;
use crate::secret::Secret;
use crate::sending::Lane;
use crate::vault::Vault;

/// What is kept of a code. It is bound to its user, its factor and its message, so an equal code of
/// another is another.
pub(super) fn code_digest(
    case: &Case<'_>,
    factor: FactorId,
    delivery: DeliveryId,
    code: &Secret,
    vault: &dyn Vault,
) -> [u8; 16] {
    let context = case.key.seal_context(&format!("code:{factor}:{delivery}"));
    vault.fingerprint(&context, code.expose())
}

/// That a code was accepted.
pub(super) fn spent(
    case: &Case<'_>,
    factor: FactorId,
    (channel, to): (Channel, &MessageFactor),
    delivery: DeliveryId,
    vault: &dyn Vault,
) -> UserEvent {
    let lane = lane(case, channel, &to.destination, vault);
    UserEvent::CodeSpent { factor, delivery, lane }
}

/// Where messages to a destination are counted. One destination is one lane for all users of the
/// tenant.
fn lane(case: &Case<'_>, channel: Channel, destination: &str, vault: &dyn Vault) -> Lane {
    let context = ["destination", channel.as_str(), case.key.tenant.as_str()].join("\0");
    // Hosts that tell apart addresses by case are hardly to be found; who sends to one mailbox in a
    // thousand spellings is.
    let folded = destination.to_lowercase();
    Lane {
        channel,
        destination: vault.fingerprint(context.as_bytes(), folded.as_bytes()),
        prefix: match channel {
            Channel::Sms => phone::prefix(destination),
            Channel::Email => None,
        },
    }
}
