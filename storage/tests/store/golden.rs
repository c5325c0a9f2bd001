//! The bytes of the past stay readable: every kind of stored row, encoded once and kept in
//! `golden/`. A test that fails here says that data on somebody's disk can no longer be read: give
//! the type a new codec version instead of new bytes. New kinds are written with
//! `COUNTERSIGN_WRITE_GOLDEN=1`.
//!
//! Rows of users and tenants are written in the oldest shape that loses nothing, so that all of
//! their shapes are of today.

mod entries;
mod portal;

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Debug;
use std::path::PathBuf;

use countersign_core::alerts::AlertSettings;
use countersign_core::audit::{AuditEntry, AuditOutcome};
use countersign_core::event::UserEvent;
use countersign_core::evolve;
use countersign_core::factor::message::MessageFactor;
use countersign_core::factor::recovery_code::RecoverySet;
use countersign_core::factor::totp::{Parameters, TotpFactor};
use countersign_core::factor::webauthn::ceremony::{Ceremony, CeremonyPurpose};
use countersign_core::factor::webauthn::options::{Attachment, Attestation, UserVerification};
use countersign_core::factor::webauthn::rules::WebAuthnRules;
use countersign_core::factor::webauthn::{Aaguid, PublicKey, WebAuthnFactor};
use countersign_core::factor::{Factor, FactorKind, PendingEnrollment};
use countersign_core::ids::{ChallengeId, FactorId, KeyId, Pseudonym};
use countersign_core::message::{Channel, MessageTemplates};
use countersign_core::outbox::{MessageOutcome, OutboxRow};
use countersign_core::policy::Policy;
use countersign_core::proposal::{Change, LogCommand, Proposal, TimeSetting};
use countersign_core::sending::{Lane, LaneKey, SendGuards, TrafficCounts};
use countersign_core::settings::Settings;
use countersign_core::system::{
    Authority, DataKey, NodeRecord, SigningKey, SystemEvent, SystemState,
};
use countersign_core::tenant::{ApiKey, Scope, TenantEvent, TenantState};
use countersign_core::time::Timestamp;
use countersign_core::user::UserState;
use countersign_core::vault::Sealed;
use countersign_core::webhook::{Delivery, DeliveryState, Disabled, Webhook, WebhookSecret};
use countersign_storage::audit::Chained;
use countersign_storage::records::{Annex, AuditRecord, Installing, SystemRow, TenantRow, UserRow};
use countersign_storage::{
    Chain, ChainPoint, DiskHistory, DiskMark, DiskMarks, DiskRun, Entry, Identity, NodeAddress,
    ShardHead, StateHash, Stored, StoredMembership, Vote,
};
use data_encoding::HEXLOWER;
use openraft::{EntryPayload, Membership};

use crate::stage::{
    answer, at, created, delivery_id, ended, entry, herald, issued, lane, log_id, message_key,
    named, phone, proposal, propose, retain, sent, settle, tenant, user, waiting, webhook,
};

fn path(name: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/store/golden").join(format!("{name}.hex"))
}

fn golden(name: &str) -> Vec<u8> {
    let text = std::fs::read_to_string(path(name)).expect(name).replace('\n', "");
    HEXLOWER.decode(text.as_bytes()).unwrap()
}

/// A shape that is written today.
fn keeps<T: Stored + PartialEq + Debug>(name: &str, value: &T) {
    let bytes = value.to_bytes().unwrap();
    if std::env::var_os("COUNTERSIGN_WRITE_GOLDEN").is_some() && !path(name).exists() {
        let text = HEXLOWER.encode(&bytes);
        let lines: Vec<&str> =
            text.as_bytes().chunks(96).map(|line| std::str::from_utf8(line).unwrap()).collect();
        std::fs::write(path(name), lines.join("\n") + "\n").unwrap();
    }
    let kept = golden(name);
    assert_eq!(&T::from_bytes(&kept).expect(name), value, "{name}");
    assert_eq!(bytes, kept, "{name}");
}

/// A shape that was written once and must be read for ever.
fn reads<T: Stored + PartialEq + Debug>(name: &str, value: &T) {
    assert_eq!(&T::from_bytes(&golden(name)).expect(name), value, "{name}");
    assert_ne!(value.to_bytes().unwrap(), golden(name), "{name} is of today");
}

fn membership() -> Membership<u64, NodeAddress> {
    let node = |number: u64| NodeAddress {
        name: format!("n{number}"),
        api_address: format!("127.0.0.1:808{number}"),
        peer_address: format!("127.0.0.1:708{number}"),
    };
    let nodes = BTreeMap::from([(1, node(1)), (2, node(2))]);
    Membership::new(vec![BTreeSet::from([1]), BTreeSet::from([1, 2])], nodes).unwrap()
}

fn a_user() -> UserState {
    let factor = Factor {
        id: FactorId::from_bytes([3; 16]),
        name: Some("Phone".to_owned()),
        created_at: at(1),
        last_used_at: None,
        kind: FactorKind::Totp(TotpFactor {
            secret: Sealed::from_bytes(vec![9; 65]),
            fingerprint: [4; 16],
            parameters: Parameters::default(),
            last_step: Some(56_666_666),
            label: Some("ann@example.com".to_owned()),
        }),
    };
    let set = RecoverySet {
        salt: [5; 16],
        total: 2,
        unused: vec![[6; 32]],
        used: vec![[7; 32]],
        generated_at: at(2),
    };
    let events = [
        created(1),
        named("Ann"),
        UserEvent::FactorActivated(factor),
        UserEvent::RecoverySetMade(set),
        UserEvent::AttemptFailed {
            policy: Policy::initial(at(0)).lockout,
            challenge: None,
            enrollment: None,
        },
    ];
    let mut state = UserState::default();
    evolve::evolve_all(&mut state, &events, at(3));
    state
}

fn a_tenant() -> TenantState {
    TenantState {
        api_keys: vec![ApiKey {
            id: KeyId::from_bytes([1; 16]),
            name: "root".to_owned(),
            hash: [2; 32],
            scopes: BTreeSet::from(Scope::ALL),
            root: true,
            created_at: at(0),
            expires_at: None,
        }],
        ..TenantState::new(
            tenant(),
            "Default".to_owned(),
            at(0),
            Policy::initial(at(0)),
            Settings::initial(),
        )
    }
}

/// As [`a_user`], with what the second shape added.
fn a_messaged_user() -> UserState {
    let pending = PendingEnrollment {
        id: FactorId::from_bytes([2; 16]),
        name: None,
        created_at: at(1),
        expires_at: at(600),
        kind: FactorKind::Email(MessageFactor::new("ann@example.com".to_owned())),
        wrong: 0,
        told: 0,
        told_steps: Vec::new(),
        replaced: Vec::new(),
    };
    let events = [
        phone(1),
        UserEvent::EnrollmentBegun(pending),
        issued(1, 7, at(4)),
        issued(2, 8, at(4)),
        UserEvent::CodeMissed { factor: FactorId::from_bytes([1; 16]) },
        UserEvent::RecoveryCodeSpent { digest: [6; 32] },
        UserEvent::SendRefused,
    ];
    let mut state = a_user();
    evolve::evolve_all(&mut state, &events, at(5));
    state.verified_from = Some([203, 0, 113, 7].into());
    state
}

fn a_webhook() -> Webhook {
    Webhook {
        id: webhook(1),
        url: "https://example.com/hook".to_owned(),
        events: vec!["mfa.*".to_owned()],
        description: Some("ours".to_owned()),
        secrets: vec![WebhookSecret {
            sealed: Sealed::from_bytes(vec![9; 65]),
            created_at: at(1),
            expires_at: Some(at(2)),
        }],
        created_at: at(1),
        disabled: Some(Disabled { at: at(3), failing: true }),
    }
}

fn guards() -> SendGuards {
    SendGuards {
        per_destination_per_day: 7,
        allowed_countries: BTreeSet::from(["CH".to_owned()]),
        ..SendGuards::default()
    }
}

fn words() -> MessageTemplates {
    MessageTemplates { sms_text: Some("{{code}}".to_owned()), ..MessageTemplates::default() }
}

/// As [`a_tenant`], with what the second shape added.
fn a_telling_tenant() -> TenantState {
    TenantState {
        guards: guards(),
        alerts: AlertSettings { relays: false, ..AlertSettings::default() },
        templates: words(),
        webhooks: vec![a_webhook()],
        ..a_tenant()
    }
}

fn a_passkey() -> WebAuthnFactor {
    WebAuthnFactor {
        credential_id: vec![1; 20],
        public_key: PublicKey::Es256 { x: [2; 32], y: [3; 32] },
        sign_count: 4,
        aaguid: Aaguid([5; 16]),
        transports: vec!["internal".to_owned()],
        backup_eligible: true,
        backed_up: true,
        user_verified: true,
        resident: Some(true),
        attachment: Some(Attachment::Platform),
        rp_id: "acme.example".to_owned(),
    }
}

fn with_key(number: u8, public_key: PublicKey) -> UserEvent {
    let credential = WebAuthnFactor { public_key, ..a_passkey() };
    UserEvent::FactorActivated(Factor {
        id: FactorId::from_bytes([number; 16]),
        name: None,
        created_at: at(1),
        last_used_at: None,
        kind: FactorKind::WebAuthn(Box::new(credential)),
    })
}

fn ceremony(purpose: CeremonyPurpose) -> Ceremony {
    Ceremony {
        challenge: [7; 32],
        purpose,
        user_verification: UserVerification::Required,
        attestation: Some(Attestation::Direct),
        created_at: at(5),
        expires_at: at(305),
        counters: vec![(FactorId::from_bytes([1; 16]), 6)],
    }
}

/// As [`a_messaged_user`], with what the third shape added.
fn a_keyed_user() -> UserState {
    let events = [
        with_key(8, PublicKey::Es256 { x: [2; 32], y: [3; 32] }),
        with_key(9, PublicKey::EdDsa { x: [2; 32] }),
        with_key(10, PublicKey::Rs256 { n: vec![2; 256], e: [1, 0, 1] }),
        UserEvent::CeremonyBegun(Box::new(ceremony(CeremonyPurpose::Authenticate))),
    ];
    let mut state = a_messaged_user();
    evolve::evolve_all(&mut state, &events, at(6));
    state
}

fn demands() -> WebAuthnRules {
    WebAuthnRules {
        user_verification: UserVerification::Preferred,
        allowed_aaguids: BTreeSet::from([Aaguid([5; 16])]),
        synced_passkeys: false,
    }
}

fn a_system() -> SystemState {
    SystemState {
        cluster_id: "clu_x".to_owned(),
        shards: 16,
        founded_at: at(0),
        data_keys: vec![DataKey { id: 1, wrapped: vec![3; 72], created_at: at(0) }],
        signing_keys: vec![SigningKey {
            kid: "kid".to_owned(),
            private: Sealed::from_bytes(vec![4; 77]),
            public: vec![5; 65],
            created_at: at(0),
            retired_at: None,
        }],
        nodes: vec![a_node()],
        authority: Some(an_authority()),
    }
}

fn a_node() -> NodeRecord {
    NodeRecord {
        id: 2,
        name: "n2".to_owned(),
        api_address: "127.0.0.1:8082".to_owned(),
        peer_address: "127.0.0.1:7082".to_owned(),
        version: "0.1.0".to_owned(),
        feature_level: 1,
        key: [6; 32],
        admitted_at: at(8),
        removed_at: Some(at(9)),
    }
}

fn an_authority() -> Authority {
    Authority { certificate: vec![7; 40], key: Sealed::from_bytes(vec![8; 40]), created_at: at(7) }
}

#[test]
fn rows_of_the_state_keep_their_bytes() {
    keeps("user", &UserRow { version: 17, state: a_user() });
    keeps("user_2", &UserRow { version: 17, state: a_messaged_user() });
    keeps("user_3", &UserRow { version: 17, state: a_keyed_user() });
    let demanding = TenantState { webauthn: demands(), ..a_telling_tenant() };
    keeps("tenant_3", &TenantRow { version: 18, state: demanding });
    keeps("tenant", &TenantRow { version: 18, state: a_tenant() });
    keeps("tenant_2", &TenantRow { version: 18, state: a_telling_tenant() });
    keeps("system_2", &SystemRow { version: 19, state: a_system() });
    let state = SystemState { nodes: Vec::new(), authority: None, ..a_system() };
    reads("system", &SystemRow { version: 19, state });
    keeps("kept_answer", &answer(7, at(86_400)));
    let mut state_hash = StateHash::default();
    state_hash.add(b"key", b"value");
    let point = ChainPoint { sequence: 4, hash: [8; 32], at: at(5) };
    let head = ShardHead {
        last_applied: Some(log_id(2, 300)),
        membership: StoredMembership::new(Some(log_id(1, 2)), membership()),
        last_now: at(6),
        state_hash,
        audit: point,
        users: 9,
        answers_forgotten: (at(7), [1; 32]),
        age_clock: at(5),
        ahead_ms: 8,
        time_set_at: 10,
    };
    keeps("head_2", &head);
    let first = ShardHead { age_clock: Timestamp::EPOCH, ahead_ms: 0, time_set_at: 0, ..head };
    reads("head", &first);
}

#[test]
fn a_row_is_written_in_its_first_shape_as_long_as_that_tells_all() {
    let user = |state| UserRow { version: 17, state }.to_bytes().unwrap()[0];
    let plain = a_user();
    assert_eq!(user(plain.clone()), 1);
    let seen = UserState { verified_from: Some([203, 0, 113, 7].into()), ..plain.clone() };
    let recovered = UserState { recovery_uses: vec![at(1)], ..plain.clone() };
    let mut refused = plain;
    refused.sends.refusal_noted = true;
    assert_eq!([seen, recovered, refused].map(user), [2; 3]);
    let ceremonies = vec![ceremony(CeremonyPurpose::Authenticate)];
    assert_eq!(user(UserState { ceremonies, ..a_user() }), 3);
    let tenant = |state| TenantRow { version: 18, state }.to_bytes().unwrap()[0];
    assert_eq!(tenant(a_tenant()), 1);
    let guarded = TenantState { guards: guards(), ..a_tenant() };
    let alerts = AlertSettings { relays: false, ..AlertSettings::default() };
    let alerted = TenantState { alerts, ..a_tenant() };
    let worded = TenantState { templates: words(), ..a_tenant() };
    let telling = TenantState { webhooks: vec![a_webhook()], ..a_tenant() };
    assert_eq!([guarded, alerted, worded, telling].map(tenant), [2; 4]);
    assert_eq!(tenant(TenantState { webauthn: demands(), ..a_tenant() }), 3);
}

#[test]
fn rows_of_the_outbox_keep_their_bytes() {
    keeps(
        "outbox_message",
        &OutboxRow {
            user: user(1),
            factor: FactorId::from_bytes([1; 16]),
            channel: Channel::Email,
            delivery: delivery_id(7),
            issued_at: at(1),
            expires_at: at(301),
            message: Sealed::from_bytes(vec![9; 65]),
        },
    );
    let mut counts = TrafficCounts::default();
    counts.sent(at(1));
    counts.sent(at(700));
    counts.verified(at(701));
    counts.noted(at(702));
    keeps("outbox_traffic", &counts);
    keeps("outbox_delivery", &waiting(5, at(1), 2));
    let refused = Delivery {
        last_status: None,
        last_error: Some("timeout".to_owned()),
        ..ended(waiting(5, at(1), 2), DeliveryState::Dead, at(2))
    };
    keeps("outbox_delivery_dead", &refused);
    keeps("outbox_position", &300_u64);
}

#[test]
fn rows_of_the_audit_log_keep_their_bytes() {
    let chained = Chained {
        sequence: 4,
        at: at(5),
        tenant: tenant(),
        pseudonym: Some(Pseudonym::from_bytes([2; 16])),
        event_type: "mfa.challenge.failed".to_owned(),
        outcome: AuditOutcome::Failure,
        reason: Some("invalid_code".to_owned()),
        factor_id: Some(FactorId::from_bytes([3; 16])),
        challenge_id: Some(ChallengeId::from_bytes([4; 16])),
        actor: Some(KeyId::from_bytes([5; 16])),
        details: BTreeMap::from([("failedAttempts".to_owned(), "1".to_owned())]),
        annex: Some([6; 32]),
    };
    keeps("audit_chained", &chained);
    keeps("audit_record", &AuditRecord { hash: [7; 32], chained: vec![1, 2, 3] });
    let annex = Annex {
        salt: [8; 16],
        user: Some(user(1).user),
        ip_address: Some([203, 0, 113, 7].into()),
        reason: Some("lost phone".to_owned()),
    };
    keeps("audit_annex_2", &annex);
    reads("audit_annex", &Annex { reason: None, ..annex });
    let point = |sequence| ChainPoint { sequence, hash: [8; 32], at: at(5) };
    keeps("audit_chain", &Chain { start: point(2), head: point(4), set_back: 3 });
    keeps("audit_anchor", &ChainPoint { sequence: 4, hash: [8; 32], at: at(5) });
}

#[test]
fn rows_of_the_node_keep_their_bytes() {
    keeps("vote", &Vote::new_committed(3, 1));
    keeps("purge_mark", &log_id(2, 300));
    keeps("commit_mark", &Some(log_id(2, 300)));
    keeps("install_marker", &Installing { file: "x.snapshot".to_owned() });
    keeps(
        "identity",
        &Identity {
            node_id: 1,
            cluster_id: "clu_x".to_owned(),
            name: "n1".to_owned(),
            shards: 16,
            key_check: vec![1, 2, 3],
        },
    );
    let runs = vec![DiskRun { id: 71, from: 1 }, DiskRun { id: 72, from: 300 }];
    keeps("disk_history", &DiskHistory { runs, count: 301 });
    keeps("disk_marks", &DiskMarks::from([(2, DiskMark { run: 72, count: 301 })]));
}
