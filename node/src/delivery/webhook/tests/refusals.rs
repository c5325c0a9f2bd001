//! Where nothing is posted to, however it is spelled.

use super::super::names::SystemNames;
use super::*;

#[tokio::test]
async fn no_spelling_of_this_machine_is_connected_to() {
    let receiver = Receiver::answering(OK).await;
    let port = receiver.address.port();
    let poster = poster(&Webhooks::default());
    for scheme in ["http", "https"] {
        for host in [
            "127.0.0.1",
            "127.1",
            "127.0.1",
            "127.0.0.1.",
            "2130706433",
            "0x7f000001",
            "0x7f.0x0.0x0.0x1",
            "0X7F.1",
            "017700000001",
            "0177.0.0.01",
            "0x7f.00.1",
            "０ｘ７ｆ．1",
            "１２７.0.0.1",
            "①②⑦.⓪.⓪.①",
            "127。0。0。1",
            "%31%32%37.0.0.1",
            "127.0.0.%31",
            "0",
            "0.0.0.0",
            "[::1]",
            "[::]",
            "[0:0:0:0:0:0:0:1]",
            "[::127.0.0.1]",
            "[::ffff:127.0.0.1]",
            "[::ffff:7f00:1]",
            "[::ffff:0:127.0.0.1]",
            "[64:ff9b::127.0.0.1]",
            "[2002:7f00:1::]",
            "example.com@127.0.0.1",
            "example.com:80@127.0.0.1",
        ] {
            let url = format!("{scheme}://{host}:{port}/");
            assert_eq!(post(&poster, &url).await, unreachable("private_address"), "{url}");
        }
    }
    for url in [
        format!("https:127.0.0.1:{port}/"),
        format!("https:\\\\127.0.0.1:{port}/"),
        format!("https://127.0.0.1:{port}\\@example.com/"),
        format!("https://12\t7.0.0.1\n:{port}/"),
        format!("https://127.0.0.1:{port}#@example.com/"),
    ] {
        assert_eq!(post(&poster, &url).await, unreachable("private_address"), "{url}");
    }
    assert_eq!(receiver.connections(), 0);
}

#[tokio::test]
async fn no_name_of_this_machine_is_connected_to() {
    let receiver = Receiver::answering(OK).await;
    let port = receiver.address.port();
    for addresses in [&["127.0.0.1"][..], &["::1", "127.0.0.1"], &["::ffff:127.0.0.1"]] {
        let book = Book::of("inside.example", &[addresses]);
        let settings = Webhooks { roots: tls::authority().roots(), ..Webhooks::default() };
        let poster = WebhookPoster::with(&settings, book, AMPLE);
        for scheme in ["http", "https"] {
            let url = format!("{scheme}://inside.example:{port}/");
            assert_eq!(post(&poster, &url).await, unreachable("private_address"), "{addresses:?}");
        }
    }
    let poster = WebhookPoster::with(&Webhooks::default(), Arc::new(SystemNames), AMPLE);
    let url = format!("http://localhost:{port}/");
    assert_eq!(post(&poster, &url).await, unreachable("private_address"));
    assert_eq!(receiver.connections(), 0);
}

#[tokio::test]
async fn a_name_that_moves_inside_between_two_posts_is_refused() {
    // 127.0.0.2 stands for an address that is allowed, 127.0.0.1 for the inside.
    let inside = Receiver::answering(OK).await;
    let at = SocketAddr::from(([127, 0, 0, 2], inside.address.port()));
    let outside = Receiver::behaving(&at.to_string(), |mut line| async move {
        let _ = line.write_all(OK.as_bytes()).await;
    })
    .await;
    let book = Book::of("rebound.example", &[&["127.0.0.2"], &["127.0.0.1"]]);
    let settings =
        Webhooks { allow_networks: vec!["127.0.0.2/32".parse().unwrap()], ..Webhooks::default() };
    let names: Arc<dyn Names> = book.clone();
    let poster = WebhookPoster::with(&settings, names, AMPLE);
    let url = format!("http://rebound.example:{}/", at.port());
    assert_eq!(post(&poster, &url).await, Ok(200));
    // One question a connection: what was checked is what was connected to.
    assert_eq!(book.asked(), 1);
    assert_eq!(post(&poster, &url).await, unreachable("private_address"));
    assert_eq!((outside.connections(), inside.connections()), (1, 0));
}

#[tokio::test]
async fn of_a_name_with_addresses_on_both_sides_only_the_allowed_one_is_tried() {
    let inside = Receiver::answering(OK).await;
    // Nobody listens at 127.0.0.2: a client that tried the next address would come inside.
    let book = Book::of("both.example", &[&["127.0.0.2", "127.0.0.1"]]);
    let settings =
        Webhooks { allow_networks: vec!["127.0.0.2/32".parse().unwrap()], ..Webhooks::default() };
    let poster = WebhookPoster::with(&settings, book, AMPLE);
    let url = format!("http://both.example:{}/", inside.address.port());
    assert_eq!(post(&poster, &url).await, unreachable("connect"));
    assert_eq!(inside.connections(), 0);
}

#[tokio::test]
async fn private_addresses_are_reached_once_all_are_allowed() {
    let receiver = Receiver::answering(OK).await;
    let settings = Webhooks { allow_private: true, ..Webhooks::default() };
    let book = Book::of("inside.example", &[&["127.0.0.1"]]);
    let poster = WebhookPoster::with(&settings, book, AMPLE);
    assert_eq!(post(&poster, &receiver.url()).await, Ok(200));
    let url = format!("http://inside.example:{}/", receiver.address.port());
    assert_eq!(post(&poster, &url).await, Ok(200));
}

#[tokio::test]
async fn without_tls_nothing_goes_to_a_public_address() {
    let settings = Webhooks { allow_private: true, ..Webhooks::default() };
    let book = Book::of("public.example", &[&["8.8.8.8"]]);
    let poster = WebhookPoster::with(&settings, book, AMPLE);
    for url in ["http://8.8.8.8/", "http://[2001:4860:4860::8888]/", "http://public.example/"] {
        assert_eq!(post(&poster, url).await, unreachable("https_required"), "{url}");
    }
}

#[tokio::test]
async fn what_is_no_web_address_is_not_posted_to() {
    let poster = poster(&loopback());
    for url in
        ["", "hook", "/hook", "ftp://127.0.0.1/", "file:///etc/passwd", "https://", "data:,x"]
    {
        assert_eq!(post(&poster, url).await, unreachable("url"), "{url}");
    }
}

#[tokio::test]
async fn a_name_that_does_not_exist_is_said_to_be_so() {
    let poster = poster(&loopback());
    assert_eq!(post(&poster, "http://nowhere.example/").await, unreachable("dns"));
}

/// Names of which those that begin with `dead` never answer, and those with `none` have none.
#[derive(Default)]
struct Silent {
    asked: Mutex<Vec<String>>,
}

impl Names for Silent {
    fn look_up(&self, host: &str) -> BoxFuture<'static, io::Result<Vec<IpAddr>>> {
        self.asked.lock().unwrap().push(host.to_owned());
        if host.starts_with("dead") {
            return std::future::pending().boxed();
        }
        let none = host.starts_with("none");
        async move { if none { Ok(Vec::new()) } else { Ok(vec![[127, 0, 0, 1].into()]) } }.boxed()
    }
}

#[tokio::test]
async fn names_that_never_answer_keep_no_other_tenants_posts_waiting() {
    let receiver = Receiver::answering(OK).await;
    let names = Arc::new(Silent::default());
    let poster = WebhookPoster::with(&loopback(), Arc::clone(&names) as _, AMPLE);
    let poster = Arc::new(poster);
    let mut dead = Vec::new();
    for number in 0..40 {
        let url = format!("http://dead{number}.example:{}/", receiver.address.port());
        let one = Posting { tenant: "dead".parse().unwrap(), ..posting(&url) };
        let poster = Arc::clone(&poster);
        dead.push(tokio::spawn(async move { poster.post(&one).await }));
    }
    // As many of them are being looked up as ever will be.
    while names.asked.lock().unwrap().len() < 4 {
        tokio::task::yield_now().await;
    }
    let url = format!("http://alive.example:{}/", receiver.address.port());
    let alive = tokio::time::timeout(Duration::from_secs(10), post(&poster, &url));
    assert_eq!(alive.await, Ok(Ok(200)));
    // Another tenant's endpoint at the very name that hangs for this one is looked up by itself.
    let one = Posting { tenant: "dead".parse().unwrap(), ..posting(&url) };
    let waits = tokio::time::timeout(Duration::from_millis(200), poster.post(&one));
    assert!(waits.await.is_err(), "the tenant waits for itself");
    let alive = tokio::time::timeout(Duration::from_secs(10), post(&poster, &url));
    assert_eq!(alive.await, Ok(Ok(200)));
    let asked = names.asked.lock().unwrap().clone();
    assert_eq!(asked.iter().filter(|host| host.starts_with("dead")).count(), 4, "{asked:?}");
    dead.iter().for_each(tokio::task::JoinHandle::abort);
}

#[tokio::test]
async fn a_name_without_an_answer_is_not_asked_again_at_once() {
    let names = Arc::new(Silent::default());
    let poster = WebhookPoster::with(&loopback(), Arc::clone(&names) as _, AMPLE);
    for _ in 0..5 {
        assert_eq!(post(&poster, "http://none.example/").await, unreachable("dns"));
    }
    assert_eq!(names.asked.lock().unwrap().len(), 1);
}

#[tokio::test]
async fn redirects_are_not_followed() {
    let inside = Receiver::answering(OK).await;
    for status in [301, 302, 303, 307, 308] {
        let to = inside.url();
        let receiver = Receiver::behaving("127.0.0.1:0", move |mut line| {
            let answer = format!(
                "HTTP/1.1 {status} Moved\r\nLocation: {to}\r\nContent-Length: 0\r\n\
                 Connection: close\r\n\r\n"
            );
            async move {
                let _ = line.write_all(answer.as_bytes()).await;
            }
        })
        .await;
        let refused = Err(NotPosted::Refused { status, after: None });
        assert_eq!(post(&poster(&loopback()), &receiver.url()).await, refused);
        assert_eq!(receiver.connections(), 1);
    }
    assert_eq!(inside.connections(), 0);
}
