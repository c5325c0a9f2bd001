//! `countersign keys`: the secrets that a cluster is founded with.

use clap::Subcommand;
use countersign_core::entropy::Entropy;
use data_encoding::BASE64;
use zeroize::Zeroizing;

use super::say;
use crate::entropy::SystemEntropy;
use crate::error::Error;

#[derive(Debug, Subcommand)]
pub(super) enum KeysCommand {
    /// Print a fresh master key, root key and cluster secret as lines of an environment file.
    ///
    /// All three are the same on every node of a cluster. The master key seals every secret at
    /// rest: keep a copy where the data is not, since nobody can read the secrets without it.
    #[command(after_help = "\
Example:
  countersign keys generate > countersign.env
  chmod 600 countersign.env
  set -a; . ./countersign.env; set +a
  countersign serve --bootstrap --data-dir /var/lib/countersign --name n1")]
    Generate,
}

pub(super) fn run(command: &KeysCommand) -> Result<(), Error> {
    match command {
        KeysCommand::Generate => {
            say(&format!("COUNTERSIGN_MASTER_KEY={}", *master_key()));
            say(&format!("COUNTERSIGN_ROOT_KEY={}", *root_key()));
            say(&format!("COUNTERSIGN_CLUSTER_SECRET={}", *cluster_secret()));
            Ok(())
        }
    }
}

/// Thirty-two random bytes in base64.
pub(super) fn master_key() -> Zeroizing<String> {
    Zeroizing::new(BASE64.encode(&*random()))
}

/// A fresh API key.
pub(super) fn root_key() -> Zeroizing<String> {
    Zeroizing::new(crate::founding::new_root_key().expose_str().to_owned())
}

fn cluster_secret() -> Zeroizing<String> {
    Zeroizing::new(BASE64.encode(&*random()))
}

fn random() -> Zeroizing<[u8; 32]> {
    let entropy: &mut dyn Entropy = &mut SystemEntropy;
    Zeroizing::new(entropy.bytes())
}
