//! What is left out of the state space.

use ipcsim_kernel::{Detect, Fork, Machine, Probe};

use super::{Asks, Looks};

/// Whether a reduction is used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reduction {
    /// Used.
    On,
    /// Not used.
    Off,
}

/// Which reductions are used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Reductions {
    /// Local work is merged with the call before it, and dead variables are forgotten.
    pub merge: Reduction,
    /// Lazy calls: a call that would only block has not been made yet.
    pub lazy: Reduction,
    /// For lazy calls: that a sender begins to wait for memory is seen only where everybody has come to rest. That is right
    /// only if schedules do not go round for ever.
    pub rest: Reduction,
    /// Partial-order reduction: of independent steps, one order is enough.
    pub order: Reduction,
    /// Symmetry reduction: which of several replicas it is does not matter.
    pub symmetry: Reduction,
    /// For symmetry: an `index` may be passed on, as long as nobody asks more of it than who it is.
    pub scalars: Reduction,
}

impl Reductions {
    /// None of them.
    pub const NONE: Self = Self {
        merge: Reduction::Off,
        lazy: Reduction::Off,
        rest: Reduction::Off,
        order: Reduction::Off,
        symmetry: Reduction::Off,
        scalars: Reduction::Off,
    };
    /// Only the one that leaves out no schedule.
    pub const MERGE: Self = Self { merge: Reduction::On, ..Self::NONE };
    /// All of them.
    pub const ALL: Self = Self {
        merge: Reduction::On,
        lazy: Reduction::On,
        rest: Reduction::On,
        order: Reduction::On,
        symmetry: Reduction::On,
        scalars: Reduction::On,
    };
}

impl Reductions {
    /// Those that are sound for this machine. A kernel that refuses deadlocks looks at how far
    /// every thread is and what its variables hold, so there local work is visible to others; and a fork of all threads copies
    /// them as far as they are.
    #[must_use]
    pub fn sound_for(self, machine: &Machine) -> Self {
        let copies_all = machine.policies.fork == Fork::AllThreads && machine.forks();
        match machine.policies.detect {
            Detect::Report if !copies_all => self,
            Detect::Report | Detect::Refuse | Detect::RefuseChain => Self::NONE,
        }
    }

    /// Those that are sound for what is observed.
    #[must_use]
    pub fn sound_to(self, looks: Looks) -> Self {
        // A thread that waits is not told from one that is about to call.
        let sees_waits = looks.probes_on_the_way().any(|probe| matches!(probe, Probe::Blocked(_)));
        match looks.asks {
            Asks::HowItEnds => self,
            // A predicate names processes. And what can be seen while a sender waits for memory cannot wait until all rest.
            Asks::WhatCanBe if !sees_waits => Self {
                rest: Reduction::Off,
                symmetry: Reduction::Off,
                scalars: Reduction::Off,
                ..self
            },
            Asks::WhatRemains => Self { symmetry: Reduction::Off, scalars: Reduction::Off, ..self },
            Asks::WhatCanBe | Asks::EverySchedule => self.of_schedules(),
        }
    }

    /// Without those that leave out schedules: the ones with which a schedule is shown.
    #[must_use]
    pub fn of_schedules(self) -> Self {
        Self { merge: self.merge, ..Self::NONE }
    }
}
