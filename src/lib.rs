//! Measure models by how short they make the description of their data, and compress
//! with them.
//!
//! This library re-exports the crates of the project. Compress some bytes and get them back:
//!
//! ```
//! use brevity::pack;
//!
//! let text = b"how much wood would a woodchuck chuck".repeat(20);
//! let archive = pack::compress(&text)?;
//! assert!(archive.len() < 120);
//! assert_eq!(pack::decompress(&archive)?, text);
//! # Ok::<(), brevity::pack::PackError>(())
//! ```
//!
//! Find the size at which more parameters cost more bytes than they save:
//!
//! ```
//! use brevity::stats::critical::{Estimator, Point, critical_sizes};
//!
//! let points: Vec<Point> = (0..8)
//!     .map(|i| 1e4 * 2f64.powi(i))
//!     .map(|n| Point::new(n, 1e6, 2.0 + 60.0 * n.powf(-0.4)))
//!     .collect();
//! let found = critical_sizes(&points, &Estimator::default())?;
//! assert!((found[0].n_star / 25_770.0 - 1.0).abs() < 0.02);
//! # Ok::<(), brevity::stats::critical::CriticalError>(())
//! ```
//!
//! # What is where
//!
//! | to | see | runs as |
//! |---|---|---|
//! | compress a file, with a model of its own or any other | [`pack`] | `cargo run --release --example own_model` |
//! | describe a transformer, load its weights | [`model`]: [`Spec`], [`Weights`] | |
//! | train one | [`train`]: [`TrainSetup`], [`train::run()`] | `... --example select` |
//! | price bytes under a model, exactly, and decode the archive | [`measure`]: [`measure::measure`] | `... --example score` |
//! | price them while a model learns them | [`train::online`] | `... --example prequential` |
//! | hold lengths: who pays for the model, what rate follows | [`length`]: [`Description`] | |
//! | do both with a predictor of another program | [`outside`] | |
//! | compare two models byte by byte | [`compare`] | |
//! | find the critical size, rank models | [`stats`] | `... --example critical_size` |
//! | compare with gzip, xz, PPMd, FLAC and others | [`baselines`] | |
//! | get bytes: files, splits, public sets | [`data`]: [`DataConfig`] | |
//! | read and write pictures and sound | [`media`] | |
//! | write or read archives, or code with a predictor of your own | [`codec`] | |
//! | run a sweep of trainings from a config | [`lab`] | |
//!
//! Long work takes a [`Control`], with a stop request and a function that receives progress
//! reports. The crates behind these modules can be used alone; [`stats`], for example, does not
//! depend on training or drawing.

pub use brevity_baselines as baselines;
pub use brevity_codec as codec;
pub use brevity_compare as compare;
pub use brevity_data as data;
pub use brevity_draw as draw;
pub use brevity_lab as lab;
pub use brevity_length as length;
pub use brevity_measure as measure;
pub use brevity_media as media;
pub use brevity_model as model;
pub use brevity_outside as outside;
pub use brevity_pretrained as pretrained;
pub use brevity_stats as stats;
pub use brevity_train as train;

pub use brevity_data::{ByteSet, DataConfig};
pub use brevity_length::{Description, Regime, Row};
pub use brevity_model::{Spec, Transformer, Weights};
pub use brevity_task::{Chain, Control, Progress, Stop, chain};
pub use brevity_train::{TrainConfig, TrainSetup};

pub mod pack;
