// The five benchmark workloads on SystemC.
//
// Usage: peer WORKLOAD OPERATIONS
//
// A process is a spawned SC_THREAD (a spawned SC_METHOD in `timers`), a mailbox
// is an `sc_fifo`, and the time resolution is one nanosecond.  Processes call
// the channels directly, not through ports: a port adds a virtual call, and
// those of `sc_fifo` admit one reader and one writer.  See ../README.md for how
// each workload is mapped.

#define SC_INCLUDE_DYNAMIC_PROCESSES
#include <systemc>

#include <chrono>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <string>
#include <vector>

using namespace sc_core;

namespace {

std::uint64_t limit = 0;
std::uint64_t operations = 0;

// `sc_pause` ends `sc_start` with the current delta cycle and, unlike
// `sc_stop`, without a report.
inline void count_one() {
    if (++operations == limit)
        sc_pause();
}

// The integer constructor skips the floating-point conversion of the others.
inline sc_time nanoseconds(std::uint64_t n) {
    return sc_time::from_value(n);
}

// SplitMix64; each process has a generator of its own.
class Random {
    std::uint64_t state;

  public:
    explicit Random(std::uint64_t stream) : state((stream + 1) * 0xd1342543de82ef95u) {}

    // Uniform in 0..n.
    std::uint64_t below(std::uint64_t n) {
        std::uint64_t z = state += 0x9e3779b97f4a7c15u;
        z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
        z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
        z ^= z >> 31;
        return static_cast<std::uint64_t>((static_cast<unsigned __int128>(z) * n) >> 64);
    }

    // Uniform in 1..=n nanoseconds.
    sc_time delay(std::uint64_t n) { return nanoseconds(1 + below(n)); }
};

// A small stack keeps 10,000 threads cheap.
template <class Body> void spawn_thread(Body body) {
    sc_spawn_options options;
    options.set_stack_size(16 * 1024);
    sc_spawn(body, nullptr, &options);
}

// ---- ping-pong-untimed, ping-pong ----

using Fifo = sc_fifo<int>;

void ping_pong(std::uint64_t hold) {
    auto box1 = std::make_shared<Fifo>(1);
    auto box2 = std::make_shared<Fifo>(1);
    const sc_time pause = nanoseconds(hold);
    spawn_thread([=] {
        for (int i = 0;; ++i) {
            box1->write(i);
            box2->read();
            count_one();
            if (hold)
                wait(pause);
        }
    });
    spawn_thread([=] {
        for (;;) {
            const int i = box1->read();
            count_one();
            if (hold)
                wait(pause);
            box2->write(i);
        }
    });
}

// ---- ring ----

void ring() {
    const std::size_t size = 10'000;
    static std::vector<std::unique_ptr<Fifo>> boxes;
    for (std::size_t i = 0; i < size; ++i)
        boxes.push_back(std::make_unique<Fifo>(1));
    for (std::size_t i = 0; i < size; ++i) {
        Fifo &own = *boxes[i], &next = *boxes[(i + 1) % size];
        spawn_thread([&own, &next] {
            const sc_time pause = nanoseconds(1'000);
            for (;;) {
                const int token = own.read();
                count_one();
                wait(pause);
                next.write(token);
            }
        });
    }
    boxes[0]->write(0);
}

// ---- pool ----

void pool() {
    auto box = std::make_shared<Fifo>(100);
    for (int i = 0; i < 1'000; ++i) {
        spawn_thread([=] {
            Random random(2 * i);
            for (;;) {
                wait(random.delay(1'000));
                box->write(i);
            }
        });
        spawn_thread([=] {
            Random random(2 * i + 1);
            for (;;) {
                box->read();
                count_one();
                wait(random.delay(1'000));
            }
        });
    }
}

// ---- timers ----

// Methods, because 100,000 threads would need more memory mappings than Linux
// allows a process by default, and are no faster.
void timers() {
    const std::size_t size = 100'000;
    static std::vector<std::unique_ptr<Fifo>> boxes;
    for (std::size_t i = 0; i < size; ++i)
        boxes.push_back(std::make_unique<Fifo>(1));
    sc_spawn_options options;
    options.spawn_method();
    for (std::size_t i = 0; i < size; ++i) {
        // The first call only starts the wait.
        sc_spawn([i, started = false, random = Random(i)]() mutable {
            Fifo &own = *boxes[i];
            if (started) {
                count_one();
                int message;
                if (!own.nb_read(message))
                    boxes[random.below(size)]->nb_write(0);
            }
            started = true;
            next_trigger(random.delay(1'000'000), own.data_written_event());
        }, nullptr, &options);
    }
}

} // namespace

int sc_main(int argc, char *argv[]) {
    const std::string workload = argc == 3 ? argv[1] : "";
    limit = argc == 3 ? std::strtoull(argv[2], nullptr, 10) : 0;
    limit = limit ? limit : 1;
    sc_set_time_resolution(1, SC_NS);

    if (workload == "ping-pong-untimed")
        ping_pong(0);
    else if (workload == "ping-pong")
        ping_pong(1'000);
    else if (workload == "ring")
        ring();
    else if (workload == "pool")
        pool();
    else if (workload == "timers")
        timers();
    else {
        std::fprintf(stderr, "usage: peer {ping-pong-untimed,ping-pong,pool,ring,timers} OPERATIONS\n");
        return 2;
    }

    // Elaborates, and starts every process up to its first wait.
    sc_start(SC_ZERO_TIME);
    operations = 0;

    const auto start = std::chrono::steady_clock::now();
    sc_start();
    const std::chrono::duration<double> seconds = std::chrono::steady_clock::now() - start;

    std::printf("{\"peer\":\"systemc\",\"version\":\"%d.%d.%d\",\"workload\":\"%s\",\"operations\":%llu,\"seconds\":%.6f}\n",
                SC_VERSION_MAJOR, SC_VERSION_MINOR, SC_VERSION_PATCH, workload.c_str(),
                static_cast<unsigned long long>(operations), seconds.count());
    return 0;
}
