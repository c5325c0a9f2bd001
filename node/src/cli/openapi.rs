//! `countersign openapi`: the contract, for those who make clients from it.

use super::say;

pub(super) fn run() {
    say(&format!("{:#}", countersign_api::document()));
}
