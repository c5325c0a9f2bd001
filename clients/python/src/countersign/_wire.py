"""What the contract calls the members of what calls take.

Made from the service's OpenAPI document by scripts/generate.py: not to be edited.
"""

from __future__ import annotations

#: By schema and name here: the name in JSON, and the schema of what is in it.
SHAPES: dict[str, dict[str, tuple[str, str | None]]] = {
    "AssertionWish": {
        "user_verification": ("userVerification", None),
    },
    "CreateApiKey": {
        "name": ("name", None),
        "expires_at": ("expiresAt", None),
        "root": ("root", None),
        "scopes": ("scopes", None),
    },
    "Location": {
        "city": ("city", None),
        "country": ("country", None),
        "latitude": ("latitude", None),
        "longitude": ("longitude", None),
        "region": ("region", None),
    },
    "LoginContext": {
        "device_id": ("deviceId", None),
        "device_token": ("deviceToken", None),
        "ip_address": ("ipAddress", None),
        "location": ("location", "Location"),
        "user_agent": ("userAgent", None),
    },
    "CreateChallenge": {
        "context": ("context", "LoginContext"),
        "purpose": ("purpose", None),
        "user_id": ("userId", None),
    },
    "BrowserContext": {
        "ip_address": ("ipAddress", None),
        "user_agent": ("userAgent", None),
    },
    "CreatePortalSession": {
        "challenge_id": ("challengeId", None),
        "context": ("context", "BrowserContext"),
        "purpose": ("purpose", None),
        "result_parameter": ("resultParameter", None),
        "return_url": ("returnUrl", None),
        "user_id": ("userId", None),
    },
    "CreateTenant": {
        "name": ("name", None),
    },
    "CreateWebhook": {
        "description": ("description", None),
        "events": ("events", None),
        "url": ("url", None),
    },
    "EmptyObjectInput": {},
    "EnrollEmail": {
        "name": ("name", None),
    },
    "EnrollSms": {
        "name": ("name", None),
        "phone_number": ("phoneNumber", None),
    },
    "EnrollTotp": {
        "name": ("name", None),
        "account_name": ("accountName", None),
        "algorithm": ("algorithm", None),
        "digits": ("digits", None),
        "period": ("period", None),
        "resume": ("resume", None),
    },
    "FetchPortalResult": {
        "code": ("code", None),
    },
    "ImportTotp": {
        "name": ("name", None),
        "algorithm": ("algorithm", None),
        "digits": ("digits", None),
        "period": ("period", None),
        "secret": ("secret", None),
        "uri": ("uri", None),
    },
    "PasswordChanged": {
        "at": ("at", None),
    },
    "PutUser": {
        "display_name": ("displayName", None),
        "email": ("email", None),
        "email_verified": ("emailVerified", None),
        "groups": ("groups", None),
        "phone_number": ("phoneNumber", None),
    },
    "RegistrationWish": {
        "attestation": ("attestation", None),
        "authenticator_attachment": ("authenticatorAttachment", None),
        "resident_key": ("residentKey", None),
        "user_verification": ("userVerification", None),
    },
    "ResetMfa": {
        "reason": ("reason", None),
    },
    "RotateWebhookSecret": {
        "overlap_seconds": ("overlapSeconds", None),
    },
    "SendChallengeCode": {
        "factor_id": ("factorId", None),
    },
    "UpdateFactor": {
        "name": ("name", None),
    },
    "GroupRuleInput": {
        "allowed_factors": ("allowedFactors", None),
        "group": ("group", None),
        "requirement": ("requirement", None),
    },
    "UpdateGracePeriod": {
        "unit": ("unit", None),
        "value": ("value", None),
    },
    "UpdateLockout": {
        "base_delay_seconds": ("baseDelaySeconds", None),
        "hard_limit": ("hardLimit", None),
        "max_attempts": ("maxAttempts", None),
        "max_delay_seconds": ("maxDelaySeconds", None),
    },
    "UpdateConversion": {
        "enabled": ("enabled", None),
        "min_percent": ("minPercent", None),
        "min_sends": ("minSends", None),
    },
    "UpdateSends": {
        "allowed_countries": ("allowedCountries", None),
        "blocked_countries": ("blockedCountries", None),
        "conversion": ("conversion", "UpdateConversion"),
        "cooldown_seconds": ("cooldownSeconds", None),
        "per_day": ("perDay", None),
        "per_destination_per_day": ("perDestinationPerDay", None),
        "per_prefix_per_hour": ("perPrefixPerHour", None),
        "per_ten_minutes": ("perTenMinutes", None),
        "per_tenant_per_day": ("perTenantPerDay", None),
    },
    "UpdateTriggers": {
        "after_password_change": ("afterPasswordChange", None),
        "new_device": ("newDevice", None),
        "new_location": ("newLocation", None),
        "suspicious_ip": ("suspiciousIp", None),
    },
    "UpdateTrustedDevices": {
        "duration_days": ("durationDays", None),
        "enabled": ("enabled", None),
    },
    "UpdateWebAuthnPolicy": {
        "allowed_aaguids": ("allowedAaguids", None),
        "synced_passkeys": ("syncedPasskeys", None),
        "user_verification": ("userVerification", None),
    },
    "UpdatePolicy": {
        "allowed_factors": ("allowedFactors", None),
        "grace_period": ("gracePeriod", "UpdateGracePeriod"),
        "groups": ("groups", "GroupRuleInput"),
        "lockout": ("lockout", "UpdateLockout"),
        "recovery_codes_count": ("recoveryCodesCount", None),
        "requirement": ("requirement", None),
        "sends": ("sends", "UpdateSends"),
        "suspicious_ip_ranges": ("suspiciousIpRanges", None),
        "triggers": ("triggers", "UpdateTriggers"),
        "trusted_devices": ("trustedDevices", "UpdateTrustedDevices"),
        "version": ("version", None),
        "webauthn": ("webauthn", "UpdateWebAuthnPolicy"),
    },
    "UpdateAlerts": {
        "address_users": ("addressUsers", None),
        "brute_force_attempts": ("bruteForceAttempts", None),
        "recovery_codes_per_day": ("recoveryCodesPerDay", None),
        "relays": ("relays", None),
        "resets_per_hour": ("resetsPerHour", None),
        "send_floods": ("sendFloods", None),
    },
    "UpdateMessages": {
        "email_html": ("emailHtml", None),
        "email_subject": ("emailSubject", None),
        "email_text": ("emailText", None),
        "sms_text": ("smsText", None),
    },
    "UpdateSettings": {
        "alerts": ("alerts", "UpdateAlerts"),
        "force": ("force", None),
        "issuer": ("issuer", None),
        "messages": ("messages", "UpdateMessages"),
        "origins": ("origins", None),
        "rp_id": ("rpId", None),
        "rp_name": ("rpName", None),
        "token_audience": ("tokenAudience", None),
        "token_ttl_seconds": ("tokenTtlSeconds", None),
        "token_type": ("tokenType", None),
    },
    "UpdateWebhook": {
        "description": ("description", None),
        "enabled": ("enabled", None),
        "events": ("events", None),
        "url": ("url", None),
    },
    "UseRecoveryCode": {
        "code": ("code", None),
    },
    "VerifyAssertion": {
        "assertion": ("assertion", None),
    },
    "VerifyChallenge": {
        "assertion": ("assertion", None),
        "challenge_id": ("challengeId", None),
        "code": ("code", None),
        "device_name": ("deviceName", None),
        "factor_id": ("factorId", None),
        "recovery_code": ("recoveryCode", None),
        "remember_device": ("rememberDevice", None),
    },
    "VerifySentCode": {
        "name": ("name", None),
        "challenge_id": ("challengeId", None),
        "code": ("code", None),
    },
    "VerifyTotp": {
        "name": ("name", None),
        "challenge_id": ("challengeId", None),
        "code": ("code", None),
    },
    "VerifyWebAuthn": {
        "name": ("name", None),
        "challenge_id": ("challengeId", None),
        "credential": ("credential", None),
    },
}
