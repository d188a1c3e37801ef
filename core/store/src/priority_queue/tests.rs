//! The order against a plain model, limits, and what waits.

use std::collections::VecDeque;

use proptest::prelude::*;

use super::*;

fn priority() -> impl Strategy<Value = Priority> {
    prop::sample::select(Priority::ALL.to_vec())
}

/// All waiting messages in the order in which they came.
#[derive(Default)]
struct Model {
    waiting: VecDeque<(u32, Priority)>,
    /// Of each message that is first of its priority, how many of others went since.
    passed: [u32; 4],
}

impl Model {
    fn first(&self, priority: Priority) -> Option<usize> {
        self.waiting.iter().position(|(_, waiting)| *waiting == priority)
    }

    fn strict(&mut self) -> Option<(u32, Priority)> {
        let most = self.waiting.iter().map(|(_, priority)| *priority).max()?;
        self.waiting.remove(self.first(most)?)
    }

    /// Removes what the queue chose, and holds it against the bound.
    fn fair(&mut self, (message, priority): (u32, Priority)) -> Result<(), TestCaseError> {
        let first = self.first(priority);
        prop_assert_eq!(first.map(|index| self.waiting[index].0), Some(message), "first in, first out");
        let patient = |other: Priority| self.passed[other as usize] >= PATIENCE;
        if self.waiting.iter().any(|(_, waiting)| *waiting > priority) {
            prop_assert!(patient(priority), "only what has been patient goes out of turn");
        }
        if !patient(priority) {
            prop_assert!(!Priority::ALL.into_iter().any(patient), "what has been patient goes first");
        }
        for other in Priority::ALL {
            let passed = &mut self.passed[other as usize];
            let waits = self.waiting.iter().any(|(_, waiting)| *waiting == other);
            *passed = if waits && other != priority { *passed + 1 } else { 0 };
            prop_assert!(*passed <= FAIR_BOUND);
        }
        self.waiting.remove(first.unwrap());
        Ok(())
    }
}

proptest! {
    #[test]
    fn strict_is_by_priority_and_then_by_age(
        steps in prop::collection::vec(prop::option::weighted(0.6, priority()), 1..200),
        capacity in 0_usize..20,
    ) {
        let queue = PriorityQueue::new(capacity, Order::Strict);
        let mut model = Model::default();
        let mut most = 0;
        let mut counts = (0, 0, 0);
        for (number, step) in (0_u32..).zip(steps) {
            match step {
                Some(priority) if model.waiting.len() < capacity => {
                    prop_assert_eq!(queue.try_send(number, priority), Ok(()));
                    model.waiting.push_back((number, priority));
                    counts.0 += 1;
                }
                Some(priority) => {
                    prop_assert_eq!(queue.try_send(number, priority), Err(SendError::Full(number)));
                    counts.2 += 1;
                }
                None => {
                    let expected = model.strict();
                    counts.1 += u64::from(expected.is_some());
                    prop_assert_eq!(queue.try_recv(), expected.ok_or(RecvError::Empty));
                }
            }
            most = most.max(model.waiting.len() as u64);
            prop_assert_eq!(queue.len(), model.waiting.len());
        }
        let seen = queue.statistics();
        prop_assert_eq!((seen.sent.total(), seen.received.total(), seen.rejected.total()), counts);
        prop_assert_eq!((seen.depth, seen.max_depth), (model.waiting.len() as u64, most));
    }

    #[test]
    fn fair_keeps_its_bound_and_the_order_within_a_priority(
        steps in prop::collection::vec(prop::option::weighted(0.6, priority()), 1..600),
    ) {
        let queue = PriorityQueue::new(1000, Order::Fair);
        let mut model = Model::default();
        for (number, step) in (0_u32..).zip(steps) {
            match step {
                Some(priority) => {
                    queue.try_send(number, priority).unwrap();
                    model.waiting.push_back((number, priority));
                }
                None => match queue.try_recv() {
                    Ok(received) => model.fair(received)?,
                    Err(error) => prop_assert_eq!((error, model.waiting.len()), (RecvError::Empty, 0)),
                },
            }
        }
    }
}

#[test]
fn fair_serves_every_priority_of_a_full_queue() {
    let queue = PriorityQueue::new(40, Order::Fair);
    let mut received = [0; 4];
    for priority in Priority::ALL {
        (0..10).for_each(|_| queue.try_send((), priority).unwrap());
    }
    for _ in 0..14_000 {
        let ((), priority) = queue.try_recv().unwrap();
        received[priority as usize] += 1;
        queue.try_send((), priority).unwrap();
    }
    let [low, normal, high, urgent] = received;
    for waits in [low, normal, high] {
        assert!((14_000 / (FAIR_BOUND + 1)..=14_000 / (PATIENCE + 1)).contains(&waits), "{received:?}");
    }
    assert!(urgent > 10_000, "{received:?}");
}

#[test]
fn a_closed_queue_is_emptied_and_takes_nothing() {
    let queue = PriorityQueue::new(2, Order::Strict);
    queue.try_send("a", Priority::Low).unwrap();
    assert!(!queue.is_closed());
    queue.close();
    assert!(queue.is_closed());
    assert_eq!(queue.try_send("b", Priority::Urgent), Err(SendError::Closed("b")));
    let long = Duration::from_secs(600);
    assert_eq!(queue.send_timeout("c", Priority::High, long).unwrap_err().into_message(), "c");
    assert_eq!(queue.recv_timeout(long), Ok(("a", Priority::Low)));
    assert_eq!(queue.recv_timeout(long), Err(RecvError::Closed));
    assert_eq!(queue.try_recv(), Err(RecvError::Closed));
    let seen = queue.statistics();
    assert_eq!((seen.rejected.of(Priority::Urgent), seen.rejected.high, seen.rejected.total()), (1, 1, 2));
}

#[test]
fn waiting_ends_in_time() {
    let queue = PriorityQueue::new(1, Order::Fair);
    let short = Duration::from_millis(5);
    assert_eq!(queue.recv_timeout(short), Err(RecvError::TimedOut));
    assert_eq!(queue.try_recv(), Err(RecvError::Empty));
    queue.send_timeout(1, Priority::Normal, short).unwrap();
    assert_eq!(queue.send_timeout(2, Priority::Urgent, short), Err(SendError::Full(2)));
    assert_eq!(queue.recv_timeout(Duration::MAX), Ok((1, Priority::Normal)));
    assert!(queue.is_empty() && queue.capacity() == 1);
}

#[test]
fn names_of_priorities() {
    for priority in Priority::ALL {
        assert_eq!(priority.to_string().parse(), Ok(priority));
        assert_eq!(serde_json::to_value(priority).unwrap(), priority.name());
    }
    let unknown = "URGENT".parse::<Priority>().unwrap_err();
    assert_eq!(unknown.to_string(), "unknown priority \"URGENT\": low, normal, high or urgent");
}
