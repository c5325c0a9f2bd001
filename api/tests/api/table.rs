//! The contract's routes, copied by hand from its page, each with a request that fits.

use countersign_actors::gateway::Question;
use countersign_core::challenge::{ChallengeKind, ChallengeStatus, Purpose};
use countersign_core::command::{Command, Query};
use countersign_core::factor::FactorType;
use countersign_core::factor::message::SendOutcome;
use countersign_core::factor::totp::Parameters;
use countersign_core::factor::webauthn::options::{
    Attestation, CreationOptions, Descriptor, RequestOptions, ResidentKey, UserVerification,
};
use countersign_core::factor::webauthn::{Aaguid, Algorithm};
use countersign_core::ids::{
    ChallengeId, DeliveryId, DeviceId, FactorId, KeyId, PortalId, TokenId, WebhookId,
};
use countersign_core::message::Channel;
use countersign_core::policy::Requirement;
use countersign_core::portal::{PortalCommand, PortalOutcome, PortalPurpose, PortalReply};
use countersign_core::reply::{
    Acr, Amr, ChallengeAnswer, ChallengeView, CodeSent, DeviceView, FactorView, MessageEnrollment,
    MessageView, PendingEnrollmentView, Reason, Reply, StatusView, TokenGrant, TotpEnrollment,
    UserView, Verified, WebAuthnView,
};
use countersign_core::risk::Trigger;
use countersign_core::secret::Secret;
use countersign_core::settings::TokenType;
use countersign_core::tenant::Scope;
use countersign_core::user::Profile;

use crate::house::{House, NOW};

/// What a route needs of its key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Needs {
    Nothing,
    Scope(Scope),
    Root,
}

/// A route of the contract.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Route {
    pub(crate) method: &'static str,
    pub(crate) template: &'static str,
    pub(crate) needs: Needs,
    /// A body that fits; empty if there is none.
    pub(crate) body: &'static str,
    /// The status when all goes well.
    pub(crate) status: u16,
}

impl Route {
    /// With ids in the place of names.
    pub(crate) fn path(&self) -> String {
        let path = self.template.replace("{userId}", "ann").replace("{code}", "invalid-code");
        let path = path.replace("{factorId}", &FactorId::from_bytes([1; 16]).to_string());
        let path = path.replace("{deviceId}", &DeviceId::from_bytes([2; 16]).to_string());
        let path = path.replace("{challengeId}", &ChallengeId::from_bytes([3; 16]).to_string());
        let path = path.replace("{webhookId}", &WebhookId::from_bytes([6; 16]).to_string());
        let path = path.replace("{deliveryId}", &DeliveryId::from_bytes([7; 16]).to_string());
        // The key with the scope `keys` alone: a key revokes none that may do more than itself.
        let key = countersign_core::ids::KeyId::from_bytes([7; 16]).to_string();
        path.replace("{keyId}", &key)
            .replace("{tenantId}", "other")
            .replace("{nodeId}", "2")
            .replace("{shardId}", "1")
    }

    pub(crate) fn is_write(&self) -> bool {
        self.method != "GET"
    }
}

const MFA: Needs = Needs::Scope(Scope::Mfa);
const ADMIN: Needs = Needs::Scope(Scope::Admin);
const POLICY: Needs = Needs::Scope(Scope::Policy);
const AUDIT: Needs = Needs::Scope(Scope::Audit);
const KEYS: Needs = Needs::Scope(Scope::Keys);
const CLUSTER: Needs = Needs::Scope(Scope::Cluster);

const fn route(
    method: &'static str,
    template: &'static str,
    needs: Needs,
    body: &'static str,
    status: u16,
) -> Route {
    Route { method, template, needs, body, status }
}

/// Every route.
pub(crate) const ROUTES: &[Route] = &[
    route("PUT", "/v1/users/{userId}", MFA, r#"{"email":"ann@example.com"}"#, 200),
    route("GET", "/v1/users/{userId}", MFA, "", 200),
    route("GET", "/v1/users", MFA, "", 200),
    route("DELETE", "/v1/users/{userId}", ADMIN, "", 204),
    route("POST", "/v1/users/{userId}/password-changed", MFA, "{}", 204),
    route("GET", "/v1/mfa/policy", POLICY, "", 200),
    route("PATCH", "/v1/mfa/policy", POLICY, r#"{"requirement":"REQUIRED"}"#, 200),
    route("POST", "/v1/mfa/policy/preview", POLICY, r#"{"requirement":"REQUIRED"}"#, 200),
    route("GET", "/v1/statistics", ADMIN, "", 200),
    route("GET", "/v1/tokens", MFA, "", 200),
    route("GET", "/v1/settings", POLICY, "", 200),
    route("PATCH", "/v1/settings", POLICY, r#"{"issuer":"Acme"}"#, 200),
    route("POST", "/v1/users/{userId}/mfa/totp", MFA, "{}", 201),
    route("POST", "/v1/users/{userId}/mfa/totp/verify", MFA, r#"{"code":"492039"}"#, 200),
    route(
        "POST",
        "/v1/users/{userId}/mfa/totp/import",
        MFA,
        r#"{"secret":"JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP"}"#,
        201,
    ),
    route("POST", "/v1/users/{userId}/mfa/sms", MFA, r#"{"phoneNumber":"+14155552671"}"#, 201),
    route("POST", "/v1/users/{userId}/mfa/sms/send", MFA, "{}", 202),
    route("POST", "/v1/users/{userId}/mfa/sms/verify", MFA, r#"{"code":"492039"}"#, 200),
    route("POST", "/v1/users/{userId}/mfa/email", MFA, "{}", 201),
    route("POST", "/v1/users/{userId}/mfa/email/send", MFA, "{}", 202),
    route("POST", "/v1/users/{userId}/mfa/email/verify", MFA, r#"{"code":"492039"}"#, 200),
    route(
        "POST",
        "/v1/users/{userId}/mfa/webauthn/registration-options",
        MFA,
        r#"{"attestation":"none","userVerification":"required","residentKey":"required",
            "authenticatorAttachment":"cross-platform"}"#,
        200,
    ),
    route(
        "POST",
        "/v1/users/{userId}/mfa/webauthn/verify",
        MFA,
        r#"{"credential":{"id":"AQID","rawId":"AQID","type":"public-key",
            "authenticatorAttachment":"platform","clientExtensionResults":{"credProps":{"rk":true}},
            "response":{"clientDataJSON":"e30","attestationObject":"oA","transports":["internal"],
            "publicKeyAlgorithm":-7}},"name":"Laptop"}"#,
        200,
    ),
    route(
        "POST",
        "/v1/users/{userId}/mfa/webauthn/authentication-options",
        MFA,
        r#"{"userVerification":"preferred"}"#,
        200,
    ),
    route(
        "POST",
        "/v1/users/{userId}/mfa/webauthn/verify-assertion",
        MFA,
        r#"{"assertion":{"id":"AQID","rawId":"AQID","type":"public-key",
            "clientExtensionResults":{},"response":{"clientDataJSON":"e30",
            "authenticatorData":"oA","signature":"AA","userHandle":null}}}"#,
        200,
    ),
    route("GET", "/v1/users/{userId}/mfa/factors", MFA, "", 200),
    route("PATCH", "/v1/users/{userId}/mfa/factors/{factorId}", MFA, r#"{"name":"Phone"}"#, 200),
    route("DELETE", "/v1/users/{userId}/mfa/factors/{factorId}", MFA, "", 204),
    route("POST", "/v1/users/{userId}/mfa/factors/{factorId}/primary", MFA, "", 200),
    route("GET", "/v1/users/{userId}/mfa/recovery-codes", MFA, "", 200),
    route("POST", "/v1/users/{userId}/mfa/recovery-codes", MFA, "", 201),
    route("POST", "/v1/users/{userId}/mfa/recovery-codes/regenerate", MFA, "", 201),
    route(
        "POST",
        "/v1/users/{userId}/mfa/recovery-codes/use",
        MFA,
        r#"{"code":"7K3M-9QTX-B2WD"}"#,
        200,
    ),
    route("GET", "/v1/users/{userId}/mfa/devices", MFA, "", 200),
    route("DELETE", "/v1/users/{userId}/mfa/devices/{deviceId}", MFA, "", 204),
    route("DELETE", "/v1/users/{userId}/mfa/devices", MFA, "", 204),
    route("GET", "/v1/users/{userId}/mfa/status", MFA, "", 200),
    route("POST", "/v1/users/{userId}/mfa/reset", ADMIN, r#"{"reason":"lost"}"#, 204),
    route("POST", "/v1/users/{userId}/mfa/unlock", ADMIN, "", 204),
    route("POST", "/v1/mfa/challenges", MFA, r#"{"userId":"ann","purpose":"LOGIN"}"#, 200),
    route("GET", "/v1/mfa/challenges/{challengeId}", MFA, "", 200),
    route(
        "POST",
        "/v1/mfa/challenges/{challengeId}/send",
        MFA,
        r#"{"factorId":"fac_040g2081040g2081040g208104"}"#,
        202,
    ),
    route("POST", "/v1/mfa/challenges/{challengeId}/webauthn-options", MFA, "{}", 200),
    route(
        "POST",
        "/v1/mfa/challenges/verify",
        MFA,
        r#"{"challengeId":"chl_0c1g60o30c1g60o30c1g60o30c","recoveryCode":"7K3M-9QTX-B2WD"}"#,
        200,
    ),
    route(
        "POST",
        "/v1/portal/sessions",
        MFA,
        r#"{"userId":"ann","purpose":"MANAGE","returnUrl":"http://localhost:8080/back"}"#,
        201,
    ),
    route(
        "POST",
        "/v1/portal/results",
        MFA,
        r#"{"code":"pcd_0c1g60o30c1g60o30c1g60o30c.0123456789abcdefghijklmnopqrstuvwxyzABCDE-_"}"#,
        200,
    ),
    route("GET", "/v1/audit", AUDIT, "", 200),
    route("GET", "/v1/audit/checkpoints", AUDIT, "", 200),
    route(
        "POST",
        "/v1/webhooks",
        ADMIN,
        r#"{"url":"https://acme.example/hooks","events":["mfa.*"]}"#,
        201,
    ),
    route("GET", "/v1/webhooks", ADMIN, "", 200),
    route("GET", "/v1/webhooks/{webhookId}", ADMIN, "", 200),
    route("PATCH", "/v1/webhooks/{webhookId}", ADMIN, r#"{"enabled":false}"#, 200),
    route("POST", "/v1/webhooks/{webhookId}/rotate-secret", ADMIN, "{}", 200),
    route("GET", "/v1/webhooks/{webhookId}/deliveries", ADMIN, "", 200),
    route("POST", "/v1/webhooks/{webhookId}/deliveries/{deliveryId}/redeliver", ADMIN, "{}", 202),
    route("DELETE", "/v1/webhooks/{webhookId}", ADMIN, "", 204),
    route("POST", "/v1/api-keys", KEYS, r#"{"name":"new","scopes":["keys"]}"#, 201),
    route("GET", "/v1/api-keys", KEYS, "", 200),
    route("DELETE", "/v1/api-keys/{keyId}", KEYS, "", 204),
    route("POST", "/v1/tenants", Needs::Root, r#"{"name":"Acme"}"#, 201),
    route("GET", "/v1/tenants", Needs::Root, "", 200),
    route("DELETE", "/v1/tenants/{tenantId}", Needs::Root, "", 204),
    route("GET", "/v1/cluster", CLUSTER, "", 200),
    route("POST", "/v1/cluster/nodes/{nodeId}/transfer-leadership", CLUSTER, "", 200),
    route("POST", "/v1/cluster/shards/{shardId}/set-time", CLUSTER, "", 200),
    route("DELETE", "/v1/cluster/nodes/{nodeId}", CLUSTER, "", 204),
    route("GET", "/.well-known/jwks.json", Needs::Nothing, "", 200),
    route("GET", "/healthz", Needs::Nothing, "", 200),
    route("GET", "/readyz", Needs::Nothing, "", 200),
    route("GET", "/.well-known/openid-configuration", Needs::Nothing, "", 200),
    route("GET", "/.well-known/oauth-authorization-server", Needs::Nothing, "", 200),
    route("GET", "/metrics", Needs::Nothing, "", 200),
    route("GET", "/openapi.json", Needs::Nothing, "", 200),
    route("GET", "/docs", Needs::Nothing, "", 200),
    route("GET", "/problems/{code}", Needs::Nothing, "", 200),
];

/// Makes the house answer every question about a user rightly.
pub(crate) fn answer_all(house: &House) {
    let kid = house.directory.system.lock().unwrap().signing_keys[0].kid.clone();
    house.gateway.answer(move |question| Ok(reply(question, &kid)));
}

/// A token for a password alone.
pub(crate) fn grant(kid: &str) -> TokenGrant {
    TokenGrant {
        id: TokenId::from_bytes([9; 16]),
        signing_key: kid.to_owned(),
        tenant: "default".parse().unwrap(),
        subject: "ann".parse().unwrap(),
        audience: "countersign".to_owned(),
        issued_at: NOW,
        expires_in_seconds: 900,
        acr: Acr::Aal2,
        amr: vec![Amr::Pwd, Amr::Otp, Amr::Mfa],
        token_type: TokenType::Jwt,
        client: Some(KeyId::from_bytes([2; 16])),
    }
}

fn factor() -> FactorView {
    FactorView {
        id: FactorId::from_bytes([1; 16]),
        factor_type: FactorType::Totp,
        name: Some("Phone".to_owned()),
        primary: true,
        usable: true,
        created_at: NOW,
        last_used_at: None,
        masked_destination: None,
        webauthn: Some(WebAuthnView {
            aaguid: Aaguid::default(),
            backup_eligible: true,
            backed_up: true,
            transports: vec!["internal".to_owned()],
            user_verified: true,
            resident: Some(true),
            sign_count: 0,
            rp_id: "localhost".to_owned(),
        }),
    }
}

fn descriptor() -> Descriptor {
    Descriptor { id: vec![1, 2, 3], transports: vec!["internal".to_owned()] }
}

fn message() -> MessageView {
    MessageView {
        factor_id: FactorId::from_bytes([1; 16]),
        channel: Channel::Sms,
        requested_at: NOW,
        outcome: SendOutcome::Failed { reason: "provider_21610".to_owned() },
    }
}

fn challenge() -> ChallengeView {
    ChallengeView {
        id: ChallengeId::from_bytes([3; 16]),
        user: "ann".parse().unwrap(),
        purpose: Purpose::Login,
        kind: ChallengeKind::Proof,
        status: ChallengeStatus::Pending,
        expires_at: NOW,
        recovery_codes_available: true,
        factors: vec![factor()],
        attempts_remaining: 5,
        last_message: Some(message()),
    }
}

fn secret(text: &str) -> Secret {
    Secret::from(text.to_owned())
}

fn told(query: &Query) -> Reply {
    match query {
        Query::User => Reply::User(UserView {
            id: "ann".parse().unwrap(),
            profile: Profile::default(),
            created_at: NOW,
            updated_at: NOW,
            created: false,
        }),
        Query::Factors => Reply::Factors(vec![factor()]),
        Query::RecoveryCodes => {
            Reply::RecoveryStatus { total: 10, remaining: 9, generated_at: Some(NOW) }
        }
        Query::Devices => Reply::Devices(vec![DeviceView {
            id: DeviceId::from_bytes([2; 16]),
            name: None,
            user_agent: None,
            created_at: NOW,
            last_used_at: None,
            expires_at: NOW,
        }]),
        Query::Status => Reply::Status(StatusView {
            enabled: true,
            factor_count: 1,
            factors: [(FactorType::Totp, 1)].into(),
            primary_factor_id: Some(FactorId::from_bytes([1; 16])),
            recovery_codes_remaining: 9,
            trusted_device_count: 0,
            requirement: Requirement::RiskBased,
            grace_period_ends_at: None,
            locked_until: None,
            locked_hard: false,
            failed_attempts: 0,
            pending_enrollments: vec![PendingEnrollmentView {
                factor_id: FactorId::from_bytes([1; 16]),
                factor_type: FactorType::Sms,
                masked_destination: Some("+•••••••71".to_owned()),
                expires_at: NOW,
                last_message: Some(message()),
            }],
        }),
        Query::Challenge(_) => Reply::ChallengeState(challenge()),
        Query::Portal(..) | Query::PortalLink(..) => Reply::Done,
    }
}

fn portal(command: &PortalCommand, kid: &str) -> Reply {
    match command {
        PortalCommand::Fetch { .. } => PortalReply::Outcome(Box::new(PortalOutcome {
            cancelled: false,
            purpose: PortalPurpose::Challenge,
            user: "ann".parse().unwrap(),
            challenge: Some(ChallengeId::from_bytes([3; 16])),
            factor: Some(FactorId::from_bytes([1; 16])),
            tokens: Some(grant(kid)),
            device_token: Some(secret("dvt_secret")),
            device_token_expires_at: Some(NOW),
        })),
        _ => PortalReply::Created {
            id: PortalId::from_bytes([4; 16]),
            link: secret("0123456789abcdefghijklmnopqrstuvwxyzABCDE-_"),
            expires_at: NOW,
        },
    }
    .into()
}

fn reply(question: &Question, kid: &str) -> Reply {
    let command = match question {
        Question::Tell(query) => return told(query),
        Question::Do(command) => command,
    };
    match command {
        Command::PutProfile(_) => told(&Query::User),
        Command::BeginTotp { .. } => Reply::TotpEnrollment(TotpEnrollment {
            factor_id: FactorId::from_bytes([1; 16]),
            secret: secret("12345678901234567890"),
            parameters: Parameters::default(),
            uri: secret("otpauth://totp/Acme:ann?secret=GEZDGNBVGY3TQOJQ&issuer=Acme"),
            expires_at: NOW,
        }),
        Command::BeginSms { .. } | Command::BeginEmail { .. } => {
            Reply::MessageEnrollment(MessageEnrollment {
                factor_id: FactorId::from_bytes([1; 16]),
                masked_destination: "+•••••••71".to_owned(),
                expires_at: NOW,
            })
        }
        Command::SendEnrollmentCode { .. } | Command::SendChallengeCode { .. } => {
            Reply::CodeSent(CodeSent {
                factor_id: FactorId::from_bytes([1; 16]),
                masked_destination: "+•••••••71".to_owned(),
                expires_at: NOW,
                resend_available_at: NOW,
            })
        }
        Command::ConfirmMessage { .. }
        | Command::ConfirmTotp { .. }
        | Command::ConfirmWebAuthn { .. } => {
            Reply::Factor { factor: factor(), tokens: Some(grant(kid)) }
        }
        Command::ImportTotp { .. } | Command::RenameFactor { .. } | Command::MakePrimary { .. } => {
            Reply::Factor { factor: factor(), tokens: None }
        }
        Command::GenerateRecoveryCodes | Command::RegenerateRecoveryCodes => {
            Reply::RecoveryCodes(vec![secret("7K3M-9QTX-B2WD")])
        }
        Command::UseRecoveryCode { .. } => Reply::RecoveryCodeUsed { remaining: 9 },
        Command::CreateChallenge { .. } => Reply::Challenge(ChallengeAnswer {
            mfa_required: true,
            reason: Reason::Risk,
            triggers: vec![Trigger::NewDevice],
            challenge: Some(challenge()),
            enrollment_required: false,
            grace_period_ends_at: None,
            tokens: None,
        }),
        Command::Verify { .. } => Reply::Verified(Verified {
            user: "ann".parse().unwrap(),
            factor_id: None,
            tokens: grant(kid),
            device_token: Some(secret("dvt_secret")),
            device_token_expires_at: Some(NOW),
        }),
        Command::BeginWebAuthn { wish } => Reply::CreationOptions(Box::new(CreationOptions {
            factor_id: FactorId::from_bytes([1; 16]),
            rp_id: "example.com".to_owned(),
            rp_name: "Acme".to_owned(),
            user_handle: vec![1; 16],
            user_name: "ann@example.com".to_owned(),
            user_display_name: "Ann".to_owned(),
            challenge: vec![7; 32],
            algorithms: vec![Algorithm::Es256],
            timeout_ms: 300_000,
            exclude: vec![descriptor()],
            attestation: Attestation::None,
            user_verification: UserVerification::Preferred,
            resident_key: ResidentKey::Preferred,
            attachment: wish.attachment,
        })),
        Command::BeginAssertion { .. } => Reply::RequestOptions(Box::new(RequestOptions {
            rp_id: "example.com".to_owned(),
            challenge: vec![7; 32],
            timeout_ms: 300_000,
            allow: vec![descriptor()],
            user_verification: UserVerification::Preferred,
        })),
        Command::Assert { .. } => Reply::Asserted {
            factor_id: FactorId::from_bytes([1; 16]),
            user_verified: true,
            tokens: grant(kid),
        },
        Command::Portal(command) => portal(command, kid),
        Command::Erase
        | Command::PasswordChanged { .. }
        | Command::RemoveFactor { .. }
        | Command::RevokeDevice { .. }
        | Command::RevokeDevices
        | Command::Reset { .. }
        | Command::Unlock => Reply::Done,
    }
}
