//! The files that pages load, and the sample application beside them.

use axum::Router;
use axum::http::header;
use axum::routing::get;

use crate::house::{Answer, House};

const FOR_GOOD: &str = "public, max-age=31536000, immutable";

async fn asset(house: &House, path: &str) -> Answer {
    house.knock("GET", path).send().await
}

#[tokio::test]
async fn a_file_whose_version_is_named_is_kept_for_good() {
    let house = House::new();
    for (name, kind) in [("style.css", "text/css; charset=utf-8"), ("mark.svg", "image/svg+xml")] {
        let named = countersign_api::pages::asset_url(name);
        let answer = asset(&house, &named).await;
        assert_eq!(answer.status, 200, "{named}");
        assert_eq!(answer.header(header::CACHE_CONTROL), FOR_GOOD);
        assert_eq!(answer.header(header::CONTENT_TYPE), kind);
        assert_eq!(answer.header("x-content-type-options"), "nosniff");
        assert!(!answer.bytes.is_empty());
        // The version is that of the content: another content would be found under another name.
        let version = named.split_once("?v=").unwrap().1;
        assert_eq!(answer.header(header::ETAG), format!("\"{version}\""));
    }
}

#[tokio::test]
async fn a_file_of_another_version_is_never_kept_under_its_name() {
    let house = House::new();
    for path in ["/assets/style.css", "/assets/style.css?v=", "/assets/style.css?v=old"] {
        let answer = asset(&house, path).await;
        assert_eq!(answer.status, 200, "{path}");
        assert_eq!(answer.header(header::CACHE_CONTROL), "no-cache", "{path}");
    }
}

#[tokio::test]
async fn a_browser_that_has_the_file_is_told_so() {
    let house = House::new();
    let tag = asset(&house, "/assets/style.css").await.header(header::ETAG).to_owned();
    let asked =
        async |known: &str| house.knock("GET", "/assets/style.css").header("if-none-match", known);
    for known in [tag.clone(), format!("W/{tag}"), format!("\"x\", {tag}"), "*".to_owned()] {
        let answer = asked(&known).await.send().await;
        assert_eq!(answer.status, 304, "{known}");
        assert!(answer.bytes.is_empty());
        assert_eq!(answer.header(header::ETAG), tag);
    }
    assert_eq!(asked("\"x\"").await.send().await.status, 200);
}

#[tokio::test]
async fn there_is_no_file_but_those_of_the_table() {
    let house = House::new();
    for path in [
        "/assets/",
        "/assets",
        "/assets/none.css",
        "/assets/../Cargo.toml",
        "/assets/%2e%2e/base.html",
        "/assets/base.html",
        "/assets/style.css/",
    ] {
        assert_eq!(asset(&house, path).await.problem(), "not_found", "{path}");
    }
    let answer = house.knock("POST", "/assets/style.css").send().await;
    assert_eq!(answer.status, 405);
}

#[tokio::test]
async fn there_is_nothing_at_the_root_but_where_a_sample_was_given() {
    let serving = House::new();
    for path in ["/", "/sign-in", "/back", "/harbour.css"] {
        assert_eq!(asset(&serving, path).await.problem(), "not_found", "{path}");
    }
    let sample = Router::new().route("/", get(async || "the shop"));
    let dev = House::with(|options| options.sample = Some(sample));
    let shop = asset(&dev, "/").await;
    assert_eq!(shop.text(), "the shop");
    // It passes what every request passes.
    assert!(!shop.header("x-request-id").is_empty());
    assert_eq!(shop.header("x-frame-options"), "DENY");
}
