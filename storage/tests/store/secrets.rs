//! No secret lies in plain text in any file of the data directory.

use std::io::ErrorKind;
use std::path::Path;

use countersign_core::codec;
use countersign_core::entropy::SeededEntropy;
use countersign_core::event::{IssuedCode, UserEvent};
use countersign_core::factor::message::{MessageFactor, SendOutcome, SentCode};
use countersign_core::factor::totp::{Parameters, TotpFactor};
use countersign_core::factor::{Factor, FactorKind};
use countersign_core::ids::FactorId;
use countersign_core::message::{Channel, CodeMessage, CodePurpose, seal_context};
use countersign_core::proposal::{Change, Proposal};
use countersign_core::secret::Secret;
use countersign_core::sending::Lane;
use countersign_core::system::{SystemEvent, SystemState};
use countersign_core::time::DAY_MS;
use countersign_core::vault::Vault;
use countersign_storage::{KeyRing, MasterKey};
use openraft::storage::{RaftLogStorageExt, RaftSnapshotBuilder, RaftStateMachine};

use crate::stage::{
    SHARD, Stage, answer, at, created, delivery_id, entry, message_key, proposal, propose, sent,
    settle, user,
};

const SECRET: &[u8] = b"this-is-the-shared-secret";
const MASTER: [u8; 32] = *b"this-is-the-master-key-32-bytes!";

fn search(folder: &Path, needle: &[u8], found: &mut Vec<String>, files: &mut usize) {
    for file in std::fs::read_dir(folder).unwrap() {
        let path = file.unwrap().path();
        if path.is_dir() {
            search(&path, needle, found, files);
            continue;
        }
        let bytes = match std::fs::read(&path) {
            Ok(bytes) => bytes,
            // Removed meanwhile, as files of the log are once they are not needed.
            Err(error) if error.kind() == ErrorKind::NotFound => continue,
            Err(error) => panic!("{}: {error}", path.display()),
        };
        *files += 1;
        if bytes.windows(needle.len()).any(|window| window == needle) {
            found.push(path.display().to_string());
        }
    }
}

fn places_of(stage: &Stage, needle: &[u8]) -> Vec<String> {
    let (mut found, mut files) = (Vec::new(), 0);
    search(stage.folder.path(), needle, &mut found, &mut files);
    assert!(files > 5, "only {files} files were searched");
    found
}

#[tokio::test(flavor = "multi_thread")]
async fn no_secret_is_in_plain_text_on_disk() {
    let stage = Stage::new();
    let ring = KeyRing::new(MasterKey::from_bytes(MASTER));
    let mut entropy = SeededEntropy::new(5);
    let key = ring.new_data_key(1, &mut entropy, at(0));
    let data_keys = vec![key.clone()];
    ring.load(&SystemState { data_keys, ..SystemState::default() }).unwrap();
    let context = user(1).seal_context("totp");
    let factor = Factor {
        id: FactorId::from_bytes([3; 16]),
        name: Some("a name in plain text".to_owned()),
        created_at: at(0),
        last_used_at: None,
        kind: FactorKind::Totp(TotpFactor {
            secret: ring.seal(&context, [9; 24], SECRET),
            fingerprint: ring.fingerprint(&context, SECRET),
            parameters: Parameters::default(),
            last_step: None,
            label: None,
        }),
    };
    let mut enrolled =
        proposal(&user(1), 0, at(0), vec![created(1), UserEvent::FactorActivated(factor)]);
    let mut kept = answer(1, at(0).plus_millis(DAY_MS));
    kept.reply = ring.seal(b"reply", [8; 24], SECRET).as_bytes().to_vec();
    enrolled.answer = Some(kept);
    let system = Proposal {
        change: Change::System { events: vec![SystemEvent::DataKeyAdded(key)] },
        expected_version: 0,
        now: at(0),
        clock: at(0),
        audit: Vec::new(),
        answer: None,
    };
    let entries = [entry(1, propose(enrolled)), entry(2, propose(system))];
    stage.store.log(SHARD).blocking_append(entries.clone()).await.unwrap();
    stage.apply(&entries, 2);
    let mut builder = stage.machine().try_create_snapshot_builder(true).await.unwrap();
    builder.build_snapshot().await.unwrap();
    assert_eq!(places_of(&stage, SECRET), [""; 0]);
    assert_eq!(places_of(&stage, &MASTER), [""; 0]);
    // The search finds what is there: in the write-ahead log and in the snapshot.
    assert!(places_of(&stage, b"a name in plain text").len() >= 2);
    stage.store.flush().unwrap();
    assert_eq!(places_of(&stage, SECRET), [""; 0]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_code_on_its_way_and_where_it_goes_are_in_plain_text_nowhere_but_in_the_users_row() {
    const CODE: &[u8] = b"this-is-the-code";
    const DESTINATION: &str = "+14155550123";
    // The very same, but for the user's row, where it stands as the profile's number does.
    const SENT_TO: &str = "+14155550199";
    let stage = Stage::new();
    let ring = KeyRing::new(MasterKey::from_bytes(MASTER));
    let mut entropy = SeededEntropy::new(5);
    let data_keys = vec![ring.new_data_key(1, &mut entropy, at(0))];
    ring.load(&SystemState { data_keys, ..SystemState::default() }).unwrap();
    let id = FactorId::from_bytes([3; 16]);
    let factor = Factor {
        id,
        name: None,
        created_at: at(0),
        last_used_at: None,
        kind: FactorKind::Sms(MessageFactor::new(DESTINATION.to_owned())),
    };
    let message = CodeMessage {
        channel: Channel::Sms,
        destination: SENT_TO.to_owned(),
        code: Secret::new(CODE.to_vec()),
        purpose: CodePurpose::Challenge,
        expires_at: at(300),
    };
    let context = seal_context(&user(1), delivery_id(7));
    let issued = IssuedCode {
        factor: id,
        channel: Channel::Sms,
        code: SentCode {
            delivery: delivery_id(7),
            digest: ring.fingerprint(&context, CODE),
            sent_at: at(0),
            expires_at: at(300),
            wrong: 0,
            spent: false,
            outcome: SendOutcome::Pending,
        },
        message: ring.seal(&context, [7; 24], &codec::encode(&message).unwrap()),
        lane: Lane {
            channel: Channel::Sms,
            destination: ring.fingerprint(b"destination", SENT_TO.as_bytes()),
            prefix: Some("+1415".to_owned()),
        },
    };
    let events = vec![
        created(1),
        UserEvent::FactorActivated(factor),
        UserEvent::CodeIssued(Box::new(issued)),
    ];
    let key = message_key(7, at(0));
    let entries = [
        entry(1, propose(proposal(&user(1), 0, at(0), events))),
        entry(2, settle(at(1), vec![(key, sent())])),
    ];
    for some in entries.chunks(1) {
        stage.store.log(SHARD).blocking_append(some.to_vec()).await.unwrap();
        stage.apply(some, 1);
        let mut builder = stage.machine().try_create_snapshot_builder(true).await.unwrap();
        builder.build_snapshot().await.unwrap();
        for needle in [CODE, SENT_TO.as_bytes()] {
            assert_eq!(places_of(&stage, needle), [""; 0]);
        }
        assert!(places_of(&stage, DESTINATION.as_bytes()).len() >= 2);
        let waits = stage.rows().message(&key).unwrap();
        if let Some(row) = waits {
            let plain = ring.open(&context, &row.message).unwrap();
            assert_eq!(codec::decode::<CodeMessage>(plain.expose()).unwrap(), message);
        }
        stage.store.flush().unwrap();
        for needle in [CODE, SENT_TO.as_bytes()] {
            assert_eq!(places_of(&stage, needle), [""; 0]);
        }
    }
}
