//! What a model remembers of its lanes.

use brevity_kernels::grouped::History;

/// Keys and values of independent lanes.
#[derive(Clone, Debug)]
pub struct State {
    /// `[lanes][layers]`
    lanes: Vec<Vec<History>>,
}

impl State {
    /// `lanes` lanes without a past.
    pub fn new(lanes: usize, layers: usize) -> State {
        State {
            lanes: vec![vec![History::default(); layers]; lanes],
        }
    }

    /// Number of lanes.
    pub fn lanes(&self) -> usize {
        self.lanes.len()
    }

    /// Tokens that a lane has seen.
    pub fn position(&self, lane: usize) -> usize {
        self.lanes[lane].first().map_or(0, History::len)
    }

    /// Makes a lane forget.
    pub fn reset(&mut self, lane: usize) {
        self.lanes[lane].iter_mut().for_each(History::clear);
    }

    /// Makes lane `to` remember what lane `from` does.
    pub(crate) fn copy(&mut self, from: usize, to: usize) {
        self.lanes[to] = self.lanes[from].clone();
    }

    pub(crate) fn history(&self, lane: usize, layer: usize) -> &History {
        &self.lanes[lane][layer]
    }

    pub(crate) fn history_mut(&mut self, lane: usize, layer: usize) -> &mut History {
        &mut self.lanes[lane][layer]
    }
}
