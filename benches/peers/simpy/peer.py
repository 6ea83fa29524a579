"""The five benchmark workloads on SimPy.

Usage: peer.py WORKLOAD OPERATIONS

A process is a SimPy process, a mailbox is a `simpy.Store` with a capacity, and
one unit of simulated time is one nanosecond, kept in integers.  See ../README.md
for how each workload is mapped.
"""

import gc
import json
import random
import sys
import time
from importlib.metadata import version

import simpy

SEED = 1
MICROSECOND = 1_000


def ping_pong_untimed(env, operations):
    box1 = simpy.Store(env, capacity=1)
    box2 = simpy.Store(env, capacity=1)
    rounds = (operations + 1) // 2

    def a():
        put, get = box1.put, box2.get
        for i in range(rounds):
            yield put(i)
            yield get()

    def b():
        get, put = box1.get, box2.put
        while True:
            yield put((yield get()))

    env.process(b())
    # The end of A ends the run, so the loop needs no counter of its own.
    return env.process(a()), lambda: 2 * rounds


def ping_pong(env, operations):
    box1 = simpy.Store(env, capacity=1)
    box2 = simpy.Store(env, capacity=1)
    rounds = (operations + 1) // 2

    def a():
        put, get, timeout = box1.put, box2.get, env.timeout
        for i in range(rounds):
            yield put(i)
            yield get()
            yield timeout(MICROSECOND)

    def b():
        get, put, timeout = box1.get, box2.put, env.timeout
        while True:
            i = yield get()
            yield timeout(MICROSECOND)
            yield put(i)

    env.process(b())
    return env.process(a()), lambda: 2 * rounds


def pool(env, operations):
    box = simpy.Store(env, capacity=100)
    done = env.event()
    # `random() * n` is several times faster than `randint`.
    uniform = random.Random(SEED).random
    received = 0

    def producer():
        put, timeout = box.put, env.timeout
        while True:
            yield timeout(1 + int(uniform() * 1_000))
            yield put(None)

    def consumer():
        nonlocal received
        get, timeout = box.get, env.timeout
        while True:
            yield get()
            received += 1
            if received == operations:
                done.succeed()
            yield timeout(1 + int(uniform() * 1_000))

    for _ in range(1_000):
        env.process(producer())
        env.process(consumer())
    return done, lambda: received


def ring(env, operations):
    size = 10_000
    boxes = [simpy.Store(env, capacity=1) for _ in range(size)]
    done = env.event()
    hops = 0

    def process(index):
        nonlocal hops
        get, put, timeout = boxes[index].get, boxes[(index + 1) % size].put, env.timeout
        while True:
            token = yield get()
            hops += 1
            if hops == operations:
                done.succeed()
            yield timeout(MICROSECOND)
            yield put(token)

    for index in range(size):
        env.process(process(index))
    boxes[0].put(None)
    return done, lambda: hops


def timers(env, operations):
    size = 100_000
    boxes = [simpy.Store(env, capacity=1) for _ in range(size)]
    done = env.event()
    uniform = random.Random(SEED).random
    wakeups = 0

    def process(box):
        nonlocal wakeups
        get, timeout = box.get, env.timeout
        while True:
            request = get()
            # SimPy cannot take a timeout back: when the message comes first, the
            # condition lets go of the timeout, which stays queued and later
            # fires with nothing attached to it.
            yield request | timeout(1 + int(uniform() * 1_000_000))
            wakeups += 1
            if wakeups == operations:
                done.succeed()
            # Asking the request, not the condition, keeps a message that arrives
            # in the instant of the time-out.
            if request.triggered:
                continue
            request.cancel()
            target = boxes[int(uniform() * size)]
            if not target.items:
                target.put(None)

    for box in boxes:
        env.process(process(box))
    return done, lambda: wakeups


WORKLOADS = {
    "ping-pong-untimed": ping_pong_untimed,
    "ping-pong": ping_pong,
    "pool": pool,
    "ring": ring,
    "timers": timers,
}


def main():
    if len(sys.argv) != 3 or sys.argv[1] not in WORKLOADS or not sys.argv[2].isdigit():
        sys.exit(f"usage: peer.py {{{','.join(WORKLOADS)}}} OPERATIONS")
    workload, operations = sys.argv[1], max(1, int(sys.argv[2]))

    env = simpy.Environment()
    end, counted = WORKLOADS[workload](env, operations)
    # Starting the processes, each up to its first wait, is still construction.
    env.run(until=env.timeout(0))
    # SimPy leaves no reference cycles behind here, so the collector would only
    # walk the live model again and again.
    gc.disable()

    start = time.perf_counter()
    env.run(until=end)
    seconds = time.perf_counter() - start

    print(
        json.dumps(
            {
                "peer": "simpy",
                "version": version("simpy"),
                "workload": workload,
                "operations": counted(),
                "seconds": round(seconds, 6),
            },
            separators=(",", ":"),
        )
    )


if __name__ == "__main__":
    main()
