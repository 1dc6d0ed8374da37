//! Decoding of a block with a model.
//!
//! The coder decodes the lanes in turn, step by step. If the model's lanes are
//! independent, each of several threads has a group of them: while one group's
//! bytes are decoded, the others predict. The coder visits the groups in order, so
//! the order of symbols, and so every bit, is that of a single thread.

use super::{Failure, Progress, SLICE};
use crate::cdf::Frequencies;
use crate::coder::{ByteDecoder, Tree};
use crate::layout::Layout;
use crate::mixing::Mixing;
use crate::predict::{Model, Predictor};
use brevity_kernels::mixture::BITS;
use brevity_kernels::threads;
use std::ops::Range;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, OnceLock};
use std::thread::{self, Thread};

/// Least number of lanes for which a separate thread pays.
const WORTH: usize = 2;

/// The number of groups of lanes that independent lanes are decoded in, each on its own
/// thread.
pub(crate) fn groups(lanes: usize) -> usize {
    rayon::current_num_threads().min(lanes / WORTH).max(1)
}

/// Decodes the bytes of a block.
pub(super) fn decode(
    coder: &mut ByteDecoder,
    layout: &Layout,
    model: &dyn Model,
    mixture: Option<Mixing>,
    progress: Progress<'_>,
) -> Result<Vec<u8>, Failure> {
    let lanes = layout.lanes();
    let mut first = 0;
    let most = groups(lanes);
    let mut groups = Vec::new();
    for predictor in model.start_apart(layout, most) {
        let range = first..first + predictor.lanes();
        first = range.end;
        groups.push((predictor, range));
    }
    let round = Round {
        layout,
        turns: Turns::new(groups.len()),
        shared: Mutex::new(Shared {
            coder,
            beside: model.learns_beside(),
            mixture,
            out: vec![0; layout.range(lanes - 1).end],
            count: 0,
            progress,
            failure: None,
        }),
    };
    let mut groups = groups.into_iter().enumerate();
    let (_, (mut predictor, range)) = groups.next().expect("a group at least");
    match groups.len() {
        0 => {
            round.turns.begin();
            round.run(0, &mut *predictor, &range);
        }
        _ => thread::scope(|scope| {
            let round = &round;
            // Failing to start a thread is a panic, too.
            let _end = EndOnPanic(&round.turns);
            round.turns.enter(0, &thread::current());
            for (index, (mut predictor, range)) in groups {
                let group = scope.spawn(move || {
                    threads::alone(|| round.run(index, &mut *predictor, &range));
                });
                round.turns.enter(index, group.thread());
            }
            round.turns.begin();
            threads::alone(|| round.run(0, &mut *predictor, &range));
        }),
    }
    let shared = round.shared.into_inner().expect("no thread panicked");
    match shared.failure {
        Some(failure) => Err(failure),
        None => Ok(shared.out),
    }
}

/// The state that passes from group to group with the turn.
struct Shared<'a, 'c> {
    coder: &'a mut ByteDecoder<'c>,
    mixture: Option<Mixing>,
    /// Whether the predictors want to know what context models said.
    beside: bool,
    out: Vec<u8>,
    /// Bytes done but not yet reported to `progress`.
    count: u64,
    progress: Progress<'a>,
    failure: Option<Failure>,
}

/// Groups of lanes that take turns.
struct Round<'a, 'c> {
    layout: &'a Layout,
    turns: Turns,
    shared: Mutex<Shared<'a, 'c>>,
}

/// Whose turn it is.
struct Turns {
    /// `step * groups + group`, [`NOT_YET`] or [`OVER`].
    now: AtomicUsize,
    /// The threads of the groups, all set before the first turn.
    threads: Vec<OnceLock<Thread>>,
}

/// The value of `Turns::now` after a failure: no group's turn.
const OVER: usize = usize::MAX;

/// The value of `Turns::now` before the first turn: no group's turn.
const NOT_YET: usize = usize::MAX - 1;

impl Turns {
    fn new(groups: usize) -> Turns {
        Turns {
            now: AtomicUsize::new(NOT_YET),
            threads: vec![OnceLock::new(); groups],
        }
    }

    /// Registers the thread of a group.
    fn enter(&self, group: usize, thread: &Thread) {
        self.threads[group].get_or_init(|| thread.clone());
    }

    /// Starts the first turn, after all groups have entered.
    fn begin(&self) {
        self.advance(NOT_YET, 0);
        self.wake_all();
    }

    /// Waits for a turn; returns false if the round is over.
    ///
    /// Spinning continues fastest. A sleeping thread is woken at once even if other
    /// work occupies the cores; a thread that yields its core would return only after
    /// the time slices of others.
    fn wait_for(&self, turn: usize) -> bool {
        /// Spins before the thread sleeps: some microseconds, a turn or two.
        const LOOKS: usize = 1 << 10;
        let mut looks = 0;
        loop {
            match self.now.load(Ordering::Acquire) {
                OVER => return false,
                now if now == turn => return true,
                _ if looks < LOOKS => std::hint::spin_loop(),
                _ => thread::park(),
            }
            looks += 1;
        }
    }

    /// Passes the turn on; returns false if the round is over because another thread
    /// panicked.
    fn pass(&self, turn: usize) -> bool {
        let passed = self.advance(turn, turn + 1);
        if passed {
            self.wake((turn + 1) % self.threads.len());
        }
        passed
    }

    fn advance(&self, from: usize, to: usize) -> bool {
        let (release, relaxed) = (Ordering::Release, Ordering::Relaxed);
        self.now
            .compare_exchange(from, to, release, relaxed)
            .is_ok()
    }

    /// Ends the round for all groups.
    fn end(&self) {
        self.now.store(OVER, Ordering::Release);
        self.wake_all();
    }

    fn wake_all(&self) {
        (0..self.threads.len()).for_each(|group| self.wake(group));
    }

    fn wake(&self, group: usize) {
        if let Some(thread) = self.threads[group].get() {
            thread.unpark();
        }
    }
}

/// Ends the round if its thread panics, so that no other thread waits for it.
struct EndOnPanic<'a>(&'a Turns);

impl Drop for EndOnPanic<'_> {
    fn drop(&mut self) {
        if thread::panicking() {
            self.0.end();
        }
    }
}

impl Round<'_, '_> {
    /// Runs all steps of one group.
    fn run(&self, group: usize, predictor: &mut dyn Predictor, lanes: &Range<usize>) {
        let _end = EndOnPanic(&self.turns);
        let mut next = vec![Frequencies::default(); lanes.len()];
        let mut column = vec![0; lanes.len()];
        let mut said = vec![[0.0; BITS]; lanes.len()];
        let mut updated = Ok(());
        for step in 0..self.layout.steps() {
            let predicted = updated.and_then(|()| predictor.predict(&mut next));
            let turn = step * self.turns.threads.len() + group;
            if !self.turns.wait_for(turn) {
                return;
            }
            let mut shared = self.shared.lock().expect("no panic in another's turn");
            let taken = predicted.map_err(Failure::from).and_then(|()| {
                let taken = (&mut column[..], &mut said[..]);
                shared.step(self.layout, step, lanes, &next, taken)
            });
            if let Err(failure) = taken {
                shared.failure = Some(failure);
                self.turns.end();
                return;
            }
            drop(shared);
            if !self.turns.pass(turn) {
                return;
            }
            updated = predictor.update_beside(&column, &said);
        }
    }
}

impl Shared<'_, '_> {
    /// Decodes one byte of each of `lanes` that has one.
    fn step(
        &mut self,
        layout: &Layout,
        step: usize,
        lanes: &Range<usize>,
        next: &[Frequencies],
        (column, said): (&mut [u8], &mut [[f32; BITS]]),
    ) -> Result<(), Failure> {
        let active = layout.active(step);
        let taken = column.iter_mut().zip(said);
        for (lane, (next, (byte, said))) in lanes.clone().zip(next.iter().zip(taken)) {
            if lane >= active {
                (*byte, *said) = (0, [0.0; BITS]);
                if let Some(mixture) = &mut self.mixture {
                    mixture.skip();
                }
                continue;
            }
            *byte = match &mut self.mixture {
                Some(mixture) => mixture.code(lane, self.coder, &Tree::new(next)),
                None => self.coder.symbol(next),
            };
            if let Some(mixture) = self.mixture.as_ref().filter(|_| self.beside) {
                *said = mixture.said().logits(*byte);
            }
            self.out[layout.range(lane).start + step] = *byte;
            self.count += 1;
        }
        if self.coder.decoder.overrun() {
            return Err(Failure::Stream);
        }
        let last = lanes.end == layout.lanes();
        if last && ((step + 1).is_multiple_of(SLICE) || step + 1 == layout.steps()) {
            (self.progress)(std::mem::take(&mut self.count));
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::super::{How, Method, decode as decode_block, encode};
    use super::*;
    use crate::cm::Level;
    use crate::predict::{Counts, PredictError};

    /// A model with independent lanes; lanes after the first `sound` fail at step
    /// 100.
    struct Apart {
        sound: usize,
        fails: Fails,
    }

    #[derive(Clone, Copy, PartialEq)]
    enum Fails {
        InPredict,
        InUpdate,
        ByPanic,
    }

    struct Group {
        counts: Vec<Counts>,
        fails: Option<Fails>,
        step: usize,
    }

    impl Apart {
        fn sound() -> Apart {
            Apart {
                sound: 8,
                fails: Fails::InPredict,
            }
        }

        fn group(&self, lanes: Range<usize>) -> Box<dyn Predictor> {
            Box::new(Group {
                counts: lanes.clone().map(|_| Counts::new(1, 1)).collect(),
                fails: (lanes.end > self.sound).then_some(self.fails),
                step: 0,
            })
        }
    }

    impl Predictor for Group {
        fn lanes(&self) -> usize {
            self.counts.len()
        }

        fn predict(&mut self, next: &mut [Frequencies]) -> Result<(), PredictError> {
            self.step += 1;
            match self.fails {
                Some(Fails::InPredict) if self.step == 100 => {
                    return Err(PredictError("lost".into()));
                }
                Some(Fails::ByPanic) if self.step == 100 => panic!("lost"),
                _ => {}
            }
            let mut lanes = self.counts.iter_mut().zip(next.chunks_mut(1));
            lanes.try_for_each(|(counts, next)| counts.predict(next))
        }

        fn update(&mut self, bytes: &[u8]) -> Result<(), PredictError> {
            if self.fails == Some(Fails::InUpdate) && self.step == 100 {
                return Err(PredictError("lost".into()));
            }
            let mut lanes = self.counts.iter_mut().zip(bytes.chunks(1));
            lanes.try_for_each(|(counts, byte)| counts.update(byte))
        }
    }

    impl Model for Apart {
        fn unit(&self) -> usize {
            1
        }

        fn lanes(&self) -> usize {
            8
        }

        fn start<'a>(&'a self, layout: &Layout) -> Box<dyn Predictor + 'a> {
            self.group(0..layout.lanes())
        }

        fn start_apart<'a>(&'a self, layout: &Layout, most: usize) -> Vec<Box<dyn Predictor + 'a>> {
            let each = layout.lanes().div_ceil(most);
            let firsts = (0..layout.lanes()).step_by(each);
            let group = |first| self.group(first..layout.lanes().min(first + each));
            firsts.map(group).collect()
        }
    }

    fn how(method: Method) -> How<'static> {
        How {
            method,
            level: Level::Fast,
            lanes: None,
            decode: false,
            brief: false,
            words: None,
            gates: None,
        }
    }

    fn on_threads<T: Send>(threads: usize, f: impl FnOnce() -> T + Send) -> T {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads);
        pool.build().unwrap().install(f)
    }

    #[test]
    fn groups_decode_what_one_thread_decodes() {
        let text = b"what goes round comes round. ".repeat(70);
        for length in [1, 3, 100, 2001, 2030] {
            let bytes = &text[..length];
            for method in [Method::Model, Method::Mixed] {
                let sound = Apart::sound();
                let coded = encode(bytes, how(method), Some(&sound), &|_| {}).unwrap();
                for threads in [1, 2, 3, 4, 16] {
                    let decoded = on_threads(threads, || {
                        decode_block(&coded, length, Some(&sound), &|_| {})
                    });
                    assert_eq!(decoded.as_deref(), Ok(bytes), "{length}, {threads} threads");
                }
            }
        }
    }

    #[test]
    fn a_group_that_fails_ends_the_round() {
        let bytes = b"what goes round comes round. ".repeat(70);
        let coded = encode(&bytes, how(Method::Mixed), Some(&Apart::sound()), &|_| {}).unwrap();
        for (sound, threads) in [0, 5, 7]
            .into_iter()
            .flat_map(|s| [1, 2, 4].map(|t| (s, t)))
        {
            let decode = |fails| {
                let lost = Apart { sound, fails };
                on_threads(threads, || {
                    let decoded = || decode_block(&coded, bytes.len(), Some(&lost), &|_| {});
                    std::panic::catch_unwind(std::panic::AssertUnwindSafe(decoded))
                })
            };
            for fails in [Fails::InPredict, Fails::InUpdate] {
                let lost = Failure::from(PredictError("lost".into()));
                assert_eq!(decode(fails).unwrap(), Err(lost));
            }
            assert!(decode(Fails::ByPanic).is_err());
        }
    }
}
