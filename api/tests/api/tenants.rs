//! Policy, settings, API keys and tenants.

use serde_json::{Value, json};

use crate::house::{House, KEY, ROOT_KEY, key_of};
use countersign_core::tenant::Scope;

#[tokio::test]
async fn a_policy_patch_changes_what_it_names_and_leaves_the_rest() {
    let house = House::new();
    let before = house.get("/v1/mfa/policy").await.json();
    let patch = json!({
        "requirement": "REQUIRED",
        "gracePeriod": {"value": 7, "unit": "DAYS"},
        "triggers": {"suspiciousIp": false},
        "suspiciousIpRanges": ["198.51.100.0/24", "2001:db8::1"],
        "groups": [{"group": "admins", "requirement": "REQUIRED", "allowedFactors": ["TOTP"]}],
        "lockout": {"maxAttempts": 3},
    });
    let answer = house.patch("/v1/mfa/policy", &patch).await;
    assert_eq!(answer.status, 200, "{}", answer.text());
    let mut expected = before;
    expected["requirement"] = json!("REQUIRED");
    expected["gracePeriod"] = json!({"value": 7, "unit": "DAYS"});
    expected["triggers"]["suspiciousIp"] = json!(false);
    expected["suspiciousIpRanges"] = json!(["198.51.100.0/24", "2001:db8::1/128"]);
    expected["groups"] = patch["groups"].clone();
    expected["lockout"]["maxAttempts"] = json!(3);
    expected["version"] = json!(2);
    assert_eq!(answer.json(), expected);
    assert_eq!(house.get("/v1/mfa/policy").await.json(), expected);
}

#[tokio::test]
async fn a_grace_period_is_merged_by_its_members() {
    let house = House::new();
    let period = |members: Value| json!({ "gracePeriod": members });
    house.patch("/v1/mfa/policy", &period(json!({"value": 7, "unit": "HOURS"}))).await;
    let answer = house.patch("/v1/mfa/policy", &period(json!({"value": 9}))).await.json();
    assert_eq!(answer["gracePeriod"], json!({"value": 9, "unit": "HOURS"}));
    let answer = house.patch("/v1/mfa/policy", &period(json!({"unit": "DAYS"}))).await.json();
    assert_eq!(answer["gracePeriod"], json!({"value": 9, "unit": "DAYS"}));
    let long = house.patch("/v1/mfa/policy", &period(json!({"value": 366}))).await;
    assert_eq!(long.pointers(), ["/gracePeriod/value"]);
}

#[tokio::test]
async fn a_new_tenants_policy_is_the_contracts() {
    let policy = House::new().get("/v1/mfa/policy").await.json();
    assert_eq!(policy["requirement"], "OPTIONAL");
    assert_eq!(policy["allowedFactors"], json!(["TOTP", "SMS", "EMAIL", "WEBAUTHN"]));
    assert_eq!(policy["recoveryCodesCount"], 10);
    assert_eq!(policy["trustedDevices"], json!({"enabled": true, "durationDays": 30}));
    assert_eq!(policy["updatedAt"], "2026-01-31T12:00:00.000Z");
}

#[tokio::test]
async fn a_policy_of_another_version_is_a_conflict() {
    let house = House::new();
    let patch = |version| json!({"recoveryCodesCount": 8, "version": version});
    assert_eq!(house.patch("/v1/mfa/policy", &patch(7)).await.problem(), "conflict");
    assert_eq!(house.patch("/v1/mfa/policy", &patch(1)).await.status, 200);
    assert_eq!(house.patch("/v1/mfa/policy", &patch(1)).await.problem(), "conflict");
}

#[tokio::test]
async fn null_is_refused_where_a_value_may_not_be_null() {
    let house = House::new();
    let policy = house.get("/v1/mfa/policy").await.json();
    for name in policy.as_object().unwrap().keys().filter(|name| *name != "updatedAt") {
        let answer = house.patch("/v1/mfa/policy", &json!({ name: null })).await;
        assert_eq!(answer.pointers(), [format!("/{name}")]);
    }
    let nested = json!({"lockout": {"hardLimit": null}});
    assert_eq!(house.patch("/v1/mfa/policy", &nested).await.pointers(), ["/lockout/hardLimit"]);
    let settings = house.get("/v1/settings").await.json();
    for name in settings.as_object().unwrap().keys() {
        let answer = house.patch("/v1/settings", &json!({ name: null })).await;
        assert_eq!(answer.pointers(), [format!("/{name}")]);
    }
    let rename = json!({"name": null});
    let factor = "/v1/users/ann/mfa/factors/fac_04208104208104208104208104";
    assert_ne!(house.patch(factor, &rename).await.status, 422);
    assert_eq!(house.patch(factor, &json!({})).await.pointers(), ["/name"]);
}

#[tokio::test]
async fn everything_that_is_wrong_with_a_policy_is_told_at_once() {
    let house = House::new();
    let patch = json!({
        "allowedFactors": [],
        "recoveryCodesCount": 21,
        "gracePeriod": {"value": 366, "unit": "DAYS"},
        "trustedDevices": {"durationDays": 0},
        "suspiciousIpRanges": ["198.51.100.0/24", "198.51.100.0/33", "here"],
        "groups": [
            {"group": "a", "requirement": "OPTIONAL"},
            {"group": "a", "requirement": "OPTIONAL", "allowedFactors": []},
        ],
        "lockout": {"maxAttempts": 0, "baseDelaySeconds": 86401, "maxDelaySeconds": 0,
            "hardLimit": 1001},
        "sends": {"perDay": 0},
    });
    let answer = house.patch("/v1/mfa/policy", &patch).await;
    let mut pointers = answer.pointers();
    pointers.sort();
    assert_eq!(
        pointers,
        [
            "/allowedFactors",
            "/gracePeriod/value",
            "/groups/1/allowedFactors",
            "/groups/1/group",
            "/lockout/baseDelaySeconds",
            "/lockout/hardLimit",
            "/lockout/maxAttempts",
            "/lockout/maxDelaySeconds",
            "/recoveryCodesCount",
            "/sends/perDay",
            "/suspiciousIpRanges/1",
            "/suspiciousIpRanges/2",
            "/trustedDevices/durationDays",
        ]
    );
    assert!(house.gateway.changed.lock().unwrap().is_empty());
}

#[tokio::test]
async fn settings_are_judged_and_changed() {
    let house = House::new();
    let fine = json!({
        "issuer": "Acme & Söhne", "rpId": "acme.example", "rpName": "Acme",
        "origins": ["https://login.acme.example", "https://a.example:8443", "http://localhost:3000"],
        "tokenTtlSeconds": 60, "tokenAudience": "acme", "tokenType": "AT_JWT",
        "alerts": {
            "bruteForceAttempts": 7, "addressUsers": 0, "recoveryCodesPerDay": 3,
            "resetsPerHour": 20, "sendFloods": true, "relays": false,
        },
        "messages": {
            "smsText": "{{code}}", "emailSubject": null, "emailText": null, "emailHtml": null,
        },
    });
    assert_eq!(house.patch("/v1/settings", &fine).await.json(), fine);
    assert_eq!(house.get("/v1/settings").await.json(), fine);
    let wrong = json!({
        "issuer": "a:b", "rpId": "https://acme.example", "rpName": "",
        "origins": ["http://acme.example", "https://acme.example/a", "acme.example", "https://"],
        "tokenTtlSeconds": 59, "tokenAudience": "a\nb",
    });
    let mut pointers = house.patch("/v1/settings", &wrong).await.pointers();
    pointers.sort();
    assert_eq!(
        pointers,
        [
            "/issuer",
            "/origins/0",
            "/origins/1",
            "/origins/2",
            "/origins/3",
            "/rpId",
            "/rpName",
            "/tokenAudience",
            "/tokenTtlSeconds",
        ]
    );
}

#[tokio::test]
async fn an_api_key_is_shown_once_and_works() {
    let house = House::new();
    let body = json!({"name": "login", "scopes": ["mfa", "audit"],
        "expiresAt": "2026-02-01T00:00:00Z"});
    let answer = house.post("/v1/api-keys", &body).await;
    assert_eq!(answer.status, 201, "{}", answer.text());
    let made = answer.json();
    let key = made["key"].as_str().unwrap();
    assert!(key.starts_with("csk_"));
    assert_eq!(made["scopes"], json!(["mfa", "audit"]));
    assert_eq!(made["expiresAt"], "2026-02-01T00:00:00.000Z");
    let answer = house.knock("GET", "/v1/audit").key(key).send().await;
    assert_eq!(answer.status, 200);
    let listed = house.get("/v1/api-keys").await;
    assert!(!listed.text().contains("csk_"), "{}", listed.text());
    let path = format!("/v1/api-keys/{}", made["id"].as_str().unwrap());
    assert_eq!(house.delete(&path).await.status, 204);
    let answer = house.knock("GET", "/v1/audit").key(key).send().await;
    assert_eq!(answer.problem(), "unauthenticated");
}

#[tokio::test]
async fn no_key_makes_a_stronger_one() {
    let house = House::new();
    let make = |key: String, scopes: Value| {
        let body = json!({"name": "new", "scopes": scopes});
        house.knock("POST", "/v1/api-keys").key(&key).json(&body).send()
    };
    let weak = key_of(Scope::Keys);
    assert_eq!(make(weak.clone(), json!(["admin"])).await.problem(), "forbidden");
    assert_eq!(make(weak.clone(), json!(["keys", "mfa"])).await.problem(), "forbidden");
    assert_eq!(make(weak, json!(["keys"])).await.status, 201);
    let made = make(ROOT_KEY.to_owned(), json!(["mfa"])).await.json();
    assert_eq!(made["root"], false);
}

#[tokio::test]
async fn a_root_key_makes_another_and_is_revoked_by_it_but_never_the_last() {
    let house = House::new();
    let ask = |method: &str, path: &str, key: &str, body: Value| {
        house.knock(method, path).key(key).json(&body).send()
    };
    let made = ask("POST", "/v1/api-keys", ROOT_KEY, json!({"root": true})).await;
    assert_eq!(made.status, 201, "{}", made.text());
    let made = made.json();
    assert_eq!((&made["root"], made["scopes"].as_array().unwrap().len()), (&json!(true), 6));
    let second = made["key"].as_str().unwrap();
    let get = |path: &str, key: &str| house.knock("GET", path).key(key).send();
    let keys = get("/v1/api-keys", second).await.json();
    let first = keys["data"]
        .as_array()
        .unwrap()
        .iter()
        .find(|key| key["root"] == true && key["id"] != made["id"]);
    let first = format!("/v1/api-keys/{}", first.unwrap()["id"].as_str().unwrap());
    let last = format!("/v1/api-keys/{}", made["id"].as_str().unwrap());
    assert_eq!(ask("DELETE", &first, second, json!({})).await.status, 204);
    assert_eq!(get("/v1/tenants", ROOT_KEY).await.problem(), "unauthenticated");
    assert_eq!(ask("DELETE", &last, second, json!({})).await.problem(), "conflict");
    assert_eq!(get("/v1/tenants", second).await.status, 200);
}

#[tokio::test]
async fn a_root_key_is_made_by_a_root_key_alone_and_has_neither_fewer_scopes_nor_an_end() {
    let house = House::new();
    let answer = house.post("/v1/api-keys", &json!({"root": true})).await;
    assert_eq!(answer.problem(), "forbidden");
    let body = json!({"root": true, "scopes": ["mfa"], "expiresAt": "2030-01-31T12:00:00Z"});
    let answer = house.knock("POST", "/v1/api-keys").key(ROOT_KEY).json(&body).send().await;
    assert_eq!(answer.pointers(), ["/scopes", "/expiresAt"]);
    let answer = house.post("/v1/api-keys", &json!({"root": false})).await;
    assert_eq!(answer.pointers(), ["/name", "/scopes"]);
}

#[tokio::test]
async fn no_key_revokes_one_that_may_do_more() {
    let house = House::new();
    let body = json!({"name": "strong", "scopes": ["admin"]});
    let strong = house.knock("POST", "/v1/api-keys").key(ROOT_KEY).json(&body).send().await.json();
    let path = format!("/v1/api-keys/{}", strong["id"].as_str().unwrap());
    let revoke = |key: String| house.knock("DELETE", &path).key(&key).json(&json!({})).send();
    assert_eq!(revoke(key_of(Scope::Keys)).await.problem(), "forbidden");
    assert_eq!(revoke(ROOT_KEY.to_owned()).await.status, 204);
}

#[tokio::test]
async fn an_api_key_needs_a_name_a_known_scope_and_a_future() {
    let house = House::new();
    let body = json!({"name": "", "scopes": [], "expiresAt": "2026-01-31T12:00:00Z"});
    let answer = house.post("/v1/api-keys", &body).await;
    assert_eq!(answer.pointers(), ["/name", "/scopes", "/expiresAt"]);
    let body = json!({"name": "x", "scopes": ["mfa", "root"]});
    assert_eq!(house.post("/v1/api-keys", &body).await.pointers(), ["/scopes/1"]);
}

#[tokio::test]
async fn a_tenant_comes_with_a_key_and_its_own_users() {
    let house = House::new();
    let knock = house.knock("POST", "/v1/tenants").key(ROOT_KEY);
    let answer = knock.json(&json!({"name": "Acme"})).send().await;
    assert_eq!(answer.status, 201, "{}", answer.text());
    let made = answer.json();
    let id = made["id"].as_str().unwrap();
    assert!(id.starts_with("ten_"));
    assert_eq!(made["name"], "Acme");
    let key = made["apiKey"]["key"].as_str().unwrap().to_owned();
    assert_eq!(made["apiKey"]["root"], false);
    house.put("/v1/users/ann", &json!({})).await;
    let seen = house.knock("GET", "/v1/users/ann").key(&key).send().await;
    assert_eq!(seen.problem(), "user_not_found");
    let listed = house.knock("GET", "/v1/tenants").key(ROOT_KEY).send().await.json();
    assert_eq!(listed["data"].as_array().unwrap().len(), 3);
    let path = format!("/v1/tenants/{id}");
    assert_eq!(house.knock("DELETE", &path).key(ROOT_KEY).send().await.status, 204);
    let gone = house.knock("GET", "/v1/users/ann").key(&key).send().await;
    assert_eq!(gone.problem(), "unauthenticated");
}

#[tokio::test]
async fn a_repeated_making_of_a_tenant_names_the_same_one() {
    let house = House::new();
    let make = |key: &str| {
        let knock = house.knock("POST", "/v1/tenants").key(ROOT_KEY);
        knock.header("idempotency-key", key).json(&json!({"name": "Acme"})).send()
    };
    make("one").await;
    make("one").await;
    make("two").await;
    let changed = house.gateway.changed.lock().unwrap().clone();
    assert_eq!(changed[0].1, changed[1].1);
    assert_ne!(changed[0].1, changed[2].1);
}

#[tokio::test]
async fn the_cluster_is_shown_as_the_node_sees_it() {
    let house = House::new();
    let cluster = house.knock("GET", "/v1/cluster").key(KEY).send().await.json();
    assert_eq!(cluster["clusterId"], "clu_test");
    assert_eq!(cluster["nodes"][0]["apiAddress"], "127.0.0.1:8081");
    assert_eq!(cluster["shards"][1]["lastApplied"], 1_042);
    assert_eq!(cluster["shards"][1]["voters"], json!([1]));
}

#[tokio::test]
async fn origins_and_the_relying_party_are_kept_as_browsers_write_them() {
    let house = House::new();
    let typed = json!({
        "rpId": "Bücher.Example",
        "origins": ["HTTPS://Login.BÜCHER.example:443/", "https://login.bücher.example", "http://127.1:80"],
    });
    let kept = house.patch("/v1/settings", &typed).await.json();
    assert_eq!(kept["rpId"], "xn--bcher-kva.example");
    let origins = json!(["https://login.xn--bcher-kva.example", "http://127.0.0.1"]);
    assert_eq!(kept["origins"], origins, "each once");
    for (patch, pointer, right) in [
        (json!({"rpId": "https://acme.example/login"}), "/rpId", "acme.example"),
        (json!({"rpId": "192.0.2.7"}), "/rpId", "domain name"),
        (json!({"origins": ["https://acme.example:+443"]}), "/origins/0", "https://acme.example"),
        (
            json!({"rpId": "co.uk", "origins": ["https://login.acme.co.uk"]}),
            "/rpId",
            "take acme.co.uk",
        ),
        (
            json!({"rpId": "github.io", "origins": ["https://github.io", "https://a.github.io"]}),
            "/rpId",
            "take a.github.io",
        ),
        (json!({"rpId": "example.org"}), "/rpId", "take xn--bcher-kva.example"),
        (
            json!({"rpId": "bücher.example", "origins": ["https://acme.co.uk"]}),
            "/rpId",
            "take acme.co.uk",
        ),
    ] {
        let refused = house.patch("/v1/settings", &patch).await;
        assert_eq!(refused.status, 422, "{patch}");
        let error = refused.json()["errors"][0].clone();
        assert_eq!(error["pointer"], pointer, "{patch}");
        assert!(error["detail"].as_str().unwrap().contains(right), "{error}");
    }
    assert_eq!(house.get("/v1/settings").await.json()["rpId"], "xn--bcher-kva.example");
    // Nobody has a key, and the relying party can follow.
    let origins = json!({"origins": ["https://acme.co.uk"]});
    assert_eq!(house.patch("/v1/settings", &origins).await.status, 200);
    assert_eq!(house.patch("/v1/settings", &json!({"rpId": "acme.co.uk"})).await.status, 200);
}
