//! Division of the rows of a layer among threads.

use brevity_kernels::{reduce, threads};
use rayon::prelude::*;
use std::ops::Range;
use std::slice::ChunksMut;

/// The rows of a layer, divided into parts.
///
/// One thread runs all kernels of a layer on a part: each kernel finds the output of
/// the previous one in that core's cache, and threads synchronise once per layer
/// instead of once per kernel. Results do not depend on this: the parts are a
/// function of the shape alone, and each part has its own sums over rows
/// ([`reduce::part_rows`]). Whether threads take parts, or one task takes all
/// rows and the kernels use all threads, changes no bit.
#[derive(Clone, Copy)]
pub(super) struct Parts {
    rows: usize,
    /// Rows in a part; the last may be shorter.
    part: usize,
    /// Rows in a task: a part, or all.
    task: usize,
}

impl Parts {
    /// Divides `rows` rows into parts that are multiples of `unit`.
    pub fn new(rows: usize, unit: usize) -> Parts {
        let part = reduce::part_rows(rows, unit);
        let (parts, threads) = (rows.div_ceil(part), threads::current());
        // One task per part if that keeps the threads busy four fifths of the time.
        let busy = 5 * parts >= 4 * threads * parts.div_ceil(threads);
        let task = if busy { part } else { rows };
        Parts { rows, part, task }
    }

    /// Number of parts.
    pub fn count(&self) -> usize {
        self.rows.div_ceil(self.part)
    }

    /// Rows in a part.
    pub fn part_rows(&self) -> usize {
        self.part
    }

    /// Number of values that belong to the first `rows` rows, of `len` values for all
    /// rows: the same number for each row or for each unit of rows, or none.
    fn end(&self, len: usize, rows: usize) -> usize {
        len * rows / self.rows
    }

    /// The values of `rows`, from the data of all rows.
    pub fn of<'a>(&self, data: &'a [f32], rows: &Range<usize>) -> &'a [f32] {
        let len = data.len();
        &data[self.end(len, rows.start)..self.end(len, rows.end)]
    }

    /// Splits data of all rows among the tasks.
    pub fn cut<'a>(&self, data: &'a mut [f32]) -> Cut<'a> {
        let len = self.end(data.len(), self.task);
        Cut(data.chunks_mut(len.max(1)))
    }

    /// Splits sums, the same number for each part, among the tasks.
    pub fn cut_sums<'a>(&self, sums: &'a mut [f32]) -> Cut<'a> {
        let len = sums.len() / self.count() * self.task.div_ceil(self.part);
        Cut(sums.chunks_mut(len.max(1)))
    }

    /// Creates a value for the rows of each task by `task`, in order, and runs `run`
    /// on these in parallel.
    pub fn each<T: Send>(&self, task: impl FnMut(Range<usize>) -> T, run: impl Fn(T) + Sync) {
        let starts = (0..self.rows).step_by(self.task);
        let mut tasks = starts.map(|r| r..self.rows.min(r + self.task)).map(task);
        if self.task == self.rows {
            tasks.by_ref().for_each(run);
            return;
        }
        let tasks: Vec<T> = tasks.collect();
        let tasks = tasks.into_par_iter().with_max_len(1);
        tasks.for_each(|task| threads::alone(|| run(task)));
    }
}

/// Pieces of data, one per task.
pub(super) struct Cut<'a>(ChunksMut<'a, f32>);

impl<'a> Cut<'a> {
    /// The piece of the next task; empty if there are no data.
    pub fn next(&mut self) -> &'a mut [f32] {
        self.0.next().unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tasks_cover_all_rows_whatever_the_threads() {
        for (rows, unit) in [(1, 1), (255, 1), (4096, 256), (1200, 50), (4000, 1000)] {
            let mut sums = Vec::new();
            for threads in [1, 2, 3, 16] {
                let pool = rayon::ThreadPoolBuilder::new().num_threads(threads);
                pool.build().unwrap().install(|| {
                    let parts = Parts::new(rows, unit);
                    let (mut data, mut own) = (vec![0.0; 2 * rows], vec![0.0; parts.count()]);
                    let (mut cut, mut cut_sums) = (parts.cut(&mut data), parts.cut_sums(&mut own));
                    parts.each(
                        |rows| (rows, cut.next(), cut_sums.next()),
                        |(rows, data, sums)| {
                            assert!(rows.start % unit == 0);
                            assert_eq!(data.len(), 2 * rows.len());
                            data.fill(1.0);
                            for (i, sum) in sums.iter_mut().enumerate() {
                                let first = rows.start + i * parts.part_rows();
                                *sum = (rows.end.min(first + parts.part_rows()) - first) as f32;
                            }
                        },
                    );
                    assert_eq!(data, vec![1.0; 2 * rows]);
                    assert_eq!(own.iter().sum::<f32>(), rows as f32);
                    sums.push(own);
                });
            }
            assert!(sums.iter().all(|s| *s == sums[0]), "{sums:?}");
        }
    }
}
