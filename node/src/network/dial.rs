//! How a byte stream to a peer is made. Behind a trait, so that a test can cut or slow one
//! direction between two nodes, and a simulation can put its own network in.

use std::io;
use std::time::Duration;

use countersign_storage::NodeId;
use futures::future::BoxFuture;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio::time::timeout;

/// How long making a TCP connection may take.
const CONNECT: Duration = Duration::from_secs(1);

/// A byte stream both ways.
pub trait Stream: AsyncRead + AsyncWrite + Send + Unpin {}

impl<T: AsyncRead + AsyncWrite + Send + Unpin> Stream for T {}

/// Makes byte streams to peers.
pub trait Dial: Send + Sync + 'static {
    /// Connects to `node`, which is said to be at `address` (`host:port`).
    ///
    /// # Errors
    /// If it cannot be reached there.
    fn dial<'a>(
        &'a self,
        node: NodeId,
        address: &'a str,
    ) -> BoxFuture<'a, io::Result<Box<dyn Stream>>>;
}

/// Connects by TCP. A name is resolved anew each time, since a node may come back under another
/// address.
#[derive(Clone, Copy, Debug, Default)]
pub struct TcpDial;

impl Dial for TcpDial {
    fn dial<'a>(
        &'a self,
        _node: NodeId,
        address: &'a str,
    ) -> BoxFuture<'a, io::Result<Box<dyn Stream>>> {
        Box::pin(async move {
            let stream = timeout(CONNECT, TcpStream::connect(address))
                .await
                .map_err(|_| io::Error::new(io::ErrorKind::TimedOut, "no connection in time"))??;
            // A message waits for nothing: most are smaller than a packet.
            stream.set_nodelay(true)?;
            let boxed: Box<dyn Stream> = Box::new(stream);
            Ok(boxed)
        })
    }
}
