//! The shapes of a user's row.
//!
//! A user who never had anything of what the second shape added is written in the first. So a row
//! is the same, byte for byte, whichever of two neighbouring releases wrote it, for as long as the
//! cluster holds back what the older one does not know: replicas of both agree, and the older one
//! can read a snapshot of the newer.

use std::borrow::Cow;

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

impl<'a> First<'a> {
    /// The row in this shape, if nothing of it is lost.
    fn of(row: &'a UserRow) -> Option<Self> {
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
        } = &row.state;
        let fits =
            *sends == SendHistory::default() && recovery_uses.is_empty() && verified_from.is_none();
        fits.then(|| Self {
            version: row.version,
            state: FirstState {
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
            },
        })
    }
}

impl Stored for UserRow {
    const VERSION: u8 = 2;

    fn from_past(version: u8, bytes: &[u8]) -> Result<Self, CodecError> {
        // The second shape added what was sent, the recovery codes used lately, and where the last
        // login came from.
        let First { version, state } = codec::decode_as(version, bytes)?;
        let state = UserState {
            pseudonym: state.pseudonym,
            created_at: state.created_at,
            updated_at: state.updated_at,
            profile: state.profile.into_owned(),
            factors: state.factors.into_owned(),
            pending: state.pending.into_owned(),
            primary: state.primary,
            recovery: state.recovery.into_owned(),
            devices: state.devices.into_owned(),
            challenges: state.challenges.into_owned(),
            lockout: state.lockout.into_owned(),
            history: state.history.into_owned(),
            password_changed_at: state.password_changed_at,
            spent_secrets: state.spent_secrets.into_owned(),
            ..UserState::default()
        };
        Ok(Self { version, state })
    }

    fn to_bytes(&self) -> Result<Vec<u8>, CodecError> {
        match First::of(self) {
            Some(first) => codec::encode(&first),
            None => codec::encode_as(Self::VERSION, self),
        }
    }
}
