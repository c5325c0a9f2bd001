//! What becomes of a message, and what is recorded of it.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use countersign_actors::ports::Clock;
use countersign_actors::testing::{Fate, FixedVault, Reception};
use countersign_core::command::Command;
use countersign_core::ids::{ChallengeId, UserHash};
use countersign_core::message::{CODE_LIFETIME_MS, Channel};
use countersign_core::outbox::MessageOutcome;
use countersign_core::proposal::LogCommand;
use countersign_core::secret::Secret;
use countersign_core::time::HOUR_MS;
use countersign_core::vault::{Sealed, Vault, VaultError};
use futures::future::join_all;
use tokio::time::Instant;

use crate::station::{Station, failed, pass, sent, until};
use crate::support::options;

const LIFETIME: Duration = Duration::from_millis(CODE_LIFETIME_MS as u64);

#[tokio::test(start_paused = true)]
async fn a_message_is_sent_once_and_its_end_is_told() {
    let station = Station::new().await;
    station.send("bob", Channel::Sms).await;
    station.send("ann", Channel::Email).await;
    assert_eq!(station.settled(2).await, [(sent(), 1), (sent(), 1)]);
    pass(400).await;
    let parcels = station.provider.parcels();
    assert_eq!(parcels.len(), 2, "once each");
    assert_eq!(station.waiting(), 0);
    let told = station.told("mfa.code.sent");
    for (parcel, (row, user)) in parcels.iter().zip(told.iter().zip(["bob", "ann"])) {
        assert_eq!(row.user.as_ref().unwrap().as_str(), user);
        assert_eq!(row.details["channel"], parcel.message.channel.as_str());
        assert_eq!(row.details["deliveryId"], parcel.id.to_string());
        assert_eq!(row.details["attempts"], "1");
        let said = format!("{row:?}");
        assert!(!said.contains(parcel.message.code.expose_str()), "{said}");
        assert!(!said.contains(&parcel.message.destination), "{said}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_message_that_the_provider_refuses_for_now_is_tried_ever_more_rarely_until_taken() {
    let station = Station::new().await;
    let tries = AtomicUsize::new(0);
    station.provider.on_parcel(move |_| match tries.fetch_add(1, Ordering::SeqCst) {
        0..5 => Reception::Later(None),
        _ => Reception::Take,
    });
    let begun = Instant::now();
    station.send("bob", Channel::Sms).await;
    assert_eq!(station.settled(1).await, [(sent(), 6)]);
    assert!(
        begun.elapsed() <= Duration::from_secs(1 + 2 + 4 + 8 + 16 + 1),
        "{:?}",
        begun.elapsed()
    );
    let ids: Vec<_> = station.provider.parcels().iter().map(|parcel| parcel.id).collect();
    assert!(ids.iter().all(|id| *id == ids[0]), "one number over all attempts: {ids:?}");
}

#[tokio::test(start_paused = true)]
async fn a_provider_is_not_asked_before_the_time_that_it_named() {
    let station = Station::new().await;
    let tries = AtomicUsize::new(0);
    station.provider.on_parcel(move |_| match tries.fetch_add(1, Ordering::SeqCst) {
        0 => Reception::Later(Some(Duration::from_secs(90))),
        _ => Reception::Take,
    });
    station.send("bob", Channel::Sms).await;
    station.settled(1).await;
    let parcels = station.provider.parcels();
    assert_eq!(parcels.len(), 2);
    assert!(parcels[1].now.millis_since(parcels[0].now) >= 90_000);
}

#[tokio::test(start_paused = true)]
async fn a_provider_that_is_left_alone_costs_no_attempt_and_hears_nothing_meanwhile() {
    let station = Station::new().await;
    let tries = AtomicUsize::new(0);
    station.provider.on_parcel(move |_| match tries.fetch_add(1, Ordering::SeqCst) {
        0 => Reception::Closed(Duration::from_secs(20)),
        _ => Reception::Take,
    });
    station.send("bob", Channel::Sms).await;
    station.handed(1).await;
    station.send("ann", Channel::Sms).await;
    station.send("eve", Channel::Email).await;
    assert_eq!(station.settled(3).await, [(sent(), 1), (sent(), 1), (sent(), 1)]);
    let parcels = station.provider.parcels();
    let later = parcels[2].now.millis_since(parcels[0].now);
    assert_eq!(parcels[1].message.channel, Channel::Email, "the other channel is not paused");
    assert!(later >= 20_000 && parcels.len() == 4, "{later}");
}

#[tokio::test(start_paused = true)]
async fn a_message_that_is_refused_for_good_fails_visibly_and_at_once() {
    let station = Station::new().await;
    station.provider.on_parcel(|_| Reception::Never(400));
    station.send("bob", Channel::Sms).await;
    assert_eq!(station.settled(1).await, [(failed("http_400"), 1)]);
    let told = station.told("mfa.delivery.failed");
    assert_eq!(told[0].reason.as_deref(), Some("http_400"));
    assert!(told[0].pseudonym.is_some() && told[0].factor_id.is_some());
    pass(400).await;
    assert_eq!(station.provider.parcels().len(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_code_that_died_while_its_provider_was_down_never_goes_out() {
    let station = Station::new().await;
    station.provider.on_parcel(|_| Reception::Later(None));
    station.send("bob", Channel::Sms).await;
    let settled = station.settled(1).await;
    assert_eq!(settled[0].0, failed("expired"));
    assert_eq!(settled[0].1 as usize, station.provider.parcels().len(), "all attempts are counted");
    let died = station.provider.parcels()[0].message.expires_at;
    assert!(station.provider.parcels().iter().all(|parcel| parcel.now < died));
    station.provider.on_parcel(|_| Reception::Take);
    let tried = station.provider.parcels().len();
    pass(600).await;
    assert_eq!(station.provider.parcels().len(), tried);
}

#[tokio::test(start_paused = true)]
async fn an_attempt_that_hangs_is_given_up_and_none_outlives_the_code() {
    let station = Station::new().await;
    station.provider.on_parcel(|_| Reception::Hang);
    let begun = Instant::now();
    station.send("bob", Channel::Email).await;
    assert_eq!(station.settled(1).await[0].0, failed("expired"));
    assert!(begun.elapsed() < LIFETIME + Duration::from_secs(1), "{:?}", begun.elapsed());
    assert_eq!(station.provider.held(), 0, "nothing is on its way any more");
    let tries = station.provider.parcels().len();
    assert!((10..=20).contains(&tries), "15 seconds each and a pause: {tries}");
}

#[tokio::test(start_paused = true)]
async fn a_code_that_was_replaced_never_goes_out() {
    let station = Station::new().await;
    station.provider.on_parcel(|_| Reception::Later(Some(Duration::from_secs(60))));
    station.send("bob", Channel::Sms).await;
    station.handed(1).await;
    pass(35).await;
    station.send_again("bob", Channel::Sms).await;
    station.handed(2).await;
    station.provider.on_parcel(|_| Reception::Take);
    let settled = station.settled(2).await;
    assert_eq!(settled, [(MessageOutcome::Superseded, 1), (sent(), 2)]);
    let parcels = station.provider.parcels();
    let ids: Vec<_> = parcels.iter().map(|parcel| parcel.id).collect();
    assert_eq!(ids.len(), 3);
    assert!(ids[0] != ids[1] && ids[1] == ids[2], "the first is not sent again: {ids:?}");
    assert_eq!(station.told("mfa.delivery.failed").len(), 0, "nobody waits for it");
}

#[tokio::test(start_paused = true)]
async fn the_codes_of_a_user_who_was_reset_or_erased_never_go_out() {
    for command in [Command::Reset { reason: None }, Command::Erase] {
        let station = Station::new().await;
        station.provider.on_parcel(|_| Reception::Later(Some(Duration::from_secs(60))));
        station.send("bob", Channel::Sms).await;
        station.handed(1).await;
        station.act("bob", command).await;
        station.provider.on_parcel(|_| Reception::Take);
        until(|| station.waiting() == 0).await;
        pass(400).await;
        assert_eq!(station.provider.parcels().len(), 1, "not again");
        assert!(station.told("mfa.delivery.failed").is_empty());
    }
}

#[tokio::test(start_paused = true)]
async fn outcomes_that_come_together_are_recorded_together() {
    let station = Station::new().await;
    let records = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&records);
    station.replica.judge_records(move |command| {
        if matches!(command, LogCommand::Settle(_)) {
            counted.fetch_add(1, Ordering::SeqCst);
        }
        Fate::Apply
    });
    let users: Vec<String> = (0..80).map(|n| format!("user_{n}")).collect();
    join_all(users.iter().map(|user| station.send(user, Channel::Sms))).await;
    station.settled(80).await;
    let records = records.load(Ordering::SeqCst);
    assert!(records <= 20, "80 outcomes in {records} entries");
}

#[tokio::test(start_paused = true)]
async fn an_outcome_is_proposed_again_until_it_is_known_to_be_recorded() {
    for lost in [Fate::LoseAnswer, Fate::NotLeader, Fate::ApplyLate] {
        let station = Station::new().await;
        let proposed = Arc::new(AtomicUsize::new(0));
        let count = Arc::clone(&proposed);
        station.replica.judge_records(move |_| match count.fetch_add(1, Ordering::SeqCst) {
            0..3 => lost,
            _ => Fate::Apply,
        });
        station.send("bob", Channel::Sms).await;
        until(|| proposed.load(Ordering::SeqCst) == 4).await;
        station.replica.release();
        pass(400).await;
        assert_eq!(station.settled(1).await, [(sent(), 1)], "{lost:?}: recorded once");
        assert_eq!(station.provider.parcels().len(), 1, "{lost:?}: sent once");
        assert_eq!(proposed.load(Ordering::SeqCst), 4, "{lost:?}: and then never again");
    }
}

#[tokio::test(start_paused = true)]
async fn a_provider_that_panics_over_one_message_harms_no_other() {
    let station = Station::new().await;
    let unlucky = AtomicUsize::new(0);
    station.provider.on_parcel(move |parcel| match parcel.message.channel {
        Channel::Sms if unlucky.fetch_add(1, Ordering::SeqCst) < 3 => Reception::Panic,
        _ => Reception::Take,
    });
    station.send("bob", Channel::Sms).await;
    station.send("ann", Channel::Email).await;
    assert_eq!(station.settled(2).await, [(sent(), 1), (sent(), 4)]);
}

/// Opens no message, and panics over the first few.
#[derive(Default)]
struct BrokenVault {
    panics: AtomicUsize,
    opened: AtomicUsize,
}

impl Vault for BrokenVault {
    fn seal(&self, context: &[u8], nonce: [u8; 24], plain: &[u8]) -> Sealed {
        FixedVault.seal(context, nonce, plain)
    }

    fn open(&self, context: &[u8], sealed: &Sealed) -> Result<Secret, VaultError> {
        if !context.starts_with(b"message:") {
            return FixedVault.open(context, sealed);
        }
        self.opened.fetch_add(1, Ordering::SeqCst);
        let left =
            self.panics.fetch_update(Ordering::SeqCst, Ordering::SeqCst, |n| n.checked_sub(1));
        match left {
            Ok(_) => panic!("the vault fails"),
            Err(_) => Err(VaultError::Broken),
        }
    }

    fn challenge_id(&self, user: UserHash, random: [u8; 8]) -> ChallengeId {
        FixedVault.challenge_id(user, random)
    }

    fn challenge_user(&self, id: ChallengeId) -> UserHash {
        FixedVault.challenge_user(id)
    }

    fn fingerprint(&self, context: &[u8], plain: &[u8]) -> [u8; 16] {
        FixedVault.fingerprint(context, plain)
    }
}

#[tokio::test(start_paused = true)]
async fn a_message_that_cannot_be_opened_fails_visibly() {
    let station = Station::with(options(), Arc::new(BrokenVault::default())).await;
    station.send("bob", Channel::Sms).await;
    assert_eq!(station.settled(1).await, [(failed("unreadable"), 0)]);
    assert!(station.provider.parcels().is_empty());
}

#[tokio::test(start_paused = true)]
async fn a_courier_that_fails_is_begun_anew_ever_more_rarely() {
    let vault = Arc::new(BrokenVault::default());
    vault.panics.store(8, Ordering::SeqCst);
    let station = Station::with(options(), Arc::clone(&vault) as Arc<dyn Vault>).await;
    station.send("bob", Channel::Sms).await;
    pass(2).await;
    let early = vault.opened.load(Ordering::SeqCst);
    assert!((3..=6).contains(&early), "begun anew, in no tight loop: {early}");
    assert_eq!(station.settled(1).await, [(failed("unreadable"), 0)], "it came back each time");
    assert_eq!(vault.opened.load(Ordering::SeqCst), 9);
}

#[tokio::test(start_paused = true)]
async fn a_message_of_a_shard_whose_time_is_ahead_tells_its_provider_real_time() {
    let station = Station::new().await;
    station.replica.set_last_now(station.clock.now().plus_millis(6 * HOUR_MS));
    station.send("bob", Channel::Sms).await;
    assert_eq!(station.settled(1).await, [(sent(), 1)]);
    let parcel = station.provider.parcels().remove(0);
    assert!(parcel.now <= station.clock.now(), "{:?}", parcel.now);
    let left = parcel.message.expires_at.millis_since(parcel.now);
    assert!((1..=CODE_LIFETIME_MS).contains(&left), "{left}");
}
