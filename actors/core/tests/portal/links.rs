//! Making links and opening them.

use countersign_core::command::Command;
use countersign_core::context::{Context, Surroundings};
use countersign_core::decide::decide;
use countersign_core::ids::PortalId;
use countersign_core::portal::{
    BrowserContext, LINK_KEPT_MS, LINK_LIFETIME_MS, PortalCommand, PortalPurpose, PortalRefusal,
    SESSION_LIFETIME_MS, SESSIONS_KEPT, secret_hash,
};
use countersign_core::reply::{Refusal, Reply};
use countersign_core::risk::LoginContext;
use countersign_core::system::FEATURE_WEBAUTHN;
use countersign_core::vault::Vault;

use crate::browser::{RETURN_URL, create, link, open, opening, portal, refused, sent};
use crate::story::{GlassVault, Story};

#[test]
fn a_link_is_opened_once() {
    let mut story = Story::new();
    let link = link(&mut story, PortalPurpose::Manage, None);
    assert_eq!(story.audit_types(), ["mfa.portal.created"]);
    let browser = open(&mut story, &link);
    assert_eq!(story.audit_types(), ["mfa.portal.opened"]);
    assert_eq!(refused(&mut story, opening(&link)), PortalRefusal::Used);
    assert!(browser.view(&story).is_ok(), "the first browser keeps its session");
}

#[test]
fn a_link_is_opened_within_ten_minutes_or_never() {
    let mut story = Story::new();
    let [early, late] = [(); 2].map(|()| link(&mut story, PortalPurpose::Manage, None));
    story.wait_ms(LINK_LIFETIME_MS - 1);
    open(&mut story, &early);
    story.wait_ms(1);
    let refusal = refused(&mut story, opening(&late));
    assert_eq!(refusal, PortalRefusal::Expired(RETURN_URL.to_owned()));
}

#[test]
fn a_link_is_opened_by_its_own_secret_alone() {
    let mut story = Story::new();
    let [first, second] = [(); 2].map(|()| link(&mut story, PortalPurpose::Manage, None));
    let guesses = [secret_hash(""), secret_hash(second.secret.expose_str()), [0; 32]];
    for hash in guesses {
        let guess = PortalCommand::Open { portal: first.portal, link: hash };
        assert_eq!(refused(&mut story, guess), PortalRefusal::Unknown);
    }
    let nobody = PortalId::from_bytes([9; 16]);
    let guess = PortalCommand::Open { portal: nobody, link: [0; 32] };
    assert_eq!(refused(&mut story, guess), PortalRefusal::Unknown);
    open(&mut story, &first);
}

#[test]
fn the_secret_of_a_link_is_not_that_of_its_session() {
    let mut story = Story::new();
    let link = link(&mut story, PortalPurpose::Manage, None);
    let hash = secret_hash(link.secret.expose_str());
    let browser = open(&mut story, &link);
    assert_ne!(browser.session, hash);
    let seen = crate::browser::Browser { session: hash, ..browser };
    assert_eq!(seen.view(&story), Err(PortalRefusal::Unknown));
    let state = format!("{:?}", story.state.portal);
    assert!(!state.contains(link.secret.expose_str()), "a digest of it is kept, not the secret");
}

#[test]
fn an_id_names_the_slot_of_its_user() {
    let mut story = Story::new();
    let link = link(&mut story, PortalPurpose::Manage, None);
    let as_challenge = countersign_core::ids::ChallengeId::from_bytes(*link.portal.as_bytes());
    assert_eq!(GlassVault.challenge_user(as_challenge), story.key.hash());
}

#[test]
fn a_user_never_seen_comes_into_being_with_the_first_link() {
    let mut story = Story::new();
    link(&mut story, PortalPurpose::Enroll, None);
    assert!(story.state.exists());
}

#[test]
fn the_way_back_leads_to_an_origin_of_the_settings_and_nowhere_else() {
    let mut story = Story::new();
    for origin in ["https://evil.example", "http://localhost", "http://localhost:80801", ""] {
        let refusal = story.refusal(&portal(PortalCommand::Create {
            purpose: PortalPurpose::Manage,
            challenge: None,
            return_url: format!("{origin}/"),
            result_parameter: Default::default(),
            return_origin: origin.to_owned(),
            browser: BrowserContext::default(),
        }));
        let Refusal::Invalid { pointer, .. } = refusal else { panic!("{refusal:?}") };
        assert_eq!(pointer, "/returnUrl");
        assert!(!story.state.exists());
    }
}

#[test]
fn a_purpose_and_a_challenge_fit_together() {
    let mut story = Story::new();
    story.enroll();
    let challenge = story.challenge();
    let invalid = |refusal: Refusal| match refusal {
        Refusal::Invalid { pointer, .. } => pointer,
        other => panic!("{other:?}"),
    };
    let missing = story.refusal(&create(PortalPurpose::Challenge, None));
    assert_eq!(invalid(missing), "/challengeId");
    let odd = story.refusal(&create(PortalPurpose::Manage, Some(challenge)));
    assert_eq!(invalid(odd), "/challengeId");
    // It is answered by a proof, not by enrolling.
    let refusal = story.refusal(&create(PortalPurpose::Enroll, Some(challenge)));
    assert!(matches!(refusal, Refusal::Conflict(_)), "{refusal:?}");
    link(&mut story, PortalPurpose::Challenge, Some(challenge));
    story.wait_s(300);
    let refusal = story.refusal(&create(PortalPurpose::Challenge, Some(challenge)));
    assert_eq!(refusal, Refusal::ChallengeExpired);
}

#[test]
fn another_users_challenge_is_none() {
    let mut story = Story::new();
    story.enroll();
    let mut other = Story::of("user_2");
    other.enroll();
    let challenge = other.challenge();
    for purpose in [PortalPurpose::Challenge, PortalPurpose::Enroll] {
        let refusal = story.refusal(&create(purpose, Some(challenge)));
        assert_eq!(refusal, Refusal::ChallengeNotFound);
    }
}

#[test]
fn a_session_ends_after_half_an_hour_and_what_is_over_is_forgotten() {
    let mut story = Story::new();
    let browser = sent(&mut story, PortalPurpose::Manage, None);
    story.wait_ms(SESSION_LIFETIME_MS - 1);
    assert!(browser.view(&story).is_ok());
    story.wait_ms(1);
    let expired = PortalRefusal::Expired(RETURN_URL.to_owned());
    assert_eq!(browser.view(&story), Err(expired.clone()));
    assert_eq!(refused(&mut story, browser.finishing(false)), expired);
    story.wait_s(600);
    story.ask(&Command::PutProfile(Default::default()));
    assert!(story.state.portal.is_empty());
}

#[test]
fn a_flood_of_links_ends_no_session_and_is_bounded() {
    let mut story = Story::new();
    let owner = sent(&mut story, PortalPurpose::Manage, None);
    for _ in 1..SESSIONS_KEPT {
        link(&mut story, PortalPurpose::Manage, None);
    }
    let more = create(PortalPurpose::Manage, None);
    assert!(matches!(story.refusal(&more), Refusal::TooManyOpen { .. }));
    // Links that nobody opens make room after a minute, the oldest first; what is open does not.
    story.wait_ms(LINK_KEPT_MS);
    for _ in 0..3 * SESSIONS_KEPT {
        let fresh = link(&mut story, PortalPurpose::Manage, None);
        assert_eq!(story.state.portal.len(), SESSIONS_KEPT);
        open(&mut story, &fresh);
        if story.state.portal.iter().all(|one| one.holder().is_some()) {
            break;
        }
    }
    assert!(matches!(story.refusal(&more), Refusal::TooManyOpen { .. }));
    assert!(owner.view(&story).is_ok());
}

#[test]
fn a_flood_of_sessions_from_one_address_ends_its_own_alone() {
    let mut story = Story::new();
    story.enroll();
    let session = |story: &mut Story, address: &str| {
        let context = LoginContext { ip_address: address.parse().ok(), ..LoginContext::default() };
        let challenge = story.login_from(context, None).challenge.unwrap().id;
        sent(story, PortalPurpose::Challenge, Some(challenge))
    };
    let flood: Vec<_> = (0..SESSIONS_KEPT).map(|_| session(&mut story, "198.51.100.66")).collect();
    let owner = session(&mut story, "203.0.113.7");
    assert_eq!(flood[0].view(&story), Err(PortalRefusal::Unknown));
    assert!(flood[1].view(&story).is_ok() && owner.view(&story).is_ok());
    assert_eq!(story.state.portal.len(), SESSIONS_KEPT);
}

#[test]
fn a_change_of_the_password_ends_sessions_from_before_it() {
    let mut story = Story::new();
    let before = sent(&mut story, PortalPurpose::Manage, None);
    let unopened = link(&mut story, PortalPurpose::Manage, None);
    story.wait_s(1);
    story.ask(&Command::PasswordChanged { changed_at: None });
    assert_eq!(before.view(&story), Err(PortalRefusal::Unknown));
    assert_eq!(refused(&mut story, opening(&unopened)), PortalRefusal::Unknown);
    story.wait_s(1);
    let after = sent(&mut story, PortalPurpose::Manage, None);
    // A report that comes late ends what was there when it happened, not what came after.
    let changed_at = Some(story.now.plus_millis(-1_500));
    story.ask(&Command::PasswordChanged { changed_at });
    assert!(after.view(&story).is_ok());
}

#[test]
fn nothing_happens_before_every_node_understands_it() {
    let mut story = Story::new();
    let link = link(&mut story, PortalPurpose::Manage, None);
    let browser = open(&mut story, &link);
    let around = Surroundings::of(&story.tenant, "kid");
    let mut context = Context {
        now: story.now,
        clock: story.now,
        entropy: &mut story.entropy,
        vault: &GlassVault,
        actor: None,
        feature_level: FEATURE_WEBAUTHN - 1,
    };
    for command in [
        create(PortalPurpose::Manage, None),
        portal(opening(&link)),
        portal(browser.acting(Command::RevokeDevices)),
        portal(browser.verifying()),
        portal(browser.finishing(false)),
    ] {
        let decision = decide(&story.key, &story.state, &command, None, &around, &mut context);
        assert!(matches!(decision.reply, Reply::Refused(Refusal::Conflict(_))), "{command:?}");
        assert!(decision.events.is_empty());
    }
}
