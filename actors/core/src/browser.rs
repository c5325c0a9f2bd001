//! Which browser on which platform a `User-Agent` tells of, without versions: a browser that was
//! updated is the one that it was.

/// What tells of a family, the more special first: nearly all of them claim to be others as well.
const FAMILIES: [(&str, &str); 26] = [
    ("Edg", "Edge"),
    ("OPR/", "Opera"),
    ("OPT/", "Opera"),
    ("OPiOS", "Opera"),
    ("Opera", "Opera"),
    ("SamsungBrowser", "Samsung Internet"),
    ("Vivaldi", "Vivaldi"),
    ("YaBrowser", "Yandex"),
    ("DuckDuckGo", "DuckDuckGo"),
    ("Ddg/", "DuckDuckGo"),
    ("UCBrowser", "UC"),
    ("HuaweiBrowser", "Huawei"),
    ("MiuiBrowser", "Miui"),
    ("Silk/", "Silk"),
    ("Brave", "Brave"),
    ("FBAN", "Facebook"),
    ("FBAV", "Facebook"),
    ("Instagram", "Instagram"),
    ("FxiOS", "Firefox"),
    ("Firefox/", "Firefox"),
    ("CriOS", "Chrome"),
    ("HeadlessChrome", "Headless Chrome"),
    ("Chrome/", "Chrome"),
    ("Trident/", "Internet Explorer"),
    ("MSIE", "Internet Explorer"),
    ("Safari/", "Safari"),
];

/// What tells of a platform, the more special first.
const PLATFORMS: [(&str, &str); 9] = [
    ("iPhone", "iPhone"),
    ("iPad", "iPad"),
    ("iPod", "iPod"),
    ("Android", "Android"),
    ("CrOS", "ChromeOS"),
    ("Windows", "Windows"),
    ("Mac OS X", "macOS"),
    ("Macintosh", "macOS"),
    ("Linux", "Linux"),
];

/// Family and platform. What is no browser is known by the name that it begins with.
pub(crate) fn family_and_platform(user_agent: &str) -> String {
    let find = |marks: &[(&str, &'static str)]| {
        marks.iter().find(|(mark, _)| user_agent.contains(mark)).map(|(_, name)| *name)
    };
    let family = find(&FAMILIES).unwrap_or_else(|| product(user_agent));
    format!("{family} on {}", find(&PLATFORMS).unwrap_or_default())
}

/// The first product's name (RFC 9110 section 10.1.5: `name/version`).
fn product(user_agent: &str) -> &str {
    user_agent.trim().split(|c: char| c == '/' || c.is_whitespace()).next().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_browser_is_known_by_family_and_platform() {
        let apple = "AppleWebKit/605.1.15 (KHTML, like Gecko)";
        for (agent, known) in [
            (
                "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) \
                 Chrome/120.0.0.0 Safari/537.36",
                "Chrome on Windows",
            ),
            (
                "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) \
                 Chrome/121.0.0.0 Safari/537.36 Edg/121.0.2277.83",
                "Edge on Windows",
            ),
            (
                "Mozilla/5.0 (X11; Ubuntu; Linux x86_64; rv:126.0) Gecko/20100101 Firefox/126.0",
                "Firefox on Linux",
            ),
            (
                "Mozilla/5.0 (Linux; Android 14; SM-G991B) AppleWebKit/537.36 (KHTML, like Gecko) \
                 SamsungBrowser/24.0 Chrome/117.0.0.0 Mobile Safari/537.36",
                "Samsung Internet on Android",
            ),
            (
                &format!(
                    "Mozilla/5.0 (iPhone; CPU iPhone OS 17_5 like Mac OS X) {apple} Version/17.5 \
                     Mobile/15E148 Safari/604.1"
                ),
                "Safari on iPhone",
            ),
            (
                &format!(
                    "Mozilla/5.0 (iPhone; CPU iPhone OS 17_5 like Mac OS X) {apple} \
                     CriOS/125.0.6422.80 Mobile/15E148 Safari/604.1"
                ),
                "Chrome on iPhone",
            ),
            (
                &format!(
                    "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) {apple} Version/17.5 \
                     Safari/605.1.15"
                ),
                "Safari on macOS",
            ),
            ("AcmeBank/7.1.0 (Android 14; Pixel 8)", "AcmeBank on Android"),
            ("curl/8.5.0", "curl on "),
        ] {
            assert_eq!(family_and_platform(agent), known, "{agent}");
        }
    }
}
