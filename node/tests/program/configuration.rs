//! What the program says when it is told something wrong, and how it says what it can do.

use crate::running::{program, run, said, serve};

#[test]
fn every_command_has_a_help_text() {
    for words in [
        vec![],
        vec!["dev"],
        vec!["serve"],
        vec!["keys"],
        vec!["keys", "generate"],
        vec!["audit"],
        vec!["audit", "verify"],
        vec!["cluster"],
        vec!["cluster", "status"],
        vec!["totp"],
        vec!["bench"],
    ] {
        let output = run(program().args(&words).arg("--help"));
        let text = String::from_utf8(output.stdout).unwrap();
        assert!(output.status.success(), "{words:?}: {text}");
        assert!(text.contains("Usage:"), "{words:?}: {text}");
        assert!(text.lines().count() > 4, "{words:?}: {text}");
    }
    let text = run(program().arg("--help")).stdout;
    let text = String::from_utf8(text).unwrap();
    for part in ["Exit codes", "dev", "serve", "keys", "audit", "cluster", "bench"] {
        assert!(text.contains(part), "{part}: {text}");
    }
}

#[test]
fn an_unknown_variable_is_named_and_its_neighbour_suggested() {
    let dir = tempfile::tempdir().unwrap();
    let output = run(serve(dir.path()).arg("--bootstrap").env("COUNTERSIGN_API_LISTN", "x"));
    assert_eq!(output.status.code(), Some(2));
    let text = said(&output);
    assert!(text.contains("COUNTERSIGN_API_LISTN"), "{text}");
    assert!(text.contains("did you mean COUNTERSIGN_API_LISTEN?"), "{text}");
    assert!(!dir.path().join("db").exists());
}

#[test]
fn an_unknown_key_of_the_file_is_named_with_its_line() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("countersign.toml");
    std::fs::write(&file, "log_format = \"json\"\nrequest_timout = \"5s\"\n").unwrap();
    let output = run(serve(dir.path()).arg("--bootstrap").arg("--config").arg(&file));
    assert_eq!(output.status.code(), Some(2));
    let text = said(&output);
    assert!(text.contains("line 2"), "{text}");
    assert!(text.contains("request_timout"), "{text}");
    assert!(text.contains("did you mean request_timeout?"), "{text}");
}

#[test]
fn a_file_with_secrets_that_others_can_read_is_refused_and_the_cure_named() {
    use std::os::unix::fs::PermissionsExt;
    let dir = tempfile::tempdir().unwrap();
    let key = dir.path().join("master.key");
    let config = dir.path().join("countersign.toml");
    std::fs::write(&key, crate::running::MASTER_KEY).unwrap();
    std::fs::write(&config, "cluster_secret = \"0123456789abcdef0123\"\n").unwrap();
    let mode = |path: &std::path::Path, mode: u32| {
        std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode)).unwrap();
    };
    let mut with_key = serve(&dir.path().join("data"));
    with_key.env_remove("COUNTERSIGN_MASTER_KEY").arg("--master-key-file").arg(&key);
    let mut with_config = serve(&dir.path().join("data"));
    with_config.arg("--config").arg(&config);
    for (file, command) in [(&key, &mut with_key), (&config, &mut with_config)] {
        for open in [0o644, 0o640, 0o604, 0o660] {
            mode(file, open);
            // Root's files may be read by root's group, which is how some platforms mount them.
            if open == 0o640 && rustix::process::geteuid().is_root() {
                continue;
            }
            let output = run(command);
            let text = said(&output);
            assert_eq!(output.status.code(), Some(2), "{open:o}: {text}");
            assert!(text.contains(&format!("chmod 600 {}", file.display())), "{open:o}: {text}");
        }
        mode(file, 0o600);
        let text = said(&run(command));
        assert!(text.contains("holds no data yet"), "{text}");
    }
}

#[test]
fn a_flag_wins_over_a_variable_and_a_variable_over_the_file() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("countersign.toml");
    std::fs::write(&file, "log_format = \"of-file\"\n").unwrap();
    let wrong = |command: &mut std::process::Command| said(&run(command));
    let mut base = serve(dir.path());
    base.arg("--bootstrap").arg("--config").arg(&file);
    let text = wrong(&mut base);
    assert!(text.contains("log_format, set in") && text.contains("line 1"), "{text}");
    base.env("COUNTERSIGN_LOG_FORMAT", "of-variable");
    let text = wrong(&mut base);
    assert!(text.contains("set by the variable COUNTERSIGN_LOG_FORMAT"), "{text}");
    base.args(["--log-format", "of-flag"]);
    let text = wrong(&mut base);
    assert!(text.contains("set by the flag --log-format"), "{text}");
}

#[test]
fn no_error_holds_a_secret() {
    let dir = tempfile::tempdir().unwrap();
    let output = run(serve(dir.path())
        .arg("--bootstrap")
        .env("COUNTERSIGN_MASTER_KEY", "c2VjcmV0LXRvLWhpZGU=")
        .env("COUNTERSIGN_ROOT_KEY", "csk_root-to-hide"));
    assert_eq!(output.status.code(), Some(2));
    let text = said(&output);
    assert!(!text.contains("c2Vjcm"), "{text}");
    assert!(!text.contains("root-to-hide"), "{text}");
}

#[test]
fn without_a_master_key_it_says_how_to_make_one() {
    let dir = tempfile::tempdir().unwrap();
    let output = run(serve(dir.path()).arg("--bootstrap").env_remove("COUNTERSIGN_MASTER_KEY"));
    assert_eq!(output.status.code(), Some(2));
    assert!(said(&output).contains("countersign keys generate"), "{}", said(&output));
}

#[test]
fn generated_keys_are_lines_of_an_environment_file_and_are_accepted() {
    let output = run(program().args(["keys", "generate"]));
    assert!(output.status.success());
    let text = String::from_utf8(output.stdout).unwrap();
    let lines: Vec<(&str, &str)> = text.lines().map(|line| line.split_once('=').unwrap()).collect();
    let names: Vec<&str> = lines.iter().map(|(name, _)| *name).collect();
    let expected = ["COUNTERSIGN_MASTER_KEY", "COUNTERSIGN_ROOT_KEY", "COUNTERSIGN_CLUSTER_SECRET"];
    assert_eq!(names, expected);
    let again = run(program().args(["keys", "generate"]));
    assert_ne!(text.as_bytes(), again.stdout, "keys are never the same twice");
    // An empty directory without --bootstrap is refused after the keys were accepted.
    let dir = tempfile::tempdir().unwrap();
    let refused = run(serve(dir.path()).envs(lines));
    assert!(said(&refused).contains("--bootstrap"), "{}", said(&refused));
}

#[test]
fn a_missing_location_database_is_a_configuration_error() {
    let dir = tempfile::tempdir().unwrap();
    let missing = dir.path().join("nowhere.mmdb");
    let output = run(serve(dir.path()).arg("--bootstrap").arg("--geoip-database").arg(&missing));
    assert_eq!(output.status.code(), Some(2));
    assert!(said(&output).contains("nowhere.mmdb"), "{}", said(&output));
    assert!(!dir.path().join("db").exists());
}
