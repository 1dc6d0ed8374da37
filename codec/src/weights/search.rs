//! The search for the quantisation steps with the shortest description of weights
//! and data.

use super::plan::{Plan, Storage, coarse_enough};
use super::{encode, quantise, stream};
use brevity_model::{Role, TensorInfo, Weights};

impl Plan {
    /// The steps with the shortest description of weights and data:
    /// `data_bits` returns the code length of the data, in bits, under the weights
    /// it is given (those that a decoder would have); that of a sample, scaled up,
    /// is enough.
    ///
    /// The loss from rounding grows with the square of the step, so one evaluation
    /// predicts the best step. The search first finds one step for all tensors, then
    /// one for each kind of tensor, whose stored size is known exactly, then descends
    /// with all steps together. Coarser steps can ruin the model and still be followed
    /// by a minimum without any model, which is tried last: a model that has memorised
    /// random bytes is not worth storing. The search evaluates `data_bits` about 20
    /// times.
    ///
    /// # Errors
    /// The first error of `data_bits`.
    pub fn minimise<E>(
        weights: &Weights,
        data_bits: impl FnMut(&Weights) -> Result<f64, E>,
    ) -> Result<Plan, E> {
        let mut search = Search {
            weights,
            groups: Group::of(weights),
            data_bits,
        };
        let exact = (search.data_bits)(weights)?;
        let mut best = search.price(&by_group(weights, &search.groups))?;
        best = search.level(exact, best)?;
        best = search.divide(exact, best)?;
        for distance in [3, 1] {
            for direction in [distance, -distance] {
                best = search.descend(best, direction)?;
            }
        }
        let found = by_group(weights, &search.groups);
        search.or_zeros(found, best)
    }

    /// This plan, or [`Plan::zeros`] if that makes weights and data shorter: the last
    /// part of [`Plan::minimise`], for a plan that comes from training. Evaluates
    /// `data_bits` twice.
    ///
    /// # Errors
    /// The first error of `data_bits`.
    pub fn or_zeros<E>(
        self,
        weights: &Weights,
        data_bits: impl FnMut(&Weights) -> Result<f64, E>,
    ) -> Result<Plan, E> {
        let mut search = Search {
            weights,
            groups: Vec::new(),
            data_bits,
        };
        let price = search.price(&self)?;
        search.or_zeros(self, price)
    }
}

/// Where the search starts: a step of 1/32.
const START: u8 = 40;

/// The finest step that the search tries.
const FINEST: i32 = 160;

/// Tensors that share a step during the search.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Group {
    /// Role of the tensors, and whether they belong to attention.
    kind: (Role, bool),
    index: u8,
}

impl Group {
    /// The groups of a model, all at [`START`].
    fn of(weights: &Weights) -> Vec<Group> {
        let mut groups: Vec<Group> = Vec::new();
        for (info, _) in weights.iter() {
            let kind = kind(info.role, &info.name);
            if groups.iter().all(|g| g.kind != kind) {
                groups.push(Group { kind, index: START });
            }
        }
        groups
    }

    fn moved(&self, by: i32) -> Group {
        Group {
            kind: self.kind,
            index: (i32::from(self.index) + by).clamp(0, FINEST) as u8,
        }
    }
}

/// The key by which tensors are grouped.
fn kind(role: Role, name: &str) -> (Role, bool) {
    (role, name.contains("attention"))
}

fn by_group(weights: &Weights, groups: &[Group]) -> Plan {
    let storage = weights.iter().map(|(info, values)| {
        let kind = kind(info.role, &info.name);
        let group = groups.iter().find(|g| g.kind == kind);
        Storage::Step(group.map_or(0, |g| g.index).min(coarse_enough(values)))
    });
    Plan::from_storage(storage.collect())
}

/// Bits of weights and data with the groups' steps.
#[derive(Clone, Copy)]
struct Price {
    stored: f64,
    data: f64,
}

impl Price {
    fn total(self) -> f64 {
        self.stored + self.data
    }
}

struct Search<'a, F> {
    weights: &'a Weights,
    groups: Vec<Group>,
    data_bits: F,
}

impl<E, F: FnMut(&Weights) -> Result<f64, E>> Search<'_, F> {
    fn or_zeros(&mut self, plan: Plan, price: Price) -> Result<Plan, E> {
        let none = Plan::zeros(self.weights);
        let shorter = self.price(&none)?.total() < price.total();
        Ok(if shorter { none } else { plan })
    }

    fn price(&mut self, plan: &Plan) -> Result<Price, E> {
        Ok(Price {
            stored: encode(self.weights, plan).len() as f64 * 8.0,
            data: (self.data_bits)(&quantise(self.weights, plan))?,
        })
    }

    /// Adopts `groups` if they are better than `best`.
    fn try_groups(&mut self, groups: Vec<Group>, best: Price) -> Result<Option<Price>, E> {
        if groups == self.groups {
            return Ok(None);
        }
        let price = self.price(&by_group(self.weights, &groups))?;
        if price.total() >= best.total() {
            return Ok(None);
        }
        self.groups = groups;
        Ok(Some(price))
    }

    /// Moves all steps together to the predicted best, until that is where they are.
    fn level(&mut self, exact: f64, mut best: Price) -> Result<Price, E> {
        /// Larger moves leave the range in which the loss is quadratic.
        const MOST: f64 = 16.0;
        let parameters = self.weights.spec().parameters() as f64;
        for _ in 0..4 {
            // Steps finer by an eighth of an octave cost an eighth of a bit per
            // parameter and divide the loss by two to the quarter. The sum is least
            // where the loss is `parameters / (2 ln 2)`.
            let loss = (best.data - exact).max(1e-3 * parameters);
            let ideal = parameters / (2.0 * std::f64::consts::LN_2);
            let by = (4.0 * (loss / ideal).log2()).clamp(-MOST, MOST).round() as i32;
            let groups = self.groups.iter().map(|g| g.moved(by)).collect();
            match self.try_groups(groups, best)? {
                Some(better) => best = better,
                None => break,
            }
        }
        Ok(best)
    }

    /// Gives each group its own best step.
    fn divide(&mut self, exact: f64, best: Price) -> Result<Price, E> {
        /// Largest move either way: one evaluation predicts no further.
        const MOST: i32 = 12;
        let mut groups = self.groups.clone();
        for (i, group) in self.groups.iter().enumerate() {
            let alone = only(self.weights, group);
            let n: usize = tensors_of(self.weights, group)
                .map(|(info, _)| info.len())
                .sum();
            // A sample may gain from rounding by chance.
            let loss = ((self.data_bits)(&alone)? - exact).max(0.05 * n as f64);
            let price = |by: i32| {
                let moved = group.moved(by);
                let finer = f64::from(moved.index) - f64::from(group.index);
                bits_of(self.weights, &moved) + loss * (-finer / 4.0).exp2()
            };
            let moves = (-MOST..=MOST).step_by(2).map(|by| (price(by), by));
            let (_, by) = moves.min_by(|a, b| a.0.total_cmp(&b.0)).expect("moves");
            groups[i] = group.moved(by);
        }
        Ok(self.try_groups(groups, best)?.unwrap_or(best))
    }

    /// Moves all steps in one direction while the description gets shorter.
    fn descend(&mut self, mut best: Price, by: i32) -> Result<Price, E> {
        loop {
            let groups = self.groups.iter().map(|g| g.moved(by)).collect();
            match self.try_groups(groups, best)? {
                Some(better) => best = better,
                None => return Ok(best),
            }
        }
    }
}

/// The weights with only one group rounded.
fn only(weights: &Weights, group: &Group) -> Weights {
    let rounded = quantise(weights, &by_group(weights, std::slice::from_ref(group)));
    let mut tensors = weights.iter().zip(rounded.iter());
    let mixed = Weights::from_fn(weights.spec().clone(), |_| {
        let ((info, exact), (_, rounded)) = tensors.next().expect("tensors of the same spec");
        match kind(info.role, &info.name) == group.kind {
            true => rounded.to_vec(),
            false => exact.to_vec(),
        }
    });
    let mixed = mixed.and_then(|w| w.with_gates(weights.gates().copied()));
    mixed.expect("finite values of the same shape")
}

/// The tensors of a group, in canonical order.
fn tensors_of<'a>(
    weights: &'a Weights,
    group: &'a Group,
) -> impl Iterator<Item = (&'a TensorInfo, &'a [f32])> {
    let tensors = weights.iter();
    tensors.filter(|(info, _)| kind(info.role, &info.name) == group.kind)
}

/// Stored bits of one group.
fn bits_of(weights: &Weights, group: &Group) -> f64 {
    let storage: Vec<Storage> = tensors_of(weights, group)
        .map(|(_, values)| Storage::Step(group.index.min(coarse_enough(values))))
        .collect();
    let tensors = tensors_of(weights, group).zip(&storage);
    stream(tensors.map(|((info, values), s)| (info, values, s))).len() as f64 * 8.0
}
