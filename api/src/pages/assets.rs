//! `/assets/…`: the files that pages load, all of them compiled in.
//!
//! The address of a file names its content (`?v=`), so that browsers may keep it for good and see
//! a new one at once. Modules that import each other do so without it: such a copy is kept as well,
//! and asked about each time.
//!
//! The files lie in `pages/assets/` as they do in addresses, so that an import means the same to a
//! browser and to the type checker.

use std::sync::LazyLock;

use axum::Router;
use axum::extract::{Path, RawQuery};
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use data_encoding::BASE64URL_NOPAD;
use sha2::{Digest, Sha256};

use crate::problem::Problem;
use crate::state::ApiState;

const CSS: &str = "text/css; charset=utf-8";
const JS: &str = "text/javascript; charset=utf-8";
const SVG: &str = "image/svg+xml";

/// A year, and no question in between (RFC 8246).
const FOR_GOOD: HeaderValue = HeaderValue::from_static("public, max-age=31536000, immutable");
/// Kept, and asked about each time.
const ASKED_ABOUT: HeaderValue = HeaderValue::from_static("no-cache");

/// Files by their names below `pages/assets/`.
macro_rules! files {
    ($($name:literal $kind:ident)*) => {
        [$(($name, $kind, include_bytes!(concat!("../../pages/assets/", $name)).as_slice())),*]
    };
}

/// Every file that pages may load.
const FILES: &[(&str, &str, &[u8])] = &files![
    "style.css" CSS
    "mark.svg" SVG
    "inbox.js" JS
    "portal/clock.js" JS
    "portal/codes.js" JS
    "portal/forms.js" JS
    "portal/keys.js" JS
    "portal/opening.js" JS
    "portal/page.js" JS
    "portal/resend.js" JS
    "portal/status.js" JS
    "portal/watch.js" JS
    "portal/webauthn.js" JS
    "console/activity.js" JS
    "console/api.js" JS
    "console/chart.js" JS
    "console/cluster.js" JS
    "console/confirm.js" JS
    "console/console.css" CSS
    "console/dom.js" JS
    "console/events.js" JS
    "console/icons.js" JS
    "console/listing.js" JS
    "console/main.js" JS
    "console/policy-fields.js" JS
    "console/policy-form.js" JS
    "console/policy-review.js" JS
    "console/policy.js" JS
    "console/poll.js" JS
    "console/sign-in.js" JS
    "console/time.js" JS
    "console/user.js" JS
    "console/users.js" JS
    "console/words.js" JS
];

struct Asset {
    name: &'static str,
    kind: &'static str,
    bytes: &'static [u8],
    version: String,
}

static ASSETS: LazyLock<Vec<Asset>> = LazyLock::new(|| {
    let asset = |&(name, kind, bytes): &(&'static str, &'static str, &'static [u8])| {
        // 96 bits: enough to tell a file from its own past.
        let version = BASE64URL_NOPAD.encode(&Sha256::digest(bytes)[..12]);
        Asset { name, kind, bytes, version }
    };
    FILES.iter().map(asset).collect()
});

fn find(name: &str) -> Option<&'static Asset> {
    ASSETS.iter().find(|asset| asset.name == name)
}

/// The address of a file, with the version that may be kept for good.
pub fn url(name: &str) -> String {
    let version = find(name).map(|asset| asset.version.as_str());
    debug_assert!(version.is_some(), "{name} is not in the table of assets");
    format!("/assets/{name}?v={}", version.unwrap_or_default())
}

/// What serves the files.
pub(crate) fn routes() -> Router<ApiState> {
    Router::new().route("/assets/{*name}", get(read))
}

async fn read(
    Path(name): Path<String>,
    RawQuery(query): RawQuery,
    asked: HeaderMap,
) -> Result<Response, Problem> {
    let asset = find(&name).ok_or_else(Problem::no_such_address)?;
    let version = query.as_deref().and_then(|query| query.strip_prefix("v="));
    let kept = if version == Some(&asset.version) { FOR_GOOD } else { ASKED_ABOUT };
    let tag = format!("\"{}\"", asset.version);
    let headers: [(HeaderName, HeaderValue); 3] = [
        (header::CACHE_CONTROL, kept),
        (header::CONTENT_TYPE, HeaderValue::from_static(asset.kind)),
        (header::ETAG, HeaderValue::from_str(&tag).unwrap_or(HeaderValue::from_static("\"\""))),
    ];
    if knows(&asked, &tag) {
        return Ok((StatusCode::NOT_MODIFIED, headers).into_response());
    }
    Ok((headers, asset.bytes).into_response())
}

/// Whether the browser has this very file: `If-None-Match` compares weakly (RFC 9110 section
/// 13.1.2).
fn knows(asked: &HeaderMap, tag: &str) -> bool {
    let known = asked.get_all(header::IF_NONE_MATCH).iter();
    known.filter_map(|value| value.to_str().ok()).flat_map(|value| value.split(',')).any(|one| {
        let one = one.trim();
        one == "*" || one.strip_prefix("W/").unwrap_or(one) == tag
    })
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::path::{Path, PathBuf};

    use super::*;

    fn below(folder: &Path) -> Vec<PathBuf> {
        let entries = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
        entries.flat_map(|path| if path.is_dir() { below(&path) } else { vec![path] }).collect()
    }

    #[test]
    fn every_file_of_the_folder_is_in_the_table() {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("pages/assets");
        for path in below(&folder) {
            let name = path.strip_prefix(&folder).unwrap().to_str().unwrap();
            // Types alone: browsers never load them.
            assert!(name.ends_with(".d.ts") || find(name).is_some(), "{name} is not served");
        }
    }

    #[test]
    fn no_file_leads_to_another_origin() {
        for asset in ASSETS.iter() {
            let text = std::str::from_utf8(asset.bytes).unwrap();
            let text = text.replace("http://www.w3.org/2000/svg", "");
            assert!(!text.contains("://"), "{} leads elsewhere", asset.name);
        }
    }
}
