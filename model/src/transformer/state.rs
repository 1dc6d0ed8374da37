//! Many lanes in lock-step.

use super::group::Group;
use super::{ForwardError, Transformer};
use crate::spec::SYMBOLS;
use brevity_kernels::threads;
use rayon::prelude::*;
use std::cell::Cell;

/// What a [`Transformer`] remembers of its lanes: where they stand, keys and
/// values of the positions they still see, and work space, so that a step
/// allocates next to nothing.
///
/// Keys and values take `8 L d` bytes a lane and position, for as many
/// positions as are ever seen at once.
#[derive(Debug)]
pub struct State {
    lanes: usize,
    /// Lanes in each group but the last.
    group_lanes: usize,
    groups: Vec<Group>,
    /// Steps that the caches are made for.
    room: u64,
    failure: Option<ForwardError>,
}

/// The most lanes that a thread advances together. Matrices are read once for
/// all of them, so more lanes use the caches better, up to here.
const GROUP: usize = 32;

impl State {
    /// Number of lanes.
    pub fn lanes(&self) -> usize {
        self.lanes
    }

    /// Steps taken since the start, the same in every lane.
    pub fn position(&self) -> u64 {
        self.groups[0].position()
    }

    /// Back to the start of all lanes, ready for other bytes.
    pub fn reset(&mut self) {
        self.groups.iter_mut().for_each(Group::reset);
        self.failure = None;
    }

    /// Runs every group, each with its item of `work`, for `steps` steps.
    fn advance<W: Send>(
        &mut self,
        steps: usize,
        work: impl Iterator<Item = W>,
        run: impl Fn(&mut Group, W) -> Result<(), ForwardError> + Sync,
    ) -> Result<(), ForwardError> {
        let after = self.position().saturating_add(steps as u64);
        assert!(
            after <= self.room,
            "step {after} in a state for {}",
            self.room
        );
        if let Some(failure) = &self.failure {
            return Err(failure.clone());
        }
        let lanes = self.group_lanes;
        let run = |(index, (group, work)): (usize, (&mut Group, W))| {
            run(group, work).map_err(|mut error| {
                error.lane += index * lanes;
                error
            })
        };
        let alone = self.groups.len() == 1;
        let mut work = self.groups.iter_mut().zip(work).enumerate();
        let result = match alone {
            // No pool is asked, so that the caller's thread goes on at once.
            true => work.try_for_each(run),
            // Every group runs on; the error of the first lane counts.
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
    /// `lanes` independent streams at their start.
    ///
    /// # Panics
    /// If `lanes` is 0.
    pub fn state(&self, lanes: usize) -> State {
        self.state_for(lanes, usize::MAX)
    }

    /// As [`Transformer::state`], for lanes that take at most `steps` steps:
    /// memory is then bounded by what is coded, whatever the spec claims.
    ///
    /// Made inside [`threads::alone`], it is the work of one thread.
    ///
    /// # Panics
    /// If `lanes` or `steps` is 0.
    pub fn state_for(&self, lanes: usize, steps: usize) -> State {
        assert!(lanes > 0, "a state needs a lane");
        assert!(steps > 0, "a state needs room for a step");
        let group_lanes = lanes.div_ceil(threads::current()).min(GROUP);
        let sinusoids = self.sinusoids(steps);
        let groups = (0..lanes).step_by(group_lanes).map(|first| {
            let lanes = group_lanes.min(lanes - first);
            Group::new(self, &sinusoids, lanes, steps)
        });
        State {
            lanes,
            group_lanes,
            groups: groups.collect(),
            room: steps as u64,
            failure: None,
        }
    }

    /// Advances every lane by `steps` and gives the logits before each.
    ///
    /// - `previous`: `[lanes, steps]`, the byte before the predicted one. The
    ///   first of a chunk or stream has none; what stands there is ignored and
    ///   taken as 0.
    /// - `logits`: `[lanes, steps, 256]`, overwritten, in nats up to a constant
    ///   a row.
    ///
    /// # Errors
    /// Activations that are not finite. The state is then spoilt: every
    /// further call gives the same error, until [`State::reset`].
    ///
    /// # Panics
    /// If a length does not fit, or the state has no room for so many steps.
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
        assert_eq!(previous.len(), state.lanes * steps, "previous bytes");
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

    /// As [`Transformer::forward`], but gives the logits to
    /// `each(sink, step, logits)` where they were computed, on many threads:
    /// for one lane in increasing step, with the lane's element of `sinks`.
    ///
    /// # Errors
    /// # Panics
    /// As [`Transformer::forward`].
    pub fn forward_each<L: Send>(
        &self,
        state: &mut State,
        previous: &[u8],
        steps: usize,
        sinks: &mut [L],
        each: impl Fn(&mut L, usize, &[f32; SYMBOLS]) + Sync,
    ) -> Result<(), ForwardError> {
        assert_eq!(previous.len(), state.lanes * steps, "previous bytes");
        assert_eq!(sinks.len(), state.lanes, "sinks");
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

    /// Advances every lane by `steps` where a byte is known only once its
    /// logits are: `each(sink, step, logits)` returns it. This is the fast way
    /// to decode, since lanes on different threads need not wait for each
    /// other.
    ///
    /// `previous`, `[lanes]`, holds the last byte of every lane, before and
    /// after; at the start of a chunk or stream it is not looked at.
    ///
    /// # Errors
    /// # Panics
    /// As [`Transformer::forward`].
    pub fn decode<L: Send>(
        &self,
        state: &mut State,
        previous: &mut [u8],
        steps: usize,
        sinks: &mut [L],
        each: impl Fn(&mut L, usize, &[f32; SYMBOLS]) -> u8 + Sync,
    ) -> Result<(), ForwardError> {
        assert_eq!(previous.len(), state.lanes, "previous bytes");
        assert_eq!(sinks.len(), state.lanes, "sinks");
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
