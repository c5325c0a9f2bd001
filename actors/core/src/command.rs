//! What can be asked of a user. Serialisable, so that a node can hand a question to the node that
//! leads the user's shard.

use serde::{Deserialize, Serialize};

use crate::challenge::Purpose;
use crate::factor::totp::Parameters;
use crate::factor::webauthn::options::{RegistrationWish, UserVerification};
use crate::factor::webauthn::response::{AssertionResponse, RegistrationResponse};
use crate::ids::{ChallengeId, DeviceId, FactorId, PortalId};
use crate::message::Channel;
use crate::phone::PhoneNumber;
use crate::portal::{PortalCommand, SessionHash};
use crate::risk::LoginContext;
use crate::secret::Secret;
use crate::time::Timestamp;
use crate::user::Profile;

/// A wish that may change the user.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum Command {
    /// Replaces what the application told about the user.
    PutProfile(Profile),
    /// Ends everything about the user.
    Erase,
    /// The password changed, now or at the given time.
    PasswordChanged {
        /// When; never later than now.
        changed_at: Option<Timestamp>,
    },
    /// Begins the enrollment of an authenticator app.
    BeginTotp {
        /// A name for the factor.
        name: Option<String>,
        /// How codes are made.
        parameters: Parameters,
        /// The account name that the app shows; else the user's email address or id.
        account_name: Option<String>,
        /// The enrollment that was begun before by whoever asks: while it waits, with the same
        /// parameters, its secret is shown again. To know its id is to have begun it.
        resume: Option<FactorId>,
    },
    /// Confirms it with a code.
    ConfirmTotp {
        /// The code as typed.
        code: Secret,
        /// A name for the factor, instead of the one given at the beginning.
        name: Option<String>,
        /// A challenge of kind `EnrollmentRequired` that this confirmation answers.
        challenge: Option<ChallengeId>,
    },
    /// Takes over a secret that an authenticator app already has.
    ImportTotp {
        /// The shared secret's bytes.
        secret: Secret,
        /// How codes are made.
        parameters: Parameters,
        /// A name for the factor.
        name: Option<String>,
    },
    /// Renames a factor.
    RenameFactor {
        /// Which.
        id: FactorId,
        /// The new name; `None` takes the name away.
        name: Option<String>,
    },
    /// Removes a factor.
    RemoveFactor {
        /// Which.
        id: FactorId,
    },
    /// Offers a factor first.
    MakePrimary {
        /// Which.
        id: FactorId,
    },
    /// Makes recovery codes, unless unused ones remain.
    GenerateRecoveryCodes,
    /// Makes recovery codes; the old ones end.
    RegenerateRecoveryCodes,
    /// Spends a recovery code outside a challenge.
    UseRecoveryCode {
        /// The code as typed.
        code: Secret,
    },
    /// Asks whether a login needs a second factor.
    CreateChallenge {
        /// Why.
        purpose: Purpose,
        /// What is known of the login.
        context: LoginContext,
        /// A token from an earlier "remember this device".
        device_token: Option<Secret>,
    },
    /// Answers a challenge.
    Verify {
        /// Which.
        challenge: ChallengeId,
        /// The answer.
        proof: Proof,
        /// `Some` to be remembered in this browser, under an optional name.
        remember_device: Option<RememberDevice>,
    },
    /// Forgets a browser.
    RevokeDevice {
        /// Which.
        id: DeviceId,
    },
    /// Forgets all browsers.
    RevokeDevices,
    /// Ends factors, recovery codes, trusted devices, pending enrollments and open challenges.
    Reset {
        /// Why, for the audit log.
        reason: Option<String>,
    },
    /// Opens the lock after too many wrong codes.
    Unlock,
    /// Begins the enrollment of a telephone number. Sends nothing.
    BeginSms {
        /// The number.
        number: PhoneNumber,
        /// A name for the factor.
        name: Option<String>,
    },
    /// Begins the enrollment of the user's verified email address. Sends nothing.
    BeginEmail {
        /// A name for the factor.
        name: Option<String>,
    },
    /// Sends a code that confirms the pending enrollment of this channel.
    SendEnrollmentCode {
        /// Which channel.
        channel: Channel,
    },
    /// Sends a code that answers a challenge.
    SendChallengeCode {
        /// Which challenge.
        challenge: ChallengeId,
        /// To which factor.
        factor: FactorId,
    },
    /// Confirms an enrollment with the code that was sent.
    ConfirmMessage {
        /// Which channel.
        channel: Channel,
        /// The code as typed.
        code: Secret,
        /// A name for the factor, instead of the one given at the beginning.
        name: Option<String>,
        /// A challenge of kind `EnrollmentRequired` that this confirmation answers.
        challenge: Option<ChallengeId>,
    },
    /// Begins the registration of a security key or passkey.
    BeginWebAuthn {
        /// What the caller wishes for.
        wish: RegistrationWish,
    },
    /// Ends it with what the browser brought.
    ConfirmWebAuthn {
        /// The browser's answer.
        response: Box<RegistrationResponse>,
        /// A name for the factor.
        name: Option<String>,
        /// A challenge of kind `EnrollmentRequired` that this confirmation answers.
        challenge: Option<ChallengeId>,
    },
    /// Begins showing a security key or passkey.
    BeginAssertion {
        /// What the caller wishes for.
        user_verification: Option<UserVerification>,
        /// The challenge that this will answer; `None` outside one.
        challenge: Option<ChallengeId>,
    },
    /// Shows one outside a challenge.
    Assert {
        /// The browser's answer.
        response: Box<AssertionResponse>,
    },
    /// Something on the hosted pages.
    Portal(Box<PortalCommand>),
}

impl Command {
    /// The challenge that it answers, or is to answer.
    pub const fn challenge(&self) -> Option<ChallengeId> {
        match self {
            Self::Verify { challenge, .. } | Self::SendChallengeCode { challenge, .. } => {
                Some(*challenge)
            }
            Self::ConfirmTotp { challenge, .. }
            | Self::ConfirmMessage { challenge, .. }
            | Self::ConfirmWebAuthn { challenge, .. }
            | Self::BeginAssertion { challenge, .. } => *challenge,
            _ => None,
        }
    }
}

/// An answer to a challenge.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Proof {
    /// A code of a factor.
    Code {
        /// Which factor.
        factor: FactorId,
        /// The code as typed.
        code: Secret,
    },
    /// A recovery code as typed.
    RecoveryCode(Secret),
    /// A security key or passkey was shown.
    Assertion {
        /// Which factor, if the caller knows: a browser may choose among all that it was told of.
        factor: Option<FactorId>,
        /// The browser's answer.
        response: Box<AssertionResponse>,
    },
}

/// The wish to be remembered in this browser.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct RememberDevice {
    /// A name for it.
    pub name: Option<String>,
}

/// A question that changes nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Query {
    /// The profile.
    User,
    /// The ACTIVE factors, the primary first.
    Factors,
    /// How many recovery codes there are.
    RecoveryCodes,
    /// The trusted devices.
    Devices,
    /// The whole situation.
    Status,
    /// A challenge.
    Challenge(ChallengeId),
    /// A session on the hosted pages, shown to the browser that holds this.
    Portal(PortalId, SessionHash),
    /// Whether a link to the hosted pages can be opened, for whoever has it.
    PortalLink(PortalId, SessionHash),
}
