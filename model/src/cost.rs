//! The cost of a model: FLOPs for each byte, and the size of the KV cache.

use crate::spec::{SYMBOLS, Spec};

impl Spec {
    /// Number of parameters that multiply activations for each byte: the matrices of
    /// the blocks and the output matrix (the embedding if tied). The look-up of an
    /// embedding row is not a multiplication.
    pub fn matrix_parameters(&self) -> u64 {
        let [d, hidden] = [self.width as u64, self.hidden as u64];
        let block = 4 * d * d + d * self.up_width() as u64 + hidden * d;
        self.layers as u64 * block + d * SYMBOLS as u64
    }

    /// Maximum size of a lane's KV cache in bytes: `8 L d reach`. Each step of a lane
    /// reads all of it, so decoding is fast as long as the caches of all lanes fit into
    /// the CPU's last-level cache.
    pub fn kv_cache_bytes(&self) -> u64 {
        8 * (self.layers * self.width) as u64 * self.reach() as u64
    }

    /// Number of keys that a query attends to, averaged over the positions of a
    /// training sequence of `context` bytes.
    pub fn mean_keys(&self) -> f64 {
        let [context, reach] = [self.context as f64, self.reach() as f64];
        // The first `reach` queries see 1, 2, ..., reach keys; the others see reach.
        reach - reach * (reach - 1.0) / (2.0 * context)
    }

    /// FLOPs to train on one byte, forward and backward: `6 M + 12 L d K` for `M`
    /// [matrix parameters](Spec::matrix_parameters) and `K`
    /// [mean keys](Spec::mean_keys). A multiply-add counts as two, the backward pass as
    /// two forward passes; norms, activations and softmax are not counted (Kaplan et
    /// al. 2020, section 2.1).
    pub fn flops_per_byte(&self) -> f64 {
        3.0 * self.forward_flops_per_byte(self.mean_keys())
    }

    /// FLOPs to predict one byte whose query attends to `keys` positions:
    /// `2 M + 4 L d keys`. Use [`Spec::reach`] keys for a stream in steady state and
    /// [`Spec::mean_keys`] for chunks.
    pub fn forward_flops_per_byte(&self, keys: f64) -> f64 {
        2.0 * self.matrix_parameters() as f64 + 4.0 * (self.layers * self.width) as f64 * keys
    }
}
