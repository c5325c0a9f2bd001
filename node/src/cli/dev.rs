//! `countersign dev`: a node of one's own, in one command. It makes its keys once and keeps them
//! beside its data, listens on the local machine only unless told otherwise, serves an application
//! to try it with, and greets with a session to paste.

use std::fs::{DirBuilder, OpenOptions};
use std::io::{ErrorKind, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use clap::Args;
use countersign_core::entropy::Entropy;
use countersign_core::secret::Secret;
use data_encoding::BASE32_DNSSEC;
use zeroize::Zeroizing;

use super::{keys, running, say};
use crate::config::sources::{self, Origin};
use crate::config::{Config, Sources};
use crate::demo;
use crate::entropy::SystemEntropy;
use crate::error::Error;
use crate::node::Node;

/// Where the keys of a data directory lie.
const KEY_FILE: &str = "dev.toml";
/// Settings that `dev` makes itself, and takes from the environment only when it makes them: the
/// data was sealed with what the key file holds.
const MADE_ONCE: [&str; 2] = ["COUNTERSIGN_MASTER_KEY", "COUNTERSIGN_ROOT_KEY"];

#[derive(Args, Debug)]
#[command(after_help = "\
Example:
  countersign dev
  countersign dev --ephemeral --listen 127.0.0.1:0

For anything but trying out, use `countersign serve`: here the master key lies beside the data.")]
pub(super) struct DevArgs {
    /// Where everything is kept [default: $XDG_DATA_HOME/countersign/dev, or
    /// ~/.local/share/countersign/dev] [env: COUNTERSIGN_DATA_DIR].
    #[arg(long, value_name = "DIR")]
    data_dir: Option<PathBuf>,
    /// Keep nothing: use a temporary directory that is removed at the end.
    #[arg(long, conflicts_with = "data_dir", env = "COUNTERSIGN_EPHEMERAL")]
    ephemeral: bool,
    /// Where the HTTP API listens; port 0 takes a free one.
    #[arg(
        long,
        value_name = "ADDRESS",
        default_value = "127.0.0.1:8080",
        env = "COUNTERSIGN_LISTEN"
    )]
    listen: String,
    /// How log lines are written: text or json [default: text].
    #[arg(long, value_name = "FORMAT")]
    log_format: Option<String>,
    /// Which log lines are written: a level or directives [default: warn].
    #[arg(long, value_name = "LEVEL")]
    log_level: Option<String>,
}

pub(super) async fn run(args: DevArgs) -> Result<(), Error> {
    let place = Place::choose(&args)?;
    let config = settings(place.dir(), &args)?;
    crate::telemetry::start_logging(&config.log_level, config.log_format);
    let root_key = config.root_key.clone().unwrap_or_else(|| Secret::new(Vec::new()));
    let until = running::signals()?;
    let node = Box::pin(Node::start(config)).await?;
    let url = demo::url(node.address());
    if let Err(error) = demo::settle(&url, demo::loopback(node.address()), root_key.clone()).await {
        tracing::warn!(%error, "passkeys may not work at {url}: its origin could not be set");
    }
    say(&greeting(&url, &root_key, &place));
    running::until_stopped(node, until, None).await
}

/// Where the data lies, and whether it goes at the end.
enum Place {
    Kept(PathBuf),
    Passing(Passing),
}

/// A temporary directory, removed when dropped.
struct Passing(PathBuf);

impl Drop for Passing {
    fn drop(&mut self) {
        if let Err(error) = std::fs::remove_dir_all(&self.0) {
            tracing::warn!(dir = %self.0.display(), %error, "the temporary directory stays");
        }
    }
}

impl Place {
    fn choose(args: &DevArgs) -> Result<Self, Error> {
        if args.ephemeral {
            let entropy: &mut dyn Entropy = &mut SystemEntropy;
            let name = BASE32_DNSSEC.encode(&entropy.bytes::<10>());
            let dir = std::env::temp_dir().join(format!("countersign-dev-{name}"));
            private_directory(&dir)?;
            return Ok(Self::Passing(Passing(dir)));
        }
        // Not clap's affair: a variable that is set for other commands is no conflict with the
        // flag that asks for a temporary directory.
        let set = || std::env::var_os("COUNTERSIGN_DATA_DIR").filter(|dir| !dir.is_empty());
        let dir = match args.data_dir.clone().or_else(|| set().map(PathBuf::from)) {
            Some(dir) => dir,
            None => default_directory()?,
        };
        private_directory(&dir)?;
        Ok(Self::Kept(dir))
    }

    fn dir(&self) -> &Path {
        match self {
            Self::Kept(dir) | Self::Passing(Passing(dir)) => dir,
        }
    }
}

fn default_directory() -> Result<PathBuf, Error> {
    let variable = |name| std::env::var_os(name).map(PathBuf::from).filter(|dir| dir.is_absolute());
    variable("XDG_DATA_HOME")
        .or_else(|| variable("HOME").map(|home| home.join(".local/share")))
        .map(|data| data.join("countersign/dev"))
        .ok_or_else(|| {
            Error::Usage(
                "neither XDG_DATA_HOME nor HOME is set: give --data-dir or --ephemeral".into(),
            )
        })
}

fn private_directory(dir: &Path) -> Result<(), Error> {
    DirBuilder::new().recursive(true).mode(0o700).create(dir).map_err(|error| Error::DataDir {
        path: dir.to_owned(),
        reason: format!("it cannot be made: {error}"),
    })
}

fn file(action: &'static str, path: &Path) -> impl FnOnce(std::io::Error) -> Error {
    let path = path.to_owned();
    move |error| Error::File { action, path, reason: error.to_string() }
}

fn settings(dir: &Path, args: &DevArgs) -> Result<Config, Error> {
    let variables = sources::variables()?;
    let keys = dir.join(KEY_FILE);
    make_keys(&keys, &variables)?;
    let mut sources = Sources::default();
    let others = variables.into_iter().filter(|(name, _)| !MADE_ONCE.contains(&name.as_str()));
    sources.read_variables(others)?;
    sources.read_file(&keys)?;
    sources.set("data_dir", dir.to_string_lossy(), Origin::Flag("--data-dir".to_owned()));
    for (path, flag, value) in [
        ("api_listen", "--listen", Some(&args.listen)),
        ("log_format", "--log-format", args.log_format.as_ref()),
        ("log_level", "--log-level", args.log_level.as_ref()),
    ] {
        if let Some(value) = value {
            sources.set(path, value, Origin::Flag(flag.to_owned()));
        }
    }
    sources.set("bootstrap", "true", Origin::Default);
    sources.set("join", "", Origin::Default);
    sources.set_default("name", "dev");
    // A free port: other programs have 7080, and nobody joins a node of one's own by default.
    sources.set_default("peer_listen", "127.0.0.1:0");
    sources.set_default("disk_reserve", "64MiB");
    sources.set_default("log_level", "warn");
    // On a machine of one's own the endpoints to try webhooks with are local as well.
    sources.set_default("webhooks.allow_private", "true");
    Ok(Config { inbox: true, sample: true, ..Config::read(&sources)? })
}

/// Makes the key file, unless it is there. It appears whole or not at all.
fn make_keys(path: &Path, variables: &[(String, String)]) -> Result<(), Error> {
    if path.exists() {
        return Ok(());
    }
    let chosen = |name: &str| {
        let chosen = variables.iter().find(|(known, value)| known == name && !value.is_empty());
        chosen.map(|(_, value)| Zeroizing::new(value.clone()))
    };
    let text = Zeroizing::new(format!(
        "# The keys of this development node. The master key seals the secrets in this directory.\n\
         master_key = \"{}\"\n\
         root_key = \"{}\"\n",
        *chosen(MADE_ONCE[0]).unwrap_or_else(keys::master_key),
        *chosen(MADE_ONCE[1]).unwrap_or_else(keys::root_key),
    ));
    let draft = path.with_extension("toml.new");
    match std::fs::remove_file(&draft) {
        Err(error) if error.kind() != ErrorKind::NotFound => {
            return Err(file("removing", &draft)(error));
        }
        _ => {}
    }
    OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(&draft)
        .and_then(|mut file| file.write_all(text.as_bytes()).and_then(|()| file.sync_all()))
        .and_then(|()| std::fs::rename(&draft, path))
        .map_err(file("writing", path))
}

fn greeting(url: &str, root_key: &Secret, place: &Place) -> String {
    let kept = match place {
        Place::Kept(_) => "kept for the next start",
        Place::Passing(_) => "removed at the end",
    };
    let program = std::env::current_exe()
        .map_or_else(|_| "countersign".to_owned(), |path| path.display().to_string());
    format!(
        "Countersign is running. Ctrl-C ends it.\n\
         \n  \
         Try   {url}/ (a sample application: every factor in two minutes)\n  \
         API   {url}/v1\n  \
         Docs  {url}/docs\n  \
         Admin {url}/console (with the key below)\n  \
         Inbox {url}/dev/inbox (codes that would have been sent)\n  \
         Key   {key}\n  \
         Data  {dir} ({kept})\n\
         \n\
         Paste these five lines into another shell: ann enrolls an authenticator app, logs in with\n\
         it, and is refused when she sends the same code again.\n\
         \n\
         {session}\n",
        key = root_key.expose_str(),
        dir = place.dir().display(),
        session = session(url, root_key.expose_str(), &program),
    )
}

/// Five lines for any POSIX shell with curl. `countersign totp` stands in for the phone.
fn session(url: &str, key: &str, program: &str) -> String {
    [
        format!(
            "cs='{program}'; ann=ann-$(date +%s); id() {{ grep -o \"$1_[a-z0-9]*\" | head -n1; }}; \
             api() {{ curl -sS '{url}/v1/'\"$1\" -H 'Authorization: Bearer {key}' \
             -H 'Content-Type: application/json' -d \"$2\"; echo; }}"
        ),
        "enrolled=$(api users/$ann/mfa/totp '{\"name\":\"Phone\"}'); \
         secret=$(echo \"$enrolled\" | grep -o '\"secret\":\"[A-Z2-7]*' | cut -d'\"' -f4)"
            .to_owned(),
        "confirmed=$(api users/$ann/mfa/totp/verify \"{\\\"code\\\":\\\"$(\"$cs\" totp $secret)\\\"}\"); \
         echo \"$confirmed\"; factor=$(echo \"$confirmed\" | id fac)"
            .to_owned(),
        "asked=$(api mfa/challenges \"{\\\"userId\\\":\\\"$ann\\\",\\\"purpose\\\":\\\"LOGIN\\\"}\"); \
         echo \"$asked\"; challenge=$(echo \"$asked\" | id chl)"
            .to_owned(),
        "proof=\"{\\\"challengeId\\\":\\\"$challenge\\\",\\\"factorId\\\":\\\"$factor\\\",\
         \\\"code\\\":\\\"$(\"$cs\" totp --next $secret)\\\"}\"; \
         api mfa/challenges/verify \"$proof\"; api mfa/challenges/verify \"$proof\""
            .to_owned(),
    ]
    .join("\n")
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    #[test]
    fn keys_are_made_once_and_readable_by_their_owner_alone() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join(KEY_FILE);
        make_keys(&path, &[]).unwrap();
        let first = std::fs::read_to_string(&path).unwrap();
        assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        make_keys(&path, &[]).unwrap();
        assert_eq!(std::fs::read_to_string(&path).unwrap(), first);
    }

    #[test]
    fn a_chosen_root_key_is_taken_when_the_keys_are_made() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join(KEY_FILE);
        let chosen = format!("csk_{}", "a".repeat(32));
        make_keys(&path, &[("COUNTERSIGN_ROOT_KEY".to_owned(), chosen.clone())]).unwrap();
        assert!(std::fs::read_to_string(&path).unwrap().contains(&chosen));
    }

    #[test]
    fn an_ephemeral_directory_goes_at_the_end() {
        let args = DevArgs {
            data_dir: None,
            ephemeral: true,
            listen: String::new(),
            log_format: None,
            log_level: None,
        };
        let place = Place::choose(&args).unwrap();
        let dir = place.dir().to_owned();
        assert!(dir.is_dir());
        drop(place);
        assert!(!dir.exists());
    }

    #[test]
    fn the_session_has_five_lines() {
        let session = session("http://127.0.0.1:8080", "csk_x", "countersign");
        assert_eq!(session.lines().count(), 5);
    }
}
