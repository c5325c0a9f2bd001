//! Every way in which a request can fail, as the caller sees it (RFC 9457).
//!
//! The one module that knows status codes. A refusal of the core, an error of the gateway, a fault
//! of this layer and the API's own rejections all become a [`Problem`] here; the problems layer
//! writes it out, with the request's id. What went wrong inside is logged there once, and never shown.

use std::time::Duration;

use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use countersign_actors::gateway::GatewayError;
use countersign_core::factor::webauthn::failure::CeremonyFailure;
use countersign_core::reply::Refusal;
use serde::Serialize;

use crate::error::ApiError;

macro_rules! codes {
    ($($variant:ident $text:literal $status:ident $title:literal $meaning:literal $remedy:literal;)*) => {
        /// A stable word for a way to fail. The contract lists them.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
        pub enum Code {
            $(#[doc = $meaning] $variant,)*
        }

        impl Code {
            /// Every code.
            pub const ALL: &'static [Self] = &[$(Self::$variant,)*];

            /// The word in the `code` member.
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $text,)* }
            }

            /// The status that it is sent with.
            pub const fn status(self) -> StatusCode {
                match self { $(Self::$variant => StatusCode::$status,)* }
            }

            /// The `title` member: the same for every occurrence.
            pub const fn title(self) -> &'static str {
                match self { $(Self::$variant => $title,)* }
            }

            /// What it means, for its page.
            pub const fn meaning(self) -> &'static str {
                match self { $(Self::$variant => $meaning,)* }
            }

            /// What to do, for its page.
            pub const fn remedy(self) -> &'static str {
                match self { $(Self::$variant => $remedy,)* }
            }
        }
    };
}

codes! {
    InvalidRequest "invalid_request" BAD_REQUEST "The request cannot be read"
        "The body is not JSON, its content type is not `application/json`, a header is malformed, or the path names an id that cannot exist."
        "Correct the request; sending it again unchanged cannot succeed.";
    Unauthenticated "unauthenticated" UNAUTHORIZED "No valid API key"
        "The request has no `Authorization: Bearer csk_…` header, or the key is unknown, expired or revoked."
        "Send a valid API key of your tenant.";
    Forbidden "forbidden" FORBIDDEN "The API key may not do this"
        "The key is valid but lacks the scope that the call needs."
        "Use a key with that scope, or make one with `POST /v1/api-keys`.";
    MfaDisabled "mfa_disabled" FORBIDDEN "Multi-factor authentication is disabled"
        "The policy that holds for this user is DISABLED, so nothing can be enrolled."
        "Change the policy's `requirement`, or do not offer enrollment.";
    FactorNotAllowed "factor_not_allowed" FORBIDDEN "The policy does not allow this factor"
        "The policy's `allowedFactors`, or the rule of one of the user's groups, does not list this type, its `sends` allow no text messages to the number's country, or its `webauthn` no such authenticator."
        "Offer another type, or change the policy.";
    UserNotFound "user_not_found" NOT_FOUND "No such user"
        "No write has named this user yet, or the user was deleted. Ids are compared byte for byte."
        "Check the id; enrolling or `PUT /v1/users/{userId}` creates the user.";
    FactorNotFound "factor_not_found" NOT_FOUND "No such factor"
        "This user has no ACTIVE factor of that id."
        "List the user's factors and use one of their ids.";
    ChallengeNotFound "challenge_not_found" NOT_FOUND "No such challenge"
        "The challenge was never made, belongs to another tenant, or is long over."
        "Create a new challenge.";
    NoPendingEnrollment "no_pending_enrollment" NOT_FOUND "Nothing to confirm"
        "The user has no pending enrollment of this type; it may have been confirmed already."
        "Begin an enrollment, then have a code sent if it is of type SMS or EMAIL, and confirm it within ten minutes.";
    NotFound "not_found" NOT_FOUND "No such resource"
        "There is nothing at this address, or nothing of this id that you may see."
        "Check the path and the ids in it.";
    MethodNotAllowed "method_not_allowed" METHOD_NOT_ALLOWED "The method does not fit the address"
        "The address exists but does not answer this method; the `Allow` header lists those that it does."
        "Use one of the methods in the `Allow` header.";
    RecoveryCodesExist "recovery_codes_exist" CONFLICT "Unused recovery codes remain"
        "The user still has unused recovery codes, and they cannot be shown again."
        "Use `POST …/recovery-codes/regenerate` to replace them.";
    FactorLimitReached "factor_limit_reached" CONFLICT "The user has too many factors"
        "A user has at most twenty ACTIVE factors."
        "Remove a factor first.";
    FactorAlreadyEnrolled "factor_already_enrolled" CONFLICT "The same factor is enrolled already"
        "The user has an ACTIVE factor with the same secret, telephone number or credential, or one of type EMAIL already."
        "Use the existing factor, or remove it first.";
    IdempotencyKeyReused "idempotency_key_reused" CONFLICT "The idempotency key belongs to another request"
        "The same `Idempotency-Key` was sent within 24 hours with another method, path or body, or with another API key."
        "Use a fresh key for each new request, and the same key only to repeat one, with the API key that sent it first.";
    Conflict "conflict" CONFLICT "The state has changed"
        "What the request was based on is not so, or no longer: for example the policy's `version`, or that the cluster can spare a node. `detail` says what."
        "Read the current state and decide again.";
    ChallengeExpired "challenge_expired" GONE "The challenge has ended"
        "The challenge was answered, failed, or is older than five minutes."
        "Create a new challenge.";
    CodeExpired "code_expired" GONE "The code has expired"
        "A code that was sent by SMS or email is valid for five minutes and five answers, and a newer one voids it; or none was sent yet. The answer was not counted as wrong."
        "Have a new code sent.";
    EnrollmentExpired "enrollment_expired" GONE "The enrollment has ended"
        "The enrollment was not confirmed within ten minutes."
        "Begin a new enrollment.";
    PayloadTooLarge "payload_too_large" PAYLOAD_TOO_LARGE "The body is too large"
        "A request body has at most 64 KiB."
        "Send less.";
    UnsupportedMediaType "unsupported_media_type" UNSUPPORTED_MEDIA_TYPE "The body is compressed"
        "The request has a `Content-Encoding`; bodies are taken as they are, since they are small."
        "Send the same body without compression and without `Content-Encoding`.";
    ValidationFailed "validation_failed" UNPROCESSABLE_ENTITY "A value cannot be accepted"
        "The body is JSON, but a field is missing, unknown, or out of its bounds; `errors` names each with a JSON pointer."
        "Correct the fields that `errors` names.";
    InvalidCode "invalid_code" UNPROCESSABLE_ENTITY "The code is wrong"
        "The code is wrong, and the attempt was counted; `attemptsRemaining` says how many are left. What cannot be a code at all (letters, another number of digits) is not counted: then `errors` says what a code looks like, and `attemptsRemaining` is missing."
        "Ask the person for the current code. Check that the device's clock is right.";
    CodeAlreadyUsed "code_already_used" UNPROCESSABLE_ENTITY "The code was used already"
        "The code was right and has been accepted before; each is accepted once. If it comes from elsewhere, this is recorded as a possible relay."
        "Ask for the app's next code, have a new one sent, or ask for a recovery code that was not used yet.";
    InvalidAssertion "invalid_assertion" UNPROCESSABLE_ENTITY "The assertion proves nothing"
        "The authenticator's answer does not fit the options it was asked with: another challenge, origin, relying party, credential or signature, a counter that went back, or a key that became one that can be copied (or no longer is). `reason` says which."
        "Ask for fresh options and let the authenticator answer those. Where `reason` is `counter` or `backup_eligibility_changed`, no further answer of this key is taken: offer another factor.";
    AuthenticatorClockOff "authenticator_clock_off" UNPROCESSABLE_ENTITY "The device's clock is off"
        "The code that was to confirm an enrollment is right for another time, up to five minutes away; `clockOffsetSeconds` says how far the device's clock is ahead, or behind if it is negative. The answer was not counted as wrong, and is accepted at no time."
        "Have the person set the device's date and time to automatic, and enter the next code.";
    AuthenticatorSettingsIgnored "authenticator_settings_ignored" UNPROCESSABLE_ENTITY "The app ignores the enrollment's settings"
        "The code that was to confirm an enrollment is of the right secret, but the app made it with SHA-1, six digits or a period of 30 seconds instead of what was asked for. The answer was not counted as wrong."
        "Begin a new enrollment without `algorithm`, `digits` and `period`, or have the person use another app.";
    EnrollmentReplaced "enrollment_replaced" GONE "The code is of an earlier secret"
        "The enrollment was begun anew, and the code is of the secret before. The answer was not counted as wrong."
        "Show the new secret, and have the person set up the app with that. To show the same secret again, begin with `resume`.";
    EmailNotVerified "email_not_verified" UNPROCESSABLE_ENTITY "The user has no verified email address"
        "Codes are sent to an address that the application has verified, and this user has none."
        "Verify the address, then tell it with `PUT /v1/users/{userId}` and `emailVerified`.";
    TooManyAttempts "too_many_attempts" TOO_MANY_REQUESTS "Too many wrong codes"
        "After several wrong codes in a row, codes are refused unread for a time that doubles with each further wrong one."
        "Wait for `retryAfterSeconds`. Without it only an administrator helps: `POST …/mfa/unlock`.";
    TooManySends "too_many_sends" TOO_MANY_REQUESTS "Too many codes were sent"
        "Codes may be sent to one user, one destination and one number prefix, and by one tenant, so often and no more, and the next one only after a pause; and not to a prefix where hardly any is used. `detail` says which limit it was, the policy's `sends` has them all."
        "Wait for `retryAfterSeconds`, or let the person use another factor.";
    RateLimited "rate_limited" TOO_MANY_REQUESTS "Too many requests"
        "Too many requests came from one address without a valid API key, where refused ones count tenfold, or it has too many connections open; or as many challenges, sessions or ceremonies of one user are open as may be. `detail` says which."
        "Wait for `retryAfterSeconds`, then send fewer at once.";
    OverloadedUser "overloaded_user" TOO_MANY_REQUESTS "Too many requests for one user"
        "More requests for this one user are waiting than are allowed."
        "Retry after `retryAfterSeconds` with the same `Idempotency-Key`.";
    Internal "internal" INTERNAL_SERVER_ERROR "Something went wrong here"
        "The service met a fault of its own. Nothing was verified."
        "Tell the operator the `requestId`; the service's log has the reason.";
    DeliveryNotConfigured "delivery_not_configured" SERVICE_UNAVAILABLE "Messages of this kind cannot be sent"
        "The operator has configured no provider for SMS, or no server for email, so no code can be sent; or some nodes still run a release that cannot."
        "Offer another type, or configure `sms.provider` or `email.url`.";
    Unavailable "unavailable" SERVICE_UNAVAILABLE "The service cannot answer now"
        "No quorum or no leader answered within the deadline, or the node is overloaded or shutting down."
        "Retry with the same `Idempotency-Key`, if there are several nodes through another one.";
}

impl Code {
    /// The last part of the page's address: the code with dashes.
    pub fn slug(self) -> String {
        self.as_str().replace('_', "-")
    }

    /// The `type` member: the address of the page that explains the code.
    pub fn page(self) -> String {
        format!("/problems/{}", self.slug())
    }
}

/// What is wrong with one field.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub struct FieldError {
    /// A JSON pointer (RFC 6901) into the body; for a query parameter, `/` and its name.
    #[schema(example = "/code")]
    pub pointer: String,
    /// What is wrong with it.
    #[schema(example = "must not be empty")]
    pub detail: String,
}

impl FieldError {
    /// Says `detail` of the field at `pointer`.
    pub fn new(pointer: impl Into<String>, detail: impl Into<String>) -> Self {
        Self { pointer: pointer.into(), detail: detail.into() }
    }
}

/// A failed request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// Which way to fail.
    pub code: Code,
    /// What happened this time, for a person.
    pub detail: String,
    /// How long to wait, wherever waiting helps.
    pub retry_after_seconds: Option<u64>,
    /// Wrong codes left, on `invalid_code`.
    pub attempts_remaining: Option<u32>,
    /// How far the device's clock is ahead, on `authenticator_clock_off`.
    pub clock_offset_seconds: Option<i32>,
    /// What was wrong, on `invalid_assertion`.
    pub failure: Option<CeremonyFailure>,
    /// What is wrong with which field, on `validation_failed`.
    pub errors: Vec<FieldError>,
    /// The `WWW-Authenticate` header, where a key is missing or too weak.
    pub challenge: Option<Box<str>>,
    /// What went wrong inside: logged once, never shown.
    pub fault: Option<Box<str>>,
}

/// The body of a failed request (RFC 9457 section 3.1, with extension members).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = Problem)]
pub struct ProblemBody {
    /// The address of a page that explains the code.
    #[serde(rename = "type")]
    pub kind: String,
    /// What the code means, the same every time.
    pub title: &'static str,
    /// The HTTP status.
    pub status: u16,
    /// What happened this time.
    pub detail: String,
    /// A stable word to branch on.
    pub code: &'static str,
    /// The request's id, as in `X-Request-Id`.
    pub request_id: String,
    /// Seconds to wait, wherever waiting helps; the same as `Retry-After`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub retry_after_seconds: Option<u64>,
    /// Wrong codes left before something ends or locks, on `invalid_code`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub attempts_remaining: Option<u32>,
    /// How far the device's clock is ahead, about; negative if it is behind. On
    /// `authenticator_clock_off`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub clock_offset_seconds: Option<i32>,
    /// What was wrong with the authenticator's answer, as in the audit log, on `invalid_assertion`. With
    /// `backup_eligibility_changed` and `counter` another try cannot succeed: offer another factor.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>)]
    pub reason: Option<&'static str>,
    /// What is wrong with which field, on `validation_failed`.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schema(required = false)]
    pub errors: Vec<FieldError>,
}

impl Problem {
    /// A failure of this code, with what happened this time.
    pub fn new(code: Code, detail: impl Into<String>) -> Self {
        Self {
            code,
            detail: sentence(&detail.into()),
            retry_after_seconds: None,
            attempts_remaining: None,
            clock_offset_seconds: None,
            failure: None,
            errors: Vec::new(),
            challenge: None,
            fault: None,
        }
    }

    /// The request cannot be read.
    pub fn invalid_request(detail: impl Into<String>) -> Self {
        Self::new(Code::InvalidRequest, detail)
    }

    /// These fields cannot be accepted.
    pub fn validation(errors: Vec<FieldError>) -> Self {
        let detail = match errors.as_slice() {
            [only] => format!("{} {}", name_of(&only.pointer), only.detail),
            all => format!("{} fields cannot be accepted", all.len()),
        };
        Self { errors, ..Self::new(Code::ValidationFailed, detail) }
    }

    /// A cursor that no page of this listing gave.
    pub fn invalid_cursor() -> Self {
        Self::validation(vec![FieldError::new("/cursor", "must be the `nextCursor` of an answer")])
    }

    /// A fault of the service: `fault` goes to the log, the caller learns nothing of it.
    pub fn internal(fault: impl Into<String>) -> Self {
        let detail = "the request could not be completed because of a fault of the service";
        Self { fault: Some(fault.into().into()), ..Self::new(Code::Internal, detail) }
    }

    /// No answer now; `reason` goes to the log.
    pub fn unavailable(reason: impl Into<String>) -> Self {
        let detail = "no answer could be had in time; retry with the same Idempotency-Key";
        Self {
            fault: Some(reason.into().into()),
            retry_after_seconds: Some(1),
            ..Self::new(Code::Unavailable, detail)
        }
    }

    /// The deadline passed.
    pub fn deadline(after: Duration) -> Self {
        Self::unavailable(format!("the request's deadline of {} ms passed", after.as_millis()))
    }

    /// The node lacks these things before it can serve. Whoever asks for readiness asks often, so
    /// nothing is logged.
    pub fn not_ready(missing: &[String]) -> Self {
        Self { retry_after_seconds: Some(1), ..Self::new(Code::Unavailable, missing.join("; ")) }
    }

    /// Too much was asked from one address without a valid key.
    pub(crate) fn too_many_requests(retry_after_seconds: u64) -> Self {
        let detail = "too many requests came from this address without a valid API key";
        Self {
            retry_after_seconds: Some(retry_after_seconds),
            ..Self::new(Code::RateLimited, detail)
        }
    }

    /// Too many connections are open, from one address or altogether.
    pub fn too_many_connections() -> Self {
        let detail = "too many connections are open, from this address or to this node";
        Self { retry_after_seconds: Some(1), ..Self::new(Code::RateLimited, detail) }
    }

    /// The body has more than `limit` bytes.
    pub(crate) fn too_large(limit: usize) -> Self {
        Self::new(Code::PayloadTooLarge, format!("the body has more than {limit} bytes"))
    }

    /// There is nothing at this address.
    pub fn no_such_address() -> Self {
        Self::new(Code::NotFound, "there is nothing at this address")
    }

    /// The cluster has no node of this number.
    pub fn no_such_node() -> Self {
        Self::new(Code::NotFound, "the cluster has no such node")
    }

    /// The cluster has no shard of that number.
    pub fn no_such_shard() -> Self {
        Self::new(Code::NotFound, "the cluster has no such shard")
    }

    /// The body, with the request's id.
    pub fn body(&self, request_id: &str) -> ProblemBody {
        ProblemBody {
            kind: self.code.page(),
            title: self.code.title(),
            status: self.code.status().as_u16(),
            detail: self.detail.clone(),
            code: self.code.as_str(),
            request_id: request_id.to_owned(),
            retry_after_seconds: self.retry_after_seconds,
            attempts_remaining: self.attempts_remaining,
            clock_offset_seconds: self.clock_offset_seconds,
            reason: self.failure.map(CeremonyFailure::as_str),
            errors: self.errors.clone(),
        }
    }
}

/// The bare status, with the problem beside it for the layer that knows the request's id.
impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let mut response = self.code.status().into_response();
        response.extensions_mut().insert(self);
        response
    }
}

impl From<Refusal> for Problem {
    fn from(refusal: Refusal) -> Self {
        let detail = refusal.to_string();
        let plain = |code| Self::new(code, detail.as_str());
        match refusal {
            Refusal::UserNotFound => plain(Code::UserNotFound),
            Refusal::FactorNotFound => plain(Code::FactorNotFound),
            Refusal::ChallengeNotFound => plain(Code::ChallengeNotFound),
            Refusal::DeviceNotFound | Refusal::NotFound(_) => plain(Code::NotFound),
            Refusal::NoPendingEnrollment => plain(Code::NoPendingEnrollment),
            Refusal::MfaDisabled => plain(Code::MfaDisabled),
            Refusal::FactorNotAllowed(factor_type) => Self::new(
                Code::FactorNotAllowed,
                format!("the policy does not allow {} factors for this user", factor_type.as_str()),
            ),
            Refusal::RecoveryCodesExist => plain(Code::RecoveryCodesExist),
            Refusal::FactorLimitReached(_) => plain(Code::FactorLimitReached),
            Refusal::FactorAlreadyEnrolled => plain(Code::FactorAlreadyEnrolled),
            Refusal::EnrollmentExpired => plain(Code::EnrollmentExpired),
            Refusal::ChallengeExpired => plain(Code::ChallengeExpired),
            Refusal::InvalidCode { attempts_remaining } => {
                Self { attempts_remaining: Some(attempts_remaining), ..plain(Code::InvalidCode) }
            }
            Refusal::NoCode { pointer, detail } => Self {
                code: Code::InvalidCode,
                ..Self::validation(vec![FieldError { pointer, detail }])
            },
            Refusal::CodeAlreadyUsed => plain(Code::CodeAlreadyUsed),
            Refusal::TooManyAttempts { retry_after_seconds: Some(seconds) } => Self {
                retry_after_seconds: Some(seconds),
                ..Self::new(
                    Code::TooManyAttempts,
                    format!("too many wrong codes; codes are read again in {seconds} seconds"),
                )
            },
            Refusal::TooManyAttempts { retry_after_seconds: None } => Self::new(
                Code::TooManyAttempts,
                "too many wrong codes; an administrator must unlock this user",
            ),
            Refusal::Invalid { pointer, detail } => {
                Self::validation(vec![FieldError { pointer, detail }])
            }
            Refusal::Conflict(_) => plain(Code::Conflict),
            Refusal::Unreadable => Self::internal(detail),
            Refusal::DeliveryNotConfigured(channel) => Self::new(
                Code::DeliveryNotConfigured,
                format!(
                    "no provider is configured for {} messages",
                    channel.factor_type().as_str()
                ),
            ),
            Refusal::TooManySends { retry_after_seconds, .. } => {
                Self { retry_after_seconds: Some(retry_after_seconds), ..plain(Code::TooManySends) }
            }
            Refusal::CodeExpired => plain(Code::CodeExpired),
            Refusal::EmailNotVerified => plain(Code::EmailNotVerified),
            Refusal::CountryNotAllowed(_) | Refusal::AuthenticatorNotAllowed(_) => {
                plain(Code::FactorNotAllowed)
            }
            Refusal::Forbidden(_) => plain(Code::Forbidden),
            Refusal::InvalidAssertion(failure) => {
                Self { failure: Some(failure), ..plain(Code::InvalidAssertion) }
            }
            Refusal::TooManyOpen { retry_after_seconds, .. } => {
                Self { retry_after_seconds: Some(retry_after_seconds), ..plain(Code::RateLimited) }
            }
            Refusal::AuthenticatorClockOff { seconds_ahead } => Self {
                clock_offset_seconds: Some(seconds_ahead),
                ..plain(Code::AuthenticatorClockOff)
            },
            Refusal::AuthenticatorIgnoredParameters => plain(Code::AuthenticatorSettingsIgnored),
            Refusal::EnrollmentReplaced => plain(Code::EnrollmentReplaced),
        }
    }
}

impl From<GatewayError> for Problem {
    fn from(error: GatewayError) -> Self {
        let fault = error.to_string();
        match error {
            GatewayError::Unavailable(_)
            | GatewayError::NotLeading { .. }
            | GatewayError::Overloaded => Self::unavailable(fault),
            GatewayError::OverloadedUser => {
                Self { retry_after_seconds: Some(1), ..Self::new(Code::OverloadedUser, fault) }
            }
            GatewayError::IdempotencyKeyReused => Self::new(Code::IdempotencyKeyReused, fault),
            GatewayError::InvalidCursor => Self::invalid_cursor(),
            GatewayError::Internal(_) => Self::internal(fault),
        }
    }
}

impl From<ApiError> for Problem {
    fn from(error: ApiError) -> Self {
        if error.retryable() {
            Self::unavailable(error.to_string())
        } else {
            Self::internal(error.to_string())
        }
    }
}

/// A field as a person names it: the pointer without its first slash, marked as a name.
fn name_of(pointer: &str) -> String {
    match pointer.strip_prefix('/') {
        Some(name) if !name.is_empty() => format!("`{name}`"),
        _ => "the body".to_owned(),
    }
}

/// With a capital at the start, if that is a word, and a full stop at the end.
fn sentence(text: &str) -> String {
    let mut chars = text.chars();
    let first_word_is_plain =
        text.split(' ').next().is_some_and(|word| word.chars().all(|c| c.is_ascii_lowercase()));
    let mut sentence = match chars.next() {
        Some(first) if first_word_is_plain => first.to_uppercase().chain(chars).collect(),
        _ => text.to_owned(),
    };
    if !sentence.ends_with(['.', '!', '?']) {
        sentence.push('.');
    }
    sentence
}
