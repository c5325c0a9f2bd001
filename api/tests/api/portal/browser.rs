//! As much of a browser as forms need: a cookie, a page, and what is typed into it.

use countersign_core::factor::totp::Parameters;
use countersign_core::secret::Secret;
use countersign_core::time::Timestamp;
use data_encoding::BASE32_NOPAD;
use serde_json::{Value, json};

use crate::house::{Answer, House, NOW};

/// Where the pages of the tests are.
pub(super) const HOST: &str = "localhost:8080";
/// Their origin, and that of the application.
pub(super) const ORIGIN: &str = "http://localhost:8080";

/// A browser.
pub(super) struct Browser<'a> {
    pub(super) house: &'a House,
    pub(super) cookie: String,
    /// Where the pages of its session are.
    pub(super) base: String,
    /// The page that is shown.
    pub(super) page: String,
}

/// An authenticator app.
pub(super) struct App(pub(super) Secret);

impl App {
    pub(super) fn of(secret: &str) -> Self {
        let letters: String = secret.chars().filter(|c| !c.is_whitespace()).collect();
        Self(Secret::new(BASE32_NOPAD.decode(letters.as_bytes()).unwrap()))
    }

    pub(super) fn code(&self, now: Timestamp) -> String {
        let parameters = Parameters::default();
        parameters.code(&self.0, parameters.step_at(now)).expose_str().to_owned()
    }

    /// A code that is wrong in every step of the window.
    pub(super) fn wrong(&self, now: Timestamp) -> String {
        let parameters = Parameters::default();
        let step = parameters.step_at(now);
        let near: Vec<String> = (step - 3..=step + 3)
            .map(|step| parameters.code(&self.0, step).expose_str().to_owned())
            .collect();
        (0..).map(|guess| format!("{guess:06}")).find(|guess| !near.contains(guess)).unwrap()
    }
}

/// Enrolls an app for Ann, over the API, and lets its confirming step pass.
pub(super) async fn enrolled(house: &House) -> (App, String) {
    let begun = house.post("/v1/users/ann/mfa/totp", &json!({"name": "Phone"})).await.json();
    let app = App::of(begun["secret"].as_str().unwrap());
    let body = json!({"code": app.code(house.now())});
    let confirmed = house.post("/v1/users/ann/mfa/totp/verify", &body).await;
    assert_eq!(confirmed.status, 200, "{}", confirmed.text());
    house.clock.advance(60_000);
    (app, begun["factorId"].as_str().unwrap().to_owned())
}

/// A challenge of Ann's.
pub(super) async fn challenge(house: &House) -> String {
    let answer = house.post("/v1/mfa/challenges", &json!({"userId": "ann"})).await.json();
    answer["challenge"]["id"].as_str().unwrap().to_owned()
}

/// A link for Ann.
pub(super) async fn link(house: &House, purpose: &str, challenge: Option<&str>) -> String {
    let mut body = json!({
        "userId": "ann", "purpose": purpose, "returnUrl": format!("{ORIGIN}/back?state=7"),
    });
    if let Some(challenge) = challenge {
        body["challengeId"] = challenge.into();
    }
    let answer = house
        .knock("POST", "/v1/portal/sessions")
        .key(crate::house::KEY)
        .header("host", HOST)
        .json(&body)
        .send()
        .await;
    assert_eq!(answer.status, 201, "{}", answer.text());
    let url = answer.json()["url"].as_str().unwrap().to_owned();
    url.strip_prefix(ORIGIN).unwrap().to_owned()
}

/// What the application gets for a code.
pub(super) async fn result(house: &House, code: &str) -> Value {
    let answer = house.post("/v1/portal/results", &json!({"code": code})).await;
    assert_eq!(answer.status, 200, "{}", answer.text());
    answer.json()
}

impl House {
    pub(super) fn now(&self) -> Timestamp {
        use countersign_actors::ports::Clock;
        self.clock.now().max(NOW)
    }
}

impl<'a> Browser<'a> {
    pub(super) fn new(house: &'a House) -> Self {
        Self { house, cookie: String::new(), base: String::new(), page: String::new() }
    }

    /// One that was sent to the pages.
    pub(super) async fn sent(
        house: &'a House,
        purpose: &str,
        challenge: Option<&str>,
    ) -> Browser<'a> {
        let link = link(house, purpose, challenge).await;
        let mut browser = Self::new(house);
        browser.open(&link).await;
        browser
    }

    /// Follows a link, and goes on from the page that it shows.
    pub(super) async fn open(&mut self, link: &str) {
        let shown = self.get(link).await;
        if shown.status != 303 {
            assert_eq!(shown.status, 200, "{}", shown.text());
        }
        let answer = self.send_raw(link, String::new()).await;
        assert_eq!(answer.status, 303, "{}", answer.text());
        self.base = answer.header("location").to_owned();
        assert!(self.base.starts_with("/portal/pts_") && !self.base.contains('.'), "{}", self.base);
        self.go("/portal").await;
    }

    /// The address of a page of this session, which tests write without naming the session.
    pub(super) fn at(&self, path: &str) -> String {
        let rest = path.strip_prefix("/portal").filter(|rest| {
            !self.base.is_empty() && !rest.starts_with("/pts_") && !rest.starts_with("/open/")
        });
        rest.map_or_else(|| path.to_owned(), |rest| format!("{}{rest}", self.base))
    }

    /// An address of this session as tests write it.
    pub(super) fn short(&self, address: &str) -> String {
        address.replacen(&self.base, "/portal", 1)
    }

    /// Asks for a page, whatever comes.
    pub(super) async fn get(&mut self, path: &str) -> Answer {
        let knock = self.house.knock("GET", &self.at(path)).header("host", HOST);
        let answer = knock.header("cookie", &self.cookie).send().await;
        self.keep(&answer);
        answer
    }

    /// Goes to a page, and on to where that leads.
    pub(super) async fn go(&mut self, path: &str) {
        let mut answer = self.get(path).await;
        while answer.status == 303 {
            let location = answer.header("location").to_owned();
            assert!(location.starts_with(&self.base), "{location}");
            answer = self.get(&location).await;
        }
        assert_eq!(answer.status, 200, "{path}: {}", answer.text());
        self.page = answer.text().to_owned();
    }

    /// The hidden fields of the form that leads there.
    pub(super) fn hidden(&self, action: &str) -> Vec<(String, String)> {
        let begins = format!("action=\"{}\"", self.at(action));
        let at = self.page.find(&begins).unwrap_or_else(|| panic!("{action}: {}", self.page));
        let form = &self.page[at..];
        let form = &form[..form.find("</form>").unwrap()];
        let inputs = form.split("<input type=\"hidden\" name=\"").skip(1);
        let field = |input: &str| {
            let (name, rest) = input.split_once("\" value=\"").unwrap();
            (name.to_owned(), rest.split_once('"').unwrap().0.to_owned())
        };
        inputs.map(field).collect()
    }

    /// What a form would send.
    pub(super) fn body(&self, action: &str, typed: &[(&str, &str)]) -> String {
        let mut body = url::form_urlencoded::Serializer::new(String::new());
        body.extend_pairs(self.hidden(action));
        body.extend_pairs(typed);
        body.finish()
    }

    /// Sends a form of the page, whatever comes.
    pub(super) async fn send(&mut self, action: &str, typed: &[(&str, &str)]) -> Answer {
        let body = self.body(action, typed);
        self.send_raw(action, body).await
    }

    pub(super) async fn send_raw(&mut self, action: &str, body: String) -> Answer {
        let answer = self
            .house
            .knock("POST", &self.at(action))
            .header("host", HOST)
            .header("origin", ORIGIN)
            .header("sec-fetch-site", "same-origin")
            .header("cookie", &self.cookie)
            .raw("application/x-www-form-urlencoded", body)
            .send()
            .await;
        self.keep(&answer);
        answer
    }

    /// Sends a form of the page that leads to another of our pages.
    pub(super) async fn submit(&mut self, action: &str, typed: &[(&str, &str)]) {
        let answer = self.send(action, typed).await;
        assert_eq!(answer.status, 303, "{action}: {}", answer.text());
        let location = answer.header("location").to_owned();
        self.go(&location).await;
    }

    /// Sends a form that is answered by a page of this status.
    pub(super) async fn refused(&mut self, action: &str, typed: &[(&str, &str)], status: u16) {
        let answer = self.send(action, typed).await;
        assert_eq!(answer.status, status, "{action}: {}", answer.text());
        self.page = answer.text().to_owned();
    }

    /// Sends a form that leads back to the application: the code that goes along.
    pub(super) async fn leave(&mut self, action: &str, typed: &[(&str, &str)]) -> String {
        let answer = self.send(action, typed).await;
        left(&answer)
    }

    fn keep(&mut self, answer: &Answer) {
        let set = answer.header("set-cookie");
        if !set.is_empty() {
            self.cookie = set.split(';').next().unwrap().to_owned();
        }
    }

    pub(super) fn shows(&self, words: &str) {
        assert!(self.page.contains(words), "{words}: {}", self.page);
    }

    /// The secret that the page of an app shows.
    pub(super) fn secret(&self) -> App {
        let (_, rest) = self.page.split_once("class=\"secret\"").unwrap();
        let (_, rest) = rest.split_once('>').unwrap();
        App::of(rest.split_once('<').unwrap().0)
    }
}

/// The address to which a page of ours leads on by itself: no redirect answers a form.
pub(super) fn leads_to(answer: &Answer) -> String {
    assert_eq!(answer.status, 200, "{}", answer.text());
    let begins = "<meta http-equiv=\"refresh\" content=\"0; url=";
    let (_, rest) = answer.text().split_once(begins).unwrap_or_else(|| panic!("{}", answer.text()));
    let address = rest.split_once('"').unwrap().0.replace("&#38;", "&");
    assert!(answer.text().contains(&format!("href=\"{}\"", address.replace('&', "&#38;"))));
    address
}

/// The code with which a browser goes back.
pub(super) fn left(answer: &Answer) -> String {
    let address = leads_to(answer);
    let (before, code) = address.split_once("&countersign_result=").unwrap();
    assert_eq!(before, format!("{ORIGIN}/back?state=7"));
    assert!(code.starts_with("pcd_"), "{code}");
    code.to_owned()
}
