//! How long a fixed stretch of each workload takes: for comparing two versions of this program.
//! `cargo xtask bench` compares with other programs.

use std::hint::black_box;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use ipcsim_explore::{Limits, NoTrace, run};
use ipcsim_kernel::Machine;
use ipcsim_report::trace;
use ipcsim_scenario::{LoadOptions, load};

const STEPS: u64 = 100_000;

fn machine(text: &str) -> Machine {
    let loaded = load("workload", text.as_bytes(), &LoadOptions::default());
    loaded.machine.expect("the workloads have no errors")
}

fn runs(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("run");
    group.throughput(Throughput::Elements(STEPS)).sample_size(20);
    for (name, text) in [
        ("ping-pong-untimed", include_str!("workloads/ping-pong-untimed.yaml")),
        ("ping-pong", include_str!("workloads/ping-pong.yaml")),
        ("pool", include_str!("workloads/pool.yaml")),
        ("ring", include_str!("workloads/ring.yaml")),
        ("timers", include_str!("workloads/timers.yaml")),
    ] {
        let machine = machine(text);
        let limits = Limits { max_steps: STEPS, ..Limits::default() };
        group.bench_function(name, |bencher| {
            bencher.iter(|| run(black_box(&machine), &limits, &mut NoTrace).steps);
        });
    }
    group.finish();
}

/// The same run with its trace written, and dropped.
fn traces(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("trace");
    group.throughput(Throughput::Elements(STEPS)).sample_size(20);
    let machine = machine(include_str!("workloads/ping-pong.yaml"));
    let limits = Limits { max_steps: STEPS, ..Limits::default() };
    let header = trace::Header {
        version: trace::VERSION,
        scenario: "ping-pong".into(),
        hash: trace::fingerprint(b"", &[]),
        seed: 0,
        generator: ipcsim_explore::GENERATOR.into(),
    };
    group.bench_function("ping-pong", |bencher| {
        bencher.iter(|| {
            let mut writer = trace::Writer::new(std::io::sink(), &header);
            run(black_box(&machine), &limits, &mut writer).steps
        });
    });
    group.finish();
}

criterion_group!(benches, runs, traces);
criterion_main!(benches);
