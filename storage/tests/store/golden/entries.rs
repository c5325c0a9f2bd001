//! What the log carries.

use super::*;

#[test]
fn log_entries_keep_their_bytes() {
    let mut of_user =
        proposal(&user(1), 3, at(1), vec![created(1), named("Ann"), UserEvent::Erased]);
    of_user.answer = Some(answer(7, at(86_400)));
    of_user.audit.push(AuditEntry::failure("mfa.challenge.failed", "invalid_code").detail("a", 1));
    keeps("entry_user", &entry(1, propose(of_user)));
    let of_tenant = Proposal {
        change: Change::Tenant {
            id: tenant(),
            events: vec![
                TenantEvent::Created {
                    name: "Default".to_owned(),
                    policy: Box::new(Policy::initial(at(0))),
                    settings: Box::new(Settings::initial()),
                },
                TenantEvent::Removed,
            ],
        },
        expected_version: 0,
        now: at(0),
        clock: at(0),
        audit: Vec::new(),
        answer: None,
    };
    keeps("entry_tenant", &entry(2, propose(of_tenant)));
    let events = vec![
        SystemEvent::Founded { cluster_id: "clu_x".to_owned(), shards: 16 },
        SystemEvent::DataKeyAdded(DataKey { id: 1, wrapped: vec![3; 72], created_at: at(0) }),
    ];
    let of_system = Proposal {
        change: Change::System { events },
        expected_version: 0,
        now: at(0),
        clock: at(0),
        audit: Vec::new(),
        answer: None,
    };
    keeps("entry_system", &entry(3, propose(of_system)));
    let events = vec![
        SystemEvent::AuthorityMade(an_authority()),
        SystemEvent::NodeAdmitted(a_node()),
        SystemEvent::NodeAnnounced {
            id: 2,
            api_address: "127.0.0.1:8082".to_owned(),
            peer_address: "127.0.0.1:7082".to_owned(),
            version: "0.1.0".to_owned(),
            feature_level: 1,
        },
        SystemEvent::NodeRemoved { id: 2 },
    ];
    let of_cluster = Proposal {
        change: Change::System { events },
        expected_version: 3,
        now: at(0),
        clock: at(0),
        audit: Vec::new(),
        answer: None,
    };
    keeps("entry_cluster", &entry(8, propose(of_cluster)));
    let mut of_codes = proposal(
        &user(1),
        3,
        at(1),
        vec![
            phone(1),
            issued(1, 7, at(1)),
            UserEvent::CodeMissed { factor: FactorId::from_bytes([1; 16]) },
            UserEvent::CodeSpent {
                factor: FactorId::from_bytes([1; 16]),
                delivery: delivery_id(7),
                lane: Lane { channel: Channel::Email, prefix: None, ..lane(1) },
            },
            UserEvent::SendRefused,
            UserEvent::FloodNoted { key: LaneKey::Prefix("+1415".to_owned()) },
            UserEvent::FloodNoted { key: LaneKey::Destination([1; 16]) },
            UserEvent::FloodNoted { key: LaneKey::Tenant(Channel::Sms) },
        ],
    );
    of_codes.audit.clear();
    keeps("entry_codes", &entry(10, propose(of_codes)));
    let events = vec![
        TenantEvent::GuardsSet(Box::new(guards())),
        TenantEvent::AlertsSet(AlertSettings::default()),
        TenantEvent::TemplatesSet(Box::new(words())),
        TenantEvent::WebhookSet(Box::new(a_webhook())),
        TenantEvent::WebhookRemoved { id: webhook(1) },
    ];
    let of_webhooks = Proposal {
        change: Change::Tenant { id: tenant(), events },
        expected_version: 2,
        now: at(0),
        clock: at(0),
        audit: Vec::new(),
        answer: None,
    };
    keeps("entry_webhooks", &entry(11, propose(of_webhooks)));
    let mut of_keys = proposal(
        &user(1),
        3,
        at(1),
        vec![
            UserEvent::CeremonyBegun(Box::new(ceremony(CeremonyPurpose::Register(
                FactorId::from_bytes([8; 16]),
            )))),
            UserEvent::CeremonyBegun(Box::new(ceremony(CeremonyPurpose::Answer(
                ChallengeId::from_bytes([9; 16]),
            )))),
            UserEvent::CeremonyEnded { challenge: [7; 32] },
            with_key(8, PublicKey::EdDsa { x: [2; 32] }),
            UserEvent::CredentialUsed {
                id: FactorId::from_bytes([8; 16]),
                sign_count: 5,
                backed_up: false,
            },
        ],
    );
    of_keys.audit.clear();
    keeps("entry_webauthn", &entry(16, propose(of_keys)));
    let of_demands = Proposal {
        change: Change::Tenant {
            id: tenant(),
            events: vec![TenantEvent::WebAuthnRulesSet(demands())],
        },
        expected_version: 2,
        now: at(0),
        clock: at(0),
        audit: Vec::new(),
        answer: None,
    };
    keeps("entry_webauthn_rules", &entry(17, propose(of_demands)));
    let key = |number| message_key(number, at(1));
    let reference = Some("SM1".to_owned());
    let outcomes = vec![
        (key(6), sent()),
        (key(7), MessageOutcome::Sent { reference }),
        (key(8), MessageOutcome::Failed { reason: "expired".to_owned() }),
        (key(9), MessageOutcome::Superseded),
    ];
    keeps("entry_settle", &entry(12, settle(at(1), outcomes)));
    let deliveries = vec![waiting(5, at(1), 2)];
    keeps("entry_herald", &entry(13, herald(at(1), webhook(1), Some(5), deliveries)));
    let again =
        LogCommand::Redeliver { tenant: tenant(), webhook: webhook(1), sequence: 5, now: at(1) };
    keeps("entry_redeliver", &entry(14, again));
    let forget = LogCommand::ForgetWebhook { tenant: tenant(), webhook: webhook(1) };
    keeps("entry_forget_webhook", &entry(15, forget));
    let by = Some(KeyId::from_bytes([1; 16]));
    let setting = TimeSetting { from: at(21_600), to: at(0), by };
    keeps("entry_set_time", &entry(19, LogCommand::SetTime(Box::new(setting))));
    keeps("entry_retain", &entry(9, retain(at(0), 365)));
    keeps("entry_trim", &entry(4, LogCommand::TrimAudit { before: at(0) }));
    keeps("entry_purge", &entry(5, LogCommand::PurgeTenant { tenant: tenant(), limit: 100 }));
    keeps("entry_blank", &Entry { log_id: log_id(1, 6), payload: EntryPayload::Blank });
    let payload = EntryPayload::Membership(membership());
    keeps("entry_membership", &Entry { log_id: log_id(1, 7), payload });
}
