//! The instructions that integer products are computed with.

use super::Task;
#[cfg(any(test, not(target_arch = "x86_64")))]
use super::dots::PortableDots;
#[cfg(target_arch = "x86_64")]
use super::x86::{Avx2Dots, Sse2Dots, VnniDots};
use crate::simd::InstructionSet;

/// A way to compute.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Path {
    /// Plain Rust.
    #[cfg(any(test, not(target_arch = "x86_64")))]
    Portable,
    #[cfg(target_arch = "x86_64")]
    Sse2,
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
            InstructionSet::Portable => Path::Sse2,
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
            all.push(Path::Sse2);
            all.extend(InstructionSet::Avx2.is_supported().then_some(Path::Avx2));
            all.extend(Path::has_vnni().then_some(Path::Vnni));
        }
        all
    }

    /// Runs a task.
    pub fn run(self, task: Task) {
        match self {
            #[cfg(any(test, not(target_arch = "x86_64")))]
            Path::Portable => task.run::<PortableDots>(),
            #[cfg(target_arch = "x86_64")]
            Path::Sse2 => task.run::<Sse2Dots>(),
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
