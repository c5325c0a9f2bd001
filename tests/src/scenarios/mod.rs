//! Stories of a cluster that are told more than once: as tests of the shipped binary, and as what
//! a deliberately broken one must stumble over.

mod delivery;
mod older_disk;
mod password_change;
mod slow_commit;
mod stale_leader;
mod unknown_key;

pub use self::delivery::{Moment, Told, delivery};
pub use self::older_disk::{Copied, older_disk};
pub use self::password_change::password_change;
pub use self::slow_commit::slow_commit;
pub use self::stale_leader::stale_leader;
pub use self::unknown_key::unknown_key;
