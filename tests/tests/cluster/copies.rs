//! A node that comes back with an older copy of its disk.

use countersign_tests::cluster::Program;
use countersign_tests::scenarios::{Copied, older_disk};

use crate::alone;

#[tokio::test]
async fn a_node_with_an_older_copy_of_its_stopped_disk_is_refused_and_nothing_is_lost() {
    let _machine = alone().await;
    older_disk(Program::shipped(), Copied::Stopped).await.unwrap();
}

#[tokio::test]
async fn a_node_with_an_older_image_of_its_running_disk_is_refused_and_nothing_is_lost() {
    let _machine = alone().await;
    older_disk(Program::shipped(), Copied::Running).await.unwrap();
}
