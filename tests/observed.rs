//! What can be observed of random scenarios, with and without reductions.

mod common;

use common::generate::Dice;
use common::observed::{check_observed, check_remains, with_local_work};
use common::{Shown, plain};

/// What can be seen on the way is seen, too, where schedules are left out.
#[test]
fn what_can_be_observed_is_found_with_fewer_schedules() {
    let seeds = plain::seeds(400);
    let asked = seeds.end - seeds.start;
    let (mut less, mut remains) = (0, 0);
    for seed in seeds {
        let mut dice = Dice(seed);
        let text = with_local_work(&plain::scenario(seed), &mut dice);
        let machine = common::loaded("plain.yaml", &text, &[]).machine.expect("it can be run");
        let name = format!("seed {seed}:\n{text}");
        let shown = Shown(&name);
        less += check_observed(&name, &machine, 3_000, &mut dice);
        remains += check_remains(&name, &machine, 3_000);
        drop(shown);
    }
    assert!(remains >= asked / 2, "something was left out in {remains} searches");
    assert!(less >= asked, "something was left out in {less} searches");
}
