//! A changed password ends what was begun with the old one.
//!
//! Somebody opens a login and begins an enrollment; then the application reports that the password
//! changed. Neither can be finished after that.

use serde_json::{Value, json};

use crate::app::App;
use crate::client::Client;
use crate::cluster::{Cluster, Plan, Program};

/// Tells the story.
///
/// # Errors
/// Names what could still be finished.
///
/// # Panics
/// If the node cannot be started or does not answer.
pub async fn password_change(program: Program) -> Result<(), String> {
    let cluster = Cluster::start(Plan { program, shards: 2, ..Plan::of(1) }).await;
    let client = cluster.client(0);
    let app = App::numbered(11_000);
    let factor = client.import("changed", &app).await.expect("an answer");
    let challenge = client.challenge("changed").await.expect("an answer");
    let begun = begin(&client).await;

    let changed = client.post("/v1/users/changed/password-changed", json!({})).await;
    assert_eq!(changed.status, 204, "{}", changed.body);

    let answer = client.verify(&challenge, &factor, &app.code(0)).await.expect("an answer");
    if answer.code() != "challenge_expired" {
        return Err(format!(
            "a challenge from before the password changed was answered: {} {}",
            answer.status, answer.body
        ));
    }
    let secret = begun["secret"].as_str().expect("a secret");
    let code = App::with_secret(secret).code(0);
    let answer = client.post("/v1/users/changed/mfa/totp/verify", json!({ "code": code })).await;
    if answer.code() != "no_pending_enrollment" {
        return Err(format!(
            "an enrollment from before the password changed was confirmed: {} {}",
            answer.status, answer.body
        ));
    }
    Ok(())
}

async fn begin(client: &Client) -> Value {
    let body = json!({ "digits": 8, "period": 120 });
    client.post("/v1/users/changed/mfa/totp", body).await.ok()
}
