//! What happens to a user: the only things that change one.
//!
//! Stored in the log: a variant is never changed or removed, new ones go to the end.

use serde::{Deserialize, Serialize};

use crate::challenge::{Challenge, ChallengeOutcome};
use crate::device::TrustedDevice;
use crate::factor::message::{SendOutcome, SentCode};
use crate::factor::recovery_code::{CodeHash, RecoverySet};
use crate::factor::webauthn::ceremony::{Ceremony, CeremonyChallenge};
use crate::factor::{Factor, PendingEnrollment};
use crate::ids::{ChallengeId, DeliveryId, DeviceId, FactorId, Pseudonym};
use crate::message::Channel;
use crate::policy::LockoutPolicy;
use crate::portal::PortalEvent;
use crate::risk::LoginContext;
use crate::sending::{Lane, LaneKey};
use crate::time::Timestamp;
use crate::user::Profile;
use crate::vault::Sealed;

/// One change of a user.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum UserEvent {
    /// The first write that names the user.
    Created {
        /// The user's name in the audit log.
        pseudonym: Pseudonym,
    },
    /// The application told who the user is.
    ProfileSet(Profile),
    /// Everything about the user ends.
    Erased,
    /// The password changed: trusted devices end, and whatever was begun up to then and still waits.
    PasswordChanged {
        /// When, as the application says.
        changed_at: Timestamp,
    },
    /// An enrollment waits for its confirmation; it replaces a pending one of its type.
    EnrollmentBegun(PendingEnrollment),
    /// A factor became ACTIVE; a pending enrollment of its id ends.
    FactorActivated(Factor),
    /// A factor has another name.
    FactorRenamed {
        /// Which.
        id: FactorId,
        /// Its new name.
        name: Option<String>,
    },
    /// A factor ends. Another becomes primary if it was.
    FactorRemoved {
        /// Which.
        id: FactorId,
    },
    /// A factor is offered first.
    PrimarySet {
        /// Which.
        id: FactorId,
    },
    /// A time step of a TOTP factor is spent, and every one before it.
    StepSpent {
        /// Which factor.
        id: FactorId,
        /// The step.
        step: u64,
    },
    /// A new set of recovery codes; the old ones end.
    RecoverySetMade(RecoverySet),
    /// A recovery code is spent.
    RecoveryCodeSpent {
        /// Its digest.
        digest: CodeHash,
    },
    /// A challenge waits for its answer.
    ChallengeOpened(Challenge),
    /// A challenge ended.
    ChallengeEnded {
        /// Which.
        id: ChallengeId,
        /// How.
        outcome: ChallengeOutcome,
    },
    /// A wrong code was read.
    AttemptFailed {
        /// The policy in force, from which the delay follows.
        policy: LockoutPolicy,
        /// The challenge that it was an answer to.
        challenge: Option<ChallengeId>,
        /// The pending enrollment that it was meant to confirm.
        enrollment: Option<FactorId>,
    },
    /// A code was refused unread, for the first time in this lock.
    RefusalNoted,
    /// A proof was accepted: the counter of wrong codes falls to zero.
    AttemptSucceeded,
    /// A verified login is remembered, to know the next one by.
    Learned(LoginContext),
    /// A browser is remembered.
    DeviceTrusted(TrustedDevice),
    /// A remembered browser stood in for a second factor.
    DeviceUsed {
        /// Which.
        id: DeviceId,
    },
    /// A browser is forgotten.
    DeviceRevoked {
        /// Which.
        id: DeviceId,
    },
    /// All browsers are forgotten.
    DevicesRevoked,
    /// Factors, recovery codes, trusted devices, pending enrollments, open challenges and the
    /// counter of wrong codes end.
    Reset,
    /// An administrator opened the lock.
    Unlocked,
    /// An enrollment ends unconfirmed.
    EnrollmentEnded {
        /// Which.
        id: FactorId,
    },
    /// A code was made for a factor or a pending enrollment; those before it are void. Its message
    /// goes into the outbox in the same commit.
    CodeIssued(Box<IssuedCode>),
    /// A wrong code was read that was said to be of this factor or pending enrollment; it counts
    /// against the one that was sent last.
    CodeMissed {
        /// Which.
        factor: FactorId,
    },
    /// A sent code was accepted: it is spent.
    CodeSpent {
        /// Of which factor or pending enrollment.
        factor: FactorId,
        /// Which message carried it.
        delivery: DeliveryId,
        /// Where it had been sent.
        lane: Lane,
    },
    /// Sending a code was refused, for the first time since one was made.
    SendRefused,
    /// That too much goes there was told.
    FloodNoted {
        /// What is counted together.
        key: LaneKey,
    },
    /// A WebAuthn ceremony waits for its answer.
    CeremonyBegun(Box<Ceremony>),
    /// A ceremony was answered, rightly or not: it never is again.
    CeremonyEnded {
        /// Which.
        challenge: CeremonyChallenge,
    },
    /// A security key or passkey was shown and found good.
    CredentialUsed {
        /// Which factor.
        id: FactorId,
        /// Its signature counter.
        sign_count: u32,
        /// Whether its key is on several devices now.
        backed_up: bool,
    },
    /// Something happened on the hosted pages.
    Portal(Box<PortalEvent>),
    /// It is known what became of the message that carries a code.
    CodeSettled {
        /// Of which factor or pending enrollment.
        factor: FactorId,
        /// Which message.
        delivery: DeliveryId,
        /// What.
        outcome: SendOutcome,
    },
    /// A code that was to confirm an app's enrollment was told to be of another time or made in
    /// another way, and was not counted.
    OtherCodeTold {
        /// Which enrollment.
        id: FactorId,
        /// The time step that it is of, if that is still to come: it must not be good then.
        step: Option<u64>,
    },
}

/// A code that was made, and its message on the way into the outbox.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct IssuedCode {
    /// Whose: a factor's or a pending enrollment's.
    pub factor: FactorId,
    /// How it travels.
    pub channel: Channel,
    /// What is kept of the code.
    pub code: SentCode,
    /// The [`crate::message::CodeMessage`], sealed in the context of
    /// [`crate::message::seal_context`].
    pub message: Sealed,
    /// Where it is counted.
    pub lane: Lane,
}
