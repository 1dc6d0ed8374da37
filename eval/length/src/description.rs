//! The description length of bytes under a model.

use crate::{Convention, Regime};

/// Bytes per parameter by the convention [`fp16`](Convention::FP16).
pub const FP16_BYTES: u64 = 2;

/// The evidence for a length.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Evidence {
    /// The length of an archive which was decoded to the same bytes.
    Decoded,
    /// A code length under the same integer frequencies; no archive was decoded.
    Estimate,
}

/// The bytes that a length describes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Scored {
    /// Number of bytes.
    pub bytes: u64,
    /// BLAKE3 of the bytes in hexadecimal; empty if unknown.
    pub hash: String,
}

/// Bytes of data and model by one convention.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Code {
    /// Convention by which the model is counted.
    pub convention: Convention,
    /// Bytes of the coded data. Quantised weights give another length than the weights
    /// as trained.
    pub coded_bytes: u64,
    /// Bytes of the model.
    pub model_bytes: u64,
}

/// The description length of data: bytes of coded data and model together, and the
/// bytes that the model is charged to.
///
/// This is the only place where rates are computed from lengths:
///
/// ```text
/// raw rate       = coded / n
/// adjusted rate  = coded / n + model / charged
/// ```
///
/// with n the bytes described and `charged` the bytes that the model is charged to
/// ([`Regime::charged_to`]); if these are the same bytes, the adjusted rate is (coded +
/// model) / n, the length of a two-part code. A prequential code has this form too,
/// with its recipe in place of the model.
///
/// ```
/// use brevity_length::{Description, Evidence, Regime, Scored};
///
/// // 2,000 held-out bytes under a model of 100 parameters, trained on 10,000.
/// let scored = Scored { bytes: 2_000, hash: String::new() };
/// let found = Description::two_part(Regime::HeldOut, scored, 7_840.0, 980, 100, 10_000)
///     .evidence(Evidence::Decoded);
/// assert_eq!(found.raw_rate(), 0.49);
/// assert_eq!(found.adjusted_rate("fp16"), Some(0.49 + 200.0 / 10_000.0));
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct Description {
    regime: Regime,
    scored: Scored,
    bits: f64,
    /// The first is that of the weights as trained.
    codes: Vec<Code>,
    charged_to: u64,
    evidence: Evidence,
    block_bits: Vec<u64>,
}

impl Description {
    /// The description of data by a trained model: `bits` is the exact code length
    /// under the weights as trained, `coded_bytes` its length as a stream. The model is
    /// counted as [`fp16`](Convention::FP16); [`with`](Self::with) adds other
    /// conventions. The lengths are estimates unless [`evidence`](Self::evidence) sets
    /// otherwise.
    #[must_use]
    pub fn two_part(
        regime: Regime,
        scored: Scored,
        bits: f64,
        coded_bytes: u64,
        parameters: u64,
        trained_on: u64,
    ) -> Description {
        let charged_to = regime.charged_to(scored.bytes, trained_on);
        let code = Code {
            convention: Convention::fp16(),
            coded_bytes,
            model_bytes: parameters.saturating_mul(FP16_BYTES),
        };
        Description::new(regime, scored, bits, code, charged_to)
    }

    /// The description of data coded while they are learned; `recipe_bytes` are the
    /// bytes of the recipe.
    #[must_use]
    pub fn prequential(
        scored: Scored,
        bits: f64,
        coded_bytes: u64,
        recipe_bytes: u64,
    ) -> Description {
        let charged_to = scored.bytes;
        let code = Code {
            convention: Convention::prequential(),
            coded_bytes,
            model_bytes: recipe_bytes,
        };
        Description::new(Regime::Prequential, scored, bits, code, charged_to)
    }

    /// The description of data by a model that is counted by one convention, such as one
    /// of another program. The lengths are estimates, as in
    /// [`two_part`](Self::two_part).
    #[must_use]
    pub fn by(
        regime: Regime,
        scored: Scored,
        bits: f64,
        code: Code,
        trained_on: u64,
    ) -> Description {
        let charged_to = regime.charged_to(scored.bytes, trained_on);
        Description::new(regime, scored, bits, code, charged_to)
    }

    pub(crate) fn new(
        regime: Regime,
        scored: Scored,
        bits: f64,
        first: Code,
        charged_to: u64,
    ) -> Description {
        Description {
            regime,
            scored,
            bits,
            codes: vec![first],
            charged_to,
            evidence: Evidence::Estimate,
            block_bits: Vec::new(),
        }
    }

    /// Adds the lengths by one more convention, or replaces those it has.
    #[must_use]
    pub fn with(mut self, code: Code) -> Description {
        match self
            .codes
            .iter_mut()
            .find(|c| c.convention == code.convention)
        {
            Some(known) => *known = code,
            None => self.codes.push(code),
        }
        self
    }

    /// The same lengths, as those of a mixture of the model with context models: their
    /// conventions become [`mixed`](Convention::mixed).
    #[must_use]
    pub fn by_mixture(mut self) -> Description {
        for code in &mut self.codes {
            code.convention = code.convention.mixed();
        }
        self
    }

    /// Sets the evidence for the lengths.
    #[must_use]
    pub fn evidence(mut self, evidence: Evidence) -> Description {
        self.evidence = evidence;
        self
    }

    /// Adds the code lengths, in whole bits, of contiguous blocks of about equal length
    /// that make up the data. The block bootstrap resamples them.
    #[must_use]
    pub fn with_blocks(mut self, block_bits: Vec<u64>) -> Description {
        self.block_bits = block_bits;
        self
    }

    /// How the data relate to the model's training data.
    #[must_use]
    pub fn regime(&self) -> Regime {
        self.regime
    }

    /// The data.
    #[must_use]
    pub fn scored(&self) -> &Scored {
        &self.scored
    }

    /// Exact code length of the data under the weights as trained, in bits.
    #[must_use]
    pub fn bits(&self) -> f64 {
        self.bits
    }

    /// Bits per byte; 0 for no bytes.
    #[must_use]
    pub fn bits_per_byte(&self) -> f64 {
        self.bits / self.scored.bytes.max(1) as f64
    }

    /// Bytes of the data coded under the weights as trained.
    #[must_use]
    pub fn coded_bytes(&self) -> u64 {
        self.codes[0].coded_bytes
    }

    /// Lengths by convention; the first is that of the weights as trained.
    #[must_use]
    pub fn codes(&self) -> &[Code] {
        &self.codes
    }

    /// Lengths by this convention.
    #[must_use]
    pub fn code(&self, convention: &str) -> Option<&Code> {
        self.codes
            .iter()
            .find(|code| code.convention.as_str() == convention)
    }

    /// Number of bytes that the model is charged to.
    #[must_use]
    pub fn charged_to(&self) -> u64 {
        self.charged_to
    }

    /// Whether the lengths are those of decoded archives.
    #[must_use]
    pub fn is_decoded(&self) -> bool {
        self.evidence == Evidence::Decoded
    }

    /// Code lengths of blocks of the data in whole bits; empty if not recorded.
    #[must_use]
    pub fn block_bits(&self) -> &[u64] {
        &self.block_bits
    }

    /// Raw rate: coded over raw bytes, under the weights as trained. Not a code by
    /// itself if the model has seen the data.
    #[must_use]
    pub fn raw_rate(&self) -> f64 {
        self.rate(&self.codes[0])
    }

    /// Adjusted rate: coded bytes over raw bytes, plus model bytes over the bytes they
    /// are charged to.
    #[must_use]
    pub fn adjusted_rate(&self, convention: &str) -> Option<f64> {
        let code = self.code(convention)?;
        let model = code.model_bytes as f64;
        if self.charged_to == self.scored.bytes {
            return Some((code.coded_bytes as f64 + model) / self.charged_to.max(1) as f64);
        }
        Some(self.rate(code) + model / self.charged_to.max(1) as f64)
    }

    /// Coded bytes over raw bytes by a convention: the adjusted rate without the model.
    #[must_use]
    pub fn coded_rate(&self, convention: &str) -> Option<f64> {
        Some(self.rate(self.code(convention)?))
    }

    /// Coded bytes scaled to the number of bytes that the model is charged to. Their
    /// sum with the model bytes is the length whose minimum is the critical size.
    #[must_use]
    pub fn charged_coded_bytes(&self, convention: &str) -> Option<f64> {
        let code = self.code(convention)?;
        if self.charged_to == self.scored.bytes {
            return Some(code.coded_bytes as f64);
        }
        Some(self.rate(code) * self.charged_to as f64)
    }

    /// Prequential rate: coded bytes and recipe over raw bytes, for a prequential code.
    #[must_use]
    pub fn prequential_rate(&self) -> Option<f64> {
        self.adjusted_rate(Convention::PREQUENTIAL)
    }

    fn rate(&self, code: &Code) -> f64 {
        code.coded_bytes as f64 / self.scored.bytes.max(1) as f64
    }
}
