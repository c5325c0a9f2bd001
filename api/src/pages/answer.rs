//! The answer that a page is sent in: never kept by anybody, and with a policy under which nothing
//! runs or loads that this service did not serve itself.

use askama::Template;
use axum::http::{HeaderName, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};

use crate::problem::Problem;

/// What a page may load, and where its forms lead: to this service (CSP Level 3).
const POLICY: HeaderValue = HeaderValue::from_static(
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; \
     connect-src 'self'; base-uri 'none'; frame-ancestors 'none'; form-action 'self'",
);

/// No window that this page opens, or that opened it, can reach into it.
const OPENER: HeaderName = HeaderName::from_static("cross-origin-opener-policy");

/// A page.
pub fn html(status: StatusCode, page: &impl Template) -> Response {
    let text = match page.render() {
        Ok(text) => text,
        Err(error) => {
            return Problem::internal(format!("a page could not be rendered: {error}"))
                .into_response();
        }
    };
    let headers = [
        (header::CONTENT_TYPE, HeaderValue::from_static("text/html; charset=utf-8")),
        (header::CONTENT_SECURITY_POLICY, POLICY),
        (header::CACHE_CONTROL, HeaderValue::from_static("no-store")),
        // Told to this origin, and to no other. Without it browsers would send `Origin: null` with
        // this page's forms (Fetch section 3.2), and a forged one could not be told from them.
        (header::REFERRER_POLICY, HeaderValue::from_static("same-origin")),
        (OPENER, HeaderValue::from_static("same-origin")),
    ];
    (status, headers, text).into_response()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Template)]
    #[template(
        ext = "html",
        source = "{% extends \"base.html\" %}{% block title %}T{% endblock %}\
                  {% block main %}{{ name }}{% endblock %}"
    )]
    struct Page<'a> {
        frame: crate::pages::Frame,
        name: &'a str,
    }

    fn page(name: &str) -> Page<'_> {
        Page { frame: crate::pages::Frame::ENGLISH, name }
    }

    fn of<'a>(response: &'a Response, name: &HeaderName) -> &'a str {
        response.headers()[name].to_str().unwrap()
    }

    #[test]
    fn nothing_runs_or_loads_but_what_this_service_serves() {
        let answer = html(StatusCode::OK, &page("Ann"));
        let policy = of(&answer, &header::CONTENT_SECURITY_POLICY);
        assert!(policy.starts_with("default-src 'none'"), "{policy}");
        assert!(policy.ends_with("form-action 'self'"), "{policy}");
        assert!(!policy.contains("unsafe") && !policy.contains('*'), "{policy}");
        assert_eq!(of(&answer, &header::CACHE_CONTROL), "no-store");
        assert_eq!(of(&answer, &header::CONTENT_TYPE), "text/html; charset=utf-8");
        assert_eq!(of(&answer, &header::REFERRER_POLICY), "same-origin");
    }

    #[test]
    fn what_is_put_in_is_text_and_the_frame_has_no_script_or_style_of_its_own() {
        let text = page("<b onclick=x>").render().unwrap();
        assert!(!text.contains("<b o") && text.contains("&#60;b"), "{text}");
        for within in ["<style", "style=", "<script>", "onload=", "javascript:"] {
            assert!(!text.contains(within), "{within}: {text}");
        }
        assert!(text.contains("lang=\"en\"") && text.contains("<title>T"), "{text}");
    }
}
