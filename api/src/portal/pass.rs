//! What links, browsers and codes hold, as text: which session, and a secret.
//!
//! The session's id names the user's slot to whoever has the cluster's keys, and nobody else. A
//! browser has no API key, so its text also names the tenant; one that names another leads to a
//! session that is not there.

use std::fmt;
use std::str::FromStr;

use countersign_actors::gateway::Target;
use countersign_core::ids::{ChallengeId, PortalId, TenantId};
use countersign_core::secret::Secret;

/// What codes begin with.
const CODE_PREFIX: &str = "pcd_";
/// What ids of sessions begin with.
const ID_PREFIX: &str = "pts_";
/// Characters of a secret: 32 bytes in base64url.
const SECRET_LENGTH: usize = 43;

/// What a text that is none of these gives.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Malformed;

/// Whom a question about a session is about. Its bytes are made as a challenge's are, so that what
/// routes the one routes the other.
pub(crate) fn target(id: PortalId) -> Target {
    Target::Challenge(ChallengeId::from_bytes(*id.as_bytes()))
}

fn secret(text: &str) -> Result<Secret, Malformed> {
    let fits = text.len() == SECRET_LENGTH
        && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_');
    fits.then(|| Secret::from(text.to_owned())).ok_or(Malformed)
}

/// What a link or a browser holds.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Pass {
    id: PortalId,
    tenant: TenantId,
    secret: Secret,
}

/// Tells no secret: this text may reach a log line.
impl fmt::Debug for Pass {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Pass").field("id", &self.id).finish_non_exhaustive()
    }
}

impl Pass {
    /// Puts one together.
    pub(crate) const fn new(id: PortalId, tenant: TenantId, secret: Secret) -> Self {
        Self { id, tenant, secret }
    }

    /// Which session.
    pub(crate) const fn portal(&self) -> PortalId {
        self.id
    }

    /// Of which tenant.
    pub(crate) const fn tenant(&self) -> &TenantId {
        &self.tenant
    }

    /// The secret.
    pub(crate) fn secret(&self) -> &str {
        self.secret.expose_str()
    }

    /// The same as a text.
    pub(crate) fn text(&self) -> String {
        format!("{}.{}.{}", self.id, self.tenant, self.secret())
    }

    /// The link that opens the session.
    pub(crate) fn link(&self, origin: &str) -> String {
        format!("{origin}/portal/open/{}", self.text())
    }
}

impl FromStr for Pass {
    type Err = Malformed;

    fn from_str(text: &str) -> Result<Self, Malformed> {
        let mut parts = text.split('.');
        let (Some(id), Some(tenant), Some(kept), None) =
            (parts.next(), parts.next(), parts.next(), parts.next())
        else {
            return Err(Malformed);
        };
        Ok(Self {
            id: id.parse().map_err(|_| Malformed)?,
            tenant: tenant.parse().map_err(|_| Malformed)?,
            secret: secret(kept)?,
        })
    }
}

/// What the application fetches a result with.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct ResultCode {
    id: PortalId,
    secret: Secret,
}

impl ResultCode {
    /// Puts one together.
    pub(crate) const fn new(id: PortalId, secret: Secret) -> Self {
        Self { id, secret }
    }

    /// Which session.
    pub(crate) const fn portal(&self) -> PortalId {
        self.id
    }

    /// Whom it is about.
    pub(crate) fn target(&self) -> Target {
        target(self.id)
    }

    /// The secret.
    pub(crate) fn secret(&self) -> &str {
        self.secret.expose_str()
    }

    /// The same as a text.
    pub(crate) fn text(&self) -> String {
        let id = self.id.to_string();
        let id = id.strip_prefix(ID_PREFIX).unwrap_or(&id);
        format!("{CODE_PREFIX}{id}.{}", self.secret())
    }
}

impl FromStr for ResultCode {
    type Err = Malformed;

    fn from_str(text: &str) -> Result<Self, Malformed> {
        let (id, kept) = text
            .strip_prefix(CODE_PREFIX)
            .and_then(|rest| rest.split_once('.'))
            .ok_or(Malformed)?;
        let id = format!("{ID_PREFIX}{id}").parse().map_err(|_| Malformed)?;
        Ok(Self { id, secret: secret(kept)? })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECRET: &str = "0123456789abcdefghijklmnopqrstuvwxyzABCDE-_";

    #[test]
    fn a_pass_and_a_code_have_one_spelling() {
        let (id, kept) = (PortalId::from_bytes([7; 16]), Secret::from(SECRET.to_owned()));
        let pass = Pass::new(id, TenantId::default_tenant(), kept.clone());
        assert_eq!(pass.text().parse(), Ok(pass.clone()));
        let code = ResultCode::new(id, kept);
        assert!(code.text().starts_with("pcd_"));
        assert!(code.text().parse() == Ok(code.clone()));
        for odd in [
            "",
            "..",
            &pass.text().to_uppercase(),
            &format!("{}.", pass.text()),
            &format!("{}x", pass.text()),
            &pass.text().replace("pts_", "chl_"),
            &pass.text().replace(".default.", ".a/b."),
            &pass.text().replace('_', "+"),
        ] {
            assert_eq!(odd.parse::<Pass>(), Err(Malformed), "{odd}");
        }
        for odd in ["", "pcd_", &code.text().replace("pcd_", "pts_"), &pass.text()] {
            assert!(odd.parse::<ResultCode>() == Err(Malformed), "{odd}");
        }
    }

    #[test]
    fn no_secret_is_printed() {
        let kept = Secret::from(SECRET.to_owned());
        let pass = Pass::new(PortalId::from_bytes([7; 16]), TenantId::default_tenant(), kept);
        assert!(!format!("{pass:?}").contains(SECRET));
    }
}
