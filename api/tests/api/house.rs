//! A house with the API's layer real and the rest in memory, and a caller to knock at its door.

use std::collections::BTreeSet;
use std::net::{IpAddr, SocketAddr};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::extract::ConnectInfo;
use axum::http::{HeaderMap, Method, Request, StatusCode, header};
use countersign_actors::ports::{Clock, Directory, KeyGrant};
use countersign_actors::testing::{FixedVault, ManualClock, SeededSource};
use countersign_api::{ApiOptions, ApiState, new_signing_key, router};
use countersign_core::alerts::Pressure;
use countersign_core::ids::{KeyId, Pseudonym, TenantId, WebhookId};
use countersign_core::policy::Policy;
use countersign_core::sending::{Lane, Traffic};
use countersign_core::settings::Settings;
use countersign_core::system::SystemState;
use countersign_core::tenant::{ApiKey, Scope, TenantState};
use countersign_core::time::Timestamp;
use countersign_core::webhook::Webhook;
use serde_json::Value;
use sha2::{Digest, Sha256};
use tower::ServiceExt;

use crate::gateway::MemoryGateway;

/// A key of all scopes that may also make tenants.
pub(crate) const ROOT_KEY: &str = "csk_root-key-for-tests-000000000000000000";
/// A key of all scopes.
pub(crate) const KEY: &str = "csk_full-key-for-tests-000000000000000000";
/// A key of another tenant, of all scopes.
pub(crate) const OTHER_KEY: &str = "csk_other-tenant-for-tests-00000000000000";
/// 2026-01-31T12:00:00Z.
pub(crate) const NOW: Timestamp = Timestamp::from_millis(1_769_860_800_000);
/// The tokens' `iss`.
pub(crate) const ISSUER: &str = "https://mfa.example";

/// A key that has this scope alone.
pub(crate) fn key_of(scope: Scope) -> String {
    format!("csk_only-{}-for-tests-00000000000000000000", scope.as_str())
}

/// Tenants and the cluster, as a test sets them.
pub(crate) struct MemoryDirectory {
    pub(crate) tenants: Mutex<Vec<TenantState>>,
    pub(crate) system: Mutex<SystemState>,
}

impl Directory for MemoryDirectory {
    fn tenant(&self, id: &TenantId) -> Option<Arc<TenantState>> {
        self.tenants().into_iter().find(|tenant| tenant.id == *id)
    }

    fn tenants(&self) -> Vec<Arc<TenantState>> {
        let tenants = self.tenants.lock().unwrap();
        tenants.iter().filter(|it| it.removed_at.is_none()).cloned().map(Arc::new).collect()
    }

    fn api_key(&self, hash: &[u8; 32]) -> Option<KeyGrant> {
        self.tenants().iter().find_map(|tenant| {
            let key = tenant.api_keys.iter().find(|key| key.hash == *hash)?;
            Some(KeyGrant {
                tenant: tenant.id.clone(),
                id: key.id,
                scopes: key.scopes.clone(),
                root: key.root,
                expires_at: key.expires_at,
            })
        })
    }

    fn system(&self) -> Arc<SystemState> {
        Arc::new(self.system.lock().unwrap().clone())
    }

    fn failures_from(&self, _: &TenantId, _: IpAddr, _: Timestamp) -> u32 {
        0
    }

    fn pressure(
        &self,
        _: &TenantId,
        _: Option<Pseudonym>,
        _: Option<IpAddr>,
        _: Option<KeyId>,
        _: Timestamp,
    ) -> Pressure {
        Pressure::default()
    }

    fn traffic(&self, _: &TenantId, _: &Lane, _: Timestamp) -> Traffic {
        Traffic::default()
    }
}

/// A house.
pub(crate) struct House {
    pub(crate) router: Router,
    pub(crate) gateway: Arc<MemoryGateway>,
    pub(crate) directory: Arc<MemoryDirectory>,
    pub(crate) clock: Arc<ManualClock>,
}

/// What came back.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) bytes: Vec<u8>,
}

impl Answer {
    pub(crate) fn json(&self) -> Value {
        serde_json::from_slice(&self.bytes).unwrap_or_else(|error| panic!("{error}: {self:?}"))
    }

    pub(crate) fn text(&self) -> &str {
        std::str::from_utf8(&self.bytes).unwrap()
    }

    pub(crate) fn header(&self, name: impl header::AsHeaderName) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().unwrap())
    }

    /// The code of a problem, after a look at the shape that all have.
    pub(crate) fn problem(&self) -> String {
        assert_eq!(self.header(header::CONTENT_TYPE), "application/problem+json", "{self:?}");
        let body = self.json();
        let code = body["code"].as_str().unwrap().to_owned();
        assert_eq!(body["type"], format!("/problems/{}", code.replace('_', "-")));
        assert_eq!(body["status"], self.status.as_u16());
        assert_eq!(body["requestId"], self.header("x-request-id"));
        assert!(!body["title"].as_str().unwrap().is_empty());
        assert!(body["detail"].as_str().unwrap().ends_with('.'), "{body}");
        let seconds = body.get("retryAfterSeconds").map(Value::to_string).unwrap_or_default();
        assert_eq!(seconds, self.header(header::RETRY_AFTER));
        code
    }

    /// The pointers of a `validation_failed`, in order.
    pub(crate) fn pointers(&self) -> Vec<String> {
        assert_eq!(self.problem(), "validation_failed", "{self:?}");
        assert_eq!(self.status, 422);
        let errors = self.json()["errors"].clone();
        let pointer = |error: &Value| error["pointer"].as_str().unwrap().to_owned();
        errors.as_array().unwrap().iter().map(pointer).collect()
    }
}

/// A request in the making.
pub(crate) struct Knock<'a> {
    house: &'a House,
    method: Method,
    path: String,
    headers: Vec<(String, String)>,
    body: Vec<u8>,
    peer: Option<SocketAddr>,
}

impl<'a> Knock<'a> {
    pub(crate) fn key(self, key: &str) -> Self {
        self.header("authorization", &format!("Bearer {key}"))
    }

    /// Over a connection from this address.
    pub(crate) fn from(mut self, address: &str) -> Self {
        self.peer = Some(SocketAddr::new(address.parse().unwrap(), 4711));
        self
    }

    pub(crate) fn header(mut self, name: &str, value: &str) -> Self {
        self.headers.push((name.to_owned(), value.to_owned()));
        self
    }

    pub(crate) fn json(self, body: &Value) -> Self {
        self.raw("application/json", body.to_string())
    }

    pub(crate) fn raw(mut self, content_type: &str, body: impl Into<Vec<u8>>) -> Self {
        self.body = body.into();
        if content_type.is_empty() { self } else { self.header("content-type", content_type) }
    }

    pub(crate) async fn send(self) -> Answer {
        let mut request = Request::builder().method(self.method).uri(&self.path);
        if !self.headers.iter().any(|(name, _)| name == "host") {
            request = request.header(header::HOST, "localhost:8080");
        }
        for (name, value) in &self.headers {
            request = request.header(name, value);
        }
        if let Some(peer) = self.peer {
            request = request.extension(ConnectInfo(peer));
        }
        let request = request.body(Body::from(self.body)).unwrap();
        let response = self.house.router.clone().oneshot(request).await.unwrap();
        let (parts, body) = response.into_parts();
        let bytes = to_bytes(body, usize::MAX).await.unwrap().to_vec();
        Answer { status: parts.status, headers: parts.headers, bytes }
    }
}

impl House {
    pub(crate) fn new() -> Self {
        Self::with(|_| {})
    }

    /// With other options.
    pub(crate) fn with(change: impl FnOnce(&mut ApiOptions)) -> Self {
        let clock = Arc::new(ManualClock::new(NOW));
        let entropy = Arc::new(SeededSource::new(7));
        let vault = Arc::new(FixedVault);
        let signing_key = new_signing_key(entropy.as_ref(), vault.as_ref(), NOW).unwrap();
        let system = SystemState {
            cluster_id: "clu_test".to_owned(),
            shards: 16,
            founded_at: NOW,
            data_keys: Vec::new(),
            signing_keys: vec![signing_key],
            ..SystemState::default()
        };
        let directory = Arc::new(MemoryDirectory {
            tenants: Mutex::new(vec![default_tenant(), other_tenant()]),
            system: Mutex::new(system),
        });
        let gateway = Arc::new(MemoryGateway::new(Arc::clone(&directory), Arc::clone(&clock)));
        let mut options = ApiOptions::new(ISSUER);
        options.request_timeout = Duration::from_secs(5);
        change(&mut options);
        let state = ApiState::new(
            Arc::clone(&gateway) as _,
            Arc::clone(&directory) as _,
            vault,
            Arc::clone(&clock) as Arc<dyn Clock>,
            entropy,
            options,
        );
        Self { router: router(state), gateway, directory, clock }
    }

    /// A request without a key.
    pub(crate) fn knock(&self, method: &str, path: &str) -> Knock<'_> {
        Knock {
            house: self,
            method: method.parse().unwrap(),
            path: path.to_owned(),
            headers: Vec::new(),
            body: Vec::new(),
            peer: None,
        }
    }

    pub(crate) async fn get(&self, path: &str) -> Answer {
        self.knock("GET", path).key(KEY).send().await
    }

    pub(crate) async fn post(&self, path: &str, body: &Value) -> Answer {
        self.knock("POST", path).key(KEY).json(body).send().await
    }

    pub(crate) async fn put(&self, path: &str, body: &Value) -> Answer {
        self.knock("PUT", path).key(KEY).json(body).send().await
    }

    pub(crate) async fn patch(&self, path: &str, body: &Value) -> Answer {
        self.knock("PATCH", path).key(KEY).json(body).send().await
    }

    pub(crate) async fn delete(&self, path: &str) -> Answer {
        self.knock("DELETE", path).key(KEY).send().await
    }
}

fn api_key(number: u8, text: &str, scopes: &[Scope], root: bool) -> ApiKey {
    ApiKey {
        id: KeyId::from_bytes([number; 16]),
        name: format!("key {number}"),
        hash: Sha256::digest(text.as_bytes()).into(),
        scopes: scopes.iter().copied().collect::<BTreeSet<_>>(),
        root,
        created_at: NOW.plus_millis(i64::from(number)),
        expires_at: None,
    }
}

fn tenant(id: &str, api_keys: Vec<ApiKey>) -> TenantState {
    TenantState {
        api_keys,
        ..TenantState::new(
            id.parse().unwrap(),
            id.to_owned(),
            NOW,
            Policy::initial(NOW),
            Settings::initial(),
        )
    }
}

fn default_tenant() -> TenantState {
    let mut keys =
        vec![api_key(1, ROOT_KEY, &Scope::ALL, true), api_key(2, KEY, &Scope::ALL, false)];
    for (number, scope) in (3..).zip(Scope::ALL) {
        keys.push(api_key(number, &key_of(scope), &[scope], false));
    }
    let mut tenant = tenant("default", keys);
    tenant.webhooks.push(Webhook {
        id: WebhookId::from_bytes([6; 16]),
        url: "https://acme.example/hooks".to_owned(),
        events: vec!["mfa.*".to_owned()],
        description: None,
        secrets: Vec::new(),
        created_at: NOW,
        disabled: None,
    });
    tenant
}

fn other_tenant() -> TenantState {
    tenant("other", vec![api_key(99, OTHER_KEY, &Scope::ALL, false)])
}
