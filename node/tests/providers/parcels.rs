//! Messages to send, and carriers as the settings make them.

use countersign::config::sources::{Origin, Sources};
use countersign::delivery::Carriers;
use countersign::{Config, Error};
use countersign_actors::carrier::{NotCarried, Parcel};
use countersign_core::ids::DeliveryId;
use countersign_core::message::{Channel, CodeMessage, CodePurpose, MessageTemplates};
use countersign_core::secret::Secret;
use countersign_core::time::{MINUTE_MS, Timestamp};
use tokio::net::TcpSocket;

/// The code in every parcel: no other text here has these digits.
pub(crate) const CODE: &str = "804213";
/// Where text messages go.
pub(crate) const NUMBER: &str = "+14155550199";
/// 2027-01-15T08:00:00Z, when they are sent.
pub(crate) const NOW: Timestamp = Timestamp::from_millis(1_800_000_000_000);

const MASTER: &str = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=";

pub(crate) fn carriers(settings: &[(&'static str, &str)]) -> Carriers {
    try_carriers(settings).unwrap()
}

pub(crate) fn try_carriers(settings: &[(&'static str, &str)]) -> Result<Carriers, Error> {
    let mut sources = Sources::default();
    let needed = [("data_dir", "/nowhere"), ("name", "n1"), ("master_key", MASTER)];
    for (path, value) in needed.iter().chain(settings) {
        sources.set(path, *value, Origin::Default);
    }
    Carriers::configure(&Config::read(&sources)?.messaging)
}

pub(crate) fn text_message() -> Parcel {
    parcel(Channel::Sms, NUMBER)
}

pub(crate) fn email_to(address: &str) -> Parcel {
    parcel(Channel::Email, address)
}

fn parcel(channel: Channel, destination: &str) -> Parcel {
    Parcel {
        id: DeliveryId::from_bytes([7; 16]),
        issuer: "Acme".to_owned(),
        templates: MessageTemplates::default(),
        message: CodeMessage {
            channel,
            destination: destination.to_owned(),
            code: Secret::from(CODE.to_owned()),
            purpose: CodePurpose::Challenge,
            expires_at: NOW.plus_millis(5 * MINUTE_MS),
        },
        now: NOW,
    }
}

pub(crate) fn later(reason: &str) -> NotCarried {
    NotCarried::Later { reason: reason.to_owned(), after: None }
}

pub(crate) fn never(reason: &str) -> NotCarried {
    NotCarried::Never { reason: reason.to_owned() }
}

/// A port that is taken, so that no other test gets it, and at which nobody listens.
pub(crate) fn nobody_listens() -> TcpSocket {
    let socket = TcpSocket::new_v4().unwrap();
    socket.bind("127.0.0.1:0".parse().unwrap()).unwrap();
    socket
}
