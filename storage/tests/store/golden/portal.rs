//! Sessions on the hosted pages, in all of their stages, and all that happens to one.

use countersign_core::command::RememberDevice;
use countersign_core::event::UserEvent;
use countersign_core::evolve;
use countersign_core::ids::{ChallengeId, FactorId, PortalId};
use countersign_core::portal::{
    Answered, BrowserContext, PortalEvent, PortalPurpose, PortalSession, ResultParameter, Stage,
};
use countersign_core::reply::{Acr, Amr};
use countersign_core::risk::LoginContext;
use countersign_core::user::UserState;
use countersign_storage::records::UserRow;

use super::{a_user, keeps};
use crate::stage::{at, entry, proposal, propose, user};

const fn id(number: u8) -> PortalId {
    PortalId::from_bytes([number; 16])
}

fn answered() -> Answered {
    Answered {
        factor: Some(FactorId::from_bytes([3; 16])),
        acr: Acr::Aal2,
        amr: vec![Amr::Pwd, Amr::Otp, Amr::Mfa],
        remember: Some(RememberDevice { name: Some("Laptop".to_owned()) }),
        user_agent: Some("Browser/1".to_owned()),
    }
}

fn session(number: u8, purpose: PortalPurpose) -> PortalSession {
    PortalSession {
        id: id(number),
        purpose,
        challenge: Some(ChallengeId::from_bytes([9; 16])),
        return_url: "https://app.example.com/back?state=1".to_owned(),
        result_parameter: if number == 4 {
            ResultParameter::Code
        } else {
            ResultParameter::CountersignResult
        },
        login: LoginContext::default(),
        browser: BrowserContext {
            ip_address: Some(std::net::IpAddr::from([203, 0, 113, 7])),
            user_agent: Some("Browser/1".to_owned()),
        },
        created_at: at(1),
        expires_at: at(601),
        stage: Stage::Waiting { link: [number; 32] },
        verification: None,
        verified_at: None,
        verified_by: None,
        enrolling: Vec::new(),
        enrolled: None,
        answered: None,
    }
}

/// One session in each stage.
fn events() -> Vec<PortalEvent> {
    let created = [PortalPurpose::Enroll, PortalPurpose::Challenge, PortalPurpose::Manage]
        .into_iter()
        .zip(1..)
        .chain([(PortalPurpose::Manage, 4)])
        .map(|(purpose, number)| PortalEvent::Created(Box::new(session(number, purpose))));
    let opened = (2..=4).map(|number| PortalEvent::Opened { id: id(number), session: [7; 32] });
    let challenge = ChallengeId::from_bytes([8; 16]);
    let factor = FactorId::from_bytes([3; 16]);
    let code = [6; 32];
    let more = [
        PortalEvent::Verifying { id: id(2), challenge },
        PortalEvent::Verified { id: id(2), factor: Some(factor) },
        PortalEvent::Enrolling { id: id(2), factor },
        PortalEvent::Enrolling { id: id(3), factor },
        PortalEvent::Enrolled { id: id(3), factor },
        PortalEvent::Answered { id: id(3), answered: Box::new(answered()) },
        PortalEvent::Ended { id: id(3), code, cancelled: false },
        PortalEvent::Ended { id: id(4), code, cancelled: true },
        PortalEvent::Fetched { id: id(4) },
    ];
    created.chain(opened).chain(more).collect()
}

fn wrapped() -> Vec<UserEvent> {
    events().into_iter().map(|event| UserEvent::Portal(Box::new(event))).collect()
}

fn a_visiting_user() -> UserState {
    let mut state = a_user();
    evolve::evolve_all(&mut state, &wrapped(), at(5));
    state
}

#[test]
fn sessions_on_the_pages_keep_their_bytes() {
    let state = a_visiting_user();
    let stages: Vec<_> =
        state.portal.iter().map(|one| std::mem::discriminant(&one.stage)).collect();
    let distinct = stages.iter().enumerate().all(|(at, one)| !stages[..at].contains(one));
    assert!(distinct && stages.len() == 4, "one of each stage: {:?}", state.portal);
    keeps("user_portal", &UserRow { version: 17, state });
    let mut happened = proposal(&user(1), 3, at(1), wrapped());
    happened.audit.clear();
    keeps("entry_portal", &entry(18, propose(happened)));
}
