//! What receivers answer, and what they do instead.

use tokio::sync::oneshot;
use tokio::time::timeout;

use super::*;

/// Posts with [`SHORT`] bounds, and sees to it that they hold.
async fn post_briefly(names: Arc<dyn Names>, url: &str) -> Result<u16, NotPosted> {
    let poster = WebhookPoster::with(&loopback(), names, SHORT);
    timeout(SHORT.whole * 20, post(&poster, url)).await.expect("given up")
}

#[tokio::test]
async fn every_2xx_takes_the_event_and_nothing_else_does() {
    let poster = poster(&loopback());
    for (answer, taken) in [
        ("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", Ok(200)),
        ("HTTP/1.1 202 Accepted\r\nContent-Length: 0\r\n\r\n", Ok(202)),
        ("HTTP/1.1 204 No Content\r\n\r\n", Ok(204)),
        ("HTTP/1.0 200 OK\r\n\r\nuntil the end", Ok(200)),
        ("HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 201 Created\r\nContent-Length: 0\r\n\r\n", Ok(201)),
        ("HTTP/1.1 304 Not Modified\r\n\r\n", Err(304)),
        ("HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n", Err(400)),
        ("HTTP/1.1 410 Gone\r\nContent-Length: 0\r\n\r\n", Err(410)),
        ("HTTP/1.1 500 Oh\r\nContent-Length: 0\r\n\r\n", Err(500)),
    ] {
        let receiver = Receiver::answering(answer).await;
        let expected = taken.map_err(|status| NotPosted::Refused { status, after: None });
        assert_eq!(post(&poster, &receiver.url()).await, expected, "{answer}");
    }
}

#[tokio::test]
async fn a_receiver_that_asks_for_patience_is_heard() {
    let receiver = Receiver::answering(
        "HTTP/1.1 429 Slow Down\r\nRetry-After: 90\r\nContent-Length: 0\r\n\r\n",
    )
    .await;
    let refused = Err(NotPosted::Refused { status: 429, after: Some(Duration::from_secs(90)) });
    assert_eq!(post(&poster(&loopback()), &receiver.url()).await, refused);
}

#[tokio::test]
async fn an_endless_answer_is_cut_off() {
    let (ended, end) = oneshot::channel();
    let ended = Mutex::new(Some(ended));
    let receiver = Receiver::behaving("127.0.0.1:0", move |mut line| {
        let ended = ended.lock().unwrap().take().unwrap();
        async move {
            let mut sent = 0_usize;
            let _ = line.write_all(b"HTTP/1.1 200 OK\r\n\r\n").await;
            while line.write_all(&[b'x'; 4096]).await.is_ok() {
                sent += 4096;
            }
            let _ = ended.send(sent);
        }
    })
    .await;
    assert_eq!(post(&poster(&loopback()), &receiver.url()).await, Ok(200));
    // What was written beyond the 64 KiB that were read lay in the buffers between.
    assert!(end.await.unwrap() < 32 << 20);
}

#[tokio::test]
async fn an_answer_that_claims_to_be_long_is_not_read() {
    let receiver = Receiver::behaving("127.0.0.1:0", |mut line| async move {
        let head = b"HTTP/1.1 500 Oh\r\nContent-Length: 99999999999\r\n\r\n";
        let _ = line.write_all(head).await;
        std::future::pending::<()>().await;
    })
    .await;
    let refused = Err(NotPosted::Refused { status: 500, after: None });
    assert_eq!(post(&poster(&loopback()), &receiver.url()).await, refused);
}

#[tokio::test]
async fn endless_header_fields_are_no_answer() {
    for field in ["X-More: x\r\n".to_owned(), "x".repeat(4096)] {
        let receiver = Receiver::behaving("127.0.0.1:0", move |mut line| {
            let field = field.clone();
            async move {
                let _ = line.write_all(b"HTTP/1.1 200 OK\r\n").await;
                while line.write_all(field.as_bytes()).await.is_ok() {}
            }
        })
        .await;
        let posted = post(&poster(&loopback()), &receiver.url()).await;
        assert_eq!(posted, unreachable("no_answer"));
    }
}

#[tokio::test]
async fn a_line_that_ends_before_the_answer_is_no_answer() {
    for part in ["", "HTTP/1.1 200 OK\r\nContent-Le", "HTTP/9.9 200 OK\r\n\r\n", "SSH-2.0-x\r\n"] {
        let receiver = Receiver::answering(part).await;
        let posted = post(&poster(&loopback()), &receiver.url()).await;
        assert_eq!(posted, unreachable("no_answer"), "{part}");
    }
}

#[tokio::test]
async fn a_receiver_that_goes_away_within_the_body_has_taken_the_event() {
    let receiver =
        Receiver::answering("HTTP/1.1 200 OK\r\nContent-Length: 500\r\n\r\nhalf of it").await;
    assert_eq!(post(&poster(&loopback()), &receiver.url()).await, Ok(200));
}

#[tokio::test]
async fn a_receiver_that_says_nothing_is_given_up() {
    let silent = Receiver::behaving("127.0.0.1:0", |line| async move {
        std::future::pending::<()>().await;
        drop(line);
    })
    .await;
    let posted = post_briefly(Arc::new(Book::default()), &silent.url()).await;
    assert_eq!(posted, unreachable("timeout"));
}

#[tokio::test]
async fn a_receiver_that_answers_letter_by_letter_is_given_up() {
    let slow = Receiver::behaving("127.0.0.1:0", |mut line| async move {
        for letter in "HTTP/1.1 200 OK\r\nX-Slow: ".bytes().chain(std::iter::repeat(b'x')) {
            if line.write_all(&[letter]).await.is_err() {
                return;
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    })
    .await;
    let posted = post_briefly(Arc::new(Book::default()), &slow.url()).await;
    assert_eq!(posted, unreachable("timeout"));
}

#[tokio::test]
async fn a_body_that_does_not_come_to_its_end_is_not_waited_for() {
    let receiver = Receiver::behaving("127.0.0.1:0", |mut line| async move {
        let _ = line.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 500\r\n\r\n").await;
        std::future::pending::<()>().await;
    })
    .await;
    assert_eq!(post(&poster(&loopback()), &receiver.url()).await, Ok(200));
}

#[tokio::test]
async fn a_name_whose_server_says_nothing_is_given_up() {
    struct Silence;
    impl Names for Silence {
        fn look_up(&self, _: &str) -> BoxFuture<'static, io::Result<Vec<IpAddr>>> {
            std::future::pending().boxed()
        }
    }
    let posted = post_briefly(Arc::new(Silence), "http://slow.example/").await;
    assert_eq!(posted, unreachable("timeout"));
}

#[tokio::test]
async fn nobody_there_is_said_to_be_so() {
    let gone = TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap();
    let url = format!("http://{gone}/");
    assert_eq!(post(&poster(&loopback()), &url).await, unreachable("connect"));
}

#[tokio::test]
async fn a_connection_is_used_again() {
    let receiver = Receiver::behaving("127.0.0.1:0", |mut line| async move {
        loop {
            let _ = line.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok").await;
            if request(line.as_mut()).await.is_none() {
                return;
            }
        }
    })
    .await;
    let poster = poster(&loopback());
    for _ in 0..5 {
        assert_eq!(post(&poster, &receiver.url()).await, Ok(200));
    }
    assert_eq!(receiver.connections(), 1);
}
