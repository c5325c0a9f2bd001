//! The node that is to send a code dies at the worst moments.

use countersign_tests::cluster::Program;
use countersign_tests::scenarios::{Moment, Told, delivery};

use crate::{alone, number_from};

/// Nodes killed at each moment. `KILLS=50` makes it the long one.
const KILLS: u32 = 5;

async fn told(moment: Moment) -> Told {
    let _machine = alone().await;
    let kills = number_from("KILLS", KILLS);
    let told = delivery(Program::shipped(), moment, kills).await;
    let told = told.unwrap_or_else(|broken| panic!("{broken}"));
    println!(
        "{moment:?}: {kills} kills, {} before the message was out, {} messages came again, the \
         slowest took {:?}",
        told.unsent, told.repeated, told.slowest
    );
    told
}

#[tokio::test]
async fn a_code_comes_although_its_sender_dies_as_the_question_is_answered() {
    told(Moment::Answered).await;
}

#[tokio::test]
async fn a_code_comes_although_its_sender_dies_before_anybody_could_take_it() {
    let told = told(Moment::Unsent).await;
    assert!(told.unsent > 0, "every message was out before its sender was killed");
}

#[tokio::test]
async fn a_code_comes_again_under_its_id_when_its_sender_dies_before_the_record() {
    let told = told(Moment::Unrecorded).await;
    assert!(told.repeated > 0, "nothing came again, so nobody died in between");
}
