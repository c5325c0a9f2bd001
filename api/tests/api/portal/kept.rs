//! A form that is sent twice has one answer, which is kept; but what an answer showed is not shown to
//! whoever sends the form again once the proof of who is there no longer counts.

use countersign_actors::gateway::{Gateway, Question};
use countersign_core::command::Command;
use countersign_core::portal::PortalCommand;
use countersign_core::reply::Reply;
use countersign_core::secret::Secret;

use super::browser::Browser;
use crate::house::House;

/// Longer than a verification counts, shorter than the session lasts.
const LATER_MS: i64 = 11 * 60_000;

/// A browser in whose session an app waits for its code.
async fn waiting(house: &House) -> Browser<'_> {
    let mut browser = Browser::sent(house, "ENROLL", None).await;
    browser.submit("/portal/add/app", &[]).await;
    browser
}

#[tokio::test]
async fn only_what_changes_something_is_kept() {
    let house = House::new();
    let mut browser = waiting(&house).await;
    let wrong = browser.secret().wrong(house.now());
    house.gateway.asked.lock().unwrap().clear();
    browser.refused("/portal/add/app/confirm", &[("code", &wrong)], 422).await;
    browser.secret();
    let asked = std::mem::take(&mut *house.gateway.asked.lock().unwrap());
    let shows = |question: &Question| match question {
        Question::Tell(_) => true,
        Question::Do(Command::Portal(command)) => {
            matches!(**command, PortalCommand::ShowEnrollment { .. })
        }
        Question::Do(_) => false,
    };
    // The secret would be in the kept answer, for as long as the session lasts.
    let (showing, changing): (Vec<_>, Vec<_>) =
        asked.iter().partition(|(_, _, question)| shows(question));
    assert!(showing.iter().any(|(_, _, question)| matches!(question, Question::Do(_))));
    assert!(showing.iter().all(|(caller, _, _)| caller.idempotency.is_none()));
    assert_eq!(changing.len(), 1, "{changing:?}");
    assert!(changing.iter().all(|(caller, _, _)| caller.idempotency.is_some()));
}

#[tokio::test]
async fn recovery_codes_of_a_kept_answer_are_not_shown_once_the_proof_is_old() {
    let house = House::new();
    let mut browser = waiting(&house).await;
    let code = browser.secret().code(house.now());
    browser.submit("/portal/add/app/confirm", &[("code", &code)]).await;
    let form = browser.body("/portal/recovery-codes", &[]);
    let shown = browser.send_raw("/portal/recovery-codes", form.clone()).await;
    assert_eq!(shown.text().matches("<li>").count(), 10, "{}", shown.text());
    // What is asked last is how the session stands.
    let (caller, target, question) = house.gateway.last();
    assert!(matches!(question, Question::Tell(_)), "{question:?}");
    house.clock.advance(LATER_MS);
    let later = house.gateway.ask(caller, target, question).await.unwrap();
    house.gateway.answer(move |question| match question {
        Question::Tell(_) => Ok(later.clone()),
        Question::Do(_) => {
            Ok(Reply::RecoveryCodes(vec![Secret::from("7K3M-9QTX-B2WD".to_owned())]))
        }
    });
    let again = browser.send_raw("/portal/recovery-codes", form).await;
    assert!(!again.text().contains("7K3M"), "{}", again.text());
    assert_eq!(again.status, 303, "the person is verified first");
}
