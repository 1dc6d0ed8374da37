//! Weights from a spec and bytes: burn modules, optimisers, checkpoints, sweeps.
