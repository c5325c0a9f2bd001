//! Moments that a reply tells of, by real time.
//!
//! What lives for minutes is given its end by its shard's time, which can be ahead of real time where
//! clocks were ahead (see [`crate::set_time`]). Whoever is told such an end counts down to it by real
//! time. Days and longer are left as they are.

use crate::portal::{PortalReply, PortalView};
use crate::reply::{ChallengeAnswer, Reply};
use crate::time::Timestamp;

impl Reply {
    /// The reply with the ends that a shard gave whose time is `ahead_ms` milliseconds ahead.
    #[must_use]
    pub fn by_real_time(mut self, ahead_ms: i64) -> Self {
        if ahead_ms > 0 {
            self.each_end(&mut |end| *end = end.plus_millis(-ahead_ms));
        }
        self
    }

    fn each_end(&mut self, visit: &mut dyn FnMut(&mut Timestamp)) {
        match self {
            Self::TotpEnrollment(enrollment) => visit(&mut enrollment.expires_at),
            Self::MessageEnrollment(enrollment) => visit(&mut enrollment.expires_at),
            Self::CodeSent(sent) => {
                visit(&mut sent.expires_at);
                visit(&mut sent.resend_available_at);
            }
            Self::Challenge(ChallengeAnswer { challenge: Some(challenge), .. })
            | Self::ChallengeState(challenge) => visit(&mut challenge.expires_at),
            Self::Status(status) => {
                status.locked_until.iter_mut().for_each(&mut *visit);
                for pending in &mut status.pending_enrollments {
                    visit(&mut pending.expires_at);
                }
            }
            Self::Portal(reply) => reply.each_end(visit),
            Self::Done
            | Self::Refused(_)
            | Self::User(_)
            | Self::Factor { .. }
            | Self::Factors(_)
            | Self::RecoveryCodes(_)
            | Self::RecoveryStatus { .. }
            | Self::RecoveryCodeUsed { .. }
            | Self::Challenge(_)
            | Self::Verified(_)
            | Self::Devices(_)
            | Self::CreationOptions(_)
            | Self::RequestOptions(_)
            | Self::Asserted { .. } => {}
        }
    }
}

impl PortalReply {
    fn each_end(&mut self, visit: &mut dyn FnMut(&mut Timestamp)) {
        match self {
            Self::Created { expires_at, .. } | Self::Opened { expires_at, .. } => visit(expires_at),
            Self::Enrollment(enrollment) => visit(&mut enrollment.expires_at),
            Self::View(view) => view.each_end(visit),
            Self::Waiting
            | Self::Verifying { .. }
            | Self::Verified
            | Self::Ended { .. }
            | Self::Outcome(_)
            | Self::Refused(_) => {}
        }
    }
}

impl PortalView {
    fn each_end(&mut self, visit: &mut dyn FnMut(&mut Timestamp)) {
        visit(&mut self.expires_at);
        let single = self.fresh_until.iter_mut().chain(&mut self.locked_until);
        let pending = self.pending.iter_mut().map(|pending| &mut pending.expires_at);
        let challenges = self.challenge.iter_mut().chain(&mut self.verification);
        single.for_each(&mut *visit);
        pending.for_each(&mut *visit);
        challenges.map(|challenge| &mut challenge.expires_at).for_each(&mut *visit);
        for code in self.codes.values_mut() {
            visit(&mut code.next_at);
            code.live_until.iter_mut().for_each(&mut *visit);
        }
    }
}
