//! Runs the trials of a sweep; a kill loses only the work since the last checkpoint.

use super::error::{SweepError, is_storage};
use super::folder::{Failure, State, SweepFolder, TrialScore};
use super::job::{Job, Step, Work, WorkError};
use super::manifest::{Manifest, Trial};
use super::options::{RunOptions, Summary};
use super::results;
use super::{checksums, provenance};
use brevity_length::ROW_VERSION;
use brevity_task::{Stop, chain};
use brevity_train::MODEL;
use std::any::Any;
use std::collections::VecDeque;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

/// Runs the unfinished trials of the sweep in `folder`. The results files are updated
/// after each trial.
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
    let _lock = folder.lock(options.shard.is_some())?;
    folder.claim(manifest, config)?;
    let mine = |trial: &&Trial| options.shard.is_none_or(|shard| shard.has(trial));
    let mut summary = Summary::default();
    let mut queue = Vec::new();
    let mut interrupted = 0;
    for trial in manifest.trials.iter().filter(mine) {
        if let Some(path) = folder.damage(trial)? {
            if !options.resume {
                return Err(SweepError::Damaged { path });
            }
            folder.discard(trial, &path)?;
            work.observer.repaired(trial, &path);
        }
        match folder.state(trial)? {
            State::Done => summary.skipped += 1,
            State::Failed(failure) if !options.retry_failed => {
                summary.failed.push((trial.id.clone(), failure));
            }
            State::Interrupted => {
                interrupted += 1;
                queue.push(trial);
            }
            State::Pending | State::Failed(_) => queue.push(trial),
        }
    }
    if interrupted > 0 && !options.resume {
        return Err(SweepError::Interrupted {
            count: interrupted,
            path: folder.root().to_path_buf(),
        });
    }
    let jobs = options.jobs.unwrap_or(options.threads.min(8));
    let jobs = jobs.clamp(1, queue.len().max(1));
    if jobs > 1 {
        // The longest first, so that no long trial runs alone at the end.
        queue.sort_by(|a, b| b.flops.total_cmp(&a.flops));
    }
    let sweep = Sweep {
        folder,
        manifest,
        work,
        options,
        jobs,
        left: AtomicUsize::new(queue.len()),
        queue: Mutex::new(queue.into()),
        summary: Mutex::new(summary),
        fatal: Mutex::new(None),
        user_stop: stop,
        stop: Stop::new(),
    };
    let over = Stop::new();
    std::thread::scope(|scope| {
        scope.spawn(|| sweep.relay_stop(&over));
        let workers: Vec<_> = (0..jobs).map(|_| scope.spawn(|| sweep.worker())).collect();
        let ends: Vec<_> = workers.into_iter().map(|worker| worker.join()).collect();
        over.set();
        if let Some(panic) = ends.into_iter().find_map(Result::err) {
            resume_unwind(panic);
        }
    });
    let written = results::write(folder, manifest);
    if let Some(error) = sweep.fatal.into_inner().expect(UNPOISONED) {
        return Err(error);
    }
    written?;
    let mut summary = sweep.summary.into_inner().expect(UNPOISONED);
    summary.interrupted += sweep.queue.into_inner().expect(UNPOISONED).len();
    Ok(summary)
}

/// Workers catch the panics of trials and have none of their own.
const UNPOISONED: &str = "no thread panics while it holds this lock";

struct Sweep<'a> {
    folder: &'a SweepFolder,
    manifest: &'a Manifest,
    work: &'a Work<'a>,
    options: &'a RunOptions,
    jobs: usize,
    /// Unfinished trials.
    left: AtomicUsize,
    queue: Mutex<VecDeque<&'a Trial>>,
    summary: Mutex<Summary>,
    fatal: Mutex<Option<SweepError>>,
    /// Set by the caller to request a stop.
    user_stop: &'a Stop,
    /// Tells the trials to stop; set on the caller's request or by a fatal error.
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
            let Some(trial) = self.queue.lock().expect(UNPOISONED).pop_front() else {
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
            self.summary.lock().expect(UNPOISONED).elsewhere += 1;
            return Ok(());
        };
        let before = self.folder.state(trial)?;
        if before == State::Done {
            self.summary.lock().expect(UNPOISONED).skipped += 1;
            return Ok(());
        }
        let resumed = before != State::Pending;
        self.work.observer.started(trial, resumed);
        self.folder.write_config(trial)?;
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
            folder: self.folder.trial(trial),
            threads,
            stop: &self.stop,
            observer: self.work.observer,
        };
        let outcome = pool.install(|| {
            catch_unwind(AssertUnwindSafe(|| self.train_and_score(&job)))
                .unwrap_or_else(|panic| Err(panic_message(&*panic).into()))
        });
        self.conclude(trial, &before, outcome)
    }

    fn train_and_score(&self, job: &Job<'_>) -> Result<Step<()>, WorkError> {
        let mut provenance = provenance::now(job, &self.options.device);
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
        let score = TrialScore {
            version: Some(ROW_VERSION),
            id: job.trial.id.clone(),
            scores,
            training,
            provenance,
        };
        self.folder.write_score(job.trial, &score)?;
        Ok(Step::Done(()))
    }

    fn conclude(
        &self,
        trial: &Trial,
        before: &State,
        outcome: Result<Step<()>, WorkError>,
    ) -> Result<(), SweepError> {
        let state = match outcome {
            Ok(Step::Done(())) => State::Done,
            Ok(Step::Interrupted) => State::Interrupted,
            Err(error) if is_storage(&*error) => {
                return Err(SweepError::Storage {
                    id: trial.id.clone(),
                    message: chain(&*error).to_string(),
                });
            }
            Err(error) => {
                let earlier = match before {
                    State::Failed(failure) => failure.attempts,
                    _ => 0,
                };
                let failure = Failure {
                    message: chain(&*error).to_string(),
                    attempts: earlier + 1,
                };
                self.folder.write_failure(trial, &failure)?;
                State::Failed(failure)
            }
        };
        {
            let mut summary = self.summary.lock().expect(UNPOISONED);
            match &state {
                State::Done => summary.done += 1,
                State::Failed(failure) => summary.failed.push((trial.id.clone(), failure.clone())),
                _ => summary.interrupted += 1,
            }
            results::write(self.folder, self.manifest)?;
        }
        self.work.observer.ended(trial, &state);
        Ok(())
    }
}

fn panic_message(panic: &(dyn Any + Send)) -> String {
    let text = panic
        .downcast_ref::<String>()
        .map(String::as_str)
        .or_else(|| panic.downcast_ref::<&str>().copied())
        .unwrap_or("no message");
    format!("internal error: {text}")
}
