//! What is posted: the event, as the API shows it.

use countersign_actors::gateway::AuditRow;

/// The bytes that are signed and sent.
pub(super) fn of(event: &AuditRow) -> Vec<u8> {
    serde_json::json!({ "type": event.event_type, "data": { "id": event.id } })
        .to_string()
        .into_bytes()
}
