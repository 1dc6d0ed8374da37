//! From named tensors to the parameters of a [`Spec`].

use super::tensors::{Fused, Tensors};
use crate::error::Problem;
use crate::spec::{Norm, Placement, Positions, Spec};
use crate::weights::{Gains, Layer, Weights};

/// What the tensors of a family are called. Those of a block come after
/// [`Names::block`] and the block's number; an empty name is one that the family
/// does not have.
#[derive(Clone, Copy, Debug, Default)]
pub struct Names {
    pub embedding: &'static str,
    pub positions: &'static str,
    pub block: &'static str,
    pub attention_norm: &'static str,
    pub query: &'static str,
    pub key: &'static str,
    pub value: &'static str,
    /// Instead of the three before.
    pub fused: Option<(&'static str, Fused)>,
    pub query_norm: &'static str,
    pub key_norm: &'static str,
    pub out: &'static str,
    pub attention_after: &'static str,
    pub hidden_norm: &'static str,
    /// Of a gated layer.
    pub gate: &'static str,
    pub up: &'static str,
    pub down: &'static str,
    pub hidden_after: &'static str,
    pub last_norm: &'static str,
    pub output: &'static str,
}

/// Takes all parameters; `tied` says whether the output layer is the embedding,
/// `None` that it is if there is no other.
pub fn weights(
    names: &Names,
    spec: &Spec,
    tied: Option<bool>,
    tensors: &mut Tensors,
) -> Result<Weights, Problem> {
    let width = spec.width;
    let name = format!("{}.weight", names.embedding);
    let embedding = tensors.matrix(&name, spec.vocabulary, width)?;
    let positions = match spec.positions {
        Positions::Learned => {
            let name = format!("{}.weight", names.positions);
            Some(tensors.matrix(&name, spec.context, width)?)
        }
        Positions::Rotary { .. } => None,
    };
    let layers = (0..spec.layers())
        .map(|i| layer(names, spec, i, tensors))
        .collect::<Result<_, _>>()?;
    let last_norm = gains(tensors, names.last_norm, spec)?;
    let tied = tied.unwrap_or_else(|| !tensors.has(&format!("{}.weight", names.output)));
    let output = match tied {
        true => None,
        false => {
            // The output layer is never transposed, not even in GPT-2's files.
            let transposed = std::mem::take(&mut tensors.transposed);
            let output = tensors.linear(names.output, spec.vocabulary, width);
            tensors.transposed = transposed;
            Some(output?)
        }
    };
    Ok(Weights {
        embedding,
        positions,
        layers,
        last_norm,
        output,
    })
}

fn layer(names: &Names, spec: &Spec, i: usize, tensors: &mut Tensors) -> Result<Layer, Problem> {
    let at = |name: &str| format!("{}{i}.{name}", names.block);
    let (width, hidden, head_dim) = (spec.width, spec.hidden, spec.head_dim);
    let (q, kv) = (spec.heads * head_dim, spec.kv_heads * head_dim);
    let mut norm = |wanted: bool, name: &str| match wanted {
        true => gains(tensors, &at(name), spec).map(Some),
        false => Ok(None),
    };
    let (before, after) = (
        spec.placement != Placement::After,
        spec.placement != Placement::Before,
    );
    let attention_norm = norm(before, names.attention_norm)?;
    let hidden_norm = norm(before, names.hidden_norm)?;
    let attention_after = norm(after, names.attention_after)?;
    let hidden_after = norm(after, names.hidden_after)?;
    let [query, key, value] = match names.fused {
        Some((name, fused)) => tensors.fused(&at(name), fused, (q, kv, head_dim), width)?,
        None => [
            tensors.linear(&at(names.query), q, width)?,
            tensors.linear(&at(names.key), kv, width)?,
            tensors.linear(&at(names.value), kv, width)?,
        ],
    };
    let gate = match names.gate {
        "" => None,
        name => Some(tensors.linear(&at(name), hidden, width)?),
    };
    Ok(Layer {
        attention_norm,
        query_norm: tensors.gains_of(&at(names.query_norm), [head_dim, q])?,
        key_norm: tensors.gains_of(&at(names.key_norm), [head_dim, kv])?,
        query,
        key,
        value,
        out: tensors.linear(&at(names.out), width, q)?,
        attention_after,
        hidden_norm,
        gate,
        up: tensors.linear(&at(names.up), hidden, width)?,
        down: tensors.linear(&at(names.down), width, hidden)?,
        hidden_after,
    })
}

/// The parameters of a norm over the width: layer norm has biases too.
fn gains(tensors: &mut Tensors, base: &str, spec: &Spec) -> Result<Gains, Problem> {
    let gains = tensors.gains(base, spec.width)?;
    match (spec.norm, &gains.bias) {
        (Norm::Layer, None) => Err(Problem::NoTensor(format!("{base}.bias"))),
        (Norm::Rms, Some(_)) => Err(Problem::Unsupported {
            field: format!("{base}.bias"),
            value: "a bias after an RMS norm".into(),
        }),
        _ => Ok(gains),
    }
}
