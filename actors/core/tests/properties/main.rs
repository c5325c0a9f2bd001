//! What holds for every history: random commands, random times, wrong and right codes in any order.

#![allow(clippy::unwrap_used, clippy::panic, clippy::expect_used, reason = "tests may stop")]

mod apps;
mod keys;
mod messages;
#[path = "../story/mod.rs"]
mod story;

use countersign_core::codec;
use countersign_core::factor::recovery_code;
use countersign_core::typed;
use countersign_core::user::UserState;
use proptest::prelude::*;

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, ..ProptestConfig::default() })]

    #[test]
    fn a_step_is_accepted_at_most_once_and_the_counter_falls_on_success_reset_or_unlock_alone(
        moves in apps::moves()
    ) {
        let mut player = apps::Player::new();
        for one in &moves {
            player.play(one);
        }
        let bytes = codec::encode(&player.story.state).unwrap();
        let back: UserState = codec::decode(&bytes).unwrap();
        prop_assert_eq!(&back, &player.story.state);
    }

    #[test]
    fn a_sent_code_is_accepted_at_most_once_and_no_order_of_sending_and_guessing_reads_more_guesses(
        moves in messages::moves()
    ) {
        let mut player = messages::Player::new();
        for one in &moves {
            player.play(one);
        }
        let bytes = codec::encode(&player.story.state).unwrap();
        let back: UserState = codec::decode(&bytes).unwrap();
        prop_assert_eq!(&back, &player.story.state);
    }

    #[test]
    fn a_ceremony_is_answered_at_most_once_in_time_and_for_its_purpose_alone(
        moves in keys::moves()
    ) {
        let mut player = keys::Player::new();
        for one in &moves {
            player.play(one);
        }
        let bytes = codec::encode(&player.story.state).unwrap();
        let back: UserState = codec::decode(&bytes).unwrap();
        prop_assert_eq!(&back, &player.story.state);
    }

    #[test]
    fn cleaning_twice_is_cleaning_once(text in ".{0,40}") {
        let once: String = typed::clean(&text).collect();
        prop_assert_eq!(typed::clean(&once).collect::<String>(), once.clone());
        if let Some(code) = typed::code(&text, 6) {
            prop_assert_eq!(typed::code(&once, 6), Some(code.clone()));
            prop_assert!(code.expose().iter().all(u8::is_ascii_digit) && code.expose().len() == 6);
        }
    }

    #[test]
    fn a_recovery_code_survives_what_people_do_to_it(seed in any::<u64>(), upper in any::<bool>()) {
        let mut entropy = countersign_core::entropy::SeededEntropy::new(seed);
        let code = recovery_code::generate(&mut entropy);
        let text = code.expose_str();
        prop_assert_eq!(text.len(), 14);
        // Crockford's look-alikes are read as what they look like.
        let typed = match upper {
            true => text.replace('-', "").replace('1', "I").replace('0', "O"),
            false => format!(" {} ", text.to_lowercase().replace('1', "l").replace('0', "o")),
        };
        let canonical = recovery_code::normalize(text).unwrap();
        prop_assert_eq!(recovery_code::normalize(&typed), Some(canonical));
    }

    #[test]
    fn no_bytes_make_the_decoder_panic(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
        let _ = codec::decode::<UserState>(&bytes);
        let _ = codec::decode::<countersign_core::proposal::LogCommand>(&bytes);
    }
}
