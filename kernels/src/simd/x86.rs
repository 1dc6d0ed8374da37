//! Eight lanes in one 256-bit register, sixteen in two of them or in a 512-bit one.

use super::{LANES, Simd, Vector};
use std::arch::x86_64::*;
use std::marker::PhantomData;

/// Registers of x86-64; `W` holds sixteen lanes.
#[derive(Clone, Copy, Debug)]
pub struct X86<W>(PhantomData<W>);

/// AVX2 with FMA.
pub type Avx2 = X86<[__m256; 2]>;

/// AVX2 and FMA, with the 512-bit registers of AVX-512 (F and VL).
pub type Avx512 = X86<__m512>;

/// The body of an `impl` of [`Vector`] by the intrinsics of one register.
macro_rules! vector {
    ($width:expr, $splat:ident, $load:ident, $store:ident, $add:ident, $sub:ident,
     $mul:ident, $mul_add:ident, $max:ident) => {
        const WIDTH: usize = $width;
        const REGISTERS: usize = 1;
        #[inline(always)]
        fn splat(x: f32) -> Self {
            // SAFETY: see above.
            unsafe { $splat(x) }
        }
        #[inline(always)]
        unsafe fn load_ptr(p: *const f32) -> Self {
            // SAFETY: the caller promises the readable values.
            unsafe { $load(p) }
        }
        #[inline(always)]
        unsafe fn store_ptr(self, p: *mut f32) {
            // SAFETY: the caller promises the writable values.
            unsafe { $store(p, self) }
        }
        #[inline(always)]
        fn add(self, b: Self) -> Self {
            // SAFETY: see above.
            unsafe { $add(self, b) }
        }
        #[inline(always)]
        fn sub(self, b: Self) -> Self {
            // SAFETY: see above.
            unsafe { $sub(self, b) }
        }
        #[inline(always)]
        fn mul(self, b: Self) -> Self {
            // SAFETY: see above.
            unsafe { $mul(self, b) }
        }
        #[inline(always)]
        fn mul_add(self, b: Self, c: Self) -> Self {
            // SAFETY: see above.
            unsafe { $mul_add(self, b, c) }
        }
        #[inline(always)]
        fn max(self, b: Self) -> Self {
            // SAFETY: see above.
            unsafe { $max(self, b) }
        }
    };
}

// SAFETY of every block below and above: `X86` is used only inside `dispatch` or
// `dispatch_on`, which check that this CPU supports the instructions.
impl Vector for __m256 {
    vector!(
        LANES,
        _mm256_set1_ps,
        _mm256_loadu_ps,
        _mm256_storeu_ps,
        _mm256_add_ps,
        _mm256_sub_ps,
        _mm256_mul_ps,
        _mm256_fmadd_ps,
        _mm256_max_ps
    );

    #[inline(always)]
    unsafe fn load_tiles(p: *const f32, _: usize) -> Self {
        // SAFETY: the caller promises eight readable values.
        unsafe { _mm256_loadu_ps(p) }
    }
    #[inline(always)]
    fn select_lt(a: Self, b: Self, x: Self, y: Self) -> Self {
        // SAFETY: see above.
        unsafe { _mm256_blendv_ps(y, x, _mm256_cmp_ps::<_CMP_LT_OQ>(a, b)) }
    }
    #[inline(always)]
    fn shl_bits<const N: i32>(self) -> Self {
        // SAFETY: see above.
        unsafe { _mm256_castsi256_ps(_mm256_slli_epi32::<N>(_mm256_castps_si256(self))) }
    }
}

impl Vector for __m512 {
    vector!(
        2 * LANES,
        _mm512_set1_ps,
        _mm512_loadu_ps,
        _mm512_storeu_ps,
        _mm512_add_ps,
        _mm512_sub_ps,
        _mm512_mul_ps,
        _mm512_fmadd_ps,
        _mm512_max_ps
    );

    #[inline(always)]
    unsafe fn load_tiles(p: *const f32, distance: usize) -> Self {
        // SAFETY: the caller promises eight readable values at both places.
        unsafe {
            let low = _mm512_castps_pd(_mm512_castps256_ps512(_mm256_loadu_ps(p)));
            let high = _mm256_castps_pd(_mm256_loadu_ps(p.add(distance)));
            _mm512_castpd_ps(_mm512_insertf64x4::<1>(low, high))
        }
    }
    #[inline(always)]
    fn select_lt(a: Self, b: Self, x: Self, y: Self) -> Self {
        // SAFETY: see above.
        unsafe { _mm512_mask_blend_ps(_mm512_cmp_ps_mask::<_CMP_LT_OQ>(a, b), y, x) }
    }
    #[inline(always)]
    fn shl_bits<const N: i32>(self) -> Self {
        // SAFETY: see above.
        unsafe {
            let bits = _mm512_castps_si512(self);
            _mm512_castsi512_ps(_mm512_sllv_epi32(bits, _mm512_set1_epi32(N)))
        }
    }
}

impl<W: Vector> Simd for X86<W> {
    type F = __m256;
    type I = __m256i;
    type W = W;
    const TUNED: bool = true;

    #[inline(always)]
    fn load(s: &[f32]) -> __m256 {
        let s = &s[..LANES];
        // SAFETY: the slice holds eight values.
        unsafe { _mm256_loadu_ps(s.as_ptr()) }
    }
    #[inline(always)]
    fn store(v: __m256, s: &mut [f32]) {
        let s = &mut s[..LANES];
        // SAFETY: the slice holds eight values.
        unsafe { _mm256_storeu_ps(s.as_mut_ptr(), v) }
    }
    #[inline(always)]
    fn prefetch(p: *const f32) {
        // SAFETY: see above; a prefetch never faults.
        unsafe { _mm_prefetch::<_MM_HINT_T0>(p.cast()) }
    }
    #[inline(always)]
    fn to_array(v: __m256) -> [f32; LANES] {
        let mut out = [0.0; LANES];
        // SAFETY: the array holds eight values.
        unsafe { _mm256_storeu_ps(out.as_mut_ptr(), v) };
        out
    }
    #[inline(always)]
    fn div(a: __m256, b: __m256) -> __m256 {
        // SAFETY: see above.
        unsafe { _mm256_div_ps(a, b) }
    }
    #[inline(always)]
    fn sqrt(a: __m256) -> __m256 {
        // SAFETY: see above.
        unsafe { _mm256_sqrt_ps(a) }
    }
    #[inline(always)]
    fn min(a: __m256, b: __m256) -> __m256 {
        // SAFETY: see above.
        unsafe { _mm256_min_ps(a, b) }
    }
    #[inline(always)]
    fn abs(a: __m256) -> __m256 {
        // SAFETY: see above.
        unsafe { _mm256_andnot_ps(_mm256_set1_ps(-0.0), a) }
    }
    #[inline(always)]
    fn copysign(a: __m256, s: __m256) -> __m256 {
        // SAFETY: see above.
        unsafe {
            let sign = _mm256_set1_ps(-0.0);
            _mm256_or_ps(_mm256_andnot_ps(sign, a), _mm256_and_ps(sign, s))
        }
    }
    #[inline(always)]
    fn transpose(r: [__m256; LANES]) -> [__m256; LANES] {
        // SAFETY: see above.
        unsafe {
            // Interleave pairs of rows, then quads, then halves.
            let mut p = r;
            for i in 0..4 {
                p[2 * i] = _mm256_unpacklo_ps(r[2 * i], r[2 * i + 1]);
                p[2 * i + 1] = _mm256_unpackhi_ps(r[2 * i], r[2 * i + 1]);
            }
            let mut q = p;
            for h in 0..2 {
                let (a, b, c, d) = (p[4 * h], p[4 * h + 1], p[4 * h + 2], p[4 * h + 3]);
                q[4 * h] = _mm256_shuffle_ps::<0b01_00_01_00>(a, c);
                q[4 * h + 1] = _mm256_shuffle_ps::<0b11_10_11_10>(a, c);
                q[4 * h + 2] = _mm256_shuffle_ps::<0b01_00_01_00>(b, d);
                q[4 * h + 3] = _mm256_shuffle_ps::<0b11_10_11_10>(b, d);
            }
            let mut out = q;
            for i in 0..4 {
                out[i] = _mm256_permute2f128_ps::<0x20>(q[i], q[i + 4]);
                out[i + 4] = _mm256_permute2f128_ps::<0x31>(q[i], q[i + 4]);
            }
            out
        }
    }
    #[inline(always)]
    fn splat_i(x: i32) -> __m256i {
        // SAFETY: see above.
        unsafe { _mm256_set1_epi32(x) }
    }
    #[inline(always)]
    fn add_i(a: __m256i, b: __m256i) -> __m256i {
        // SAFETY: see above.
        unsafe { _mm256_add_epi32(a, b) }
    }
    #[inline(always)]
    fn sub_i(a: __m256i, b: __m256i) -> __m256i {
        // SAFETY: see above.
        unsafe { _mm256_sub_epi32(a, b) }
    }
    #[inline(always)]
    fn shl_i<const N: i32>(a: __m256i) -> __m256i {
        // SAFETY: see above.
        unsafe { _mm256_slli_epi32::<N>(a) }
    }
    #[inline(always)]
    fn shr_i<const N: i32>(a: __m256i) -> __m256i {
        // SAFETY: see above.
        unsafe { _mm256_srai_epi32::<N>(a) }
    }
    #[inline(always)]
    fn bits(a: __m256) -> __m256i {
        // SAFETY: see above.
        unsafe { _mm256_castps_si256(a) }
    }
    #[inline(always)]
    fn from_bits(a: __m256i) -> __m256 {
        // SAFETY: see above.
        unsafe { _mm256_castsi256_ps(a) }
    }
}
