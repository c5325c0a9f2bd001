//! The links themselves: what they claim to do to bytes really happens.

use std::future::poll_fn;
use std::task::Poll;
use std::time::Duration;

use countersign::{Dial, Stream};
use countersign_tests::inside::{LinkDial, Links};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::time::Instant;

/// A connection from place 0 to place 1: the links, the near end and the far end.
async fn connected() -> (Links, Box<dyn Stream>, TcpStream) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap().to_string();
    let links = Links::default();
    links.settle(1, &address);
    let near = LinkDial::new(links.clone(), 0).dial(2, &address).await.unwrap();
    let (far, _) = listener.accept().await.unwrap();
    (links, near, far)
}

/// Whether something is not done at once.
async fn waits<T>(future: impl Future<Output = T>) -> bool {
    let mut future = Box::pin(future);
    poll_fn(|context| Poll::Ready(future.as_mut().poll(context).is_pending())).await
}

#[tokio::test]
async fn what_is_said_over_a_cut_link_waits_and_arrives_once_it_is_healed() {
    let (links, mut near, mut far) = connected().await;
    links.cut(0, 1);
    assert!(waits(near.write_all(b"lost?")).await);
    // The other direction is another link.
    far.write_all(b"heard").await.unwrap();
    let mut heard = [0; 5];
    near.read_exact(&mut heard).await.unwrap();
    assert_eq!(&heard, b"heard");
    links.cut(1, 0);
    far.write_all(b"later").await.unwrap();

    let speaking = tokio::spawn(async move {
        near.write_all(b"not lost").await.unwrap();
        let mut heard = [0; 5];
        near.read_exact(&mut heard).await.unwrap();
        heard
    });
    let mut said = [0; 8];
    assert!(waits(far.read_exact(&mut said)).await);
    links.heal(0, 1);
    far.read_exact(&mut said).await.unwrap();
    assert_eq!(&said, b"not lost");
    // Its other link is cut still.
    tokio::task::yield_now().await;
    assert!(!speaking.is_finished());
    links.heal(1, 0);
    assert_eq!(&speaking.await.unwrap(), b"later");
    assert_eq!((links.carried(0, 1), links.carried(1, 0)), (8, 10));
}

#[tokio::test]
async fn no_connection_is_made_over_a_link_that_is_cut_in_either_direction() {
    for (from, to) in [(0, 1), (1, 0)] {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap().to_string();
        let links = Links::default();
        links.settle(1, &address);
        links.cut(from, to);
        let dial = LinkDial::new(links.clone(), 0);
        assert!(waits(dial.dial(2, &address)).await);
        links.heal(from, to);
        assert!(dial.dial(2, &address).await.is_ok());
    }
}

#[tokio::test]
async fn a_connection_that_is_given_up_while_it_is_cut_ends_for_the_other_side_when_healed() {
    let (links, near, mut far) = connected().await;
    links.cut(0, 1);
    drop(near);
    let mut heard = [0; 1];
    assert!(waits(far.read(&mut heard)).await);
    links.heal(0, 1);
    assert_eq!(far.read(&mut heard).await.unwrap(), 0);
}

#[tokio::test]
async fn a_slow_link_takes_its_time_and_a_broken_connection_ends() {
    let (links, mut near, mut far) = connected().await;
    links.slow(0, 1, 20_000);
    let begun = Instant::now();
    near.write_all(&[7; 5_000]).await.unwrap();
    assert!(begun.elapsed() > Duration::from_millis(200), "{:?}", begun.elapsed());
    let mut heard = vec![0; 5_000];
    far.read_exact(&mut heard).await.unwrap();
    links.break_off(0, 1);
    assert!(near.write_all(b"more").await.is_err());
}
