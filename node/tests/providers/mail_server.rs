//! A real mail server on loopback, see `mail_server.py`. It needs Debian's `python3-aiosmtpd`; where
//! that is missing, the tests that need it are left out and say so.

use std::process::Stdio;

use serde_json::Value;
use tokio::io::{AsyncBufReadExt, BufReader, Lines};
use tokio::process::{Child, ChildStdout, Command};

use crate::authority::Authority;

const SCRIPT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/providers/mail_server.py");

pub(crate) struct MailServer {
    pub(crate) port: u16,
    lines: Lines<BufReader<ChildStdout>>,
    _process: Child,
}

impl MailServer {
    /// One that is `plain`, or offers `starttls`, or speaks `tls` from the first byte.
    pub(crate) async fn start(mode: &str, authority: &Authority) -> Option<Self> {
        let Some(python) = python().await else {
            eprintln!("left out: no python3 here has aiosmtpd (Debian: python3-aiosmtpd)");
            return None;
        };
        let mut process = Command::new(python)
            .arg(SCRIPT)
            .arg(mode)
            .arg(authority.cert())
            .arg(authority.key())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(process.stdout.take().unwrap()).lines();
        let first = lines.next_line().await.unwrap().expect("the mail server did not start");
        let told: Value = serde_json::from_str(&first).unwrap();
        let port = u16::try_from(told["port"].as_u64().unwrap()).unwrap();
        Some(Self { port, lines, _process: process })
    }

    /// The next email that it took.
    pub(crate) async fn next(&mut self) -> Value {
        let line = self.lines.next_line().await.unwrap().expect("the mail server ended");
        serde_json::from_str(&line).unwrap()
    }
}

/// A Python that can run it: a version manager's own may not see what the system installed.
async fn python() -> Option<&'static str> {
    for python in ["python3", "/usr/bin/python3"] {
        let asked = Command::new(python)
            .args(["-c", "import aiosmtpd"])
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .status()
            .await;
        if asked.is_ok_and(|status| status.success()) {
            return Some(python);
        }
    }
    None
}
