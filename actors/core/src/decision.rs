//! What a decision is made of.

use crate::audit::AuditEntry;
use crate::factor::recovery_code::{self, CodeHash};
use crate::factor::webauthn::assertion::Asserted;
use crate::factor::webauthn::failure::CeremonyFailure;
use crate::factor::webauthn::response::{AssertionResponse, RegistrationResponse};
use crate::factor::webauthn::{WebAuthnFactor, assertion, registration};
use crate::secret::Secret;

/// A reply, what happens, and what the audit log says of it. If there are events or entries, the
/// reply must not be released before they are applied.
#[derive(Clone, Debug, PartialEq)]
pub struct Decision<R, E> {
    /// The answer.
    pub reply: R,
    /// The changes.
    pub events: Vec<E>,
    /// The audit entries.
    pub audit: Vec<AuditEntry>,
}

impl<R, E> Decision<R, E> {
    /// An answer that changes nothing and leaves no trace.
    pub const fn reply(reply: R) -> Self {
        Self { reply, events: Vec::new(), audit: Vec::new() }
    }
}

/// Slow, pure computing that a command needs before it can be decided. It is run behind a bounded
/// gate, off the actor and off the async threads.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Work {
    /// Hash one recovery code that was typed.
    HashCode {
        /// The set's salt.
        salt: [u8; 16],
        /// The canonical code.
        canonical: Secret,
    },
    /// Hash a fresh set of recovery codes.
    HashSet {
        /// A fresh salt.
        salt: [u8; 16],
        /// The codes as they will be shown.
        codes: Vec<Secret>,
    },
    /// Judge a new credential.
    JudgeRegistration(Box<(registration::Expected, RegistrationResponse)>),
    /// Judge an assertion.
    JudgeAssertion(Box<(assertion::Expected, AssertionResponse)>),
}

/// The outcome of [`Work`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Worked {
    /// The digest of one code.
    Code {
        /// The salt that was used.
        salt: [u8; 16],
        /// The digest.
        digest: CodeHash,
    },
    /// The digests of a fresh set.
    Set {
        /// The salt that was used.
        salt: [u8; 16],
        /// The codes as they will be shown.
        codes: Vec<Secret>,
        /// Their digests, in the same order.
        digests: Vec<CodeHash>,
    },
    /// The credential, or what is wrong with it.
    Registration(Result<Box<WebAuthnFactor>, CeremonyFailure>),
    /// What was proven, or what is wrong.
    Assertion(Result<Asserted, CeremonyFailure>),
    /// It could not be done; the decision will refuse.
    Failed,
}

impl Work {
    /// Does it, on the calling thread; tens of milliseconds for each hash, about one for a signature.
    pub fn run(self) -> Worked {
        match self {
            Self::HashCode { salt, canonical } => match recovery_code::hash(&salt, &canonical) {
                Ok(digest) => Worked::Code { salt, digest },
                Err(_) => Worked::Failed,
            },
            Self::HashSet { salt, codes } => {
                let digests: Option<Vec<CodeHash>> = codes
                    .iter()
                    .map(|code| recovery_code::normalize(code.expose_str()))
                    .map(|canonical| recovery_code::hash(&salt, &canonical?).ok())
                    .collect();
                match digests {
                    Some(digests) => Worked::Set { salt, codes, digests },
                    None => Worked::Failed,
                }
            }
            Self::JudgeRegistration(work) => {
                let (expected, response) = *work;
                Worked::Registration(registration::judge(&expected, &response).map(Box::new))
            }
            Self::JudgeAssertion(work) => {
                let (expected, response) = *work;
                Worked::Assertion(assertion::judge(&expected, &response))
            }
        }
    }
}
