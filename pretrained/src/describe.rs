//! What a model is, for people and programs.

use crate::model::Model;
use crate::weights::Matrix;
use serde::Serialize;
use std::collections::BTreeMap;
use std::fmt;

/// What [`Model::load`] found.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Description {
    /// The family, by the name that its file gives it.
    pub family: String,
    /// The name that it gives itself.
    pub name: Option<String>,
    /// The licence that it names.
    pub license: Option<String>,
    /// Number of parameters.
    pub parameters: u64,
    /// Number of blocks.
    pub layers: usize,
    /// Width of the residual stream.
    pub width: usize,
    /// Heads of queries.
    pub heads: usize,
    /// Heads of keys and values.
    pub kv_heads: usize,
    /// Components of a head.
    pub head_dim: usize,
    /// Width of the feed-forward layer.
    pub hidden: usize,
    /// Tokens.
    pub vocabulary: usize,
    /// Tokens without bytes: control tokens and padding.
    pub control_tokens: usize,
    /// Values of a byte that have no token of their own.
    pub missing_bytes: usize,
    /// Positions.
    pub context: usize,
    /// Whether the output layer is the embedding.
    pub tied: bool,
    /// Matrices in each form of storage.
    pub formats: BTreeMap<&'static str, usize>,
    /// Bytes of a description of the model.
    pub model_bytes: ModelBytes,
    /// Bytes of keys and values a token.
    pub token_memory: usize,
    /// BLAKE3 hash of its files, hexadecimal.
    pub hash: String,
}

/// Bytes of a description of a model, by the convention.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct ModelBytes {
    /// The files as they stand.
    pub stored: u64,
    /// Two bytes a parameter.
    pub fp16: u64,
}

impl Model {
    /// Bytes of a description of the model.
    pub fn model_bytes(&self) -> ModelBytes {
        ModelBytes {
            stored: self.origin().bytes,
            fp16: 2 * self.weights().parameters(),
        }
    }

    /// What the model is.
    pub fn describe(&self) -> Description {
        let (spec, weights, origin) = (self.spec(), self.weights(), self.origin());
        let mut formats = BTreeMap::new();
        let mut count = |matrix: &Matrix| *formats.entry(matrix.format().name()).or_insert(0) += 1;
        count(&weights.embedding);
        weights.positions.iter().for_each(&mut count);
        weights.output.iter().for_each(|l| count(&l.matrix));
        for layer in &weights.layers {
            let linears = [&layer.query, &layer.key, &layer.value, &layer.out];
            let others = [&layer.up, &layer.down].into_iter().chain(&layer.gate);
            linears
                .into_iter()
                .chain(others)
                .for_each(|l| count(&l.matrix));
        }
        Description {
            family: spec.family.clone(),
            name: origin.name.clone(),
            license: origin.license.clone(),
            parameters: weights.parameters(),
            layers: spec.layers(),
            width: spec.width,
            heads: spec.heads,
            kv_heads: spec.kv_heads,
            head_dim: spec.head_dim,
            hidden: spec.hidden,
            vocabulary: spec.vocabulary,
            control_tokens: self.vocabulary().barred().len(),
            missing_bytes: self.vocabulary().missing_bytes(),
            context: spec.context,
            tied: weights.output.is_none(),
            formats,
            model_bytes: self.model_bytes(),
            token_memory: spec.position_bytes(),
            hash: origin
                .hash
                .iter()
                .map(|byte| format!("{byte:02x}"))
                .collect(),
        }
    }
}

impl fmt::Display for Description {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        let name = self.name.as_deref().unwrap_or("-");
        let license = self.license.as_deref().unwrap_or("not named");
        let formats = self.formats.iter().map(|(name, n)| format!("{n} {name}"));
        let formats: Vec<String> = formats.collect();
        writeln!(f, "name        {name}")?;
        writeln!(f, "family      {}", self.family)?;
        writeln!(f, "licence     {license}")?;
        writeln!(f, "parameters  {}", self.parameters)?;
        writeln!(
            f,
            "shape       {} layers, width {}, {} heads of {} ({} for keys and values), hidden {}",
            self.layers, self.width, self.heads, self.head_dim, self.kv_heads, self.hidden
        )?;
        writeln!(
            f,
            "vocabulary  {} tokens, {} of them control or padding; {} bytes without a token",
            self.vocabulary, self.control_tokens, self.missing_bytes
        )?;
        writeln!(f, "context     {} tokens", self.context)?;
        writeln!(f, "matrices    {}", formats.join(", "))?;
        writeln!(
            f,
            "bytes       {} stored, {} at 2 bytes a parameter",
            self.model_bytes.stored, self.model_bytes.fp16
        )?;
        writeln!(
            f,
            "memory      {} bytes a token and lane",
            self.token_memory
        )?;
        writeln!(f, "hash        {}", self.hash)
    }
}
