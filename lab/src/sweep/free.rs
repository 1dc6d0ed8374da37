//! The trials that nobody runs, handed out longest first to one of many tasks.
//!
//! A first pass goes through all trials from the longest to the shortest, starting where
//! other tasks have arrived. A second pass looks at what was left behind: by tasks that
//! died, or held by others when this one came by. The first task to begin it notes for
//! the others what is left, for that only gets less.

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
    // Sorted apart from the trials, which are large and lie far from each other.
    let trials = manifest.trials.iter().enumerate();
    let mut keys: Vec<(f64, usize)> = trials.map(|(i, trial)| (trial.flops, i)).collect();
    keys.sort_unstable_by(|a, b| b.0.total_cmp(&a.0).then(a.1.cmp(&b.1)));
    keys.into_iter().map(|(_, i)| &manifest.trials[i]).collect()
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
            let mut places = index.left().unwrap_or_else(|| {
                let stamp = index.stamp();
                let finished: HashSet<String> = index.finished();
                let places = (0..order.len()).rev();
                let left = places.filter(|&place| !finished.contains(&order[place].id));
                let left: Vec<usize> = left.collect();
                index.write_left(stamp, &left);
                left
            });
            places.retain(|&place| place < order.len() && !had[place]);
            places
        })
    }
}
