//! Three etcd members on this machine and a client for them, so that a rate of Countersign's can
//! stand beside a rate that others know.
//!
//! Only what measuring needs: `KV.Put`, and whether it was done. The protobuf messages are three
//! fields, so they are written and read by hand, and etcd needs no generated code here. The members
//! run with etcd's own defaults, each write synced to disk before its answer.
//!
//! - [`members`]: the processes and their data directories.
//! - [`connection`]: gRPC over HTTP/2; many clients share one connection, as in etcd's own
//!   `benchmark` tool.
//! - [`message`]: the bytes of a `PutRequest` and of a `PutResponse`.
//!
//! Must never count a put as done that etcd did not acknowledge with `grpc-status: 0` and a
//! revision.

pub mod connection;
pub mod members;
pub mod message;

pub use self::connection::{Connection, PutError};
pub use self::members::{Members, StartError, version};
