//! Eight `f32` lanes on every CPU, with the same bits.
//!
//! A kernel is written once, generic over [`Simd`], and entered through
//! [`dispatch`], which picks the instruction set at run time. The logical width
//! is eight lanes on every path, so a reduction that is laid out over lanes has
//! one shape everywhere and the choice of path changes the speed only.
//!
//! Every operation here is either exact (integer and bit operations, `min`,
//! `max`, selection) or correctly rounded by IEEE 754 (`add`, `sub`, `mul`,
//! `div`, `sqrt`, `mul_add`), hence identical wherever it runs. There are no
//! approximate reciprocals and no flush-to-zero.

use std::sync::atomic::{AtomicU8, Ordering};

/// Lanes in a vector, on every path.
pub const LANES: usize = 8;

/// An instruction set that offers eight lanes of `f32` and `i32`.
///
/// The functions of an implementation may only run inside [`dispatch`], which
/// has checked that the CPU has the instructions.
pub trait Simd: Copy + Send + Sync + 'static {
    /// Eight `f32`.
    type F: Copy;
    /// Eight `i32`.
    type I: Copy;

    /// Every lane is `x`.
    fn splat(x: f32) -> Self::F;
    /// The first eight values of `s`. Panics if there are fewer.
    fn load(s: &[f32]) -> Self::F;
    /// Writes eight values to the front of `s`. Panics if it is shorter.
    fn store(v: Self::F, s: &mut [f32]);
    /// The first values of `s`, eight at most, then zeros.
    #[inline(always)]
    fn load_part(s: &[f32]) -> Self::F {
        if s.len() >= LANES {
            Self::load(s)
        } else {
            let mut part = [0.0; LANES];
            part[..s.len()].copy_from_slice(s);
            Self::load(&part)
        }
    }
    /// Writes the first values of `v` to `s`, eight at most.
    #[inline(always)]
    fn store_part(v: Self::F, s: &mut [f32]) {
        if s.len() >= LANES {
            Self::store(v, s);
        } else {
            s.copy_from_slice(&Self::to_array(v)[..s.len()]);
        }
    }
    /// Eight values at `p`.
    ///
    /// # Safety
    /// `p` is valid for reading eight `f32`; no alignment is needed.
    unsafe fn load_ptr(p: *const f32) -> Self::F;
    /// Writes eight values at `p`.
    ///
    /// # Safety
    /// `p` is valid for writing eight `f32`; no alignment is needed.
    unsafe fn store_ptr(v: Self::F, p: *mut f32);
    /// A hint that `p` is read soon; any address is allowed.
    fn prefetch(p: *const f32);
    /// The lanes as an array.
    fn to_array(v: Self::F) -> [f32; LANES];
    /// `a + b`
    fn add(a: Self::F, b: Self::F) -> Self::F;
    /// `a - b`
    fn sub(a: Self::F, b: Self::F) -> Self::F;
    /// `a * b`
    fn mul(a: Self::F, b: Self::F) -> Self::F;
    /// `a / b`
    fn div(a: Self::F, b: Self::F) -> Self::F;
    /// `sqrt(a)`
    fn sqrt(a: Self::F) -> Self::F;
    /// `a * b + c`, rounded once.
    fn mul_add(a: Self::F, b: Self::F, c: Self::F) -> Self::F;
    /// `if a > b { a } else { b }` (the second operand if either is NaN).
    fn max(a: Self::F, b: Self::F) -> Self::F;
    /// `if a < b { a } else { b }` (the second operand if either is NaN).
    fn min(a: Self::F, b: Self::F) -> Self::F;
    /// Lane by lane `if a < b { x } else { y }`.
    fn select_lt(a: Self::F, b: Self::F, x: Self::F, y: Self::F) -> Self::F;
    /// `a` with its sign bit cleared.
    fn abs(a: Self::F) -> Self::F;
    /// The magnitude of `a` with the sign of `s`.
    fn copysign(a: Self::F, s: Self::F) -> Self::F;

    /// The transpose of eight rows of eight.
    fn transpose(rows: [Self::F; LANES]) -> [Self::F; LANES];

    /// Every lane is `x`.
    fn splat_i(x: i32) -> Self::I;
    /// Wrapping `a + b`
    fn add_i(a: Self::I, b: Self::I) -> Self::I;
    /// Wrapping `a - b`
    fn sub_i(a: Self::I, b: Self::I) -> Self::I;
    /// `a << N`
    fn shl_i<const N: i32>(a: Self::I) -> Self::I;
    /// `a >> N`, arithmetic.
    fn shr_i<const N: i32>(a: Self::I) -> Self::I;
    /// The bits of `a` as integers.
    fn bits(a: Self::F) -> Self::I;
    /// The `f32` whose bits are `a`.
    fn from_bits(a: Self::I) -> Self::F;
}

/// Eight lanes by plain loops over `f32::mul_add` and friends: correct anywhere,
/// vectorised by the compiler where the target has fused multiply-add (Arm).
#[derive(Clone, Copy, Debug)]
pub struct Portable;

macro_rules! zip {
    ($a:ident, $b:ident, |$x:ident, $y:ident| $e:expr) => {{
        let mut out = $a;
        for (o, $y) in out.iter_mut().zip($b) {
            let $x = *o;
            *o = $e;
        }
        out
    }};
}

/// `a * b + c`, rounded once.
///
/// `f32::mul_add`, except where the compiler would call a library for it: on
/// x86-64 without the FMA feature the same bits come from `f64` arithmetic.
#[inline(always)]
fn mul_add(a: f32, b: f32, c: f32) -> f32 {
    if cfg!(all(target_arch = "x86_64", not(target_feature = "fma"))) {
        mul_add_wide(a, b, c)
    } else {
        a.mul_add(b, c)
    }
}

/// The product of two `f32` is exact in `f64`; the sum is rounded to odd there,
/// after which rounding to `f32` is as good as rounding once (Boldo & Melquiond
/// 2008, "Emulation of FMA and correctly rounded sums").
#[inline(always)]
fn mul_add_wide(a: f32, b: f32, c: f32) -> f32 {
    let (p, c) = (a as f64 * b as f64, c as f64);
    let s = p + c;
    // What the sum lost (Knuth's TwoSum); NaN if the sum is not finite.
    let t = s - p;
    let lost = (p - (s - t)) + (c - t);
    // An even last bit moves by one towards what was lost.
    let even = s.to_bits() & 1 == 0;
    let towards = if (lost > 0.0) == (s > 0.0) {
        1
    } else {
        u64::MAX
    };
    let inexact = lost.abs() > 0.0;
    let step = if even && inexact { towards } else { 0 };
    f64::from_bits(s.to_bits().wrapping_add(step)) as f32
}

impl Simd for Portable {
    type F = [f32; LANES];
    type I = [i32; LANES];

    #[inline(always)]
    fn splat(x: f32) -> Self::F {
        [x; LANES]
    }
    #[inline(always)]
    fn load(s: &[f32]) -> Self::F {
        let mut out = [0.0; LANES];
        out.copy_from_slice(&s[..LANES]);
        out
    }
    #[inline(always)]
    fn store(v: Self::F, s: &mut [f32]) {
        s[..LANES].copy_from_slice(&v);
    }
    #[inline(always)]
    unsafe fn load_ptr(p: *const f32) -> Self::F {
        // SAFETY: the caller vouches for eight readable values.
        unsafe { p.cast::<[f32; LANES]>().read_unaligned() }
    }
    #[inline(always)]
    unsafe fn store_ptr(v: Self::F, p: *mut f32) {
        // SAFETY: the caller vouches for eight writable values.
        unsafe { p.cast::<[f32; LANES]>().write_unaligned(v) }
    }
    #[inline(always)]
    fn prefetch(_: *const f32) {}
    #[inline(always)]
    fn to_array(v: Self::F) -> [f32; LANES] {
        v
    }
    #[inline(always)]
    fn add(a: Self::F, b: Self::F) -> Self::F {
        zip!(a, b, |x, y| x + y)
    }
    #[inline(always)]
    fn sub(a: Self::F, b: Self::F) -> Self::F {
        zip!(a, b, |x, y| x - y)
    }
    #[inline(always)]
    fn mul(a: Self::F, b: Self::F) -> Self::F {
        zip!(a, b, |x, y| x * y)
    }
    #[inline(always)]
    fn div(a: Self::F, b: Self::F) -> Self::F {
        zip!(a, b, |x, y| x / y)
    }
    #[inline(always)]
    fn sqrt(a: Self::F) -> Self::F {
        a.map(f32::sqrt)
    }
    #[inline(always)]
    fn mul_add(a: Self::F, b: Self::F, c: Self::F) -> Self::F {
        let mut out = c;
        for i in 0..LANES {
            out[i] = mul_add(a[i], b[i], c[i]);
        }
        out
    }
    #[inline(always)]
    fn max(a: Self::F, b: Self::F) -> Self::F {
        zip!(a, b, |x, y| if x > y { x } else { y })
    }
    #[inline(always)]
    fn min(a: Self::F, b: Self::F) -> Self::F {
        zip!(a, b, |x, y| if x < y { x } else { y })
    }
    #[inline(always)]
    fn select_lt(a: Self::F, b: Self::F, x: Self::F, y: Self::F) -> Self::F {
        let mut out = y;
        for i in 0..LANES {
            if a[i] < b[i] {
                out[i] = x[i];
            }
        }
        out
    }
    #[inline(always)]
    fn abs(a: Self::F) -> Self::F {
        a.map(f32::abs)
    }
    #[inline(always)]
    fn copysign(a: Self::F, s: Self::F) -> Self::F {
        zip!(a, s, |x, y| x.copysign(y))
    }
    #[inline(always)]
    fn transpose(rows: [Self::F; LANES]) -> [Self::F; LANES] {
        let mut out = [[0.0; LANES]; LANES];
        for (i, row) in rows.iter().enumerate() {
            for (j, x) in row.iter().enumerate() {
                out[j][i] = *x;
            }
        }
        out
    }
    #[inline(always)]
    fn splat_i(x: i32) -> Self::I {
        [x; LANES]
    }
    #[inline(always)]
    fn add_i(a: Self::I, b: Self::I) -> Self::I {
        zip!(a, b, |x, y| x.wrapping_add(y))
    }
    #[inline(always)]
    fn sub_i(a: Self::I, b: Self::I) -> Self::I {
        zip!(a, b, |x, y| x.wrapping_sub(y))
    }
    #[inline(always)]
    fn shl_i<const N: i32>(a: Self::I) -> Self::I {
        a.map(|x| x << N)
    }
    #[inline(always)]
    fn shr_i<const N: i32>(a: Self::I) -> Self::I {
        a.map(|x| x >> N)
    }
    #[inline(always)]
    fn bits(a: Self::F) -> Self::I {
        a.map(|x| x.to_bits() as i32)
    }
    #[inline(always)]
    fn from_bits(a: Self::I) -> Self::F {
        a.map(|x| f32::from_bits(x as u32))
    }
}

/// AVX2 with FMA.
#[cfg(target_arch = "x86_64")]
#[derive(Clone, Copy, Debug)]
pub struct Avx2;

#[cfg(target_arch = "x86_64")]
mod avx2 {
    use super::{Avx2, LANES, Simd};
    use std::arch::x86_64::*;

    // SAFETY of every block below: `Avx2` is entered only through `dispatch`,
    // which has seen AVX2 and FMA on this CPU.
    impl Simd for Avx2 {
        type F = __m256;
        type I = __m256i;

        #[inline(always)]
        fn splat(x: f32) -> __m256 {
            // SAFETY: see above.
            unsafe { _mm256_set1_ps(x) }
        }
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
        unsafe fn load_ptr(p: *const f32) -> __m256 {
            // SAFETY: the caller vouches for eight readable values.
            unsafe { _mm256_loadu_ps(p) }
        }
        #[inline(always)]
        unsafe fn store_ptr(v: __m256, p: *mut f32) {
            // SAFETY: the caller vouches for eight writable values.
            unsafe { _mm256_storeu_ps(p, v) }
        }
        #[inline(always)]
        fn prefetch(p: *const f32) {
            // SAFETY: see above; a prefetch touches nothing.
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
        fn add(a: __m256, b: __m256) -> __m256 {
            // SAFETY: see above.
            unsafe { _mm256_add_ps(a, b) }
        }
        #[inline(always)]
        fn sub(a: __m256, b: __m256) -> __m256 {
            // SAFETY: see above.
            unsafe { _mm256_sub_ps(a, b) }
        }
        #[inline(always)]
        fn mul(a: __m256, b: __m256) -> __m256 {
            // SAFETY: see above.
            unsafe { _mm256_mul_ps(a, b) }
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
        fn mul_add(a: __m256, b: __m256, c: __m256) -> __m256 {
            // SAFETY: see above.
            unsafe { _mm256_fmadd_ps(a, b, c) }
        }
        #[inline(always)]
        fn max(a: __m256, b: __m256) -> __m256 {
            // SAFETY: see above.
            unsafe { _mm256_max_ps(a, b) }
        }
        #[inline(always)]
        fn min(a: __m256, b: __m256) -> __m256 {
            // SAFETY: see above.
            unsafe { _mm256_min_ps(a, b) }
        }
        #[inline(always)]
        fn select_lt(a: __m256, b: __m256, x: __m256, y: __m256) -> __m256 {
            // SAFETY: see above.
            unsafe { _mm256_blendv_ps(y, x, _mm256_cmp_ps::<_CMP_LT_OQ>(a, b)) }
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
                // Pairs of rows, then quads, then halves.
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
}

/// A computation that is generic over the instruction set.
///
/// Mark `run` and everything it calls `#[inline(always)]`: the instructions are
/// available only in code that is inlined into [`dispatch`].
pub trait Kernel {
    /// What the computation returns.
    type Out;
    /// Runs on the instruction set `S`.
    fn run<S: Simd>(self) -> Self::Out;
}

/// An instruction set that can be chosen at run time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Path {
    /// Plain Rust on any CPU.
    Portable = 1,
    /// 256-bit vectors with fused multiply-add.
    Avx2 = 2,
}

impl Path {
    /// Whether this CPU can run it.
    pub fn available(self) -> bool {
        match self {
            Path::Portable => true,
            #[cfg(target_arch = "x86_64")]
            Path::Avx2 => is_x86_feature_detected!("avx2") && is_x86_feature_detected!("fma"),
            #[cfg(not(target_arch = "x86_64"))]
            Path::Avx2 => false,
        }
    }

    /// The path in use: the fastest one available, unless the environment
    /// variable `BREVITY_PATH=portable` or [`Path::set`] says otherwise.
    pub fn current() -> Path {
        match CURRENT.load(Ordering::Relaxed) {
            1 => Path::Portable,
            2 => Path::Avx2,
            _ => {
                let portable = std::env::var_os("BREVITY_PATH").is_some_and(|v| v == "portable");
                let path = if !portable && Path::Avx2.available() {
                    Path::Avx2
                } else {
                    Path::Portable
                };
                CURRENT.store(path as u8, Ordering::Relaxed);
                path
            }
        }
    }

    /// Chooses the path for the whole process. Results do not depend on it.
    ///
    /// # Panics
    /// If this CPU cannot run it.
    pub fn set(path: Path) {
        assert!(path.available(), "this CPU cannot run the {path:?} path");
        CURRENT.store(path as u8, Ordering::Relaxed);
    }
}

static CURRENT: AtomicU8 = AtomicU8::new(0);

/// Runs `kernel` on the current [`Path`].
#[inline]
pub fn dispatch<K: Kernel>(kernel: K) -> K::Out {
    dispatch_on(Path::current(), kernel)
}

/// Runs `kernel` on the given path, which the caller has found available.
#[inline]
pub fn dispatch_on<K: Kernel>(path: Path, kernel: K) -> K::Out {
    match path {
        #[cfg(target_arch = "x86_64")]
        // SAFETY: a `Path` in use is available on this CPU.
        Path::Avx2 => unsafe { on_avx2(kernel) },
        _ => kernel.run::<Portable>(),
    }
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx2,fma")]
fn on_avx2<K: Kernel>(kernel: K) -> K::Out {
    kernel.run::<Avx2>()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn emulated_multiply_add_rounds_once() {
        let special = [
            0.0,
            -0.0,
            1.0,
            -1.0,
            1.0 + f32::EPSILON,
            f32::MIN_POSITIVE,
            1e-45,
            -1e-45,
            f32::MAX,
            f32::MIN,
            f32::INFINITY,
            f32::NEG_INFINITY,
            f32::NAN,
        ];
        let check = |a: f32, b: f32, c: f32| {
            let (got, want) = (mul_add_wide(a, b, c), a.mul_add(b, c));
            let same = got.to_bits() == want.to_bits() || (got.is_nan() && want.is_nan());
            assert!(same, "{a:e} * {b:e} + {c:e} is {want:e}, not {got:e}");
        };
        for a in special {
            for b in special {
                for c in special {
                    check(a, b, c);
                }
            }
        }
        let mut state = 1u64;
        let mut next = || {
            state = state
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1);
            (state >> 32) as u32
        };
        for _ in 0..300_000 {
            let (a, b, c) = (next(), next(), next());
            check(f32::from_bits(a), f32::from_bits(b), f32::from_bits(c));
            // Magnitudes close together, where rounding is decided by a hair.
            let near = |bits: u32| f32::from_bits((bits & 0x81ff_ffff) | 0x3e00_0000);
            check(near(a), near(b), near(c));
            let product = near(a) * near(b);
            check(
                near(a),
                near(b),
                f32::from_bits(product.to_bits() ^ (c & 0x8000_000f)),
            );
            check(near(a), near(b), product * f32::EPSILON * 0.5);
        }
    }

    #[test]
    fn transposing_twice_is_nothing() {
        struct Twice([[f32; 8]; 8]);
        impl Kernel for Twice {
            type Out = [[f32; 8]; 8];
            #[inline(always)]
            fn run<S: Simd>(self) -> Self::Out {
                let once = S::transpose(self.0.map(|r| S::load(&r)));
                for (i, row) in once.into_iter().enumerate() {
                    assert_eq!(S::to_array(row), self.0.map(|r| r[i]));
                }
                S::transpose(once).map(S::to_array)
            }
        }
        let mut rows = [[0.0; 8]; 8];
        for i in 0..64 {
            rows[i / 8][i % 8] = i as f32;
        }
        for path in [Path::Portable, Path::Avx2] {
            if path.available() {
                assert_eq!(dispatch_on(path, Twice(rows)), rows);
            }
        }
    }
}
