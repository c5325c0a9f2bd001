//! The console's page: the same for everybody, and without any data.

use axum::http::header;

use crate::house::{House, KEY};

#[tokio::test]
async fn the_page_is_the_same_with_and_without_a_key_and_asks_the_gateway_nothing() {
    let house = House::new();
    let bare = house.knock("GET", "/console").send().await;
    let keyed = house.knock("GET", "/console").key(KEY).send().await;
    assert_eq!((bare.status.as_u16(), bare.text()), (200, keyed.text()));
    assert!(bare.headers.get(header::SET_COOKIE).is_none());
    assert_eq!(bare.header(header::CACHE_CONTROL), "no-store");
    assert_eq!(*house.gateway.asked_if_current.lock().unwrap(), 0);
}

#[tokio::test]
async fn nothing_on_the_page_can_send_a_key_but_its_own_scripts() {
    let house = House::new();
    let page = house.knock("GET", "/console").send().await;
    // Without scripts a form would put what is typed into an address; so there is none.
    assert!(!page.text().contains("<form") && !page.text().contains("<input"));
    let policy = page.header(header::CONTENT_SECURITY_POLICY);
    for part in ["script-src 'self'", "connect-src 'self'", "form-action 'self'"] {
        assert!(policy.contains(part), "{policy}");
    }
    assert!(!policy.contains("unsafe"), "{policy}");
}

#[tokio::test]
async fn every_file_that_the_page_names_is_served() {
    let house = House::new();
    let page = house.knock("GET", "/console").send().await;
    let mut named = 0;
    for attribute in ["src=\"/assets/", "href=\"/assets/"] {
        for rest in page.text().split(attribute).skip(1) {
            let path = format!("/assets/{}", rest.split('"').next().unwrap());
            let file = house.knock("GET", &path).send().await;
            assert_eq!(file.status, 200, "{path}");
            assert!(file.header(header::CACHE_CONTROL).contains("immutable"), "{path}");
            named += 1;
        }
    }
    assert!(named >= 4, "{named}");
}
