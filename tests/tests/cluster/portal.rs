//! The hosted pages through any node: a load balancer sends each request of a browser to another,
//! and what is good once is good once in all of them.

use countersign_tests::cluster::Cluster;
use futures::future::join_all;
use reqwest::header::{COOKIE, HOST, LOCATION, ORIGIN, SET_COOKIE};
use reqwest::redirect::Policy;
use reqwest::{Client, Response};
use serde_json::{Value, json};

use crate::{alone, plan};

/// Where browsers believe to be, whatever node answers; the settings of a new tenant name it.
const PUBLIC: &str = "http://localhost:8080";

/// What a browser was given.
struct Session<'a> {
    /// The first page.
    first: &'a str,
    cookie: &'a str,
}

/// A browser, before three nodes.
struct Browser {
    client: Client,
    urls: Vec<String>,
}

impl Browser {
    fn before(cluster: &Cluster) -> Self {
        let client = Client::builder().redirect(Policy::none()).no_proxy().build().unwrap();
        Self { client, urls: cluster.urls() }
    }

    async fn get(&self, node: usize, path: &str, cookie: &str) -> Response {
        let url = format!("{}{path}", self.urls[node]);
        let asked = self.client.get(url).header(HOST, "localhost:8080").header(COOKIE, cookie);
        asked.send().await.unwrap()
    }

    async fn open(&self, node: usize, link: &str) -> Response {
        let url = format!("{}{link}", self.urls[node]);
        let asked = self.client.post(url).header(HOST, "localhost:8080").header(ORIGIN, PUBLIC);
        asked.send().await.unwrap()
    }

    async fn finish(
        &self,
        node: usize,
        session: &Session<'_>,
        token: &str,
        once: &str,
    ) -> Response {
        let Session { first, cookie } = *session;
        let asked = self
            .client
            .post(format!("{}{first}/finish", self.urls[node]))
            .header(HOST, "localhost:8080")
            .header(ORIGIN, PUBLIC)
            .header(COOKIE, cookie);
        asked.form(&[("token", token), ("once", once)]).send().await.unwrap()
    }
}

async fn link(cluster: &Cluster, node: usize, user: &str) -> String {
    let body = json!({
        "userId": user, "purpose": "MANAGE", "returnUrl": format!("{PUBLIC}/back"),
    });
    let made = cluster.client(node).post("/v1/portal/sessions", body).await.ok();
    let url = made["url"].as_str().unwrap();
    let (_, path) = url.split_once("/portal/").unwrap();
    format!("/portal/{path}")
}

fn header(answer: &Response, name: impl reqwest::header::AsHeaderName) -> String {
    answer.headers().get(name).map_or("", |value| value.to_str().unwrap()).to_owned()
}

fn hidden<'a>(page: &'a str, name: &str) -> &'a str {
    let (_, rest) = page.split_once(&format!("name=\"{name}\" value=\"")).unwrap();
    rest.split_once('"').unwrap().0
}

#[tokio::test]
async fn a_link_a_form_and_a_code_are_good_once_through_whichever_nodes_they_go() {
    let _machine = alone().await;
    let cluster = Cluster::start(plan(3)).await;
    let browser = Browser::before(&cluster);
    for round in 0..6 {
        let user = format!("visitor-{round}");
        let link = link(&cluster, round % 3, &user).await;
        // Opened through all nodes at once: one browser gets the session.
        let opened = join_all((0..3).map(|node| browser.open(node, &link))).await;
        let cookies: Vec<(String, String)> = opened
            .iter()
            .filter(|answer| answer.status() == 303)
            .map(|answer| (header(answer, SET_COOKIE), header(answer, LOCATION)))
            .collect();
        assert_eq!(cookies.len(), 1, "round {round}: {opened:?}");
        assert!(opened.iter().filter(|answer| answer.status() == 410).count() == 2, "{opened:?}");
        let (cookie, first) = &cookies[0];
        let session = Session { first, cookie: cookie.split(';').next().unwrap() };

        // It is the same session through each.
        for node in 0..3 {
            let page = browser.get(node, first, session.cookie).await;
            assert_eq!(page.status(), 200, "round {round}, node {node}");
        }
        let page = browser.get((round + 1) % 3, first, session.cookie).await;
        let page = page.text().await.unwrap();
        let (token, once) = (hidden(&page, "token"), hidden(&page, "once"));

        // A form sent through all nodes at once has one answer.
        let finished =
            join_all((0..3).map(|node| browser.finish(node, &session, token, once))).await;
        let pages = join_all(finished.into_iter().map(Response::text)).await;
        let mut back: Vec<String> = pages.into_iter().map(|page| page.unwrap()).collect();
        back.dedup();
        assert_eq!(back.len(), 1, "round {round}: {back:?}");
        let (_, rest) = back[0].split_once("?countersign_result=").unwrap();
        let code = rest.split_once('"').unwrap().0;

        // And its code fetches once.
        let body = json!({ "code": code });
        let clients: Vec<_> = (0..3).map(|node| cluster.client(node)).collect();
        let asked = clients.iter().map(|client| client.post("/v1/portal/results", body.clone()));
        let fetched = join_all(asked).await;
        let good: Vec<&Value> = fetched
            .iter()
            .filter(|answer| answer.status == 200)
            .map(|answer| &answer.body)
            .collect();
        assert_eq!(good.len(), 1, "round {round}: {fetched:?}");
        assert_eq!(good[0]["userId"], *user);
        let refused = fetched.iter().filter(|answer| answer.status == 404).count();
        assert_eq!(refused, 2, "round {round}: {fetched:?}");
    }
}
