//! What decoding asks for, and how much of it is allowed.

/// What decoding asks for.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Demand {
    /// Bytes of memory, at most.
    pub memory: u64,
    /// Floating-point operations of the model.
    pub operations: f64,
    /// Seconds that the context models take on one thread, give or take a factor of two.
    pub context_seconds: f64,
    /// Lanes of a block that a model predicts at once, at most; 0 without a model.
    pub lanes: usize,
    /// Threads that work on a block, of the current ones. Blocks are decoded side by side
    /// where others are left, and memory.
    pub threads: usize,
    /// Blocks.
    pub blocks: usize,
}

/// How much decoding may take.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Limits {
    /// Bytes of memory.
    pub memory: u64,
    /// Floating-point operations of the model, for all blocks together.
    pub operations: f64,
}

impl Default for Limits {
    /// 8 GiB, and 10^16 operations: a day at 10^11 a second.
    fn default() -> Limits {
        Limits {
            memory: 1 << 33,
            operations: 1e16,
        }
    }
}

impl Limits {
    /// None.
    pub const NONE: Limits = Limits {
        memory: u64::MAX,
        operations: f64::INFINITY,
    };
}
