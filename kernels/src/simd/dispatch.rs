//! Running a kernel on an instruction set.

#[cfg(target_arch = "x86_64")]
use super::{Avx2, Avx512};
use super::{InstructionSet, Portable, Simd};

/// A computation that is generic over the instruction set.
///
/// Mark `run` and everything it calls `#[inline(always)]`: only code that is
/// inlined into [`dispatch`] is compiled with the instructions.
pub trait Kernel {
    /// What the computation returns.
    type Out;
    /// Runs on the instruction set `S`.
    fn run<S: Simd>(self) -> Self::Out;
}

/// Runs `kernel` on the [current](InstructionSet::current) instruction set.
///
/// # Panics
/// Those of [`InstructionSet::current`].
#[inline]
pub fn dispatch<K: Kernel>(kernel: K) -> K::Out {
    // SAFETY: the current instruction set is supported: it was checked when chosen.
    unsafe { run_on(InstructionSet::current(), kernel) }
}

/// Runs `kernel` on the given instruction set.
///
/// # Panics
/// If this CPU does not support it.
#[inline]
pub fn dispatch_on<K: Kernel>(set: InstructionSet, kernel: K) -> K::Out {
    assert!(set.is_supported(), "this CPU does not support {set}");
    // SAFETY: just checked.
    unsafe { run_on(set, kernel) }
}

/// # Safety
/// This CPU supports `set`.
#[inline]
unsafe fn run_on<K: Kernel>(set: InstructionSet, kernel: K) -> K::Out {
    match set {
        #[cfg(target_arch = "x86_64")]
        // SAFETY: promised by the caller.
        InstructionSet::Avx2 => unsafe { on_avx2(kernel) },
        #[cfg(target_arch = "x86_64")]
        // SAFETY: promised by the caller.
        InstructionSet::Avx512 => unsafe { on_avx512(kernel) },
        _ => kernel.run::<Portable>(),
    }
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx2,fma")]
fn on_avx2<K: Kernel>(kernel: K) -> K::Out {
    kernel.run::<Avx2>()
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx512f,avx512vl,avx2,fma")]
fn on_avx512<K: Kernel>(kernel: K) -> K::Out {
    kernel.run::<Avx512>()
}

#[cfg(test)]
mod tests {
    use super::*;

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
        for set in InstructionSet::supported() {
            assert_eq!(dispatch_on(set, Twice(rows)), rows);
        }
    }
}
