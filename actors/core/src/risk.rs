//! Signs that a login is not like the others, and what is learnt from each that succeeded.

use std::net::IpAddr;

use data_encoding::HEXLOWER;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::address;
use crate::browser::family_and_platform;
use crate::country::is_country;
use crate::policy::Policy;
use crate::time::{DAY_MS, HOUR_MS, MINUTE_MS, Timestamp};

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

impl Trigger {
    /// The name in the HTTP contract.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::NewDevice => "NEW_DEVICE",
            Self::NewLocation => "NEW_LOCATION",
            Self::SuspiciousIp => "SUSPICIOUS_IP",
            Self::PasswordChanged => "PASSWORD_CHANGED",
        }
    }
}

/// Where a login comes from, as the application or a location database tells.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Location {
    /// ISO 3166-1 alpha-2, upper case, or a code that is no country's.
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
    /// Browsers, by family and platform.
    pub user_agents: Vec<Seen>,
    /// Countries.
    pub countries: Vec<Seen>,
    /// The last known place: latitude, longitude, when.
    pub last_place: Option<(f64, f64, Timestamp)>,
    /// The last successful verification.
    pub last_verified_at: Option<Timestamp>,
}

/// For how long a sight is remembered: 90 days.
pub const MEMORY_MS: i64 = 90 * DAY_MS;
/// How many sights of a kind are remembered at most; the oldest go.
pub const SIGHTS_KEPT: usize = 20;
/// Failed verifications from one address within [`ADDRESS_WINDOW_MS`], over all of a tenant's
/// users, that make it suspicious.
pub const SUSPICIOUS_FAILURES: u32 = 10;
/// The window of [`SUSPICIOUS_FAILURES`]: ten minutes.
pub const ADDRESS_WINDOW_MS: i64 = 10 * MINUTE_MS;
/// Nobody travels faster, in km/h: a little above an airliner's cruise.
pub const MAX_SPEED_KMH: f64 = 900.0;
/// Places nearer than this are the same: location databases are this coarse, in km.
pub const SAME_PLACE_KM: f64 = 100.0;

/// The most characters of a [`LoginContext::device_id`] that is kept as it is.
pub const DEVICE_ID_MAX: usize = 128;

/// An application's id of a device as it is kept: a long one as its digest, so that two that begin
/// alike stay two. `None` for nothing.
pub fn kept_device_id(id: String) -> Option<String> {
    if id.trim().is_empty() {
        return None;
    }
    let long = id.chars().count() > DEVICE_ID_MAX;
    Some(if long { HEXLOWER.encode(&Sha256::digest(id.as_bytes())) } else { id })
}

impl History {
    /// Remembers a verified login.
    pub fn learn(&mut self, context: &LoginContext, at: Timestamp) {
        self.last_verified_at = Some(at);
        if let Some(device) = &context.device_id {
            see(&mut self.devices, device, at);
        }
        if let Some(agent) = &context.user_agent {
            see(&mut self.user_agents, &family_and_platform(agent), at);
        }
        if let Some(location) = &context.location {
            if let Some(country) = location.country.as_ref().filter(|code| is_country(code)) {
                see(&mut self.countries, country, at);
            }
            if let (Some(latitude), Some(longitude)) = (location.latitude, location.longitude) {
                self.last_place = Some((latitude, longitude, at));
            }
        }
    }

    /// Forgets sights older than [`MEMORY_MS`].
    pub fn forget(&mut self, at: Timestamp) {
        for sights in [&mut self.devices, &mut self.user_agents, &mut self.countries] {
            sights.retain(|seen| at.millis_since(seen.at) < MEMORY_MS);
        }
    }

    /// Whether the device was seen in a verified login.
    pub fn knows_device(&self, context: &LoginContext, now: Timestamp) -> bool {
        match (&context.device_id, &context.user_agent) {
            (Some(device), _) => seen(&self.devices, device, now),
            (None, Some(agent)) => seen(&self.user_agents, &family_and_platform(agent), now),
            (None, None) => false,
        }
    }

    fn knows_location(&self, location: &Location, now: Timestamp) -> bool {
        let country_known = location
            .country
            .as_ref()
            .is_none_or(|country| is_country(country) && seen(&self.countries, country, now));
        country_known && self.could_have_travelled(location, now)
    }

    fn could_have_travelled(&self, location: &Location, now: Timestamp) -> bool {
        let (Some(latitude), Some(longitude), Some((last_latitude, last_longitude, at))) =
            (location.latitude, location.longitude, self.last_place)
        else {
            return true;
        };
        let distance = distance_km((last_latitude, last_longitude), (latitude, longitude));
        let hours = now.millis_since(at).max(0) as f64 / HOUR_MS as f64;
        distance <= SAME_PLACE_KM || distance <= MAX_SPEED_KMH * hours
    }
}

/// The triggers that fire for a login, in the order of [`Trigger`].
pub fn triggers(
    policy: &Policy,
    history: &History,
    password_changed_at: Option<Timestamp>,
    context: &LoginContext,
    failures_from_address: u32,
    now: Timestamp,
) -> Vec<Trigger> {
    let listed = context
        .ip_address
        .is_some_and(|told| address::is_listed(&policy.suspicious_ip_ranges, told));
    // A place that is not told cannot be judged; a country that is none is never a known one, and a
    // device that is not told is a new one.
    let new_location =
        context.location.as_ref().is_some_and(|location| !history.knows_location(location, now));
    let password_changed = password_changed_at
        .is_some_and(|changed| history.last_verified_at.is_none_or(|verified| changed > verified));
    [
        (Trigger::NewDevice, !history.knows_device(context, now)),
        (Trigger::NewLocation, new_location),
        (Trigger::SuspiciousIp, listed || failures_from_address >= SUSPICIOUS_FAILURES),
        (Trigger::PasswordChanged, password_changed),
    ]
    .into_iter()
    .filter(|(trigger, fires)| *fires && policy.triggers.allows(*trigger))
    .map(|(trigger, _)| trigger)
    .collect()
}

fn digest(text: &str) -> [u8; 16] {
    let mut first = [0; 16];
    first.copy_from_slice(&Sha256::digest(text.as_bytes())[..16]);
    first
}

fn see(sights: &mut Vec<Seen>, text: &str, at: Timestamp) {
    let digest = digest(text);
    sights.retain(|seen| seen.digest != digest);
    sights.push(Seen { digest, at });
    let over = sights.len().saturating_sub(SIGHTS_KEPT);
    sights.drain(..over);
}

fn seen(sights: &[Seen], text: &str, now: Timestamp) -> bool {
    let digest = digest(text);
    sights.iter().any(|seen| seen.digest == digest && now.millis_since(seen.at) < MEMORY_MS)
}

/// The great-circle distance in km of two places in degrees, by the haversine formula on a sphere
/// of the Earth's mean radius (6 371 km); within 0.6 % of the ellipsoid's.
fn distance_km(from: (f64, f64), to: (f64, f64)) -> f64 {
    let half_chord = |a: f64, b: f64| ((b - a).to_radians() / 2.0).sin().powi(2);
    let haversine = half_chord(from.0, to.0)
        + from.0.to_radians().cos() * to.0.to_radians().cos() * half_chord(from.1, to.1);
    2.0 * 6_371.0 * haversine.clamp(0.0, 1.0).sqrt().asin()
}
