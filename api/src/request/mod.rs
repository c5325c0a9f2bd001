//! Reading requests: who asks, about what, with which body. Everything comes out parsed, so that
//! a handler never sees a text that still has to be judged.

mod authority;
mod fields;
mod listing;
mod misfit;
pub(crate) mod origin;
mod path;
mod payload;

pub(crate) use authority::{Admin, As, Audit, Cluster, Keys, Mfa, Need, Policy, Root, known_key};
pub(crate) use fields::Fields;
pub(crate) use listing::{
    AuditParams, Filtered, Listing, PageParams, QueryFields, StatisticsParams, UserParams,
    UserSearch,
};
pub(crate) use path::{
    At, ChallengePath, DeliveryPath, DevicePath, FactorPath, KeyPath, NodePath, ShardPath,
    TenantPath, UserPath, WebhookPath,
};
pub(crate) use payload::{Empty, Payload};
