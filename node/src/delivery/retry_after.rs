//! `Retry-After`: when whoever refused wants to be asked again.

use std::time::{Duration, UNIX_EPOCH};

use countersign_core::time::Timestamp;
use reqwest::header::{HeaderMap, RETRY_AFTER};

/// Seconds, or a date in any of the forms of RFC 9110 section 5.6.7 (section 10.2.3). At most
/// `most`; a date that is past means at once; `None` if there is none that can be read.
pub(super) fn retry_after(headers: &HeaderMap, now: Timestamp, most: Duration) -> Option<Duration> {
    let text = headers.get(RETRY_AFTER)?.to_str().ok()?.trim();
    let wait = if text.bytes().all(|byte| byte.is_ascii_digit()) && !text.is_empty() {
        // More digits than a number has is longer than ever.
        text.parse().map_or(most, Duration::from_secs)
    } else {
        let date = httpdate::parse_http_date(text).ok()?.duration_since(UNIX_EPOCH).ok()?;
        let now = Duration::from_millis(u64::try_from(now.millis()).unwrap_or(0));
        date.saturating_sub(now)
    };
    Some(wait.min(most))
}

#[cfg(test)]
mod tests {
    use super::*;

    const DAY: Duration = Duration::from_secs(86_400);

    fn after(text: &str) -> Option<Duration> {
        let mut headers = HeaderMap::new();
        headers.insert(RETRY_AFTER, text.parse().unwrap());
        // Sun, 06 Nov 1994 08:49:37 GMT, the date of RFC 9110 section 5.6.7.
        retry_after(&headers, Timestamp::from_millis(784_111_777_000), DAY)
    }

    #[test]
    fn seconds_and_dates_are_understood() {
        assert_eq!(after("120"), Some(Duration::from_secs(120)));
        assert_eq!(after(" 0 "), Some(Duration::ZERO));
        assert_eq!(after("Sun, 06 Nov 1994 08:51:37 GMT"), Some(Duration::from_secs(120)));
        assert_eq!(after("Sunday, 06-Nov-94 08:51:37 GMT"), Some(Duration::from_secs(120)));
        assert_eq!(after("Sun, 06 Nov 1994 08:00:00 GMT"), Some(Duration::ZERO));
    }

    #[test]
    fn nobody_waits_longer_than_the_most() {
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
        assert_eq!(retry_after(&HeaderMap::new(), Timestamp::EPOCH, DAY), None);
    }
}
