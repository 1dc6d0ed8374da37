//! Accuracy of the elementary functions against `f64`, and equal bits on every
//! instruction set.

use brevity_kernels::math::{self, double};
use brevity_kernels::simd::{InstructionSet, Kernel, Simd, dispatch_on};

/// The distance in units in the last place of the `f32` nearest to `want`.
fn ulps(got: f32, want: f64) -> f64 {
    let near = want as f32;
    if got == near {
        return 0.0;
    }
    let ulp = (f32::from_bits(near.abs().to_bits() + 1) - near.abs()) as f64;
    (got as f64 - want).abs() / ulp
}

/// Values of all exponents and signs, and special values.
fn values() -> Vec<f32> {
    let mut v = vec![0.0, -0.0, 1.0, -1.0, f32::INFINITY, f32::NEG_INFINITY];
    v.extend([
        f32::NAN,
        f32::MIN_POSITIVE,
        1e-45,
        f32::MAX,
        f32::MIN,
        88.72,
        88.73,
    ]);
    v.extend([-87.0, -87.3, -103.9, -104.0, -110.0]);
    for i in 0..40_000u32 {
        v.push(f32::from_bits(i.wrapping_mul(2_654_435_761)));
    }
    v.extend((-20_000..20_000).map(|i| i as f32 * 0.0051));
    while v.len() % 8 != 0 {
        v.push(0.5);
    }
    v
}

struct All<'a>(&'a [f32]);

impl Kernel for All<'_> {
    type Out = Vec<[f32; 6]>;
    #[inline(always)]
    fn run<S: Simd>(self) -> Self::Out {
        let mut out = Vec::new();
        for chunk in self.0.chunks_exact(8) {
            let x = S::load(chunk);
            let fs = [
                S::to_array(math::exp::<S>(x)),
                S::to_array(math::exp_negative(x)),
                S::to_array(math::ln::<S>(x)),
                S::to_array(math::sigmoid::<S>(x)),
                S::to_array(math::tanh::<S>(x)),
                S::to_array(math::erf::<S>(x)),
            ];
            for i in 0..8 {
                out.push(fs.map(|f| f[i]));
            }
        }
        out
    }
}

#[test]
fn instruction_sets_and_scalar_twins_agree_to_the_bit() {
    let v = values();
    let portable = dispatch_on(InstructionSet::Portable, All(&v));
    for (x, got) in v.iter().zip(&portable) {
        let twins = [
            math::exp_f32(*x),
            math::exp_negative_f32(*x),
            math::ln_f32(*x),
            math::sigmoid_f32(*x),
            math::tanh_f32(*x),
            math::erf_f32(*x),
        ];
        for (a, b) in got.iter().zip(twins) {
            assert!(
                a.to_bits() == b.to_bits() || (a.is_nan() && b.is_nan()),
                "at {x}"
            );
        }
    }
    for set in InstructionSet::supported() {
        let fast = dispatch_on(set, All(&v));
        for ((x, a), b) in v.iter().zip(&portable).zip(&fast) {
            for (a, b) in a.iter().zip(b) {
                assert!(
                    a.to_bits() == b.to_bits() || (a.is_nan() && b.is_nan()),
                    "at {x}"
                );
            }
        }
    }
}

#[test]
fn errors_stay_below_two_ulps() {
    let mut worst = [0.0f64; 4];
    for &x in values().iter().filter(|x| x.is_finite()) {
        let w = x as f64;
        worst[0] = worst[0].max(ulps(math::exp_f32(x), w.exp()));
        if x > 0.0 {
            worst[1] = worst[1].max(ulps(math::ln_f32(x), w.ln()));
        }
        worst[2] = worst[2].max(ulps(math::tanh_f32(x), w.tanh()));
        if x > -87.0 {
            worst[3] = worst[3].max(ulps(math::sigmoid_f32(x), 1.0 / (1.0 + (-w).exp())));
        }
    }
    println!("worst ulps of exp, ln, tanh, sigmoid: {worst:?}");
    assert!(worst[0] < 1.5 && worst[1] < 1.5 && worst[2] < 2.0 && worst[3] < 3.0);
}

/// The error function by its series, accurate to 1e-13 for `|x| <= 4`.
fn erf_f64(x: f64) -> f64 {
    let (mut term, mut sum) = (x, x);
    for n in 1..200 {
        term *= -x * x / n as f64;
        sum += term / (2 * n + 1) as f64;
    }
    sum * 2.0 / std::f64::consts::PI.sqrt()
}

#[test]
fn erf_is_right() {
    let worst = (-3500..3500)
        .map(|i| i as f32 * 1e-3)
        .map(|x| ulps(math::erf_f32(x), erf_f64(x as f64)))
        .fold(0.0, f64::max);
    println!("worst ulps of erf: {worst}");
    assert!(worst < 2.0);
    assert_eq!(math::erf_f32(30.0), 1.0);
    assert_eq!(math::erf_f32(-1e30), -1.0);
    assert_eq!(math::erf_f32(f32::INFINITY), 1.0);
    assert_eq!(math::erf_f32(f32::NEG_INFINITY), -1.0);
    assert!(math::erf_f32(f32::NAN).is_nan());
}

#[test]
fn special_values_are_kept() {
    assert_eq!(math::exp_f32(f32::INFINITY), f32::INFINITY);
    assert_eq!(math::exp_f32(f32::NEG_INFINITY), 0.0);
    assert_eq!(math::exp_f32(0.0), 1.0);
    assert!(math::exp_f32(f32::NAN).is_nan());
    assert_eq!(math::ln_f32(0.0), f32::NEG_INFINITY);
    assert_eq!(math::ln_f32(1.0), 0.0);
    assert_eq!(math::ln_f32(f32::INFINITY), f32::INFINITY);
    assert!(math::ln_f32(-1.0).is_nan());
    assert!(math::ln_f32(f32::NEG_INFINITY).is_nan());
    assert!(math::ln_f32(f32::NAN).is_nan());
    assert_eq!(math::exp_negative_f32(f32::NEG_INFINITY), 0.0);
    for i in 0..8700 {
        let x = i as f32 * -0.01;
        assert_eq!(
            math::exp_negative_f32(x).to_bits(),
            math::exp_f32(x).to_bits(),
            "{x}"
        );
    }
    assert_eq!(math::tanh_f32(100.0), 1.0);
    assert_eq!(math::tanh_f32(-100.0), -1.0);
    assert!(math::tanh_f32(f32::NAN).is_nan());
}

#[test]
fn sine_and_cosine_of_every_phase() {
    for phase in 0..=u16::MAX {
        let (s, c) = math::sin_cos_phase(phase);
        let (ws, wc) = (phase as f64 * std::f64::consts::TAU / 65536.0).sin_cos();
        assert!(
            (s as f64 - ws).abs() < 1e-7 && (c as f64 - wc).abs() < 1e-7,
            "{phase}"
        );
    }
}

#[test]
fn double_precision_matches_the_library() {
    for i in -3000..3000 {
        let x = i as f64 * 0.0371;
        assert!(
            (double::exp(x) / x.exp() - 1.0).abs() < 4e-16 * (1.0 + x.abs()),
            "exp {x}"
        );
        let (s, c) = double::sin_cos(x * 997.0);
        let (ws, wc) = (x * 997.0).sin_cos();
        assert!(
            (s - ws).abs() < 1e-15 && (c - wc).abs() < 1e-15,
            "sin_cos {x}"
        );
        if i > 0 {
            assert!((double::ln(x) - x.ln()).abs() < 4e-15, "ln {x}");
        }
    }
    assert!((double::pow(10000.0, -0.25) - 0.1).abs() < 1e-15);
    assert_eq!(double::powi(0.5, 10), 1.0 / 1024.0);
}
