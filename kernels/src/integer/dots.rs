//! Sixteen dot products of bytes side by side, by what the CPU has for them.

#[cfg(target_arch = "x86_64")]
use super::x86::{Avx2Dots, VnniDots};
use super::{PANEL, Task};
use crate::simd::{InstructionSet, Portable, Simd};

/// Sums of sixteen rows of weights. Functions may only run in [`Path::run`].
pub(super) trait Dots {
    /// For the `f32` operations.
    type S: Simd;
    /// Sixteen integers.
    type Sums: Copy;
    /// Panels that fill the registers, 1 or 2.
    const PANELS: usize;
    /// Most rows of activations that fit the registers.
    const ROWS: usize;

    /// What the sums of `(w - zero) x` start from, `sum` being that of the `x`.
    /// With `SIGNED`, zero is 128.
    fn start<const SIGNED: bool>(zero: i32, sum: i32) -> Self::Sums;

    /// Adds the products of four weights of each row, `w[4 row..4 row + 4]`, with
    /// four activations. Without `SIGNED`, weights are below 64.
    fn add<const SIGNED: bool>(sums: Self::Sums, w: &[u8; 4 * PANEL], x: [i8; 4]) -> Self::Sums;

    /// The sums, which are below 2^24.
    fn floats(sums: Self::Sums) -> <Self::S as Simd>::W;
}

/// Plain Rust.
pub(super) struct PortableDots;

impl Dots for PortableDots {
    type S = Portable;
    type Sums = [i32; PANEL];
    const PANELS: usize = 1;
    const ROWS: usize = 1;

    #[inline(always)]
    fn start<const SIGNED: bool>(zero: i32, sum: i32) -> Self::Sums {
        [-zero * sum; PANEL]
    }

    #[inline(always)]
    fn add<const SIGNED: bool>(
        mut sums: Self::Sums,
        w: &[u8; 4 * PANEL],
        x: [i8; 4],
    ) -> Self::Sums {
        for (sum, w) in sums.iter_mut().zip(w.as_chunks::<4>().0) {
            for (w, x) in w.iter().zip(x) {
                // No product is beyond 255 * 127.
                *sum += i32::from(i16::from(*w) * i16::from(x));
            }
        }
        sums
    }

    #[inline(always)]
    fn floats(sums: Self::Sums) -> <Self::S as Simd>::W {
        let (parts, _) = sums.as_chunks();
        std::array::from_fn(|i| parts[i].map(|x: i32| x as f32))
    }
}

/// A way to compute.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Path {
    Portable,
    #[cfg(target_arch = "x86_64")]
    Avx2,
    /// AVX-512 with F, BW, VL and VNNI.
    #[cfg(target_arch = "x86_64")]
    Vnni,
}

impl Path {
    /// The fastest one that the current instruction set allows.
    #[cfg(target_arch = "x86_64")]
    pub fn current() -> Path {
        match InstructionSet::current() {
            InstructionSet::Portable => Path::Portable,
            InstructionSet::Avx2 => Path::Avx2,
            InstructionSet::Avx512 => match Path::has_vnni() {
                true => Path::Vnni,
                false => Path::Avx2,
            },
        }
    }

    /// The fastest one that the current instruction set allows.
    #[cfg(not(target_arch = "x86_64"))]
    pub fn current() -> Path {
        let _ = InstructionSet::current();
        Path::Portable
    }

    #[cfg(target_arch = "x86_64")]
    fn has_vnni() -> bool {
        InstructionSet::Avx512.is_supported()
            && is_x86_feature_detected!("avx512bw")
            && is_x86_feature_detected!("avx512vnni")
    }

    /// Those that this CPU has.
    #[cfg(test)]
    pub fn supported() -> Vec<Path> {
        #[cfg_attr(not(target_arch = "x86_64"), expect(unused_mut))]
        let mut all = vec![Path::Portable];
        #[cfg(target_arch = "x86_64")]
        {
            all.extend(InstructionSet::Avx2.is_supported().then_some(Path::Avx2));
            all.extend(Path::has_vnni().then_some(Path::Vnni));
        }
        all
    }

    /// Runs a task.
    pub fn run(self, task: Task) {
        match self {
            Path::Portable => task.run::<PortableDots>(),
            // SAFETY: a path is one that this CPU supports.
            #[cfg(target_arch = "x86_64")]
            Path::Avx2 => unsafe { on_avx2(task) },
            // SAFETY: as above.
            #[cfg(target_arch = "x86_64")]
            Path::Vnni => unsafe { on_vnni(task) },
        }
    }
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx2,fma")]
fn on_avx2(task: Task) {
    task.run::<Avx2Dots>();
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx512f,avx512vl,avx512bw,avx512vnni,avx2,fma")]
fn on_vnni(task: Task) {
    task.run::<VnniDots>();
}
