//! Archives of LSTM networks that learn while they code.

use crate::archive::{blocks, noise, pack, text, unpack};
use brevity_codec::Layout;
use brevity_codec::Method;
use brevity_codec::archive::{Error, Header, Models, Options, Source, inspect};
use brevity_codec::predict::{Counts, LstmModel, LstmRecipe, Model, Predictor};

/// A model whose recipe says that it is another, in so many lanes.
struct Disguised(usize);

impl Model for Disguised {
    fn unit(&self) -> usize {
        1
    }

    fn lanes(&self) -> usize {
        self.0
    }

    fn start<'a>(&'a self, layout: &Layout) -> Box<dyn Predictor + 'a> {
        Box::new(Counts::new(2, layout.lanes()))
    }
}

#[test]
fn an_lstm_network_needs_nothing_from_outside() {
    let recipe = LstmRecipe {
        cells: 16,
        layers: 1,
        horizon: 8,
        contexts: 0,
        rows_log2: 0,
        rate: 0.02,
    };
    let source = Source::lstm(LstmModel::new(recipe).unwrap());
    for bytes in [Vec::new(), text(1), text(3000), noise(100)] {
        for method in [None, Some(Method::Model), Some(Method::Contexts)] {
            let options = Options {
                method,
                ..blocks(1000)
            };
            let archive = pack(&bytes, &source, options);
            let found = inspect(&archive[..]).unwrap();
            assert_eq!(found.header, Header::Recipe(recipe.to_bytes()));
            assert_eq!(unpack(&archive, &Models::default()).unwrap(), bytes);
        }
    }
    let archive = pack(&text(3000), &source, blocks(1 << 20));
    let demand = inspect(&archive[..]).unwrap();
    let demand = demand.demand(&Models::default()).unwrap();
    assert!(demand.is_some_and(|demand| demand.operations > 1e6));
}

#[test]
fn an_lstm_network_learns_what_context_models_do_not() {
    let sources = [
        &include_bytes!("archive.rs")[..],
        include_bytes!("golden.rs"),
        include_bytes!("verified.rs"),
    ];
    let recipe = LstmRecipe {
        cells: 64,
        layers: 1,
        horizon: 24,
        contexts: 0,
        rows_log2: 0,
        rate: 0.01,
    };
    let source = Source::lstm(LstmModel::new(recipe).unwrap());
    let alone = pack(&sources.concat(), &Source::none(), blocks(1 << 20)).len();
    let with = pack(&sources.concat(), &source, blocks(1 << 20)).len();
    assert!(with < alone, "{with}, not less than {alone}");
}

#[test]
fn each_lane_of_a_network_counts_against_the_limits() {
    let recipe = LstmRecipe {
        cells: 1024,
        layers: 2,
        horizon: 8,
        contexts: 0,
        rows_log2: 0,
        rate: 0.02,
    };
    let source = Source::recipe(recipe.to_bytes(), Box::new(Disguised(1 << 10)));
    let options = Options {
        method: Some(Method::Model),
        ..blocks(1 << 20)
    };
    let archive = pack(&text(5000), &source, options);
    let error = unpack(&archive, &Models::default()).unwrap_err();
    assert!(matches!(error, Error::Memory { .. }), "{error}");
}

#[test]
fn a_recipe_of_too_large_a_network_is_refused() {
    let recipe = LstmRecipe {
        cells: 4096,
        layers: 8,
        horizon: 1024,
        contexts: 0,
        rows_log2: 0,
        rate: 0.02,
    };
    let source = Source::recipe(recipe.to_bytes(), Box::new(Disguised(1)));
    let archive = pack(&text(500), &source, Options::default());
    let error = unpack(&archive, &Models::default()).unwrap_err();
    assert!(matches!(error, Error::Memory { .. }), "{error}");
    let newer = Source::recipe(vec![0x80, 3], Box::new(Disguised(1)));
    let archive = pack(&text(500), &newer, Options::default());
    let error = unpack(&archive, &Models::default()).unwrap_err();
    assert!(matches!(error, Error::Recipe { .. }), "{error}");
}
