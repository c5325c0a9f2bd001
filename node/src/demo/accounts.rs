//! Who has an account here, in memory.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Mutex, MutexGuard, PoisonError};

use argon2::Argon2;
use countersign_core::entropy::Entropy;
use data_encoding::BASE32_DNSSEC;
use zeroize::Zeroizing;

use crate::entropy::SystemEntropy;

/// More than anybody who tries things out makes, and few enough to be no burden.
const MOST: usize = 1_000;
/// The longest password that is hashed.
pub(super) const PASSWORD_MAX: usize = 256;
/// The shortest that is taken (NIST SP 800-63B-4 section 3.1.1.2, beside a second factor).
pub(super) const PASSWORD_MIN: usize = 8;

/// An account.
#[derive(Clone, Debug)]
pub(super) struct Account {
    /// The application's own id, by which the service knows the person as well.
    pub(super) user: String,
    /// How the person signs in.
    pub(super) email: String,
    /// Ways in which they did, as the tokens named them.
    pub(super) ways: BTreeSet<String>,
    /// Whether they were seen locked.
    pub(super) was_locked: bool,
    password: Hashed,
}

/// A password, salted and hashed: Argon2id (RFC 9106).
#[derive(Clone)]
struct Hashed {
    salt: [u8; 16],
    hash: [u8; 32],
}

impl std::fmt::Debug for Hashed {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Hashed(…)")
    }
}

impl Hashed {
    fn new(salt: [u8; 16], password: &str) -> Option<Self> {
        let mut hash = [0; 32];
        Argon2::default().hash_password_into(password.as_bytes(), &salt, &mut hash).ok()?;
        Some(Self { salt, hash })
    }
}

/// Why there is no account.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Unfit {
    /// Not an address.
    Email,
    /// Too short or too long.
    Password,
    /// Somebody has this address.
    Taken,
    /// There are too many.
    Full,
}

/// All accounts, by their addresses in small letters.
#[derive(Default)]
pub(super) struct Accounts(Mutex<BTreeMap<String, Account>>);

/// An address as it is compared: nobody means two people by capitals.
fn canonical(email: &str) -> String {
    email.trim().to_lowercase()
}

impl Accounts {
    fn all(&self) -> MutexGuard<'_, BTreeMap<String, Account>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Makes an account. Takes as long as a hash does.
    pub(super) fn make(&self, email: &str, password: &Zeroizing<String>) -> Result<Account, Unfit> {
        let email = canonical(email);
        let (name, domain) = email.split_once('@').ok_or(Unfit::Email)?;
        let odd = |c: char| c.is_whitespace() || c.is_control();
        if name.is_empty() || domain.is_empty() || email.len() > 254 || email.contains(odd) {
            return Err(Unfit::Email);
        }
        if !(PASSWORD_MIN..=PASSWORD_MAX).contains(&password.chars().count()) {
            return Err(Unfit::Password);
        }
        let entropy: &mut dyn Entropy = &mut SystemEntropy;
        let password = Hashed::new(entropy.bytes(), password).ok_or(Unfit::Password)?;
        let account = Account {
            user: format!("user_{}", BASE32_DNSSEC.encode(&entropy.bytes::<10>())),
            email: email.clone(),
            ways: BTreeSet::new(),
            was_locked: false,
            password,
        };
        let mut all = self.all();
        if all.contains_key(&email) {
            return Err(Unfit::Taken);
        }
        if all.len() >= MOST {
            return Err(Unfit::Full);
        }
        all.insert(email, account.clone());
        Ok(account)
    }

    /// The account with this address and password. Takes as long for an address that nobody has.
    pub(super) fn find(&self, email: &str, password: &Zeroizing<String>) -> Option<Account> {
        if password.chars().count() > PASSWORD_MAX {
            return None;
        }
        let found = self.all().get(&canonical(email)).cloned();
        let salt = found.as_ref().map_or([0; 16], |account| account.password.salt);
        let given = Hashed::new(salt, password)?;
        found.filter(|account| account.password.hash == given.hash)
    }

    /// The account of a user.
    pub(super) fn of(&self, user: &str) -> Option<Account> {
        self.all().values().find(|account| account.user == user).cloned()
    }

    /// Notes something about a user.
    pub(super) fn note(&self, user: &str, note: impl FnOnce(&mut Account)) {
        if let Some(account) = self.all().values_mut().find(|account| account.user == user) {
            note(account);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn secret(text: &str) -> Zeroizing<String> {
        Zeroizing::new(text.to_owned())
    }

    #[test]
    fn an_account_is_found_with_its_password_alone() {
        let accounts = Accounts::default();
        let made = accounts.make("Ann@Example.com ", &secret("correct horse")).unwrap();
        let found = |email, password| accounts.find(email, &secret(password)).map(|it| it.user);
        assert_eq!(found("ann@example.com", "correct horse"), Some(made.user));
        assert_eq!(found("ann@example.com", "correct horses"), None);
        assert_eq!(found("bob@example.com", "correct horse"), None);
        assert!(!format!("{accounts:?}", accounts = accounts.all()).contains("horse"));
    }

    #[test]
    fn what_cannot_be_an_account_is_named() {
        let accounts = Accounts::default();
        let refused =
            |email: &str, password: &str| accounts.make(email, &secret(password)).map(drop);
        for odd in ["", "ann", "@example.com", "ann@", "a b@example.com"] {
            assert_eq!(refused(odd, "long enough"), Err(Unfit::Email), "{odd}");
        }
        assert_eq!(refused("ann@example.com", "short"), Err(Unfit::Password));
        assert_eq!(refused("ann@example.com", &"x".repeat(257)), Err(Unfit::Password));
        assert_eq!(refused("ann@example.com", "long enough"), Ok(()));
        assert_eq!(refused("ANN@example.com", "long enough"), Err(Unfit::Taken));
    }
}
