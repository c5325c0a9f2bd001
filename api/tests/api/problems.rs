//! Every way to fail: its status, its shape, its page.

use countersign_actors::gateway::GatewayError;
use countersign_api::problem::Code;
use countersign_core::factor::FactorType;
use countersign_core::factor::webauthn::failure::CeremonyFailure;
use countersign_core::message::Channel;
use countersign_core::reply::{Refusal, Reply};
use countersign_core::tenant::TenantReply;
use serde_json::Value;

use crate::house::House;

/// Every refusal with its status and code. The match below fails to compile for a new one.
fn refusals() -> Vec<(Refusal, u16, &'static str)> {
    let named = |refusal: &Refusal| match refusal {
        Refusal::UserNotFound => (404, "user_not_found"),
        Refusal::FactorNotFound => (404, "factor_not_found"),
        Refusal::ChallengeNotFound => (404, "challenge_not_found"),
        Refusal::DeviceNotFound | Refusal::NotFound(_) => (404, "not_found"),
        Refusal::NoPendingEnrollment => (404, "no_pending_enrollment"),
        Refusal::MfaDisabled => (403, "mfa_disabled"),
        Refusal::FactorNotAllowed(_) => (403, "factor_not_allowed"),
        Refusal::RecoveryCodesExist => (409, "recovery_codes_exist"),
        Refusal::FactorLimitReached(_) => (409, "factor_limit_reached"),
        Refusal::FactorAlreadyEnrolled => (409, "factor_already_enrolled"),
        Refusal::EnrollmentExpired => (410, "enrollment_expired"),
        Refusal::ChallengeExpired => (410, "challenge_expired"),
        Refusal::InvalidCode { .. } => (422, "invalid_code"),
        Refusal::CodeAlreadyUsed => (422, "code_already_used"),
        Refusal::TooManyAttempts { .. } => (429, "too_many_attempts"),
        Refusal::Invalid { .. } => (422, "validation_failed"),
        Refusal::NoCode { .. } => (422, "invalid_code"),
        Refusal::Conflict(_) => (409, "conflict"),
        Refusal::Unreadable => (500, "internal"),
        Refusal::DeliveryNotConfigured(_) => (503, "delivery_not_configured"),
        Refusal::TooManySends { .. } => (429, "too_many_sends"),
        Refusal::CodeExpired => (410, "code_expired"),
        Refusal::EmailNotVerified => (422, "email_not_verified"),
        Refusal::CountryNotAllowed(_) | Refusal::AuthenticatorNotAllowed(_) => {
            (403, "factor_not_allowed")
        }
        Refusal::InvalidAssertion(_) => (422, "invalid_assertion"),
        Refusal::Forbidden(_) => (403, "forbidden"),
        Refusal::TooManyOpen { .. } => (429, "rate_limited"),
        Refusal::AuthenticatorClockOff { .. } => (422, "authenticator_clock_off"),
        Refusal::AuthenticatorIgnoredParameters => (422, "authenticator_settings_ignored"),
        Refusal::EnrollmentReplaced => (410, "enrollment_replaced"),
    };
    let all = [
        Refusal::UserNotFound,
        Refusal::FactorNotFound,
        Refusal::ChallengeNotFound,
        Refusal::DeviceNotFound,
        Refusal::NotFound("tenant".to_owned()),
        Refusal::NoPendingEnrollment,
        Refusal::MfaDisabled,
        Refusal::FactorNotAllowed(FactorType::Totp),
        Refusal::RecoveryCodesExist,
        Refusal::FactorLimitReached(20),
        Refusal::FactorAlreadyEnrolled,
        Refusal::EnrollmentExpired,
        Refusal::ChallengeExpired,
        Refusal::InvalidCode { attempts_remaining: 3 },
        Refusal::CodeAlreadyUsed,
        Refusal::TooManyAttempts { retry_after_seconds: Some(30) },
        Refusal::TooManyAttempts { retry_after_seconds: None },
        Refusal::Invalid { pointer: "/name".to_owned(), detail: "is odd".to_owned() },
        Refusal::NoCode { pointer: "/code".to_owned(), detail: "is odd".to_owned() },
        Refusal::Conflict("the policy has version 4".to_owned()),
        Refusal::Unreadable,
        Refusal::DeliveryNotConfigured(Channel::Sms),
        Refusal::TooManySends { reason: "wait".to_owned(), retry_after_seconds: 30 },
        Refusal::CodeExpired,
        Refusal::EmailNotVerified,
        Refusal::CountryNotAllowed("XX".to_owned()),
        Refusal::InvalidAssertion(CeremonyFailure::Origin),
        Refusal::AuthenticatorNotAllowed("no such model".to_owned()),
        Refusal::Forbidden("a stronger key".to_owned()),
        Refusal::TooManyOpen { what: "32 challenges".to_owned(), retry_after_seconds: 30 },
        Refusal::AuthenticatorClockOff { seconds_ahead: -90 },
        Refusal::AuthenticatorIgnoredParameters,
        Refusal::EnrollmentReplaced,
    ];
    all.into_iter().map(|refusal| (refusal.clone(), named(&refusal).0, named(&refusal).1)).collect()
}

#[tokio::test]
async fn every_refusal_has_its_status_and_code() {
    let house = House::new();
    for (refusal, status, code) in refusals() {
        house.gateway.refuse(refusal.clone());
        let answer = house.get("/v1/users/ann").await;
        assert_eq!(answer.status, status, "{refusal:?}");
        assert_eq!(answer.problem(), code, "{refusal:?}");
        let body = answer.json();
        let attempts = matches!(refusal, Refusal::InvalidCode { .. });
        assert_eq!(body.get("attemptsRemaining").is_some(), attempts, "{body}");
        let offset = matches!(refusal, Refusal::AuthenticatorClockOff { .. });
        assert_eq!(body.get("clockOffsetSeconds").is_some(), offset, "{body}");
        let reason = matches!(refusal, Refusal::InvalidAssertion(_)).then_some("origin");
        assert_eq!(body.get("reason").and_then(Value::as_str), reason, "{body}");
        let of_field = matches!(refusal, Refusal::Invalid { .. } | Refusal::NoCode { .. });
        assert_eq!(body.get("errors").is_some(), of_field, "{body}");
    }
}

#[tokio::test]
async fn a_lock_says_how_long_and_a_hard_one_who_opens_it() {
    let house = House::new();
    house.gateway.refuse(Refusal::TooManyAttempts { retry_after_seconds: Some(30) });
    let answer = house.get("/v1/users/ann").await;
    assert_eq!(answer.header("retry-after"), "30");
    assert_eq!(answer.json()["retryAfterSeconds"], 30);
    house.gateway.refuse(Refusal::TooManyAttempts { retry_after_seconds: None });
    let answer = house.get("/v1/users/ann").await;
    assert_eq!(answer.header("retry-after"), "");
    assert!(answer.json()["detail"].as_str().unwrap().contains("administrator must unlock"));
}

#[tokio::test]
async fn every_error_of_the_gateway_has_its_status_and_code() {
    let house = House::new();
    let inside = "rocksdb said no at /var/lib";
    for (error, status, code, waits) in [
        (GatewayError::Unavailable(inside.to_owned()), 503, "unavailable", true),
        (GatewayError::Overloaded, 503, "unavailable", true),
        (GatewayError::OverloadedUser, 429, "overloaded_user", true),
        (GatewayError::IdempotencyKeyReused, 409, "idempotency_key_reused", false),
        (GatewayError::InvalidCursor, 422, "validation_failed", false),
        (GatewayError::Internal(inside.to_owned()), 500, "internal", false),
    ] {
        let canned = error.clone();
        house.gateway.answer(move |_| Err(canned.clone()));
        let answer = house.get("/v1/users/ann").await;
        assert_eq!(answer.status, status, "{error:?}");
        assert_eq!(answer.problem(), code);
        assert_eq!(!answer.header("retry-after").is_empty(), waits, "{error:?}");
        assert!(!answer.text().contains("rocksdb"), "{}", answer.text());
    }
}

#[tokio::test]
async fn a_reply_of_another_kind_is_a_fault_of_the_service() {
    let house = House::new();
    house.gateway.answer(|_| Ok(Reply::RecoveryCodeUsed { remaining: 3 }));
    house.gateway.answer_tenant(|_| Ok(TenantReply::Done));
    for path in ["/v1/users/ann", "/v1/users/ann/mfa/status", "/v1/users/ann/mfa/devices"] {
        assert_eq!(house.get(path).await.problem(), "internal");
    }
    assert_eq!(house.delete("/v1/users/ann").await.problem(), "internal");
    let patch = serde_json::json!({});
    assert_eq!(house.patch("/v1/mfa/policy", &patch).await.problem(), "internal");
    assert_eq!(house.patch("/v1/settings", &patch).await.problem(), "internal");
}

#[tokio::test]
async fn every_code_has_its_page() {
    let house = House::new();
    let index = house.knock("GET", "/problems").send().await;
    assert_eq!(index.status, 200);
    for code in Code::ALL {
        let answer = house.knock("GET", &code.page()).send().await;
        assert_eq!(answer.status, 200, "{code:?}");
        assert_eq!(answer.header("content-type"), "text/html; charset=utf-8");
        assert!(answer.text().contains(&format!("<code>{}</code>", code.as_str())), "{code:?}");
        assert!(index.text().contains(&format!("href=\"{}\"", code.page())), "{code:?}");
        assert!(code.status().is_client_error() || code.status().is_server_error());
    }
    assert_eq!(house.get("/problems/nothing").await.problem(), "not_found");
    assert_eq!(house.get("/problems/invalid_code").await.problem(), "not_found");
}

#[tokio::test]
async fn the_codes_of_the_contract_are_spelt_as_in_the_contract() {
    // From the contract's table.
    let contract: Value = serde_json::json!({
        "invalid_request": 400, "unauthenticated": 401, "forbidden": 403, "mfa_disabled": 403,
        "factor_not_allowed": 403, "user_not_found": 404, "factor_not_found": 404,
        "challenge_not_found": 404, "no_pending_enrollment": 404, "not_found": 404,
        "recovery_codes_exist": 409, "factor_limit_reached": 409, "idempotency_key_reused": 409,
        "factor_already_enrolled": 409, "conflict": 409, "challenge_expired": 410,
        "enrollment_expired": 410, "code_expired": 410, "payload_too_large": 413,
        "validation_failed": 422, "invalid_code": 422, "code_already_used": 422,
        "invalid_assertion": 422, "email_not_verified": 422, "too_many_attempts": 429,
        "unsupported_media_type": 415, "too_many_sends": 429, "rate_limited": 429, "overloaded_user": 429,
        "delivery_not_configured": 503, "unavailable": 503,
    });
    for (code, status) in contract.as_object().unwrap() {
        let known = Code::ALL.iter().find(|known| known.as_str() == code);
        assert_eq!(
            known.map(|known| u64::from(known.status().as_u16())),
            status.as_u64(),
            "{code}"
        );
    }
}
