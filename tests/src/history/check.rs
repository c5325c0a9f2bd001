//! The search for an order.

use std::collections::BTreeMap;

use stateright::semantics::{ConsistencyTester, LinearizabilityTester};

use super::model::UserModel;
use super::tape::Record;

/// A history that no order explains.
#[derive(Clone, Debug)]
pub struct Fault {
    /// Whose.
    pub user: String,
    /// The operations, in the order of their invocation.
    pub story: String,
}

/// Checks every user's history by itself. Answers how many users were checked, and the faults.
pub fn check(records: &[Record]) -> (usize, Vec<Fault>) {
    let mut by_user: BTreeMap<&str, Vec<&Record>> = BTreeMap::new();
    for record in records {
        by_user.entry(&record.user).or_default().push(record);
    }
    let users = by_user.len();
    let faults = by_user
        .into_iter()
        .filter_map(|(user, records)| {
            (!is_explained(&records))
                .then(|| Fault { user: user.to_owned(), story: story(&records) })
        })
        .collect();
    (users, faults)
}

/// Something that happened to an operation.
enum Event<'a> {
    Invoked(usize, &'a Record),
    Returned(usize, &'a Record),
}

fn is_explained(records: &[&Record]) -> bool {
    let mut events: Vec<(u64, Event<'_>)> = Vec::new();
    for (number, record) in records.iter().enumerate() {
        if record.ret.is_none() && record.op.is_query() {
            continue;
        }
        events.push((record.invoked, Event::Invoked(number, record)));
        events.extend(record.returned.map(|place| (place, Event::Returned(number, record))));
    }
    events.sort_by_key(|(place, _)| *place);

    let mut tester = LinearizabilityTester::new(UserModel::default());
    // A thread of the tester is whoever has nothing in flight. An operation without an answer
    // stays in flight for ever: the tester may let it take effect at any time, or never.
    let mut free: Vec<u32> = Vec::new();
    let mut threads = 0;
    let mut thread_of: BTreeMap<usize, u32> = BTreeMap::new();
    for (_, event) in events {
        match event {
            Event::Invoked(number, record) => {
                let thread = free.pop().unwrap_or_else(|| {
                    threads += 1;
                    threads
                });
                thread_of.insert(number, thread);
                tester.on_invoke(thread, record.op.clone()).unwrap();
            }
            Event::Returned(number, record) => {
                let thread = thread_of[&number];
                let ret = record.ret.clone().expect("what returned has an answer");
                tester.on_return(thread, ret).unwrap();
                free.push(thread);
            }
        }
    }
    tester.is_consistent()
}

fn story(records: &[&Record]) -> String {
    let mut records = records.to_vec();
    records.sort_by_key(|record| record.invoked);
    let lines = records.iter().map(|record| {
        let ret = record.ret.as_ref().map_or("unknown".to_owned(), |ret| format!("{ret:?}"));
        format!(
            "  {:>9.3} to {:>9.3} s  nodes {:?}  {:?} -> {ret}",
            seconds(record.from_us),
            seconds(record.to_us),
            record.nodes,
            record.op
        )
    });
    lines.collect::<Vec<_>>().join("\n")
}

#[expect(clippy::cast_precision_loss, reason = "for people to read")]
fn seconds(us: u64) -> f64 {
    us as f64 / 1e6
}

#[cfg(test)]
mod tests {
    use super::super::model::{Op, Ret};
    use super::*;

    /// `(op, invoked, answer and return)`.
    /// An operation, when it began, and what came of it when.
    type Step = (Op, u64, Option<(Ret, u64)>);

    fn history(steps: Vec<Step>) -> Vec<Record> {
        let record = |(op, invoked, end): (Op, u64, Option<(Ret, u64)>)| Record {
            user: "ann".to_owned(),
            op,
            invoked,
            returned: end.as_ref().map(|(_, place)| *place),
            ret: end.map(|(ret, _)| ret),
            from_us: 0,
            to_us: 0,
            nodes: Vec::new(),
        };
        steps.into_iter().map(record).collect()
    }

    fn faults(steps: Vec<Step>) -> usize {
        check(&history(steps)).1.len()
    }

    fn begin() -> Vec<Step> {
        vec![
            (Op::Import(0), 0, Some((Ret::Done, 1))),
            (Op::Challenge { challenge: 0, device: None }, 2, Some((Ret::Challenged, 3))),
            (Op::Challenge { challenge: 1, device: None }, 4, Some((Ret::Challenged, 5))),
        ]
    }

    fn verify(challenge: u32, step: Option<u64>) -> Op {
        Op::Verify { challenge, app: 0, step, remember: None }
    }

    #[test]
    fn a_code_that_is_accepted_twice_is_found_even_if_the_requests_overlapped() {
        let mut good = begin();
        good.push((verify(0, Some(7)), 6, Some((Ret::Verified, 9))));
        good.push((verify(1, Some(7)), 7, Some((Ret::Refused("code_already_used".into()), 8))));
        assert_eq!(faults(good), 0);
        let mut bad = begin();
        bad.push((verify(0, Some(7)), 6, Some((Ret::Verified, 9))));
        bad.push((verify(1, Some(7)), 7, Some((Ret::Verified, 8))));
        assert_eq!(faults(bad), 1);
    }

    #[test]
    fn an_unknown_operation_may_explain_what_follows_and_need_not() {
        for after in [Ret::Factors([0].into()), Ret::Factors([].into())] {
            let mut story = begin();
            story.push((Op::Remove(0), 6, None));
            story.push((Op::Factors, 7, Some((after, 8))));
            assert_eq!(faults(story), 0);
        }
        // It takes effect at most once, though, and not before it was invoked.
        let mut story = begin();
        story.push((Op::Factors, 6, Some((Ret::Factors([].into()), 7))));
        story.push((Op::Remove(0), 8, None));
        assert_eq!(faults(story), 1);
    }

    #[test]
    fn a_removed_factor_that_comes_back_is_found() {
        let mut story = begin();
        story.push((Op::Remove(0), 6, Some((Ret::Done, 7))));
        story.push((Op::Factors, 8, Some((Ret::Factors([0].into()), 9))));
        assert_eq!(faults(story), 1);
    }

    #[test]
    fn a_forgotten_attempt_is_found() {
        let mut story = begin();
        story.push((verify(0, None), 6, Some((Ret::Wrong { remaining: 4 }, 7))));
        story.push((verify(1, None), 8, Some((Ret::Wrong { remaining: 4 }, 9))));
        assert_eq!(faults(story), 1);
    }

    #[test]
    fn a_stale_read_is_found() {
        let mut story = begin();
        story.push((Op::Import(1), 6, Some((Ret::Done, 7))));
        story.push((Op::Factors, 8, Some((Ret::Factors([0].into()), 9))));
        assert_eq!(faults(story), 1);
    }
}
