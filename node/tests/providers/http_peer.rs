//! A receiver of HTTP requests that answers, or fails to, as it is told.

use std::collections::VecDeque;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::TcpListener;
use tokio::sync::Notify;
use tokio::task::JoinSet;

use crate::authority::Authority;

/// What it does with a request.
#[derive(Clone)]
pub(crate) enum Does {
    /// Answers.
    Answer { status: u16, headers: &'static str, body: String },
    /// Closes its side without a word, and goes on reading.
    HalfCloses,
    /// Begins an answer of this status, and closes.
    BreaksOff(u16),
    /// Answers 200 with more than anybody should read.
    Floods,
    /// Says what is no HTTP.
    Babbles,
    /// Says nothing.
    Hangs,
}

impl Does {
    pub(crate) fn answer(status: u16, body: &str) -> Self {
        Self::Answer { status, headers: "", body: body.to_owned() }
    }
}

/// A request as it came.
#[derive(Clone, Debug)]
pub(crate) struct Asked {
    /// `POST /path HTTP/1.1`.
    pub(crate) line: String,
    head: String,
    pub(crate) body: String,
}

impl Asked {
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.head.lines().find_map(|line| {
            let (found, value) = line.split_once(':')?;
            found.eq_ignore_ascii_case(name).then_some(value.trim())
        })
    }

    /// A form's field.
    pub(crate) fn field(&self, name: &str) -> Option<String> {
        url::form_urlencoded::parse(self.body.as_bytes())
            .find(|(found, _)| found == name)
            .map(|(_, value)| value.into_owned())
    }
}

pub(crate) struct HttpPeer {
    pub(crate) address: SocketAddr,
    asked: Arc<Mutex<Vec<Asked>>>,
    _tasks: JoinSet<()>,
}

struct Script {
    next: Mutex<VecDeque<Does>>,
    asked: Arc<Mutex<Vec<Asked>>>,
}

impl HttpPeer {
    /// Does these things in order, and the last one for ever.
    pub(crate) async fn that(does: impl IntoIterator<Item = Does>) -> Self {
        Self::start(does, None).await
    }

    /// The same by TLS.
    pub(crate) async fn with_tls(authority: &Authority, does: Does) -> Self {
        Self::start([does], Some(authority)).await
    }

    async fn start(does: impl IntoIterator<Item = Does>, authority: Option<&Authority>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let asked = Arc::new(Mutex::new(Vec::new()));
        let next = Mutex::new(does.into_iter().collect());
        let script = Arc::new(Script { next, asked: Arc::clone(&asked) });
        let acceptor = authority.map(|one| tokio_rustls::TlsAcceptor::from(one.server()));
        let mut tasks = JoinSet::new();
        tasks.spawn(async move {
            let mut connections = JoinSet::new();
            while let Ok((stream, _)) = listener.accept().await {
                let (script, acceptor) = (Arc::clone(&script), acceptor.clone());
                connections.spawn(async move {
                    match acceptor {
                        Some(acceptor) => {
                            if let Ok(stream) = acceptor.accept(stream).await {
                                serve(stream, &script).await;
                            }
                        }
                        None => serve(stream, &script).await,
                    }
                });
            }
        });
        Self { address, asked, _tasks: tasks }
    }

    pub(crate) fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// All that was asked.
    pub(crate) fn asked(&self) -> Vec<Asked> {
        self.asked.lock().unwrap().clone()
    }

    /// The one thing that was asked.
    pub(crate) fn asked_once(&self) -> Asked {
        let asked = self.asked();
        assert_eq!(asked.len(), 1, "{asked:?}");
        asked[0].clone()
    }
}

async fn serve<S: AsyncRead + AsyncWrite + Unpin>(mut stream: S, script: &Script) {
    while let Some(asked) = read(&mut stream).await {
        script.asked.lock().unwrap().push(asked);
        let does = {
            let mut next = script.next.lock().unwrap();
            if next.len() > 1 { next.pop_front() } else { next.front().cloned() }
        };
        let text = match does.expect("something to do") {
            Does::Answer { status, headers, body } => {
                let length = body.len();
                format!("HTTP/1.1 {status} So\r\n{headers}Content-Length: {length}\r\n\r\n{body}")
            }
            Does::HalfCloses => {
                let _ = stream.shutdown().await;
                let _ = stream.read_to_end(&mut Vec::new()).await;
                return;
            }
            Does::BreaksOff(status) => {
                let begun =
                    format!("HTTP/1.1 {status} So\r\nContent-Length: 500\r\n\r\n{{\"sid\":");
                let _ = stream.write_all(begun.as_bytes()).await;
                return;
            }
            Does::Floods => {
                let _ = stream.write_all(b"HTTP/1.1 200 So\r\nConnection: close\r\n\r\n").await;
                while stream.write_all(&[b'x'; 4096]).await.is_ok() {}
                return;
            }
            Does::Babbles => "SSH-2.0-OpenSSH_9.2\r\n\r\n".to_owned(),
            Does::Hangs => return Notify::new().notified().await,
        };
        if stream.write_all(text.as_bytes()).await.is_err() {
            return;
        }
    }
}

/// The next request, if one comes.
async fn read<S: AsyncRead + Unpin>(stream: &mut S) -> Option<Asked> {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        head.push(stream.read_u8().await.ok()?);
    }
    let head = String::from_utf8(head).unwrap();
    let (line, head) = head.split_once("\r\n").unwrap();
    let mut asked = Asked { line: line.to_owned(), head: head.to_owned(), body: String::new() };
    let length = asked.header("content-length").map_or(0, |text| text.parse().unwrap());
    let mut body = vec![0; length];
    stream.read_exact(&mut body).await.ok()?;
    asked.body = String::from_utf8(body).unwrap();
    Some(asked)
}
