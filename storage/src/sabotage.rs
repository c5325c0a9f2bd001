//! Deliberate faults, so that the rig can show that it finds them.
//!
//! Each is a failpoint: without the feature `failpoints` all of this is nothing, and with it
//! nothing happens unless a test says so.

use std::borrow::Cow;

use countersign_core::event::UserEvent;

/// Whether a change is applied to whatever version the row has.
pub(crate) fn skips_version_check() -> bool {
    fail::fail_point!("storage::skip_version_check", |_| true);
    false
}

/// The events that reach the stored row: all of them, unless some are to live in the memory of
/// the actor alone.
pub(crate) fn remembered(events: &[UserEvent]) -> Cow<'_, [UserEvent]> {
    fail::fail_point!("storage::forget_step", |_| without(events, |event| {
        matches!(event, UserEvent::StepSpent { .. })
    }));
    fail::fail_point!("storage::forget_attempt", |_| without(events, |event| {
        matches!(event, UserEvent::AttemptFailed { .. })
    }));
    Cow::Borrowed(events)
}

#[cfg_attr(
    not(any(test, feature = "failpoints")),
    allow(dead_code, reason = "a failpoint that is off takes its closure along")
)]
fn without(events: &[UserEvent], forgotten: impl Fn(&UserEvent) -> bool) -> Cow<'_, [UserEvent]> {
    Cow::Owned(events.iter().filter(|event| !forgotten(event)).cloned().collect())
}
