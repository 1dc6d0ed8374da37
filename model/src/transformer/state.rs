//! Inference state and the batched forward pass: many lanes in lock-step.

use super::lane_group::LaneGroup;
use super::{ForwardError, Transformer};
use crate::spec::SYMBOLS;
use brevity_kernels::threads;
use rayon::prelude::*;
use std::cell::Cell;

/// The inference state of a batch of lanes: their position, their KV caches, and
/// buffers, so that a step hardly allocates.
///
/// The KV caches take `8 L d` bytes for each lane and each position that a query can
/// see.
#[derive(Debug)]
pub struct State {
    lanes: usize,
    /// Lanes in each group except the last.
    group_lanes: usize,
    groups: Vec<LaneGroup>,
    /// The most steps.
    max_steps: u64,
    failure: Option<ForwardError>,
}

/// The most lanes of a group. Weights are read once for the whole group, so larger
/// groups are faster, up to this size.
const MAX_GROUP: usize = 32;

impl State {
    /// Number of lanes: the batch size.
    pub fn lanes(&self) -> usize {
        self.lanes
    }

    /// Number of steps since the start, the same for every lane.
    pub fn position(&self) -> u64 {
        self.groups[0].position()
    }

    /// Returns every lane to position 0, for other bytes.
    pub fn reset(&mut self) {
        self.groups.iter_mut().for_each(LaneGroup::reset);
        self.failure = None;
    }

    /// Calls `run` for every group and its item of `work`, which take `steps` steps.
    fn advance<W: Send>(
        &mut self,
        steps: usize,
        work: impl Iterator<Item = W>,
        run: impl Fn(&mut LaneGroup, W) -> Result<(), ForwardError> + Sync,
    ) -> Result<(), ForwardError> {
        let after = self.position().saturating_add(steps as u64);
        assert!(
            after <= self.max_steps,
            "step {after} exceeds the {} steps of the state",
            self.max_steps
        );
        if let Some(failure) = &self.failure {
            return Err(failure.clone());
        }
        let lanes = self.group_lanes;
        let run = |(index, (group, work)): (usize, (&mut LaneGroup, W))| {
            run(group, work).map_err(|mut error| {
                error.lane += index * lanes;
                error
            })
        };
        let alone = self.groups.len() == 1;
        let mut work = self.groups.iter_mut().zip(work).enumerate();
        let result = match alone {
            // Without the pool: the caller's thread continues at once.
            true => work.try_for_each(run),
            // Every group runs to its end; the first group's error is returned.
            false => {
                let work: Vec<_> = work.collect();
                let results = work.into_par_iter().map(run);
                results.reduce(|| Ok(()), Result::and)
            }
        };
        if let Err(error) = &result {
            self.failure = Some(error.clone());
        }
        result
    }
}

impl Transformer {
    /// The state of `lanes` independent streams at position 0.
    ///
    /// # Panics
    /// If `lanes` is 0.
    pub fn state(&self, lanes: usize) -> State {
        self.state_for(lanes, usize::MAX)
    }

    /// Like [`Transformer::state`], for at most `steps` steps. This bounds the memory by
    /// the length of the data, even if the spec's context is larger.
    ///
    /// A state of at most 32 lanes that is created inside [`threads::alone`] runs on the
    /// calling thread.
    ///
    /// # Panics
    /// If `lanes` or `steps` is 0.
    pub fn state_for(&self, lanes: usize, steps: usize) -> State {
        assert!(lanes > 0, "the number of lanes is 0");
        assert!(steps > 0, "the number of steps is 0");
        let group_lanes = lanes.div_ceil(threads::current()).min(MAX_GROUP);
        let sinusoids = self.sinusoids(steps);
        let groups = (0..lanes).step_by(group_lanes).map(|first| {
            let lanes = group_lanes.min(lanes - first);
            LaneGroup::new(self, &sinusoids, lanes, steps)
        });
        State {
            lanes,
            group_lanes,
            groups: groups.collect(),
            max_steps: steps as u64,
            failure: None,
        }
    }

    /// Advances every lane by `steps` steps and computes the logits of each step.
    ///
    /// - `previous`: `[lanes, steps]`, the byte before each predicted byte. At the first
    ///   position of a chunk or stream it is ignored and taken as 0.
    /// - `logits`: `[lanes, steps, 256]`, overwritten; in nats, up to a constant for each
    ///   row.
    ///
    /// # Errors
    /// Activations that are not finite. Every further call with this state returns the
    /// same error until [`State::reset`].
    ///
    /// # Panics
    /// If a length does not match, or the state would exceed its number of steps.
    pub fn forward(
        &self,
        state: &mut State,
        previous: &[u8],
        steps: usize,
        logits: &mut [f32],
    ) -> Result<(), ForwardError> {
        let (rows, rest) = logits.as_chunks_mut::<SYMBOLS>();
        assert!(
            rest.is_empty() && rows.len() == state.lanes * steps,
            "logits: {} rows of {SYMBOLS} for {} lanes of {steps} steps",
            rows.len(),
            state.lanes
        );
        assert_eq!(
            previous.len(),
            state.lanes * steps,
            "the length of `previous`"
        );
        if steps == 0 {
            return Ok(());
        }
        let share = state.group_lanes * steps;
        let work = rows.chunks_mut(share).zip(previous.chunks(share));
        state.advance(steps, work, |group, (rows, previous)| {
            group.run(
                self,
                steps,
                |lane, step| previous[lane * steps + step],
                |lane, step, logits| rows[lane * steps + step] = *logits,
            )
        })
    }

    /// Like [`Transformer::forward`], but calls `each(sink, step, logits)` on the thread
    /// that computed the logits, with the lane's element of `sinks`, `[lanes]`. Calls for
    /// one lane come in increasing step.
    ///
    /// # Errors
    /// # Panics
    /// Those of [`Transformer::forward`].
    pub fn forward_each<L: Send>(
        &self,
        state: &mut State,
        previous: &[u8],
        steps: usize,
        sinks: &mut [L],
        each: impl Fn(&mut L, usize, &[f32; SYMBOLS]) + Sync,
    ) -> Result<(), ForwardError> {
        assert_eq!(
            previous.len(),
            state.lanes * steps,
            "the length of `previous`"
        );
        assert_eq!(sinks.len(), state.lanes, "one sink for each lane");
        if steps == 0 {
            return Ok(());
        }
        let lanes = state.group_lanes;
        let work = sinks.chunks_mut(lanes).zip(previous.chunks(lanes * steps));
        state.advance(steps, work, |group, (sinks, previous)| {
            group.run(
                self,
                steps,
                |lane, step| previous[lane * steps + step],
                |lane, step, logits| each(&mut sinks[lane], step, logits),
            )
        })
    }

    /// Decodes: advances every lane by `steps` steps. Each byte follows from its logits:
    /// `each(sink, step, logits)` returns it. This is the fast way to decode, since lanes
    /// on different threads do not wait for each other.
    ///
    /// `previous`, `[lanes]`, is the last byte of every lane, and is updated. At the
    /// start of a chunk or stream it is ignored.
    ///
    /// # Errors
    /// # Panics
    /// Those of [`Transformer::forward`].
    pub fn decode<L: Send>(
        &self,
        state: &mut State,
        previous: &mut [u8],
        steps: usize,
        sinks: &mut [L],
        each: impl Fn(&mut L, usize, &[f32; SYMBOLS]) -> u8 + Sync,
    ) -> Result<(), ForwardError> {
        assert_eq!(previous.len(), state.lanes, "the length of `previous`");
        assert_eq!(sinks.len(), state.lanes, "one sink for each lane");
        let lanes = state.group_lanes;
        let work = sinks.chunks_mut(lanes).zip(previous.chunks_mut(lanes));
        state.advance(steps, work, |group, (sinks, previous)| {
            let previous = Cell::from_mut(previous).as_slice_of_cells();
            (0..steps).try_for_each(|step| {
                group.run(
                    self,
                    1,
                    |lane, _| previous[lane].get(),
                    |lane, _, logits| previous[lane].set(each(&mut sinks[lane], step, logits)),
                )
            })
        })
    }
}
