//! Samples of 16 bits, predicted from those before by linear regression.
//!
//! For each channel, weights of the samples before (and of the other channels) are fitted
//! to what came, with older samples counting less: two predictors, one of which forgets
//! fast. A prediction and the mean size of recent errors give a logistic distribution of
//! the sample, and that the logits of its bits.
//!
//! All of it is `f64` and `f32` additions, multiplications, divisions and square roots,
//! each rounded once, in a fixed order.

use crate::cm::logistic::Logistic;

/// Predictors side by side.
const PREDICTORS: usize = 2;

/// Sizes of recent errors, each remembered for another time.
const SCALES: usize = 2;

/// Inputs of a mixer.
pub const INPUTS: usize = PREDICTORS * SCALES;

/// The most channels.
pub const MOST_CHANNELS: usize = 8;

/// Samples of the same channel, and of the channel before, that a predictor sees.
const OWN: [usize; PREDICTORS] = [16, 24];
const OTHER: [usize; PREDICTORS] = [8, 8];

/// The most of both.
const MOST: usize = 32;

/// What a sample counts less with each one that comes.
const FORGET: [f64; PREDICTORS] = [0.998, 0.9995];

/// How many samples come before weights are fitted again.
const EVERY: u32 = 8;

/// Sums below this become zero. Of silence they would shrink until a processor needs many
/// times as long for each product.
const LEAST: f64 = 1e-60;

/// Samples at the start that are not learned from: the headers of files are there, and
/// numbers that are no samples would be remembered as loud ones.
const HEAD: u32 = 40;

/// Added to the squares of samples, so that weights stay small.
const RIDGE: f64 = 1.0;

/// Least squares with weights that fall off.
#[derive(Clone)]
struct Regression {
    count: usize,
    forget: f64,
    /// Sums of products, the lower triangle of `[MOST, MOST]`.
    products: Vec<f64>,
    /// Sums of products with what came.
    targets: [f64; MOST],
    weights: [f64; MOST],
    seen: u32,
}

impl Regression {
    fn new(count: usize, forget: f64) -> Regression {
        Regression {
            count,
            forget,
            products: vec![0.0; MOST * MOST],
            targets: [0.0; MOST],
            weights: [0.0; MOST],
            seen: 0,
        }
    }

    fn predict(&self, inputs: &[f64; MOST]) -> f64 {
        let products = self.weights.iter().zip(inputs).take(self.count);
        products.fold(0.0, |sum, (w, x)| sum + w * x)
    }

    fn learn(&mut self, inputs: &[f64; MOST], target: f64) {
        let (n, keep) = (self.count, self.forget);
        for i in 0..n {
            let row = &mut self.products[i * MOST..=i * MOST + i];
            for (sum, x) in row.iter_mut().zip(inputs) {
                *sum = *sum * keep + inputs[i] * x;
            }
            self.targets[i] = self.targets[i] * keep + inputs[i] * target;
        }
        self.seen += 1;
        if self.seen.is_multiple_of(EVERY) {
            self.fit();
        }
    }

    /// Solves for the weights by Cholesky's decomposition.
    fn fit(&mut self) {
        let n = self.count;
        for sum in self.products.iter_mut().chain(&mut self.targets) {
            if *sum < LEAST && *sum > -LEAST {
                *sum = 0.0;
            }
        }
        let mut lower = [[0.0; MOST]; MOST];
        for i in 0..n {
            for j in 0..=i {
                let mut sum = self.products[i * MOST + j];
                if i == j {
                    sum += RIDGE;
                }
                for (a, b) in lower[i].iter().zip(&lower[j]).take(j) {
                    sum -= a * b;
                }
                if i > j {
                    lower[i][j] = sum / lower[j][j];
                } else if sum > 0.0 {
                    lower[i][i] = sum.sqrt();
                } else {
                    // Rounding ate what was left: the weights stay.
                    return;
                }
            }
        }
        let mut weights = [0.0; MOST];
        for i in 0..n {
            let mut sum = self.targets[i];
            for (a, w) in lower[i].iter().zip(&weights).take(i) {
                sum -= a * w;
            }
            weights[i] = sum / lower[i][i];
        }
        for i in (0..n).rev() {
            let mut sum = weights[i];
            for (row, w) in lower.iter().zip(&weights).take(n).skip(i + 1) {
                sum -= row[i] * w;
            }
            weights[i] = sum / lower[i][i];
        }
        self.weights = weights;
    }
}

/// One channel.
#[derive(Clone)]
struct Channel {
    /// The last samples, the latest first.
    samples: [f64; MOST],
    regressions: [Regression; PREDICTORS],
    /// Mean sizes of errors, by predictor and time.
    errors: [[f64; SCALES]; PREDICTORS],
}

/// How fast mean sizes of errors change.
const RATES: [f64; SCALES] = [0.05, 0.008];

const _: () = assert!(
    MOST_CHANNELS * (size_of::<Channel>() + PREDICTORS * MOST * MOST * size_of::<f64>())
        <= Sound::MEMORY
);

/// All channels.
pub struct Sound {
    channels: Vec<Channel>,
    /// The channel whose sample comes next.
    at: usize,
    /// Samples of all channels so far, up to [`HEAD`].
    seen: u32,
    /// What its predictors see, and what they say.
    inputs: [[f64; MOST]; PREDICTORS],
    expected: [f64; PREDICTORS],
    /// The first byte of the sample, once it came.
    high: Option<u8>,
}

impl Sound {
    /// Bytes that they take, whatever the size of pointers.
    pub const MEMORY: usize = 1 << 18;

    /// Nothing was heard.
    pub fn new(channels: usize) -> Sound {
        let regression = |i: usize| {
            let other = if channels > 1 { OTHER[i] } else { 0 };
            Regression::new(OWN[i] + other, FORGET[i])
        };
        let channel = Channel {
            samples: [0.0; MOST],
            regressions: std::array::from_fn(regression),
            errors: [[256.0; SCALES]; PREDICTORS],
        };
        Sound {
            channels: vec![channel; channels],
            at: 0,
            seen: 0,
            inputs: [[0.0; MOST]; PREDICTORS],
            expected: [0.0; PREDICTORS],
            high: None,
        }
    }

    /// What is expected of the sample under way, and whether its first byte came.
    pub fn expected(&self) -> (i32, Option<u8>) {
        (self.expected[PREDICTORS - 1] as i32, self.high)
    }

    /// A class of how large recent errors are, 0 to 15.
    pub fn class(&self) -> usize {
        let size = self.channels[self.at].errors[PREDICTORS - 1][0] as u32;
        (32 - size.leading_zeros()).min(15) as usize
    }

    /// The logits of a one after the prefix `node` of `depth` bits of the byte.
    #[inline(always)]
    pub fn logits(&self, node: usize, depth: usize, logistic: &Logistic) -> [f32; INPUTS] {
        let before = self.high.map_or(0, |high| usize::from(high) << 8);
        let known = depth + if self.high.is_some() { 8 } else { 0 };
        let bits = (node & ((1 << depth) - 1)) << (8 - depth);
        let bits = if self.high.is_some() { bits } else { bits << 8 };
        // From the lowest sample, whose first bit is a one.
        let start = ((before | bits) ^ if known > 0 { 0x8000 } else { 0 }) as i32 - 0x8000;
        let half = 0x8000_i32 >> known;
        let edges = [start, start + half, start + 2 * half].map(|edge| edge as f32 - 0.5);
        let mut out = [0.0; INPUTS];
        for i in 0..PREDICTORS {
            for j in 0..SCALES {
                let scale = (self.channels[self.at].errors[i][j] * 0.72) as f32 + 0.3;
                let centre = self.expected[i] as f32;
                let [a, b, c] = edges.map(|edge| {
                    let place = (edge - centre) / scale;
                    logistic.squash(place)
                });
                let logit = logistic.logit(b - a + 4, c - b + 4);
                out[i * SCALES + j] = if known == 0 { -logit } else { logit };
            }
        }
        out
    }

    /// Takes a byte.
    pub fn take(&mut self, byte: u8) {
        let Some(high) = self.high else {
            self.high = Some(byte);
            return;
        };
        self.high = None;
        if self.seen < HEAD {
            self.seen += 1;
            self.at = (self.at + 1) % self.channels.len();
            return;
        }
        let sample = f64::from(i16::from_be_bytes([high, byte]));
        let channel = &mut self.channels[self.at];
        for i in 0..PREDICTORS {
            let error = sample - self.expected[i];
            let error = if error < 0.0 { -error } else { error };
            for (mean, rate) in channel.errors[i].iter_mut().zip(RATES) {
                *mean += (error - *mean) * rate;
            }
            channel.regressions[i].learn(&self.inputs[i], sample);
        }
        channel.samples.copy_within(..MOST - 1, 1);
        channel.samples[0] = sample;
        let other = self.at;
        self.at = (self.at + 1) % self.channels.len();
        for i in 0..PREDICTORS {
            let inputs = &mut self.inputs[i];
            inputs[..OWN[i]].copy_from_slice(&self.channels[self.at].samples[..OWN[i]]);
            inputs[OWN[i]..OWN[i] + OTHER[i]]
                .copy_from_slice(&self.channels[other].samples[..OTHER[i]]);
            let expected = self.channels[self.at].regressions[i].predict(inputs);
            self.expected[i] = expected.clamp(-32_768.0, 32_767.0);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_wave_is_expected_after_a_while() {
        // A sum of two sines is a linear function of its last four samples.
        let mut samples = vec![0.0, 900.0, 1700.0, 2300.0];
        for i in 4..600 {
            let [a, b, c, d] = [1, 2, 3, 4].map(|back: usize| samples[i - back]);
            samples.push(3.5 * a - 5.04 * b + 3.5 * c - d);
        }
        let mut sound = Sound::new(1);
        let mut most = 0;
        for (i, sample) in samples.iter().enumerate() {
            let sample = *sample as i16;
            if i > 300 {
                most = most.max((sound.expected().0 - i32::from(sample)).abs());
            }
            for byte in sample.to_be_bytes() {
                sound.take(byte);
            }
        }
        assert!(most < 16, "{most}");
    }

    #[test]
    fn sums_of_silence_become_zero() {
        let mut regression = Regression::new(1, 0.5);
        let mut inputs = [0.0; MOST];
        inputs[0] = 1.0;
        regression.learn(&inputs, 1.0);
        for _ in 0..2_000 {
            regression.learn(&[0.0; MOST], 0.0);
            assert!(!regression.products[0].is_subnormal());
        }
        assert_eq!((regression.products[0], regression.targets[0]), (0.0, 0.0));
    }

    #[test]
    fn logits_are_those_of_what_is_expected() {
        let logistic = Logistic::get();
        let mut sound = Sound::new(1);
        sound.expected = [-300.0; PREDICTORS];
        for means in &mut sound.channels[0].errors {
            *means = [4.0; SCALES];
        }
        // -300 is fe d4: its first bit is a one, and so are the next six.
        for depth in 0..7 {
            let node = (0xFE | 256) >> (8 - depth);
            assert!(sound.logits(node, depth, logistic).iter().all(|l| *l > 3.0));
        }
        assert!(sound.logits(0xFF, 7, logistic).iter().all(|l| *l < -3.0));
        sound.take(0xFE);
        assert!(sound.logits(1, 0, logistic).iter().all(|l| *l > 3.0));
    }
}
