//! Pricing a window of bytes with a frozen model.

use super::temperature::{Moments, Temperature};
use brevity_codec::predict::{PredictError, Priced};
use brevity_codec::{Frequencies, Layout, NonFinite};
use brevity_kernels::mixture::BITS;
use brevity_model::{State, Transformer};
use std::ops::Range;

/// Bytes that have been priced, for a student to learn. Only a [`Pricer`]
/// creates this type, and each byte is in it once.
pub(super) struct Scored {
    lanes: Vec<Vec<u8>>,
    said: Vec<Vec<[f32; BITS]>>,
}

impl Scored {
    /// The bytes of each lane, in order, and what context models said of them, if there
    /// are any beside; lanes that have ended are padded.
    pub fn into_lanes(self) -> (Vec<Vec<u8>>, Vec<Vec<[f32; BITS]>>) {
        (self.lanes, self.said)
    }
}

/// Prices one window after the other, each with a frozen model.
pub(super) struct Pricer {
    layout: Layout,
    /// Share of the uniform distribution, as in [`Frequencies::mix_uniform`].
    floor: u32,
    /// If `None`, prices are uniform.
    model: Option<(Transformer, State)>,
    /// Whether the temperature is fitted: not beside context models.
    fitted: bool,
    temperature: Temperature,
    moments: Vec<Moments>,
    /// Steps of the window.
    window: Range<usize>,
    /// Number of steps priced in the window, and the bytes of each lane.
    done: usize,
    lanes: Vec<Vec<u8>>,
    /// What context models beside said of these bytes.
    said: Vec<Vec<[f32; BITS]>>,
    /// The byte before the next one, in each lane.
    last: Vec<u8>,
    /// The predictions of the current step.
    open: Vec<Open>,
}

/// A prediction whose byte is not known yet.
#[derive(Clone)]
struct Open {
    scaled: [f32; 256],
    softmax: Frequencies,
}

/// Receives the frequencies of one lane.
struct Sink<'a> {
    priced: &'a mut [Priced],
    bytes: &'a [u8],
    /// Steps of the lane that are not padding.
    real: usize,
    moments: &'a mut Moments,
    failure: Option<NonFinite>,
}

impl Pricer {
    /// A pricer at the start of a block, without a model and without a window.
    /// With `beside`, for a mixture with context models.
    pub fn new(layout: Layout, floor: u32, beside: bool) -> Pricer {
        let lanes = layout.lanes();
        Pricer {
            layout,
            floor,
            model: None,
            fitted: !beside,
            temperature: Temperature::default(),
            moments: vec![Moments::default(); lanes],
            window: 0..0,
            done: 0,
            lanes: vec![Vec::new(); lanes],
            said: vec![Vec::new(); lanes],
            last: vec![0; lanes],
            open: Vec::new(),
        }
    }

    /// Steps of the window that are still to be priced.
    pub fn left(&self) -> usize {
        self.window.len() - self.done
    }

    /// Ends the window: fits the temperature to it and returns its priced bytes.
    pub fn close(&mut self) -> Scored {
        if self.fitted {
            self.temperature.fit(&mut self.moments);
        }
        let end = self.window.start + self.done;
        self.window = end..end;
        self.done = 0;
        let count = self.lanes.len();
        Scored {
            lanes: std::mem::replace(&mut self.lanes, vec![Vec::new(); count]),
            said: std::mem::replace(&mut self.said, vec![Vec::new(); count]),
        }
    }

    /// Sets the model for the windows opened from now on.
    pub fn adopt(&mut self, transformer: Transformer) {
        let state = match self.model.take() {
            Some((_, state)) => state,
            None => transformer.state_for(self.layout.lanes(), transformer.spec().context),
        };
        self.model = Some((transformer, state));
    }

    /// The temperature, to read or to replace.
    pub fn temperature(&mut self) -> &mut Temperature {
        &mut self.temperature
    }

    /// Opens the next window, of up to `steps` steps. The model sees `past`:
    /// the same number of bytes before the window of each lane.
    pub fn open(&mut self, past: &[&[u8]], steps: usize) -> Result<(), PredictError> {
        let first = self.window.end;
        self.window = first..(first + steps).min(self.layout.steps());
        let known = past.first().map_or(0, |lane| lane.len());
        let Some((transformer, state)) = &mut self.model else {
            return Ok(());
        };
        state.reset();
        if known == 0 {
            return Ok(());
        }
        // The input at each position is the byte before it; the last byte of the
        // past is the input at the first position of the window.
        let mut previous = Vec::with_capacity(past.len() * known);
        for (lane, last) in past.iter().zip(&mut self.last) {
            previous.push(0);
            previous.extend_from_slice(&lane[..known - 1]);
            *last = lane[known - 1];
        }
        let mut nowhere = vec![(); past.len()];
        transformer
            .forward_each(state, &previous, known, &mut nowhere, |(), _, _| {})
            .map_err(|error| PredictError(error.to_string()))
    }

    /// The distribution of the next byte of each lane.
    pub fn predict(&mut self, next: &mut [Frequencies]) -> Result<(), PredictError> {
        let Some((transformer, state)) = &mut self.model else {
            next.fill(Frequencies::default());
            return Ok(());
        };
        let blank = Open {
            scaled: [0.0; 256],
            softmax: Frequencies::default(),
        };
        self.open.resize(next.len(), blank);
        let (temperature, floor) = (&self.temperature, self.floor);
        let lanes = next.iter_mut().zip(&mut self.open);
        let mut sinks: Vec<_> = lanes.map(|lane| (lane, None)).collect();
        transformer
            .forward_each(
                state,
                &self.last,
                1,
                &mut sinks,
                |((next, open), failure), _, logits| {
                    open.scaled = temperature.scale(logits);
                    *failure = open.softmax.set_logits(&open.scaled).err();
                    next.clone_from(&open.softmax);
                    mix(next, floor);
                },
            )
            .map_err(|error| PredictError(error.to_string()))?;
        refuse(sinks.iter().find_map(|(_, failure)| *failure))
    }

    /// Notes what context models beside said of bytes of this window, `steps` of each
    /// lane.
    pub fn hear(&mut self, said: &[[f32; BITS]], steps: usize) {
        for (lane, said) in self.said.iter_mut().zip(said.chunks(steps)) {
            lane.extend_from_slice(said);
        }
    }

    /// Takes the byte of each lane that was predicted.
    pub fn take(&mut self, bytes: &[u8]) {
        let active = self.layout.active(self.window.start + self.done);
        if self.model.is_some() && self.fitted {
            let lanes = self.moments.iter_mut().zip(&self.open).zip(bytes);
            for ((moments, open), &byte) in lanes.take(active) {
                moments.add(&open.softmax, &open.scaled, byte);
            }
        }
        for (lane, &byte) in self.lanes.iter_mut().zip(bytes) {
            lane.push(byte);
        }
        self.last.copy_from_slice(bytes);
        self.done += 1;
    }

    /// Prices `steps` bytes of each lane, at most those left in the window, with
    /// the same results as alternating [`Pricer::predict`] and [`Pricer::take`].
    ///
    /// `bytes` and `priced` have a slice of `steps` for each lane.
    pub fn price<'a>(
        &mut self,
        bytes: &[&'a [u8]],
        steps: usize,
        priced: impl Iterator<Item = &'a mut [Priced]>,
    ) -> Result<(), PredictError> {
        let first = self.window.start + self.done;
        let layout = self.layout;
        let real = |lane: usize| layout.range(lane).len().saturating_sub(first).min(steps);
        let lanes = bytes.iter().zip(priced).zip(&mut self.moments).enumerate();
        let mut sinks: Vec<Sink> = lanes
            .map(|(lane, ((bytes, priced), moments))| Sink {
                priced,
                bytes,
                real: real(lane),
                moments,
                failure: None,
            })
            .collect();
        match &mut self.model {
            None => {
                let uniform = Frequencies::default();
                for sink in &mut sinks {
                    for (priced, &byte) in sink.priced.iter_mut().zip(sink.bytes) {
                        *priced = Priced::new(&uniform, byte);
                    }
                }
            }
            Some((transformer, state)) => {
                let mut previous = Vec::with_capacity(bytes.len() * steps);
                for (lane, last) in bytes.iter().zip(&self.last) {
                    previous.push(*last);
                    previous.extend_from_slice(&lane[..steps - 1]);
                }
                let (temperature, floor) = (&self.temperature, self.floor);
                transformer
                    .forward_each(state, &previous, steps, &mut sinks, |sink, step, logits| {
                        sink.price(step, temperature.scale(logits), floor);
                    })
                    .map_err(|error| PredictError(error.to_string()))?;
            }
        }
        refuse(sinks.iter().find_map(|sink| sink.failure))?;
        for (lane, bytes) in bytes.iter().enumerate() {
            self.lanes[lane].extend_from_slice(bytes);
            self.last[lane] = bytes[steps - 1];
        }
        self.done += steps;
        Ok(())
    }
}

impl Sink<'_> {
    fn price(&mut self, step: usize, scaled: [f32; 256], floor: u32) {
        let byte = self.bytes[step];
        let mut next = match Frequencies::from_logits(&scaled) {
            Ok(next) => next,
            Err(error) => {
                self.failure = Some(error);
                return;
            }
        };
        if step < self.real {
            self.moments.add(&next, &scaled, byte);
        }
        mix(&mut next, floor);
        self.priced[step] = Priced::new(&next, byte);
    }
}

fn mix(next: &mut Frequencies, floor: u32) {
    if floor > 0 {
        next.mix_uniform(floor);
    }
}

fn refuse(failure: Option<NonFinite>) -> Result<(), PredictError> {
    match failure {
        Some(error) => Err(PredictError(error.to_string())),
        None => Ok(()),
    }
}
