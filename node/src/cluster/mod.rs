//! What makes several nodes one cluster, beside the log: who belongs to it, who leads what, who is
//! there, and whether this node may trust what it knows.
//!
//! ```text
//! registry    the wish: which nodes belong to the cluster (a row of shard 0)
//! reconciler  the way: each shard's leader brings its group to that wish
//! balancer    gives leaderships away to nodes that have fewer
//! elections   calls for a new leader as soon as the old one's lease has ended
//! liveness    which nodes answer
//! currency    whether this node's tenants, keys and policies are up to date
//! will        whether this node wants to lead at all
//! announcing  where this node is, and which release it has
//! joining     how an empty node becomes one of the cluster
//! introductions how a node that was away comes to know those that joined meanwhile
//! credentials the node's certificate, made and renewed by itself
//! disk        how much room is left
//! disks       that no node goes on with an older copy of its disk
//! ```
//!
//! Nothing here decides about users, and nothing here must be needed for safety: that is the log's.

pub(crate) mod announcing;
pub(crate) mod balancer;
pub(crate) mod book;
pub(crate) mod credentials;
pub(crate) mod currency;
pub(crate) mod disk;
pub(crate) mod disks;
pub(crate) mod elections;
pub(crate) mod introductions;
pub(crate) mod joining;
pub(crate) mod liveness;
pub(crate) mod reconciler;
pub(crate) mod registry;
pub(crate) mod will;
