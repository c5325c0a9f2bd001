//! The attacks on one node, through three.

use std::collections::BTreeMap;

use countersign_tests::app::App;
use countersign_tests::client::Answer;
use countersign_tests::cluster::Cluster;
use futures::future::join_all;
use serde_json::json;

use crate::{alone, plan};

const PARALLEL: usize = 200;

pub(crate) fn tally(answers: impl IntoIterator<Item = Option<Answer>>) -> BTreeMap<String, usize> {
    let mut tally = BTreeMap::new();
    for answer in answers {
        let name = match &answer {
            None => "none".to_owned(),
            Some(answer) if answer.status == 200 => "200".to_owned(),
            Some(answer) => answer.code().to_owned(),
        };
        *tally.entry(name).or_insert(0) += 1;
    }
    tally
}

#[tokio::test]
async fn of_two_hundred_submissions_over_three_nodes_one_is_accepted_and_five_guesses_are_read() {
    let _machine = alone().await;
    let cluster = Cluster::start(plan(3)).await;
    let clients: Vec<_> = (0..3).map(|node| cluster.client(node)).collect();
    for (user, right) in [("ann", true), ("bob", false)] {
        let app = App::numbered(u64::from(right));
        let factor = clients[0].import(user, &app).await.unwrap();
        let challenge = clients[1].challenge(user).await.unwrap();
        let code = if right { app.code(0) } else { app.wrong_code() };
        let submissions =
            (0..PARALLEL).map(|number| clients[number % 3].verify(&challenge, &factor, &code));
        let tally = tally(join_all(submissions).await);
        let expected = if right {
            BTreeMap::from([("200".into(), 1), ("code_already_used".into(), PARALLEL - 1)])
        } else {
            BTreeMap::from([("invalid_code".into(), 5), ("too_many_attempts".into(), PARALLEL - 5)])
        };
        assert_eq!(tally, expected, "{user}");
    }
}

#[tokio::test]
async fn a_repeated_request_has_the_same_answer_through_every_node_and_after_the_leaders_death() {
    let _machine = alone().await;
    let mut cluster = Cluster::start(plan(3)).await;
    let body = json!({ "name": "Phone" });
    let mut first = Vec::new();
    for user in 0..12 {
        let path = format!("/v1/users/again-{user}/mfa/totp");
        let answer = cluster
            .client(user % 3)
            .send(reqwest::Method::POST, &path, Some(body.clone()), Some("once"))
            .await
            .unwrap();
        assert_eq!(answer.status, 201, "{}", answer.body);
        first.push((path, answer.body));
    }
    for died in [None, Some(0), Some(1)] {
        if let Some(node) = died {
            cluster.kill(node);
            let other = cluster.client((node + 1) % 3);
            crate::served(&other, 24, std::time::Duration::from_secs(15)).await;
        }
        for (path, body_then) in &first {
            for node in (0..3).filter(|node| Some(*node) != died) {
                let again = cluster
                    .client(node)
                    .send(reqwest::Method::POST, path, Some(body.clone()), Some("once"))
                    .await
                    .unwrap();
                assert_eq!(again.body, *body_then, "through node {node} after {died:?} died");
            }
        }
        if let Some(node) = died {
            cluster.restart(node).await;
        }
    }
}
