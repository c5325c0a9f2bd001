//! What a simulated node can be made to do wrong, so that the checks can be seen to notice.

/// One deliberate fault of a node. No run has more than one.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Sabotage {
    /// Nothing is wrong.
    #[default]
    None,
    /// The log reports entries as written before they are on disk (Raft section 5.2 forbids it).
    AcknowledgeBeforeSync,
    /// The state machine applies a decision whatever version the row has.
    NoVersionCheck,
    /// No answer is kept for its idempotency key.
    ForgetAnswers,
    /// A won term is taken on, and an unchanged row answered from, without a quorum's word.
    UnconfirmedLeader,
    /// A reply leaves before the log has taken the decision.
    ReplyBeforeCommit,
}
