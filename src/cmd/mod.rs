//! One file per command: its options, the call of a library function, the
//! output.

pub mod ablation;
pub mod baselines;
pub mod compare;
pub mod compress;
pub mod contamination;
pub mod critical;
pub mod data;
pub mod decompress;
mod files;
pub use files::threads;
pub mod generate;
pub mod inspect;
mod level;
mod limits;
mod loss_log;
mod output;
mod own_model;
pub mod predictor;
pub mod prequential;
pub mod pretrained;
pub mod pretrained_score;
pub mod price;
pub mod rank;
pub mod report;
pub mod score;
pub mod select;
pub mod selftest;
pub mod shell;
pub mod sweep;
pub mod table;
pub mod train;
pub mod units;
pub mod verify;
