//! The shapes of the contract: what bodies look like on the wire, and how they become what the
//! core speaks. Names here are the names in the OpenAPI document and, from there, in the SDKs.

mod answer;
pub(crate) mod audit;
pub(crate) mod challenge;
pub(crate) mod cluster;
pub(crate) mod device;
pub(crate) mod factor;
mod list;
mod names;
pub(crate) mod policy;
pub(crate) mod recovery;
pub(crate) mod settings;
pub(crate) mod status;
pub(crate) mod tenant;
mod text;
pub(crate) mod tokens;
pub(crate) mod totp;
pub(crate) mod user;

pub(crate) use answer::{Answer, Created, NoContent};
pub(crate) use list::List;
pub(crate) use names::{
    Algorithm, ChallengeKind, ChallengePurpose, ChallengeReason, ChallengeStatus, FactorStatus,
    FactorType, GraceUnit, Outcome, Requirement, RiskTrigger, ScopeName,
};
pub(crate) use text::{SecretText, Time, nullable, present};
