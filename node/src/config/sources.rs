//! Where settings are written: flags, variables, a file, defaults, in this order of precedence.
//! All arrive as text and remember where they came from, so that an error can name the place.
//! A value that was overridden is still checked for its name, but never read.

use std::collections::BTreeMap;
use std::fmt;
use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};

use toml::de::{DeTable, DeValue};
use zeroize::Zeroizing;

use super::keys::{self, COMMAND_VARIABLES, KEYS, Key, VARIABLE_PREFIX};
use super::secret_file;
use crate::error::Error;

/// Where a value was written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Origin {
    /// A built-in default.
    Default,
    /// The file.
    File {
        /// Which.
        path: PathBuf,
        /// The line, from 1.
        line: usize,
    },
    /// The environment.
    Variable(String),
    /// The command line.
    Flag(String),
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Default => f.write_str("by default"),
            Self::File { path, line } => write!(f, "in {}, line {line}", path.display()),
            Self::Variable(name) => write!(f, "by the variable {name}"),
            Self::Flag(name) => write!(f, "by the flag {name}"),
        }
    }
}

/// A value as it was written. Never printed: it may be a secret.
#[derive(Clone)]
pub struct Given {
    /// The text; lists are joined with commas.
    pub text: Zeroizing<String>,
    /// Where it was written.
    pub origin: Origin,
}

/// What was written for each setting, the most important place winning.
#[derive(Clone, Default)]
pub struct Sources {
    given: BTreeMap<&'static str, Given>,
}

impl Sources {
    /// Lays a value over what was there.
    pub fn set(&mut self, path: &'static str, text: impl Into<String>, origin: Origin) {
        self.given.insert(path, Given { text: Zeroizing::new(text.into()), origin });
    }

    /// Lays a default under what is there.
    pub fn set_default(&mut self, path: &'static str, text: &str) {
        if !self.given.contains_key(path) {
            self.set(path, text, Origin::Default);
        }
    }

    /// What was written for a setting.
    pub fn find(&self, path: &str) -> Option<&Given> {
        self.given.get(path)
    }

    /// Lays the settings of a TOML file over what was there.
    ///
    /// # Errors
    /// If the file cannot be read, is not TOML, or has a key that is no setting.
    pub fn read_file(&mut self, path: &Path) -> Result<(), Error> {
        let unreadable = |reason: String| Error::ConfigUnreadable { path: path.to_owned(), reason };
        let mut file = File::open(path).map_err(|error| unreadable(error.to_string()))?;
        let mut text = Zeroizing::new(String::new());
        let read = file.read_to_string(&mut text);
        read.map_err(|error| unreadable(error.to_string()))?;
        // The parser's own rendering of an error shows the line, which may hold a secret: only its
        // message and its place are passed on.
        let table = DeTable::parse(&text).map_err(|error| Error::ConfigSyntax {
            path: path.to_owned(),
            line: line_of(&text, error.span().map_or(0, |span| span.start)),
            reason: error.message().to_owned(),
        })?;
        self.read_table(path, &text, "", table.get_ref())?;
        let from_here = |given: &Given| matches!(&given.origin, Origin::File { path: file, .. } if file == path);
        let secrets = KEYS.iter().filter(|key| key.secret);
        if let Some(secret) =
            secrets.map(|key| key.path).find(|key| self.find(key).is_some_and(from_here))
        {
            secret_file::check(&file, path).map_err(|reason| Error::InvalidSetting {
                key: secret,
                origin: self.find(secret).map_or(Origin::Default, |given| given.origin.clone()),
                reason,
            })?;
        }
        Ok(())
    }

    fn read_table(
        &mut self,
        file: &Path,
        text: &str,
        prefix: &str,
        table: &DeTable<'_>,
    ) -> Result<(), Error> {
        for (name, value) in table {
            let line = line_of(text, name.span().start);
            let path = format!("{prefix}{}", name.get_ref());
            let unknown = || Error::UnknownKey {
                path: file.to_owned(),
                line,
                key: path.clone(),
                nearest: keys::nearest(&path, KEYS.iter().map(|key| key.path)),
            };
            match (keys::by_path(&path), value.get_ref()) {
                (None, DeValue::Table(inner)) if prefix.is_empty() && is_section(&path) => {
                    self.read_table(file, text, &format!("{path}."), inner)?;
                }
                (None, _) => return Err(unknown()),
                (Some(key), value) => {
                    let origin = Origin::File { path: file.to_owned(), line };
                    let text = as_text(value).ok_or_else(|| Error::InvalidSetting {
                        key: key.path,
                        origin: origin.clone(),
                        reason: "a text, a number, true, false or a list of texts is expected"
                            .to_owned(),
                    })?;
                    self.set(key.path, text, origin);
                }
            }
        }
        Ok(())
    }

    /// Lays the `COUNTERSIGN_*` variables over what was there. An empty value counts as absent.
    ///
    /// # Errors
    /// If one is no setting's.
    pub fn read_variables(
        &mut self,
        variables: impl IntoIterator<Item = (String, String)>,
    ) -> Result<(), Error> {
        for (name, value) in variables {
            if !name.starts_with(VARIABLE_PREFIX) || COMMAND_VARIABLES.contains(&name.as_str()) {
                continue;
            }
            let Some(key) = keys::by_variable(&name) else {
                let known: Vec<String> = KEYS.iter().map(Key::variable).collect();
                let nearest = keys::nearest(&name, known.iter().map(String::as_str));
                return Err(Error::UnknownVariable { name, nearest });
            };
            if !value.is_empty() {
                self.set(key.path, value, Origin::Variable(name));
            }
        }
        Ok(())
    }
}

/// The `COUNTERSIGN_*` variables of this process. Others, even if they are not Unicode, are
/// nobody's business here.
///
/// # Errors
/// If one of them is not Unicode.
pub fn variables() -> Result<Vec<(String, String)>, Error> {
    std::env::vars_os()
        .filter_map(|(name, value)| Some((name.into_string().ok()?, value)))
        .filter(|(name, _)| name.starts_with(VARIABLE_PREFIX))
        .map(|(name, value)| match value.into_string() {
            Ok(value) => Ok((name, value)),
            Err(_) => Err(Error::VariableNotUnicode { name }),
        })
        .collect()
}

fn is_section(name: &str) -> bool {
    KEYS.iter().any(|key| key.path.split_once('.').is_some_and(|(section, _)| section == name))
}

fn as_text(value: &DeValue<'_>) -> Option<String> {
    match value {
        DeValue::String(text) => Some(text.to_string()),
        DeValue::Integer(number) => Some(number.to_string()),
        DeValue::Boolean(truth) => Some(truth.to_string()),
        DeValue::Array(items) => items
            .iter()
            .map(|item| match item.get_ref() {
                DeValue::String(text) => Some(text.to_string()),
                _ => None,
            })
            .collect::<Option<Vec<_>>>()
            .map(|items| items.join(",")),
        _ => None,
    }
}

fn line_of(text: &str, offset: usize) -> usize {
    text.as_bytes().iter().take(offset).filter(|byte| **byte == b'\n').count() + 1
}
