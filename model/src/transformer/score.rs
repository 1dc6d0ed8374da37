//! Whole byte sets.

use super::group::{Group, ROWS};
use super::{ForwardError, Transformer};
use crate::spec::SYMBOLS;
use rayon::prelude::*;
use std::sync::Mutex;

impl Transformer {
    /// Predicts every byte of every part, each part as a lane of its own from
    /// the start, and calls `each(sink, index, byte, logits)` for it: with the
    /// part's element of `sinks`, in increasing index within the part, on many
    /// threads.
    ///
    /// The logits are those of [`Transformer::forward`] to the last bit. This
    /// is the fast way to get them where all bytes are known: blocks of steps
    /// go through the layers together, and a part's keys and values stay close
    /// to the core that works on it. Parts of about equal length go best. In
    /// chunk mode, `bytes.chunks(context)` are good parts.
    ///
    /// # Errors
    /// Activations that are not finite, naming the part as lane.
    ///
    /// # Panics
    /// If there are not as many sinks as parts.
    ///
    /// ```
    /// use brevity_model::{Spec, Transformer, Weights};
    ///
    /// let spec = Spec::aspect(16, 64);
    /// let weights = Weights::from_fn(spec, |info| vec![0.01; info.len()])?;
    /// let model = Transformer::new(&weights);
    /// // A model that has learned nothing prices every byte at eight bits.
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
        assert_eq!(parts.len(), sinks.len(), "a sink for each part");
        let longest = parts.iter().map(|part| part.len()).max().unwrap_or(0);
        if longest == 0 {
            return Ok(());
        }
        // Short parts go together, so that a tile is full.
        let lanes = ROWS.div_ceil(longest).min(parts.len());
        let threads = rayon::current_num_threads().min(parts.len().div_ceil(lanes));
        let sinusoids = self.sinusoids(longest);
        let batches = parts.chunks(lanes).zip(sinks.chunks_mut(lanes)).enumerate();
        let batches = Mutex::new(batches);
        let run = |_| -> Result<(), ForwardError> {
            let mut group = Group::new(self, &sinusoids, lanes, longest);
            loop {
                let next = batches.lock().expect("no panic while locked").next();
                let Some((index, (parts, sinks))) = next else {
                    return Ok(());
                };
                let steps = parts.iter().map(|part| part.len()).max().unwrap_or(0);
                // Lanes without a part, or at the end of theirs, are padded.
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
