//! What is observed in states, and what for.

use ipcsim_kernel::{Predicate, Probe};

/// What is observed in states, besides what the future depends on. It is never abstracted away.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Looks<'a> {
    /// Whatever these predicates read.
    pub predicates: &'a [Predicate],
    /// What was logged.
    pub log: Log,
    /// What for.
    pub asks: Asks,
}

/// What observations are made for. The less is asked, the more schedules can be left out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Asks {
    /// How schedules end; nothing else is observed.
    HowItEnds,
    /// Whether there is a state in which a predicate holds, and one in which it does not.
    WhatCanBe,
    /// What is seen when nothing moves any more, and what was logged until then.
    WhatRemains,
    /// What every schedule comes to, and in what order.
    EverySchedule,
}

/// Whether a state remembers what was logged on the way to it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Log {
    /// It does: states differ if different lines, or the same in another order, were logged.
    Kept,
    /// It does not.
    Forgotten,
}

impl<'a> Looks<'a> {
    /// Observes nothing more.
    pub const NOTHING: Looks<'static> =
        Looks { predicates: &[], log: Log::Forgotten, asks: Asks::HowItEnds };

    /// Observes what these predicates read.
    pub fn at(predicates: &'a [Predicate], asks: Asks) -> Self {
        Self { predicates, log: Log::Forgotten, asks }
    }

    /// What is looked at on the way.
    pub(super) fn probes_on_the_way(&self) -> impl Iterator<Item = &'a Probe> + use<'a> {
        let on_the_way = self.asks != Asks::WhatRemains;
        let predicates = self.predicates.iter().filter(move |_| on_the_way);
        predicates.flat_map(|predicate| &predicate.probes)
    }
}
