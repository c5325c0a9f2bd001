//! Whom a change of policy would affect.

use countersign_actors::gateway::PolicyPreview;
use countersign_core::preview::Standings;
use serde::Serialize;
use utoipa::ToSchema;

/// What a change of the policy would mean for users who log in, were it made now. Trusted devices
/// are not taken into account.
#[derive(Clone, Copy, Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = PolicyPreview)]
pub(crate) struct PreviewBody {
    /// How many users there are: an estimate if not all were looked at, null if too few were.
    #[schema(example = 1204)]
    users: Option<u64>,
    /// How many were looked at; all else counts these.
    #[schema(example = 1204)]
    scanned: u64,
    /// Whether these are all. If not, they are a fair share, and time was up.
    complete: bool,
    /// Users who would have something else to expect.
    #[schema(example = 310)]
    affected: u64,
    /// Users who are asked for a factor that they have, at every login.
    challenged: BeforeAndAfter,
    /// Users who are asked only if a sign of risk is seen.
    challenged_at_risk: BeforeAndAfter,
    /// Users who must enroll a factor before they get in.
    must_enroll: BeforeAndAfter,
    /// Users who must enroll a factor before their grace period ends, and get in until then.
    in_grace: BeforeAndAfter,
    /// Users who are not asked for anything.
    not_asked: BeforeAndAfter,
    /// Users who have no factor that counts, whatever is asked of them.
    without_usable_factor: BeforeAndAfter,
}

/// How many users, as it is and as it would be.
#[derive(Clone, Copy, Debug, Serialize, ToSchema)]
pub(crate) struct BeforeAndAfter {
    /// As it is.
    #[schema(example = 890)]
    before: u64,
    /// As it would be.
    #[schema(example = 1200)]
    after: u64,
}

impl From<PolicyPreview> for PreviewBody {
    fn from(preview: PolicyPreview) -> Self {
        let PolicyPreview { found, complete, users } = preview;
        let both = |count: fn(&Standings) -> u64| BeforeAndAfter {
            before: count(&found.before),
            after: count(&found.after),
        };
        Self {
            users,
            scanned: found.scanned,
            complete,
            affected: found.affected,
            challenged: both(|them| them.challenged),
            challenged_at_risk: both(|them| them.at_risk),
            must_enroll: both(|them| them.must_enroll),
            in_grace: both(|them| them.in_grace),
            not_asked: both(|them| them.not_asked),
            without_usable_factor: both(|them| them.without_usable_factor),
        }
    }
}
