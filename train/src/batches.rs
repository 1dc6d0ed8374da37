//! The batches of training steps. They are a pure function of seed and position.

use crate::permutation::Permutation;
use crate::random::{self, Stream};
use crate::recipe::Order;
use brevity_codec::Contexts;

/// One batch of training sequences, one after the other.
#[derive(Clone, Debug, PartialEq)]
pub struct Batch {
    /// The model's inputs, `[sequences * length]`: each byte's predecessor.
    pub inputs: Vec<u8>,
    /// The bytes to predict, `[sequences * length]`.
    pub targets: Vec<u8>,
    /// Logits of another model for the bits of the targets, `[sequences * length, 8]`.
    pub beside: Option<Vec<f32>>,
    /// Share of the loss that is the model's alone, if there is another.
    pub alone: f32,
    /// Number of sequences.
    pub sequences: usize,
}

/// Draws the training sequences of a run.
///
/// Sequence number `i`, counted from the start of the run, depends only on the seed
/// and `i`, so a run resumed from a checkpoint sees the same sequences as an
/// uninterrupted one.
#[derive(Clone, Debug)]
pub struct Batches<'a> {
    data: &'a [u8],
    /// What another model says of the data.
    beside: Option<&'a Contexts>,
    length: usize,
    /// The first input of a sequence is byte 0, not the byte before it in the data.
    independent: bool,
    order: Order,
    seed: u64,
    /// The number of an epoch and the order of its sequences.
    epoch: Option<(u64, Permutation)>,
}

impl<'a> Batches<'a> {
    /// Sequences of `length` bytes from `data`. If `independent`, a sequence does not
    /// see the byte before it. With
    /// `beside`, batches have its logits.
    ///
    /// # Panics
    /// If `data` is shorter than `length`, `length` is 0, or `beside` is of other data.
    pub fn new(
        data: &'a [u8],
        beside: Option<&'a Contexts>,
        length: usize,
        independent: bool,
        order: Order,
        seed: u64,
    ) -> Batches<'a> {
        assert!(length > 0 && data.len() >= length);
        assert!(beside.is_none_or(|contexts| contexts.len() == data.len()));
        Batches {
            data,
            beside,
            length,
            independent,
            order,
            seed,
            epoch: None,
        }
    }

    /// The sequences numbered `first..first + sequences`.
    pub fn get(&mut self, first: u64, sequences: usize) -> Batch {
        let mut batch = Batch {
            inputs: Vec::with_capacity(sequences * self.length),
            targets: Vec::with_capacity(sequences * self.length),
            beside: self.beside.map(|_| Vec::new()),
            alone: 0.0,
            sequences,
        };
        for index in first..first + sequences as u64 {
            let start = self.offset(index);
            let previous = match start {
                0 => 0,
                _ if self.independent => 0,
                start => self.data[start - 1],
            };
            let targets = &self.data[start..start + self.length];
            batch.inputs.push(previous);
            batch.inputs.extend(&targets[..self.length - 1]);
            batch.targets.extend(targets);
            if let (Some(out), Some(contexts)) = (&mut batch.beside, self.beside) {
                let places = start..start + self.length;
                out.extend(places.flat_map(|place| contexts.at(place)));
            }
        }
        batch
    }

    /// Offset of sequence number `index` in the data.
    fn offset(&mut self, index: u64) -> usize {
        let last = self.data.len() - self.length;
        match self.order {
            Order::Random => {
                let mut rng = random::at(self.seed, Stream::Offsets, index);
                random::below(&mut rng, last as u64 + 1) as usize
            }
            Order::Epochs => {
                let count = self.data.len().div_ceil(self.length) as u64;
                let epoch = index / count;
                if self.epoch.as_ref().is_none_or(|(known, _)| *known != epoch) {
                    let order = Permutation::of_epoch(self.seed, epoch, count);
                    self.epoch = Some((epoch, order));
                }
                let (_, order) = self.epoch.as_ref().expect("set above");
                // The last sequence overlaps the one before it if the length does
                // not divide the data.
                (order.at(index % count) as usize * self.length).min(last)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_epoch_sees_every_byte() {
        let data: Vec<u8> = (0..100).collect();
        let mut batches = Batches::new(&data, None, 16, true, Order::Epochs, 3);
        let mut orders = Vec::new();
        for epoch in 0..3 {
            let batch = batches.get(epoch * 7, 7);
            let mut seen = batch.targets.clone();
            seen.sort_unstable();
            seen.dedup();
            assert_eq!(seen, data);
            orders.push(batch.targets);
        }
        assert_ne!(orders[0], orders[1]);
    }

    #[test]
    fn a_batch_does_not_depend_on_what_was_asked_before() {
        let data: Vec<u8> = (0..=255).cycle().take(1000).collect();
        for order in [Order::Epochs, Order::Random] {
            let mut one = Batches::new(&data, None, 10, false, order, 7);
            let whole = one.get(0, 300);
            let mut other = Batches::new(&data, None, 10, false, order, 7);
            assert_eq!(other.get(250, 50).targets, whole.targets[2500..]);
            assert_eq!(other.get(3, 5).inputs, whole.inputs[30..80]);
        }
    }

    #[test]
    fn inputs_are_the_bytes_before() {
        let data: Vec<u8> = (1..=64).collect();
        let mut stream = Batches::new(&data, None, 8, false, Order::Random, 1);
        let batch = stream.get(0, 20);
        for (input, target) in batch.inputs.iter().zip(&batch.targets) {
            assert_eq!(input + 1, *target);
        }
        let mut chunks = Batches::new(&data, None, 8, true, Order::Random, 1);
        assert!(chunks.get(0, 20).inputs.chunks(8).all(|row| row[0] == 0));
    }
}
