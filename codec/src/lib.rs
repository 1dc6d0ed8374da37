//! Predictors turned into lossless archives.
