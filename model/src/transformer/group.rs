//! A few lanes with their caches and buffers: the work of one thread.

use super::finite::finite_rows;
use super::{ForwardError, Transformer};
use crate::spec::{Activation, Position, SYMBOLS, Spec};
use brevity_kernels::attention::{Attention, KvCache};
use brevity_kernels::embedding::Embedding;
use std::sync::Arc;

/// Rows (lanes times steps) that go through the layers together: enough for
/// the matrix kernels to run at full speed, few enough for the activations to
/// stay in a core's second-level cache.
pub(super) const ROWS: usize = 128;

/// Steps of a lane that go together at least, where so many are wanted: the
/// block of queries for which attention reads keys and values once.
const STEPS: usize = 16;

/// Lanes that a thread advances together, from layer to layer.
#[derive(Debug)]
pub(super) struct Group {
    lanes: usize,
    /// Steps since the start of the lanes.
    position: u64,
    /// The last bytes that the taps of the next step may see, `[lanes]` times
    /// the furthest distance; those before the start of the chunk or stream have no meaning.
    recent: Vec<u8>,
    /// Keys and values, one cache a layer.
    caches: Vec<KvCache>,
    /// Vectors of the positions that may come, if sinusoidal.
    sinusoids: Arc<[f32]>,
    buffers: Buffers,
}

/// Activations of the rows at hand; row `lane * steps + step`.
#[derive(Debug, Default)]
pub(super) struct Buffers {
    /// The bytes that taps see before the first step of each lane, then the
    /// byte before each step.
    tokens: Vec<u8>,
    /// The residual stream, `[rows, d]`.
    pub x: Vec<f32>,
    /// What a sublayer reads or what its sum is, `[rows, d]`.
    pub y: Vec<f32>,
    /// `[rows, 3 d]`
    pub qkv: Vec<f32>,
    /// `[rows, d]`
    pub attended: Vec<f32>,
    /// `[rows, hidden]`, twice as wide for SwiGLU.
    pub hidden: Vec<f32>,
    /// `[rows, hidden]` for SwiGLU, else empty.
    pub gated: Vec<f32>,
    /// `[rows, 256]`
    pub logits: Vec<f32>,
}

impl Group {
    /// Lanes at their start, with room for `steps` steps.
    pub fn new(model: &Transformer, sinusoids: &Arc<[f32]>, lanes: usize, steps: usize) -> Group {
        let spec = &model.spec;
        let attention = Attention {
            heads: spec.heads,
            head_dim: spec.head_dim(),
            rope: spec.position == Position::Rope,
            window: spec.window,
        };
        let reach = spec.reach().min(steps);
        Group {
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

    /// Back to the start.
    pub fn reset(&mut self) {
        self.position = 0;
        self.caches.iter_mut().for_each(KvCache::clear);
    }

    /// Advances every lane by `steps`, in tiles.
    ///
    /// `token(lane, step)` is the byte before each; `each(lane, step, logits)`
    /// gets what is predicted, in increasing step for each lane. Errors
    /// count lanes from the first of the group.
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

    /// Fills `buffers.logits` for `steps` further steps within one chunk.
    fn tile<'m>(
        &mut self,
        model: &'m Transformer,
        steps: usize,
        token: impl Fn(usize, usize) -> u8,
    ) -> Result<(), (&'m str, usize)> {
        // The caches count positions from the start of the chunk or stream.
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
        finite_rows(&buffers.logits, SYMBOLS).map_err(|row| (&model.output.name[..], row))
    }
}

impl Buffers {
    /// Gives every buffer the length for `rows`; allocates only beyond the
    /// largest number of rows so far.
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
