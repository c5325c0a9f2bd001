//! Signs that a login is not like the others, and what is learnt from each that succeeded.

use std::net::IpAddr;

use serde::{Deserialize, Serialize};

use crate::time::Timestamp;

/// A sign of risk.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Trigger {
    /// The device was not seen in this user's successful verifications of the last 90 days.
    NewDevice,
    /// The country was not, or the distance from the last place is impossible to travel.
    NewLocation,
    /// The address lies in a listed network or keeps failing over all users.
    SuspiciousIp,
    /// The password changed after the last successful verification.
    PasswordChanged,
}

/// Where a login comes from, as the application or a location database tells.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Location {
    /// ISO 3166-1 alpha-2, upper case.
    pub country: Option<String>,
    /// A region's code or name.
    pub region: Option<String>,
    /// A city's name.
    pub city: Option<String>,
    /// Degrees, −90 to 90.
    pub latitude: Option<f64>,
    /// Degrees, −180 to 180.
    pub longitude: Option<f64>,
}

/// What the application knows of the login at hand.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct LoginContext {
    /// The person's address.
    pub ip_address: Option<IpAddr>,
    /// The browser's `User-Agent`.
    pub user_agent: Option<String>,
    /// The application's own id of the device.
    pub device_id: Option<String>,
    /// Where the person is.
    pub location: Option<Location>,
}

/// Something seen in a successful verification, kept as a digest, with when it was last seen.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Seen {
    /// The first sixteen bytes of SHA-256 over what was seen.
    pub digest: [u8; 16],
    /// The last time.
    pub at: Timestamp,
}

/// What is remembered of a user's successful verifications.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct History {
    /// Device ids.
    pub devices: Vec<Seen>,
    /// User agents.
    pub user_agents: Vec<Seen>,
    /// Countries.
    pub countries: Vec<Seen>,
    /// The last known place: latitude, longitude, when.
    pub last_place: Option<(f64, f64, Timestamp)>,
    /// The last successful verification.
    pub last_verified_at: Option<Timestamp>,
}
