//! What webhooks are told: an audit event as `GET /v1/audit` shows it, without what it takes to
//! verify it offline.

use countersign_actors::gateway::AuditRow;
use serde_json::{Value, json};

use crate::wire::Time;
use crate::wire::audit::AuditEvent;

/// The body of a delivery, as Standard Webhooks shapes it: `{type, timestamp, data}`. The same row
/// gives the same body, unless its user was erased meanwhile: then it names nobody.
pub fn webhook_body(row: &AuditRow) -> Value {
    // An audit event is plain data and always serialises.
    let mut data = serde_json::to_value(AuditEvent::from(row.clone())).unwrap_or_default();
    if let Some(members) = data.as_object_mut() {
        members.remove("proof");
    }
    json!({ "type": row.event_type, "timestamp": Time(row.at), "data": data })
}
