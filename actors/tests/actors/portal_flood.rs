//! Whoever holds no session costs no write, however they ask.

use countersign_actors::gateway::Question;
use countersign_core::command::Command;
use countersign_core::ids::PortalId;
use countersign_core::portal::{PortalCommand, PortalRefusal, PortalReply, secret_hash};
use countersign_core::reply::Reply;

use crate::support::{World, repeating};

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_refused_form_of_the_hosted_pages_is_not_kept() {
    let world = World::new().await;
    world.put("bob", "Bob").await.unwrap();
    let before = world.replica.applied().len();
    for n in 0..10 {
        let portal = PortalId::from_bytes([n; 16]);
        let session = secret_hash("nobody's");
        let finish = PortalCommand::Finish { portal, session, cancelled: true };
        let ask = Question::Do(Command::Portal(Box::new(finish)));
        let reply = world.ask(repeating(n, n), "bob", ask).await.unwrap();
        let Reply::Portal(reply) = reply else { panic!("{reply:?}") };
        assert_eq!(*reply, PortalReply::Refused(PortalRefusal::Unknown));
    }
    assert_eq!(world.replica.applied().len(), before, "a flood is written to no log");
}
