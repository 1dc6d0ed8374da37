//! The forward pass: one for all families.
//!
//! Tokens come in pieces, each the next tokens of one lane. Every operation
//! computes a row from that row alone, and attention from the lane's history, in
//! one fixed order, so a hidden state is a function of the weights and of the
//! tokens before it in its lane: the same bits for whole chunks and token by token,
//! for any company in the batch, on any CPU and number of threads.

use crate::model::Model;
use crate::spec::{Norm, Placement, Positions};
use crate::state::State;
use crate::weights::{Gains, Layer, Linear, Matrix};
use brevity_kernels::elementwise::{gate, soft_cap};
use brevity_kernels::gemm::stored;
use brevity_kernels::grouped::{Asking, Grouped};
use brevity_kernels::integer::{Rounded, product};
use brevity_kernels::norm::{layer_norm, rms_norm};
use brevity_kernels::phases::Rotary;
use rayon::prelude::*;

/// The next tokens of a lane.
#[derive(Clone, Copy, Debug)]
pub struct Piece<'a> {
    /// The lane.
    pub lane: usize,
    /// Its next tokens.
    pub ids: &'a [u32],
}

/// Cosines and sines of a row.
type Table = Vec<(f32, f32)>;

impl Model {
    /// Advances lanes; the hidden states after the last norm, `[rows, width]`, the
    /// rows being the tokens of all pieces in order.
    ///
    /// # Panics
    /// If a lane or token does not exist, two pieces are of the same lane, or a lane
    /// goes beyond the model's context.
    pub fn hidden(&self, state: &mut State, pieces: &[Piece]) -> Vec<f32> {
        let (spec, width) = (self.spec(), self.spec().width);
        let ids: Vec<u32> = pieces.iter().flat_map(|p| p.ids.iter().copied()).collect();
        let mut positions = Vec::with_capacity(ids.len());
        for piece in pieces {
            let start = state.position(piece.lane);
            let end = start + piece.ids.len();
            assert!(
                end <= spec.context,
                "beyond the context of {}",
                spec.context
            );
            positions.extend(start as u64..end as u64);
        }
        let mut x = self.embed(&ids, &positions);
        let tables = |rotary: &Rotary| -> Vec<Table> {
            positions.par_iter().map(|&p| rotary.table(p)).collect()
        };
        let (global, local) = match &spec.positions {
            Positions::Learned => (Vec::new(), Vec::new()),
            Positions::Rotary { global, local } if global == local => (tables(global), Vec::new()),
            Positions::Rotary { global, local } => (tables(global), tables(local)),
        };
        let mut pass = Pass {
            model: self,
            state,
            pieces,
            rows: ids.len(),
            buffers: Default::default(),
        };
        for (i, layer) in self.weights().layers.iter().enumerate() {
            let is_local = spec.windows[i].is_some() && !local.is_empty();
            pass.layer(i, layer, if is_local { &local } else { &global }, &mut x);
        }
        let mut out = vec![0.0; ids.len() * width];
        self.normalise(&self.weights().last_norm, &x, &mut out);
        out
    }

    /// Logits of hidden states, `[rows, vocabulary]`.
    ///
    /// # Panics
    /// If a length does not fit.
    pub fn logits(&self, hidden: &[f32], out: &mut [f32]) {
        let weights = self.weights();
        let mut rounded = Rounded::default();
        let (matrix, bias) = match &weights.output {
            Some(output) => (&output.matrix, output.bias.as_deref()),
            None => (&weights.embedding, None),
        };
        let input = Input::new(self, hidden, &[matrix], &mut rounded);
        input.times(matrix, bias, out);
        if let Some(cap) = self.spec().logit_cap {
            soft_cap(cap, out);
        }
    }

    /// Advances lanes by some tokens each; the logits of what comes next in each,
    /// `[pieces, vocabulary]`.
    ///
    /// # Panics
    /// As [`hidden`](Self::hidden); if a piece has no tokens.
    pub fn next_logits(&self, state: &mut State, pieces: &[Piece]) -> Vec<f32> {
        if pieces.is_empty() {
            return Vec::new();
        }
        let (width, vocabulary) = (self.spec().width, self.spec().vocabulary);
        let hidden = self.hidden(state, pieces);
        let mut last = Vec::with_capacity(pieces.len() * width);
        let mut rows = 0;
        for piece in pieces {
            rows += piece.ids.len();
            last.extend_from_slice(&hidden[(rows - 1) * width..rows * width]);
        }
        let mut logits = vec![0.0; pieces.len() * vocabulary];
        self.logits(&last, &mut logits);
        logits
    }

    /// Embeddings of tokens, with those of their positions if they are learned.
    fn embed(&self, ids: &[u32], positions: &[u64]) -> Vec<f32> {
        let (spec, width) = (self.spec(), self.spec().width);
        let table = self.weights().embedding.stored();
        let mut x = vec![0.0; ids.len() * width];
        for (&id, row) in ids.iter().zip(x.chunks_exact_mut(width)) {
            table.decode_rows(id as usize..id as usize + 1, row);
            if spec.embedding_scale != 1.0 {
                row.iter_mut().for_each(|x| *x *= spec.embedding_scale);
            }
        }
        if let Some(table) = &self.weights().positions {
            let mut vector = vec![0.0; width];
            for (&p, row) in positions.iter().zip(x.chunks_exact_mut(width)) {
                table
                    .stored()
                    .decode_rows(p as usize..p as usize + 1, &mut vector);
                add(row, &vector);
            }
        }
        x
    }

    /// Rows of as many values as there are gains.
    fn normalise(&self, gains: &Gains, x: &[f32], y: &mut [f32]) {
        let epsilon = self.spec().epsilon;
        match &gains.bias {
            None => rms_norm(x, &gains.gain, epsilon, y, None),
            Some(bias) => layer_norm(x, &gains.gain, bias, epsilon, y, None),
        }
    }
}

/// Buffers that all layers use.
#[derive(Default)]
struct Buffers {
    normed: Vec<f32>,
    query: Vec<f32>,
    key: Vec<f32>,
    value: Vec<f32>,
    attended: Vec<f32>,
    part: Vec<f32>,
    other: Vec<f32>,
    gate: Vec<f32>,
    up: Vec<f32>,
    rounded: Rounded,
}

/// One forward pass.
struct Pass<'a> {
    model: &'a Model,
    state: &'a mut State,
    pieces: &'a [Piece<'a>],
    rows: usize,
    buffers: Buffers,
}

impl Pass<'_> {
    fn layer(&mut self, i: usize, layer: &Layer, tables: &[Table], x: &mut [f32]) {
        let (model, spec, rows) = (self.model, self.model.spec(), self.rows);
        let b = &mut self.buffers;
        let input = before(model, &layer.attention_norm, x, &mut b.normed);
        let readers = [&layer.query, &layer.key, &layer.value].map(|l| &l.matrix);
        let input = Input::new(model, input, &readers, &mut b.rounded);
        input.through(&layer.query, &mut b.query);
        input.through(&layer.key, &mut b.key);
        input.through(&layer.value, &mut b.value);
        let dim = spec.head_dim;
        for (norm, heads) in [
            (&layer.query_norm, &mut b.query),
            (&layer.key_norm, &mut b.key),
        ] {
            if let Some(norm) = norm {
                b.part.clear();
                b.part.extend_from_slice(heads);
                self.model.normalise(norm, &b.part, heads);
            }
            if let Positions::Rotary { global, .. } = &spec.positions {
                let width = heads.len() / rows;
                for (row, table) in heads.chunks_exact_mut(width).zip(tables) {
                    for head in row.chunks_exact_mut(dim) {
                        // Which pairs belong together is the same for both bases.
                        global.turn(table, head);
                    }
                }
            }
        }
        self.attend(i);
        let b = &mut self.buffers;
        let input = Input::new(model, &b.attended, &[&layer.out.matrix], &mut b.rounded);
        input.through(&layer.out, &mut b.part);
        after(model, &layer.attention_after, &mut b.part, &mut b.other);
        // The feed-forward layer reads the block's input, or what attention made
        // of it.
        if !spec.parallel {
            add(x, &b.part);
        }
        let input = before(model, &layer.hidden_norm, x, &mut b.normed);
        let gate_or_up = layer.gate.as_ref().unwrap_or(&layer.up);
        let readers = [&layer.up.matrix, &gate_or_up.matrix];
        let input = Input::new(model, input, &readers, &mut b.rounded);
        input.through(&layer.up, &mut b.up);
        match &layer.gate {
            Some(linear) => {
                input.through(linear, &mut b.gate);
                gate(spec.activation, &mut b.gate, Some(&b.up));
            }
            None => {
                gate(spec.activation, &mut b.up, None);
                std::mem::swap(&mut b.gate, &mut b.up);
            }
        }
        if spec.parallel {
            add(x, &b.part);
        }
        let input = Input::new(model, &b.gate, &[&layer.down.matrix], &mut b.rounded);
        input.through(&layer.down, &mut b.part);
        after(model, &layer.hidden_after, &mut b.part, &mut b.other);
        add(x, &b.part);
        debug_assert!(spec.norm == Norm::Rms || spec.placement == Placement::Before);
    }

    fn attend(&mut self, i: usize) {
        let spec = self.model.spec();
        let shape = Grouped {
            heads: spec.heads,
            kv_heads: spec.kv_heads,
            head_dim: spec.head_dim,
            window: spec.windows[i],
            scale: spec.attention_scale,
            cap: spec.attention_cap,
        };
        let b = &mut self.buffers;
        let (width, kv_width) = (shape.width(), shape.kv_width());
        b.attended.resize(self.rows * width, 0.0);
        let mut row = 0;
        for piece in self.pieces {
            let kv = row * kv_width..(row + piece.ids.len()) * kv_width;
            let history = self.state.history_mut(piece.lane, i);
            history.push(&shape, &b.key[kv.clone()], &b.value[kv]);
            row += piece.ids.len();
        }
        let (mut queries, mut rest) = (&b.query[..], &mut b.attended[..]);
        let mut streams = Vec::with_capacity(self.pieces.len());
        for piece in self.pieces {
            let len = piece.ids.len() * width;
            let (mine, others) = queries.split_at(len);
            let (out, places) = rest.split_at_mut(len);
            streams.push(Asking {
                history: self.state.history(piece.lane, i),
                queries: mine,
                out,
            });
            (queries, rest) = (others, places);
        }
        shape.attend(&mut streams);
    }
}

/// What a part of a block reads: `x`, normalised if the part has a norm before it.
fn before<'a>(
    model: &Model,
    norm: &Option<Gains>,
    x: &'a [f32],
    normed: &'a mut Vec<f32>,
) -> &'a [f32] {
    match norm {
        None => x,
        Some(norm) => {
            normed.resize(x.len(), 0.0);
            model.normalise(norm, x, normed);
            normed
        }
    }
}

/// Normalises what a part of a block made, if it has a norm after it.
fn after(model: &Model, norm: &Option<Gains>, x: &mut [f32], copy: &mut Vec<f32>) {
    if let Some(norm) = norm {
        copy.clear();
        copy.extend_from_slice(x);
        model.normalise(norm, copy, x);
    }
}

/// What layers read: rows of values, and the same rounded if one of them multiplies
/// integers.
struct Input<'a> {
    values: &'a [f32],
    rounded: Option<&'a Rounded>,
}

impl<'a> Input<'a> {
    /// For layers with these matrices, all of as many inputs.
    fn new(
        model: &Model,
        values: &'a [f32],
        readers: &[&Matrix],
        rounded: &'a mut Rounded,
    ) -> Input<'a> {
        let integers = |matrix: &&Matrix| matrix.format().has_integers();
        if model.is_exact() || !readers.iter().any(integers) {
            let rounded = None;
            return Input { values, rounded };
        }
        rounded.set(values, readers[0].cols());
        Input {
            values,
            rounded: Some(rounded),
        }
    }

    /// Through a layer, into a buffer.
    fn through(&self, layer: &Linear, out: &mut Vec<f32>) {
        let rows = self.values.len() / layer.matrix.cols();
        out.resize(rows * layer.matrix.rows(), 0.0);
        self.times(&layer.matrix, layer.bias.as_deref(), out);
    }

    /// Times a matrix, plus a bias.
    fn times(&self, matrix: &Matrix, bias: Option<&[f32]>, out: &mut [f32]) {
        match self.rounded {
            Some(rounded) if matrix.format().has_integers() => {
                product(rounded, &matrix.stored(), out);
            }
            _ => stored(self.values, &matrix.stored(), out),
        }
        if let Some(bias) = bias {
            for row in out.chunks_exact_mut(bias.len()) {
                add(row, bias);
            }
        }
    }
}

/// `x = x + y`, value by value.
fn add(x: &mut [f32], y: &[f32]) {
    for (x, y) in x.iter_mut().zip(y) {
        *x += y;
    }
}
