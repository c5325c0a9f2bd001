//! The inbox that only `dev` has.

use std::sync::Arc;

use axum::http::header;
use countersign_api::{Inbox, InboxMessage};
use countersign_core::message::Channel;
use serde_json::{Value, json};

use crate::house::{House, NOW};

const PAGES: [&str; 2] = ["/dev/messages", "/dev/inbox"];

struct Two;

impl Inbox for Two {
    fn messages(&self) -> Vec<InboxMessage> {
        let sms = InboxMessage {
            id: "dlv_2".to_owned(),
            at: NOW,
            channel: Channel::Sms,
            to: "+14155552671".to_owned(),
            subject: None,
            text: "492039 is your code.".to_owned(),
            html: None,
            code: "492039".to_owned(),
        };
        let email = InboxMessage {
            id: "dlv_1".to_owned(),
            channel: Channel::Email,
            to: "ann+mfa@acme.example".to_owned(),
            subject: Some("Your code".to_owned()),
            html: Some("<p>492039</p>".to_owned()),
            ..sms.clone()
        };
        vec![sms, email]
    }
}

fn dev() -> House {
    House::with(|options| options.inbox = Some(Arc::new(Two)))
}

#[tokio::test]
async fn a_node_that_serves_has_no_inbox_whatever_is_asked_of_it() {
    let serving = House::new();
    for page in PAGES {
        for method in ["GET", "HEAD", "POST", "DELETE", "OPTIONS"] {
            let answer = serving.knock(method, page).send().await;
            assert_eq!(answer.status, 404, "{method} {page}");
        }
        assert_eq!(serving.get(&format!("{page}?to=a&to=%ff&odd")).await.problem(), "not_found");
    }
    let document = serving.knock("GET", "/openapi.json").send().await;
    assert!(!document.text().contains("/dev/"), "the contract knows no inbox");
}

#[tokio::test]
async fn messages_are_a_list_that_can_be_narrowed_to_one_receiver() {
    let dev = dev();
    let ids = async |path: &str| -> Vec<Value> {
        let list = dev.get(path).await.json();
        assert_eq!(list["nextCursor"], Value::Null);
        list["data"].as_array().unwrap().iter().map(|one| one["id"].clone()).collect()
    };
    assert_eq!(ids("/dev/messages").await, ["dlv_2", "dlv_1"]);
    assert_eq!(ids("/dev/messages?to=%2B14155552671").await, ["dlv_2"]);
    // As a person types it, with a plus that a query string takes for a space.
    assert_eq!(ids("/dev/messages?to=+14155552671").await, ["dlv_2"]);
    assert_eq!(ids("/dev/messages?to=ann+mfa@acme.example").await, ["dlv_1"]);
    assert_eq!(ids("/dev/messages?to=nobody").await, Vec::<Value>::new());
    assert_eq!(dev.get("/dev/messages?too=x").await.pointers(), ["/too"]);

    let messages = dev.get("/dev/messages").await;
    assert_eq!(messages.header(header::CACHE_CONTROL), "no-store");
    let email = json!({
        "id": "dlv_1", "at": "2026-01-31T12:00:00.000Z", "channel": "EMAIL",
        "to": "ann+mfa@acme.example", "subject": "Your code", "text": "492039 is your code.",
        "html": "<p>492039</p>", "code": "492039",
    });
    assert_eq!(messages.json()["data"][1], email);
}

#[tokio::test]
async fn the_page_loads_what_this_server_has_and_nothing_runs_within_it() {
    let dev = dev();
    let page = dev.knock("GET", "/dev/inbox").send().await;
    assert_eq!(page.status, 200);
    assert_eq!(page.header(header::CONTENT_TYPE), "text/html; charset=utf-8");
    assert_eq!(page.header(header::CACHE_CONTROL), "no-store");
    let policy = page.header(header::CONTENT_SECURITY_POLICY);
    assert!(policy.starts_with("default-src 'none'"), "{policy}");
    assert!(policy.contains("script-src 'self'") && !policy.contains("unsafe"), "{policy}");
    let text = page.text();
    assert!(!text.contains("://"), "the page leads elsewhere: {text}");
    assert!(text.contains("width=device-width"), "{text}");
    assert!(!text.contains("<style") && !text.contains("onload="), "{text}");
    let scripts: Vec<&str> = text.split("<script ").skip(1).collect();
    assert!(scripts.len() == 1 && scripts[0].contains("src=\"/assets/inbox.js?v="), "{text}");
    // What somebody wrote into a template is shown, never run.
    let script = dev.knock("GET", "/assets/inbox.js").send().await;
    assert_eq!(script.header(header::CONTENT_TYPE), "text/javascript; charset=utf-8");
    assert!(!script.text().contains("innerHTML"), "{}", script.text());
}

#[tokio::test]
async fn messages_are_shown_under_a_name_of_this_machine_alone() {
    let dev = dev();
    for page in PAGES {
        for host in ["localhost:8080", "127.0.0.1:8080", "[::1]:8080", "x.localhost"] {
            assert_eq!(
                dev.knock("GET", page).header("host", host).send().await.status,
                200,
                "{host}"
            );
        }
        // A page there has its name lead here, and reads what it likes.
        for host in ["evil.example:8080", "localhost.evil.example", "192.168.1.7:8080", ""] {
            let answer = dev.knock("GET", page).header("host", host).send().await;
            assert_eq!(answer.problem(), "not_found", "{host}");
            assert!(!answer.text().contains("492039"), "{host}");
        }
    }
}
