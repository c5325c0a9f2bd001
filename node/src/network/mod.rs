//! How nodes talk to each other: HTTP/2 over TLS 1.3, with bincode bodies.
//!
//! ```text
//! authority ── identity ── credentials ── tls     who a peer is, proved on every connection
//! dial ── peers                                   connections to others: made, kept, given up
//! wire ── call                                    what is said, and how much of it
//! server ── contact                               what is heard
//! raft ── append ── snapshot                      Raft's own traffic
//! join                                            how a node without a certificate gets one
//! ```
//!
//! A peer is taken for what its certificate says, never for what its messages say; and only if the
//! registry has a member of that number with that very key: whoever holds the master key and an old
//! disk can issue certificates, but not registrations. What is
//! malformed, oversized or foreign is refused and counted, and changes nothing.

mod append;
pub(crate) mod authority;
mod body;
mod call;
mod contact;
mod credentials;
mod dial;
mod frames;
mod identity;
mod join;
mod peers;
mod raft;
mod refused;
mod server;
mod snapshot;
#[cfg(test)]
mod tests;
mod tls;
mod wire;

pub(crate) use self::call::{Announcement, Answer, Call, CallError, Changed, ClusterChange};
pub(crate) use self::contact::Contact;
pub(crate) use self::credentials::{CredentialHolder, KeyPair, PeerCertificates};
pub use self::dial::{Dial, Stream, TcpDial};
pub(crate) use self::identity::{PeerIdentity, PeerKey};
pub(crate) use self::join::{JoinError, join};
pub(crate) use self::peers::{AddressBook, Peers};
pub(crate) use self::raft::PeerNetworks;
pub(crate) use self::refused::Refused;
pub(crate) use self::server::{Answerer, PeerServer, PeerServing};
pub(crate) use self::wire::{JoinGrant, JoinRefusal, JoinRequest, Member};
