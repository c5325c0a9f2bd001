//! One connection over two links, as its dialling side holds it.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use countersign::Stream;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::{Sleep, sleep};

use super::links::Link;

/// The most bytes that pass at once.
const PORTION: usize = 16 << 10;
/// A slow link lets something through this often.
const PORTIONS_A_SECOND: u32 = 50;

/// A connection whose bytes go as its links let them.
pub(super) struct Wire {
    /// `None` only while it is dropped.
    stream: Option<Box<dyn Stream>>,
    out: Gate,
    back: Gate,
    buffer: Box<[u8; PORTION]>,
}

/// One direction of it.
struct Gate {
    link: Arc<Link>,
    breaks: u64,
    pause: Option<Pin<Box<Sleep>>>,
}

impl Gate {
    fn new(link: Arc<Link>) -> Self {
        Self { breaks: link.breaks(), link, pause: None }
    }

    /// Waits until something may pass, and says how many bytes.
    fn poll_open(&mut self, context: &mut Context<'_>) -> Poll<io::Result<usize>> {
        let slow = ready!(self.link.poll_passable(self.breaks, context))?;
        let Some(bytes_a_second) = slow else {
            self.pause = None;
            return Poll::Ready(Ok(PORTION));
        };
        if let Some(pause) = &mut self.pause {
            ready!(pause.as_mut().poll(context));
            self.pause = None;
        }
        let portion = usize::try_from(bytes_a_second / PORTIONS_A_SECOND).unwrap_or(PORTION);
        Poll::Ready(Ok(portion.clamp(1, PORTION)))
    }

    /// So many bytes passed, of at most `portion`.
    fn passed(&mut self, bytes: usize, context: &mut Context<'_>) {
        self.link.note_carried(bytes);
        if let Poll::Ready(Ok(Some(bytes_a_second))) = self.link.poll_passable(self.breaks, context)
        {
            let bytes = u32::try_from(bytes).unwrap_or(u32::MAX);
            let pause = Duration::from_secs_f64(f64::from(bytes) / f64::from(bytes_a_second));
            self.pause = Some(Box::pin(sleep(pause)));
        }
    }
}

impl Wire {
    pub(super) fn new(stream: Box<dyn Stream>, out: Arc<Link>, back: Arc<Link>) -> Self {
        let (out, back) = (Gate::new(out), Gate::new(back));
        Self { stream: Some(stream), out, back, buffer: Box::new([0; PORTION]) }
    }
}

fn gone() -> io::Error {
    io::ErrorKind::NotConnected.into()
}

impl AsyncRead for Wire {
    fn poll_read(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        wanted: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let wire = self.get_mut();
        let portion = ready!(wire.back.poll_open(context))?.min(wanted.remaining());
        let stream = wire.stream.as_mut().ok_or_else(gone)?;
        let mut part = ReadBuf::new(&mut wire.buffer[..portion]);
        ready!(Pin::new(stream).poll_read(context, &mut part))?;
        wanted.put_slice(part.filled());
        let read = part.filled().len();
        wire.back.passed(read, context);
        Poll::Ready(Ok(()))
    }
}

impl AsyncWrite for Wire {
    fn poll_write(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let wire = self.get_mut();
        let portion = ready!(wire.out.poll_open(context))?.min(bytes.len());
        let stream = wire.stream.as_mut().ok_or_else(gone)?;
        let written = ready!(Pin::new(stream).poll_write(context, &bytes[..portion]))?;
        wire.out.passed(written, context);
        Poll::Ready(Ok(written))
    }

    fn poll_flush(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        let stream = self.get_mut().stream.as_mut().ok_or_else(gone)?;
        Pin::new(stream).poll_flush(context)
    }

    fn poll_shutdown(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        let wire = self.get_mut();
        // Over a cut link no goodbye goes either.
        if wire.out.link.is_cut() {
            return Poll::Ready(Ok(()));
        }
        let stream = wire.stream.as_mut().ok_or_else(gone)?;
        Pin::new(stream).poll_shutdown(context)
    }
}

impl Drop for Wire {
    fn drop(&mut self) {
        let Some(stream) = self.stream.take() else { return };
        if self.out.link.is_cut() {
            self.out.link.keep(stream);
        }
    }
}
