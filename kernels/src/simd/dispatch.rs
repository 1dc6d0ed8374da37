//! The instruction set is chosen once, at run time.

#[cfg(target_arch = "x86_64")]
use super::Avx2;
use super::{Portable, Simd};
use std::sync::atomic::{AtomicU8, Ordering};

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
