//! The quantisation with the shortest description of weights and data.
//!
//! As for our own models (`brevity_codec::weights::Plan::minimise`): the loss from rounding
//! grows with the square of the step, so one evaluation foretells the best step. Steps are
//! relative to the spread of each tensor; the largest tensors have a step of their own.

use super::{Loss, PriceError, Weights, length, quantised};
use brevity_codec::weights::{Storage, Tensor, encode_tensors};

/// Tensors that get a step of their own; the others share one, vectors another.
const OWN: usize = 8;

/// Coarser than the spread of a tensor by so many eighths of an octave, at the start: a
/// step of an eighth.
const START: i32 = 24;

/// The finest that is tried: 2^-16 of the spread.
const FINEST: i32 = 128;

/// Bits of weights and of data.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Price {
    /// Of the stored weights.
    pub stored: f64,
    /// Of the data under them.
    pub data: f64,
}

impl Price {
    fn total(self) -> f64 {
        self.stored + self.data
    }
}

/// The shortest description that was found.
#[derive(Clone, Debug)]
pub struct Shortest {
    /// How each tensor is stored.
    pub storage: Vec<Storage>,
    /// What weights and data take.
    pub price: Price,
    /// What the data take under the weights as they are, bits.
    pub exact: f64,
}

/// Finds it with about 40 evaluations of `loss`.
///
/// # Errors
/// Those of `loss`, and one that is no length.
pub fn shortest(weights: &Weights, loss: Loss<'_>) -> Result<Shortest, PriceError> {
    let tensors = &weights.tensors;
    let exact = length(loss(tensors)?)?;
    let mut search = Search {
        weights,
        groups: groups(tensors),
        spread: tensors.iter().map(spread).collect(),
        loss,
    };
    let start = vec![START; search.count()];
    let price = search.price(&search.storage(&start))?;
    let mut best = (start, price);
    search.level(exact, &mut best)?;
    search.divide(exact, &mut best)?;
    for by in [3, -3, 1, -1] {
        while search.moved(by, &mut best)? {}
    }
    let mut found = Shortest {
        storage: search.storage(&best.0),
        price: best.1,
        exact,
    };
    // No weights at all may be shorter still: a model that memorised noise.
    let zeros = vec![Storage::Zeros; tensors.len()];
    let price = search.price(&zeros)?;
    if price.total() < found.price.total() {
        found.storage = zeros;
        found.price = price;
    }
    Ok(found)
}

/// The group of each tensor.
fn groups(tensors: &[Tensor]) -> Vec<usize> {
    let mut order: Vec<usize> = (0..tensors.len())
        .filter(|&i| tensors[i].shape.len() > 1)
        .collect();
    order.sort_by_key(|&i| std::cmp::Reverse(tensors[i].values.len()));
    order.truncate(OWN);
    let group = |i: usize| match order.iter().position(|&other| other == i) {
        Some(own) => 2 + own,
        None => usize::from(tensors[i].shape.len() > 1),
    };
    (0..tensors.len()).map(group).collect()
}

/// The number of the step nearest to the spread of a tensor, relative to its scale.
fn spread(tensor: &Tensor) -> i32 {
    let rms = tensor.relative_rms();
    match rms > 0.0 {
        true => (-8.0 * rms.log2()).round() as i32,
        false => 0,
    }
}

/// A step for each group, eighths of an octave finer than the spread.
type Steps = Vec<i32>;

struct Search<'a, 'l> {
    weights: &'a Weights,
    groups: Vec<usize>,
    spread: Vec<i32>,
    loss: Loss<'l>,
}

impl Search<'_, '_> {
    fn count(&self) -> usize {
        self.groups.iter().max().map_or(0, |most| most + 1)
    }

    fn storage_of(&self, tensor: usize, finer: i32) -> Storage {
        let weights = self.weights;
        match &weights.exact[tensor] {
            Some(exact) => exact.clone(),
            None => {
                let finest = i32::from(weights.tensors[tensor].finest());
                let index = (self.spread[tensor] + finer).clamp(0, finest.min(255));
                Storage::Step(index as u8)
            }
        }
    }

    fn storage(&self, steps: &Steps) -> Vec<Storage> {
        let tensors = self.groups.iter().enumerate();
        tensors
            .map(|(i, &group)| self.storage_of(i, steps[group]))
            .collect()
    }

    fn price(&mut self, storage: &[Storage]) -> Result<Price, PriceError> {
        let tensors = &self.weights.tensors;
        Ok(Price {
            stored: 8.0 * encode_tensors(tensors, storage).len() as f64,
            data: length((self.loss)(&quantised(tensors, storage))?)?,
        })
    }

    /// Takes steps if they are better.
    fn adopt(&mut self, steps: Steps, best: &mut (Steps, Price)) -> Result<bool, PriceError> {
        if steps == best.0 {
            return Ok(false);
        }
        let price = self.price(&self.storage(&steps))?;
        let better = price.total() < best.1.total();
        if better {
            *best = (steps, price);
        }
        Ok(better)
    }

    fn moved(&mut self, by: i32, best: &mut (Steps, Price)) -> Result<bool, PriceError> {
        let steps = best
            .0
            .iter()
            .map(|&s| (s + by).clamp(-16, FINEST))
            .collect();
        self.adopt(steps, best)
    }

    /// All steps together to where they are foretold to be best.
    fn level(&mut self, exact: f64, best: &mut (Steps, Price)) -> Result<(), PriceError> {
        let tensors = &self.weights.tensors;
        let n: usize = tensors.iter().map(|t| t.values.len()).sum();
        for _ in 0..5 {
            // An eighth of an octave costs an eighth of a bit a value and divides the
            // loss by two to the quarter: least where the loss is n / (2 ln 2).
            let loss = (best.1.data - exact).max(1e-3 * n as f64);
            let ideal = n as f64 / (2.0 * std::f64::consts::LN_2);
            let by = (4.0 * (loss / ideal).log2()).clamp(-16.0, 16.0).round() as i32;
            if by == 0 || !self.moved(by, best)? {
                break;
            }
        }
        Ok(())
    }

    /// Gives each group the step that is best for it alone.
    fn divide(&mut self, exact: f64, best: &mut (Steps, Price)) -> Result<(), PriceError> {
        let mut steps = best.0.clone();
        let tensors = &self.weights.tensors;
        for (group, step) in steps.iter_mut().enumerate() {
            let members: Vec<usize> = (0..tensors.len())
                .filter(|&i| self.groups[i] == group && self.weights.exact[i].is_none())
                .collect();
            let n: usize = members.iter().map(|&i| tensors[i].values.len()).sum();
            if n == 0 {
                continue;
            }
            let mut alone = tensors.clone();
            for &i in &members {
                let storage = self.storage_of(i, best.0[group]);
                alone[i].values = tensors[i].quantise(&storage);
            }
            // A sample may gain from rounding by chance.
            let loss = (length((self.loss)(&alone)?)? - exact).max(0.05 * n as f64);
            let total = |by: i32| {
                let (chosen, storage): (Vec<Tensor>, Vec<Storage>) = members
                    .iter()
                    .map(|&i| (tensors[i].clone(), self.storage_of(i, best.0[group] + by)))
                    .unzip();
                let bits = 8.0 * encode_tensors(&chosen, &storage).len() as f64;
                bits + loss * (-f64::from(by) / 4.0).exp2()
            };
            let moves = (-12..=12).step_by(3).map(|by| (total(by), by));
            let (_, by) = moves.min_by(|a, b| a.0.total_cmp(&b.0)).expect("moves");
            *step += by;
        }
        self.adopt(steps, best)?;
        Ok(())
    }
}
