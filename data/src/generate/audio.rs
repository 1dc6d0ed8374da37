//! Synthetic sound: a simple source-filter model of speech.
//!
//! A pulse train (voiced) or noise (unvoiced) drives three two-pole resonators whose
//! frequencies glide between targets, with pauses. Like speech, the result has pitch
//! periods, formants, loud and quiet stretches, and few distinct byte values near
//! silence.

use rand_chacha::ChaCha8Rng;
use rand_core::RngCore;

use super::{between, gauss, unit};

const RATE: f64 = 16_000.0;
/// Formant ranges in hertz, and their bandwidths.
const FORMANTS: [(f64, f64, f64); 3] = [
    (300.0, 800.0, 80.0),
    (900.0, 2300.0, 110.0),
    (2400.0, 3200.0, 160.0),
];
/// Standard deviation of the background, in 16-bit steps.
const BACKGROUND: f64 = 90.0;

/// One stretch of 8.2 seconds.
pub(super) fn block(rng: &mut ChaCha8Rng, out: &mut [u8]) {
    let mut voice = Voice::new(rng);
    let mut done = 0;
    while done < out.len() {
        // 50 to 250 ms per segment.
        let len = (between(rng, 0.05, 0.25) * RATE) as usize;
        let end = (done + len).min(out.len());
        voice.segment(rng, len, &mut out[done..end]);
        done = end;
    }
}

struct Voice {
    resonators: [Resonator; 3],
    formants: [f64; 3],
    pitch: f64,
    phase: f64,
    loudness: f64,
}

impl Voice {
    fn new(rng: &mut ChaCha8Rng) -> Self {
        Self {
            resonators: [Resonator::default(); 3],
            formants: FORMANTS.map(|(low, high, _)| between(rng, low, high)),
            pitch: between(rng, 90.0, 200.0),
            phase: 0.0,
            loudness: 0.0,
        }
    }

    /// Fills `out` with the first samples of a segment of `len`.
    fn segment(&mut self, rng: &mut ChaCha8Rng, len: usize, out: &mut [u8]) {
        let (voiced, target) = match rng.next_u32() % 8 {
            0..=1 => (false, 0.0),
            2..=3 => (false, between(rng, 150.0, 900.0)),
            _ => (true, between(rng, 400.0, 5500.0)),
        };
        let aims = FORMANTS.map(|(low, high, _)| between(rng, low, high));
        let glide = 4.0 / len as f64;
        let bend = between(rng, -0.15, 0.15) / len as f64;
        for sample in out {
            self.loudness += (target - self.loudness) * glide;
            self.pitch = (self.pitch * (1.0 + bend)).clamp(70.0, 260.0);
            self.phase += self.pitch / RATE;
            let mut drive = 0.3 * gauss(rng);
            if voiced {
                drive *= 0.1;
                if self.phase >= 1.0 {
                    self.phase -= 1.0;
                    drive += 8.0 + unit(rng);
                }
            }
            let mut sum = 0.0;
            for (i, resonator) in self.resonators.iter_mut().enumerate() {
                self.formants[i] += (aims[i] - self.formants[i]) * glide;
                let share = if voiced {
                    1.0 / (1 + i) as f64
                } else {
                    (1 + i) as f64 / 3.0
                };
                sum += share * resonator.step(drive, self.formants[i], FORMANTS[i].2);
            }
            self.phase = if self.phase >= 1.0 {
                self.phase - 1.0
            } else {
                self.phase
            };
            let pcm16 = (self.loudness * sum + BACKGROUND * gauss(rng)).clamp(-32768.0, 32767.0);
            *sample = (128 + ((pcm16 + 32768.0) as i32 / 256 - 128)) as u8;
        }
    }
}

/// y[t] = (1 - r) x[t] + 2 r cos(w) y[t-1] - r^2 y[t-2].
#[derive(Clone, Copy, Default)]
struct Resonator {
    last: f64,
    before: f64,
}

impl Resonator {
    fn step(&mut self, drive: f64, frequency: f64, bandwidth: f64) -> f64 {
        const PI: f64 = std::f64::consts::PI;
        // exp(-pi bandwidth / rate) to first order; the value is within 1% of 1.
        let radius = 1.0 - PI * bandwidth / RATE;
        let out = (1.0 - radius) * 4.0 * drive
            + 2.0 * radius * cosine(2.0 * PI * frequency / RATE) * self.last
            - radius * radius * self.before;
        self.before = self.last;
        self.last = out;
        out
    }
}

/// Cosine on [0, pi/2] by its series up to the tenth power (error below 1e-6). The
/// platform's cosine is not used because it differs between machines.
fn cosine(angle: f64) -> f64 {
    let s = angle * angle;
    1.0 - s / 2.0 * (1.0 - s / 12.0 * (1.0 - s / 30.0 * (1.0 - s / 56.0 * (1.0 - s / 90.0))))
}
