//! A group of lanes with its KV caches and activation buffers: the work of one thread.

use super::finite_check::check_finite;
use super::{ForwardError, Transformer};
use crate::spec::{Activation, Position, SYMBOLS, Spec};
use brevity_kernels::attention::{Attention, KvCache};
use brevity_kernels::embedding::Embedding;
use std::sync::Arc;

/// Rows (lanes times steps) that pass through the layers together: enough for matrix
/// products at full speed, and few enough that the activations fit into a core's
/// second-level cache.
pub(super) const ROWS: usize = 128;

/// The fewest steps of a lane that are computed together, if that many are left.
/// Attention reads keys and values once for a block of this many queries.
const STEPS: usize = 16;

/// Lanes that one thread advances together, layer by layer.
#[derive(Debug)]
pub(super) struct LaneGroup {
    lanes: usize,
    /// Number of steps since the start.
    position: u64,
    /// The last bytes, which the taps of the next step see: `[lanes, furthest tap]`.
    /// Bytes before the start of the chunk or stream are undefined.
    recent: Vec<u8>,
    /// One KV cache for each layer.
    caches: Vec<KvCache>,
    /// Sinusoidal position vectors, `[positions, d]`; else empty.
    sinusoids: Arc<[f32]>,
    buffers: Buffers,
}

/// Activations of the current rows; the row of a lane and a step is
/// `lane * steps + step`.
#[derive(Debug, Default)]
pub(super) struct Buffers {
    /// For each lane the earlier bytes that the taps see, then the input byte of each
    /// step.
    tokens: Vec<u8>,
    /// The residual stream, `[rows, d]`.
    pub x: Vec<f32>,
    /// The input of a sublayer, then the residual sum after it, `[rows, d]`.
    pub y: Vec<f32>,
    /// Queries, keys and values, `[rows, 3 d]`.
    pub qkv: Vec<f32>,
    /// The output of attention before its projection, `[rows, d]`.
    pub attended: Vec<f32>,
    /// The output of the up projection, `[rows, hidden]`; twice as wide for SwiGLU.
    pub hidden: Vec<f32>,
    /// The output of SwiGLU, `[rows, hidden]`; empty for other activations.
    pub gated: Vec<f32>,
    /// The logits, `[rows, 256]`.
    pub logits: Vec<f32>,
}

impl LaneGroup {
    /// Lanes at position 0, for at most `steps` steps.
    pub fn new(
        model: &Transformer,
        sinusoids: &Arc<[f32]>,
        lanes: usize,
        steps: usize,
    ) -> LaneGroup {
        let spec = &model.spec;
        let attention = Attention {
            heads: spec.heads,
            head_dim: spec.head_dim(),
            rope: spec.position == Position::Rope,
            window: spec.window,
        };
        let reach = spec.reach().min(steps);
        LaneGroup {
            lanes,
            position: 0,
            recent: vec![0; lanes * model.furthest_tap()],
            caches: vec![KvCache::new(attention, lanes, reach); spec.layers],
            sinusoids: sinusoids.clone(),
            buffers: Buffers::default(),
        }
    }

    pub fn position(&self) -> u64 {
        self.position
    }

    /// Returns to position 0.
    pub fn reset(&mut self) {
        self.position = 0;
        self.caches.iter_mut().for_each(KvCache::clear);
    }

    /// Advances every lane by `steps` steps, in tiles of about [`ROWS`] rows.
    ///
    /// `token(lane, step)` is the input byte; `each(lane, step, logits)` receives the
    /// logits, for each lane in increasing step. Errors count lanes from the first of
    /// the group.
    pub fn run(
        &mut self,
        model: &Transformer,
        steps: usize,
        token: impl Fn(usize, usize) -> u8,
        mut each: impl FnMut(usize, usize, &[f32; SYMBOLS]),
    ) -> Result<(), ForwardError> {
        let most = (ROWS / self.lanes).max(STEPS);
        let mut done = 0;
        while done < steps {
            let tile = match model.spec.window {
                Some(_) => most.min(steps - done),
                None => {
                    let in_chunk = (self.position % model.spec.context as u64) as usize;
                    if in_chunk == 0 {
                        self.caches.iter_mut().for_each(KvCache::clear);
                    }
                    most.min(steps - done).min(model.spec.context - in_chunk)
                }
            };
            let token = |lane, step| token(lane, done + step);
            self.tile(model, tile, token)
                .map_err(|(tensor, row)| ForwardError {
                    tensor: tensor.into(),
                    lane: row / tile,
                    position: self.position + (row % tile) as u64,
                })?;
            let (logits, _) = self.buffers.logits.as_chunks::<SYMBOLS>();
            for (row, logits) in logits[..self.lanes * tile].iter().enumerate() {
                each(row / tile, done + row % tile, logits);
            }
            self.position += tile as u64;
            done += tile;
        }
        Ok(())
    }

    /// Computes `buffers.logits` for the next `steps` steps, which lie within one chunk.
    fn tile<'m>(
        &mut self,
        model: &'m Transformer,
        steps: usize,
        token: impl Fn(usize, usize) -> u8,
    ) -> Result<(), (&'m str, usize)> {
        // The KV caches count positions from the start of the chunk or stream.
        let start = self.caches[0].position();
        let buffers = &mut self.buffers;
        buffers.resize(&model.spec, self.lanes * steps);

        let furthest = model.furthest_tap();
        let before = furthest.min(start as usize);
        buffers.tokens.resize(self.lanes * (before + steps), 0);
        let lanes = buffers.tokens.chunks_exact_mut(before + steps);
        for (lane, tokens) in lanes.enumerate() {
            let recent = &mut self.recent[lane * furthest..][..furthest];
            tokens[..before].copy_from_slice(&recent[furthest - before..]);
            for (step, to) in tokens[before..].iter_mut().enumerate() {
                let first = start == 0 && step == 0;
                *to = if first { 0 } else { token(lane, step) };
            }
            let last = furthest.min(tokens.len());
            recent[furthest - last..].copy_from_slice(&tokens[tokens.len() - last..]);
        }
        let d = model.spec.width;
        let positions = match &model.positions {
            Some(learned) => &learned[..],
            None => &self.sinusoids[..],
        };
        let embedding = Embedding {
            table: &model.embedding,
            width: d,
            scale: model.embedding_scale,
            taps: &model.taps,
            distances: &model.distances,
            length: steps,
            before,
        };
        embedding.forward(
            &buffers.tokens,
            (!positions.is_empty()).then(|| &positions[start as usize * d..][..steps * d]),
            &mut buffers.x,
        );

        for (block, cache) in model.blocks.iter().zip(&mut self.caches) {
            block.forward(cache, steps, buffers)?;
        }
        if let Some(norm) = &model.final_norm {
            norm.forward(&buffers.x, &mut buffers.y);
            std::mem::swap(&mut buffers.x, &mut buffers.y);
        }
        model
            .output
            .forward(&buffers.x, None, None, &mut buffers.logits);
        check_finite(&buffers.logits, SYMBOLS).map_err(|row| (&model.output.name[..], row))
    }
}

impl Buffers {
    /// Resizes every buffer to `rows` rows. Allocates only for more rows than ever
    /// before.
    fn resize(&mut self, spec: &Spec, rows: usize) {
        let gated = match spec.activation {
            Activation::Swiglu => spec.hidden,
            _ => 0,
        };
        for (buffer, width) in [
            (&mut self.x, spec.width),
            (&mut self.y, spec.width),
            (&mut self.qkv, 3 * spec.width),
            (&mut self.attended, spec.width),
            (&mut self.hidden, spec.up_width()),
            (&mut self.gated, gated),
            (&mut self.logits, SYMBOLS),
        ] {
            buffer.resize(rows * width, 0.0);
        }
    }
}
