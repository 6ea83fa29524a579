//! The five benchmark workloads on NeXosim.
//!
//! Usage: `peer WORKLOAD OPERATIONS`
//!
//! NeXosim has no processes with blocking calls. A model is an object with
//! input methods that are called when an event is delivered, and it lets time
//! pass by scheduling an event on itself. Every model owns one NeXosim mailbox,
//! and every message in it must be handled within the simulated instant in
//! which it was sent (anything left over is reported as a deadlock), so such a
//! mailbox cannot hold a message, or block a sender, while time passes. Each
//! process of a workload is one model here, and its state between two events
//! stands for the place at which the process would be blocked:
//!
//! * `ping-pong-untimed`: the mailbox of each model, of capacity 1, is the box
//!   it receives from. Receiving is an input call, sending is an awaited send
//!   on an output port, which would block while the box is full.
//! * `ping-pong`: the same; the hold is an event scheduled 1 us ahead. The two
//!   strictly alternate, so no message ever arrives during a hold and the
//!   mailbox of the model still is a faithful box.
//! * `ring`: as `ping-pong`, with one model for each of the 10,000 processes.
//! * `pool`: the bounded mailbox is a model of its own, because it has to hold
//!   messages and blocked processes while time passes. Send and receive are
//!   requests to it. Its reply says whether the operation is done; if not, the
//!   process is parked in a queue there and later continued by an event on the
//!   output port which the pool has for each process.
//! * `timers`: the wait is a keyed event, cancelled when a message comes first.
//!   A port cannot pick its target at run time, so a message to a random
//!   process goes through a router model with one output port for each process.
//!   A process is always waiting when a message reaches it. Two messages in the
//!   same instant wake it twice, where a box of capacity 1 could drop the
//!   second; there is no non-blocking send in NeXosim.

// Measuring wall time is what this program is for.
#![allow(clippy::disallowed_types)]

use std::collections::VecDeque;
use std::process::exit;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use nexosim::model::{Context, Model, schedulable};
use nexosim::ports::{EventSource, Output, UniRequestor};
use nexosim::simulation::{EventKey, Mailbox, SimInit, Simulation};
use nexosim::time::MonotonicTime;
use serde::{Deserialize, Serialize};

const VERSION: &str = "1.0.0";
const MICROSECOND: Duration = Duration::from_micros(1);

/// Operations counted so far. The simulation runs on one thread, so a plain
/// load and store is enough and spares the locked instruction.
static OPERATIONS: AtomicU64 = AtomicU64::new(0);

fn count_one() -> u64 {
    let count = OPERATIONS.load(Ordering::Relaxed) + 1;
    OPERATIONS.store(count, Ordering::Relaxed);
    count
}

/// SplitMix64; each process has a generator of its own.
#[derive(Serialize, Deserialize)]
struct Random(u64);

impl Random {
    fn new(stream: usize) -> Self {
        Random((stream as u64 + 1).wrapping_mul(0xd134_2543_de82_ef95))
    }

    /// Uniform in `0..n`.
    fn below(&mut self, n: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^= z >> 31;
        ((u128::from(z) * u128::from(n)) >> 64) as u64
    }

    /// Uniform in `1..=n` nanoseconds.
    fn delay(&mut self, n: u64) -> Duration {
        Duration::from_nanos(1 + self.below(n))
    }
}

/// Steps until enough operations were counted.
fn run(simulation: &mut Simulation, operations: u64) {
    while OPERATIONS.load(Ordering::Relaxed) < operations {
        simulation.step().unwrap();
    }
}

// ---- ping-pong-untimed ----

#[derive(Serialize, Deserialize)]
struct Untimed {
    limit: u64,
    output: Output<()>,
}

#[Model]
impl Untimed {
    async fn receive(&mut self, _: ()) {
        // No time passes, so the run ends when the messages do.
        if count_one() < self.limit {
            self.output.send(()).await;
        }
    }

    async fn start(&mut self, _: ()) {
        self.output.send(()).await;
    }
}

fn ping_pong_untimed(operations: u64) -> Duration {
    let new = || Untimed { limit: operations, output: Output::default() };
    let (mut a, mut b) = (new(), new());
    let (a_box, b_box) = (Mailbox::with_capacity(1), Mailbox::with_capacity(1));
    a.output.connect(Untimed::receive, &b_box);
    b.output.connect(Untimed::receive, &a_box);

    let mut bench = SimInit::with_num_threads(1);
    let start = EventSource::new().connect(Untimed::start, &a_box).register(&mut bench);
    let mut simulation =
        bench.add_model(a, a_box, "a").add_model(b, b_box, "b").init(MonotonicTime::EPOCH).unwrap();

    let clock = Instant::now();
    simulation.process_event(&start, ()).unwrap();
    clock.elapsed()
}

// ---- ping-pong and ring ----

#[derive(Default, Serialize, Deserialize)]
struct Relay {
    output: Output<()>,
}

#[Model]
impl Relay {
    fn receive(&mut self, _: (), context: &Context<Self>) {
        count_one();
        context.schedule_event(MICROSECOND, schedulable!(Self::send), ()).unwrap();
    }

    #[nexosim(schedulable)]
    async fn send(&mut self, _: ()) {
        self.output.send(()).await;
    }
}

/// Runs one token around a ring of `size` models. A ring of two is `ping-pong`.
fn ring(size: usize, operations: u64) -> Duration {
    let mut models: Vec<Relay> = (0..size).map(|_| Relay::default()).collect();
    let boxes: Vec<Mailbox<Relay>> = (0..size).map(|_| Mailbox::with_capacity(1)).collect();
    for (i, model) in models.iter_mut().enumerate() {
        model.output.connect(Relay::receive, &boxes[(i + 1) % size]);
    }

    let mut bench = SimInit::with_num_threads(1);
    let start = EventSource::new().connect(Relay::send, &boxes[0]).register(&mut bench);
    for (model, mailbox) in models.into_iter().zip(boxes) {
        bench = bench.add_model(model, mailbox, "process");
    }
    let mut simulation = bench.init(MonotonicTime::EPOCH).unwrap();

    let clock = Instant::now();
    simulation.process_event(&start, ()).unwrap();
    run(&mut simulation, operations);
    clock.elapsed()
}

// ---- pool ----

const POOL_SIDE: usize = 1_000;
const POOL_CAPACITY: usize = 100;
const POOL_DELAY: u64 = 1_000;

#[derive(Serialize, Deserialize)]
struct Producer {
    index: u32,
    random: Random,
    put: UniRequestor<u32, bool>,
}

#[Model]
impl Producer {
    #[nexosim(init)]
    async fn init(&mut self, context: &Context<Self>) {
        self.hold(context);
    }

    fn hold(&mut self, context: &Context<Self>) {
        let delay = self.random.delay(POOL_DELAY);
        context.schedule_event(delay, schedulable!(Self::send), ()).unwrap();
    }

    #[nexosim(schedulable)]
    async fn send(&mut self, _: (), context: &Context<Self>) {
        if self.put.send(self.index).await {
            self.hold(context);
        }
    }

    /// The parked message was taken.
    fn sent(&mut self, _: (), context: &Context<Self>) {
        self.hold(context);
    }
}

#[derive(Serialize, Deserialize)]
struct Consumer {
    index: u32,
    random: Random,
    get: UniRequestor<u32, Option<u32>>,
}

#[Model]
impl Consumer {
    #[nexosim(init)]
    async fn init(&mut self, context: &Context<Self>) {
        self.receive((), context).await;
    }

    #[nexosim(schedulable)]
    async fn receive(&mut self, _: (), context: &Context<Self>) {
        if let Some(message) = self.get.send(self.index).await {
            self.received(message, context);
        }
    }

    fn received(&mut self, _: u32, context: &Context<Self>) {
        count_one();
        let delay = self.random.delay(POOL_DELAY);
        context.schedule_event(delay, schedulable!(Self::receive), ()).unwrap();
    }
}

/// The bounded mailbox. The index of the producer serves as the message.
#[derive(Default, Serialize, Deserialize)]
struct Pool {
    messages: VecDeque<u32>,
    producers: VecDeque<u32>,
    consumers: VecDeque<u32>,
    to_producer: Vec<Output<()>>,
    to_consumer: Vec<Output<u32>>,
}

#[Model]
impl Pool {
    async fn put(&mut self, producer: u32) -> bool {
        if let Some(consumer) = self.consumers.pop_front() {
            self.to_consumer[consumer as usize].send(producer).await;
            true
        } else if self.messages.len() < POOL_CAPACITY {
            self.messages.push_back(producer);
            true
        } else {
            self.producers.push_back(producer);
            false
        }
    }

    async fn get(&mut self, consumer: u32) -> Option<u32> {
        let message = self.messages.pop_front();
        if message.is_none() {
            self.consumers.push_back(consumer);
        } else if let Some(producer) = self.producers.pop_front() {
            self.messages.push_back(producer);
            self.to_producer[producer as usize].send(()).await;
        }
        message
    }
}

fn pool(operations: u64) -> Duration {
    let mut bench = SimInit::with_num_threads(1);
    let mut pool = Pool::default();
    let pool_box = Mailbox::new();
    for i in 0..POOL_SIDE {
        let producer = Producer {
            index: i as u32,
            random: Random::new(2 * i),
            put: UniRequestor::new(Pool::put, &pool_box),
        };
        let producer_box = Mailbox::with_capacity(1);
        let mut output = Output::default();
        output.connect(Producer::sent, &producer_box);
        pool.to_producer.push(output);
        bench = bench.add_model(producer, producer_box, "producer");

        let consumer = Consumer {
            index: i as u32,
            random: Random::new(2 * i + 1),
            get: UniRequestor::new(Pool::get, &pool_box),
        };
        let consumer_box = Mailbox::with_capacity(1);
        let mut output = Output::default();
        output.connect(Consumer::received, &consumer_box);
        pool.to_consumer.push(output);
        bench = bench.add_model(consumer, consumer_box, "consumer");
    }
    let mut simulation =
        bench.add_model(pool, pool_box, "pool").init(MonotonicTime::EPOCH).unwrap();

    let clock = Instant::now();
    run(&mut simulation, operations);
    clock.elapsed()
}

// ---- timers ----

const TIMERS_SIZE: usize = 100_000;
const TIMERS_DELAY: u64 = 1_000_000;

#[derive(Serialize, Deserialize)]
struct Waiter {
    random: Random,
    timer: Option<EventKey>,
    send: Output<u32>,
}

#[Model]
impl Waiter {
    #[nexosim(init)]
    async fn init(&mut self, context: &Context<Self>) {
        self.wait(context);
    }

    fn wait(&mut self, context: &Context<Self>) {
        let delay = self.random.delay(TIMERS_DELAY);
        let key = context.schedule_keyed_event(delay, schedulable!(Self::time_out), ()).unwrap();
        self.timer = Some(key);
    }

    fn receive(&mut self, _: (), context: &Context<Self>) {
        count_one();
        if let Some(key) = self.timer.take() {
            key.cancel();
        }
        self.wait(context);
    }

    #[nexosim(schedulable)]
    async fn time_out(&mut self, _: (), context: &Context<Self>) {
        count_one();
        let target = self.random.below(TIMERS_SIZE as u64) as u32;
        self.send.send(target).await;
        self.wait(context);
    }
}

#[derive(Default, Serialize, Deserialize)]
struct Router {
    outputs: Vec<Output<()>>,
}

#[Model]
impl Router {
    async fn route(&mut self, target: u32) {
        self.outputs[target as usize].send(()).await;
    }
}

fn timers(operations: u64) -> Duration {
    let mut bench = SimInit::with_num_threads(1);
    let mut router = Router::default();
    let router_box = Mailbox::new();
    for i in 0..TIMERS_SIZE {
        let mut waiter = Waiter { random: Random::new(i), timer: None, send: Output::default() };
        waiter.send.connect(Router::route, &router_box);
        let waiter_box = Mailbox::with_capacity(1);
        let mut output = Output::default();
        output.connect(Waiter::receive, &waiter_box);
        router.outputs.push(output);
        bench = bench.add_model(waiter, waiter_box, "waiter");
    }
    let mut simulation =
        bench.add_model(router, router_box, "router").init(MonotonicTime::EPOCH).unwrap();

    let clock = Instant::now();
    run(&mut simulation, operations);
    clock.elapsed()
}

fn usage() -> ! {
    eprintln!("usage: peer {{ping-pong-untimed,ping-pong,pool,ring,timers}} OPERATIONS");
    exit(2)
}

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [workload, operations] = arguments.as_slice() else { usage() };
    let Ok(operations) = operations.parse::<u64>() else { usage() };
    let operations = operations.max(1);
    let elapsed = match workload.as_str() {
        "ping-pong-untimed" => ping_pong_untimed(operations),
        "ping-pong" => ring(2, operations),
        "pool" => pool(operations),
        "ring" => ring(10_000, operations),
        "timers" => timers(operations),
        _ => usage(),
    };
    println!(
        r#"{{"peer":"nexosim","version":"{VERSION}","workload":"{workload}","operations":{},"seconds":{:.6}}}"#,
        OPERATIONS.load(Ordering::Relaxed),
        elapsed.as_secs_f64(),
    );
}
