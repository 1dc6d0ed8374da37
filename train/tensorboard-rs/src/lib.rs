//! Scalars for TensorBoard: event files of `TFRecord`s that hold `Event` messages.
//!
//! ```text
//! record   u64 length, u32 masked CRC-32C of it, the message, u32 masked CRC-32C of it
//! Event    1 wall_time: double, 2 step: int64, 3 file_version: string, 5 summary: Summary
//! Summary  1 value: repeated { 1 tag: string, 2 simple_value: float }
//! ```
//!
//! All numbers are little endian; messages are in the wire format of protocol buffers.
//!
//! ```
//! use tensorboard_rs::summary_writer::SummaryWriter;
//!
//! let folder = tempfile::tempdir().unwrap();
//! let mut writer = SummaryWriter::new(folder.path());
//! writer.add_scalar("loss", 0.5, 1);
//! writer.flush();
//! assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1);
//! ```

mod crc32c;
mod event;
pub mod summary_writer;
