//! Changes the sampling rate, with rubato.
//!
//! The filter is a windowed sinc of 256 taps in `f64`. Its results on different
//! instruction sets differ by rounding, about 10^-15 of full scale. An 8-bit
//! sample therefore differs between machines with a probability of about
//! 10^-13.

use rubato::audioadapter_buffers::direct::InterleavedSlice;
use rubato::{Async, FixedAsync, Resampler as _, SincInterpolationParameters, WindowFunction};

use crate::error::Result;

/// Frames that are processed at once.
const BLOCK: usize = 1024;

/// Taps of the filter.
const TAPS: usize = 256;

/// Resamples one channel as a stream.
pub(super) struct Resampler {
    inner: Async<f64>,
    from: u64,
    to: u64,
    input: Vec<f64>,
    output: Vec<f64>,
    /// Samples taken in.
    taken: u64,
    /// Samples given out.
    given: u64,
    /// Samples that the filter puts out before the first sample of the sound.
    delay: usize,
}

impl Resampler {
    /// Rates are in Hz; neither is 0.
    pub fn new(from: u32, to: u32) -> Self {
        let ratio = f64::from(to) / f64::from(from);
        let filter = SincInterpolationParameters::new(TAPS, WindowFunction::BlackmanHarris2);
        let inner = Async::new_sinc(ratio, 1.0, &filter, BLOCK, 1, FixedAsync::Input)
            .expect("a ratio of two believable rates");
        // Output sample k belongs to time (k + 1) / ratio - TAPS / 2, counted
        // in input samples. Silence is put before the sound so that its first
        // sample falls on one of these times.
        let (from, to) = (from as usize, to as usize);
        let lead = (TAPS / 2).next_multiple_of(from / gcd(from, to));
        let mut resampler = Self {
            from: from as u64,
            to: to as u64,
            input: Vec::with_capacity(BLOCK),
            output: vec![0.0; inner.output_frames_max()],
            taken: 0,
            given: 0,
            delay: lead * to / from - 1,
            inner,
        };
        let silence = lead - TAPS / 2;
        for _ in 0..silence / BLOCK {
            resampler.input.resize(BLOCK, 0.0);
            resampler
                .block(0, &mut |_| Ok(()))
                .expect("nothing comes out");
        }
        resampler.input.resize(silence % BLOCK, 0.0);
        resampler
    }

    pub fn push(&mut self, sample: f64, out: &mut dyn FnMut(f64) -> Result<()>) -> Result<()> {
        self.taken += 1;
        self.input.push(sample);
        if self.input.len() == BLOCK {
            self.block(u64::MAX, out)?;
        }
        Ok(())
    }

    /// Pushes silence until the whole sound has been put out. The output lasts
    /// as long as the input, rounded up to whole samples.
    pub fn finish(&mut self, out: &mut dyn FnMut(f64) -> Result<()>) -> Result<()> {
        let whole = (self.taken * self.to).div_ceil(self.from);
        while self.given < whole {
            self.input.resize(BLOCK, 0.0);
            self.block(whole, out)?;
        }
        Ok(())
    }

    fn block(&mut self, most: u64, out: &mut dyn FnMut(f64) -> Result<()>) -> Result<()> {
        let frames = self.output.len();
        let input = InterleavedSlice::new(&self.input, 1, BLOCK).expect("a block of one channel");
        let mut output = InterleavedSlice::new_mut(&mut self.output, 1, frames)
            .expect("a buffer of one channel");
        let (_, made) = self
            .inner
            .process_into_buffer(&input, &mut output, None)
            .expect("buffers are as large as it asked for");
        let skipped = self.delay.min(made);
        self.delay -= skipped;
        for &sample in &self.output[skipped..made] {
            if self.given < most {
                out(sample)?;
                self.given += 1;
            }
        }
        self.input.clear();
        Ok(())
    }
}

fn gcd(a: usize, b: usize) -> usize {
    if b == 0 { a } else { gcd(b, a % b) }
}
