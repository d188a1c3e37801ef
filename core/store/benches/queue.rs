//! The queue under 1, 2 and 4 threads: `cargo bench -p mcp-store --bench queue`.

mod threads;

use std::hint::black_box;

use criterion::{Criterion, criterion_group, criterion_main};
use mcp_store::{Order, Priority, PriorityQueue};

fn queue(criterion: &mut Criterion) {
    for (name, order) in [("strict", Order::Strict), ("fair", Order::Fair)] {
        let queue = PriorityQueue::new(1024, order);
        // Some messages always wait, so that an order has to be kept.
        for number in 0..64 {
            queue.try_send(number, Priority::ALL[number as usize % 4]).expect("there is room");
        }
        threads::bench(criterion, &format!("queue/send_recv/{name}"), |_, number| {
            let priority = Priority::ALL[number as usize % 4];
            queue.try_send(number, priority).expect("each thread takes out what it puts in");
            black_box(queue.try_recv().expect("at least one message waits"));
        });
    }
}

criterion_group!(benches, queue);
criterion_main!(benches);
