//! Shapes of slices.

/// The number of rows of `width` values in `len` values.
///
/// # Panics
/// If `len` is not a multiple of `width`.
#[track_caller]
pub(crate) fn rows_of(len: usize, width: usize) -> usize {
    if len == 0 {
        return 0;
    }
    assert!(
        width > 0 && len.is_multiple_of(width),
        "whole rows of {width}"
    );
    len / width
}
