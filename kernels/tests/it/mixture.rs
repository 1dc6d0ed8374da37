//! The code length of a mixture and its gradients: against plain `f64` code and its
//! finite differences, and equal bits on every instruction set.

use crate::support::{bytes, close, differences, same_everywhere, uniform, wide};
use brevity_kernels::loss::cross_entropy;
use brevity_kernels::mixture::{BITS, Beside, GATES, PLAIN, confidence, mixture_in_place};

/// The definition, decision by decision.
fn nats_f64(logits: &[f64], targets: &[u8], beside: &[f32], gates: &[f64]) -> Vec<f64> {
    let rows = logits.chunks(256).zip(targets).zip(beside.chunks(BITS));
    rows.map(|((x, &target), beside)| {
        let top = x.iter().copied().fold(f64::MIN, f64::max);
        let whole: f64 = x.iter().map(|x| (x - top).exp()).sum();
        let mut nats = 0.0;
        for (k, &other) in beside.iter().enumerate() {
            let rest = 7 - k;
            let node = |byte: usize| byte >> rest;
            let mass = |child: usize| -> f64 {
                (0..256)
                    .filter(|&byte| node(byte) == child)
                    .map(|byte| (x[byte] - top).exp() + whole / (1u64 << 24) as f64)
                    .sum()
            };
            let taken = node(usize::from(target));
            let own = mass(taken).ln() - mass(taken ^ 1).ln();
            let class = confidence(other);
            let u = gates[2 * class] * f64::from(other) + gates[2 * class + 1] * own;
            nats += (1.0 + (-u).exp()).ln();
        }
        nats
    })
    .collect()
}

#[test]
fn the_code_length_and_its_gradients() {
    let rows = 70;
    let (logits, targets) = (uniform(rows * 256, 6.0, 1), bytes(rows, 2));
    let beside = uniform(rows * BITS, 8.0, 3);
    let gates: Vec<f32> = uniform(GATES, 0.5, 4).iter().map(|g| 0.8 + g).collect();
    let scale = 0.37;
    let all = same_everywhere(|| {
        let mut gradient = logits.clone();
        let (mut nats, mut dgates) = (vec![0.0; rows], vec![0.0; rows * GATES]);
        let beside = Beside {
            targets: &targets,
            logits: &beside,
            gates: &gates,
        };
        mixture_in_place(&mut gradient, beside, scale, &mut nats, &mut dgates);
        [nats, dgates, gradient].concat()
    });
    let (nats, rest) = all.split_at(rows);
    let (dgates, gradient) = rest.split_at(rows * GATES);
    let exact = |x: &[f64], gates: &[f64], rows: usize| {
        nats_f64(x, &targets[..rows], &beside[..rows * BITS], gates)
    };
    let (logits, gates) = (wide(&logits), wide(&gates));
    close(nats, &exact(&logits, &gates, rows), 1e-5, "nats");
    let two = &logits[..512];
    let narrow = |x: &[f64]| -> Vec<f32> { x.iter().map(|&x| x as f32).collect() };
    let want = differences(&narrow(two), &[scale; 2], |x| exact(x, &gates, 2));
    close(&gradient[..512], &want, 1e-5, "gradient of the logits");
    for row in 0..2 {
        let one = |gates: &[f64]| {
            let x = &logits[row * 256..][..256];
            nats_f64(x, &targets[row..=row], &beside[row * BITS..][..BITS], gates)
        };
        let want = differences(&narrow(&gates), &[scale], one);
        close(
            &dgates[row * GATES..][..GATES],
            &want,
            1e-5,
            "gradient of the gates",
        );
    }
}

#[test]
fn beside_a_model_that_knows_nothing_it_is_the_cross_entropy() {
    let rows = 9;
    let (mut logits, targets) = (uniform(rows * 256, 3.0, 5), bytes(rows, 6));
    let mut want = vec![0.0; rows];
    cross_entropy(&logits, &targets, &mut want);
    let (mut nats, mut dgates) = (vec![0.0; rows], vec![0.0; rows * GATES]);
    let beside = Beside {
        targets: &targets,
        logits: &vec![0.0; rows * BITS],
        gates: &PLAIN,
    };
    mixture_in_place(&mut logits, beside, 1.0, &mut nats, &mut dgates);
    close(&nats, &wide(&want), 1e-3, "cross entropy");
}

#[test]
fn extreme_logits_stay_finite_and_lost_ones_are_seen() {
    let price = |logits: &mut [f32], beside: f32| {
        let (mut nats, mut dgates) = ([0.0], [0.0; GATES]);
        let beside = Beside {
            targets: &[7],
            logits: &[beside; BITS],
            gates: &PLAIN,
        };
        mixture_in_place(logits, beside, 1.0, &mut nats, &mut dgates);
        (nats[0], dgates)
    };
    for at in [7, 8, 200] {
        for beside in [-13.0, 0.0, 13.0] {
            let mut logits = vec![-1e30; 256];
            logits[at] = 1e30;
            let (nats, dgates) = price(&mut logits, beside);
            assert!((0.0..300.0).contains(&nats), "{nats}");
            assert!(logits.iter().chain(&dgates).all(|x| x.is_finite()));
        }
    }
    let mut lost = vec![f32::NAN; 256];
    assert!(price(&mut lost, 1.0).0.is_nan());
}
