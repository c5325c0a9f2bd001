//! The server as strangers use it: over real sockets.

use axum::extract::ConnectInfo;
use axum::routing::{get, post};
use bytes::Bytes;
use countersign_api::KeySeen;
use http_body_util::{BodyExt, Empty};
use hyper_util::rt::{TokioExecutor, TokioIo};
use socket2::SockRef;
use tokio::net::TcpSocket;
use tokio::time::Instant;

use super::*;

/// Far more than any buffer on the way holds.
static LARGE: [u8; 8 << 20] = [b'x'; 8 << 20];

fn quick() -> Patience {
    let short = Duration::from_millis(400);
    Patience {
        head: short,
        rest: short * 4,
        stall: short,
        window: short,
        least: 10_000,
        ..Patience::default()
    }
}

fn bounds() -> Bounds {
    Bounds {
        connections: 64,
        of_address: 64,
        trusted: TrustedProxies::default(),
        patience: Patience::default(),
    }
}

async fn server(bounds: Bounds) -> Server {
    let listener = bind(SocketAddr::from(([127, 0, 0, 1], 0))).await.unwrap();
    let peer = |ConnectInfo(peer): ConnectInfo<SocketAddr>| async move { peer.to_string() };
    let router = Router::new()
        .route("/", get(peer))
        .route(
            "/host",
            get(async |headers: axum::http::HeaderMap| {
                headers.get("host").map_or(String::new(), |host| host.to_str().unwrap().to_owned())
            }),
        )
        .route("/large", get(async || Bytes::from_static(&LARGE)))
        .route("/length", post(async |body: Bytes| body.len().to_string()))
        .route(
            "/key",
            get(async |axum::Extension(seen): axum::Extension<KeySeen>| {
                seen.note();
                "known"
            }),
        );
    Server::start(listener, router, bounds).unwrap()
}

async fn stop(server: Server) {
    server.stop(Duration::from_secs(5)).await;
}

async fn ask(server: &Server, request: &str) -> TcpStream {
    let mut stream = TcpStream::connect(server.address()).await.unwrap();
    stream.write_all(request.as_bytes()).await.unwrap();
    stream
}

async fn rest(stream: &mut TcpStream) -> String {
    let mut text = String::new();
    stream.read_to_string(&mut text).await.unwrap();
    text
}

const CLOSE: &str = "GET / HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n";
const KEEP: &str = "GET / HTTP/1.1\r\nhost: x\r\n\r\n";

/// Waits until the other side has closed; how long that took.
async fn closed(stream: &mut TcpStream) -> Duration {
    let begun = Instant::now();
    let mut ignored = [0; 4096];
    let gone = async { while stream.read(&mut ignored).await.is_ok_and(|read| read > 0) {} };
    tokio::time::timeout(Duration::from_secs(20), gone).await.expect("the server lets go");
    begun.elapsed()
}

#[tokio::test]
async fn handlers_know_the_peer() {
    let server = server(bounds()).await;
    let mut stream = ask(&server, CLOSE).await;
    let own = stream.local_addr().unwrap().to_string();
    assert!(rest(&mut stream).await.ends_with(&own));
    stop(server).await;
}

#[tokio::test]
async fn a_connection_beyond_the_bound_waits_for_one_to_end() {
    let server = server(Bounds { connections: 1, ..bounds() }).await;
    let mut first = ask(&server, KEEP).await;
    let mut begun = [0; 12];
    first.read_exact(&mut begun).await.unwrap();
    let mut second = ask(&server, CLOSE).await;
    let mut text = String::new();
    let early = second.read_to_string(&mut text);
    assert!(tokio::time::timeout(Duration::from_millis(200), early).await.is_err());
    drop(first);
    second.read_to_string(&mut text).await.unwrap();
    assert!(text.starts_with("HTTP/1.1 200"), "{text}");
    stop(server).await;
}

#[tokio::test]
async fn an_address_beyond_its_bound_is_told_so_unless_it_has_a_key() {
    let server = server(Bounds { of_address: 2, ..bounds() }).await;
    let mut known = ask(&server, &KEEP.replace("/ ", "/key ")).await;
    let mut begun = [0; 12];
    known.read_exact(&mut begun).await.unwrap();
    let strangers = [ask(&server, "G").await, ask(&server, "G").await];
    let mut refused = ask(&server, CLOSE).await;
    let text = rest(&mut refused).await;
    assert!(text.starts_with("HTTP/1.1 429") && text.contains("\"rate_limited\""), "{text}");
    drop(strangers);
    // Another address is not meant.
    let socket = TcpSocket::new_v4().unwrap();
    socket.bind(SocketAddr::from(([127, 0, 0, 2], 0))).unwrap();
    let mut other = socket.connect(server.address()).await.unwrap();
    other.write_all(CLOSE.as_bytes()).await.unwrap();
    assert!(rest(&mut other).await.starts_with("HTTP/1.1 200"));
    stop(server).await;
}

#[tokio::test]
async fn a_trusted_proxy_may_have_as_many_connections_as_it_likes() {
    let networks = vec!["127.0.0.0/8".parse().unwrap()];
    let trusted = TrustedProxies { networks, ..TrustedProxies::default() };
    let server = server(Bounds { of_address: 1, trusted, ..bounds() }).await;
    let _open = [ask(&server, "G").await, ask(&server, "G").await, ask(&server, "G").await];
    assert!(rest(&mut ask(&server, CLOSE).await).await.starts_with("HTTP/1.1 200"));
    stop(server).await;
}

#[tokio::test]
async fn a_head_that_does_not_come_or_does_not_end_is_not_waited_for() {
    let server = server(Bounds { patience: quick(), ..bounds() }).await;
    for begun in ["", "G", "GET / HTTP/1.1\r\nhost:", "PRI * HTTP/2.0\r\n"] {
        let mut stream = ask(&server, begun).await;
        let took = closed(&mut stream).await;
        assert!(took < Duration::from_secs(4), "{begun:?}: {took:?}");
    }
    // One byte now and then makes it no longer.
    let mut stream = ask(&server, "GET / HTTP/1.1\r\n").await;
    let begun = Instant::now();
    while stream.write_all(b"a").await.is_ok() && begun.elapsed() < Duration::from_secs(10) {
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    assert!(begun.elapsed() < Duration::from_secs(4), "{:?}", begun.elapsed());
    stop(server).await;
}

#[tokio::test]
async fn a_head_is_read_up_to_a_bound() {
    let server = server(bounds()).await;
    let long = format!("GET / HTTP/1.1\r\nhost: x\r\nx-long: {}\r\n\r\n", "a".repeat(40_000));
    let mut stream = ask(&server, &long).await;
    let mut text = Vec::new();
    let _ = stream.read_to_end(&mut text).await;
    assert!(!text.starts_with(b"HTTP/1.1 200"), "{text:?}");
    stop(server).await;
}

#[tokio::test]
async fn a_connection_may_rest_between_requests() {
    let server = server(Bounds { patience: quick(), ..bounds() }).await;
    let mut stream = ask(&server, KEEP).await;
    let mut some = [0; 1024];
    assert!(stream.read(&mut some).await.unwrap() > 0);
    // Longer than a first head may take.
    tokio::time::sleep(Duration::from_millis(800)).await;
    stream.write_all(CLOSE.as_bytes()).await.unwrap();
    assert!(rest(&mut stream).await.starts_with("HTTP/1.1 200"));
    stop(server).await;
}

/// A client whose own buffers hold little.
async fn narrow(server: &Server) -> TcpStream {
    let socket = TcpSocket::new_v4().unwrap();
    socket.set_recv_buffer_size(4096).unwrap();
    socket.connect(server.address()).await.unwrap()
}

#[tokio::test]
async fn an_answer_that_nobody_reads_is_given_up() {
    let server = server(Bounds { patience: quick(), ..bounds() }).await;
    let mut stream = narrow(&server).await;
    stream.write_all(KEEP.replace("/ ", "/large ").as_bytes()).await.unwrap();
    tokio::time::sleep(Duration::from_secs(2)).await;
    // It was reset: what was sent is thrown away, and no more comes.
    let mut ignored = vec![0; 1 << 16];
    let mut taken = 0;
    let ended = loop {
        match stream.read(&mut ignored).await {
            Ok(0) => break false,
            Ok(read) => taken += read,
            Err(_) => break true,
        }
    };
    assert!(ended && taken < 1 << 20, "{ended} {taken}");
    stop(server).await;
}

#[tokio::test]
async fn an_answer_that_is_read_too_slowly_is_given_up() {
    let server = server(Bounds { patience: quick(), ..bounds() }).await;
    let mut stream = narrow(&server).await;
    stream.write_all(KEEP.replace("/ ", "/large ").as_bytes()).await.unwrap();
    let begun = Instant::now();
    let mut byte = [0; 512];
    while stream.read_exact(&mut byte).await.is_ok() {
        assert!(begun.elapsed() < Duration::from_secs(15), "it goes on");
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    stop(server).await;
}

#[tokio::test]
async fn a_large_answer_is_read_whole_by_whoever_reads() {
    let server = server(Bounds { patience: quick(), ..bounds() }).await;
    let mut stream = ask(&server, &CLOSE.replace("/ ", "/large ")).await;
    let mut all = Vec::new();
    stream.read_to_end(&mut all).await.unwrap();
    assert!(all.ends_with(&LARGE));
    stop(server).await;
}

#[tokio::test]
async fn what_the_kernel_holds_for_a_connection_is_bounded() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let _client = TcpStream::connect(listener.local_addr().unwrap()).await.unwrap();
    let (stream, _) = listener.accept().await.unwrap();
    connection::settle(&stream);
    let socket = SockRef::from(&stream);
    assert!(socket.send_buffer_size().unwrap() <= 256 * 1024);
    assert!(socket.tcp_user_timeout().unwrap().is_some());
}

type Http2 = hyper::client::conn::http2::SendRequest<Empty<Bytes>>;

async fn http2(server: &Server) -> (Http2, JoinHandle<()>) {
    let stream = TcpStream::connect(server.address()).await.unwrap();
    let (sender, connection) = hyper::client::conn::http2::Builder::new(TokioExecutor::new())
        // As little as a client may take without reading.
        .initial_stream_window_size(65_535)
        .handshake(TokioIo::new(stream))
        .await
        .unwrap();
    let task = tokio::spawn(async move {
        let _ = connection.await;
    });
    (sender, task)
}

fn request(path: &str) -> hyper::Request<Empty<Bytes>> {
    hyper::Request::get(format!("http://x{path}")).body(Empty::new()).unwrap()
}

#[tokio::test]
async fn http_2_is_served_to_whoever_begins_with_it() {
    let server = server(bounds()).await;
    let (mut sender, task) = http2(&server).await;
    let answer = sender.send_request(request("/")).await.unwrap();
    assert_eq!(answer.version(), hyper::Version::HTTP_2);
    assert_eq!(answer.status(), 200);
    // Handlers find the host where they look for it.
    let host = sender.send_request(request("/host")).await.unwrap();
    assert_eq!(host.into_body().collect().await.unwrap().to_bytes(), "x");
    let large = sender.send_request(request("/large")).await.unwrap();
    assert_eq!(large.into_body().collect().await.unwrap().to_bytes().len(), LARGE.len());
    drop(sender);
    task.await.unwrap();
    stop(server).await;
}

#[tokio::test]
async fn http_2_has_the_same_patience() {
    let server = server(Bounds { patience: quick(), ..bounds() }).await;
    // An answer whose stream is not read, while the connection is alive.
    let (mut sender, task) = http2(&server).await;
    let unread = sender.send_request(request("/large")).await.unwrap();
    tokio::time::timeout(Duration::from_secs(10), task).await.unwrap().unwrap();
    assert!(unread.into_body().collect().await.is_err(), "the rest never comes");
    // And one that rests too long.
    let (mut sender, task) = http2(&server).await;
    sender.send_request(request("/")).await.unwrap().into_body().collect().await.unwrap();
    tokio::time::timeout(Duration::from_secs(10), task).await.unwrap().unwrap();
    stop(server).await;
}

#[tokio::test]
async fn http_2_streams_that_are_reset_at_once_end_the_connection() {
    let server = server(bounds()).await;
    let mut stream = TcpStream::connect(server.address()).await.unwrap();
    let mut bytes = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".to_vec();
    bytes.extend([0, 0, 0, 4, 0, 0, 0, 0, 0]);
    for number in 0..5_000_u32 {
        let id = (number * 2 + 1).to_be_bytes();
        // `:method GET`, `:scheme http`, `:path /`, `:authority x` (RFC 7541 appendix A), then RST_STREAM.
        let head = [0x82, 0x86, 0x84, 0x41, 0x01, b'x'];
        bytes.extend([0, 0, 6, 1, 5]);
        bytes.extend(id);
        bytes.extend(head);
        bytes.extend([0, 0, 4, 3, 0]);
        bytes.extend(id);
        bytes.extend([0, 0, 0, 8]);
    }
    let _ = stream.write_all(&bytes).await;
    assert!(closed(&mut stream).await < Duration::from_secs(10));
    stop(server).await;
}

#[tokio::test]
async fn a_server_that_stops_lets_answers_end_over_both_versions() {
    let server = server(bounds()).await;
    let (mut sender, task) = http2(&server).await;
    sender.send_request(request("/")).await.unwrap().into_body().collect().await.unwrap();
    let mut rests = ask(&server, KEEP).await;
    let mut some = [0; 1024];
    assert!(rests.read(&mut some).await.unwrap() > 0);
    let begun = Instant::now();
    server.stop(Duration::from_secs(5)).await;
    assert!(begun.elapsed() < Duration::from_secs(3), "{:?}", begun.elapsed());
    task.await.unwrap();
    assert_eq!(rests.read(&mut some).await.unwrap_or(0), 0);
}

#[test]
fn the_store_keeps_its_file_descriptors() {
    let within = |open_files| Bounds::within(open_files, TrustedProxies::default());
    assert_eq!(within(1_024).connections, 256);
    assert_eq!(within(1_024).of_address, 64);
    assert_eq!(within(256).connections, 64);
    assert_eq!(within(1 << 20).connections, 16_384);
    assert_eq!(within(1 << 20).of_address, 512);
}
