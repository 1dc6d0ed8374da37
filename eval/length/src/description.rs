//! The description length of some bytes under a model.

use crate::{Convention, Regime};

/// Bytes of a parameter by the convention [`fp16`](Convention::FP16).
pub const FP16_BYTES: u64 = 2;

/// How sure a length is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Evidence {
    /// It is that of an archive which was decoded to the same bytes.
    Decoded,
    /// It is a code length under the same integer frequencies; no archive was decoded.
    Estimate,
}

/// The bytes that a length describes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Scored {
    /// How many.
    pub bytes: u64,
    /// BLAKE3 of them, in hexadecimal; empty when not known.
    pub hash: String,
}

/// Data and model in bytes by one convention.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Code {
    /// How the model is counted.
    pub convention: Convention,
    /// Bytes of the coded data. Weights that are quantised to be stored code the data in
    /// another length than those that were trained.
    pub coded_bytes: u64,
    /// Bytes of the model.
    pub model_bytes: u64,
}

/// How many bytes some data and a model take together, and who pays for the model.
///
/// This is the one place where rates are made of lengths:
///
/// ```text
/// raw rate       = coded / n
/// adjusted rate  = coded / n + model / charged
/// ```
///
/// with n the bytes described and `charged` the bytes that pay for the model
/// ([`Regime::charged_to`]); where these are the same bytes the adjusted rate is
/// (coded + model) / n, the length of a two-part code. A prequential code is of that
/// form too, with its recipe in place of the model.
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
    /// The first is of the weights as they are.
    codes: Vec<Code>,
    charged_to: u64,
    evidence: Evidence,
    block_bits: Vec<u64>,
}

impl Description {
    /// Data under a trained model: `bits` is the exact code length under the weights as
    /// they are, `coded_bytes` what that takes as a stream. The model is counted as
    /// [`fp16`](Convention::FP16); [`with`](Self::with) adds other conventions. An
    /// estimate until [`evidence`](Self::evidence) says otherwise.
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

    /// Data coded while they were learned; `recipe_bytes` repeat the learning.
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

    /// Adds data and model by one more convention, in place of what it had by that.
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

    /// Says how sure the lengths are.
    #[must_use]
    pub fn evidence(mut self, evidence: Evidence) -> Description {
        self.evidence = evidence;
        self
    }

    /// Adds the code lengths, in whole bits, of contiguous blocks of about equal length
    /// that make up the data. They are what a bootstrap draws.
    #[must_use]
    pub fn with_blocks(mut self, block_bits: Vec<u64>) -> Description {
        self.block_bits = block_bits;
        self
    }

    /// How the data relate to what the model has seen.
    #[must_use]
    pub fn regime(&self) -> Regime {
        self.regime
    }

    /// The data.
    #[must_use]
    pub fn scored(&self) -> &Scored {
        &self.scored
    }

    /// Exact code length of the data under the weights as they are, bits.
    #[must_use]
    pub fn bits(&self) -> f64 {
        self.bits
    }

    /// The same a byte; 0 for no bytes.
    #[must_use]
    pub fn bits_per_byte(&self) -> f64 {
        self.bits / self.scored.bytes.max(1) as f64
    }

    /// Bytes of the data as coded under the weights as they are.
    #[must_use]
    pub fn coded_bytes(&self) -> u64 {
        self.codes[0].coded_bytes
    }

    /// Data and model by convention: first that of the weights as they are.
    #[must_use]
    pub fn codes(&self) -> &[Code] {
        &self.codes
    }

    /// Data and model by this convention.
    #[must_use]
    pub fn code(&self, convention: &str) -> Option<&Code> {
        self.codes
            .iter()
            .find(|code| code.convention.as_str() == convention)
    }

    /// Bytes that pay for the model.
    #[must_use]
    pub fn charged_to(&self) -> u64 {
        self.charged_to
    }

    /// Whether the lengths are those of decoded archives.
    #[must_use]
    pub fn is_decoded(&self) -> bool {
        self.evidence == Evidence::Decoded
    }

    /// Code lengths of blocks of the data, whole bits; empty when not kept.
    #[must_use]
    pub fn block_bits(&self) -> &[u64] {
        &self.block_bits
    }

    /// Coded bytes over bytes, under the weights as they are. No code by itself where
    /// the model has seen the data.
    #[must_use]
    pub fn raw_rate(&self) -> f64 {
        self.rate(&self.codes[0])
    }

    /// Coded bytes over bytes, and model bytes over the bytes that pay for them.
    #[must_use]
    pub fn adjusted_rate(&self, convention: &str) -> Option<f64> {
        let code = self.code(convention)?;
        let model = code.model_bytes as f64;
        if self.charged_to == self.scored.bytes {
            return Some((code.coded_bytes as f64 + model) / self.charged_to.max(1) as f64);
        }
        Some(self.rate(code) + model / self.charged_to.max(1) as f64)
    }

    /// Coded bytes over bytes by a convention: what the adjusted rate counts beyond the
    /// model.
    #[must_use]
    pub fn coded_rate(&self, convention: &str) -> Option<f64> {
        Some(self.rate(self.code(convention)?))
    }

    /// Coded bytes of as many bytes as pay for the model, at the rate of the data. With
    /// the model bytes they make the length whose minimum is the critical size.
    #[must_use]
    pub fn charged_coded_bytes(&self, convention: &str) -> Option<f64> {
        let code = self.code(convention)?;
        if self.charged_to == self.scored.bytes {
            return Some(code.coded_bytes as f64);
        }
        Some(self.rate(code) * self.charged_to as f64)
    }

    /// Coded bytes and recipe over bytes, for a prequential code.
    #[must_use]
    pub fn prequential_rate(&self) -> Option<f64> {
        self.adjusted_rate(Convention::PREQUENTIAL)
    }

    fn rate(&self, code: &Code) -> f64 {
        code.coded_bytes as f64 / self.scored.bytes.max(1) as f64
    }
}
