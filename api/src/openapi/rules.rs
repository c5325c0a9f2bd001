//! What each operation needs of its key, and how it can fail besides the ways that all share.
//!
//! A test calls every operation with keys that lack what is said here; another fails for an
//! operation that is not listed.

use countersign_core::tenant::Scope;

use crate::problem::Code;
use crate::request::Need;

/// What holds for an operation.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Rules {
    /// What its key must have; `None` if it needs no key.
    pub(crate) needs: Option<Need>,
    /// How it can fail besides.
    own: &'static [Code],
}

const MFA: Option<Need> = Some(Need::Scope(Scope::Mfa));
const ADMIN: Option<Need> = Some(Need::Scope(Scope::Admin));
const POLICY: Option<Need> = Some(Need::Scope(Scope::Policy));
const AUDIT: Option<Need> = Some(Need::Scope(Scope::Audit));
const KEYS: Option<Need> = Some(Need::Scope(Scope::Keys));
const CLUSTER: Option<Need> = Some(Need::Scope(Scope::Cluster));
const ROOT: Option<Need> = Some(Need::Root);

/// The rules of an operation.
pub(crate) fn rules(operation_id: &str) -> Option<Rules> {
    use Code::{
        AuthenticatorClockOff, AuthenticatorSettingsIgnored, ChallengeExpired, ChallengeNotFound,
        CodeAlreadyUsed, CodeExpired, Conflict, DeliveryNotConfigured, EmailNotVerified,
        EnrollmentExpired, EnrollmentReplaced, FactorAlreadyEnrolled, FactorLimitReached,
        FactorNotAllowed, FactorNotFound, InvalidAssertion, InvalidCode, MfaDisabled,
        NoPendingEnrollment, NotFound, RateLimited, RecoveryCodesExist, TooManyAttempts,
        TooManySends, UserNotFound, ValidationFailed,
    };
    let (needs, own): (Option<Need>, &[Code]) = match operation_id {
        "createChallenge" => (MFA, &[ValidationFailed, RateLimited]),
        "getChallenge" => (MFA, &[ChallengeNotFound]),
        "verifyChallenge" => (
            MFA,
            &[
                ChallengeNotFound,
                FactorNotFound,
                FactorNotAllowed,
                ChallengeExpired,
                ValidationFailed,
                InvalidCode,
                CodeAlreadyUsed,
                CodeExpired,
                InvalidAssertion,
                Conflict,
                TooManyAttempts,
            ],
        ),
        "createPortalSession" => {
            (MFA, &[ChallengeNotFound, ChallengeExpired, Conflict, ValidationFailed, RateLimited])
        }
        "fetchPortalResult" => (MFA, &[NotFound, Conflict, ValidationFailed]),
        "listUsers" => (MFA, &[ValidationFailed]),
        "putUser" => (MFA, &[ValidationFailed]),
        "getUser" => (MFA, &[UserNotFound]),
        "deleteUser" => (ADMIN, &[UserNotFound]),
        "reportPasswordChanged" => (MFA, &[UserNotFound, ValidationFailed]),
        "enrollTotp" => {
            (MFA, &[MfaDisabled, FactorNotAllowed, FactorLimitReached, ValidationFailed])
        }
        "verifyTotp" => (
            MFA,
            &[
                UserNotFound,
                NoPendingEnrollment,
                ChallengeNotFound,
                MfaDisabled,
                FactorNotAllowed,
                FactorLimitReached,
                FactorAlreadyEnrolled,
                ChallengeExpired,
                EnrollmentExpired,
                ValidationFailed,
                InvalidCode,
                CodeAlreadyUsed,
                AuthenticatorClockOff,
                AuthenticatorSettingsIgnored,
                EnrollmentReplaced,
                TooManyAttempts,
            ],
        ),
        "importTotp" => (
            MFA,
            &[
                MfaDisabled,
                FactorNotAllowed,
                FactorLimitReached,
                FactorAlreadyEnrolled,
                ValidationFailed,
            ],
        ),
        "enrollSms" => (
            MFA,
            &[
                MfaDisabled,
                FactorNotAllowed,
                FactorLimitReached,
                FactorAlreadyEnrolled,
                ValidationFailed,
                DeliveryNotConfigured,
            ],
        ),
        "enrollEmail" => (
            MFA,
            &[
                UserNotFound,
                MfaDisabled,
                FactorNotAllowed,
                FactorLimitReached,
                FactorAlreadyEnrolled,
                EmailNotVerified,
                ValidationFailed,
                Conflict,
                DeliveryNotConfigured,
            ],
        ),
        "sendSmsCode" | "sendEmailCode" => (
            MFA,
            &[
                UserNotFound,
                NoPendingEnrollment,
                EnrollmentExpired,
                MfaDisabled,
                FactorNotAllowed,
                FactorLimitReached,
                TooManyAttempts,
                TooManySends,
                DeliveryNotConfigured,
            ],
        ),
        "sendChallengeCode" => (
            MFA,
            &[
                ChallengeNotFound,
                ChallengeExpired,
                FactorNotFound,
                FactorNotAllowed,
                Conflict,
                TooManyAttempts,
                TooManySends,
                DeliveryNotConfigured,
            ],
        ),
        "verifySms" | "verifyEmail" => (
            MFA,
            &[
                UserNotFound,
                NoPendingEnrollment,
                ChallengeNotFound,
                MfaDisabled,
                FactorNotAllowed,
                FactorLimitReached,
                FactorAlreadyEnrolled,
                ChallengeExpired,
                EnrollmentExpired,
                CodeExpired,
                ValidationFailed,
                InvalidCode,
                CodeAlreadyUsed,
                TooManyAttempts,
            ],
        ),
        "getWebAuthnRegistrationOptions" => {
            (MFA, &[MfaDisabled, FactorNotAllowed, FactorLimitReached, ValidationFailed, Conflict])
        }
        "verifyWebAuthn" => (
            MFA,
            &[
                UserNotFound,
                NoPendingEnrollment,
                ChallengeNotFound,
                MfaDisabled,
                FactorNotAllowed,
                FactorLimitReached,
                FactorAlreadyEnrolled,
                ChallengeExpired,
                EnrollmentExpired,
                ValidationFailed,
                InvalidAssertion,
            ],
        ),
        "getWebAuthnAuthOptions" => (
            MFA,
            &[
                UserNotFound,
                FactorNotFound,
                MfaDisabled,
                FactorNotAllowed,
                ValidationFailed,
                Conflict,
                RateLimited,
            ],
        ),
        "verifyWebAuthnAssertion" => {
            (MFA, &[UserNotFound, FactorNotAllowed, ValidationFailed, InvalidAssertion])
        }
        "getChallengeWebAuthnOptions" => (
            MFA,
            &[
                ChallengeNotFound,
                ChallengeExpired,
                FactorNotFound,
                MfaDisabled,
                FactorNotAllowed,
                ValidationFailed,
                Conflict,
            ],
        ),
        "listFactors" => (MFA, &[UserNotFound, ValidationFailed]),
        "updateFactor" => (MFA, &[UserNotFound, FactorNotFound, ValidationFailed]),
        "deleteFactor" | "makeFactorPrimary" => (MFA, &[UserNotFound, FactorNotFound]),
        "getRecoveryCodes" => (MFA, &[UserNotFound]),
        "createRecoveryCodes" => (MFA, &[UserNotFound, MfaDisabled, RecoveryCodesExist]),
        "regenerateRecoveryCodes" => (MFA, &[UserNotFound, MfaDisabled]),
        "useRecoveryCode" => {
            (MFA, &[UserNotFound, ValidationFailed, InvalidCode, CodeAlreadyUsed, TooManyAttempts])
        }
        "listTrustedDevices" => (MFA, &[UserNotFound, ValidationFailed]),
        "revokeTrustedDevices" => (MFA, &[UserNotFound]),
        "revokeTrustedDevice" => (MFA, &[UserNotFound, NotFound]),
        "getMfaStatus" => (MFA, &[UserNotFound]),
        "resetMfa" => (ADMIN, &[UserNotFound, ValidationFailed]),
        "unlockMfa" => (ADMIN, &[UserNotFound]),
        "getPolicy" | "getSettings" => (POLICY, &[]),
        "updatePolicy" | "previewPolicy" => (POLICY, &[ValidationFailed, Conflict]),
        "describeTokens" => (MFA, &[]),
        "getStatistics" => (ADMIN, &[ValidationFailed]),
        "updateSettings" => (POLICY, &[ValidationFailed, Conflict]),
        "createWebhook" => (ADMIN, &[ValidationFailed, Conflict]),
        "updateWebhook" | "rotateWebhookSecret" => (ADMIN, &[NotFound, ValidationFailed, Conflict]),
        "listWebhooks" => (ADMIN, &[ValidationFailed]),
        "getWebhook" => (ADMIN, &[NotFound]),
        "deleteWebhook" => (ADMIN, &[NotFound, Conflict]),
        "listWebhookDeliveries" => (ADMIN, &[NotFound, ValidationFailed]),
        "redeliverWebhookEvent" => (ADMIN, &[NotFound]),
        "listAuditEvents" | "listAuditCheckpoints" => (AUDIT, &[ValidationFailed]),
        "listApiKeys" => (KEYS, &[ValidationFailed]),
        "createApiKey" => (KEYS, &[ValidationFailed, Conflict]),
        "revokeApiKey" => (KEYS, &[NotFound, Conflict]),
        "listTenants" => (ROOT, &[ValidationFailed]),
        "createTenant" => (ROOT, &[ValidationFailed, Conflict]),
        "deleteTenant" => (ROOT, &[NotFound, Conflict]),
        "getCluster" => (CLUSTER, &[]),
        "removeNode" => (CLUSTER, &[NotFound, Conflict]),
        "transferLeadership" | "setShardTime" => (CLUSTER, &[NotFound]),
        "getReadiness" => (None, &[Code::Unavailable]),
        "getJwks" => (None, &[Code::Unavailable, Code::RateLimited]),
        "getOpenIdConfiguration" | "getAuthorizationServerMetadata" => {
            (None, &[NotFound, Code::RateLimited])
        }
        "getMetrics" | "getProblem" => (None, &[NotFound, Code::RateLimited]),
        "getHealth" => (None, &[]),
        "getOpenApi" | "browseDocs" | "listProblems" => (None, &[Code::RateLimited]),
        _ => return None,
    };
    Some(Rules { needs, own })
}

impl Rules {
    /// Every way in which the operation can fail.
    pub(crate) fn codes(&self, path: &str, is_write: bool) -> Vec<Code> {
        let mut codes = self.own.to_vec();
        // Not by this operation, but at its address.
        codes.extend([Code::Internal, Code::MethodNotAllowed]);
        if self.needs.is_some() {
            codes.extend([
                Code::Unauthenticated,
                Code::Forbidden,
                Code::RateLimited,
                Code::Unavailable,
            ]);
        }
        if is_write {
            codes.extend([
                Code::InvalidRequest,
                Code::PayloadTooLarge,
                Code::UnsupportedMediaType,
                Code::IdempotencyKeyReused,
                // Every body is checked, be it for what it must not have.
                Code::ValidationFailed,
            ]);
        }
        if path.contains("{userId}") {
            codes.extend([Code::InvalidRequest, Code::OverloadedUser]);
        }
        if path.starts_with("/v1/mfa/challenges") {
            codes.push(Code::OverloadedUser);
        }
        codes
    }
}
