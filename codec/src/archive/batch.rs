//! Blocks that are decoded side by side.

use super::error::Error;
use super::limits::Demand;
use super::read::Stored;
use crate::block::Progress;
use crate::predict::Model;
use brevity_kernels::threads;
use rayon::prelude::*;

/// A block that is ready to be decoded.
pub(super) struct Ready {
    number: u64,
    stored: Stored,
    memory: u64,
    threads: usize,
}

impl Ready {
    pub fn new(number: u64, stored: Stored, demand: &Demand) -> Ready {
        Ready {
            number,
            stored,
            memory: demand.memory,
            threads: demand.threads,
        }
    }
}

/// Consecutive blocks, as many as there are threads and memory for.
pub(super) struct Batch {
    blocks: Vec<Ready>,
    memory: u64,
    threads: usize,
}

impl Batch {
    /// For this much memory and the current threads, with at most this block.
    pub fn new(memory: u64, first: Option<Ready>) -> Batch {
        let mut batch = Batch {
            blocks: Vec::new(),
            memory,
            threads: rayon::current_num_threads(),
        };
        if let Some(first) = first {
            batch.take(first);
        }
        batch
    }

    /// Whether there is a thread for one more block.
    pub fn has_room(&self) -> bool {
        self.threads > 0
    }

    /// Takes a block, or gives it back if it does not fit beside the others.
    #[must_use]
    pub fn push(&mut self, block: Ready) -> Option<Ready> {
        let fits = block.memory <= self.memory && block.threads <= self.threads;
        if fits || self.blocks.is_empty() {
            self.take(block);
            return None;
        }
        Some(block)
    }

    fn take(&mut self, block: Ready) {
        self.memory = self.memory.saturating_sub(block.memory);
        self.threads = self.threads.saturating_sub(block.threads);
        self.blocks.push(block);
    }

    /// Decodes all blocks, in order.
    pub fn decode(
        self,
        model: Option<&dyn Model>,
        progress: Progress<'_>,
    ) -> Vec<Result<Vec<u8>, Error>> {
        let decode = |block: &Ready| block.stored.decode(block.number, model, progress);
        match &self.blocks[..] {
            // Its model may use all threads.
            [block] => vec![decode(block)],
            blocks => blocks
                .par_iter()
                .map(|block| threads::alone(|| decode(block)))
                .collect(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::input::Input;
    use super::super::layout::Front;
    use super::super::read::read_block;
    use super::super::write::{Options, Source, compress};
    use super::*;

    fn block(number: u64, memory: u64, threads: usize) -> Ready {
        let mut archive = Vec::new();
        let (source, options) = (Source::none(), Options::default());
        compress(&b"a block"[..], &mut archive, &source, &options, &|_| {}).unwrap();
        let mut input = Input::new(&archive[..], 0);
        let front = Front::read(&mut input).unwrap();
        Ready {
            number,
            stored: read_block(&mut input, 0, front.terms, false).unwrap(),
            memory,
            threads,
        }
    }

    /// The numbers of the blocks of each batch, where each block asks for this much memory
    /// and these threads of four.
    fn batches(memory: u64, blocks: &[(u64, usize)]) -> Vec<Vec<u64>> {
        let four = rayon::ThreadPoolBuilder::new().num_threads(4);
        four.build().unwrap().install(|| {
            let mut blocks = (0..).zip(blocks).map(|(n, &(m, t))| block(n, m, t));
            let (mut all, mut held) = (Vec::new(), None);
            while let Some(first) = held.take().or_else(|| blocks.next()) {
                let mut batch = Batch::new(memory, Some(first));
                while batch.has_room() && held.is_none() {
                    match blocks.next() {
                        Some(block) => held = batch.push(block),
                        None => break,
                    }
                }
                all.push(batch.blocks.iter().map(|block| block.number).collect());
            }
            all
        })
    }

    #[test]
    fn a_batch_stays_within_memory_and_threads() {
        let numbers =
            |all: &[&[u64]]| -> Vec<Vec<u64>> { all.iter().map(|n| n.to_vec()).collect() };
        let one = (10, 1);
        assert_eq!(batches(1000, &[one; 6]), numbers(&[&[0, 1, 2, 3], &[4, 5]]));
        assert_eq!(batches(25, &[one; 3]), numbers(&[&[0, 1], &[2]]));
        // Blocks that use several threads, and one that uses all.
        let several = [(10, 2), (10, 2), (10, 3), (10, 2), (10, 4), one, one];
        let expected = numbers(&[&[0, 1], &[2], &[3], &[4], &[5, 6]]);
        assert_eq!(batches(1000, &several), expected);
        // The second asks for what is left, the third for all there is.
        let unequal = [(10, 1), (90, 1), (100, 1), (1, 1)];
        assert_eq!(batches(100, &unequal), numbers(&[&[0, 1], &[2], &[3]]));
        // More than there is: it is refused before it comes here, or runs alone.
        assert_eq!(batches(5, &[one; 2]), numbers(&[&[0], &[1]]));
        assert_eq!(batches(1000, &[(1, 9), (1, 9)]), numbers(&[&[0], &[1]]));
    }
}
