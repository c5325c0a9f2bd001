//! A page for every code: the address in a problem's `type` leads here.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use axum::body::Bytes;
use axum::extract::Path;
use axum::http::{HeaderValue, header};
use axum::response::{IntoResponse, Response};
use data_encoding::BASE64;
use sha2::{Digest, Sha256};

use crate::layers::headers::NOTHING_ELSE;
use crate::problem::{Code, Problem};

const STYLE: &str = "\
:root{color-scheme:light dark;--line:#8884;--soft:light-dark(#5f6368,#a5a9ae)}\
body{font:1rem/1.6 system-ui,sans-serif;max-width:44rem;margin:4rem auto;padding:0 1.5rem}\
h1{font-size:1.6rem;line-height:1.25;margin:.25rem 0 1.5rem}\
h2{font-size:1rem;margin:2rem 0 .25rem}p{margin:0 0 1rem}\
code{font:.9em ui-monospace,monospace;background:#8882;padding:.1em .3em;border-radius:.25em}\
.status{color:var(--soft);margin:0}a{color:inherit}\
table{border-collapse:collapse;width:100%}\
td,th{text-align:left;padding:.5rem .75rem .5rem 0;border-top:1px solid var(--line);vertical-align:top}\
nav{margin-top:3rem;color:var(--soft)}";

/// The pages as they are sent, made once: the list under an empty name, then one for each code.
static PAGES: LazyLock<BTreeMap<String, Bytes>> = LazyLock::new(|| {
    let codes = Code::ALL.iter().map(|code| (code.slug(), explained(*code)));
    std::iter::once((String::new(), listed())).chain(codes).collect()
});

/// The policy under which they may load the one style that they have, named by its digest (CSP Level
/// 3 section 2.3.1).
static POLICY: LazyLock<HeaderValue> = LazyLock::new(|| {
    let digest = BASE64.encode(&Sha256::digest(STYLE));
    let policy = format!("{NOTHING_ELSE}; style-src 'sha256-{digest}'");
    HeaderValue::from_str(&policy).unwrap_or(HeaderValue::from_static(NOTHING_ELSE))
});

/// Read what all problems mean
#[utoipa::path(
    get, path = "/problems", operation_id = "listProblems", tag = "Documentation", security(()),
    responses((status = 200, description = "A page", body = String, content_type = "text/html"))
)]
pub(crate) async fn index() -> Result<Response, Problem> {
    send("")
}

/// Read what a problem means
#[utoipa::path(
    get, path = "/problems/{code}", operation_id = "getProblem", tag = "Documentation",
    security(()),
    params(("code" = String, Path, description = "The code with dashes", example = "invalid-code")),
    responses((status = 200, description = "A page", body = String, content_type = "text/html"))
)]
pub(crate) async fn read(Path(slug): Path<String>) -> Result<Response, Problem> {
    send(&slug)
}

fn send(slug: &str) -> Result<Response, Problem> {
    let page = PAGES.get(slug).cloned().ok_or_else(Problem::no_such_address)?;
    let html_type = HeaderValue::from_static("text/html; charset=utf-8");
    let headers =
        [(header::CONTENT_TYPE, html_type), (header::CONTENT_SECURITY_POLICY, POLICY.clone())];
    Ok((headers, page).into_response())
}

fn listed() -> Bytes {
    let rows: String = Code::ALL
        .iter()
        .map(|code| {
            format!(
                "<tr><td>{}</td><td><a href=\"{}\"><code>{}</code></a></td><td>{}</td></tr>",
                code.status().as_u16(),
                code.page(),
                code.as_str(),
                marked_up(code.title()),
            )
        })
        .collect();
    page(
        "Problems",
        &format!(
            "<h1>Problems</h1><p>Every failed request is answered by \
             <code>application/problem+json</code> (RFC 9457). Branch on <code>code</code>; \
             <code>detail</code> is for people.</p>\
             <table><tr><th>Status</th><th>Code</th><th>Meaning</th></tr>{rows}</table>"
        ),
    )
}

fn explained(code: Code) -> Bytes {
    let status = code.status();
    let reason = status.canonical_reason().unwrap_or_default();
    page(
        code.title(),
        &format!(
            "<p class=\"status\">{} {reason}</p><h1>{}</h1><p><code>{}</code></p>\
             <h2>What it means</h2><p>{}</p><h2>What to do</h2><p>{}</p>\
             <nav><a href=\"/problems\">All problems</a> · <a href=\"/docs\">API reference</a></nav>",
            status.as_u16(),
            marked_up(code.title()),
            code.as_str(),
            marked_up(code.meaning()),
            marked_up(code.remedy()),
        ),
    )
}

fn page(title: &str, content: &str) -> Bytes {
    format!(
        "<!doctype html><html lang=\"en\"><head><meta charset=\"utf-8\">\
         <meta name=\"viewport\" content=\"width=device-width,initial-scale=1\">\
         <title>{} · Countersign</title><style>{STYLE}</style></head><body>{content}</body></html>",
        marked_up(title),
    )
    .into()
}

/// Text with its back-ticked words as code, and nothing else that HTML would read.
fn marked_up(text: &str) -> String {
    let escaped = text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;");
    let mut parts = escaped.split('`');
    let mut html = parts.next().unwrap_or_default().to_owned();
    while let (Some(code), rest) = (parts.next(), parts.next()) {
        html.push_str(&format!("<code>{code}</code>{}", rest.unwrap_or_default()));
    }
    html
}
