//! An application that sends people to the pages, and a browser there.

use countersign_core::command::{Command, Proof, Query};
use countersign_core::ids::{ChallengeId, PortalId};
use countersign_core::portal::{
    BrowserContext, PortalCommand, PortalOutcome, PortalPurpose, PortalRefusal, PortalReply,
    PortalView, ResultParameter, SessionHash, secret_hash,
};
use countersign_core::reply::{Refusal, Reply};
use countersign_core::secret::Secret;

use crate::story::{App, Story};

pub(crate) const ORIGIN: &str = "http://localhost:8080";
pub(crate) const RETURN_URL: &str = "http://localhost:8080/back?state=1";

/// A link that was made and not opened.
pub(crate) struct Link {
    pub(crate) portal: PortalId,
    pub(crate) secret: Secret,
}

/// A browser that holds a session.
#[derive(Clone, Copy)]
pub(crate) struct Browser {
    pub(crate) portal: PortalId,
    pub(crate) session: SessionHash,
}

pub(crate) fn create(purpose: PortalPurpose, challenge: Option<ChallengeId>) -> Command {
    portal(PortalCommand::Create {
        purpose,
        challenge,
        return_url: RETURN_URL.to_owned(),
        return_origin: ORIGIN.to_owned(),
        result_parameter: ResultParameter::default(),
        browser: BrowserContext::default(),
    })
}

pub(crate) fn portal(command: PortalCommand) -> Command {
    Command::Portal(Box::new(command))
}

/// Asks, and takes the answer about the session.
pub(crate) fn ask(story: &mut Story, command: PortalCommand) -> PortalReply {
    match story.ask(&portal(command)) {
        Reply::Portal(reply) => *reply,
        other => panic!("not about a session: {other:?}"),
    }
}

pub(crate) fn link(
    story: &mut Story,
    purpose: PortalPurpose,
    challenge: Option<ChallengeId>,
) -> Link {
    match story.ask(&create(purpose, challenge)) {
        Reply::Portal(reply) => match *reply {
            PortalReply::Created { id, link, .. } => Link { portal: id, secret: link },
            other => panic!("no link: {other:?}"),
        },
        other => panic!("no link: {other:?}"),
    }
}

pub(crate) fn opening(link: &Link) -> PortalCommand {
    PortalCommand::Open { portal: link.portal, link: secret_hash(link.secret.expose_str()) }
}

pub(crate) fn open(story: &mut Story, link: &Link) -> Browser {
    match ask(story, opening(link)) {
        PortalReply::Opened { session, .. } => {
            Browser { portal: link.portal, session: secret_hash(session.expose_str()) }
        }
        other => panic!("not opened: {other:?}"),
    }
}

/// Somebody who was sent to the pages and arrived.
pub(crate) fn sent(
    story: &mut Story,
    purpose: PortalPurpose,
    challenge: Option<ChallengeId>,
) -> Browser {
    let link = link(story, purpose, challenge);
    open(story, &link)
}

pub(crate) fn fetch(story: &mut Story, portal: PortalId, code: &Secret) -> PortalOutcome {
    match ask(story, fetching(portal, code)) {
        PortalReply::Outcome(outcome) => *outcome,
        other => panic!("nothing came of it: {other:?}"),
    }
}

pub(crate) fn fetching(portal: PortalId, code: &Secret) -> PortalCommand {
    PortalCommand::Fetch { portal, code: secret_hash(code.expose_str()) }
}

pub(crate) fn code_answer(challenge: ChallengeId, app: &App, code: Secret) -> Command {
    Command::Verify {
        challenge,
        proof: Proof::Code { factor: app.id, code },
        remember_device: None,
    }
}

impl Browser {
    pub(crate) fn acting(self, act: Command) -> PortalCommand {
        PortalCommand::Act { portal: self.portal, session: self.session, act }
    }

    pub(crate) fn act(self, story: &mut Story, act: Command) -> Reply {
        story.ask(&portal(self.acting(act)))
    }

    /// Why the pages do not do it; nothing is changed.
    pub(crate) fn refused(self, story: &mut Story, act: Command) -> PortalRefusal {
        refused(story, self.acting(act))
    }

    pub(crate) fn finishing(self, cancelled: bool) -> PortalCommand {
        PortalCommand::Finish { portal: self.portal, session: self.session, cancelled }
    }

    /// Leaves, with a code.
    pub(crate) fn finish(self, story: &mut Story, cancelled: bool) -> Secret {
        match ask(story, self.finishing(cancelled)) {
            PortalReply::Ended { code, .. } => code,
            other => panic!("not ended: {other:?}"),
        }
    }

    pub(crate) fn view(self, story: &Story) -> Result<PortalView, PortalRefusal> {
        match story.tell(&Query::Portal(self.portal, self.session)) {
            Reply::Portal(reply) => match *reply {
                PortalReply::View(view) => Ok(*view),
                PortalReply::Refused(refusal) => Err(refusal),
                other => panic!("no view: {other:?}"),
            },
            other => panic!("no view: {other:?}"),
        }
    }

    /// Enrolls an app and lets its confirming step pass.
    pub(crate) fn enroll(self, story: &mut Story, challenge: Option<ChallengeId>) -> App {
        let app = self.begin(story);
        let code = app.code(story.now);
        match self.act(story, Command::ConfirmTotp { code, name: None, challenge }) {
            Reply::Factor { tokens: None, .. } => {}
            other => panic!("not confirmed, or with tokens for a browser: {other:?}"),
        }
        story.wait_s(60);
        app
    }

    pub(crate) fn begin(self, story: &mut Story) -> App {
        let begin = Command::BeginTotp {
            name: None,
            parameters: Default::default(),
            account_name: None,
            resume: None,
        };
        match self.act(story, begin) {
            Reply::TotpEnrollment(begun) => {
                App { id: begun.factor_id, secret: begun.secret, parameters: begun.parameters }
            }
            other => panic!("not begun: {other:?}"),
        }
    }

    pub(crate) fn verifying(self) -> PortalCommand {
        PortalCommand::BeginVerification { portal: self.portal, session: self.session }
    }

    pub(crate) fn begin_verification(self, story: &mut Story) -> ChallengeId {
        match ask(story, self.verifying()) {
            PortalReply::Verifying { challenge } => challenge,
            other => panic!("no challenge: {other:?}"),
        }
    }

    /// Proves the app within the session.
    pub(crate) fn verify(self, story: &mut Story, app: &App) {
        let challenge = self.begin_verification(story);
        let code = app.code(story.now);
        let reply = self.act(story, code_answer(challenge, app, code));
        assert_eq!(reply, Reply::from(PortalReply::Verified));
        story.wait_s(60);
    }
}

/// Why the pages do not do it; nothing is changed and nothing told.
pub(crate) fn refused(story: &mut Story, command: PortalCommand) -> PortalRefusal {
    match ask(story, command.clone()) {
        PortalReply::Refused(refusal) => {
            assert!(story.events.is_empty() && story.audit.is_empty(), "{command:?}");
            refusal
        }
        other => panic!("{command:?} was not refused: {other:?}"),
    }
}

/// What the application is told of a code that fetches nothing.
pub(crate) fn assert_fetches_nothing(story: &mut Story, portal_id: PortalId, code: &Secret) {
    let refusal = story.refusal(&portal(fetching(portal_id, code)));
    assert!(matches!(refusal, Refusal::NotFound(_)), "{refusal:?}");
    assert!(story.events.is_empty());
}
