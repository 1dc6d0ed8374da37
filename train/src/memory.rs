//! The memory that training asks for, from spec and config alone.
//!
//! One count for runs and for models that learn while they code: parameters with their
//! gradient and moments, and what a step keeps for its backward pass. Sums that leave 64
//! bits stay at the largest number. `tests/memory.rs` compares with what the allocator
//! sees.

use crate::online::{OnlineConfig, Recipe};
use crate::permutation::LISTED;
use crate::recipe::TrainConfig;
use brevity_codec::Layout;
use brevity_model::{Activation, Spec};

const FLOAT: u128 = 4;

/// What a run takes beside what is counted: tables, logs, stacks of tasks.
const SMALL: u128 = 8 << 20;

fn n(x: usize) -> u128 {
    x as u128
}

fn clamp(bytes: u128) -> u64 {
    u64::try_from(bytes).unwrap_or(u64::MAX)
}

/// Values kept of a step on `rows` bytes: for the backward pass of every sublayer its
/// input, its norm, both ends of its middle; the logits; and the gradients of what is
/// differentiated at the moment.
fn step(spec: &Spec, rows: u128, dropout: bool) -> u128 {
    let (d, hidden) = (n(spec.width), n(spec.hidden));
    let up = match spec.activation {
        Activation::Swiglu => 2 * hidden,
        _ => hidden,
    };
    let attention = 6 * d + 2 * n(spec.heads) + 2;
    let mlp = 2 * d + up + hidden + 2;
    let masks = if dropout { 2 * d } else { 0 };
    let layers = n(spec.layers) * (attention + mlp + masks);
    let head = 3 * 256 + 6 * d;
    // Of a sublayer: gradients of its input, its middle, its output.
    let backward = (8 * d).max(2 * (up + hidden) + 4 * d);
    rows * (layers + head + backward)
}

/// Values kept for each parameter: the parameter, two moments, an average, the gradient;
/// the tensors of a pass, packed, and their gradients.
fn parameters(spec: &Spec) -> u128 {
    10 * u128::from(spec.parameters())
}

/// Bytes of memory of this machine, or what the group of this process may use of them;
/// `None` where the system does not say.
pub fn machine_memory() -> Option<u64> {
    let read = |path: &str| std::fs::read_to_string(path).ok();
    let all = read("/proc/meminfo").and_then(|text| {
        let line = text
            .lines()
            .find_map(|line| line.strip_prefix("MemTotal:"))?;
        let kib: u64 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
        Some(1024 * kib)
    });
    let group = read("/sys/fs/cgroup/memory.max").and_then(|text| text.trim().parse().ok());
    match (all, group) {
        (Some(all), Some(group)) => Some(all.min(group)),
        (all, group) => all.or(group),
    }
}

impl TrainConfig {
    /// Bytes of memory that a training run takes at most, with `data_bytes` bytes to
    /// learn in memory.
    pub fn memory(&self, spec: &Spec, data_bytes: u64) -> u64 {
        // A step has no more sequences than it is asked for, and no fewer than one.
        let sequences = u128::from(self.batch_sequences(spec) / self.accumulation).max(1);
        let rows = sequences * n(spec.context);
        let quantised = match self.quantise.share > 0.0 {
            true => 4 * u128::from(spec.parameters()),
            false => 0,
        };
        let values = step(spec, rows, self.dropout > 0.0) + parameters(spec) + quantised;
        // The order of sequences is drawn anew in each epoch.
        let order = 8 * (u128::from(data_bytes) / n(spec.context)).min(u128::from(LISTED));
        clamp(FLOAT * values + 2 * rows + order + u128::from(data_bytes) + SMALL)
    }
}

impl Recipe {
    /// Bytes of memory that a learner takes at most for a block with this layout.
    pub fn memory(&self, layout: &Layout) -> u64 {
        let spec = self.spec();
        let OnlineConfig { batch_bytes, .. } = *self.online();
        let (lanes, context) = (n(layout.lanes()), n(spec.context));
        let length = context.min(n(layout.steps()).max(1));
        // Buffers of both kinds of step are kept for the next.
        let newest = lanes * length;
        let replay = (u128::from(batch_bytes) / length).max(1) * length;
        let dropout = self.train().dropout > 0.0;
        let values = step(spec, newest, dropout) + step(spec, replay, dropout) + parameters(spec);
        // The frozen model that prices, and its state; it is made of a copy.
        let threads = rayon::current_num_threads();
        let pricing = u128::from(spec.weights_memory())
            + 2 * u128::from(spec.transformer_memory())
            + u128::from(spec.state_memory(layout.lanes(), spec.context, threads));
        // All bytes so far in vectors that grow, and what is open in each lane.
        let bytes = 4 * lanes * n(layout.steps()) + 4 * newest + lanes * 8192;
        // Beside context models: eight logits of each byte in vectors that grow, and of
        // each row of a step; its gates; a second gradient of the logits.
        let beside = match self.is_beside_contexts() {
            true => FLOAT * (4 * 8 * lanes * n(layout.steps()) + (newest + replay) * (256 + 64)),
            false => 0,
        };
        clamp(FLOAT * values + pricing + bytes + beside + SMALL)
    }

    /// Floating-point operations of learning a block with this layout, at most: a
    /// forward pass is a third of a step.
    pub fn operations(&self, layout: &Layout) -> f64 {
        let bytes = layout.lanes() as f64 * layout.steps() as f64;
        let online = self.online();
        // The first windows are shorter than the others: an eighth, and doubling.
        let windows = layout.steps() as f64 / f64::from(online.window) + 8.0;
        let whole = windows * f64::from(online.window) * f64::from(online.lanes);
        let trained = online.training_bytes(self.spec(), whole.max(bytes) as u64);
        trained * self.spec().flops_per_byte()
    }
}
