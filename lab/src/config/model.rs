//! The `[model]` table: a preset, a width, and the fields that differ from the preset.

use brevity_model::{Activation, Norm, Placement, Position, Spec, SpecError};
use serde::{Deserialize, Serialize};

/// The source of the defaults of `[model]`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Preset {
    /// [`Spec::brevity`], with the aspect rule of [`Spec::aspect`].
    #[default]
    Brevity,
    /// [`Spec::lmic`]: 4 layers, heads of at most 32, context 2048.
    Lmic,
}

/// The `[model]` table. Only `width` is required; any other field of [`Spec`] replaces
/// the preset's.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct ModelConfig {
    /// Where the defaults come from.
    pub preset: Preset,
    /// Width of the residual stream.
    pub width: Option<usize>,
    /// Transformer blocks; by default by the preset's rule.
    pub layers: Option<usize>,
    /// Attention heads; by default by the preset's rule.
    pub heads: Option<usize>,
    /// Width of the feed-forward layer; by default four times the width, for
    /// SwiGLU 8/3 of it rounded up to a multiple of 8.
    pub hidden: Option<usize>,
    /// Earlier bytes whose embeddings are added to that of each byte.
    pub taps: Option<usize>,
    /// Further earlier bytes whose embeddings are added: distances from the predicted
    /// byte, such as the bytes of a picture's row.
    pub lags: Option<Vec<usize>>,
    /// Sequence length in bytes; by default 256, for `lmic` 2048.
    pub context: Option<usize>,
    /// Attention window; with it, scoring and coding treat the data as one unbounded
    /// stream.
    pub window: Option<usize>,
    /// Kind of normalisation.
    pub norm: Option<Norm>,
    /// Place of the normalisation.
    pub placement: Option<Placement>,
    /// Position information.
    pub position: Option<Position>,
    /// Feed-forward nonlinearity.
    pub activation: Option<Activation>,
    /// Biases in the feed-forward projections.
    pub mlp_bias: Option<bool>,
    /// Biases in the attention projections.
    pub attention_bias: Option<bool>,
    /// A bias on the output logits.
    pub output_bias: Option<bool>,
    /// Tied embeddings: the output projection is the transposed embedding.
    pub tied: Option<bool>,
    /// Multiply the embedding by `sqrt(width)`.
    pub scale_embedding: Option<bool>,
    /// RMS-normalise queries and keys.
    pub qk_norm: Option<bool>,
}

impl ModelConfig {
    /// The complete, valid spec that this table describes.
    ///
    /// # Errors
    /// The invalid field; `width` when it is absent.
    pub fn resolve(&self) -> Result<Spec, SpecError> {
        let width = self.width.filter(|width| *width > 0).ok_or(SpecError {
            field: "width",
            reason: match self.width {
                None => "a model needs a width; give one here or as an axis of the sweep".into(),
                Some(_) => "0 is not between 1 and 16384".into(),
            },
        })?;
        let mut spec = match self.preset {
            Preset::Brevity => Spec::aspect(width, 256),
            Preset::Lmic => Spec::lmic(width, 4, (width / 32).max(4), 2048),
        };
        if self.activation == Some(Activation::Swiglu) {
            // SwiGLU's three matrices then have the parameters of the usual two.
            spec.hidden = (8 * width).div_ceil(3).next_multiple_of(8);
        }
        fill(&mut spec.layers, self.layers);
        fill(&mut spec.heads, self.heads);
        fill(&mut spec.hidden, self.hidden);
        fill(&mut spec.taps, self.taps);
        fill(&mut spec.lags, self.lags.clone());
        fill(&mut spec.context, self.context);
        spec.window = self.window.or(spec.window);
        fill(&mut spec.norm, self.norm);
        fill(&mut spec.placement, self.placement);
        fill(&mut spec.position, self.position);
        fill(&mut spec.activation, self.activation);
        fill(&mut spec.mlp_bias, self.mlp_bias);
        fill(&mut spec.attention_bias, self.attention_bias);
        fill(&mut spec.output_bias, self.output_bias);
        fill(&mut spec.tied, self.tied);
        fill(&mut spec.scale_embedding, self.scale_embedding);
        fill(&mut spec.qk_norm, self.qk_norm);
        spec.validate()?;
        Ok(spec)
    }
}

fn fill<T>(field: &mut T, value: Option<T>) {
    if let Some(value) = value {
        *field = value;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn model(text: &str) -> ModelConfig {
        toml::from_str(text).unwrap()
    }

    #[test]
    fn presets_fill_in_what_is_absent() {
        let spec = model("width = 64").resolve().unwrap();
        assert_eq!(spec, Spec::aspect(64, 256));
        let spec = model("preset = \"lmic\"\nwidth = 64").resolve().unwrap();
        assert_eq!(spec, Spec::lmic(64, 4, 4, 2048));
        assert_eq!(spec.parameters(), 231_936);
        let spec = model("preset = \"lmic\"\nwidth = 256\nposition = \"rope\"").resolve();
        let spec = spec.unwrap();
        assert_eq!((spec.heads, spec.position), (8, Position::Rope));
    }

    #[test]
    fn a_complete_spec_is_a_model_table() {
        let picture = Spec {
            lags: vec![63, 64, 65],
            ..Spec::aspect(16, 128)
        };
        for spec in [Spec::lmic(48, 3, 2, 77), Spec::aspect(40, 128), picture] {
            let text = toml::to_string(&spec).unwrap();
            assert_eq!(model(&text).resolve().unwrap(), spec);
        }
    }

    #[test]
    fn nonsense_names_its_field() {
        for (text, field) in [
            ("", "width"),
            ("width = 0", "width"),
            ("width = 64\nheads = 5", "heads"),
            ("width = 64\ncontext = 0", "context"),
            ("width = 64\nwindow = 1000", "window"),
            ("width = 64\nlags = [4]", "lags"),
            ("width = 64\nlags = [64, 63]", "lags"),
            ("width = 64\nlags = [256]", "lags"),
        ] {
            assert_eq!(model(text).resolve().unwrap_err().field, field, "{text}");
        }
    }
}
