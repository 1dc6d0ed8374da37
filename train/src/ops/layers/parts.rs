//! How the rows of a layer are shared among the threads.

use brevity_kernels::{reduce, threads};
use rayon::prelude::*;
use std::ops::Range;
use std::slice::ChunksMut;

/// The rows of a layer, cut into parts.
///
/// A part goes through all kernels of a layer on one thread: what one kernel
/// writes the next finds in that core's cache, and the threads meet once a layer
/// instead of once a kernel. Results do not depend on it. The parts are a
/// function of the shape, and sums over rows are kept apart for each
/// ([`reduce::part_rows`]); whether threads take parts, or a single task all
/// rows and the kernels inside share their work, changes no bit.
#[derive(Clone, Copy)]
pub(super) struct Parts {
    rows: usize,
    /// Rows in a part; the last may be shorter.
    part: usize,
    /// Rows in a task: a part, or all.
    task: usize,
}

impl Parts {
    /// `rows` rows in parts of whole multiples of `unit`.
    pub fn new(rows: usize, unit: usize) -> Parts {
        let part = reduce::part_rows(rows, unit);
        let (parts, threads) = (rows.div_ceil(part), threads::current());
        // Parts do if they keep the threads busy four fifths of the time.
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

    /// Where the values of `rows` rows end in data of `len` values that belong
    /// to all rows: some for each row, or some for each unit of them, or none.
    fn end(&self, len: usize, rows: usize) -> usize {
        len * rows / self.rows
    }

    /// What belongs to `rows` of data of all rows.
    pub fn of<'a>(&self, data: &'a [f32], rows: &Range<usize>) -> &'a [f32] {
        let len = data.len();
        &data[self.end(len, rows.start)..self.end(len, rows.end)]
    }

    /// Cuts data of all rows among the tasks.
    pub fn cut<'a>(&self, data: &'a mut [f32]) -> Cut<'a> {
        let len = self.end(data.len(), self.task);
        Cut(data.chunks_mut(len.max(1)))
    }

    /// Cuts sums, the same number for each part, among the tasks.
    pub fn cut_sums<'a>(&self, sums: &'a mut [f32]) -> Cut<'a> {
        let len = sums.len() / self.count() * self.task.div_ceil(self.part);
        Cut(sums.chunks_mut(len.max(1)))
    }

    /// Runs `run` on what `task` makes for the rows of each task in turn.
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

/// Pieces of data, one a task.
pub(super) struct Cut<'a>(ChunksMut<'a, f32>);

impl<'a> Cut<'a> {
    /// The piece of the next task; empty if the data are.
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
