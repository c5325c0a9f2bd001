//! Files with secrets are read only if nobody else on the machine can read them.
//!
//! Mounts of container platforms and systemd belong to root and may let one group read: a Kubernetes
//! secret with `defaultMode: 0440` and an `fsGroup`, a systemd credential whose access list shows as
//! the group's mode. That is allowed; what any user can read, or a group write, is not.

use std::fs::File;
use std::io::Read;
use std::os::unix::fs::MetadataExt;
use std::path::Path;

use zeroize::Zeroizing;

/// Everybody but owner and group.
const OTHERS: u32 = 0o007;
/// The group may write.
const GROUP_WRITES: u32 = 0o020;
/// The group may read or execute.
const GROUP_READS: u32 = 0o050;

/// Reads a file that holds a secret.
///
/// # Errors
/// If it cannot be read, or others can.
pub(super) fn read(path: &Path) -> Result<Zeroizing<String>, String> {
    let unreadable = |error| format!("{} cannot be read: {error}", path.display());
    // Judged by what was opened: the name may mean another file a moment later.
    let mut file = File::open(path).map_err(unreadable)?;
    check(&file, path)?;
    let mut text = Zeroizing::new(String::new());
    file.read_to_string(&mut text).map_err(unreadable)?;
    Ok(text)
}

/// Whether nobody but its owner can read an open file, or only a group that root chose.
///
/// # Errors
/// If others can; names the command that mends it.
pub(super) fn check(file: &File, path: &Path) -> Result<(), String> {
    let unreadable = |error| format!("{} cannot be read: {error}", path.display());
    let found = file.metadata().map_err(unreadable)?;
    // A pipe, as of a shell's <(…), has nothing that others could read.
    if !found.is_file() {
        return Ok(());
    }
    let own = rustix::process::geteuid().as_raw();
    judge(found.mode(), found.uid(), found.gid(), own).map_err(|who| {
        let path = path.display();
        let mode = found.mode() & 0o777;
        format!(
            "{path} has mode {mode:03o}: {who} can read or change it. Run: chmod 600 {path} (for a \
             mounted secret set its mode to 0440)"
        )
    })
}

fn judge(mode: u32, owner: u32, group: u32, own: u32) -> Result<(), &'static str> {
    if mode & OTHERS != 0 {
        return Err("every user of this machine");
    }
    let chosen_by_root = owner == 0 && (own != 0 || group == 0);
    if mode & GROUP_WRITES != 0 || (mode & GROUP_READS != 0 && !chosen_by_root) {
        return Err("its group");
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_others_can_read_is_refused_and_mounts_of_root_are_not() {
        let (root, me, group) = (0, 1_000, 2_000);
        for (mode, owner, gid, own, fine) in [
            (0o600, me, me, me, true),
            (0o400, me, me, me, true),
            (0o640, me, group, me, false),
            (0o644, me, me, me, false),
            (0o604, me, me, me, false),
            (0o660, root, group, me, false),
            // Kubernetes with fsGroup, systemd with an access list.
            (0o440, root, group, me, true),
            (0o440, root, root, me, true),
            // Kubernetes, run as root.
            (0o440, root, root, root, true),
            (0o640, root, group, root, false),
            (0o444, root, root, me, false),
        ] {
            assert_eq!(judge(mode, owner, gid, own).is_ok(), fine, "{mode:o} {owner} {gid} {own}");
        }
    }
}
