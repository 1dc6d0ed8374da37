//! Vectors whose lanes are independent, of eight or sixteen lanes.

/// Eight or sixteen lanes of `f32`, for code that never crosses lanes and so can be
/// written once for both.
///
/// As with [`Simd`](super::Simd), the functions may only run inside
/// [`dispatch`](super::dispatch) or [`dispatch_on`](super::dispatch_on).
pub trait Vector: Copy + Send + Sync + 'static {
    /// Number of lanes.
    const WIDTH: usize;
    /// Number of registers.
    const REGISTERS: usize;

    /// Every lane is `x`.
    fn splat(x: f32) -> Self;
    /// The values at `p`.
    ///
    /// # Safety
    /// `p` is valid for reading [`WIDTH`](Self::WIDTH) `f32`; no alignment is
    /// needed.
    unsafe fn load_ptr(p: *const f32) -> Self;
    /// Writes the values to `p`.
    ///
    /// # Safety
    /// `p` is valid for writing [`WIDTH`](Self::WIDTH) `f32`; no alignment is
    /// needed.
    unsafe fn store_ptr(self, p: *mut f32);
    /// Eight values at `p` and, with sixteen lanes, eight more at `p + distance`.
    ///
    /// # Safety
    /// Both places are valid for reading eight `f32`; no alignment is needed.
    unsafe fn load_tiles(p: *const f32, distance: usize) -> Self;
    /// `self + b`
    fn add(self, b: Self) -> Self;
    /// `self - b`
    fn sub(self, b: Self) -> Self;
    /// `self * b`
    fn mul(self, b: Self) -> Self;
    /// `self * b + c`, rounded once.
    fn mul_add(self, b: Self, c: Self) -> Self;
    /// The same where `self * b` is a multiple of 2^-179, or not finite: faster on CPUs
    /// without fused multiply-add.
    #[inline(always)]
    fn mul_add_coarse(self, b: Self, c: Self) -> Self {
        self.mul_add(b, c)
    }
    /// `if self > b { self } else { b }` (`b` if either is NaN).
    fn max(self, b: Self) -> Self;
    /// Lane by lane `if a < b { x } else { y }`.
    fn select_lt(a: Self, b: Self, x: Self, y: Self) -> Self;
    /// The values whose bits are those of `self`, shifted left by `N`.
    fn shl_bits<const N: i32>(self) -> Self;
}

/// Two adjacent vectors.
impl<V: Vector> Vector for [V; 2] {
    const WIDTH: usize = 2 * V::WIDTH;
    const REGISTERS: usize = 2 * V::REGISTERS;

    #[inline(always)]
    fn splat(x: f32) -> Self {
        [V::splat(x); 2]
    }
    #[inline(always)]
    unsafe fn load_ptr(p: *const f32) -> Self {
        // SAFETY: the caller promises the values of both.
        unsafe { [V::load_ptr(p), V::load_ptr(p.add(V::WIDTH))] }
    }
    #[inline(always)]
    unsafe fn store_ptr(self, p: *mut f32) {
        // SAFETY: the caller promises the places of both.
        unsafe {
            self[0].store_ptr(p);
            self[1].store_ptr(p.add(V::WIDTH));
        }
    }
    #[inline(always)]
    fn mul_add(self, b: Self, c: Self) -> Self {
        [self[0].mul_add(b[0], c[0]), self[1].mul_add(b[1], c[1])]
    }
    #[inline(always)]
    fn mul_add_coarse(self, b: Self, c: Self) -> Self {
        [
            self[0].mul_add_coarse(b[0], c[0]),
            self[1].mul_add_coarse(b[1], c[1]),
        ]
    }
    #[inline(always)]
    unsafe fn load_tiles(p: *const f32, distance: usize) -> Self {
        // SAFETY: the caller promises eight values at both places.
        unsafe { [V::load_ptr(p), V::load_ptr(p.add(distance))] }
    }
    #[inline(always)]
    fn add(self, b: Self) -> Self {
        [self[0].add(b[0]), self[1].add(b[1])]
    }
    #[inline(always)]
    fn sub(self, b: Self) -> Self {
        [self[0].sub(b[0]), self[1].sub(b[1])]
    }
    #[inline(always)]
    fn mul(self, b: Self) -> Self {
        [self[0].mul(b[0]), self[1].mul(b[1])]
    }
    #[inline(always)]
    fn max(self, b: Self) -> Self {
        [self[0].max(b[0]), self[1].max(b[1])]
    }
    #[inline(always)]
    fn select_lt(a: Self, b: Self, x: Self, y: Self) -> Self {
        std::array::from_fn(|i| V::select_lt(a[i], b[i], x[i], y[i]))
    }
    #[inline(always)]
    fn shl_bits<const N: i32>(self) -> Self {
        self.map(V::shl_bits::<N>)
    }
}
