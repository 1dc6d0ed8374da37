//! Dot products of bytes with SSE2, which every x86-64 has, with AVX2 and with AVX-512
//! VNNI.

use super::PANEL;
use super::dots::Dots;
use crate::simd::{Avx2, Avx512, LANES, Portable};
use std::arch::x86_64::*;

// SAFETY of every block below: paths are only taken where the CPU has the
// instructions, and all loads are from arrays of their size.

/// Products of 16 bits, two of which are added in 32 bits.
pub(super) struct Sse2Dots;

impl Dots for Sse2Dots {
    type S = Portable;
    /// The first and the last two products of each row side by side.
    type Sums = [__m128i; 8];
    const PANELS: usize = 1;
    const ROWS: usize = 1;

    #[inline(always)]
    fn start<const SIGNED: bool>(zero: i32, sum: i32) -> Self::Sums {
        // SAFETY: see above.
        [unsafe { _mm_set_epi32(0, -zero * sum, 0, -zero * sum) }; 8]
    }

    #[inline(always)]
    fn add<const SIGNED: bool>(
        mut sums: Self::Sums,
        w: &[u8; 4 * PANEL],
        x: [i8; 4],
    ) -> Self::Sums {
        // SAFETY: see above.
        unsafe {
            let x = _mm_cvtsi32_si128(i32::from_ne_bytes(x.map(|x| x as u8)));
            let x = _mm_srai_epi16::<8>(_mm_unpacklo_epi8(x, x));
            let x = _mm_unpacklo_epi64(x, x);
            for (sums, w) in sums
                .as_chunks_mut::<2>()
                .0
                .iter_mut()
                .zip(w.as_chunks::<16>().0)
            {
                let w = _mm_loadu_si128(w.as_ptr().cast());
                let low = _mm_unpacklo_epi8(w, _mm_setzero_si128());
                let high = _mm_unpackhi_epi8(w, _mm_setzero_si128());
                sums[0] = _mm_add_epi32(sums[0], _mm_madd_epi16(low, x));
                sums[1] = _mm_add_epi32(sums[1], _mm_madd_epi16(high, x));
            }
        }
        sums
    }

    #[inline(always)]
    fn floats(sums: Self::Sums) -> [[f32; LANES]; 2] {
        let mut out = [[0.0; LANES]; 2];
        let (fours, _) = out.as_flattened_mut().as_chunks_mut::<4>();
        for (out, sums) in fours.iter_mut().zip(sums.as_chunks::<2>().0) {
            // SAFETY: see above.
            unsafe {
                let [a, b] = sums.map(|sum| _mm_castsi128_ps(sum));
                let first = _mm_castps_si128(_mm_shuffle_ps::<0b10_00_10_00>(a, b));
                let last = _mm_castps_si128(_mm_shuffle_ps::<0b11_01_11_01>(a, b));
                let sum = _mm_cvtepi32_ps(_mm_add_epi32(first, last));
                _mm_storeu_ps(out.as_mut_ptr(), sum);
            }
        }
        out
    }
}

/// Pairs of products in 16 bits, which must not saturate: weights below 64 times
/// activations do not, nor do signed weights times activations with their signs.
pub(super) struct Avx2Dots;

impl Dots for Avx2Dots {
    type S = Avx2;
    type Sums = [__m256i; 2];
    const PANELS: usize = 1;
    const ROWS: usize = 3;

    #[inline(always)]
    fn start<const SIGNED: bool>(zero: i32, sum: i32) -> Self::Sums {
        let start = if SIGNED { 0 } else { -zero * sum };
        // SAFETY: see above.
        [unsafe { _mm256_set1_epi32(start) }; 2]
    }

    #[inline(always)]
    fn add<const SIGNED: bool>(sums: Self::Sums, w: &[u8; 4 * PANEL], x: [i8; 4]) -> Self::Sums {
        let (halves, _) = w.as_chunks::<32>();
        // SAFETY: see above.
        unsafe {
            let x = _mm256_set1_epi32(i32::from_ne_bytes(x.map(|x| x as u8)));
            let one = _mm256_set1_epi16(1);
            let add = |sum, w: &[u8; 32]| {
                let w = _mm256_loadu_si256(w.as_ptr().cast());
                let pairs = if SIGNED {
                    let w = _mm256_xor_si256(w, _mm256_set1_epi8(i8::MIN));
                    _mm256_maddubs_epi16(_mm256_abs_epi8(w), _mm256_sign_epi8(x, w))
                } else {
                    _mm256_maddubs_epi16(w, x)
                };
                _mm256_add_epi32(sum, _mm256_madd_epi16(pairs, one))
            };
            [add(sums[0], &halves[0]), add(sums[1], &halves[1])]
        }
    }

    #[inline(always)]
    fn floats(sums: Self::Sums) -> [__m256; 2] {
        // SAFETY: see above.
        sums.map(|sum| unsafe { _mm256_cvtepi32_ps(sum) })
    }
}

/// Four products and their sum in one instruction.
pub(super) struct VnniDots;

impl Dots for VnniDots {
    type S = Avx512;
    type Sums = __m512i;
    const PANELS: usize = 2;
    const ROWS: usize = 6;

    #[inline(always)]
    fn start<const SIGNED: bool>(zero: i32, sum: i32) -> Self::Sums {
        // SAFETY: see above.
        unsafe { _mm512_set1_epi32(-zero * sum) }
    }

    #[inline(always)]
    fn add<const SIGNED: bool>(sums: Self::Sums, w: &[u8; 4 * PANEL], x: [i8; 4]) -> Self::Sums {
        // SAFETY: see above.
        unsafe {
            let w = _mm512_loadu_si512(w.as_ptr().cast());
            let x = _mm512_set1_epi32(i32::from_ne_bytes(x.map(|x| x as u8)));
            _mm512_dpbusd_epi32(sums, w, x)
        }
    }

    #[inline(always)]
    fn floats(sums: Self::Sums) -> __m512 {
        // SAFETY: see above.
        unsafe { _mm512_cvtepi32_ps(sums) }
    }
}
