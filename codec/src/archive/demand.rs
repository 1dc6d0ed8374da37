//! What decoding an archive asks for, counted from its headers before any of it is
//! spent.
//!
//! Memory is the sum of every buffer: the model unpacked, the predictors' state, the
//! context models, the block and its payload. Work is the floating-point operations of
//! the model. That of context models is told in seconds and has no limit: it grows with
//! the bytes that come out, a model's with whatever a stranger wrote into its recipe.

use super::error::Error;
use super::extent::Extent;
use super::layout::Header;
use super::limits::{Demand, Limits};
use super::models::Models;
use crate::block;
use crate::cdf::Frequencies;
use crate::cm::{self, Level, Transform};
use crate::layout::Layout;
use crate::predict::{Model, Shape};
use brevity_model::Spec;

/// Seconds that context models take for a byte (`docs/recipe.md`; version 1 by its ratio to
/// level 5).
fn seconds_a_byte(models: cm::Models) -> f64 {
    match models.level() {
        None => 0.8e-6,
        Some(Level::Fast) => 0.5e-6,
        Some(Level::Default) => 2.0e-6,
        Some(Level::Best) if models.has_network() => 16e-6,
        Some(Level::Best) => 8e-6,
    }
}

/// What of a model is known before it is unpacked.
pub(super) enum Needs<'a> {
    Nothing,
    /// A stored model, with its length in the archive.
    Stored(Spec, u64),
    /// The caller's model.
    External(Spec),
    /// A learning model, or one from outside.
    Made(Box<dyn Model + 'a>),
    /// A model that the caller does not have.
    Missing,
}

impl<'a> Needs<'a> {
    /// What the header says.
    ///
    /// # Errors
    /// A spec or a recipe that is invalid.
    pub fn of(header: &Header, offset: u64, models: &Models<'a>) -> Result<Needs<'a>, Error> {
        Ok(match header {
            Header::Plain => Needs::Nothing,
            Header::Embedded(bytes) => match Spec::from_bytes(bytes) {
                Ok((spec, _)) => Needs::Stored(spec, bytes.len() as u64),
                Err(error) => {
                    let source = error.into();
                    return Err(Error::Model { offset, source });
                }
            },
            Header::External(_) => match models.external {
                Some(weights) => Needs::External(weights.spec().clone()),
                None => Needs::Missing,
            },
            Header::Recipe(bytes) => match models.follow(bytes) {
                Some(model) => {
                    Needs::Made(model.map_err(|reason| Error::Recipe { offset, reason })?)
                }
                None => Needs::Missing,
            },
            Header::Outside(described) => match models.outside {
                Some(find) => {
                    Needs::Made(find(described).map_err(|reason| Error::Predictor { reason })?)
                }
                None => Needs::Missing,
            },
        })
    }

    /// Bytes of the unpacked model.
    fn model_memory(&self) -> u64 {
        match self {
            Needs::Nothing | Needs::Missing | Needs::Made(_) => 0,
            // The weights go once the model is made of them.
            Needs::Stored(spec, stored) => stored
                .saturating_add(spec.weights_memory())
                .saturating_add(spec.transformer_memory()),
            Needs::External(spec) => spec.transformer_memory(),
        }
    }

    /// What decoding a block asks for; the model is counted with it.
    pub fn block(&self, extent: &Extent) -> Demand {
        let raw = extent.raw;
        let transform = extent.models.map_or(Transform::None, cm::Models::transform);
        let coded = transform.coded_length(raw);
        // A payload is read in pieces, into a vector that grows.
        let mut memory = raw as u64 + 3 * extent.stored as u64;
        let (mut operations, mut context_seconds) = (0.0, 0.0);
        let (mut lanes, mut threads) = (0, 1);
        if extent.method.needs_model() {
            let most = 1 << extent.lanes_log2;
            let layout = |unit| Layout::new(coded, unit, most);
            let (state, work, layout) = match self {
                Needs::Stored(spec, _) | Needs::External(spec) => {
                    let shape = Shape(spec);
                    let layout = layout(shape.unit());
                    (shape.memory(&layout), shape.operations(&layout), layout)
                }
                Needs::Made(model) => {
                    let layout = layout(model.unit());
                    (model.memory(&layout), model.operations(&layout), layout)
                }
                Needs::Nothing | Needs::Missing => (0, 0.0, layout(1)),
            };
            lanes = layout.lanes();
            threads = match self {
                Needs::Stored(..) | Needs::External(_) => block::groups(lanes),
                // One that learns uses all of them; one from outside is there once.
                _ => rayon::current_num_threads(),
            };
            // Distributions: that of the next byte, and what they are made from.
            let distributions = (lanes * 2 * size_of::<Frequencies>()) as u64;
            memory = memory
                .saturating_add(self.model_memory())
                .saturating_add(state)
                .saturating_add(distributions);
            operations = work;
        }
        if let Some(models) = extent.models {
            // The history of lanes of unequal length grows beyond the block.
            let history = if lanes > 1 { 2 * coded as u64 } else { 0 };
            let contexts = models.memory(lanes.max(1), coded);
            memory = memory.saturating_add(contexts + history + transform.memory(raw));
            context_seconds = coded as f64 * seconds_a_byte(models);
        }
        Demand {
            memory,
            operations,
            context_seconds,
            lanes,
            threads,
            blocks: 1,
        }
    }
}

/// What the blocks so far have asked for, against the limits.
pub(super) struct Account<'a> {
    needs: Needs<'a>,
    limits: Limits,
    operations: f64,
}

impl<'a> Account<'a> {
    /// `offset` is where the model lies.
    pub fn new(header: &Header, offset: u64, models: &Models<'a>) -> Result<Account<'a>, Error> {
        Ok(Account {
            needs: Needs::of(header, offset, models)?,
            limits: models.limits,
            operations: 0.0,
        })
    }

    /// Takes a block in, before any of its memory or work is spent, and returns what it
    /// asks for.
    ///
    /// # Errors
    /// [`Error::Memory`] and [`Error::Work`].
    pub fn charge(&mut self, block: u64, extent: &Extent) -> Result<Demand, Error> {
        let demand = self.needs.block(extent);
        if demand.memory > self.limits.memory {
            return Err(Error::Memory {
                block,
                needs: demand.memory,
                limit: self.limits.memory,
            });
        }
        self.operations += demand.operations;
        if self.operations > self.limits.operations {
            return Err(Error::Work {
                block,
                needs: self.operations,
                limit: self.limits.operations,
            });
        }
        Ok(demand)
    }
}
