//! Byte sets: sources, registry, fetching, splits, statistics.
