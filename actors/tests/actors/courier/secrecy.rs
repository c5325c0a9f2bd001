//! What a courier and a herald do can be followed in the log; what they carry cannot be read there.

use std::io;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use countersign_actors::testing::Reception;
use countersign_core::message::Channel;

use crate::station::{Station, until};

/// A log in memory.
#[derive(Clone, Default)]
struct Page(Arc<Mutex<Vec<u8>>>);

impl io::Write for Page {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

// One thread, so that the log of this test is that of its actors too, and of nobody else's.
#[tokio::test(start_paused = true)]
async fn no_code_and_no_destination_is_in_the_log_whatever_happens_to_its_message() {
    let page = Page::default();
    let writer = page.clone();
    let subscriber = tracing_subscriber::fmt()
        .with_ansi(false)
        .with_max_level(tracing_subscriber::filter::LevelFilter::TRACE)
        .with_writer(move || writer.clone())
        .finish();
    let _log = tracing::subscriber::set_default(subscriber);
    let station = Station::new().await;
    let turn = AtomicUsize::new(0);
    station.provider.on_parcel(move |_| match turn.fetch_add(1, Ordering::SeqCst) % 6 {
        0 => Reception::Later(None),
        1 => Reception::Panic,
        2 => Reception::Closed(Duration::from_secs(1)),
        3 => Reception::Hang,
        4 => Reception::Never(400),
        _ => Reception::Take,
    });
    for n in 0..10 {
        station.send(&format!("sms_{n}"), Channel::Sms).await;
        station.send(&format!("email_{n}"), Channel::Email).await;
    }
    until(|| station.waiting() == 0).await;
    let text = String::from_utf8(page.0.lock().unwrap().clone()).unwrap();
    assert!(text.contains("not sent yet") && text.contains("dlv_"), "it can be followed: {text}");
    for parcel in station.provider.parcels() {
        let shown = format!("{parcel:?}");
        for secret in [parcel.message.code.expose_str(), &parcel.message.destination] {
            // A code is six digits, which numbers in the log may hold by chance.
            let seen = text.split(|c: char| !c.is_alphanumeric() && !"@+.".contains(c));
            assert!(!seen.into_iter().any(|word| word == secret), "{secret} is in the log");
            assert!(!shown.contains(secret), "{shown}");
        }
        assert!(!text.contains(&parcel.message.destination));
    }
}
