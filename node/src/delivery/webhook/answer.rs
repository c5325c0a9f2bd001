//! What an endpoint answers. Its status counts, and `Retry-After`; the rest is read only to be rid of.

use std::time::Duration;

use reqwest::Response;
use tokio::time::{Instant, timeout_at};

/// The most bytes that are read of an answer.
const BYTES_MAX: usize = 64 << 10;
/// How long they are waited for.
const READ_FOR: Duration = Duration::from_secs(1);

/// Reads an answer to its end, if that is near, so that the connection can be used again; else it is
/// closed. Nothing depends on what is read.
pub(super) async fn drain(mut answer: Response, deadline: Instant) {
    let mut left = BYTES_MAX;
    if answer.content_length().is_some_and(|length| length > BYTES_MAX as u64) {
        return;
    }
    let read = async {
        while let Ok(Some(chunk)) = answer.chunk().await {
            match left.checked_sub(chunk.len()) {
                Some(rest) => left = rest,
                None => return,
            }
        }
    };
    // Whether it came to its end in time changes nothing.
    let _ = timeout_at(deadline.min(Instant::now() + READ_FOR), read).await;
}
