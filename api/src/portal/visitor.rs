//! A browser that holds a session: the address says which, and a cookie of that session's own shows
//! that this browser has it. Whether the session is alive is for the core to say, with everything that
//! is asked.

use std::net::IpAddr;

use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderValue, header};
use countersign_actors::gateway::{Caller, Idempotency, Question};
use countersign_core::command::{Command, Query};
use countersign_core::ids::PortalId;
use countersign_core::portal::{
    PortalCommand, PortalRefusal, PortalReply, PortalView, SessionHash, secret_hash,
};
use countersign_core::reply::{Refusal, Reply};
use countersign_core::tenant::TenantState;
use data_encoding::BASE64URL_NOPAD;
use sha2::{Digest, Sha256};
use std::sync::Arc;

use super::address::{first_page, public_origin, serves_keys, session_in};
use super::pass::{Pass, target};
use super::texts::{self, Texts};
use super::trouble::Trouble;
use crate::client::ClientAddress;
use crate::error::ApiError;
use crate::layers::request_id::RequestId;
use crate::problem::Problem;
use crate::state::ApiState;

/// What a cookie's name begins with over TLS: browsers then take it from this very host, for all of its
/// paths (RFC 6265bis section 4.1.3.2), so that no neighbour within the domain can plant another. On a
/// machine of one's own without TLS not all of them do.
const SECURE_PREFIX: &str = "__Host-";
/// What comes before the session's id in the name of its cookie.
const COOKIE: &str = "countersign_portal_";
/// How long a browser keeps it: as long as the session lasts.
const COOKIE_SECONDS: i64 = countersign_core::portal::SESSION_LIFETIME_MS / 1_000;

/// A browser and the session that it holds.
pub(super) struct Visitor {
    /// The doors to the rest of the house.
    pub(super) api: ApiState,
    /// What the browser holds.
    pub(super) pass: Pass,
    /// The pages' own origin.
    pub(super) origin: String,
    /// What pages say to it.
    pub(super) texts: &'static Texts,
    request_id: String,
    /// Where it asks from, if that is known.
    address: Option<IpAddr>,
    /// What makes a form that is sent twice one, if a form was sent.
    pub(super) once: Option<[u8; 32]>,
}

impl FromRequestParts<ApiState> for Visitor {
    type Rejection = Trouble;

    async fn from_request_parts(parts: &mut Parts, api: &ApiState) -> Result<Self, Trouble> {
        let origin = public_origin(api, &parts.headers).ok_or(Trouble::NoSuchPage)?;
        let session = session_in(parts.uri.path()).ok_or(Trouble::NoSuchPage)?;
        let pass = held(&parts.headers, &origin, session).ok_or(Trouble::NoSession)?;
        let request_id = parts.extensions.get::<RequestId>().map_or("", RequestId::as_str);
        Ok(Self {
            api: api.clone(),
            pass,
            origin,
            texts: texts::wanted(&parts.headers),
            request_id: request_id.to_owned(),
            address: parts.extensions.get::<ClientAddress>().map(|from| from.0),
            once: None,
        })
    }
}

/// The pass to this session, if the browser holds it. A pass to any other is none, whatever the cookie
/// is called.
pub(super) fn held(headers: &HeaderMap, origin: &str, session: PortalId) -> Option<Pass> {
    let wanted = cookie(origin, session);
    let cookies = headers.get_all(header::COOKIE).iter().filter_map(|value| value.to_str().ok());
    let pairs = cookies.flat_map(|text| text.split(';')).filter_map(|it| it.split_once('='));
    let values = pairs.filter(|(name, _)| name.trim() == wanted).map(|(_, value)| value.trim());
    let mut passes = values.filter_map(|value| value.parse::<Pass>().ok());
    passes.find(|pass| pass.portal() == session)
}

fn is_secure(origin: &str) -> bool {
    origin.starts_with("https://")
}

fn cookie(origin: &str, session: PortalId) -> String {
    let prefix = if is_secure(origin) { SECURE_PREFIX } else { "" };
    format!("{prefix}{COOKIE}{session}")
}

/// What gives a browser its pass. `Lax`, since whoever comes here comes from another site; forms are
/// guarded on their own.
pub(super) fn give(pass: &Pass, origin: &str) -> HeaderValue {
    set_cookie(origin, pass.portal(), &pass.text(), COOKIE_SECONDS)
}

/// What takes it away.
pub(super) fn take(origin: &str, session: PortalId) -> HeaderValue {
    set_cookie(origin, session, "", 0)
}

fn set_cookie(origin: &str, session: PortalId, value: &str, seconds: i64) -> HeaderValue {
    let name = cookie(origin, session);
    let place = if is_secure(origin) { "Path=/; Secure" } else { "Path=/portal" };
    let text = format!("{name}={value}; {place}; Max-Age={seconds}; HttpOnly; SameSite=Lax");
    // Ids, tenants and secrets have no characters that a header may not.
    HeaderValue::from_str(&text).unwrap_or(HeaderValue::from_static(""))
}

impl Visitor {
    /// The address of one of the session's pages; `/` is the first.
    pub(super) fn page(&self, rest: &str) -> String {
        format!("{}{}", first_page(self.pass.portal()), if rest == "/" { "" } else { rest })
    }

    /// What is kept of the secret that the browser holds.
    pub(super) fn session(&self) -> SessionHash {
        secret_hash(self.pass.secret())
    }

    /// What a form of this session carries: nobody else can know it, and it says nothing of the
    /// secret that it comes from.
    pub(super) fn token(&self) -> String {
        let mut hash = Sha256::new();
        hash.update(b"a form of the portal\0");
        hash.update(self.pass.secret());
        BASE64URL_NOPAD.encode(&hash.finalize())
    }

    /// The session's tenant.
    pub(super) fn tenant(&self) -> Result<Arc<TenantState>, Trouble> {
        let tenant = self.api.directory.tenant(self.pass.tenant());
        tenant.ok_or(Trouble::NoSession)
    }

    /// Whether security keys and passkeys work on this page.
    pub(super) fn serves_keys(&self, tenant: &TenantState) -> bool {
        serves_keys(&self.origin, &tenant.settings.origins, &tenant.settings.rp_id)
    }

    fn caller(&self, step: &str) -> Caller {
        // What only shows changes nothing, and a kept answer would show it to whoever comes later.
        let changes = step != VIEW && step != SHOW;
        let idempotency = self.once.filter(|_| changes).map(|once| {
            let mut hash = Sha256::new();
            hash.update(once);
            hash.update(step);
            let key: [u8; 32] = hash.finalize().into();
            Idempotency { key, request: key }
        });
        Caller {
            tenant: self.pass.tenant().clone(),
            key: None,
            request_id: self.request_id.clone(),
            address: self.address,
            idempotency,
        }
    }

    async fn ask(&self, step: &str, question: Question) -> Result<Reply, Trouble> {
        // Whoever names a tenant that is not there has no session.
        self.tenant()?;
        let (caller, target) = (self.caller(step), target(self.pass.portal()));
        let reply = self.api.gateway.ask(caller, target, question).await.map_err(Problem::from)?;
        match reply {
            Reply::Portal(reply) => match *reply {
                PortalReply::Refused(PortalRefusal::Unknown) => Err(Trouble::NoSession),
                PortalReply::Refused(refusal) => Err(refusal.into()),
                reply => Ok(reply.into()),
            },
            // Nobody of the tenant has such a session. Acts have refusals of the same name.
            Reply::Refused(Refusal::ChallengeNotFound) if step == VIEW => Err(Trouble::NoSession),
            reply => Ok(reply),
        }
    }

    /// The session, as it stands.
    pub(super) async fn view(&self) -> Result<PortalView, Trouble> {
        let query = Query::Portal(self.pass.portal(), self.session());
        match self.ask(VIEW, Question::Tell(query)).await? {
            Reply::Portal(reply) => match *reply {
                PortalReply::View(view) => Ok(*view),
                _ => Err(unexpected()),
            },
            _ => Err(unexpected()),
        }
    }

    /// Asks for something about the session. What it is called makes it one if the same form is sent
    /// twice, and tells it from what else the form asks for.
    pub(super) async fn wish(&self, step: &str, command: PortalCommand) -> Result<Reply, Trouble> {
        self.ask(step, Question::Do(Command::Portal(Box::new(command)))).await
    }

    /// Does something within the session.
    pub(super) async fn act(&self, step: &str, act: Command) -> Result<Reply, Trouble> {
        let (portal, session) = (self.pass.portal(), self.session());
        self.wish(step, PortalCommand::Act { portal, session, act }).await
    }
}

/// The step that only looks.
const VIEW: &str = "view";
/// The step that shows an enrollment that waits once more.
pub(super) const SHOW: &str = "show";

/// A reply of another kind than its question has.
pub(super) fn unexpected() -> Trouble {
    Problem::from(ApiError::UnexpectedReply { operation: "a hosted page" }).into()
}
