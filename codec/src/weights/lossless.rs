//! The quantisation steps of weights that were trained to lie on a grid.

use super::{LARGEST, Plan, Storage, step};
use brevity_model::Weights;

impl Plan {
    /// The plan that stores these weights without rounding, if they were trained with
    /// quantisation: for each tensor the coarsest step of which all its values are
    /// whole multiples. `None` if some tensor has no such step; then use
    /// [`Plan::minimise`] to find the best steps.
    ///
    /// ```
    /// use brevity_codec::weights::{self, Plan};
    /// use brevity_model::{Spec, Weights};
    ///
    /// let exact = Weights::from_fn(Spec::aspect(16, 64), |info| {
    ///     (0..info.len()).map(|i| (i as f32).sin()).collect()
    /// }).unwrap();
    /// assert_eq!(Plan::lossless(&exact), None);
    ///
    /// let whole = Weights::from_fn(Spec::aspect(16, 64), |info| {
    ///     (0..info.len()).map(|i| (i % 3) as f32 * 0.125).collect()
    /// }).unwrap();
    /// let plan = Plan::lossless(&whole).unwrap();
    /// assert_eq!(weights::decode(&weights::encode(&whole, &plan)).unwrap(), whole);
    /// ```
    pub fn lossless(weights: &Weights) -> Option<Plan> {
        let storage = weights.iter().map(|(_, values)| {
            let whole = |k: &u8| values.iter().all(|&x| is_multiple(x, step(*k)));
            (0..=u8::MAX).find(whole).map(Storage::Step)
        });
        let storage: Option<Vec<Storage>> = storage.collect();
        storage.map(Plan::from_storage)
    }
}

fn is_multiple(x: f32, step: f32) -> bool {
    let integer = (x / step).round();
    integer.abs() <= LARGEST as f32 && integer * step == x
}
