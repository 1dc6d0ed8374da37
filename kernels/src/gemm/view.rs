//! Matrices in slices.

/// A matrix to read: row-major with a distance between rows, or the transpose
/// of one.
#[derive(Clone, Copy, Debug)]
pub struct View<'a> {
    pub(super) data: &'a [f32],
    pub(super) rows: usize,
    pub(super) cols: usize,
    /// Distance of consecutive rows (of consecutive columns if transposed).
    pub(super) stride: usize,
    pub(super) transposed: bool,
}

impl<'a> View<'a> {
    /// A row-major matrix that fills `data`.
    ///
    /// # Panics
    /// If `data` does not hold `rows * cols` values.
    #[track_caller]
    pub fn new(data: &'a [f32], rows: usize, cols: usize) -> Self {
        assert_eq!(data.len(), rows * cols, "a {rows} x {cols} matrix");
        Self::strided(data, rows, cols, cols)
    }

    /// A row-major matrix whose rows start `stride` values apart: a block of
    /// columns of a wider one.
    ///
    /// # Panics
    /// If `data` ends before the last row, or rows overlap.
    #[track_caller]
    pub fn strided(data: &'a [f32], rows: usize, cols: usize, stride: usize) -> Self {
        check(data.len(), rows, cols, stride);
        View {
            data,
            rows,
            cols,
            stride,
            transposed: false,
        }
    }

    /// The transpose: no data moves.
    pub fn t(self) -> Self {
        View {
            rows: self.cols,
            cols: self.rows,
            transposed: !self.transposed,
            ..self
        }
    }

    /// Number of rows.
    pub fn rows(&self) -> usize {
        self.rows
    }

    /// Number of columns.
    pub fn cols(&self) -> usize {
        self.cols
    }

    /// The value at row `i`, column `j`.
    ///
    /// # Panics
    /// Outside of the matrix.
    pub fn at(&self, i: usize, j: usize) -> f32 {
        assert!(i < self.rows && j < self.cols, "({i}, {j}) is outside");
        self.data[self.offset(i, j)]
    }

    /// Where row `i`, column `j` lies.
    #[inline(always)]
    pub(super) fn offset(&self, i: usize, j: usize) -> usize {
        if self.transposed {
            j * self.stride + i
        } else {
            i * self.stride + j
        }
    }
}

/// A row-major matrix to write.
#[derive(Debug)]
pub struct ViewMut<'a> {
    pub(super) data: &'a mut [f32],
    pub(super) rows: usize,
    pub(super) cols: usize,
    pub(super) stride: usize,
}

impl<'a> ViewMut<'a> {
    /// A row-major matrix that fills `data`.
    ///
    /// # Panics
    /// If `data` does not hold `rows * cols` values.
    #[track_caller]
    pub fn new(data: &'a mut [f32], rows: usize, cols: usize) -> Self {
        assert_eq!(data.len(), rows * cols, "a {rows} x {cols} matrix");
        Self::strided(data, rows, cols, cols)
    }

    /// A row-major matrix whose rows start `stride` values apart.
    ///
    /// # Panics
    /// If `data` ends before the last row, or rows overlap.
    #[track_caller]
    pub fn strided(data: &'a mut [f32], rows: usize, cols: usize, stride: usize) -> Self {
        check(data.len(), rows, cols, stride);
        ViewMut {
            data,
            rows,
            cols,
            stride,
        }
    }
}

#[track_caller]
fn check(len: usize, rows: usize, cols: usize, stride: usize) {
    assert!(stride >= cols, "rows of {cols} overlap at stride {stride}");
    if rows > 0 && cols > 0 {
        let needed = (rows - 1) * stride + cols;
        assert!(
            len >= needed,
            "a {rows} x {cols} matrix at stride {stride} needs {needed} values, not {len}"
        );
    }
}
