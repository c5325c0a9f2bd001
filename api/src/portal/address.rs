//! Where the pages are, and where they lead in the end.

use axum::http::HeaderMap;
use countersign_core::ids::PortalId;
use countersign_core::portal::ResultParameter;
use url::Url;

use crate::host;
use crate::state::ApiState;

/// The most characters of an address to return to.
const RETURN_URL_MAX: usize = 2_048;

/// The first page of a session. All of its pages are below: which session a page is of stands in its
/// address, so that two tabs with two sessions never take each other's forms.
pub(super) fn first_page(id: PortalId) -> String {
    format!("/portal/{id}")
}

/// The session whose pages are at this path.
pub(super) fn session_in(path: &str) -> Option<PortalId> {
    path.strip_prefix("/portal/")?.split('/').next()?.parse().ok()
}

/// The origin under which browsers reach the pages: as configured, else as this request's `Host` has
/// it, if that is a name of this machine alone. Any other could be anybody's.
pub(crate) fn public_origin(api: &ApiState, headers: &HeaderMap) -> Option<String> {
    match &api.options.public_url {
        Some(url) => Some(origin_of(&Url::parse(url).ok()?)),
        None => host::local(headers).map(|url| origin_of(&url)),
    }
}

/// Scheme, host and perhaps a port, as browsers write them (RFC 6454 section 6.2).
fn origin_of(url: &Url) -> String {
    url.origin().ascii_serialization()
}

/// Whether security keys and passkeys work on pages of this origin: the relying party's id has to be
/// its host or a parent of it (W3C WebAuthn Level 3 section 5.1.3), and the settings have to name it.
pub(crate) fn serves_keys(origin: &str, origins: &[String], rp_id: &str) -> bool {
    let host = Url::parse(origin).ok().and_then(|url| url.host_str().map(str::to_owned));
    let within = host.is_some_and(|host| {
        host == rp_id || host.strip_suffix(rp_id).is_some_and(|rest| rest.ends_with('.'))
    });
    within && origins.iter().any(|one| one == origin)
}

/// An address that the browser goes to in the end.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct ReturnAddress(Url);

impl ReturnAddress {
    /// Reads one as browsers do; else says what is wrong.
    pub(crate) fn parse(text: &str) -> Result<Self, &'static str> {
        if text.len() > RETURN_URL_MAX {
            return Err("must have at most 2048 characters");
        }
        let url = Url::parse(text).map_err(|_| "must be an absolute https or http address")?;
        if !matches!(url.scheme(), "https" | "http") || url.host_str().is_none_or(str::is_empty) {
            return Err("must be an absolute https or http address");
        }
        if !url.username().is_empty() || url.password().is_some() {
            return Err("must not have a user or a password in it");
        }
        Ok(Self(url))
    }

    /// The address.
    pub(crate) fn as_str(&self) -> &str {
        self.0.as_str()
    }

    /// Its origin.
    pub(crate) fn origin(&self) -> String {
        origin_of(&self.0)
    }

    /// Its host, as a person knows it.
    pub(crate) fn host(&self) -> &str {
        self.0.host_str().unwrap_or_default()
    }

    /// Whether its query has a parameter of this name already.
    pub(crate) fn has(&self, parameter: ResultParameter) -> bool {
        self.0.query_pairs().any(|(name, _)| name == parameter.as_str())
    }

    /// The address with a code.
    pub(crate) fn with_code(&self, parameter: ResultParameter, code: &str) -> String {
        let mut url = self.0.clone();
        url.query_pairs_mut().append_pair(parameter.as_str(), code);
        url.into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_to_return_to_is_read_as_a_browser_reads_it() {
        for (text, origin) in [
            ("https://acme.example/back?state=1#top", "https://acme.example"),
            ("HTTPS://ACME.example:443/", "https://acme.example"),
            ("http://localhost:8080", "http://localhost:8080"),
            // To a browser these are all slashes.
            ("https:\\\\evil.example\\.acme.example", "https://evil.example"),
            ("https:/evil.example", "https://evil.example"),
        ] {
            assert_eq!(ReturnAddress::parse(text).unwrap().origin(), origin, "{text}");
        }
        for text in [
            "",
            "/back",
            "//acme.example/back",
            "acme.example",
            "javascript:alert(1)",
            "data:text/html,x",
            "ftp://acme.example/",
            "https://acme.example@evil.example/",
            "https://u:p@acme.example/",
            &format!("https://acme.example/{}", "x".repeat(2_048)),
        ] {
            assert!(ReturnAddress::parse(text).is_err(), "{text}");
        }
    }

    #[test]
    fn the_code_is_added_and_the_applications_own_stays() {
        let with = |text: &str, parameter| {
            ReturnAddress::parse(text).unwrap().with_code(parameter, "pcd_x")
        };
        let (ours, oauths) = (ResultParameter::CountersignResult, ResultParameter::Code);
        assert_eq!(with("https://a.example/b", oauths), "https://a.example/b?code=pcd_x");
        assert_eq!(
            with("https://a.example/b?state=%26x#t", ours),
            "https://a.example/b?state=%26x&countersign_result=pcd_x#t"
        );
    }

    #[test]
    fn a_parameter_of_the_same_name_is_seen_however_it_is_written() {
        let has = |text: &str, parameter| ReturnAddress::parse(text).unwrap().has(parameter);
        let (ours, oauths) = (ResultParameter::CountersignResult, ResultParameter::Code);
        assert!(has("https://a.example/?code=x", oauths));
        assert!(has("https://a.example/?a=b&c%6fde=x", oauths));
        assert!(has("https://a.example/?countersign%5Fresult", ours));
        assert!(!has("https://a.example/?code=x", ours));
        assert!(!has("https://a.example/?countersign_result=x", oauths));
    }

    #[test]
    fn keys_work_where_the_settings_say_and_a_browser_would_let_them() {
        let origins = ["https://mfa.acme.example".to_owned(), "https://other.example".to_owned()];
        let works = |origin: &str, rp_id: &str| serves_keys(origin, &origins, rp_id);
        assert!(works("https://mfa.acme.example", "acme.example"));
        assert!(works("https://mfa.acme.example", "mfa.acme.example"));
        assert!(!works("https://mfa.acme.example", "me.example"));
        assert!(!works("https://mfa.acme.example", "x.mfa.acme.example"));
        assert!(!works("https://other.example", "acme.example"));
        assert!(!works("https://login.acme.example", "acme.example"));
    }
}
