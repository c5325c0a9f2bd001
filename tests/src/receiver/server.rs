//! Listening, noting, answering.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use futures::stream;
use http_body_util::combinators::BoxBody;
use http_body_util::{BodyExt, Full, StreamBody};
use hyper::body::{Bytes, Frame, Incoming};
use hyper::service::service_fn;
use hyper::{Request, Response};
use hyper_util::rt::TokioIo;
use serde_json::Value;
use tokio::net::{TcpListener, TcpSocket};
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep};

use super::request::{Reaction, Received};

type Script = Arc<dyn Fn(&Received) -> Reaction + Send + Sync>;
type Body = BoxBody<Bytes, std::io::Error>;

/// A receiver. Ends when dropped.
pub struct Receiver {
    address: SocketAddr,
    state: Arc<State>,
    listening: Option<JoinSet<()>>,
}

struct State {
    received: Mutex<Vec<Arc<Received>>>,
    script: Mutex<Script>,
    connections: AtomicUsize,
}

impl Receiver {
    /// Listens on a free port of the loopback device and takes whatever comes.
    ///
    /// # Panics
    /// If no port is free.
    pub async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let state = Arc::new(State {
            received: Mutex::default(),
            script: Mutex::new(Arc::new(|_| Reaction::Status(200))),
            connections: AtomicUsize::new(0),
        });
        let mut receiver = Self { address, state, listening: None };
        receiver.listen(listener);
        receiver
    }

    fn listen(&mut self, listener: TcpListener) {
        let state = Arc::clone(&self.state);
        let mut tasks = JoinSet::new();
        tasks.spawn(async move {
            // Within the task, so that they end with it.
            let mut connections = JoinSet::new();
            loop {
                let Ok((stream, _)) = listener.accept().await else { continue };
                state.connections.fetch_add(1, Ordering::SeqCst);
                let state = Arc::clone(&state);
                connections.spawn(async move {
                    let service = service_fn(|request| serve(&state, request));
                    let served = hyper::server::conn::http1::Builder::new()
                        .serve_connection(TokioIo::new(stream), service);
                    // A sender that dies is what is tested here.
                    let _ = served.await;
                });
                while connections.try_join_next().is_some() {}
            }
        });
        self.listening = Some(tasks);
    }

    /// Answers from now on as the script says. It runs before the answer leaves and may take its
    /// time, though other requests wait for it.
    pub fn answer_with(&self, script: impl Fn(&Received) -> Reaction + Send + Sync + 'static) {
        *self.state.script.lock().unwrap() = Arc::new(script);
    }

    /// Answers everything in the same way from now on.
    pub fn answer(&self, reaction: Reaction) {
        self.answer_with(move |_| reaction);
    }

    /// Stops listening and drops every connection: from now on connecting is refused.
    pub async fn close(&mut self) {
        if let Some(mut listening) = self.listening.take() {
            listening.shutdown().await;
        }
    }

    /// Listens again, at the same address.
    ///
    /// # Panics
    /// If somebody else has taken the port meanwhile.
    pub async fn open(&mut self) {
        if self.listening.is_some() {
            return;
        }
        let deadline = Instant::now() + Duration::from_secs(10);
        let listener = loop {
            let socket = TcpSocket::new_v4().unwrap();
            socket.set_reuseaddr(true).unwrap();
            match socket.bind(self.address).and_then(|()| socket.listen(1024)) {
                Ok(listener) => break listener,
                Err(error) => assert!(Instant::now() < deadline, "{}: {error}", self.address),
            }
            sleep(Duration::from_millis(20)).await;
        };
        self.listen(listener);
    }

    /// Its port.
    pub const fn port(&self) -> u16 {
        self.address.port()
    }

    /// Its address, with a path that begins with `/`.
    pub fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    /// How often somebody connected.
    pub fn connections(&self) -> usize {
        self.state.connections.load(Ordering::SeqCst)
    }

    /// Everything that came, in order.
    pub fn received(&self) -> Vec<Arc<Received>> {
        self.state.received.lock().unwrap().clone()
    }

    /// What came and is wanted, in order.
    pub fn those(&self, wanted: impl Fn(&Received) -> bool) -> Vec<Arc<Received>> {
        self.received().into_iter().filter(|received| wanted(received)).collect()
    }

    /// Waits until something wanted has come: the latest that has. `None` if nothing has within
    /// `patience`.
    pub async fn wait_for(
        &self,
        patience: Duration,
        wanted: impl Fn(&Received) -> bool,
    ) -> Option<Arc<Received>> {
        let deadline = Instant::now() + patience;
        loop {
            if let Some(found) = self.those(&wanted).pop() {
                return Some(found);
            }
            if Instant::now() >= deadline {
                return None;
            }
            sleep(Duration::from_millis(2)).await;
        }
    }
}

async fn serve(state: &State, request: Request<Incoming>) -> Result<Response<Body>, HungUp> {
    let header = |name| {
        let value = request.headers().get(name).and_then(|value| value.to_str().ok());
        value.unwrap_or_default().to_owned()
    };
    let (id, timestamp) = (header("webhook-id"), header("webhook-timestamp"));
    let (signature, path) = (header("webhook-signature"), request.uri().path().to_owned());
    let raw = request.into_body().collect().await.map_err(|_| HungUp)?.to_bytes().to_vec();
    let body = serde_json::from_slice(&raw).unwrap_or(Value::Null);
    let at = Instant::now();
    let reaction = Reaction::Hang;
    let mut received = Received { at, path, id, body, reaction, timestamp, signature, raw };
    let script = Arc::clone(&state.script.lock().unwrap());
    received.reaction = script(&received);
    let reaction = received.reaction;
    state.received.lock().unwrap().push(Arc::new(received));
    match reaction {
        Reaction::Status(status) => Ok(answer(status, None)),
        Reaction::RetryAfter(status, seconds) => Ok(answer(status, Some(seconds))),
        Reaction::Hang => std::future::pending().await,
        Reaction::HangUp => Err(HungUp),
        Reaction::HalfWay(status) => Ok(half(status)),
    }
}

fn answer(status: u16, retry_after: Option<u64>) -> Response<Body> {
    let mut answer = Response::builder().status(status);
    if let Some(seconds) = retry_after {
        answer = answer.header("Retry-After", seconds);
    }
    let body = Full::new(Bytes::from_static(b"{}"));
    answer.body(body.map_err(|never: Infallible| match never {}).boxed()).unwrap()
}

fn half(status: u16) -> Response<Body> {
    let broken = std::io::Error::from(std::io::ErrorKind::ConnectionReset);
    let frames = [Ok(Frame::data(Bytes::from_static(b"{"))), Err(broken)];
    let body = StreamBody::new(stream::iter(frames));
    let answer = Response::builder().status(status).header("Content-Length", 100);
    answer.body(BodyExt::boxed(body)).unwrap()
}

/// Ends a connection without an answer.
#[derive(Debug)]
struct HungUp;

impl std::fmt::Display for HungUp {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("hung up on purpose")
    }
}

impl std::error::Error for HungUp {}

#[cfg(test)]
mod tests {
    use super::*;

    async fn post(url: &str) -> Result<(u16, String), reqwest::Error> {
        let client = crate::client::builder().timeout(Duration::from_millis(500));
        let client = client.pool_max_idle_per_host(0).build()?;
        let answer = client.post(url).header("webhook-id", "dlv_1").body("{\"to\": \"+1\"}");
        let answer = answer.send().await?;
        let status = answer.status().as_u16();
        answer.text().await.map(|text| (status, text))
    }

    #[tokio::test]
    async fn it_does_what_the_script_says_and_notes_what_came() {
        let receiver = Receiver::start().await;
        let url = receiver.url("/n1");
        for (reaction, answered) in [
            (Reaction::Status(200), true),
            (Reaction::RetryAfter(429, 3), true),
            (Reaction::Hang, false),
            (Reaction::HangUp, false),
            (Reaction::HalfWay(200), false),
        ] {
            receiver.answer(reaction);
            assert_eq!(post(&url).await.is_ok(), answered, "{reaction:?}");
            let last = receiver.received().pop().unwrap();
            assert_eq!((last.reaction, last.path.as_str(), last.to()), (reaction, "/n1", "+1"));
        }
        assert_eq!(receiver.received().len(), 5);
        assert_eq!(receiver.connections(), 5);
    }

    #[tokio::test]
    async fn while_closed_it_refuses_and_afterwards_it_is_where_it_was() {
        let mut receiver = Receiver::start().await;
        let url = receiver.url("/");
        post(&url).await.unwrap();
        receiver.close().await;
        assert!(post(&url).await.unwrap_err().is_connect());
        receiver.open().await;
        post(&url).await.unwrap();
        assert_eq!(receiver.received().len(), 2);
    }
}
