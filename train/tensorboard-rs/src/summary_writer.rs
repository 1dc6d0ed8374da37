//! Writing scalars into a folder.

use crate::event;
use std::fs::{File, OpenOptions};
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};
use std::time::{SystemTime, UNIX_EPOCH};

/// Writes events into its own file. Events are only a view of a run, so a file that
/// cannot be written is abandoned without an error.
pub struct SummaryWriter {
    folder: PathBuf,
    file: Option<BufWriter<File>>,
    given_up: bool,
}

impl SummaryWriter {
    /// A writer into `folder`. The file is made with the first event.
    pub fn new(folder: impl AsRef<Path>) -> SummaryWriter {
        SummaryWriter {
            folder: folder.as_ref().to_owned(),
            file: None,
            given_up: false,
        }
    }

    /// Adds a value of the curve `tag` at a step.
    pub fn add_scalar(&mut self, tag: &str, scalar_value: f32, step: usize) {
        let event = event::scalar(now(), step as u64, tag, scalar_value);
        self.try_to(|file| file.write_all(&event::record(&event)));
    }

    /// Passes the buffered events to the operating system.
    pub fn flush(&mut self) {
        self.try_to(BufWriter::flush);
    }

    fn try_to(&mut self, write: impl FnOnce(&mut BufWriter<File>) -> io::Result<()>) {
        if self.given_up {
            return;
        }
        let opened = match self.file.take() {
            Some(file) => Ok(file),
            None => create(&self.folder),
        };
        let written = opened.and_then(|mut file| write(&mut file).map(|()| file));
        self.given_up = written.is_err();
        self.file = written.ok();
    }
}

/// Creates a file with a name that TensorBoard recognises as an event file. Names sort by
/// time, and each writer gets a different one.
fn create(folder: &Path) -> io::Result<BufWriter<File>> {
    let seconds = now() as u64;
    let process = std::process::id();
    for i in 0.. {
        let name = format!("events.out.tfevents.{seconds:010}.brevity.{process}.{i}");
        let file = OpenOptions::new()
            .write(true)
            .create_new(true)
            .open(folder.join(name));
        match file {
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
            file => {
                let mut file = BufWriter::new(file?);
                file.write_all(&event::record(&event::version(now())))?;
                return Ok(file);
            }
        }
    }
    unreachable!("a folder has fewer files than there are numbers")
}

fn now() -> f64 {
    let elapsed = SystemTime::now().duration_since(UNIX_EPOCH);
    elapsed.map_or(0.0, |elapsed| elapsed.as_secs_f64())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_writers_of_one_second_have_two_files() {
        let folder = tempfile::tempdir().unwrap();
        for _ in 0..2 {
            let mut writer = SummaryWriter::new(folder.path());
            writer.add_scalar("loss", 1.0, 1);
            writer.flush();
        }
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 2);
    }

    #[test]
    fn a_folder_that_is_not_there_is_given_up() {
        let folder = tempfile::tempdir().unwrap();
        let mut writer = SummaryWriter::new(folder.path().join("none"));
        writer.add_scalar("loss", 1.0, 1);
        assert!(writer.given_up);
        writer.flush();
    }
}
