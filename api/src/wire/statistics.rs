//! What happened lately, counted over all users.

use countersign_core::statistics::{Counts, Statistics, Window};
use serde::Serialize;
use utoipa::ToSchema;

use super::Time;
use crate::request::{Fields, QueryFields};

/// How far back is looked, and how finely.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, ToSchema)]
pub(crate) enum StatisticsWindow {
    /// An hour, by the minute.
    #[default]
    #[serde(rename = "1h")]
    Hour,
    /// A day, by the quarter of an hour.
    #[serde(rename = "24h")]
    Day,
}

impl QueryFields for StatisticsWindow {
    fn take(&mut self, name: &str, value: &str, fields: &mut Fields) -> bool {
        match (name, value) {
            ("window", "1h") => *self = Self::Hour,
            ("window", "24h") => *self = Self::Day,
            ("window", _) => fields.refuse("/window", "must be `1h` or `24h`"),
            _ => return false,
        }
        true
    }
}

impl From<StatisticsWindow> for Window {
    fn from(window: StatisticsWindow) -> Self {
        match window {
            StatisticsWindow::Hour => Self::Hour,
            StatisticsWindow::Day => Self::Day,
        }
    }
}

impl From<Window> for StatisticsWindow {
    fn from(window: Window) -> Self {
        match window {
            Window::Hour => Self::Hour,
            Window::Day => Self::Day,
        }
    }
}

/// What happened to a tenant's users within a window that ends now.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = Statistics)]
pub(crate) struct StatisticsBody {
    /// The window.
    window: StatisticsWindow,
    /// How long a slot is.
    #[schema(example = 60)]
    slot_seconds: i64,
    /// From when on all of it was counted, if that is later than the window's beginning; null if
    /// nothing is missing.
    counted_since: Option<Time>,
    /// All slots together.
    total: StatisticsCounts,
    /// The slots, the oldest first; the last one is not over.
    slots: Vec<StatisticsSlot>,
}

/// What happened within a slot.
#[derive(Clone, Copy, Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct StatisticsSlot {
    /// When it begins.
    at: Time,
    /// What happened.
    #[serde(flatten)]
    counts: StatisticsCounts,
}

/// How often something happened.
#[derive(Clone, Copy, Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct StatisticsCounts {
    /// Logins and step-ups about which was asked.
    #[schema(example = 120)]
    logins: u32,
    /// Those of them that were challenged.
    #[schema(example = 80)]
    challenges: u32,
    /// Proofs that were right.
    #[schema(example = 78)]
    verifications: u32,
    /// Proofs that were read and refused, be it in a challenge, an enrollment or elsewhere.
    #[schema(example = 3)]
    failures: u32,
    /// Messages with a code that left.
    #[schema(example = 14)]
    sends: u32,
    /// Messages with a code that could not be delivered.
    #[schema(example = 0)]
    delivery_failures: u32,
    /// Users who were locked.
    #[schema(example = 1)]
    lockouts: u32,
    /// Alerts that were raised.
    #[schema(example = 0)]
    alerts: u32,
}

impl From<Counts> for StatisticsCounts {
    fn from(counts: Counts) -> Self {
        Self {
            logins: counts.logins,
            challenges: counts.challenges,
            verifications: counts.verifications,
            failures: counts.failures,
            sends: counts.sends,
            delivery_failures: counts.delivery_failures,
            lockouts: counts.lockouts,
            alerts: counts.alerts,
        }
    }
}

impl From<Statistics> for StatisticsBody {
    fn from(statistics: Statistics) -> Self {
        let Statistics { window, slots, counted_since } = statistics;
        let mut total = Counts::default();
        for (_, counts) in &slots {
            total.merge(counts);
        }
        let slot =
            |(at, counts): (_, Counts)| StatisticsSlot { at: Time(at), counts: counts.into() };
        Self {
            window: window.into(),
            slot_seconds: window.slot_ms() / 1_000,
            counted_since: counted_since.map(Into::into),
            total: total.into(),
            slots: slots.into_iter().map(slot).collect(),
        }
    }
}
