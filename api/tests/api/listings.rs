//! Pages of listings.

use countersign_core::time::Timestamp;
use serde_json::{Value, json};

use crate::house::{House, KEY, ROOT_KEY};
use crate::table::answer_all;

const LISTS: [&str; 7] = [
    "/v1/users",
    "/v1/audit",
    "/v1/audit/checkpoints",
    "/v1/api-keys",
    "/v1/tenants",
    "/v1/users/ann/mfa/factors",
    "/v1/users/ann/mfa/devices",
];

#[tokio::test]
async fn a_limit_is_from_1_to_200_and_50_if_left_out() {
    let house = House::new();
    answer_all(&house);
    let get = |path: String| house.knock("GET", &path).key(ROOT_KEY).send();
    for list in LISTS {
        for odd in ["0", "201", "-1", "x", "", "1.5"] {
            assert_eq!(get(format!("{list}?limit={odd}")).await.pointers(), ["/limit"], "{list}");
        }
        for fine in ["1", "200"] {
            assert_eq!(get(format!("{list}?limit={fine}")).await.status, 200, "{list}");
        }
    }
    get("/v1/users".to_owned()).await;
    let listed = house.gateway.listed.lock().unwrap().clone();
    let limits: Vec<usize> = listed.iter().map(|it| it.2).collect();
    assert_eq!(limits, [1, 200, 50]);
}

#[tokio::test]
async fn an_unknown_parameter_is_refused() {
    let house = House::new();
    answer_all(&house);
    for list in LISTS {
        let answer = house.knock("GET", &format!("{list}?limt=3")).key(ROOT_KEY).send().await;
        assert_eq!(answer.pointers(), ["/limt"], "{list}");
    }
    assert_eq!(house.get("/v1/users?userId=ann").await.pointers(), ["/userId"]);
}

#[tokio::test]
async fn a_cursor_is_handed_on_and_back() {
    let house = House::new();
    house.put("/v1/users/ann", &json!({})).await;
    let answer = house.get("/v1/users?cursor=abc&limit=7").await.json();
    assert_eq!(answer["nextCursor"], "next");
    assert_eq!(answer["data"][0]["id"], "ann");
    let listed = house.gateway.listed.lock().unwrap().clone();
    assert_eq!(listed[0].1.as_deref(), Some("abc"));
    assert_eq!(listed[0].2, 7);
    let long = "x".repeat(1_025);
    assert_eq!(house.get(&format!("/v1/users?cursor={long}")).await.pointers(), ["/cursor"]);
}

#[tokio::test]
async fn what_users_are_looked_for_by_is_handed_on() {
    let house = House::new();
    for fine in ["ann", "ann%40example.com", "%C3%84nne", &"x".repeat(254)] {
        let answer = house.get(&format!("/v1/users?query={fine}")).await;
        assert_eq!(answer.status, 200, "{fine}");
    }
    let searched = house.gateway.searched.lock().unwrap().clone();
    assert_eq!(searched[1].as_deref(), Some("ann@example.com"));
    for odd in ["", "a%00b", &"x".repeat(255)] {
        let answer = house.get(&format!("/v1/users?query={odd}")).await;
        assert_eq!(answer.pointers(), ["/query"], "{odd}");
    }
}

#[tokio::test]
async fn audit_filters_are_read_and_judged() {
    let house = House::new();
    let path = "/v1/audit?userId=ann&type=mfa.challenge.*&since=2026-01-31T00:00:00Z\
                &until=2026-02-01T01:00:00%2B01:00&limit=3";
    let answer = house.get(path).await;
    assert_eq!(answer.status, 200, "{}", answer.text());
    let (tenant, filter, _, limit) = house.gateway.audited.lock().unwrap()[0].clone();
    assert_eq!((tenant.as_str(), limit), ("default", 3));
    assert_eq!(filter.user.unwrap().as_str(), "ann");
    assert_eq!(filter.event_type.as_deref(), Some("mfa.challenge.*"));
    assert_eq!(filter.since, Some(Timestamp::from_millis(1_769_817_600_000)));
    assert_eq!(filter.until, Some(Timestamp::from_millis(1_769_904_000_000)));

    let odd = "/v1/audit?userId=a%20b&type=Mfa&since=yesterday&until=now";
    assert_eq!(house.get(odd).await.pointers(), ["/userId", "/type", "/since", "/until"]);
    let backwards = "/v1/audit?until=2026-01-31T00:00:00Z&since=2026-02-01T00:00:00Z";
    assert_eq!(house.get(backwards).await.pointers(), ["/until"]);
}

#[tokio::test]
async fn an_audit_event_has_all_that_verifies_it() {
    let house = House::new();
    let event = house.get("/v1/audit").await.json()["data"][0].clone();
    assert_eq!(event["type"], "mfa.challenge.failed");
    assert_eq!(event["outcome"], "FAILURE");
    assert_eq!(event["at"], "2026-01-31T12:00:00.000Z");
    assert_eq!(event["proof"]["chained"], "AQID");
    assert_eq!(event["proof"]["annex"], Value::Null);
    assert_eq!(event["proof"]["hash"], "ab".repeat(32));
}

#[tokio::test]
async fn pages_of_api_keys_show_each_once_and_end() {
    let house = House::new();
    let mut seen = Vec::new();
    let mut path = "/v1/api-keys?limit=3".to_owned();
    loop {
        let page = house.knock("GET", &path).key(KEY).send().await.json();
        let data = page["data"].as_array().unwrap();
        assert!((1..=3).contains(&data.len()));
        seen.extend(data.iter().map(|key| key["name"].as_str().unwrap().to_owned()));
        let Some(cursor) = page["nextCursor"].as_str() else { break };
        path = format!("/v1/api-keys?limit=3&cursor={cursor}");
    }
    let expected: Vec<String> = (1..=8).map(|number| format!("key {number}")).collect();
    assert_eq!(seen, expected);
}

#[tokio::test]
async fn a_cursor_that_no_page_gave_is_refused() {
    let house = House::new();
    answer_all(&house);
    // Users and events are listed behind the gateway, which judges their cursors itself.
    for list in LISTS.iter().filter(|list| !matches!(**list, "/v1/users" | "/v1/audit")) {
        let fine = "000001863a0e1234key_x";
        for odd in
            ["next", "0", "000001863a0e1234", "000001863A0E1234key_x", "zzzz01863a0e1234key_x"]
        {
            let path = format!("{list}?cursor={odd}");
            let answer = house.knock("GET", &path).key(ROOT_KEY).send().await;
            assert_eq!(answer.pointers(), ["/cursor"], "{path}");
        }
        let path = format!("{list}?cursor={fine}");
        let answer = house.knock("GET", &path).key(ROOT_KEY).send().await;
        assert_eq!(answer.status, 200, "{path}");
    }
}

/// All rows of a list, read so many at a time, by the member `name`.
async fn read_through(house: &House, list: &str, limit: usize, name: &str) -> Vec<Value> {
    let mut seen = Vec::new();
    let mut path = format!("{list}?limit={limit}");
    loop {
        let page = house.get(&path).await.json();
        let data = page["data"].as_array().unwrap();
        assert!((1..=limit).contains(&data.len()), "{path}: {page}");
        seen.extend(data.iter().map(|row| row[name].clone()));
        let Some(cursor) = page["nextCursor"].as_str() else { return seen };
        path = format!("{list}?limit={limit}&cursor={cursor}");
    }
}

#[tokio::test]
async fn pages_of_factors_begin_with_the_primary_and_show_each_once() {
    let house = House::new();
    let import = "/v1/users/ann/mfa/totp/import";
    for number in 0..5_u8 {
        let secret = data_encoding::BASE32_NOPAD.encode(&[number; 20]);
        let body = json!({"secret": secret, "name": format!("factor {number}")});
        assert_eq!(house.post(import, &body).await.status, 201);
        house.clock.advance(1_000);
    }
    let list = "/v1/users/ann/mfa/factors";
    let whole = house.get(list).await.json();
    assert_eq!(whole["nextCursor"], Value::Null);
    let last = whole["data"][4]["id"].as_str().unwrap().to_owned();
    house.post(&format!("{list}/{last}/primary"), &json!({})).await;
    let expected = ["factor 4", "factor 0", "factor 1", "factor 2", "factor 3"];
    for limit in 1..=5 {
        assert_eq!(read_through(&house, list, limit, "name").await, expected, "{limit}");
    }
}

#[tokio::test]
async fn pages_of_devices_and_checkpoints_end() {
    let house = House::new();
    answer_all(&house);
    let devices = read_through(&house, "/v1/users/ann/mfa/devices", 1, "id").await;
    assert_eq!(devices.len(), 1);
    let checkpoints = read_through(&house, "/v1/audit/checkpoints", 1, "shard").await;
    assert_eq!(checkpoints, [3, 10]);
}
