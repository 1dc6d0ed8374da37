//! What bit histories have meant, and its logit.

use super::history::{Histories, STATES};
use crate::cm::chance::{self, Chance};
use crate::cm::logistic::Logistic;

/// A meaning moves by at least `1 / (SLOWEST + 1.5)` of the way.
const SLOWEST: u32 = 1023;

/// The probability of a one after each history, and its logit.
pub struct Meanings([Meaning; STATES]);

#[derive(Clone, Copy)]
struct Meaning {
    chance: Chance,
    logit: f32,
}

impl Meanings {
    /// First guesses.
    pub fn new() -> Meanings {
        let logistic = Logistic::get();
        Meanings(Histories::get().guess.map(|p| Meaning {
            chance: chance::guess(p),
            logit: logistic.stretch(p),
        }))
    }

    /// The logit of a one after a history.
    #[inline(always)]
    pub fn logit(&self, history: usize) -> f32 {
        self.0[history].logit
    }

    /// Moves towards what came after a history.
    #[inline(always)]
    pub fn update(&mut self, history: usize, one: bool, logistic: &Logistic) {
        let meaning = &mut self.0[history];
        chance::update(&mut meaning.chance, one, SLOWEST);
        meaning.logit = logistic.stretch(chance::get(meaning.chance));
    }
}
