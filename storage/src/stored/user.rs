//! The shapes of a user's row.
//!
//! A user who never had anything of what a shape added is written in the one before. So a row
//! is the same, byte for byte, whichever of two neighbouring releases wrote it, for as long as the
//! cluster holds back what the older one does not know: replicas of both agree, and the older one
//! can read a snapshot of the newer.

use std::borrow::Cow;
use std::net::IpAddr;

use countersign_core::challenge::Challenge;
use countersign_core::codec::{self, CodecError};
use countersign_core::device::TrustedDevice;
use countersign_core::factor::recovery_code::RecoverySet;
use countersign_core::factor::{Factor, PendingEnrollment};
use countersign_core::ids::{FactorId, Pseudonym};
use countersign_core::lockout::Lockout;
use countersign_core::risk::History;
use countersign_core::sending::SendHistory;
use countersign_core::time::Timestamp;
use countersign_core::user::{Profile, SpentSecret, UserState};
use serde::{Deserialize, Serialize};

use super::Stored;
use crate::records::UserRow;

/// The first shape.
#[derive(Serialize, Deserialize)]
struct First<'a> {
    version: u64,
    state: FirstState<'a>,
}

/// A user before messages were sent.
#[derive(Serialize, Deserialize)]
struct FirstState<'a> {
    pseudonym: Option<Pseudonym>,
    created_at: Timestamp,
    updated_at: Timestamp,
    profile: Cow<'a, Profile>,
    factors: Cow<'a, [Factor]>,
    pending: Cow<'a, [PendingEnrollment]>,
    primary: Option<FactorId>,
    recovery: Cow<'a, Option<RecoverySet>>,
    devices: Cow<'a, [TrustedDevice]>,
    challenges: Cow<'a, [Challenge]>,
    lockout: Cow<'a, Lockout>,
    history: Cow<'a, History>,
    password_changed_at: Option<Timestamp>,
    spent_secrets: Cow<'a, [SpentSecret]>,
}

/// The second shape: added what was sent, the recovery codes used lately, and where the last login
/// came from.
#[derive(Serialize, Deserialize)]
struct Second<'a> {
    version: u64,
    state: SecondState<'a>,
}

/// A user before there were security keys and hosted pages.
#[derive(Serialize, Deserialize)]
struct SecondState<'a> {
    first: FirstState<'a>,
    sends: Cow<'a, SendHistory>,
    recovery_uses: Cow<'a, [Timestamp]>,
    verified_from: Option<IpAddr>,
}

/// The row in the earliest shape that loses nothing of it.
enum Shape<'a> {
    First(First<'a>),
    Second(Second<'a>),
    Newest,
}

impl<'a> Shape<'a> {
    fn of(row: &'a UserRow) -> Self {
        let UserState {
            pseudonym,
            created_at,
            updated_at,
            profile,
            factors,
            pending,
            primary,
            recovery,
            devices,
            challenges,
            lockout,
            history,
            password_changed_at,
            spent_secrets,
            sends,
            recovery_uses,
            verified_from,
            ceremonies,
            portal,
        } = &row.state;
        if !ceremonies.is_empty() || !portal.is_empty() {
            return Self::Newest;
        }
        let version = row.version;
        let first = FirstState {
            pseudonym: *pseudonym,
            created_at: *created_at,
            updated_at: *updated_at,
            profile: Cow::Borrowed(profile),
            factors: Cow::Borrowed(factors),
            pending: Cow::Borrowed(pending),
            primary: *primary,
            recovery: Cow::Borrowed(recovery),
            devices: Cow::Borrowed(devices),
            challenges: Cow::Borrowed(challenges),
            lockout: Cow::Borrowed(lockout),
            history: Cow::Borrowed(history),
            password_changed_at: *password_changed_at,
            spent_secrets: Cow::Borrowed(spent_secrets),
        };
        let nothing_sent =
            *sends == SendHistory::default() && recovery_uses.is_empty() && verified_from.is_none();
        if nothing_sent {
            return Self::First(First { version, state: first });
        }
        let state = SecondState {
            first,
            sends: Cow::Borrowed(sends),
            recovery_uses: Cow::Borrowed(recovery_uses),
            verified_from: *verified_from,
        };
        Self::Second(Second { version, state })
    }
}

impl FirstState<'_> {
    fn into_state(self) -> UserState {
        UserState {
            pseudonym: self.pseudonym,
            created_at: self.created_at,
            updated_at: self.updated_at,
            profile: self.profile.into_owned(),
            factors: self.factors.into_owned(),
            pending: self.pending.into_owned(),
            primary: self.primary,
            recovery: self.recovery.into_owned(),
            devices: self.devices.into_owned(),
            challenges: self.challenges.into_owned(),
            lockout: self.lockout.into_owned(),
            history: self.history.into_owned(),
            password_changed_at: self.password_changed_at,
            spent_secrets: self.spent_secrets.into_owned(),
            ..UserState::default()
        }
    }
}

impl Stored for UserRow {
    const VERSION: u8 = 3;

    fn from_past(version: u8, bytes: &[u8]) -> Result<Self, CodecError> {
        if version == 1 {
            let First { version, state } = codec::decode_as(version, bytes)?;
            return Ok(Self { version, state: state.into_state() });
        }
        let Second { version, state } = codec::decode_as(version, bytes)?;
        let SecondState { first, sends, recovery_uses, verified_from } = state;
        let state = UserState {
            sends: sends.into_owned(),
            recovery_uses: recovery_uses.into_owned(),
            verified_from,
            ..first.into_state()
        };
        Ok(Self { version, state })
    }

    fn to_bytes(&self) -> Result<Vec<u8>, CodecError> {
        match Shape::of(self) {
            Shape::First(first) => codec::encode_as(1, &first),
            Shape::Second(second) => codec::encode_as(2, &second),
            Shape::Newest => codec::encode_as(Self::VERSION, self),
        }
    }
}
