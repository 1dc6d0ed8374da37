//! Context models with what a trained model says: either is one more input of their
//! mixer, or a gate behind them.
//!
//! With a gate, the context models code as if they were alone, and leave a logit for each
//! bit; so what they say can be known before there is a trained model
//! ([`Contexts`](crate::Contexts)).

use crate::cdf::TOTAL;
use crate::cm::{Advice, BitCoder, ByteCoder, Gate, Gates, Logistic, Mixture, Models, Place};
use crate::coder::NoAdvice;
use crate::said::{Recorder, Said};

/// Context models, and the gate behind them if there is one.
pub struct Mixing {
    mixture: Mixture,
    gate: Option<Gate>,
    said: Said,
    /// The last byte of each lane.
    last: Vec<u8>,
}

impl Mixing {
    /// For a block of `bytes` bytes in `lanes` lanes. Without gates, a trained model
    /// that takes part (`advised`) is one more input of the context models' mixer.
    pub fn new(
        models: Models,
        gates: Option<Gates>,
        lanes: usize,
        bytes: usize,
        advised: bool,
    ) -> Mixing {
        Mixing {
            mixture: Mixture::new(models, lanes, bytes, advised && gates.is_none()),
            gate: gates.map(|start| Gate::new(&start)),
            said: Said::default(),
            last: vec![0; lanes],
        }
    }

    /// Codes the next byte of a lane and learns it. Lanes take turns, the first one
    /// first.
    pub fn code(&mut self, lane: usize, coder: &mut impl BitCoder, advice: &impl Advice) -> u8 {
        match &mut self.gate {
            None => self.mixture.code(lane, coder, advice),
            Some(gate) => {
                let mut gated = Gated::new(gate, coder, advice, self.last[lane]);
                let byte = self.mixture.code(lane, &mut gated, &NoAdvice);
                self.said = gated.said;
                self.last[lane] = byte;
                byte
            }
        }
    }

    /// Codes bytes of the only lane and learns them as long as there are any, without a
    /// trained model and a gate.
    pub fn code_all<C: ByteCoder>(&mut self, coder: C) -> C {
        debug_assert!(self.gate.is_none());
        self.mixture.code_all(coder)
    }

    /// What the context models said of the byte coded last, if a gate is behind them.
    pub fn said(&self) -> Said {
        self.said
    }

    /// What the context models say of the next byte of a lane, which is known; they learn
    /// it. [`Mixing::code_said`] codes it later.
    pub fn say(&mut self, lane: usize, byte: u8) -> Said {
        let mut recorder = Recorder::new(byte);
        self.mixture.code(lane, &mut recorder, &NoAdvice);
        recorder.said
    }

    /// Codes the next byte of a lane, of which the context models said this.
    ///
    /// # Panics
    /// Without a gate.
    pub fn code_said(
        &mut self,
        lane: usize,
        said: &Said,
        coder: &mut impl BitCoder,
        advice: &impl Advice,
    ) {
        let gate = self.gate.as_mut().expect("a gate behind context models");
        let mut gated = Gated::new(gate, coder, advice, self.last[lane]);
        for p in said.0 {
            gated.code(p);
        }
        self.last[lane] = gated.place.node as u8;
    }

    /// Instead of [`Mixing::code`] or [`Mixing::say`] for a lane that has ended.
    pub fn skip(&mut self) {
        self.mixture.skip();
    }
}

/// Codes the bits of one byte through the gate.
struct Gated<'a, C, A> {
    gate: &'a mut Gate,
    coder: &'a mut C,
    advice: &'a A,
    depth: usize,
    place: Place,
    said: Said,
}

impl<'a, C: BitCoder, A: Advice> Gated<'a, C, A> {
    fn new(gate: &'a mut Gate, coder: &'a mut C, advice: &'a A, last: u8) -> Self {
        Gated {
            gate,
            coder,
            advice,
            depth: 0,
            place: Place { node: 1, last },
            said: Said::default(),
        }
    }
}

impl<C: BitCoder, A: Advice> BitCoder for Gated<'_, C, A> {
    fn code(&mut self, p: u32) -> bool {
        self.said.0[self.depth] = p;
        let contexts = Logistic::get().logit(TOTAL - p, p);
        let node = self.place.node;
        let model = self.advice.logit(self.depth, node).unwrap_or(0.0);
        let p = self.gate.mix(contexts, model, self.place);
        let bit = self.coder.code(p);
        self.gate.learn(bit);
        self.depth += 1;
        self.place.node = node << 1 | usize::from(bit);
        bit
    }
}
