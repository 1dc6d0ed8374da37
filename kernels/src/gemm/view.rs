//! Views of slices as matrices.

/// A read-only matrix in a slice: row-major with a stride, or the transpose of one.
#[derive(Clone, Copy, Debug)]
pub struct View<'a> {
    pub(super) data: &'a [f32],
    pub(super) rows: usize,
    pub(super) cols: usize,
    /// Distance between rows (between columns if transposed).
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
        assert_eq!(
            data.len(),
            rows * cols,
            "a {rows} x {cols} matrix fills its slice"
        );
        Self::strided(data, rows, cols, cols)
    }

    /// A row-major matrix whose rows start `stride` values apart, such as a block of
    /// columns of a wider matrix.
    ///
    /// # Panics
    /// If `data` is too short, or `stride` is less than `cols`.
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

    /// The transpose, without moving data.
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
    /// If the place is outside of the matrix.
    pub fn at(&self, i: usize, j: usize) -> f32 {
        assert!(
            i < self.rows && j < self.cols,
            "({i}, {j}) is outside of the matrix"
        );
        self.data[self.offset(i, j)]
    }

    /// The offset of row `i`, column `j`.
    #[inline(always)]
    pub(super) fn offset(&self, i: usize, j: usize) -> usize {
        if self.transposed {
            j * self.stride + i
        } else {
            i * self.stride + j
        }
    }
}

/// A writable row-major matrix in a slice.
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
        assert_eq!(
            data.len(),
            rows * cols,
            "a {rows} x {cols} matrix fills its slice"
        );
        Self::strided(data, rows, cols, cols)
    }

    /// A row-major matrix whose rows start `stride` values apart.
    ///
    /// # Panics
    /// If `data` is too short, or `stride` is less than `cols`.
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
