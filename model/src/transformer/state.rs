//! Many lanes in lock-step.

use super::group::Group;
use super::{ForwardError, Transformer};
use crate::spec::SYMBOLS;
use rayon::prelude::*;

/// What a [`Transformer`] remembers of its lanes: where they stand, keys and
/// values of the positions they still see, and work space, so that a step
/// allocates nothing.
///
/// Keys and values take `8 L d` bytes a lane and position, for as many
/// positions as are ever seen at once.
#[derive(Debug)]
pub struct State {
    lanes: usize,
    /// Lanes in each group but the last.
    group_lanes: usize,
    groups: Vec<Group>,
    sinusoids: Vec<f32>,
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
    /// # Panics
    /// If `lanes` or `steps` is 0.
    pub fn state_for(&self, lanes: usize, steps: usize) -> State {
        assert!(lanes > 0, "a state needs a lane");
        assert!(steps > 0, "a state needs room for a step");
        let group_lanes = lanes.div_ceil(rayon::current_num_threads()).min(GROUP);
        let groups = (0..lanes).step_by(group_lanes).map(|first| {
            let lanes = group_lanes.min(lanes - first);
            Group::new(self, lanes, steps)
        });
        State {
            lanes,
            group_lanes,
            groups: groups.collect(),
            sinusoids: self.sinusoids(steps.min(self.spec.context)),
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
        self.advance(state, previous, steps, rows, |lane, step, logits| {
            lane[step] = *logits;
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
        assert_eq!(sinks.len(), state.lanes, "sinks");
        self.advance(state, previous, steps, sinks, |sink, step, logits| {
            each(&mut sink[0], step, logits);
        })
    }

    /// Gives `each` the lane's share of `sinks`, which all lanes have alike.
    fn advance<L: Send>(
        &self,
        state: &mut State,
        previous: &[u8],
        steps: usize,
        sinks: &mut [L],
        each: impl Fn(&mut [L], usize, &[f32; SYMBOLS]) + Sync,
    ) -> Result<(), ForwardError> {
        assert_eq!(previous.len(), state.lanes * steps, "previous bytes");
        let after = state.position().saturating_add(steps as u64);
        assert!(
            after <= state.room,
            "step {after} in a state for {}",
            state.room
        );
        if let Some(failure) = &state.failure {
            return Err(failure.clone());
        }
        if steps == 0 {
            return Ok(());
        }
        let group_lanes = state.group_lanes;
        let share = sinks.len() / state.lanes;
        let sinusoids = &state.sinusoids;
        let result = state
            .groups
            .par_iter_mut()
            .zip(sinks.par_chunks_mut(group_lanes * share))
            .zip(previous.par_chunks(group_lanes * steps))
            .enumerate()
            .map(|(index, ((group, sinks), previous))| {
                let result = group.run(
                    self,
                    sinusoids,
                    steps,
                    |lane, step| previous[lane * steps + step],
                    |lane, step, logits| {
                        each(&mut sinks[lane * share..][..share], step, logits);
                    },
                );
                result.map_err(|mut error| {
                    error.lane += index * group_lanes;
                    error
                })
            })
            .reduce(|| Ok(()), Result::and);
        if let Err(error) = &result {
            state.failure = Some(error.clone());
        }
        result
    }
}
