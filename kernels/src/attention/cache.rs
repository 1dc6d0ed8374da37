//! Keys and values of many streams that advance in lock-step.

use super::{Attention, naive};

/// Keys and values that one attention layer remembers of each of its streams
/// (lanes), and the position where all of them stand.
#[derive(Clone, Debug)]
pub struct Cache {
    attention: Attention,
    lanes: usize,
    reach: usize,
    position: u64,
    history: Vec<Vec<f32>>,
}

impl Cache {
    /// An empty cache at position 0 for `lanes` streams that see back over
    /// `reach` positions, own position included: at most the window where
    /// there is one, and else the longest stretch between two
    /// [`clear`](Self::clear)s.
    ///
    /// # Panics
    /// If the shape makes no sense or `reach` is 0.
    pub fn new(attention: Attention, lanes: usize, reach: usize) -> Cache {
        attention.check_shape();
        assert!(reach > 0, "attention: no reach");
        Cache {
            attention,
            lanes,
            reach: attention.window.map_or(reach, |w| w.min(reach)),
            position: 0,
            history: vec![Vec::new(); lanes],
        }
    }

    /// The position of the next row.
    pub fn position(&self) -> u64 {
        self.position
    }

    /// Forgets everything: the next row is at position 0.
    pub fn clear(&mut self) {
        self.position = 0;
        self.history.iter_mut().for_each(Vec::clear);
    }

    /// Takes `n` more positions of every lane and attends from each of them.
    ///
    /// - `qkv`: `[lanes, n, 3 d]`;
    /// - `gain`: as in [`Attention::forward`], the same in every call;
    /// - `out`: `[lanes, n, d]`, overwritten.
    ///
    /// The output does not depend on how the positions are cut into calls, nor
    /// on the other lanes.
    ///
    /// # Panics
    /// If a length does not fit, or if there is no window and the position
    /// would go beyond the reach.
    pub fn attend(&mut self, n: usize, qkv: &[f32], gain: Option<&[f32]>, out: &mut [f32]) {
        let d = self.attention.width();
        assert!(n > 0, "attention: no positions");
        assert_eq!(qkv.len(), self.lanes * n * 3 * d, "attention: qkv");
        assert_eq!(out.len(), self.lanes * n * d, "attention: output");
        assert!(
            self.attention.window.is_some() || self.position + n as u64 <= self.reach as u64,
            "attention: position {} is beyond the reach of {}",
            self.position + n as u64,
            self.reach
        );
        for ((history, qkv), out) in self
            .history
            .iter_mut()
            .zip(qkv.chunks_exact(n * 3 * d))
            .zip(out.chunks_exact_mut(n * d))
        {
            history.extend_from_slice(qkv);
            let keep = (self.reach - 1 + n) * 3 * d;
            history.drain(..history.len().saturating_sub(keep));
            let time = history.len() / (3 * d);
            let start = self.position + n as u64 - time as u64;
            let mut whole = vec![0.0; time * d];
            let a = Attention {
                window: Some(self.reach),
                ..self.attention
            };
            naive::forward(&a, start, time, history, gain, &mut whole, None);
            out.copy_from_slice(&whole[(time - n) * d..]);
        }
        self.position += n as u64;
    }
}
