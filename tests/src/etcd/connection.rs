//! A connection to a member: gRPC over HTTP/2 without TLS, shared by as many clients as like.

use std::time::Duration;

use http_body_util::{BodyExt, Full};
use hyper::Request;
use hyper::body::Bytes;
use hyper::client::conn::http2::{SendRequest, handshake};
use hyper::header::{CONTENT_TYPE, HeaderValue, TE};
use hyper_util::rt::{TokioExecutor, TokioIo};
use tokio::net::TcpStream;
use tokio::time::timeout;

use super::message::{put_request, put_revision};

/// How long a put may take before it counts as failed.
const PATIENCE: Duration = Duration::from_secs(10);

/// A connection. Cloning it shares it.
#[derive(Clone)]
pub struct Connection {
    send: SendRequest<Full<Bytes>>,
    uri: hyper::Uri,
}

/// Why a put did not succeed.
#[derive(Debug, thiserror::Error)]
pub enum PutError {
    /// No connection, or it broke.
    #[error("etcd at {address}: {reason}")]
    Unreachable {
        /// Where it was sent, `host:port`.
        address: String,
        /// What was met.
        reason: String,
    },
    /// etcd refused, or answered what is no acknowledgement.
    #[error("etcd refused a put: HTTP {http}, grpc-status {status:?}: {message}")]
    Refused {
        /// The HTTP status.
        http: u16,
        /// The `grpc-status` trailer (<https://grpc.io/docs/guides/status-codes/>).
        status: Option<String>,
        /// The `grpc-message` trailer.
        message: String,
    },
}

impl Connection {
    /// Connects to the member that listens for clients at `address`, `host:port`.
    ///
    /// # Errors
    /// [`PutError::Unreachable`].
    pub async fn open(address: &str) -> Result<Self, PutError> {
        let failed = |reason: String| unreachable(address, reason);
        let stream = TcpStream::connect(address).await.map_err(|e| failed(e.to_string()))?;
        stream.set_nodelay(true).map_err(|e| failed(e.to_string()))?;
        let (send, connection) = handshake(TokioExecutor::new(), TokioIo::new(stream))
            .await
            .map_err(|e| failed(e.to_string()))?;
        // Ends when the last clone of `send` is gone; its error reaches whoever waits for an answer.
        tokio::spawn(connection);
        let uri = hyper::Uri::try_from(format!("http://{address}/etcdserverpb.KV/Put"))
            .map_err(|e| failed(e.to_string()))?;
        Ok(Self { send, uri })
    }

    /// Puts `value` under `key` and waits until etcd says that it is done; answers the revision.
    ///
    /// # Errors
    /// [`PutError`]; after [`PutError::Unreachable`] the put may have happened.
    pub async fn put(&mut self, key: &[u8], value: &[u8]) -> Result<u64, PutError> {
        let mut request = Request::post(self.uri.clone())
            .body(Full::new(Bytes::from(put_request(key, value))))
            .map_err(|e| self.broken(&e))?;
        let headers = request.headers_mut();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/grpc"));
        headers.insert(TE, HeaderValue::from_static("trailers"));
        let answered = async {
            self.send.ready().await?;
            let (head, body) = self.send.send_request(request).await?.into_parts();
            Ok::<_, hyper::Error>((head, body.collect().await?))
        };
        let (head, body) = match timeout(PATIENCE, answered).await {
            Ok(answered) => answered.map_err(|e| self.broken(&e))?,
            Err(late) => return Err(self.broken(&late)),
        };
        // Where there is no body, the trailers are in the head.
        let told = |name: &str| {
            let value = body.trailers().and_then(|trailers| trailers.get(name));
            let value = value.or_else(|| head.headers.get(name))?;
            Some(value.to_str().unwrap_or("no text").to_owned())
        };
        let (status, message) = (told("grpc-status"), told("grpc-message"));
        let done = head.status == 200 && status.as_deref() == Some("0");
        let revision = put_revision(&body.to_bytes()).filter(|_| done);
        revision.ok_or_else(|| PutError::Refused {
            http: head.status.as_u16(),
            status,
            message: message.unwrap_or_else(|| "no revision in the answer".to_owned()),
        })
    }

    fn broken(&self, error: &dyn std::error::Error) -> PutError {
        let address = self.uri.authority().map_or_else(String::new, ToString::to_string);
        unreachable(&address, error.to_string())
    }
}

fn unreachable(address: &str, reason: String) -> PutError {
    PutError::Unreachable { address: address.to_owned(), reason }
}
