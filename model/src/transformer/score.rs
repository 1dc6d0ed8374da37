//! Scoring: logits for known bytes.

use super::lane_group::{LaneGroup, ROWS};
use super::{ForwardError, Transformer};
use crate::spec::SYMBOLS;
use rayon::prelude::*;
use std::sync::Mutex;

impl Transformer {
    /// Computes the logits for every byte of every part. Each part is a lane that starts
    /// at position 0. Calls `each(sink, index, byte, logits)` for each byte, with the
    /// part's element of `sinks` and the byte's index in the part. Calls for one part
    /// come in increasing index; different parts may run on different threads.
    ///
    /// The logits, in nats, have the bits of [`Transformer::forward`]. This is the fast
    /// way to compute them if all bytes are known: blocks of steps go through the layers
    /// together, and the KV cache of a part stays in the cache of one core. Parts of
    /// about equal length are the fastest; in chunk mode, use `bytes.chunks(context)`.
    ///
    /// # Errors
    /// Activations that are not finite; `lane` is the index of the part.
    ///
    /// # Panics
    /// If `sinks` and `parts` differ in length.
    ///
    /// ```
    /// use brevity_model::{Spec, Transformer, Weights};
    ///
    /// let spec = Spec::aspect(16, 64);
    /// let weights = Weights::from_fn(spec, |info| vec![0.01; info.len()])?;
    /// let model = Transformer::new(&weights);
    /// // An untrained model spends eight bits on every byte.
    /// let text = b"She sells sea shells on the sea shore.";
    /// let parts: Vec<&[u8]> = text.chunks(10).collect();
    /// let mut bits = vec![0.0; parts.len()];
    /// model.score(&parts, &mut bits, |bits, _, byte, logits| {
    ///     let sum: f64 = logits.iter().map(|z| f64::from(*z).exp()).sum();
    ///     *bits += (sum.ln() - f64::from(logits[usize::from(byte)])) / 2f64.ln();
    /// })?;
    /// assert!((bits.iter().sum::<f64>() / text.len() as f64 - 8.0).abs() < 1e-6);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn score<L: Send>(
        &self,
        parts: &[&[u8]],
        sinks: &mut [L],
        each: impl Fn(&mut L, usize, u8, &[f32; SYMBOLS]) + Sync,
    ) -> Result<(), ForwardError> {
        assert_eq!(parts.len(), sinks.len(), "one sink for each part");
        let longest = parts.iter().map(|part| part.len()).max().unwrap_or(0);
        if longest == 0 {
            return Ok(());
        }
        // Short parts share a group, to fill a tile.
        let lanes = ROWS.div_ceil(longest).min(parts.len());
        let threads = rayon::current_num_threads().min(parts.len().div_ceil(lanes));
        let sinusoids = self.sinusoids(longest);
        let batches = parts.chunks(lanes).zip(sinks.chunks_mut(lanes)).enumerate();
        let batches = Mutex::new(batches);
        let run = |_| -> Result<(), ForwardError> {
            let mut group = LaneGroup::new(self, &sinusoids, lanes, longest);
            loop {
                let next = batches.lock().expect("no panic while locked").next();
                let Some((index, (parts, sinks))) = next else {
                    return Ok(());
                };
                let steps = parts.iter().map(|part| part.len()).max().unwrap_or(0);
                // Lanes without a part, or beyond the end of theirs, are padded.
                let byte = |lane: usize, step: usize| parts.get(lane)?.get(step).copied();
                group.reset();
                let predicted = |lane: usize, step: usize, logits: &[f32; SYMBOLS]| {
                    if let Some(byte) = byte(lane, step) {
                        each(&mut sinks[lane], step, byte, logits);
                    }
                };
                group
                    .run(
                        self,
                        steps,
                        |lane, step| step.checked_sub(1).and_then(|s| byte(lane, s)).unwrap_or(0),
                        predicted,
                    )
                    .map_err(|mut error| {
                        error.lane += index * lanes;
                        error
                    })?;
            }
        };
        (0..threads)
            .into_par_iter()
            .map(run)
            .reduce(|| Ok(()), Result::and)
    }
}
