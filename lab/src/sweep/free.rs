//! The trials that nobody runs, handed out longest first to one of many tasks.
//!
//! A first pass goes through all trials from the longest to the shortest, starting where
//! other tasks have arrived. A second pass looks at all that were left behind: by tasks
//! that died, or held by others when this one came by.

use super::folder::SweepFolder;
use super::index::Index;
use super::manifest::{Manifest, Trial};
use super::options::Shard;
use std::collections::HashSet;

/// A task's view of the trials that are free.
pub(super) struct Free<'a> {
    folder: &'a SweepFolder,
    index: Index,
    /// The trials, the longest first.
    order: Vec<&'a Trial>,
    /// The place of each trial in that order, by its index.
    places: Vec<usize>,
    /// Place at which to look first, so that tasks that start together do not all try
    /// the same trials.
    first: Option<usize>,
    /// Next place of the first pass.
    next: usize,
    /// Whether this task had the trial at a place already.
    had: Vec<bool>,
    /// Places that the second pass has yet to look at, last first; none before it.
    left: Option<Vec<usize>>,
}

/// The trials from the longest to the shortest.
pub(super) fn longest_first(manifest: &Manifest) -> Vec<&Trial> {
    let mut order: Vec<&Trial> = manifest.trials.iter().collect();
    order.sort_by(|a, b| b.flops.total_cmp(&a.flops).then(a.index.cmp(&b.index)));
    order
}

impl<'a> Free<'a> {
    pub fn new(folder: &'a SweepFolder, manifest: &'a Manifest, start: Option<Shard>) -> Free<'a> {
        let order = longest_first(manifest);
        let mut places = vec![0; order.len()];
        for (place, trial) in order.iter().enumerate() {
            places[trial.index] = place;
        }
        let first = start.map(|shard| shard.number - 1);
        Free {
            folder,
            index: Index::of(folder),
            first: first.filter(|&first| first < order.len()),
            next: 0,
            had: vec![false; order.len()],
            left: None,
            order,
            places,
        }
    }

    /// A trial that was not done a moment ago, and that this task did not have before.
    pub fn next(&mut self) -> Option<&'a Trial> {
        if let Some(place) = self.first.take()
            && let Some(trial) = self.at(place)
        {
            return Some(trial);
        }
        if self.left.is_none() {
            self.next = self.next.max(self.index.frontier());
            while self.next < self.order.len() {
                let place = self.next;
                self.next += 1;
                if let Some(trial) = self.at(place) {
                    self.index.advance(self.next);
                    return Some(trial);
                }
            }
        }
        loop {
            let place = self.left_behind().pop()?;
            if let Some(trial) = self.at(place) {
                return Some(trial);
            }
        }
    }

    /// Another process held the trial, so it may be left behind.
    pub fn was_held(&mut self, trial: &Trial) {
        // The second pass comes by once.
        if self.left.is_none() {
            self.had[self.places[trial.index]] = false;
        }
    }

    pub fn finished(&self, trial: &Trial) {
        self.index.add_finished(&trial.id);
    }

    fn at(&mut self, place: usize) -> Option<&'a Trial> {
        let trial = self.order[place];
        if self.had[place] || self.folder.is_done(trial) {
            return None;
        }
        self.had[place] = true;
        Some(trial)
    }

    fn left_behind(&mut self) -> &mut Vec<usize> {
        let (order, had, index) = (&self.order, &self.had, &self.index);
        self.left.get_or_insert_with(|| {
            let finished: HashSet<String> = index.finished();
            let places = (0..order.len()).rev();
            places
                .filter(|&place| !had[place] && !finished.contains(&order[place].id))
                .collect()
        })
    }
}
