//! Mail servers that refuse, hang, close half way, or do not protect what they are told.

use std::time::Duration;

use countersign::delivery::Carriers;
use countersign_actors::carrier::{Carried, Carrier, NotCarried};

use crate::parcels::{CODE, carriers, email_to, later, never, nobody_listens};
use crate::smtp_peer::{END, Manners, Says, SmtpPeer};

/// As Postfix says it with `reject_non_fqdn_helo_hostname`.
const NEEDS_NAME: &str = "504 5.5.2 <n1>: Helo command rejected: need fully-qualified hostname";

const ANN: &str = "ann@mail.example";

fn smtp(url: &str) -> Carriers {
    carriers(&[("email.url", url), ("email.from", "Acme <no-reply@acme.example>")])
}

fn manners(answers: &'static [(&'static str, Says)]) -> Manners {
    Manners { answers, ..Manners::default() }
}

/// Waits until something is so.
async fn until(what: impl Fn() -> bool) {
    while !what() {
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
}

#[tokio::test]
async fn one_connection_carries_several_messages() {
    let peer = SmtpPeer::with(&[Manners::default()]).await;
    let carriers = smtp(&peer.url());
    for _ in 0..3 {
        assert_eq!(carriers.carry(&email_to(ANN)).await, Ok(Carried::default()));
    }
    let told = peer.told();
    assert_eq!(told.len(), 1);
    let count = |command: &str| told[0].iter().filter(|line| line.starts_with(command)).count();
    assert_eq!((count("EHLO"), count("MAIL FROM:<no-reply@acme.example>"), count(END)), (1, 3, 3));
}

#[tokio::test]
async fn a_connection_that_was_closed_meanwhile_is_replaced() {
    let first = manners(&[("NOOP", Says::Closes)]);
    let peer = SmtpPeer::with(&[first, Manners::default()]).await;
    let carriers = smtp(&peer.url());
    for _ in 0..2 {
        assert_eq!(carriers.carry(&email_to(ANN)).await, Ok(Carried::default()));
    }
    assert_eq!(peer.told().len(), 2);
}

#[tokio::test]
async fn a_message_given_up_half_way_never_meets_the_next() {
    // Its answer comes after nobody waits for it: on the same connection it would be taken for the
    // answer to the next command.
    let first = manners(&[(END, Says::Late("250 taken", 300))]);
    let peer = SmtpPeer::with(&[first, Manners::default()]).await;
    let carriers = smtp(&peer.url());
    let given_up = email_to("first@mail.example");
    tokio::select! {
        outcome = carriers.carry(&given_up) => panic!("{outcome:?}"),
        () = until(|| peer.everything().lines().any(|line| line == END)) => {}
    }
    assert_eq!(carriers.carry(&email_to("second@mail.example")).await, Ok(Carried::default()));
    let told = peer.told();
    assert_eq!(told.len(), 2);
    assert!(!told[0].concat().contains("second@"));
    assert!(!told[1].concat().contains("first@"));
}

#[tokio::test]
async fn refusals_are_told_apart_by_whom_they_are_about() {
    for (answers, expected) in [
        // Its receiver or the message: 5xx never, 4xx later.
        (&[("RCPT", Says::Line("550 5.1.1 <ann@mail.example> unknown"))], never("smtp_550")),
        (&[("RCPT", Says::Line("451 4.7.1 greylisted"))], later("smtp_451")),
        (&[("RCPT", Says::Line("452 4.2.2 full"))], later("smtp_452")),
        (&[("MAIL", Says::Line("553 5.1.8 sender"))], later("smtp_553_sender")),
        (&[("DATA", Says::Line("554 5.7.1 no"))], never("smtp_554")),
        (&[(END, Says::Line("552 5.3.4 too big"))], never("smtp_552")),
        // Us or the server: later, whatever the digit.
        (&[("MAIL", Says::Line("530 5.7.0 authenticate"))], later("smtp_530")),
        (&[("RCPT", Says::Last("421 4.3.2 closing down"))], later("smtp_421")),
        (&[("EHLO", Says::Line("554 5.7.1 go away"))], later("smtp_554")),
        (&[("RCPT", Says::Line(NEEDS_NAME))], later("smtp_504_helo")),
        (&[("RCPT", Says::Line("554 5.7.1 Relay access denied"))], later("smtp_554_relay")),
        (&[(END, Says::Line("550 5.7.26 no SPF, no DKIM"))], later("smtp_550_sender")),
        // No answer at all.
        (&[("MAIL", Says::Closes)], later("connection_lost")),
        (&[(END, Says::Closes)], later("connection_lost")),
        (&[("EHLO", Says::Closes)], later("connect")),
        (&[("RCPT", Says::Line("what?"))], later("protocol")),
    ] as [(&'static [(&'static str, Says)], NotCarried); 16]
    {
        let peer = SmtpPeer::with(&[manners(answers)]).await;
        let carried = smtp(&peer.url()).carry(&email_to(ANN)).await;
        assert_eq!(carried, Err(expected), "{answers:?}");
    }
}

#[tokio::test]
async fn a_server_that_refuses_us_is_left_alone_like_one_that_is_down() {
    let peer = SmtpPeer::with(&[manners(&[("RCPT", Says::Line(NEEDS_NAME))])]).await;
    let carriers = smtp(&peer.url());
    for _ in 0..5 {
        assert_eq!(carriers.carry(&email_to(ANN)).await, Err(later("smtp_504_helo")));
    }
    let closed = carriers.carry(&email_to(ANN)).await;
    assert!(matches!(closed, Err(NotCarried::Closed { .. })), "{closed:?}");
}

#[tokio::test]
async fn the_server_is_greeted_by_the_set_name_or_by_none_without_a_dot() {
    let greeted = async |settings: &[(&'static str, &str)]| {
        let peer = SmtpPeer::with(&[Manners::default()]).await;
        let url = peer.url();
        let common = [("email.url", url.as_str()), ("email.from", "no-reply@acme.example")];
        let carriers = carriers(&[&common[..], settings].concat());
        assert_eq!(carriers.carry(&email_to(ANN)).await, Ok(Carried::default()));
        let told = peer.everything();
        told.lines().find_map(|line| line.strip_prefix("EHLO ")).unwrap().to_owned()
    };
    assert_eq!(greeted(&[("email.helo", "mail.acme.example")]).await, "mail.acme.example");
    assert_eq!(greeted(&[("email.helo", "192.0.2.1")]).await, "[192.0.2.1]");
    // Whatever this machine is called.
    let by_itself = greeted(&[]).await;
    assert!(by_itself.contains('.') || by_itself.starts_with('['), "{by_itself}");
}

#[tokio::test]
async fn a_refused_receiver_does_not_open_the_breaker_and_a_server_that_is_down_does() {
    let refusing = SmtpPeer::with(&[manners(&[("RCPT", Says::Line("550 no"))])]).await;
    let carriers = smtp(&refusing.url());
    for _ in 0..8 {
        assert_eq!(carriers.carry(&email_to(ANN)).await, Err(never("smtp_550")));
    }
    let busy = Manners { greeting: Some("421 too busy"), ..Manners::default() };
    let down = SmtpPeer::with(&[busy]).await;
    let carriers = smtp(&down.url());
    for _ in 0..5 {
        assert_eq!(carriers.carry(&email_to(ANN)).await, Err(later("smtp_421")));
    }
    let closed = carriers.carry(&email_to(ANN)).await;
    assert!(matches!(closed, Err(NotCarried::Closed { .. })), "{closed:?}");
    assert_eq!(down.told().len(), 5);
}

#[tokio::test]
async fn nobody_listening_is_no_connection() {
    let taken = nobody_listens();
    let url = format!("smtp://{}", taken.local_addr().unwrap());
    assert_eq!(smtp(&url).carry(&email_to(ANN)).await, Err(later("connect")));
    let unknown = smtp("smtp://no-such-host.invalid").carry(&email_to(ANN)).await;
    assert_eq!(unknown, Err(later("connect")));
}

#[tokio::test]
async fn a_slow_server_is_waited_for() {
    let peer = SmtpPeer::with(&[manners(&[(END, Says::Late("250 at last", 1_500))])]).await;
    assert_eq!(smtp(&peer.url()).carry(&email_to(ANN)).await, Ok(Carried::default()));
}

#[tokio::test]
async fn a_server_that_hangs_costs_ten_seconds() {
    let peer = SmtpPeer::with(&[manners(&[("MAIL", Says::Nothing)])]).await;
    assert_eq!(smtp(&peer.url()).carry(&email_to(ANN)).await, Err(later("timeout")));
}

#[tokio::test]
async fn where_tls_is_required_and_not_offered_nothing_is_said() {
    let offers = &["AUTH PLAIN LOGIN"];
    let peer = SmtpPeer::with(&[Manners { offers, ..Manners::default() }]).await;
    let url = format!("smtp://ann:hunter22@{}?tls=required", peer.address);
    assert_eq!(smtp(&url).carry(&email_to(ANN)).await, Err(later("starttls_not_offered")));
    let told = peer.everything();
    assert!(!told.contains("AUTH") && !told.contains("MAIL") && !told.contains(CODE), "{told}");
}

#[tokio::test]
async fn no_password_goes_in_clear_to_another_machine_unless_that_is_meant() {
    let offers = &["AUTH PLAIN LOGIN"];
    let peer = SmtpPeer::with(&[Manners {
        offers,
        answers: &[("AUTH", Says::Line("235 welcome"))],
        ..Manners::default()
    }])
    .await;
    // An address of this machine that is not of the loopback network.
    let elsewhere = format!("0.0.0.0:{}", peer.address.port());
    let carried = smtp(&format!("smtp://ann:hunter22@{elsewhere}")).carry(&email_to(ANN)).await;
    assert_eq!(carried, Err(later("password_in_clear")));
    assert!(!peer.everything().contains("AUTH "));
    for url in [
        format!("smtp://ann:hunter22@{elsewhere}?tls=none"),
        format!("smtp://ann:hunter22@{}", peer.address),
    ] {
        assert_eq!(smtp(&url).carry(&email_to(ANN)).await, Ok(Carried::default()), "{url}");
    }
}

#[tokio::test]
async fn a_server_that_knows_no_passwords_is_given_none() {
    let peer = SmtpPeer::with(&[Manners::default()]).await;
    let url = format!("smtp://ann:hunter22@{}", peer.address);
    assert_eq!(smtp(&url).carry(&email_to(ANN)).await, Err(later("auth_not_offered")));
}

#[tokio::test]
async fn an_address_beyond_ascii_needs_a_server_that_takes_it() {
    let peer = SmtpPeer::with(&[Manners::default()]).await;
    let carried = smtp(&peer.url()).carry(&email_to("änn@mail.example")).await;
    assert_eq!(carried, Err(never("smtputf8_not_offered")));
    let offers = &["SMTPUTF8", "8BITMIME"];
    let peer = SmtpPeer::with(&[Manners { offers, ..Manners::default() }]).await;
    let carried = smtp(&peer.url()).carry(&email_to("änn@mail.example")).await;
    assert_eq!(carried, Ok(Carried::default()));
    assert!(peer.everything().contains("SMTPUTF8"));
}
