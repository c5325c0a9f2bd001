//! Posting to receivers on loopback that answer, and misbehave, as told.

use std::collections::BTreeMap;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use countersign_actors::carrier::{NotPosted, Poster, Posting};
use countersign_actors::gateway::AuditRow;
use countersign_core::audit::AuditOutcome;
use countersign_core::entropy::SeededEntropy;
use countersign_core::ids::{DeliveryId, ShardId, TenantId, WebhookId};
use countersign_core::secret::Secret;
use countersign_core::time::Timestamp;
use futures::FutureExt;
use futures::future::BoxFuture;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::TcpListener;
use tokio::sync::mpsc;

use super::names::Names;
use super::{Bounds, WebhookPoster};
use crate::config::Webhooks;

mod answers;
mod refusals;
mod signing;
mod tls;

/// Long enough that no test of a working way meets them.
const AMPLE: Bounds = Bounds { connect: Duration::from_secs(20), whole: Duration::from_secs(40) };
/// For tests that wait for their end.
const SHORT: Bounds =
    Bounds { connect: Duration::from_millis(300), whole: Duration::from_millis(600) };

/// Everything on this machine, and nothing else of the inside.
fn loopback() -> Webhooks {
    Webhooks {
        allow_networks: vec!["127.0.0.0/8".parse().unwrap(), "::1/128".parse().unwrap()],
        ..Webhooks::default()
    }
}

fn poster(settings: &Webhooks) -> WebhookPoster {
    WebhookPoster::with(settings, Arc::new(Book::default()), AMPLE)
}

/// Names that a test made up. Each has a list of answers; the last one stays.
#[derive(Default)]
struct Book {
    answers: Mutex<BTreeMap<String, Vec<Vec<IpAddr>>>>,
    asked: AtomicUsize,
}

impl Book {
    fn of(name: &str, answers: &[&[&str]]) -> Arc<Self> {
        let parsed = answers
            .iter()
            .map(|answer| answer.iter().map(|address| address.parse().unwrap()).collect())
            .collect();
        let answers = Mutex::new(BTreeMap::from([(name.to_owned(), parsed)]));
        Arc::new(Self { answers, asked: AtomicUsize::new(0) })
    }

    fn asked(&self) -> usize {
        self.asked.load(Ordering::SeqCst)
    }
}

impl Names for Book {
    fn look_up(&self, host: &str) -> BoxFuture<'static, io::Result<Vec<IpAddr>>> {
        self.asked.fetch_add(1, Ordering::SeqCst);
        let mut answers = self.answers.lock().unwrap();
        let answer = answers
            .get_mut(host)
            .map(|list| if list.len() > 1 { list.remove(0) } else { list[0].clone() });
        async { answer.ok_or_else(|| io::Error::other("no such name")) }.boxed()
    }
}

fn posting(url: &str) -> Posting {
    let webhook = WebhookId::random(&mut SeededEntropy::new(1));
    Posting {
        id: DeliveryId::of_event(webhook, ShardId(3), 17),
        tenant: TenantId::default_tenant(),
        url: url.to_owned(),
        event: AuditRow {
            id: "evt_3_17".to_owned(),
            shard: ShardId(3),
            sequence: 17,
            at: Timestamp::from_millis(1_700_000_000_500),
            event_type: "mfa.factor.enrolled".to_owned(),
            user: Some("ann".parse().unwrap()),
            pseudonym: None,
            factor_id: None,
            challenge_id: None,
            actor: None,
            ip_address: None,
            outcome: AuditOutcome::Success,
            reason: None,
            details: BTreeMap::new(),
            chained: Vec::new(),
            annex: None,
            hash: [0; 32],
        },
        secrets: vec![Secret::new(vec![1; 32])],
        now: Timestamp::from_millis(1_700_000_001_999),
    }
}

async fn post(poster: &WebhookPoster, url: &str) -> Result<u16, NotPosted> {
    poster.post(&posting(url)).await
}

fn unreachable(word: &str) -> Result<u16, NotPosted> {
    Err(NotPosted::Unreachable { reason: word.to_owned() })
}

/// A request as it came.
#[derive(Debug)]
struct Received {
    head: String,
    body: Vec<u8>,
}

impl Received {
    fn field(&self, name: &str) -> Option<&str> {
        let mut lines = self.head.lines().filter_map(|line| line.split_once(": "));
        lines.find(|(field, _)| field.eq_ignore_ascii_case(name)).map(|(_, value)| value)
    }
}

trait Line: AsyncRead + AsyncWrite + Unpin + Send {}
impl<T: AsyncRead + AsyncWrite + Unpin + Send> Line for T {}

/// Reads one request; `None` at the line's end.
async fn request(line: &mut dyn Line) -> Option<Received> {
    let mut bytes = Vec::new();
    let head_end = loop {
        if let Some(at) = bytes.windows(4).position(|four| four == b"\r\n\r\n") {
            break at + 4;
        }
        if line.read_buf(&mut bytes).await.ok()? == 0 {
            return None;
        }
    };
    let head = String::from_utf8(bytes[..head_end].to_vec()).unwrap();
    let mut received = Received { head, body: bytes[head_end..].to_vec() };
    let length: usize = received.field("content-length").unwrap().parse().unwrap();
    while received.body.len() < length {
        assert_ne!(line.read_buf(&mut received.body).await.unwrap(), 0);
    }
    Some(received)
}

/// What a receiver does once it has read a request; ends with the connection.
type Manner = Arc<dyn Fn(Box<dyn Line>) -> BoxFuture<'static, ()> + Send + Sync>;

/// An endpoint.
struct Receiver {
    address: SocketAddr,
    received: mpsc::UnboundedReceiver<Received>,
    connections: Arc<AtomicUsize>,
}

impl Receiver {
    /// Answers every request with these bytes and closes.
    async fn answering(answer: &'static str) -> Self {
        Self::behaving("127.0.0.1:0", move |mut line| async move {
            let _ = line.write_all(answer.as_bytes()).await;
            let _ = line.shutdown().await;
        })
        .await
    }

    async fn behaving<F>(
        at: &str,
        manner: impl Fn(Box<dyn Line>) -> F + Send + Sync + 'static,
    ) -> Self
    where
        F: Future<Output = ()> + Send + 'static,
    {
        let manner: Manner = Arc::new(move |line| manner(line).boxed());
        Self::over(at, None, manner).await
    }

    async fn over(at: &str, tls: Option<tokio_rustls::TlsAcceptor>, manner: Manner) -> Self {
        let listener = TcpListener::bind(at).await.unwrap();
        let address = listener.local_addr().unwrap();
        let (sender, received) = mpsc::unbounded_channel();
        let connections = Arc::new(AtomicUsize::new(0));
        let counter = Arc::clone(&connections);
        tokio::spawn(async move {
            while let Ok((line, _)) = listener.accept().await {
                counter.fetch_add(1, Ordering::SeqCst);
                let (sender, manner, tls) = (sender.clone(), Arc::clone(&manner), tls.clone());
                tokio::spawn(async move {
                    let mut line: Box<dyn Line> = match tls {
                        None => Box::new(line),
                        Some(tls) => match tls.accept(line).await {
                            Ok(line) => Box::new(line),
                            Err(_) => return,
                        },
                    };
                    if let Some(request) = request(line.as_mut()).await {
                        let _ = sender.send(request);
                        manner(line).await;
                    }
                });
            }
        });
        Self { address, received, connections }
    }

    fn url(&self) -> String {
        format!("http://{}/hook?token=hidden", self.address)
    }

    fn connections(&self) -> usize {
        self.connections.load(Ordering::SeqCst)
    }

    async fn next(&mut self) -> Received {
        self.received.recv().await.unwrap()
    }
}

const OK: &str = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\nok";
