//! The byte transformer as a burn module, for every variant of [`Spec`].
//!
//! Fields have the names of the tensors in `model.safetensors`, in canonical order.

use crate::ops::{
    self, Attention, AttentionLayer, AttentionWeights, EmbeddingLayer, EmbeddingWeights, Head,
    HeadWeights, LinearWeights, MlpLayer, MlpWeights, NormWeights, Other, Tokens, maybe, some,
};
use crate::parameters::Parameters;
use brevity_model::{Norm, Placement, Position, Spec, sinusoidal_positions};
use burn::backend::Dispatch;
use burn::module::{Module, Param};
use burn::tensor::{Device, Tensor, TensorData};

/// Embedding of bytes.
#[derive(Module, Debug)]
struct Embedding {
    weight: Param<Tensor<2>>,
    taps: Option<Param<Tensor<2>>>,
}

/// Learned position embeddings.
#[derive(Module, Debug)]
struct Positions {
    weight: Param<Tensor<2>>,
}

/// Parameters of a norm.
#[derive(Module, Debug)]
struct NormModule {
    weight: Param<Tensor<1>>,
    bias: Option<Param<Tensor<1>>>,
}

impl NormModule {
    fn weights(&self) -> NormWeights<Dispatch> {
        NormWeights {
            weight: some(self.weight.val()),
            bias: maybe(self.bias.as_ref().map(Param::val)),
        }
    }
}

/// Parameters of an affine map.
#[derive(Module, Debug)]
struct Linear {
    weight: Param<Tensor<2>>,
    bias: Option<Param<Tensor<1>>>,
}

impl Linear {
    fn weights(&self) -> LinearWeights<Dispatch> {
        LinearWeights {
            weight: some(self.weight.val()),
            bias: maybe(self.bias.as_ref().map(Param::val)),
        }
    }
}

#[derive(Module, Debug)]
struct AttentionModule {
    qkv: Linear,
    gain: Option<Param<Tensor<1>>>,
    output: Linear,
}

#[derive(Module, Debug)]
struct Mlp {
    up: Linear,
    down: Linear,
}

#[derive(Module, Debug)]
struct Block {
    attention_norm: NormModule,
    attention: AttentionModule,
    mlp_norm: NormModule,
    mlp: Mlp,
}

#[derive(Module, Debug)]
struct Output {
    weight: Option<Param<Tensor<2>>>,
    bias: Option<Param<Tensor<1>>>,
}

/// A byte transformer that can be trained.
#[derive(Module, Debug)]
pub(crate) struct Transformer {
    embedding: Embedding,
    position: Option<Positions>,
    blocks: Vec<Block>,
    final_norm: Option<NormModule>,
    output: Output,
    /// Fixed position embeddings, `[context, width]`.
    #[module(skip)]
    sinusoids: Option<Tensor<2>>,
    #[module(skip)]
    spec: Spec,
}

/// Another model that codes the same bytes.
pub(crate) struct Beside {
    /// What it says of the targets.
    pub other: Other,
    /// The gates of the mixture.
    pub gates: Tensor<1>,
}

/// Returns the dropout mask of the next site: `[rows, width]`.
pub(crate) type Masks<'a> = Option<&'a mut dyn FnMut() -> Tensor<2>>;

impl Transformer {
    /// The model with these parameters on `device`; trainable if the device supports
    /// automatic differentiation.
    pub fn new(parameters: &Parameters, device: &Device) -> Transformer {
        let spec = parameters.spec();
        let source = Source { parameters, device };
        let sinusoids = (spec.position == Position::Sinusoidal).then(|| {
            let table = sinusoidal_positions(spec.context, spec.width);
            let data = TensorData::new(table, [spec.context, spec.width]);
            Tensor::from_data(data, device)
        });
        Transformer {
            embedding: Embedding {
                weight: source.get("embedding.weight"),
                taps: source.find("embedding.taps"),
            },
            position: source
                .find("position.weight")
                .map(|weight| Positions { weight }),
            blocks: (0..spec.layers)
                .map(|i| source.block(&format!("blocks.{i}")))
                .collect(),
            final_norm: (spec.placement == Placement::Pre).then(|| source.norm("final_norm")),
            output: Output {
                weight: source.find("output.weight"),
                bias: source.find("output.bias"),
            },
            sinusoids,
            spec: spec.clone(),
        }
    }

    /// The mean loss in nats, `[1]`, of predicting `targets` from `inputs`:
    /// concatenated sequences of `length` bytes (at most the context). With another model
    /// `beside`, it is the code length of the mixture.
    pub fn loss(
        &self,
        inputs: Tokens,
        targets: Tokens,
        length: usize,
        beside: Option<Beside>,
        mut masks: Masks,
    ) -> Tensor<1> {
        let spec = &self.spec;
        let mut mask = || masks.as_mut().map(|next| next());
        let positions = match &self.position {
            Some(learned) => Some(learned.weight.val()),
            None => self.sinusoids.clone(),
        };
        // `f32::sqrt` is correctly rounded on every platform.
        let scale = match spec.scale_embedding {
            true => (spec.width as f32).sqrt(),
            false => 1.0,
        };
        let embedding = EmbeddingWeights {
            weight: some(self.embedding.weight.val()),
            taps: maybe(self.embedding.taps.as_ref().map(Param::val)),
            position: maybe(positions),
        };
        let layer = EmbeddingLayer {
            length,
            scale,
            distances: spec.tap_distances().into(),
        };
        let mut x = ops::embedding(embedding, mask(), inputs, layer);
        for block in &self.blocks {
            let attention = AttentionWeights {
                norm: block.attention_norm.weights(),
                qkv: block.attention.qkv.weights(),
                gain: maybe(block.attention.gain.as_ref().map(Param::val)),
                output: block.attention.output.weights(),
            };
            x = ops::attention_layer(x, attention, mask(), attention_layer(spec, length));
            let mlp = MlpWeights {
                norm: block.mlp_norm.weights(),
                up: block.mlp.up.weights(),
                down: block.mlp.down.weights(),
            };
            x = ops::mlp_layer(x, mlp, mask(), mlp_layer(spec));
        }
        let norm = self.final_norm.as_ref();
        let weights = HeadWeights {
            norm: maybe(norm.map(|n| n.weight.val())),
            norm_bias: maybe(norm.and_then(|n| n.bias.as_ref()).map(Param::val)),
            weight: match &self.output.weight {
                Some(weight) => some(weight.val()),
                None => some(self.embedding.weight.val()),
            },
            bias: maybe(self.output.bias.as_ref().map(Param::val)),
        };
        let head = Head {
            norm: spec.norm,
            tied: spec.tied,
        };
        match beside {
            None => ops::head_loss(x, weights, targets, head),
            Some(Beside { other, gates }) => {
                ops::head_mixture(x, weights, gates, targets, other, head)
            }
        }
    }
}

fn attention_layer(spec: &Spec, length: usize) -> AttentionLayer {
    AttentionLayer {
        attention: Attention {
            heads: spec.heads,
            head_dim: spec.head_dim(),
            rope: spec.position == Position::Rope,
            window: spec.window,
        },
        length,
        norm: spec.norm,
        placement: spec.placement,
    }
}

fn mlp_layer(spec: &Spec) -> MlpLayer {
    MlpLayer {
        activation: spec.activation,
        norm: spec.norm,
        placement: spec.placement,
    }
}

/// Builds modules from named parameters.
struct Source<'a> {
    parameters: &'a Parameters,
    device: &'a Device,
}

impl Source<'_> {
    fn find<const D: usize>(&self, name: &str) -> Option<Param<Tensor<D>>> {
        let (info, values) = self.parameters.get(name)?;
        let data = TensorData::new(values.to_vec(), info.shape.clone());
        Some(Param::from_tensor(Tensor::from_data(data, self.device)))
    }

    fn get<const D: usize>(&self, name: &str) -> Param<Tensor<D>> {
        let found = self.find(name);
        found.expect("a tensor that every spec of this kind has")
    }

    fn norm(&self, name: &str) -> NormModule {
        NormModule {
            weight: self.get(&format!("{name}.weight")),
            bias: match self.parameters.spec().norm {
                Norm::Layer => Some(self.get(&format!("{name}.bias"))),
                Norm::Rms => None,
            },
        }
    }

    fn linear(&self, name: &str) -> Linear {
        Linear {
            weight: self.get(&format!("{name}.weight")),
            bias: self.find(&format!("{name}.bias")),
        }
    }

    fn block(&self, name: &str) -> Block {
        Block {
            attention_norm: self.norm(&format!("{name}.attention_norm")),
            attention: AttentionModule {
                qkv: self.linear(&format!("{name}.attention.qkv")),
                gain: self.find(&format!("{name}.attention.gain")),
                output: self.linear(&format!("{name}.attention.output")),
            },
            mlp_norm: self.norm(&format!("{name}.mlp_norm")),
            mlp: Mlp {
                up: self.linear(&format!("{name}.mlp.up")),
                down: self.linear(&format!("{name}.mlp.down")),
            },
        }
    }
}
