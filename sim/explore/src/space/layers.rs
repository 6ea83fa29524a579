//! Which layers a space has.

use std::borrow::Cow;

use ipcsim_kernel::{Machine, State};

use super::claims::Claims;
use super::lazy::sides::Sides;
use super::lazy::{Lazy, Misses};
use super::order::PartialOrder;
use super::steps::Steps;
use super::steps::walks::Walks;
use super::store::{Crew, Store};
use super::symmetry::{Symmetry, scalarsets};
use super::{Looks, Reduction, Reductions, Space};

impl<'m> Space<'m> {
    /// A space without states, observed in this way, with room for this many threads and mailboxes
    /// created at run time.
    pub fn new(machine: &'m Machine, reductions: Reductions, looks: Looks, room: usize) -> Self {
        let state = State::initial(machine);
        let reductions = reductions.sound_for(machine);
        let seen_as = as_seen(machine, &state, reductions);
        let mut steps = Steps::new(seen_as, &state, (reductions, looks), room);
        let seen_as = &*steps.machine;
        let symmetry = match reductions.symmetry {
            Reduction::On => Symmetry::of(seen_as, &steps.codec.layout, &state),
            Reduction::Off => None,
        };
        if symmetry.is_none() && !seen_as.scalarsets.is_empty() {
            let reductions = Reductions { scalars: Reduction::Off, ..reductions };
            return Self::new(machine, reductions, looks, room);
        }
        let sides = match reductions.lazy {
            Reduction::On => Sides::of(seen_as, &state),
            Reduction::Off => None,
        };
        let misses = match reductions.rest {
            Reduction::On => Misses::AtRest,
            Reduction::Off => Misses::Anytime,
        };
        let order = match (reductions.order, &sides) {
            // They do not support calls that depend on more than one mailbox's queue, or local work that is always a step of
            // its own.
            (Reduction::On, Some(sides))
                if sides.are_independent()
                    && steps.grain.forgets()
                    && !(sides.wait_for_memory() && misses == Misses::Anytime) =>
            {
                PartialOrder::of(seen_as, &state, (&steps.grain, looks), sides.memory)
            }
            _ => None,
        };
        let lazy = sides.as_ref().map(|_| Lazy::of(&state, misses));
        if let Some(sides) = &sides {
            steps.grain.make_lazy(looks, sides.plain);
        }
        steps.sides = sides;
        let width = steps.codec.width();
        Self {
            machine,
            steps,
            lazy,
            order,
            symmetry,
            store: Store::new(width),
            claims: Claims::new(looks),
            crew: Crew::default(),
            row: vec![0; width],
            pending: Vec::new(),
            walks: Walks::default(),
        }
    }
}

/// The machine as the layers see it: with scalars for indices, if that makes replicas alike that are not so otherwise.
fn as_seen<'m>(machine: &'m Machine, state: &State, reductions: Reductions) -> Cow<'m, Machine> {
    let uses_scalars = reductions.symmetry == Reduction::On && reductions.scalars == Reduction::On;
    let scalarsets = if uses_scalars { scalarsets(machine, state) } else { Vec::new() };
    if scalarsets.is_empty() {
        Cow::Borrowed(machine)
    } else {
        Cow::Owned(Machine { scalarsets, ..machine.clone() })
    }
}
