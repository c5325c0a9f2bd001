//! Clocks that are off: a small library, compiled at first use, that a node has preloaded.

use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use super::shell::run;
use super::sweep;

const SOURCE: &str = include_str!("clock.c");

/// The compiled library; `None` where nothing can be compiled.
pub(super) fn library() -> Option<&'static Path> {
    static LIBRARY: OnceLock<Option<PathBuf>> = OnceLock::new();
    LIBRARY
        .get_or_init(|| {
            let built = compile();
            if let Err(reason) = &built {
                eprintln!("clocks cannot be set on this machine: {reason}");
            }
            built.ok()
        })
        .as_deref()
}

fn compile() -> Result<PathBuf, String> {
    let folder = format!("{}{}-clock", sweep::FOLDER, std::process::id());
    let folder = std::env::temp_dir().join(folder);
    std::fs::create_dir_all(&folder).map_err(|error| error.to_string())?;
    let (source, library) = (folder.join("clock.c"), folder.join("clock.so"));
    std::fs::write(&source, SOURCE).map_err(|error| error.to_string())?;
    let (from, to) = (source.to_string_lossy(), library.to_string_lossy());
    // The number that says how far off is aligned, and is written at once.
    run("cc", &["-O2", "-shared", "-fPIC", "-o", &to, &from])?;
    Ok(library)
}
