//! The OpenAPI document and the pages to browse it, which load nothing from elsewhere.

use std::borrow::Cow;
use std::sync::{Arc, OnceLock};

use axum::body::Bytes;
use axum::extract::Path;
use axum::http::{HeaderValue, header};
use axum::response::{IntoResponse, Response};
use axum::{Extension, http::HeaderName};
use utoipa_swagger_ui::Config;

use crate::problem::Problem;

/// The pages may load scripts, styles and data from this server alone. The viewer sets styles on
/// its elements, so styles may be inline; scripts may not.
const POLICY: HeaderValue = HeaderValue::from_static(
    "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; \
     img-src 'self' data:; font-src 'self' data:; connect-src 'self'; \
     base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
);

/// The serialised OpenAPI document.
#[derive(Clone, Debug)]
pub(crate) struct Document(pub(crate) Bytes);

/// Read the OpenAPI document
#[utoipa::path(
    get, path = "/openapi.json", operation_id = "getOpenApi", tag = "Documentation", security(()),
    responses((status = 200, description = "This document", body = Object))
)]
pub(crate) async fn openapi(Extension(Document(json)): Extension<Document>) -> Response {
    let json_type = HeaderValue::from_static("application/json");
    ([(header::CONTENT_TYPE, json_type)], json).into_response()
}

/// Browse the OpenAPI document
#[utoipa::path(
    get, path = "/docs", operation_id = "browseDocs", tag = "Documentation", security(()),
    responses((status = 200, description = "A page", body = String, content_type = "text/html"))
)]
pub(crate) async fn docs() -> Result<Response, Problem> {
    file("index.html")
}

/// The viewer's other files.
pub(crate) async fn asset(Path(path): Path<String>) -> Result<Response, Problem> {
    file(&path)
}

fn file(path: &str) -> Result<Response, Problem> {
    let config: Config<'static> = Config::new(["/openapi.json"])
        .validator_url("none")
        .display_operation_id(true)
        .persist_authorization(false)
        .try_it_out_enabled(true);
    let file = utoipa_swagger_ui::serve(path, Arc::new(config))
        .map_err(|error| Problem::internal(format!("the page {path} of the docs: {error}")))?
        .ok_or_else(Problem::no_such_address)?;
    let media_type = match file.content_type.as_str() {
        "text/html" => "text/html; charset=utf-8".to_owned(),
        other => other.to_owned(),
    };
    // Compiled in, but for the few lines that name our document and the page: no copy a request.
    let bytes = match file.bytes {
        Cow::Borrowed(page) if path == "index.html" => {
            static PAGE: OnceLock<Bytes> = OnceLock::new();
            PAGE.get_or_init(|| whole_addresses(page).into()).clone()
        }
        Cow::Borrowed(bytes) => Bytes::from_static(bytes),
        Cow::Owned(bytes) => Bytes::from(bytes),
    };
    let headers: [(HeaderName, HeaderValue); 2] = [
        (
            header::CONTENT_TYPE,
            HeaderValue::from_str(&media_type)
                .unwrap_or(HeaderValue::from_static("application/octet-stream")),
        ),
        (header::CONTENT_SECURITY_POLICY, POLICY),
    ];
    Ok((headers, bytes).into_response())
}

/// The page with addresses that are right at `/docs` and at `/docs/`.
fn whole_addresses(page: &[u8]) -> Vec<u8> {
    let page = String::from_utf8_lossy(page);
    let mut whole = page.replace("=\"./", "=\"");
    for name in ["href", "src"] {
        whole = whole.replace(&format!("{name}=\""), &format!("{name}=\"/docs/"));
    }
    whole.into_bytes()
}
