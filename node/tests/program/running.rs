//! The program as an operator runs it: a child process that is watched and never outlives its
//! test.

use std::io::{BufRead, BufReader, Read};
use std::path::Path;
use std::process::{Child, Command, ExitStatus, Output, Stdio};
use std::sync::{Arc, Condvar, Mutex};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

/// How long anything may take before a test gives up on it.
pub(crate) const PATIENCE: Duration = Duration::from_secs(60);

/// A master key and a root key for tests.
pub(crate) const MASTER_KEY: &str = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=";
/// See [`MASTER_KEY`].
pub(crate) const ROOT_KEY: &str = "csk_0123456789abcdef0123456789abcdef";

/// The program, with nothing of the environment but what it needs to be found and to find.
pub(crate) fn program() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_countersign"));
    command.env_clear();
    for kept in ["PATH", "HOME", "TMPDIR", "LLVM_PROFILE_FILE"] {
        if let Some(value) = std::env::var_os(kept) {
            command.env(kept, value);
        }
    }
    command
}

/// `serve` on a data directory with the keys of the tests, on a free port.
pub(crate) fn serve(data_dir: &Path) -> Command {
    serve_at(data_dir, "127.0.0.1:0")
}

/// `serve` on a data directory with the keys of the tests.
pub(crate) fn serve_at(data_dir: &Path, address: &str) -> Command {
    let mut command = program();
    command
        .arg("serve")
        .args(["--name", "n1", "--api-listen", address, "--shards", "4"])
        .args(["--peer-listen", "127.0.0.1:0"])
        .arg("--data-dir")
        .arg(data_dir)
        .env("COUNTERSIGN_MASTER_KEY", MASTER_KEY)
        .env("COUNTERSIGN_ROOT_KEY", ROOT_KEY);
    command
}

/// Runs a command to its end.
pub(crate) fn run(command: &mut Command) -> Output {
    let child = command
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("the program starts");
    let id = child.id();
    let watch = std::thread::spawn(move || child.wait_with_output().expect("the program ends"));
    let deadline = Instant::now() + PATIENCE;
    while !watch.is_finished() {
        if Instant::now() > deadline {
            signal(id, "KILL");
        }
        std::thread::yield_now();
        std::thread::sleep(Duration::from_millis(5));
    }
    watch.join().expect("the watch ends")
}

/// What a command said on stderr.
pub(crate) fn said(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

fn signal(id: u32, name: &str) {
    let _ = Command::new("kill").arg(format!("-{name}")).arg(id.to_string()).status();
}

/// A running program.
pub(crate) struct Running {
    child: Child,
    out: Said,
    err: Said,
}

/// What a program says, as it says it.
#[derive(Clone)]
struct Said(Arc<(Mutex<(String, bool)>, Condvar)>);

impl Said {
    fn listen(from: impl Read + Send + 'static) -> (Self, JoinHandle<()>) {
        let said = Self(Arc::new((Mutex::new((String::new(), false)), Condvar::new())));
        let heard = said.clone();
        let task = std::thread::spawn(move || {
            let mut lines = BufReader::new(from);
            let mut line = String::new();
            while lines.read_line(&mut line).is_ok_and(|bytes| bytes > 0) {
                heard.0.0.lock().expect("no panic").0.push_str(&line);
                heard.0.1.notify_all();
                line.clear();
            }
            heard.0.0.lock().expect("no panic").1 = true;
            heard.0.1.notify_all();
        });
        (said, task)
    }

    fn so_far(&self) -> String {
        self.0.0.lock().expect("no panic").0.clone()
    }

    /// Waits until `find` finds something in what was said.
    fn wait<T>(&self, find: impl Fn(&str) -> Option<T>) -> Result<T, String> {
        let deadline = Instant::now() + PATIENCE;
        let mut said = self.0.0.lock().expect("no panic");
        loop {
            if let Some(found) = find(&said.0) {
                return Ok(found);
            }
            let left = deadline.saturating_duration_since(Instant::now());
            if said.1 || left.is_zero() {
                return Err(said.0.clone());
            }
            said = self.0.1.wait_timeout(said, left).expect("no panic").0;
        }
    }
}

impl Running {
    /// Starts a program.
    pub(crate) fn start(command: &mut Command) -> Self {
        let mut child = command
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("the program starts");
        let (out, _) = Said::listen(child.stdout.take().expect("stdout is piped"));
        let (err, _) = Said::listen(child.stderr.take().expect("stderr is piped"));
        Self { child, out, err }
    }

    /// Starts `serve` and waits until it listens. Answers its base URL.
    pub(crate) fn serving(command: &mut Command) -> (Self, String) {
        let running = Self::start(command);
        let address = running.err.wait(|said| {
            let line = said.lines().find(|line| line.contains("ready for requests"))?;
            let at = line.find("127.0.0.1:")?;
            let end = line[at..].find(|c: char| c != '.' && c != ':' && !c.is_ascii_digit());
            Some(line[at..].get(..end.unwrap_or(line.len() - at))?.to_owned())
        });
        match address {
            Ok(address) => (running, format!("http://{address}")),
            Err(said) => panic!("the program did not come up:\n{said}"),
        }
    }

    /// Waits until `find` finds something on stdout.
    pub(crate) fn says<T>(&self, find: impl Fn(&str) -> Option<T>) -> T {
        match self.out.wait(find) {
            Ok(found) => found,
            Err(said) => panic!("not said: {said}\n{}", self.err.so_far()),
        }
    }

    /// Waits until stderr holds `part`.
    pub(crate) fn logs(&self, part: &str) {
        let found = self.err.wait(|said| said.contains(part).then_some(()));
        assert!(found.is_ok(), "{part:?} was not logged:\n{}", self.err.so_far());
    }

    /// All that was logged so far.
    pub(crate) fn log(&self) -> String {
        self.err.so_far()
    }

    /// Sends SIGTERM.
    pub(crate) fn terminate(&self) {
        signal(self.child.id(), "TERM");
    }

    /// Sends SIGHUP.
    pub(crate) fn hang_up(&self) {
        signal(self.child.id(), "HUP");
    }

    /// Sends SIGKILL and waits for the end.
    pub(crate) fn kill(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }

    /// Waits for the end.
    pub(crate) fn ended(&mut self) -> ExitStatus {
        let deadline = Instant::now() + PATIENCE;
        loop {
            if let Some(status) = self.child.try_wait().expect("the program can be waited for") {
                return status;
            }
            assert!(Instant::now() < deadline, "the program did not end:\n{}", self.err.so_far());
            std::thread::sleep(Duration::from_millis(5));
        }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.kill();
    }
}

/// Waits until a node can serve.
pub(crate) async fn ready(url: &str) {
    let client = client();
    let deadline = Instant::now() + PATIENCE;
    loop {
        let answer = client.get(format!("{url}/readyz")).send().await;
        if answer.is_ok_and(|answer| answer.status().is_success()) {
            return;
        }
        assert!(Instant::now() < deadline, "{url} did not become ready");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

/// An HTTP client; it panics where the process has no provider of cryptography.
pub(crate) fn client() -> reqwest::Client {
    let _ = rustls::crypto::ring::default_provider().install_default();
    reqwest::Client::new()
}

/// Calls the API with the root key. Answers status and body.
pub(crate) async fn call(
    method: reqwest::Method,
    url: String,
    body: Option<serde_json::Value>,
) -> (u16, serde_json::Value) {
    call_as(ROOT_KEY, method, url, body).await
}

/// Calls the API with a key. Answers status and body.
pub(crate) async fn call_as(
    key: &str,
    method: reqwest::Method,
    url: String,
    body: Option<serde_json::Value>,
) -> (u16, serde_json::Value) {
    let mut request = client().request(method, url).bearer_auth(key);
    if let Some(body) = body {
        request = request.json(&body);
    }
    let answer = request.send().await.expect("an answer");
    let status = answer.status().as_u16();
    let text = answer.text().await.expect("a body");
    (status, serde_json::from_str(&text).unwrap_or(serde_json::Value::Null))
}
