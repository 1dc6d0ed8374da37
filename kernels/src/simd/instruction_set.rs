//! The choice of an instruction set, made once per process at run time.

use std::ffi::OsString;
use std::fmt;
use std::sync::atomic::{AtomicU8, Ordering};

/// An instruction set that the kernels are compiled for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[repr(u8)]
pub enum InstructionSet {
    /// Plain Rust, for any CPU.
    Portable = 1,
    /// 256-bit vectors with fused multiply-add: AVX2 and FMA.
    Avx2 = 2,
    /// AVX2 and FMA, with 512-bit vectors (AVX-512 F and VL) in the innermost loops.
    Avx512 = 3,
}

/// The environment variable that chooses the instruction set.
const VARIABLE: &str = "BREVITY_ISA";

/// Its former name, which still works.
const ALIAS: &str = "BREVITY_PATH";

impl InstructionSet {
    /// All of them, the slowest first.
    pub const ALL: [InstructionSet; 3] = [
        InstructionSet::Portable,
        InstructionSet::Avx2,
        InstructionSet::Avx512,
    ];

    /// Those that this CPU supports, the slowest first.
    pub fn supported() -> impl Iterator<Item = InstructionSet> {
        let all = InstructionSet::ALL.into_iter();
        all.filter(|set| set.is_supported())
    }

    /// Whether this CPU supports it.
    pub fn is_supported(self) -> bool {
        match self {
            InstructionSet::Portable => true,
            #[cfg(target_arch = "x86_64")]
            InstructionSet::Avx2 => {
                is_x86_feature_detected!("avx2") && is_x86_feature_detected!("fma")
            }
            #[cfg(target_arch = "x86_64")]
            InstructionSet::Avx512 => {
                InstructionSet::Avx2.is_supported()
                    && is_x86_feature_detected!("avx512f")
                    && is_x86_feature_detected!("avx512vl")
            }
            #[cfg(not(target_arch = "x86_64"))]
            InstructionSet::Avx2 | InstructionSet::Avx512 => false,
        }
    }

    /// `portable`, `avx2` or `avx512`.
    pub fn name(self) -> &'static str {
        match self {
            InstructionSet::Portable => "portable",
            InstructionSet::Avx2 => "avx2",
            InstructionSet::Avx512 => "avx512",
        }
    }

    /// The instruction set with this [`name`](InstructionSet::name).
    pub fn from_name(name: &str) -> Option<InstructionSet> {
        let mut all = InstructionSet::ALL.into_iter();
        all.find(|set| set.name() == name)
    }

    /// The instruction set that the environment variable `BREVITY_ISA` names,
    /// or else `BREVITY_PATH`, an alias. `None` if neither is set or the value is
    /// empty.
    ///
    /// # Errors
    /// The value is not a [`name`](InstructionSet::name), or this CPU does not
    /// support the instruction set.
    pub fn from_env() -> Result<Option<InstructionSet>, InstructionSetError> {
        requested(|variable| std::env::var_os(variable))
    }

    /// The instruction set in use: that of [`select`](InstructionSet::select), else
    /// that of [`from_env`](InstructionSet::from_env), else the fastest one that
    /// this CPU supports.
    ///
    /// # Panics
    /// With the error of [`from_env`](InstructionSet::from_env), if it has one.
    #[inline]
    pub fn current() -> InstructionSet {
        match CURRENT.load(Ordering::Relaxed) {
            0 => choose(),
            chosen => InstructionSet::ALL[usize::from(chosen) - 1],
        }
    }

    /// Makes this the instruction set of the whole process. Results do not depend
    /// on it.
    ///
    /// # Panics
    /// If this CPU does not support it.
    pub fn select(self) {
        assert!(self.is_supported(), "this CPU does not support {self}");
        CURRENT.store(self as u8, Ordering::Relaxed);
    }
}

impl fmt::Display for InstructionSet {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// The instruction set in use; 0 until it is chosen.
static CURRENT: AtomicU8 = AtomicU8::new(0);

#[cold]
fn choose() -> InstructionSet {
    let set = match InstructionSet::from_env() {
        Ok(Some(set)) => set,
        Ok(None) => InstructionSet::supported()
            .last()
            .unwrap_or(InstructionSet::Portable),
        Err(error) => panic!("{error}"),
    };
    CURRENT.store(set as u8, Ordering::Relaxed);
    set
}

fn requested(
    environment: impl Fn(&str) -> Option<OsString>,
) -> Result<Option<InstructionSet>, InstructionSetError> {
    let values = [VARIABLE, ALIAS].map(|variable| (variable, environment(variable)));
    let given = values.into_iter().find_map(|(variable, value)| {
        let value = value?.to_string_lossy().into_owned();
        (!value.is_empty()).then_some((variable, value))
    });
    let Some((variable, value)) = given else {
        return Ok(None);
    };
    match InstructionSet::from_name(&value) {
        None => Err(InstructionSetError::Unknown { variable, value }),
        Some(set) if set.is_supported() => Ok(Some(set)),
        Some(set) => Err(InstructionSetError::NotSupported { variable, set }),
    }
}

/// An environment variable asks for an instruction set that cannot be used.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum InstructionSetError {
    /// There is no instruction set of that name.
    Unknown {
        /// The environment variable.
        variable: &'static str,
        /// Its value.
        value: String,
    },
    /// This CPU does not support the instruction set.
    NotSupported {
        /// The environment variable.
        variable: &'static str,
        /// The instruction set that it names.
        set: InstructionSet,
    },
}

impl fmt::Display for InstructionSetError {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        match self {
            InstructionSetError::Unknown { variable, value } => {
                let names = InstructionSet::ALL.map(InstructionSet::name).join(", ");
                write!(
                    f,
                    "{variable}: no instruction set is called `{value}`; there are {names}"
                )
            }
            InstructionSetError::NotSupported { variable, set } => {
                let names: Vec<_> = InstructionSet::supported()
                    .map(InstructionSet::name)
                    .collect();
                write!(
                    f,
                    "{variable}: this CPU does not support `{set}`; it supports {}",
                    names.join(", ")
                )
            }
        }
    }
}

impl std::error::Error for InstructionSetError {}

#[cfg(test)]
mod tests {
    use super::*;

    /// The request when the environment has these variables.
    fn with(variables: &[(&str, &str)]) -> Result<Option<InstructionSet>, InstructionSetError> {
        requested(|name| {
            let found = variables.iter().find(|(variable, _)| *variable == name)?;
            Some(found.1.into())
        })
    }

    #[test]
    fn the_variable_comes_before_its_alias() {
        let portable = Ok(Some(InstructionSet::Portable));
        assert_eq!(with(&[]), Ok(None));
        assert_eq!(with(&[(VARIABLE, ""), (ALIAS, "")]), Ok(None));
        assert_eq!(with(&[(VARIABLE, "portable"), (ALIAS, "wrong")]), portable);
        assert_eq!(with(&[(VARIABLE, ""), (ALIAS, "portable")]), portable);
        assert_eq!(with(&[(ALIAS, "portable")]), portable);
    }

    #[test]
    fn an_unknown_name_is_an_error() {
        let error = with(&[(ALIAS, "avx1024")]).unwrap_err();
        assert_eq!(
            error.to_string(),
            "BREVITY_PATH: no instruction set is called `avx1024`; there are portable, avx2, avx512"
        );
    }

    #[test]
    fn an_instruction_set_that_the_cpu_lacks_is_an_error() {
        for set in InstructionSet::ALL {
            let result = with(&[(VARIABLE, set.name())]);
            if set.is_supported() {
                assert_eq!(result, Ok(Some(set)));
            } else {
                let error = result.unwrap_err().to_string();
                let start = format!("BREVITY_ISA: this CPU does not support `{set}`; it supports ");
                assert!(error.starts_with(&start), "{error}");
            }
        }
    }
}
