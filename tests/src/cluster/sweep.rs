//! What a killed run left behind: namespaces, bridges and mounts whose maker has ended.

use std::path::PathBuf;

use super::shell::run;

/// Begins the name of every cluster's folder; the maker's process id follows.
pub(super) const FOLDER: &str = "countersign-cluster-";

fn lives(process: &str) -> bool {
    PathBuf::from("/proc").join(process).exists()
}

/// The process id in a name such as `cs4711x0n2`.
fn maker(name: &str) -> Option<&str> {
    let (process, _) = name.strip_prefix("cs")?.split_once('x')?;
    process.parse::<u32>().ok().map(|_| process)
}

/// Removes what belongs to nobody any more.
pub(super) fn sweep() {
    for name in run("ip", &["netns", "list"]).unwrap_or_default().lines() {
        let name = name.split_whitespace().next().unwrap_or_default();
        if maker(name).is_some_and(|process| !lives(process)) {
            let _ = run("ip", &["netns", "delete", name]);
        }
    }
    for line in run("ip", &["-o", "link", "show"]).unwrap_or_default().lines() {
        let name = line.split_whitespace().nth(1).unwrap_or_default();
        let name = name.trim_end_matches(':').split('@').next().unwrap_or_default();
        if maker(name).is_some_and(|process| !lives(process)) {
            let _ = run("ip", &["link", "delete", name]);
        }
    }
    for line in std::fs::read_to_string("/proc/mounts").unwrap_or_default().lines() {
        let Some(mounted) = line.split(' ').nth(1) else { continue };
        if left_behind(mounted) {
            let _ = run("umount", &["--lazy", mounted]);
        }
    }
    for entry in std::fs::read_dir(std::env::temp_dir()).into_iter().flatten().flatten() {
        let path = entry.path();
        if left_behind(&path.to_string_lossy()) {
            let _ = std::fs::remove_dir_all(path);
        }
    }
}

/// Whether a path is of a cluster whose maker has ended.
fn left_behind(path: &str) -> bool {
    let Some((_, rest)) = path.split_once(FOLDER) else { return false };
    let process = rest.split('-').next().unwrap_or_default();
    process.parse::<u32>().is_ok() && !lives(process)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_a_dead_process_made_is_swept() {
        let alive = std::process::id();
        assert!(!left_behind(&format!("/tmp/{FOLDER}{alive}-abc/n1/disk")));
        assert!(left_behind(&format!("/tmp/{FOLDER}4294967290-abc/n1/disk")));
        assert!(!left_behind("/tmp/something-else"));
        assert_eq!(maker("cs12x0n2"), Some("12"));
        assert_eq!(maker("csharp"), None);
        assert_eq!(maker("eth0"), None);
    }
}
