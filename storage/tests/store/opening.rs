//! Opening: one process, the right data, nothing started empty by mistake.

use countersign_storage::{Identity, StorageError, Store, StoreOptions};

use crate::stage::{SHARD, at, created, user};
use crate::stage::{Stage, close, entry, history, open, proposal, propose};

#[test]
fn a_second_store_in_the_same_folder_is_refused_and_told_who_has_it() {
    let stage = Stage::new();
    let second = Store::open(stage.folder.path(), StoreOptions::default());
    let Err(StorageError::Locked { holder, .. }) = second else { panic!("it was let in") };
    assert_eq!(holder, std::process::id().to_string());
    let stage = stage.restarted();
    drop(stage);
}

#[test]
fn the_identity_is_kept() {
    let stage = Stage::new();
    assert_eq!(stage.store.identity().unwrap(), None);
    let identity = Identity {
        node_id: 7,
        cluster_id: "clu_x".to_owned(),
        name: "n1".to_owned(),
        shards: 16,
        key_check: vec![1, 2, 3],
    };
    stage.store.set_identity(&identity).unwrap();
    let stage = stage.restarted();
    assert_eq!(stage.store.identity().unwrap(), Some(identity));
}

#[test]
fn damaged_data_is_an_error_that_says_what_to_do() {
    let stage = Stage::new();
    stage.apply(&history(300), 16);
    let Stage { store, folder } = stage;
    store.flush().unwrap();
    close(store);
    let tables: Vec<_> = std::fs::read_dir(folder.path().join("db"))
        .unwrap()
        .map(|file| file.unwrap().path())
        .filter(|path| path.extension().is_some_and(|one| one == "sst"))
        .collect();
    assert!(!tables.is_empty());
    for table in &tables {
        let mut bytes = std::fs::read(table).unwrap();
        let middle = bytes.len() / 3;
        bytes[..middle].fill(0xA5);
        std::fs::write(table, bytes).unwrap();
    }
    let Err(error) = Store::open(folder.path(), StoreOptions::default()) else {
        panic!("damaged data was opened")
    };
    let text = error.to_string();
    assert!(text.contains("db") || text.contains("shard"), "{text}");
}

#[test]
fn a_lost_table_is_an_error_and_never_an_empty_start() {
    let stage = Stage::new();
    stage.apply(&history(50), 16);
    let Stage { store, folder } = stage;
    store.flush().unwrap();
    close(store);
    for file in std::fs::read_dir(folder.path().join("db")).unwrap() {
        let path = file.unwrap().path();
        if path.extension().is_some_and(|one| one == "sst") {
            std::fs::remove_file(path).unwrap();
        }
    }
    let opened = Store::open(folder.path(), StoreOptions::default());
    let Err(error @ StorageError::Damaged { .. }) = opened else { panic!("it was opened") };
    let text = error.to_string();
    assert!(text.contains(".sst") && text.contains("restore a backup"), "{text}");
}

#[test]
fn whoever_waits_for_an_entry_is_told_when_it_is_applied() {
    let stage = Stage::new();
    let mut applied = stage.store.applied(SHARD);
    assert_eq!(*applied.borrow_and_update(), 0);
    let one = proposal(&user(1), 0, at(0), vec![created(1)]);
    stage.apply(&[entry(9, propose(one))], 1);
    assert!(applied.has_changed().unwrap());
    assert_eq!(*applied.borrow_and_update(), 9);
}

#[test]
fn a_flushed_store_opens_with_all_of_it() {
    let stage = Stage::new();
    stage.apply(&history(100), 16);
    let hash = stage.state_hash();
    stage.store.flush().unwrap();
    stage.store.compact().unwrap();
    let Stage { store, folder } = stage;
    close(store);
    let store = open(folder.path());
    assert_eq!(store.rows(SHARD).compute_state_hash().unwrap(), hash);
}

/// Entries that are in the write-ahead log alone, and that log's file.
fn logged(entries: u64) -> (tempfile::TempDir, std::path::PathBuf) {
    let stage = Stage::new();
    stage.apply(&history(entries), 1);
    let Stage { store, folder } = stage;
    close(store);
    let logs = std::fs::read_dir(folder.path().join("db")).unwrap();
    let log = logs
        .map(|file| file.unwrap().path())
        .filter(|path| path.extension().is_some_and(|one| one == "log"))
        .max_by_key(|path| path.metadata().unwrap().len())
        .unwrap();
    (folder, log)
}

#[test]
fn a_torn_last_record_is_taken_for_unwritten() {
    let (folder, log) = logged(40);
    let length = log.metadata().unwrap().len();
    std::fs::File::options().write(true).open(&log).unwrap().set_len(length - 5).unwrap();
    let store = open(folder.path());
    let rows = store.rows(SHARD);
    assert_eq!(rows.last_applied(), 39);
    assert_eq!(rows.state_hash(), rows.compute_state_hash().unwrap());
}

#[test]
fn a_flipped_bit_in_the_middle_of_the_log_is_an_error() {
    let (folder, log) = logged(40);
    let mut bytes = std::fs::read(&log).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    std::fs::write(&log, bytes).unwrap();
    let opened = Store::open(folder.path(), StoreOptions::default());
    let Err(error @ StorageError::Damaged { .. }) = opened else { panic!("it was opened") };
    assert!(error.to_string().contains("restore a backup"), "{error}");
}

#[test]
fn a_database_that_is_gone_is_an_error_and_never_an_empty_start() {
    let (folder, _) = logged(10);
    std::fs::remove_file(folder.path().join("db/CURRENT")).unwrap();
    for _ in 0..2 {
        let opened = Store::open(folder.path(), StoreOptions::default());
        let Err(StorageError::Damaged { path, .. }) = opened else { panic!("it was opened") };
        assert!(path.ends_with("db/CURRENT"));
    }
    std::fs::remove_dir_all(folder.path().join("db")).unwrap();
    assert!(Store::open(folder.path(), StoreOptions::default()).is_err());
}

#[test]
fn a_directory_of_another_format_is_refused() {
    let (folder, _) = logged(1);
    for other in ["countersign store 1", "countersign store 3"] {
        std::fs::write(folder.path().join("FORMAT"), format!("{other}\n")).unwrap();
        let Err(error) = Store::open(folder.path(), StoreOptions::default()) else {
            panic!("it was opened")
        };
        assert!(error.to_string().contains(other), "{error}");
    }
}

#[test]
fn what_a_node_proves_itself_with_is_kept_as_it_was_given() {
    let stage = Stage::new();
    assert_eq!(stage.store.peer_credentials().unwrap(), None);
    stage.store.set_peer_credentials(b"first").unwrap();
    stage.store.set_peer_credentials(b"sealed bytes").unwrap();
    let stage = stage.restarted();
    assert_eq!(stage.store.peer_credentials().unwrap().as_deref(), Some(&b"sealed bytes"[..]));
}
