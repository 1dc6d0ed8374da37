//! Runs the trials of a sweep; a kill loses only the work since the last checkpoint.

use super::attempt::Attempt;
use super::error::{SweepError, is_storage};
use super::folder::{Failure, State, SweepFolder, TrialScore};
use super::free::Free;
use super::job::{Job, Step, Work, WorkError};
use super::manifest::{Manifest, Trial};
use super::options::{RunOptions, Summary};
use super::results::{self, Ledger};
use super::{checksums, machine, provenance};
use brevity_length::ROW_VERSION;
use brevity_task::{Stop, chain};
use brevity_train::MODEL;
use std::any::Any;
use std::collections::VecDeque;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

/// Runs the unfinished trials of the sweep in `folder`, which is made from a config. The
/// results files follow the trials that end, unless other processes share the folder.
///
/// # Errors
/// Errors that prevent the start, or would stop every further trial too. A failed trial
/// does not stop the others; it is in the [`Summary`].
pub fn run(
    folder: &SweepFolder,
    manifest: &Manifest,
    config: &str,
    work: &Work<'_>,
    options: &RunOptions,
    stop: &Stop,
) -> Result<Summary, SweepError> {
    let _lock = folder.lock(options.is_shared())?;
    let manifest = folder.claim(manifest, config)?;
    run_locked(folder, &manifest, None, work, options, stop)
}

/// As [`run`], with the trials that `folder` was given before: no config is read, and no
/// data but those of the trials that run.
///
/// # Errors
/// As [`run`].
pub fn run_frozen(
    folder: &SweepFolder,
    manifest: &Manifest,
    work: &Work<'_>,
    options: &RunOptions,
    stop: &Stop,
) -> Result<Summary, SweepError> {
    let _lock = folder.lock(options.is_shared())?;
    run_locked(folder, manifest, None, work, options, stop)
}

/// Runs the trials with these indices, or all.
pub(super) fn run_locked(
    folder: &SweepFolder,
    manifest: &Manifest,
    chosen: Option<&[usize]>,
    work: &Work<'_>,
    options: &RunOptions,
    stop: &Stop,
) -> Result<Summary, SweepError> {
    let mut summary = Summary::default();
    let (queue, waiting) = match options.any {
        true => {
            let free = Free::new(folder, manifest, options.shard);
            (Queue::Free(free), manifest.trials.len())
        }
        false => {
            let listed = list(folder, manifest, chosen, work, options, &mut summary)?;
            let waiting = listed.len();
            (Queue::Listed(listed), waiting)
        }
    };
    let jobs = options.jobs.unwrap_or(options.threads.min(8));
    let jobs = jobs.clamp(1, waiting.max(1));
    let ledger = match options.is_shared() {
        true => None,
        false => Some(Ledger::open(folder, manifest)?),
    };
    let sweep = Sweep {
        folder,
        work,
        options,
        jobs,
        left: AtomicUsize::new(waiting),
        queue: Mutex::new(queue),
        summary: Mutex::new(summary),
        ledger: Mutex::new(ledger),
        fatal: Mutex::new(None),
        user_stop: stop,
        stop: Stop::new(),
    };
    let over = Stop::new();
    std::thread::scope(|scope| {
        if jobs > 1 {
            scope.spawn(|| sweep.relay_stop(&over));
        }
        let workers: Vec<_> = (0..jobs).map(|_| scope.spawn(|| sweep.worker())).collect();
        let ends: Vec<_> = workers.into_iter().map(|worker| worker.join()).collect();
        over.set();
        if let Some(panic) = ends.into_iter().find_map(Result::err) {
            resume_unwind(panic);
        }
    });
    let written = match sweep.ledger.into_inner().expect(UNPOISONED) {
        Some(mut ledger) => ledger.write(),
        // The results belong to whoever collects them.
        None if options.is_task() => Ok(()),
        None => results::collect(folder, manifest),
    };
    if let Some(error) = sweep.fatal.into_inner().expect(UNPOISONED) {
        return Err(error);
    }
    written?;
    let mut summary = sweep.summary.into_inner().expect(UNPOISONED);
    summary.interrupted += sweep.queue.into_inner().expect(UNPOISONED).left();
    Ok(summary)
}

/// The trials to run, of a sweep or of a part that is known beforehand.
fn list<'a>(
    folder: &SweepFolder,
    manifest: &'a Manifest,
    chosen: Option<&[usize]>,
    work: &Work<'_>,
    options: &RunOptions,
    summary: &mut Summary,
) -> Result<VecDeque<&'a Trial>, SweepError> {
    let mine = options.trials(manifest, folder.root())?;
    let mut queue = Vec::new();
    let mut interrupted = 0;
    let chosen = |trial: &&Trial| chosen.is_none_or(|chosen| chosen.contains(&trial.index));
    for trial in mine.into_iter().filter(chosen) {
        let state = match folder.state_now(trial)? {
            // Its files are in the hands of the process that runs it.
            State::Running => State::Running,
            _ => {
                repair(folder, trial, work, options)?;
                folder.state(trial)?
            }
        };
        match state {
            State::Done => summary.skipped += 1,
            State::Failed(failure) if !options.retry_failed => {
                summary.failed.push((trial.id.clone(), failure));
            }
            State::Interrupted => {
                interrupted += 1;
                queue.push(trial);
            }
            State::Pending | State::Running | State::Failed(_) => queue.push(trial),
        }
    }
    if interrupted > 0 && !options.resumes() {
        return Err(SweepError::Interrupted {
            count: interrupted,
            path: folder.root().to_path_buf(),
        });
    }
    // The longest first, so that no long trial runs alone at the end.
    queue.sort_by(|a, b| b.flops.total_cmp(&a.flops));
    Ok(queue.into())
}

/// Removes what is damaged of a trial, and what was made from it.
pub(super) fn repair(
    folder: &SweepFolder,
    trial: &Trial,
    work: &Work<'_>,
    options: &RunOptions,
) -> Result<(), SweepError> {
    let damage = match folder.damage(trial)? {
        // Who asks for nothing to be continued may have removed the weights on purpose.
        None if options.resume => folder.lost_model(trial)?,
        damage => damage,
    };
    if let Some(path) = damage {
        if !options.resumes() {
            return Err(SweepError::Damaged { path });
        }
        folder.discard(trial, &path)?;
        work.observer.repaired(trial, &path);
    }
    Ok(())
}

/// Workers catch the panics of trials and have none of their own.
const UNPOISONED: &str = "no thread panics while it holds this lock";

/// The trials that wait.
enum Queue<'a> {
    /// Known beforehand.
    Listed(VecDeque<&'a Trial>),
    /// Whatever is free.
    Free(Free<'a>),
}

impl<'a> Queue<'a> {
    fn next(&mut self) -> Option<&'a Trial> {
        match self {
            Queue::Listed(trials) => trials.pop_front(),
            Queue::Free(free) => free.next(),
        }
    }

    /// Trials that wait for this process and no other.
    fn left(&self) -> usize {
        match self {
            Queue::Listed(trials) => trials.len(),
            Queue::Free(_) => 0,
        }
    }
}

struct Sweep<'a> {
    folder: &'a SweepFolder,
    work: &'a Work<'a>,
    options: &'a RunOptions,
    jobs: usize,
    /// Unfinished trials.
    left: AtomicUsize,
    queue: Mutex<Queue<'a>>,
    summary: Mutex<Summary>,
    /// The results, if this process writes them.
    ledger: Mutex<Option<Ledger<'a>>>,
    fatal: Mutex<Option<SweepError>>,
    /// Set by the caller to request a stop.
    user_stop: &'a Stop,
    /// Tells trials that run side by side to stop; set on the caller's request or by a
    /// fatal error of one of them.
    stop: Stop,
}

impl Sweep<'_> {
    /// Passes the caller's stop request on to the trials.
    fn relay_stop(&self, over: &Stop) {
        while !over.is_set() {
            if self.user_stop.is_set() {
                self.stop.set();
            }
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    fn worker(&self) {
        while !self.stop.is_set() {
            if self.user_stop.is_set() {
                return;
            }
            let next = self.queue.lock().expect(UNPOISONED).next();
            let Some(trial) = next else {
                return;
            };
            let outcome = self.trial(trial);
            self.left.fetch_sub(1, Ordering::AcqRel);
            if let Err(error) = outcome {
                self.stop.set();
                self.fatal.lock().expect(UNPOISONED).get_or_insert(error);
                return;
            }
        }
    }

    /// Runs one trial to its end. Errors are those of the whole sweep.
    fn trial(&self, trial: &Trial) -> Result<(), SweepError> {
        let Some(_taken) = self.folder.lock_trial(trial)? else {
            return self.elsewhere(trial);
        };
        if self.options.any {
            repair(self.folder, trial, self.work, self.options)?;
        }
        let before = self.folder.state(trial)?;
        {
            let mut summary = self.summary.lock().expect(UNPOISONED);
            summary.elsewhere.retain(|(id, _)| *id != trial.id);
            match &before {
                State::Done => {
                    summary.skipped += 1;
                    return Ok(());
                }
                State::Failed(failure) if !self.options.retry_failed => {
                    // Of many tasks, one has said so; the collector says it again.
                    if self.options.any {
                        let line = format!("trial {} is skipped: it failed before", trial.id);
                        self.work.observer.noted(&line);
                        summary.skipped += 1;
                    } else {
                        summary.failed.push((trial.id.clone(), failure.clone()));
                    }
                    return Ok(());
                }
                _ => {}
            }
        }
        let resumed = before != State::Pending;
        self.work.observer.started(trial, resumed);
        self.folder.write_config(trial)?;
        let folder = self.folder.trial(trial);
        let attempt = Attempt::begin(&folder)?;
        // Running trials share the threads evenly; the last ones get more. No result
        // depends on it.
        let running = self.left.load(Ordering::Acquire).clamp(1, self.jobs);
        let threads = (self.options.threads / running).max(1);
        let pool = rayon::ThreadPoolBuilder::new()
            .num_threads(threads)
            .thread_name(|i| format!("trial-{i}"))
            .build()
            .map_err(|e| SweepError::Usage(format!("cannot start {threads} threads: {e}")))?;
        let job = Job {
            trial,
            folder,
            threads,
            stop: match self.jobs {
                // Nobody else can fail, and a task need not poll.
                1 => self.user_stop,
                _ => &self.stop,
            },
            observer: self.work.observer,
        };
        let outcome = pool.install(|| {
            catch_unwind(AssertUnwindSafe(|| self.train_and_score(&job, &attempt)))
                .unwrap_or_else(|panic| Err(panic_message(&*panic).into()))
        });
        self.conclude(trial, &before, &attempt, outcome)
    }

    /// Notes that another process works on a trial.
    fn elsewhere(&self, trial: &Trial) -> Result<(), SweepError> {
        let attempt = Attempt::read(&self.folder.trial(trial))?;
        let place = attempt.map_or("another process".into(), |a| a.place.to_string());
        let line = format!("trial {} is skipped: {place} works on it", trial.id);
        self.work.observer.noted(&line);
        let mut queue = self.queue.lock().expect(UNPOISONED);
        if let Queue::Free(free) = &mut *queue {
            free.was_held(trial);
        }
        let mut summary = self.summary.lock().expect(UNPOISONED);
        summary.elsewhere.retain(|(id, _)| *id != trial.id);
        summary.elsewhere.push((trial.id.clone(), place));
        Ok(())
    }

    fn train_and_score(&self, job: &Job<'_>, attempt: &Attempt) -> Result<Step<()>, WorkError> {
        let mut provenance = provenance::now(job, &self.options.device);
        if self.jobs == 1 {
            machine::forget_peak();
        }
        let training = match self.folder.trained(job.trial)? {
            Some(training) => training,
            None => {
                let start = Instant::now();
                let Step::Done(mut report) = self.work.trainer.train(job)? else {
                    return Ok(Step::Interrupted);
                };
                if !job.folder.join(MODEL).exists() {
                    return Err(format!("the training left no {MODEL}").into());
                }
                let seconds = || start.elapsed().as_secs_f64();
                report.wall_seconds.get_or_insert_with(seconds);
                self.folder.write_trained(job.trial, &report)?;
                report
            }
        };
        checksums::refuse_damage(&job.folder, MODEL)?;
        let start = Instant::now();
        let Step::Done(scores) = self.work.scorer.score(job)? else {
            return Ok(Step::Interrupted);
        };
        provenance.score_seconds = start.elapsed().as_secs_f64();
        if self.jobs == 1 {
            provenance.peak_memory = machine::peak_memory();
        }
        let score = TrialScore {
            version: Some(ROW_VERSION),
            id: job.trial.id.clone(),
            scores,
            training,
            provenance,
        };
        attempt.refuse_twin(&job.folder)?;
        self.folder.write_score(job.trial, &score)?;
        Ok(Step::Done(()))
    }

    fn conclude(
        &self,
        trial: &Trial,
        before: &State,
        attempt: &Attempt,
        outcome: Result<Step<()>, WorkError>,
    ) -> Result<(), SweepError> {
        let folder = self.folder.trial(trial);
        let state = match outcome {
            Ok(Step::Done(())) => {
                Attempt::end(&folder)?;
                State::Done
            }
            Ok(Step::Interrupted) => {
                attempt.stop(&folder)?;
                State::Interrupted
            }
            Err(error) if is_storage(&*error) => {
                return Err(SweepError::Storage {
                    id: trial.id.clone(),
                    message: chain(&*error).to_string(),
                });
            }
            Err(error) => match error.downcast::<SweepError>() {
                Ok(twin) if matches!(*twin, SweepError::Twin { .. }) => return Err(*twin),
                Ok(error) => self.fail(trial, before, &*error)?,
                Err(error) => self.fail(trial, before, &*error)?,
            },
        };
        {
            let mut summary = self.summary.lock().expect(UNPOISONED);
            match &state {
                State::Done => summary.done += 1,
                State::Failed(failure) => summary.failed.push((trial.id.clone(), failure.clone())),
                _ => summary.interrupted += 1,
            }
        }
        if state == State::Done
            && let Queue::Free(free) = &*self.queue.lock().expect(UNPOISONED)
        {
            free.finished(trial);
        }
        if let Some(ledger) = &mut *self.ledger.lock().expect(UNPOISONED) {
            ledger.update(trial)?;
        }
        self.work.observer.ended(trial, &state);
        Ok(())
    }

    /// Keeps the message of a failed trial.
    fn fail(&self, trial: &Trial, before: &State, error: &Cause) -> Result<State, SweepError> {
        let earlier = match before {
            State::Failed(failure) => failure.attempts,
            _ => 0,
        };
        let failure = Failure {
            message: chain(error).to_string(),
            attempts: earlier + 1,
        };
        self.folder.write_failure(trial, &failure)?;
        Attempt::end(&self.folder.trial(trial))?;
        Ok(State::Failed(failure))
    }
}

/// What an error trait object is here.
type Cause = dyn std::error::Error + Send + Sync;

fn panic_message(panic: &(dyn Any + Send)) -> String {
    let text = panic
        .downcast_ref::<String>()
        .map(String::as_str)
        .or_else(|| panic.downcast_ref::<&str>().copied())
        .unwrap_or("no message");
    format!("internal error: {text}")
}
