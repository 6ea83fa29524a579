//! The rules of the kernel's objects, as tables: what is there, what is asked, and what comes of it.

mod common;

use std::sync::Arc;

use ipcsim_kernel::object::inbox::Inbox;
use ipcsim_kernel::object::memory::KernelMemory;
use ipcsim_kernel::object::port::{Held, Port, Receiver};
use ipcsim_kernel::object::port_set::PortSet;
use ipcsim_kernel::object::queue::MessageQueue;
use ipcsim_kernel::object::room::Room::{self, Free, Full, Never, Undefined};
use ipcsim_kernel::program::{Extras, Once};
use ipcsim_kernel::{
    Arrivals, Capacity, Filter, Ghost, HandOver, List, Mailbox, MailboxId, Message, Object, Order,
    Pick, ProcessId, QueueSpec, Route, ThreadId, Value,
};
use ipcsim_report::trace;

use common::told;

fn message(size: u64, priority: i64, kind: &str) -> Arc<Message> {
    let kind = if kind.is_empty() { Value::None } else { Value::Text(kind.into()) };
    Arc::new(Message {
        body: Value::None,
        sender: ProcessId(0),
        mailbox: MailboxId(0),
        size,
        route: Route::Mailbox,
        extras: Extras { kind, priority, ..Extras::default() }.boxed(),
        serial: Ghost(0),
    })
}

fn queue(capacity: Capacity, order: Order) -> MessageQueue {
    MessageQueue::new(QueueSpec { order, ..QueueSpec::plain(capacity, Pick::Fifo) })
}

#[test]
fn a_queue_has_room_or_not() {
    // Capacity, the sizes of what is there, the size of what comes.
    let table: &[(Capacity, &[u64], u64, Room)] = &[
        (Capacity::None, &[], 0, Full),
        (Capacity::Messages(0), &[], 1, Full),
        (Capacity::Messages(2), &[8], 1_000, Free),
        (Capacity::Messages(2), &[8, 8], 0, Full),
        (Capacity::Bytes(10), &[], 10, Free),
        (Capacity::Bytes(10), &[], 11, Never),
        (Capacity::Bytes(10), &[8], 2, Free),
        (Capacity::Bytes(10), &[8], 3, Full),
        (Capacity::Bytes(10), &[8], 11, Never),
        (Capacity::Bytes(10), &[10], 0, Free),
        (Capacity::Undefined, &[], 1, Undefined),
        (Capacity::Undefined, &[1; 7], 1, Undefined),
        (Capacity::Undefined, &[1; 8], 1, Full),
        (Capacity::Unlimited, &[u64::MAX / 2; 2], u64::MAX, Free),
    ];
    for (capacity, stored, size, room) in table {
        let mut queue = queue(*capacity, Order::Fifo);
        stored.iter().for_each(|size| queue.store(message(*size, 0, "")));
        assert_eq!(queue.room(*size), *room, "{capacity:?} with {stored:?}, and {size} bytes");
    }
}

#[test]
fn kernel_memory_has_room_or_not() {
    // Its limit, what each message costs besides, sizes of stored messages, whether somebody waits, the size of what comes;
    // the room, and that for a newcomer.
    type Row = (Option<u64>, u64, &'static [u64], bool, u64, Room, Room);
    let table: &[Row] = &[
        (None, 16, &[u64::MAX], false, u64::MAX, Free, Free),
        (Some(100), 0, &[], false, 100, Free, Free),
        (Some(100), 0, &[], false, 101, Never, Never),
        (Some(100), 1, &[], false, 100, Never, Never),
        (Some(100), 10, &[30], false, 50, Free, Free),
        (Some(100), 10, &[30], false, 51, Full, Full),
        (Some(100), 10, &[30], true, 50, Free, Full),
        (Some(100), 10, &[30], true, 91, Never, Never),
    ];
    for (limit, overhead, stored, is_awaited, size, room, for_newcomer) in table {
        let mut memory = KernelMemory::new(*limit, *overhead);
        stored.iter().for_each(|size| memory.charge(*size));
        if *is_awaited {
            memory.waiting.push_back((ThreadId(0), message(90, 0, "")));
        }
        let found = (memory.room(*size), memory.room_for_newcomer(*size));
        assert_eq!(found, (*room, *for_newcomer), "{limit:?} + {overhead} with {stored:?}, {size}");
    }
}

#[test]
fn messages_and_senders_stand_in_order() {
    // The priorities in order of arrival, and in the order in which they leave.
    let table: &[(Order, &[i64], &[i64])] = &[
        (Order::Fifo, &[1, 3, 2, 3], &[1, 3, 2, 3]),
        (Order::Priority, &[1, 3, 2, 3], &[3, 3, 2, 1]),
        (Order::Priority, &[-1, 0, -2, 0], &[0, 0, -1, -2]),
    ];
    for (order, arrive, leave) in table {
        let mut mailbox = Mailbox::new(queue(Capacity::Unlimited, *order).spec, Object::Open);
        for (number, priority) in (0..).zip(*arrive) {
            mailbox.store(message(number, *priority, ""));
            let blocked = message(number, *priority, "");
            mailbox.block_sender(ThreadId(number as u32), blocked, Pick::Fifo);
        }
        let blocked: Vec<i64> = mailbox.senders.iter().map(|(_, it)| it.priority()).collect();
        assert_eq!(blocked, *leave, "{order:?}");
        // Of equals the one that came first.
        let taken: Vec<(i64, u64)> =
            arrive.iter().map(|_| mailbox.take(0)).map(|it| (it.priority(), it.size)).collect();
        assert_eq!(taken.iter().map(|(priority, _)| *priority).collect::<Vec<_>>(), *leave);
        assert!(taken.windows(2).all(|two| two[0].0 != two[1].0 || two[0].1 < two[1].1));
        assert_eq!(mailbox.stored_bytes, 0, "what is gone is not counted");
    }
}

#[test]
fn policies_decide_what_is_stored_and_what_needs_room() {
    // The eager limit, the capacity, how large the messages are that are there, and the new one; whether there is room, and
    // whether it needs some to go to a receiver that waits, with `hand-over: if-room`.
    type Row = (u64, Capacity, &'static [u64], u64, Room, bool);
    let table: &[Row] = &[
        (QueueSpec::ANY_SIZE, Capacity::Messages(1), &[], 9, Free, true),
        (QueueSpec::ANY_SIZE, Capacity::Messages(1), &[1], 9, Full, true),
        (QueueSpec::ANY_SIZE, Capacity::None, &[], 9, Full, false),
        (QueueSpec::ANY_SIZE, Capacity::Bytes(2), &[0, 0], 0, Full, true),
        (QueueSpec::ANY_SIZE, Capacity::Bytes(2), &[0], 2, Free, true),
        (QueueSpec::ANY_SIZE, Capacity::Bytes(2), &[0, 0], 3, Never, true),
        (4, Capacity::Unlimited, &[], 4, Free, true),
        (4, Capacity::Unlimited, &[], 5, Full, false),
        // Larger than all of the mailbox: it is not stored there anyhow.
        (4, Capacity::Bytes(8), &[], 9, Full, false),
        (4, Capacity::Undefined, &[], 5, Full, false),
    ];
    for (eager_limit, capacity, there, size, room, needs_room) in table {
        for hand_over in [HandOver::AtOnce, HandOver::IfRoom] {
            let plain = QueueSpec::plain(*capacity, Pick::Fifo);
            let spec = QueueSpec { eager_limit: *eager_limit, hand_over, ..plain };
            let mut queue = MessageQueue::new(spec);
            there.iter().for_each(|size| queue.store(message(*size, 0, "")));
            assert_eq!(queue.room(*size), *room, "{capacity:?}, {there:?} and {size}");
            let goes_at_once = hand_over == HandOver::AtOnce || !needs_room;
            assert_eq!(queue.hands_over_at_once(*size), goes_at_once, "{capacity:?} and {size}");
        }
    }
}

#[test]
fn where_the_urgent_go_first_the_priority_of_a_message_does_not_count() {
    let mut mailbox = Mailbox::new(queue(Capacity::None, Order::Priority).spec, Object::Open);
    for (t, priority) in (0..).map(ThreadId).zip([1, 9, 5]) {
        mailbox.block_sender(t, message(1, priority, ""), Pick::Priority);
    }
    let blocked: Vec<i64> = mailbox.senders.iter().map(|(_, it)| it.priority()).collect();
    assert_eq!(blocked, [1, 9, 5]);
}

#[test]
fn a_newcomer_stands_behind_those_who_wait() {
    // The order, the priorities of those who wait and of the newcomer, whether the kernel keeps a message here.
    let table: &[(Order, &[i64], i64, bool, bool)] = &[
        (Order::Fifo, &[], 0, false, false),
        (Order::Fifo, &[0], 9, false, true),
        (Order::Priority, &[1], 1, false, true),
        (Order::Priority, &[1], 2, false, false),
        (Order::Priority, &[3, 1], 2, false, true),
        (Order::Priority, &[], 9, true, true),
    ];
    for (order, waiting, priority, keeps, stands_behind) in table {
        let mut port = Port::with(Receiver::Held(ProcessId(0)));
        if *keeps {
            let notify = Once { port: MailboxId(1), number: 0 };
            port.held.push_back(Held { message: message(1, 0, ""), notify, ahead: 0 });
        }
        let spec = queue(Capacity::Messages(1), *order).spec;
        let mut mailbox = Mailbox::new(spec, Object::Port(Box::new(port)));
        for (t, priority) in (0..).map(ThreadId).zip(*waiting) {
            mailbox.block_sender(t, message(1, *priority, ""), Pick::Fifo);
        }
        let found = mailbox.stands_behind(&message(1, *priority, ""));
        assert_eq!(found, *stands_behind, "{order:?}, {waiting:?} and {priority}");
    }
}

#[test]
fn a_message_that_is_kept_knows_how_many_senders_go_before_it() {
    // At which place a sender leaves, and how many are ahead of the two messages then: 1 and 2 were.
    for (leaves, ahead) in [(0, [0, 1]), (1, [1, 1]), (2, [1, 2])] {
        let mut port = Port::with(Receiver::Held(ProcessId(0)));
        for (number, ahead) in [(0, 1), (1, 2)] {
            let notify = Once { port: MailboxId(1), number };
            port.held.push_back(Held { message: message(1, 0, ""), notify, ahead });
        }
        let spec = QueueSpec::plain(Capacity::Messages(1), Pick::Fifo);
        let mut mailbox = Mailbox::new(spec, Object::Port(Box::new(port)));
        (0..3).for_each(|t| mailbox.block_sender(ThreadId(t), message(1, 0, ""), Pick::Fifo));
        assert_eq!(mailbox.release_sender(leaves).0, ThreadId(leaves as u32));
        let left: Vec<u32> =
            mailbox.port().expect("it is one").held.iter().map(|it| it.ahead).collect();
        assert_eq!(left, ahead, "the sender at place {leaves} has left");
    }
}

#[test]
fn a_receive_may_want_a_type_or_a_size() {
    let text = |word: &str| Value::Text(word.into());
    let any_of = |words: &[&str]| {
        Value::List(Arc::new(
            List::new(words.iter().map(|word| text(word)).collect()).expect("short"),
        ))
    };
    // The type that is wanted, the largest size; the type and the size of a message; whether type and size are right.
    type Row = (Option<Value>, Option<u64>, &'static str, u64, bool, bool);
    let table: &[Row] = &[
        (None, None, "red", 9, true, true),
        (Some(text("red")), None, "red", 9, true, true),
        (Some(text("red")), None, "blue", 9, false, true),
        (Some(text("red")), None, "", 9, false, true),
        (Some(Value::None), None, "", 9, true, true),
        (Some(any_of(&["red", "blue"])), None, "blue", 9, true, true),
        (Some(any_of(&[])), None, "blue", 9, false, true),
        (None, Some(8), "", 8, true, true),
        (None, Some(8), "", 9, true, false),
        (Some(text("red")), Some(8), "blue", 9, false, false),
    ];
    for (kind, max_size, word, size, accepts, fits) in table {
        let filter = Filter { kind: kind.clone(), max_size: *max_size };
        let message = message(*size, 0, word);
        let found =
            (Filter::accepts(Some(&filter), &message), Filter::fits(Some(&filter), &message));
        assert_eq!(found, (*accepts, *fits), "{filter:?} and {word:?} of {size} bytes");
        let mut queue = queue(Capacity::Unlimited, Order::Fifo);
        queue.store(message);
        assert_eq!(queue.first_stored(Some(&filter)), accepts.then_some(0));
    }
}

#[test]
fn a_port_gives_the_lowest_free_number() {
    let mut port = Port::with(Receiver::Held(ProcessId(0)));
    assert_eq!([port.make_once(), port.make_once(), port.make_once()], [0, 1, 2]);
    port.once.remove(&1);
    assert_eq!([port.make_once(), port.make_once()], [1, 3]);
}

#[test]
fn a_set_knows_who_came_first_and_whose_turn_it_is() {
    let [a, b, c] = [1, 2, 3].map(MailboxId);
    let mut set = PortSet::of(ProcessId(0));
    set.insert(a, 1);
    set.insert(b, 0);
    for port in [b, a, b] {
        set.note_stored(port);
    }
    let by_age = |set: &PortSet| set.by_age().collect::<Vec<_>>();
    let in_turn = |set: &PortSet| set.in_turn().collect::<Vec<_>>();
    assert_eq!(by_age(&set), [(a, 0), (b, 0), (a, 1), (b, 1)]);
    assert_eq!(in_turn(&set), [a, b]);
    set.note_taken(a, 1);
    assert_eq!((by_age(&set), in_turn(&set)), (vec![(a, 0), (b, 0), (b, 1)], vec![b, a]));
    // What a port brings with it is younger than all that is here.
    set.insert(c, 2);
    assert_eq!(by_age(&set).len(), 5);
    set.remove(b);
    assert_eq!((by_age(&set), in_turn(&set)), (vec![(a, 0), (c, 0), (c, 1)], vec![a, c]));
}

#[test]
fn an_inbox_knows_the_order_over_all_links() {
    let [a, b] = [1, 2].map(MailboxId);
    for (arrivals, known) in [(Arrivals::Ordered, true), (Arrivals::Unordered, false)] {
        let mut inbox = Inbox::new(arrivals);
        inbox.add_link(ProcessId(7), b);
        inbox.add_link(ProcessId(3), a);
        assert_eq!(inbox.links().collect::<Vec<_>>(), [a, b], "by sender");
        assert_eq!((inbox.link(ProcessId(7)), inbox.link(ProcessId(4))), (Some(b), None));
        for link in [b, a, b] {
            inbox.note_stored(link);
        }
        let stored = |inbox: &Inbox| inbox.stored().collect::<Vec<_>>();
        assert_eq!(stored(&inbox), if known { vec![(b, 0), (a, 0), (b, 1)] } else { vec![] });
        inbox.forget_stored(b, 0);
        assert_eq!(stored(&inbox), if known { vec![(a, 0), (b, 0)] } else { vec![] });
    }
}

/// What becomes of a message that is sent when all this is there: the first thing that a trace tells of it.
fn offered(kernel: &str, object: &str, before: &str, receiver: &str, keys: &str) -> String {
    let scenario = format!(
        "
kernel: {{{kernel}}}
{object}
processes:
  Before: [yield, {before}]
  Receiver: {{start: 1ms, do: [{receiver}]}}
  Sender: {{start: 2ms, do: [{{send: it, to: box, {keys}}}]}}
"
    );
    let told = told(&scenario, &[]);
    let (_, records) = trace::read(&told.trace).expect("a trace can be read again");
    let of_sender = records.iter().filter(|it| it.thread.as_deref() == Some("Sender"));
    let mut events = of_sender.filter(|it| !["sent", "thread-started"].contains(&&*it.event));
    let first = events.next().expect("something becomes of it");
    match (&first.on, &first.outcome) {
        (Some(on), _) => format!("{}-blocked", if on == "send" { "SEND" } else { on }),
        (_, Some(outcome)) => outcome.clone(),
        _ => first.event.clone(),
    }
}

#[test]
fn what_becomes_of_a_message_that_is_offered() {
    const NOBODY: &str = "";
    const WAITS: &str = "{receive: m, from: box}";
    const WANTS_RED: &str = "{receive: m, from: box, type: red}";
    const WANTS_SMALL: &str = "{receive: m, from: box, max-size: 1B, when: {too-large: []}}";
    const ONE: &str = "{send: old, to: box, size: 8B}";
    const RED: &str = "type: red, size: 4B";
    let mailbox = |keys: &str| format!("mailboxes: {{box: {{{keys}}}}}");
    let port = |keys: &str| {
        format!("ports: {{box: {{receive: Receiver, send: [Before, Sender], {keys}}}}}")
    };
    // What the kernel does, the object, what is done before, who waits, the message; what becomes of it.
    let table = [
        // A rendezvous.
        ("", mailbox("capacity: none"), "", NOBODY, "size: 4B", "SEND-blocked"),
        ("", mailbox("capacity: none"), "", WAITS, "size: 4B", "delivered"),
        ("", mailbox("capacity: none"), "", WANTS_RED, "size: 4B", "SEND-blocked"),
        ("", mailbox("capacity: none"), "", WANTS_RED, RED, "delivered"),
        ("wake: look-again", mailbox("capacity: none"), "", WAITS, "size: 4B", "delivered"),
        // What is never stored needs no memory.
        ("memory: 2B", mailbox("capacity: none"), "", NOBODY, "size: 4B", "SEND-blocked"),
        // A buffer of one message.
        ("", mailbox("capacity: 1"), "", NOBODY, "size: 4B", "stored"),
        ("", mailbox("capacity: 1"), "", WAITS, "size: 4B", "delivered"),
        ("wake: look-again", mailbox("capacity: 1"), "", WAITS, "size: 4B", "stored"),
        ("", mailbox("capacity: 1"), ONE, NOBODY, "size: 4B", "SEND-blocked"),
        ("", mailbox("capacity: 1"), ONE, WANTS_RED, RED, "delivered"),
        ("wake: look-again", mailbox("capacity: 1"), ONE, WANTS_RED, RED, "delivered"),
        ("", mailbox("capacity: 1"), ONE, NOBODY, "size: 4B, wait: never", "would-block"),
        // Bytes.
        ("", mailbox("capacity: 10B"), ONE, NOBODY, "size: 2B", "stored"),
        ("", mailbox("capacity: 10B"), ONE, NOBODY, "size: 4B", "SEND-blocked"),
        ("", mailbox("capacity: 10B"), ONE, NOBODY, "size: 11B", "too-large"),
        ("", mailbox("capacity: unlimited, max-size: 9B"), ONE, NOBODY, "size: 10B", "too-large"),
        // Kernel memory.
        ("memory: 10B", mailbox("capacity: 2"), ONE, NOBODY, "size: 2B", "stored"),
        ("memory: 10B", mailbox("capacity: 2"), ONE, NOBODY, "size: 4B", "memory-blocked"),
        ("memory: 10B", mailbox("capacity: 1"), ONE, NOBODY, "size: 4B", "SEND-blocked"),
        ("memory: 10B", mailbox("capacity: 2"), ONE, NOBODY, "size: 11B", "too-large"),
        ("memory: 10B", mailbox("capacity: 2"), ONE, WANTS_RED, RED, "delivered"),
        (
            "memory: 10B, memory-full: fail",
            mailbox("capacity: 2"),
            ONE,
            NOBODY,
            "size: 4B",
            "no-memory",
        ),
        // A receiver that takes small messages only.
        ("", mailbox("capacity: 1"), "", WANTS_SMALL, "size: 4B", "stored"),
        ("too-large: destroy", mailbox("capacity: 1"), "", WANTS_SMALL, "size: 4B", "lost"),
        ("", mailbox("capacity: 1"), "", WANTS_SMALL, "size: 1B", "delivered"),
        // A port is no rendezvous.
        ("", port("capacity: 1"), "", WAITS, "size: 4B", "delivered"),
        ("", port("capacity: 1"), ONE, NOBODY, "size: 4B", "SEND-blocked"),
        ("", port("capacity: 0"), "", WAITS, "size: 4B", "SEND-blocked"),
    ];
    for (kernel, object, before, receiver, keys, becomes) in table {
        // A receiver that does nothing would end, and its port with it.
        let receiver = if receiver.is_empty() { "{sleep: 1s}" } else { receiver };
        let found = offered(kernel, &object, before, receiver, keys);
        assert_eq!(found, becomes, "{kernel}, {object}, {before}, {receiver}, {keys}");
    }
}
