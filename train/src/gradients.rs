//! The loss and the gradient of all parameters, as one flat vector.

use crate::batches::Batch;
use crate::gates::Gates;
use crate::ops::{Other, Tokens};
use crate::parameters::Parameters;
use crate::random::{self, Stream};
use crate::transformer::{Beside, Transformer};
use burn::module::{Module, ModuleVisitor, Param};
use burn::tensor::{Device, Gradients, Tensor, TensorData};
use rand_core::RngCore;
use rayon::prelude::*;

/// The dropout masks of one forward pass.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Dropout {
    /// Dropout probability.
    pub share: f64,
    /// The seed of the run.
    pub seed: u64,
    /// Index of this forward pass in the run.
    pub pass: u64,
}

/// Limit on the number of sites of a model that can have a mask.
const SITES: u64 = 1 << 12;

impl Dropout {
    /// The mask at one site: 0 for dropped values, `1 / (1 - share)` for the
    /// others, which preserves the mean.
    fn mask(&self, site: u64, len: usize) -> Vec<f32> {
        // Values drawn by one task, and the 32-bit random words they use.
        const CHUNK: usize = 1 << 14;
        const WORDS: u128 = CHUNK as u128 / 2;
        let rng = random::at(self.seed, Stream::Dropout, self.pass * SITES + site);
        let threshold = (self.share * 65536.0) as u16;
        let kept = (1.0 / (1.0 - f64::from(threshold) / 65536.0)) as f32;
        let mut mask = vec![0.0; len];
        let chunks = mask.par_chunks_mut(CHUNK).enumerate();
        chunks.for_each(|(index, chunk)| {
            let mut rng = rng.clone();
            rng.set_word_pos(index as u128 * WORDS);
            for values in chunk.chunks_mut(4) {
                let word = rng.next_u64();
                for (i, value) in values.iter_mut().enumerate() {
                    let kept_here = (word >> (16 * i)) as u16 >= threshold;
                    *value = if kept_here { kept } else { 0.0 };
                }
            }
        });
        mask
    }
}

/// Returns the mean loss of `batch` in nats and adds its gradient to `sum`; with `gates`,
/// the loss is that of the mixture, and the gradient of the gates is added to theirs.
///
/// # Panics
/// With gates, if the batch does not have the logits of another model.
pub(crate) fn accumulate(
    parameters: &Parameters,
    device: &Device,
    batch: Batch,
    gates: Option<&mut Gates>,
    dropout: Dropout,
    sum: &mut [f32],
) -> f64 {
    let model = Transformer::new(parameters, device);
    let length = batch.targets.len() / batch.sequences;
    let (rows, width) = (batch.targets.len(), parameters.spec().width);
    let mut site = 0;
    let mut next = || {
        let mask = dropout.mask(site, rows * width);
        site += 1;
        Tensor::from_data(
            TensorData::new(mask, [rows, width]),
            &device.clone().inner(),
        )
    };
    let masks: Option<&mut dyn FnMut() -> Tensor<2>> = match dropout.share > 0.0 {
        true => Some(&mut next),
        false => None,
    };
    let inputs = Tokens::from(batch.inputs);
    let targets = Tokens::from(batch.targets);
    let tensor = gates.as_ref().map(|gates| gates.tensor(device));
    let beside = tensor.clone().map(|gates| Beside {
        other: Other {
            logits: batch.beside.expect("logits beside the batch").into(),
            alone: batch.alone,
        },
        gates,
    });
    let loss = model.loss(inputs, targets, length, beside, masks);
    let mut collector = Collector {
        gradients: loss.backward(),
        parameters,
        index: 0,
        sum,
    };
    model.visit(&mut collector);
    if let (Some(gates), Some(tensor)) = (gates, tensor) {
        let gradient = tensor.grad_remove(&mut collector.gradients);
        gates.add(&values(gradient.expect("every mixture has gates")));
    }
    scalar(loss.inner())
}

/// The value of a tensor with one element.
pub(crate) fn scalar(tensor: Tensor<1>) -> f64 {
    f64::from(values(tensor)[0])
}

fn values<const D: usize>(tensor: Tensor<D>) -> Vec<f32> {
    let data = tensor.into_data();
    data.try_into_vec().expect("tensors hold f32")
}

/// Adds the gradient of each parameter tensor to its range of `sum`.
struct Collector<'a> {
    gradients: Gradients,
    parameters: &'a Parameters,
    index: usize,
    sum: &'a mut [f32],
}

impl ModuleVisitor for Collector<'_> {
    fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
        let (_, range) = &self.parameters.tensors()[self.index];
        self.index += 1;
        if let Some(gradient) = param.val().grad_remove(&mut self.gradients) {
            let gradient = values(gradient);
            for (sum, g) in self.sum[range.clone()].iter_mut().zip(&gradient) {
                *sum += g;
            }
            crate::ops::recycle(gradient);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::DeviceKind;
    use crate::batches::Batches;
    use crate::ops::with_default_bodies;
    use crate::recipe::Order;
    use brevity_model::Spec;

    struct Names(Vec<String>, Vec<String>);

    impl ModuleVisitor for Names {
        fn visit_float<const D: usize>(&mut self, _: &Param<Tensor<D>>) {
            self.1.push(self.0.join("."));
        }
        fn enter_module(&mut self, name: &str, _: &str) {
            self.0.push(name.into());
        }
        fn exit_module(&mut self, _: &str, _: &str) {
            self.0.pop();
        }
    }

    fn specs() -> [Spec; 3] {
        let all = Spec {
            position: brevity_model::Position::Learned,
            norm: brevity_model::Norm::Layer,
            attention_bias: true,
            mlp_bias: true,
            tied: false,
            ..Spec::brevity(8, 2, 2, 12)
        };
        [Spec::brevity(8, 2, 2, 12), Spec::lmic(8, 2, 2, 12), all]
    }

    #[test]
    fn modules_have_the_names_and_the_order_of_the_spec() {
        for spec in specs() {
            let parameters = Parameters::zeros(&spec);
            let device = DeviceKind::Flex.device().unwrap();
            let mut names = Names(Vec::new(), Vec::new());
            Transformer::new(&parameters, &device).visit(&mut names);
            let expected: Vec<_> = spec.tensors().into_iter().map(|t| t.name).collect();
            assert_eq!(names.1, expected);
        }
    }

    #[test]
    fn the_kernels_train_like_plain_burn() {
        let data: Vec<u8> = (0..200u32).map(|i| (i * i % 251) as u8).collect();
        for spec in specs() {
            let mut parameters = Parameters::initial(&spec, 3);
            // With zero output matrices, blocks would have zero gradients.
            for (i, value) in parameters.values.iter_mut().enumerate() {
                *value += (i % 17) as f32 * 0.01 - 0.08;
            }
            let gradient = || {
                let mut batches = Batches::new(&data, None, 12, true, Order::Random, 5);
                let device = DeviceKind::Flex.device().unwrap().autodiff();
                let dropout = Dropout {
                    share: 0.1,
                    seed: 1,
                    pass: 0,
                };
                let mut sum = vec![0.0; parameters.values.len()];
                let batch = batches.get(0, 4);
                let nats = accumulate(&parameters, &device, batch, None, dropout, &mut sum);
                (nats, sum)
            };
            let (nats, ours) = gradient();
            let (plain_nats, plain) = with_default_bodies(gradient);
            assert!((nats - plain_nats).abs() < 1e-5, "{nats} {plain_nats}");
            let norm = plain.iter().map(|x| x * x).sum::<f32>().sqrt();
            assert!(norm > 0.01);
            for (a, b) in ours.iter().zip(&plain) {
                assert!((a - b).abs() < 2e-5 * norm, "{a} {b} of {norm}");
            }
        }
    }

    #[test]
    fn a_mask_keeps_the_mean_and_is_a_function_of_its_place() {
        let dropout = Dropout {
            share: 0.1,
            seed: 1,
            pass: 5,
        };
        let mask = dropout.mask(2, 100_000);
        let mean = mask.iter().sum::<f32>() / mask.len() as f32;
        assert!((mean - 1.0).abs() < 0.01, "{mean}");
        assert_eq!(mask, dropout.mask(2, 100_000));
        assert_ne!(mask, dropout.mask(3, 100_000));
    }
}
