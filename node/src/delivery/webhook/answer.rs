//! What an endpoint answers. Its status counts; of the rest, `Retry-After` alone is looked at.

use std::time::Duration;

use countersign_core::time::Timestamp;
use countersign_core::webhook::TRIED_FOR_MS;
use reqwest::Response;
use reqwest::header::{HeaderMap, RETRY_AFTER};
use time::OffsetDateTime;
use time::format_description::well_known::Rfc2822;
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

/// When to come again: seconds, or a date (RFC 9110 section 10.2.3). At most the time for which
/// deliveries are tried; a date that is past means at once.
pub(super) fn retry_after(headers: &HeaderMap, now: Timestamp) -> Option<Duration> {
    let text = headers.get(RETRY_AFTER)?.to_str().ok()?.trim();
    let most = Duration::from_millis(TRIED_FOR_MS.unsigned_abs());
    let wait = if text.bytes().all(|byte| byte.is_ascii_digit()) && !text.is_empty() {
        // More digits than a number has is longer than ever.
        text.parse().map_or(most, Duration::from_secs)
    } else {
        let date = OffsetDateTime::parse(text, &Rfc2822).ok()?;
        let date = Timestamp::from_millis(date.unix_timestamp().saturating_mul(1_000));
        Duration::from_millis(u64::try_from(date.millis_since(now)).unwrap_or(0))
    };
    Some(wait.min(most))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn after(text: &str) -> Option<Duration> {
        let mut headers = HeaderMap::new();
        headers.insert(RETRY_AFTER, text.parse().unwrap());
        // Sun, 06 Nov 1994 08:49:37 GMT, the date of RFC 9110 section 5.6.7.
        retry_after(&headers, Timestamp::from_millis(784_111_777_000))
    }

    #[test]
    fn seconds_and_dates_are_understood() {
        assert_eq!(after("120"), Some(Duration::from_secs(120)));
        assert_eq!(after(" 0 "), Some(Duration::ZERO));
        assert_eq!(after("Sun, 06 Nov 1994 08:51:37 GMT"), Some(Duration::from_secs(120)));
        assert_eq!(after("Sun, 06 Nov 1994 08:00:00 GMT"), Some(Duration::ZERO));
    }

    #[test]
    fn nobody_sends_an_event_beyond_its_day() {
        let day = Some(Duration::from_secs(86_400));
        assert_eq!(after("99999999"), day);
        assert_eq!(after("99999999999999999999999999"), day);
        assert_eq!(after("Fri, 31 Dec 9999 23:59:59 GMT"), day);
    }

    #[test]
    fn what_is_neither_is_nothing() {
        for text in ["", "soon", "-5", "1.5", "+3", "Sun, 32 Nov 1994 08:49:37 GMT"] {
            assert_eq!(after(text), None, "{text}");
        }
        assert_eq!(retry_after(&HeaderMap::new(), Timestamp::EPOCH), None);
    }
}
