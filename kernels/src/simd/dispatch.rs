//! The instruction set is chosen once, at run time.

#[cfg(target_arch = "x86_64")]
use super::{Avx2, Avx512};
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
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[repr(u8)]
pub enum Path {
    /// Plain Rust on any CPU.
    Portable = 1,
    /// 256-bit vectors with fused multiply-add.
    Avx2 = 2,
    /// The same, and 512-bit vectors in the innermost loops.
    Avx512 = 3,
}

impl Path {
    /// All there are, the slowest first.
    pub const ALL: [Path; 3] = [Path::Portable, Path::Avx2, Path::Avx512];

    /// Those that this CPU can run, the slowest first.
    pub fn here() -> impl Iterator<Item = Path> {
        Path::ALL.into_iter().filter(|path| path.available())
    }

    /// Whether this CPU can run it.
    pub fn available(self) -> bool {
        match self {
            Path::Portable => true,
            #[cfg(target_arch = "x86_64")]
            Path::Avx2 => is_x86_feature_detected!("avx2") && is_x86_feature_detected!("fma"),
            #[cfg(target_arch = "x86_64")]
            Path::Avx512 => {
                Path::Avx2.available()
                    && is_x86_feature_detected!("avx512f")
                    && is_x86_feature_detected!("avx512vl")
            }
            #[cfg(not(target_arch = "x86_64"))]
            Path::Avx2 | Path::Avx512 => false,
        }
    }

    /// `portable`, `avx2` or `avx512`.
    pub fn name(self) -> &'static str {
        match self {
            Path::Portable => "portable",
            Path::Avx2 => "avx2",
            Path::Avx512 => "avx512",
        }
    }

    /// The path with this [`name`](Path::name).
    pub fn named(name: &str) -> Option<Path> {
        Path::ALL.into_iter().find(|path| path.name() == name)
    }

    /// The path in use: the fastest one available, but none faster than the
    /// environment variable `BREVITY_PATH` [names](Path::named), or the one of
    /// [`Path::set`].
    pub fn current() -> Path {
        match CURRENT.load(Ordering::Relaxed) {
            0 => {
                let wanted = std::env::var("BREVITY_PATH");
                let fastest = wanted.ok().and_then(|name| Path::named(&name));
                let fastest = fastest.unwrap_or(Path::Avx512);
                let path = Path::here().take_while(|path| *path <= fastest).last();
                let path = path.unwrap_or(Path::Portable);
                CURRENT.store(path as u8, Ordering::Relaxed);
                path
            }
            chosen => Path::ALL[usize::from(chosen) - 1],
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
        #[cfg(target_arch = "x86_64")]
        // SAFETY: as above.
        Path::Avx512 => unsafe { on_avx512(kernel) },
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
        for path in Path::here() {
            assert_eq!(dispatch_on(path, Twice(rows)), rows);
        }
    }
}
