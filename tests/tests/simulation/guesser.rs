//! Somebody who knows a user's name and factor and guesses codes, several at once through several
//! nodes, under a fresh challenge each time; and who reads profiles in between.

use std::sync::Arc;

use countersign_actors::gateway::{Question, Target};
use countersign_actors::ports::Clock;
use countersign_core::challenge::Purpose;
use countersign_core::command::{Command, Proof, Query};
use countersign_core::reply::Reply;
use countersign_core::risk::LoginContext;
use rand::Rng;

use crate::board::{Board, profile_number};
use crate::client::Client;

/// The guesser.
pub(crate) struct Guesser {
    /// How it asks.
    pub(crate) client: Client,
    /// The users that it knows.
    pub(crate) boards: Vec<Arc<Board>>,
    /// How often it reads instead of guessing: 1 for always.
    pub(crate) reads: f64,
}

impl Guesser {
    /// Works until it is time to end.
    pub(crate) async fn run(mut self) {
        while !self.client.finishing() {
            let which = self.client.random.random_range(0..self.boards.len());
            let board = Arc::clone(&self.boards[which]);
            match self.client.random.random_bool(self.reads) {
                true => self.read(&board).await,
                false => self.guess(&board).await,
            }
            self.client.think(80).await;
        }
    }

    async fn read(&mut self, board: &Board) {
        let node = self.client.any_node();
        let floor = board.profile_floor();
        let target = Target::User(board.key.user.clone());
        let asked = self.client.ask(node, board, target, Question::Tell(Query::User), None);
        match asked.await {
            Some(Reply::User(view)) => {
                board.profile_read(floor, profile_number(view.profile.display_name.as_deref()));
            }
            Some(_) => board.profile_read(floor, 0),
            None => {}
        }
    }

    async fn guess(&mut self, board: &Board) {
        let Some(factor) = board.factor() else { return };
        let now = self.client.clock.now();
        let Some(code) = board.no_code_of(factor, now) else { return };
        let command = Command::CreateChallenge {
            purpose: Purpose::Login,
            context: LoginContext::default(),
            device_token: None,
        };
        let node = self.client.any_node();
        let target = Target::User(board.key.user.clone());
        let asked = self.client.ask(node, board, target, Question::Do(command), None);
        let Some(Reply::Challenge(answer)) = asked.await else { return };
        let Some(challenge) = answer.challenge else { return };
        let nodes: Vec<u64> = (0..4).map(|_| self.client.any_node()).collect();
        let guesses = nodes.into_iter().map(|node| {
            let question = Question::Do(Command::Verify {
                challenge: challenge.id,
                proof: Proof::Code { factor, code: code.clone() },
                remember_device: None,
            });
            self.client.ask(node, board, Target::Challenge(challenge.id), question, None)
        });
        for reply in futures::future::join_all(guesses).await.into_iter().flatten() {
            if let Reply::Verified(_) = reply {
                board.wrong_code_accepted();
            }
        }
    }
}
