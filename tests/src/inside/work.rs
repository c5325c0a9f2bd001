//! Clients at work through the gateways of several nodes, who know what they may read.
//!
//! Each client alone writes its users, so it knows what a read must show: the last name that was
//! acknowledged, or one sent later whose fate is unknown. Anything older is a stale read or a lost
//! write.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use countersign_actors::gateway::{Question, Target};
use countersign_core::command::Command;
use countersign_core::reply::Reply;
use countersign_core::user::Profile;
use tokio::task::JoinHandle;
use tokio::time::sleep;

use super::door::{Door, caller, user};

/// Users of each client.
const USERS: u64 = 6;
/// How long a client rests between two questions.
const REST: Duration = Duration::from_millis(4);

static NUMBERS: AtomicU64 = AtomicU64::new(1);

/// The doors that clients use. Clones are the same.
#[derive(Clone, Default)]
pub struct Doors(Arc<Mutex<Vec<Door>>>);

impl Doors {
    /// These from now on.
    pub fn set(&self, doors: Vec<Door>) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = doors;
    }

    fn pick(&self, turn: u64) -> Door {
        let doors = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let count = u64::try_from(doors.len()).expect("a small number");
        doors[usize::try_from(turn % count).expect("a small number")].clone()
    }
}

/// What may be read of each user.
#[derive(Clone, Debug, Default)]
pub struct Ledger(BTreeMap<String, Entry>);

#[derive(Clone, Debug, Default)]
struct Entry {
    /// The number acknowledged last; 0 before the first.
    acknowledged: u64,
    /// Numbers whose fate is unknown: each may take effect whenever it likes, even late.
    unknown: BTreeSet<u64>,
}

impl Ledger {
    /// What is wrong with what a node shows of a user.
    fn judge(&self, name: &str, shown: Option<&str>) -> Option<String> {
        let entry = self.0.get(name).cloned().unwrap_or_default();
        let number = shown.map_or(Some(0), |text| text.parse::<u64>().ok());
        let fits = number
            .is_some_and(|number| number == entry.acknowledged || entry.unknown.contains(&number));
        (!fits).then(|| format!("{name} shows {shown:?}, but {entry:?}"))
    }

    /// Asserts that every user shows what was acknowledged, and the same through every door.
    ///
    /// # Panics
    /// If not.
    pub async fn holds(&self, doors: &[Door]) {
        assert!(!self.0.is_empty(), "nothing was acknowledged");
        for name in self.0.keys() {
            let mut first: Option<Option<String>> = None;
            for door in doors {
                let shown = door.shown(name).await.expect("an answer");
                if let Some(wrong) = self.judge(name, shown.as_deref()) {
                    panic!("through node {}: {wrong}", door.place());
                }
                let first = first.get_or_insert_with(|| shown.clone());
                assert_eq!(*first, shown, "{name} through node {}", door.place());
            }
        }
    }
}

/// Clients that go on until they are told to stop.
pub struct Work {
    stopping: Arc<AtomicBool>,
    done: Arc<AtomicU64>,
    clients: Vec<JoinHandle<Worked>>,
}

/// What became of it.
#[derive(Debug, Default)]
pub struct Worked {
    /// Questions that were answered.
    pub done: u64,
    /// Questions that were not, and why.
    pub failures: Vec<String>,
    /// Answers that were wrong.
    pub wrong: Vec<String>,
    /// What may be read now.
    pub ledger: Ledger,
}

impl Work {
    /// So many clients begin.
    pub fn start(doors: &Doors, clients: u64) -> Self {
        let (stopping, done) = (Arc::default(), Arc::default());
        let clients = (0..clients)
            .map(|client| {
                let (doors, stopping, done) =
                    (doors.clone(), Arc::clone(&stopping), Arc::clone(&done));
                tokio::spawn(work(client, doors, stopping, done))
            })
            .collect();
        Self { stopping, done, clients }
    }

    /// How many questions were answered so far.
    pub fn done(&self) -> u64 {
        self.done.load(Ordering::Relaxed)
    }

    /// Waits until so many more questions were answered.
    pub async fn more(&self, answers: u64) {
        let wanted = self.done() + answers;
        let what = format!("{answers} more answers");
        super::until(&what, Duration::from_secs(30), async || self.done() >= wanted).await;
    }

    /// Ends it.
    pub async fn stop(self) -> Worked {
        self.stopping.store(true, Ordering::Relaxed);
        let mut all = Worked::default();
        for client in self.clients {
            let one = client.await.expect("a client without panic");
            all.done += one.done;
            all.failures.extend(one.failures);
            all.wrong.extend(one.wrong);
            all.ledger.0.extend(one.ledger.0);
        }
        all
    }
}

async fn work(
    client: u64,
    doors: Doors,
    stopping: Arc<AtomicBool>,
    done: Arc<AtomicU64>,
) -> Worked {
    let mut worked = Worked::default();
    let mut turn = client;
    while !stopping.load(Ordering::Relaxed) {
        turn += 1;
        let name = format!("client-{client}-{}", turn % USERS);
        let door = doors.pick(turn);
        let answered = if turn.is_multiple_of(3) {
            door.shown(&name).await.map(|shown| worked.ledger.judge(&name, shown.as_deref()))
        } else {
            let number = NUMBERS.fetch_add(1, Ordering::Relaxed);
            let known = worked.ledger.0.entry(name.clone()).or_default();
            known.unknown.insert(number);
            let profile = Profile { display_name: Some(number.to_string()), ..Profile::default() };
            let question = Question::Do(Command::PutProfile(profile));
            let target = Target::User(user(&name));
            door.ask(caller(Some(number)), target, question).await.map(|reply| match reply {
                Reply::User(_) => {
                    known.unknown.remove(&number);
                    known.acknowledged = number;
                    None
                }
                other => Some(format!("{name} was answered {other:?}")),
            })
        };
        match answered {
            Ok(wrong) => {
                worked.done += 1;
                done.fetch_add(1, Ordering::Relaxed);
                let place = door.place();
                worked.wrong.extend(wrong.map(|wrong| format!("through node {place}: {wrong}")));
            }
            Err(error) => worked.failures.push(format!("{name}, node {}: {error}", door.place())),
        }
        sleep(REST).await;
    }
    worked
}
