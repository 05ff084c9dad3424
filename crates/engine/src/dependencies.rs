//! Flags that depend on flags: conditions on `$.flags.<name>.…`, resolved when first read.
//!
//! A flag that is read while it is being resolved closes a cycle. The read yields nothing, every flag on the cycle
//! is marked, and the segments whose evaluation ran into it do not match.

use crate::environment::Environment;
use crate::evaluate::{NoTrace, Tracer};
use crate::inputs::Inputs;
use crate::outcome::{Decision, Outcome};
use crate::property::FlagField;
use crate::scalar::Scalar;

/// Flags that may wait for one another. A longer chain is treated as a cycle, for each link takes stack.
const MAX_CHAIN: usize = 32;

/// What is known so far in one evaluation. Empty unless the environment has conditions on flags.
#[derive(Debug, Default)]
pub(crate) struct Resolution {
    flags: Vec<Option<Resolved>>,
    segments: Vec<Option<bool>>,
    /// The flags being resolved, outermost first.
    chain: Vec<u32>,
    cyclic: Vec<bool>,
    /// Reads that a cycle left without an answer. A segment during whose evaluation it grew does not match.
    cuts: usize,
}

/// A flag that has been decided.
#[derive(Debug, Clone, Copy)]
struct Resolved {
    decision: Decision,
    /// Deciding it ran into a cycle, its own or another; so does whoever reads it, now or later.
    is_tainted: bool,
}

/// What a segment's rules say.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Verdict {
    Matches,
    Misses,
    /// Its evaluation ran into a cycle of flags; it does not match.
    Cut,
}

impl Resolution {
    pub(crate) fn new(environment: &Environment) -> Self {
        if !environment.has_flag_dependencies {
            return Self::default();
        }
        Self {
            flags: vec![None; environment.features.len()],
            segments: vec![None; environment.segments.len()],
            chain: Vec::new(),
            cyclic: vec![false; environment.features.len()],
            cuts: 0,
        }
    }

    /// Drops what was learnt by running into cycles, which depends on where one started. What is certain is kept.
    fn forget_cycles(&mut self) {
        for flag in &mut self.flags {
            if flag.is_some_and(|resolved| resolved.is_tainted) {
                *flag = None;
            }
        }
        self.cyclic.fill(false);
    }

    /// Notes a read of `feature`; true if it can be answered only by going round in circles.
    fn is_cut(&mut self, feature: u32) -> bool {
        let cycle = self.chain.iter().position(|waiting| *waiting == feature);
        let is_known = self.cyclic.get(feature as usize).copied().unwrap_or(true);
        if cycle.is_none() && !is_known && self.chain.len() < MAX_CHAIN {
            return false;
        }
        if let Some(start) = cycle {
            for waiting in &self.chain[start..] {
                self.cyclic[*waiting as usize] = true;
            }
        } else if !is_known {
            self.cyclic[feature as usize] = true;
        }
        self.cuts += 1;
        true
    }
}

impl<'a> Inputs<'a> {
    /// The value of a flag's field, for a condition.
    pub(crate) fn flag(&self, feature: u32, field: FlagField) -> Scalar<'a> {
        if self.resolution.borrow_mut().is_cut(feature) {
            return Scalar::Missing;
        }
        let decision = self.resolve(feature);
        // Resolving may have found that the flag depends on itself.
        if decision.is_circular {
            return Scalar::Missing;
        }
        let outcome = Outcome {
            environment: self.environment,
            decision,
        };
        match field {
            FlagField::Enabled => Scalar::Bool(outcome.enabled()),
            FlagField::Variant => outcome.variant().map_or(Scalar::Missing, Scalar::coerce),
            FlagField::Value => Scalar::from_json(outcome.value()),
        }
    }

    /// Decides a flag, remembering the answer.
    pub(crate) fn resolve(&self, feature: u32) -> Decision {
        let cuts = {
            let mut resolution = self.resolution.borrow_mut();
            if let Some(known) = resolution.flags.get(feature as usize).copied().flatten() {
                resolution.cuts += usize::from(known.is_tainted);
                return known.decision;
            }
            resolution.chain.push(feature);
            resolution.cuts
        };
        let mut decision = self.choose(self.winner(feature));
        let mut resolution = self.resolution.borrow_mut();
        resolution.chain.pop();
        decision.is_circular = resolution.cyclic[feature as usize];
        let is_tainted = resolution.cuts != cuts;
        resolution.flags[feature as usize] = Some(Resolved { decision, is_tainted });
        decision
    }

    /// Decides a flag by itself, so that the answer does not depend on what was asked before.
    pub(crate) fn resolve_alone(&self, feature: u32) -> Decision {
        self.resolution.borrow_mut().forget_cycles();
        self.resolve(feature)
    }

    /// Whether the identity is in the segment, remembering the answer unless it rests on a cycle.
    pub(crate) fn is_in_segment_once(&self, segment: u32) -> bool {
        if let Some(known) = self.resolution.borrow().segments[segment as usize] {
            return known;
        }
        match self.verdict(segment, &mut NoTrace) {
            Verdict::Cut => false,
            verdict => {
                let matches = verdict == Verdict::Matches;
                self.resolution.borrow_mut().segments[segment as usize] = Some(matches);
                matches
            }
        }
    }

    /// [`Self::verdict`] by itself, whatever was asked before.
    pub(crate) fn verdict_alone<T: Tracer>(&self, segment: u32, tracer: &mut T) -> Verdict {
        self.resolution.borrow_mut().forget_cycles();
        self.verdict(segment, tracer)
    }

    fn verdict<T: Tracer>(&self, segment: u32, tracer: &mut T) -> Verdict {
        let cuts = self.resolution.borrow().cuts;
        let matches = self.is_in_segment(segment, tracer);
        match matches {
            _ if self.resolution.borrow().cuts != cuts => Verdict::Cut,
            true => Verdict::Matches,
            false => Verdict::Misses,
        }
    }
}
