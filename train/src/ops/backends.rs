//! The backends and devices; no other file names them.

#![cfg_attr(
    feature = "ndarray",
    expect(
        deprecated,
        reason = "burn's ndarray backend is deprecated but still present"
    )
)]

use super::autodiff;
use super::{
    AttentionLayer, AttentionWeights, EmbeddingLayer, EmbeddingWeights, Head, HeadWeights, Maybe,
    MlpLayer, MlpWeights, Other, Tokens, default_bodies, host, reference,
};
use burn::backend::autodiff::checkpoint::strategy::CheckpointStrategy;
use burn::backend::tensor::FloatTensor;
use burn::backend::{Autodiff, Backend, Flex, backend_extension};
use burn::tensor::Device;
use serde::{Deserialize, Serialize};
use std::fmt;
use std::str::FromStr;

/// The operations of a byte transformer, documented at the functions of the same
/// names in [`ops`](super).
#[backend_extension(
    Flex,
    NdArray: cfg(feature = "ndarray"),
    Cube: cfg(feature = "wgpu"),
    Autodiff
)]
pub trait Ops: Backend {
    /// See [`embedding`](super::embedding).
    fn embedding(
        #[extension_type] weights: EmbeddingWeights<Self>,
        #[extension_type] mask: Maybe<Self>,
        tokens: Tokens,
        layer: EmbeddingLayer,
    ) -> FloatTensor<Self> {
        reference::embedding::<Self>(weights, mask, &tokens, layer)
    }

    /// See [`attention_layer`](super::attention_layer).
    fn attention_layer(
        x: FloatTensor<Self>,
        #[extension_type] weights: AttentionWeights<Self>,
        #[extension_type] mask: Maybe<Self>,
        layer: AttentionLayer,
    ) -> FloatTensor<Self> {
        reference::attention_layer::<Self>(x, weights, mask, layer)
    }

    /// See [`mlp_layer`](super::mlp_layer).
    fn mlp_layer(
        x: FloatTensor<Self>,
        #[extension_type] weights: MlpWeights<Self>,
        #[extension_type] mask: Maybe<Self>,
        layer: MlpLayer,
    ) -> FloatTensor<Self> {
        reference::mlp_layer::<Self>(x, weights, mask, layer)
    }

    /// See [`head_loss`](super::head_loss).
    fn head_loss(
        x: FloatTensor<Self>,
        #[extension_type] weights: HeadWeights<Self>,
        targets: Tokens,
        head: Head,
    ) -> FloatTensor<Self> {
        reference::head_loss::<Self>(x, weights, &targets, head)
    }

    /// See [`head_mixture`](super::head_mixture).
    fn head_mixture(
        x: FloatTensor<Self>,
        #[extension_type] weights: HeadWeights<Self>,
        gates: FloatTensor<Self>,
        targets: Tokens,
        beside: Other,
        head: Head,
    ) -> FloatTensor<Self> {
        reference::head_mixture::<Self>(x, weights, gates, &targets, &beside, head)
    }
}

/// Implements [`Ops`] for a CPU backend with our kernels, forward and backward.
macro_rules! by_kernels {
    ($backend:ty) => {
        impl Ops for $backend {
            fn embedding(
                weights: EmbeddingWeights<Self>,
                mask: Maybe<Self>,
                tokens: Tokens,
                layer: EmbeddingLayer,
            ) -> FloatTensor<Self> {
                if default_bodies() {
                    return reference::embedding::<Self>(weights, mask, &tokens, layer);
                }
                host::embedding::<Self>(&weights, &mask, &tokens, &layer)
            }

            fn attention_layer(
                x: FloatTensor<Self>,
                weights: AttentionWeights<Self>,
                mask: Maybe<Self>,
                layer: AttentionLayer,
            ) -> FloatTensor<Self> {
                if default_bodies() {
                    return reference::attention_layer::<Self>(x, weights, mask, layer);
                }
                host::attention_layer::<Self>(&x, &weights, &mask, layer).0
            }

            fn mlp_layer(
                x: FloatTensor<Self>,
                weights: MlpWeights<Self>,
                mask: Maybe<Self>,
                layer: MlpLayer,
            ) -> FloatTensor<Self> {
                if default_bodies() {
                    return reference::mlp_layer::<Self>(x, weights, mask, layer);
                }
                host::mlp_layer::<Self>(&x, &weights, &mask, layer).0
            }

            fn head_loss(
                x: FloatTensor<Self>,
                weights: HeadWeights<Self>,
                targets: Tokens,
                head: Head,
            ) -> FloatTensor<Self> {
                if default_bodies() {
                    return reference::head_loss::<Self>(x, weights, &targets, head);
                }
                host::head_loss::<Self>(&x, &weights, &targets, head).0
            }

            fn head_mixture(
                x: FloatTensor<Self>,
                weights: HeadWeights<Self>,
                gates: FloatTensor<Self>,
                targets: Tokens,
                beside: Other,
                head: Head,
            ) -> FloatTensor<Self> {
                if default_bodies() {
                    return reference::head_mixture::<Self>(
                        x, weights, gates, &targets, &beside, head,
                    );
                }
                host::head_mixture::<Self>(&x, &weights, &gates, &targets, &beside, head).0
            }
        }

        impl<C: CheckpointStrategy> Ops for Autodiff<$backend, C> {
            fn embedding(
                weights: EmbeddingWeights<Self>,
                mask: Maybe<Self>,
                tokens: Tokens,
                layer: EmbeddingLayer,
            ) -> FloatTensor<Self> {
                if default_bodies() {
                    return reference::embedding::<Self>(weights, mask, &tokens, layer);
                }
                autodiff::embedding::<$backend, C>(weights, mask, tokens, layer)
            }

            fn attention_layer(
                x: FloatTensor<Self>,
                weights: AttentionWeights<Self>,
                mask: Maybe<Self>,
                layer: AttentionLayer,
            ) -> FloatTensor<Self> {
                if default_bodies() {
                    return reference::attention_layer::<Self>(x, weights, mask, layer);
                }
                autodiff::attention_layer::<$backend, C>(x, weights, mask, layer)
            }

            fn mlp_layer(
                x: FloatTensor<Self>,
                weights: MlpWeights<Self>,
                mask: Maybe<Self>,
                layer: MlpLayer,
            ) -> FloatTensor<Self> {
                if default_bodies() {
                    return reference::mlp_layer::<Self>(x, weights, mask, layer);
                }
                autodiff::mlp_layer::<$backend, C>(x, weights, mask, layer)
            }

            fn head_loss(
                x: FloatTensor<Self>,
                weights: HeadWeights<Self>,
                targets: Tokens,
                head: Head,
            ) -> FloatTensor<Self> {
                if default_bodies() {
                    return reference::head_loss::<Self>(x, weights, &targets, head);
                }
                autodiff::head_loss::<$backend, C>(x, weights, targets, head)
            }

            fn head_mixture(
                x: FloatTensor<Self>,
                weights: HeadWeights<Self>,
                gates: FloatTensor<Self>,
                targets: Tokens,
                beside: Other,
                head: Head,
            ) -> FloatTensor<Self> {
                if default_bodies() {
                    return reference::head_mixture::<Self>(
                        x, weights, gates, &targets, &beside, head,
                    );
                }
                autodiff::head_mixture::<$backend, C>(x, weights, gates, targets, beside, head)
            }
        }
    };
}

by_kernels!(Flex);

impl host::Host for Flex {
    fn borrow(tensor: &FloatTensor<Self>) -> Option<&[f32]> {
        tensor.as_slice()
    }
}

#[cfg(feature = "ndarray")]
mod ndarray {
    use super::*;
    use burn::backend::NdArray;
    use burn::backend::ndarray::NdArrayTensor;

    by_kernels!(NdArray);

    impl host::Host for NdArray {
        fn borrow(tensor: &FloatTensor<Self>) -> Option<&[f32]> {
            match tensor {
                NdArrayTensor::F32(storage) => storage.view().to_slice(),
                _ => None,
            }
        }
    }
}

#[cfg(feature = "wgpu")]
mod wgpu {
    use super::*;
    use burn::backend::Cube;
    use burn::tensor::wgpu::WgpuBackend;
    use std::sync::OnceLock;

    impl Ops for Cube {}
    impl<C: CheckpointStrategy> Ops for Autodiff<Cube, C> {}

    /// Opens the GPU, once per process for each kind.
    pub(super) fn device(kind: DeviceKind) -> Result<Device, DeviceError> {
        static WGPU: OnceLock<Result<Device, DeviceError>> = OnceLock::new();
        static VULKAN: OnceLock<Result<Device, DeviceError>> = OnceLock::new();
        let (known, api) = match kind {
            DeviceKind::Vulkan => (&VULKAN, WgpuBackend::Vulkan),
            _ => (&WGPU, WgpuBackend::Auto),
        };
        let open = || {
            let device = Device::wgpu_options().graphics_api(api).init();
            device.map_err(|error| DeviceError::Unavailable(kind, error.to_string()))
        };
        known.get_or_init(open).clone()
    }
}

/// The kind of device that training runs on.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum DeviceKind {
    /// The CPU, with our kernels: reproducible, and the default.
    #[default]
    Flex,
    /// The CPU, with our kernels in burn's older CPU backend.
    Ndarray,
    /// A GPU through the system's native API (Vulkan, Metal, DirectX).
    Wgpu,
    /// A GPU through Vulkan.
    Vulkan,
}

/// Why a device cannot be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum DeviceError {
    /// The program was built without this device.
    #[error("device `{0}` is not part of this build; build with `--features {1}`")]
    NotBuilt(DeviceKind, &'static str),
    /// The machine has no such device, or no driver for it.
    #[error("device `{0}` cannot be opened: {1}")]
    Unavailable(DeviceKind, String),
    /// There is no device of this name.
    #[error("there is no device `{0}`; the devices are flex, ndarray, wgpu and vulkan")]
    Unknown(String),
}

impl fmt::Display for DeviceKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            DeviceKind::Flex => "flex",
            DeviceKind::Ndarray => "ndarray",
            DeviceKind::Wgpu => "wgpu",
            DeviceKind::Vulkan => "vulkan",
        })
    }
}

impl FromStr for DeviceKind {
    type Err = DeviceError;

    fn from_str(name: &str) -> Result<DeviceKind, DeviceError> {
        match name {
            "flex" => Ok(DeviceKind::Flex),
            "ndarray" => Ok(DeviceKind::Ndarray),
            "wgpu" => Ok(DeviceKind::Wgpu),
            "vulkan" => Ok(DeviceKind::Vulkan),
            _ => Err(DeviceError::Unknown(name.into())),
        }
    }
}

impl DeviceKind {
    /// Whether training on it gives the same bits on every machine.
    pub fn reproducible(self) -> bool {
        matches!(self, DeviceKind::Flex | DeviceKind::Ndarray)
    }

    /// The burn device, without automatic differentiation.
    ///
    /// # Errors
    /// If the program was built without it, or the machine does not have it.
    pub fn device(self) -> Result<Device, DeviceError> {
        match self {
            DeviceKind::Flex => Ok(Device::flex()),
            #[cfg(feature = "ndarray")]
            DeviceKind::Ndarray => Ok(Device::ndarray()),
            #[cfg(not(feature = "ndarray"))]
            DeviceKind::Ndarray => Err(DeviceError::NotBuilt(self, "ndarray")),
            #[cfg(feature = "wgpu")]
            DeviceKind::Wgpu | DeviceKind::Vulkan => wgpu::device(self),
            #[cfg(not(feature = "wgpu"))]
            DeviceKind::Wgpu | DeviceKind::Vulkan => Err(DeviceError::NotBuilt(self, "wgpu")),
        }
    }
}
