//! What must not be seen is not in any log line, whatever the caller sends.

use std::io::Write;
use std::sync::{Arc, Mutex};

use serde_json::json;
use tracing_subscriber::fmt::MakeWriter;

use crate::house::{House, KEY};

#[derive(Clone, Default)]
struct Lines(Arc<Mutex<Vec<u8>>>);

impl Write for Lines {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

impl<'a> MakeWriter<'a> for Lines {
    type Writer = Self;

    fn make_writer(&'a self) -> Self {
        self.clone()
    }
}

#[tokio::test]
async fn no_secret_and_no_user_id_reaches_the_log() {
    let lines = Lines::default();
    let subscriber = tracing_subscriber::fmt()
        .with_max_level(tracing::Level::TRACE)
        .with_writer(lines.clone())
        .finish();
    // For the whole process: tests run side by side, and a call site that another thread meets
    // first would be taken for one that nobody listens to.
    tracing::subscriber::set_global_default(subscriber).unwrap();

    let house = House::new();
    let user = "/v1/users/ann-the-user";
    let enrolled = house.post(&format!("{user}/mfa/totp"), &json!({})).await.json();
    house.post(&format!("{user}/mfa/totp/verify"), &json!({"code": "918273"})).await;
    house.post(&format!("{user}/mfa/totp/verify"), &json!({"code": 918273})).await;
    house.post(&format!("{user}/mfa/totp/verify?code=918273"), &json!({})).await;
    house.post(&format!("{user}/mfa/totp/import"), &json!({"secret": "JBSWY3DP"})).await;
    let codes = house.post(&format!("{user}/mfa/recovery-codes"), &json!({})).await.json();
    let made = house.post("/v1/api-keys", &json!({"name": "new", "scopes": ["mfa"]})).await.json();
    let login = house.post("/v1/mfa/challenges", &json!({"userId": "ann-the-user"})).await.json();
    let profile = json!({"email": "ann@hush.example", "emailVerified": true});
    house.put(user, &profile).await;
    let number = "+14155552671";
    house.post(&format!("{user}/mfa/sms"), &json!({"phoneNumber": number})).await;
    house.post(&format!("{user}/mfa/sms"), &json!({"phoneNumber": "+1415555HUSH"})).await;
    house.post(&format!("{user}/mfa/sms/send"), &json!({})).await;
    let sent = house.gateway.last_code();
    house.post(&format!("{user}/mfa/sms/verify"), &json!({"code": sent})).await;
    house.post(&format!("{user}/mfa/email"), &json!({})).await;
    house.post(&format!("{user}/mfa/email/send"), &json!({})).await;
    let hook = json!({"url": "https://acme.example/hooks/hush", "events": ["mfa.*"]});
    let hook = house.post("/v1/webhooks", &hook).await.json();
    house.gateway.answer(|_| panic!("over"));
    house.get(user).await;

    let log = String::from_utf8(lines.0.lock().unwrap().clone()).unwrap();
    assert!(
        log.contains("/v1/users/{userId}/mfa/totp/verify") && log.contains("answered"),
        "{log}"
    );
    let secrets = [
        KEY,
        "918273",
        "JBSWY3DP",
        "ann-the-user",
        enrolled["secret"].as_str().unwrap(),
        made["key"].as_str().unwrap(),
        login["tokens"]["accessToken"].as_str().unwrap(),
        hook["secret"].as_str().unwrap(),
        "hooks/hush",
        "hush.example",
        "HUSH",
        number,
        // Six digits may be part of some other number in a log; a code stands by itself.
        &format!("\"{sent}"),
        &format!(" {sent}"),
        &format!("={sent}"),
    ];
    for secret in secrets.into_iter().chain(codes["codes"][0].as_str()) {
        assert!(!log.contains(secret), "{secret} is in the log:\n{log}");
    }
}
