//! Hints that spare tasks of one folder most of their looks at trials that are done.
//!
//! They are shared by all tasks, written without locks, and never believed where it
//! matters: a hint that is lost or late costs a look.

use super::error::SweepError;
use super::files;
use super::folder::SweepFolder;
use std::collections::HashSet;
use std::fs::{self, OpenOptions};
use std::io::Write;
use std::path::PathBuf;
use std::time::UNIX_EPOCH;

/// The hints in the folder `index/` of a sweep.
pub(super) struct Index {
    root: PathBuf,
    trials: PathBuf,
}

impl Index {
    pub fn of(folder: &SweepFolder) -> Index {
        Index {
            root: folder.root().join("index"),
            trials: folder.root().join("trials"),
        }
    }

    /// Forgets all hints. Trials may have been removed since they were written.
    pub fn reset(&self) -> Result<(), SweepError> {
        files::create_folder(&self.root)?;
        files::remove(&self.frontier_path())?;
        files::remove(&self.finished_path())?;
        files::remove(&self.left_path())
    }

    fn frontier_path(&self) -> PathBuf {
        self.root.join("frontier")
    }

    fn finished_path(&self) -> PathBuf {
        self.root.join("finished")
    }

    fn left_path(&self) -> PathBuf {
        self.root.join("left")
    }

    /// A place in the order of trials before which each was taken by somebody.
    pub fn frontier(&self) -> usize {
        let text = fs::read_to_string(self.frontier_path()).unwrap_or_default();
        text.parse().unwrap_or(0)
    }

    /// Moves the frontier. Not synced: a frontier that falls back costs only looks.
    pub fn advance(&self, to: usize) {
        if to <= self.frontier() {
            return;
        }
        let _ = fs::create_dir_all(&self.root);
        let _ = fs::write(self.frontier_path(), to.to_string());
    }

    /// Adds a trial to those that are finished.
    pub fn add_finished(&self, id: &str) {
        let _ = fs::create_dir_all(&self.root);
        let file = OpenOptions::new()
            .append(true)
            .create(true)
            .open(self.finished_path());
        // One short write, which local file systems do not mix with others.
        let _ = file.and_then(|mut file| file.write_all(format!("{id}\n").as_bytes()));
    }

    /// When a folder of a trial last came or went, nanoseconds since 1970.
    pub fn stamp(&self) -> Option<u128> {
        let changed = fs::metadata(&self.trials).ok()?.modified().ok()?;
        Some(changed.duration_since(UNIX_EPOCH).ok()?.as_nanos())
    }

    /// The places, last first, of all trials that were unfinished when a task began its
    /// second pass; `None` if none did, or if folders of trials have come or gone since.
    pub fn left(&self) -> Option<Vec<usize>> {
        let text = fs::read_to_string(self.left_path()).ok()?;
        let (stamp, places) = text.split_once('\n')?;
        if stamp.parse().ok() != self.stamp() {
            return None;
        }
        places.lines().map(|place| place.parse().ok()).collect()
    }

    /// Notes what is left, with the [`stamp`](Self::stamp) from before it was found out.
    pub fn write_left(&self, stamp: Option<u128>, places: &[usize]) {
        let Some(stamp) = stamp else {
            return;
        };
        let _ = fs::create_dir_all(&self.root);
        let places: String = places.iter().map(|place| format!("{place}\n")).collect();
        let text = format!("{stamp}\n{places}");
        let _ = brevity_files::write(&self.left_path(), text.as_bytes());
    }

    /// The trials that are finished and whose folders are there.
    pub fn finished(&self) -> HashSet<String> {
        let text = fs::read_to_string(self.finished_path()).unwrap_or_default();
        if text.is_empty() {
            return HashSet::new();
        }
        let Ok(entries) = fs::read_dir(&self.trials) else {
            return HashSet::new();
        };
        let names = entries.flatten().map(|entry| entry.file_name());
        let there: HashSet<String> = names.filter_map(|name| name.into_string().ok()).collect();
        let finished = text.lines().filter(|id| there.contains(*id));
        finished.map(str::to_owned).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_trial_whose_folder_is_gone_is_not_finished() {
        let folder = tempfile::tempdir().unwrap();
        let sweep = SweepFolder::new(folder.path());
        let index = Index::of(&sweep);
        assert_eq!(index.frontier(), 0);
        index.advance(7);
        assert_eq!(index.frontier(), 7);
        for id in ["a", "b"] {
            index.add_finished(id);
        }
        fs::create_dir_all(folder.path().join("trials/a")).unwrap();
        assert_eq!(index.finished(), HashSet::from(["a".to_owned()]));
        index.reset().unwrap();
        assert_eq!(index.frontier(), 0);
        assert!(index.finished().is_empty());
    }

    #[test]
    fn what_is_left_is_believed_until_a_folder_comes_or_goes() {
        let folder = tempfile::tempdir().unwrap();
        let trials = folder.path().join("trials");
        fs::create_dir_all(trials.join("a")).unwrap();
        let index = Index::of(&SweepFolder::new(folder.path()));
        assert_eq!(index.left(), None);
        index.write_left(index.stamp(), &[4, 2]);
        assert_eq!(index.left(), Some(vec![4, 2]));
        // File systems count time in steps.
        let later = std::time::SystemTime::now() + std::time::Duration::from_secs(10);
        fs::File::open(&trials)
            .unwrap()
            .set_modified(later)
            .unwrap();
        assert_eq!(index.left(), None);
        index.reset().unwrap();
    }
}
