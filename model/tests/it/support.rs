//! Specs and weights for the other tests.

use brevity_model::{Activation, Norm, Placement, Position, Role, Spec, Weights};
use proptest::prelude::*;
use rand_chacha::ChaCha8Rng;
use rand_core::{RngCore, SeedableRng};

/// Uniform in [-1, 1).
fn uniform(rng: &mut ChaCha8Rng) -> f32 {
    (rng.next_u32() >> 8) as f32 * (2.0 / 16_777_216.0) - 1.0
}

/// Weights that keep activations near one, so that nothing in the forward pass is
/// trivially zero.
pub fn random_weights(spec: &Spec, seed: u64) -> Weights {
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    Weights::from_fn(spec.clone(), |info| {
        let (rows, _) = info.rows_columns();
        let (centre, spread) = match info.role {
            Role::Embedding | Role::Position => (0.0, 1.0),
            Role::Scale | Role::Gain => (1.0, 0.5),
            Role::Bias | Role::Taps => (0.0, 0.3),
            Role::Hidden | Role::Residual | Role::Output => (0.0, (3.0 / rows as f32).sqrt()),
        };
        (0..info.len())
            .map(|_| centre + spread * uniform(&mut rng))
            .collect()
    })
    .expect("random weights are valid")
}

/// Valid specs of every variant, small enough for the reference.
pub fn any_spec() -> impl Strategy<Value = Spec> {
    let shape = (1..=3usize, 1..=3usize, 1..=3usize, 1..=40usize, 1..=12usize);
    let kinds = (0..2u8, 0..2u8, 0..3u8, 0..4u8, any::<u8>());
    let lags = prop_oneof![Just(0), any::<u16>()];
    let window = any::<prop::sample::Index>();
    (shape, kinds, window, lags).prop_map(|(shape, kinds, window, lags)| {
        let (layers, heads, half_dim, hidden, context) = shape;
        let (norm, placement, position, activation, bits) = kinds;
        let flag = |bit: u8| bits >> bit & 1 == 1;
        let position = [Position::Sinusoidal, Position::Learned, Position::Rope][position as usize];
        let taps = usize::from(bits >> 7) * (1 + context % 4);
        let far = taps + 2..context;
        Spec {
            width: 2 * half_dim * 2 * heads,
            layers,
            heads,
            hidden,
            taps,
            lags: far.filter(|lag| lags >> lag & 1 == 1).collect(),
            context,
            window: (position == Position::Rope && flag(0)).then(|| 1 + window.index(context)),
            norm: [Norm::Layer, Norm::Rms][norm as usize],
            placement: [Placement::Pre, Placement::Post][placement as usize],
            position,
            activation: [
                Activation::Gelu,
                Activation::GeluErf,
                Activation::Relu2,
                Activation::Swiglu,
            ][activation as usize],
            mlp_bias: flag(1),
            attention_bias: flag(2),
            output_bias: flag(3),
            tied: flag(4),
            scale_embedding: flag(5),
            qk_norm: flag(6),
        }
    })
}

/// Random bytes.
pub fn random_bytes(seed: u64, len: usize) -> Vec<u8> {
    let mut bytes = vec![0; len];
    ChaCha8Rng::seed_from_u64(seed).fill_bytes(&mut bytes);
    bytes
}
