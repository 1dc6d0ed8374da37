//! Training steps, measured in turn in one run: the machine's peak, our
//! step, the same model with plain burn operations, and JAX.
//!
//! ```text
//! pip install -r benches/requirements.txt     # for the JAX column
//! cargo bench --bench step                    # all shapes
//! cargo bench --bench step -- d96 d64-lmic    # some of them
//! ```
//!
//! Every figure comes from its own process, so that peak memory is meaningful,
//! and every shape is measured in rounds, so that drifts of the machine's
//! speed affect all columns alike. Quote the ratios.
//!
//! A step is [`STEP_BYTES`] bytes. `times` is the speed of our step over that of the
//! other. Columns named `cpu` use processor time instead of wall time, which stays
//! meaningful while other programs use the machine; their peak is that of one core.

mod usage;

use std::process::{Command, ExitCode};
use std::sync::Mutex;
use std::time::Instant;

use brevity_model::Spec;
use brevity_train::{
    Control, DeviceKind, OptimizerKind, Stop, TrainConfig, TrainSetup, ops::with_default_bodies,
    run,
};
use serde_json::{Value, json};
use usage::Usage;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// Batch size in bytes: 16 sequences of length 256, or 4 of 1024.
const STEP_BYTES: usize = 4096;

/// How often every column of a shape is measured.
const ROUNDS: usize = 3;

/// A model whose step is measured.
struct Shape {
    name: &'static str,
    lmic: bool,
    width: usize,
    layers: usize,
    heads: usize,
    context: usize,
}

const fn shape(
    name: &'static str,
    lmic: bool,
    [width, layers, heads, context]: [usize; 4],
) -> Shape {
    Shape {
        name,
        lmic,
        width,
        layers,
        heads,
        context,
    }
}

const SHAPES: &[Shape] = &[
    shape("d16", false, [16, 2, 1, 256]),
    shape("d32", false, [32, 2, 1, 256]),
    shape("d48", false, [48, 2, 2, 256]),
    shape("d64-lmic", true, [64, 4, 8, 256]),
    shape("d64", false, [64, 4, 2, 256]),
    shape("d96", false, [96, 3, 3, 256]),
    shape("d128", false, [128, 5, 4, 256]),
    shape("d256", false, [256, 4, 8, 256]),
    shape("d48-T1024", false, [48, 2, 2, 1024]),
    shape("d64-T1024", false, [64, 4, 2, 1024]),
    shape("d96-T1024", false, [96, 3, 3, 1024]),
    shape("d128-T1024", false, [128, 5, 4, 1024]),
    shape("d256-T1024", false, [256, 4, 8, 1024]),
];

impl Shape {
    fn spec(&self) -> Spec {
        let (width, layers, heads) = (self.width, self.layers, self.heads);
        if self.lmic {
            Spec::lmic(width, layers, heads, self.context)
        } else {
            Spec::brevity(width, layers, heads, self.context)
        }
    }

    fn batch(&self) -> usize {
        STEP_BYTES / self.context
    }
}

fn main() -> ExitCode {
    // `cargo bench` adds --bench.
    let args: Vec<String> = std::env::args()
        .skip(1)
        .filter(|a| a != "--bench")
        .collect();
    if let [flag, what, name] = &args[..]
        && flag == "--one"
    {
        println!("{}", one(what, name));
        return ExitCode::SUCCESS;
    }
    for name in &args {
        if !SHAPES.iter().any(|s| s.name == name) {
            eprintln!("no shape `{name}`");
            return ExitCode::from(2);
        }
    }
    println!(
        "{:11} {:>10} {:>6} | {:>7} {:>8} {:>7} {:>8} {:>6} | {:>7} {:>7} {:>9} {:>6} | {:>7} {:>7} {:>9} {:>6}",
        "shape",
        "parameters",
        "peak",
        "KB/s",
        "GFLOP/s",
        "of peak",
        "cpu peak",
        "MB",
        "plain",
        "times",
        "cpu times",
        "MB",
        "JAX",
        "times",
        "cpu times",
        "MB",
    );
    for shape in SHAPES {
        if args.is_empty() || args.iter().any(|a| a == shape.name) {
            compare(shape);
        }
    }
    ExitCode::SUCCESS
}

/// Measures every column of one shape in rounds, and prints the medians.
fn compare(shape: &Shape) {
    let mut columns: [Vec<Value>; 4] = Default::default();
    for _ in 0..ROUNDS {
        for (column, what) in columns.iter_mut().zip(["peak", "ours", "plain", "jax"]) {
            column.extend(child(what, shape));
        }
    }
    let [peak, ours, plain, jax] = columns;
    let rate = |column: &[Value]| median(column, "seconds_per_step").map(|s| STEP_BYTES as f64 / s);
    let cpu = |column: &[Value]| median(column, "cpu_per_step").unwrap_or(f64::NAN);
    let megabytes = |column: &[Value]| median(column, "peak_bytes").unwrap_or(f64::NAN) / 1e6;
    let (Some(all), Some(one), Some(ours_rate)) = (
        median(&peak, "flops_per_second"),
        median(&peak, "flops_per_core"),
        rate(&ours),
    ) else {
        println!("{:11} failed", shape.name);
        return;
    };
    let spec = shape.spec();
    let flops = ours_rate * spec.flops_per_byte();
    let step_flops = STEP_BYTES as f64 * spec.flops_per_byte();
    print!(
        "{:11} {:>10} {:>6.1} | {:>7.1} {:>8.1} {:>6.1}% {:>7.1}% {:>6.0} |",
        shape.name,
        spec.parameters(),
        all / 1e9,
        ours_rate / 1e3,
        flops / 1e9,
        100.0 * flops / all,
        100.0 * step_flops / cpu(&ours) / one,
        megabytes(&ours),
    );
    for other in [&plain, &jax] {
        match rate(other) {
            Some(other_rate) => print!(
                " {:>7.1} {:>6.1}x {:>8.1}x {:>6.0} |",
                other_rate / 1e3,
                ours_rate / other_rate,
                cpu(other) / cpu(&ours),
                megabytes(other),
            ),
            None => print!(" {:>7} {:>7} {:>9} {:>6} |", "-", "-", "-", "-"),
        }
    }
    println!();
}

fn median(values: &[Value], key: &str) -> Option<f64> {
    let mut values: Vec<f64> = values.iter().filter_map(|v| v[key].as_f64()).collect();
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied()
}

/// One measurement in a child process; `None` if it failed.
fn child(what: &str, shape: &Shape) -> Option<Value> {
    let mut command = if what == "jax" {
        let mut python = Command::new("python3");
        python.arg(concat!(env!("CARGO_MANIFEST_DIR"), "/benches/peer_jax.py"));
        for (flag, value) in [
            ("--width", shape.width),
            ("--layers", shape.layers),
            ("--heads", shape.heads),
            ("--context", shape.context),
            ("--batch", shape.batch()),
        ] {
            python.args([flag, &value.to_string()]);
        }
        python.args(["--preset", if shape.lmic { "lmic" } else { "brevity" }]);
        python
    } else {
        let mut own = Command::new(std::env::current_exe().ok()?);
        own.args(["--one", what, shape.name]);
        own
    };
    let output = command.output().ok()?;
    if !output.status.success() {
        let message = String::from_utf8_lossy(&output.stderr);
        eprintln!(
            "{what} {}: {}",
            shape.name,
            message.lines().last().unwrap_or("failed")
        );
        return None;
    }
    serde_json::from_slice(&output.stdout).ok()
}

/// What a child process measures.
fn one(what: &str, name: &str) -> Value {
    let shape = SHAPES.iter().find(|s| s.name == name).expect("a shape");
    match what {
        "peak" => {
            let all = brevity_kernels::peak::flops_per_second();
            let threads = rayon::current_num_threads() as f64;
            json!({ "flops_per_second": all, "flops_per_core": all / threads })
        }
        "plain" => with_default_bodies(|| steps(shape)),
        _ => steps(shape),
    }
}

/// Trains for a few seconds; the time of a step is the median after the first
/// quarter.
fn steps(shape: &Shape) -> Value {
    let spec = shape.spec();
    let data: Vec<u8> = (0..1_000_000u32)
        .map(|i| (i.wrapping_mul(2_654_435_761) >> 24) as u8)
        .collect();
    let setup = TrainSetup {
        spec,
        config: TrainConfig {
            steps: Some(1_000_000),
            batch_bytes: STEP_BYTES as u64,
            log_steps: 1_000_000,
            checkpoint_seconds: 0.0,
            // Same as the JAX version.
            optimizer: OptimizerKind::Adamw,
            ..TrainConfig::default()
        },
        seed: 1,
        device: DeviceKind::Flex,
        beside: None,
    };
    let folder = tempfile::tempdir().expect("a folder");
    let stop = Stop::new();
    let start = Instant::now();
    let ends = Mutex::new(Vec::new());
    let control = Control {
        stop: &stop,
        progress: &|_| {
            let mut ends = ends.lock().expect("no panic");
            ends.push((start.elapsed().as_secs_f64(), Usage::now()));
            if ends.len() >= 8 && start.elapsed().as_secs_f64() > 5.0 {
                stop.set();
            }
        },
    };
    run(&setup, &data, folder.path(), &control).expect("a run that is stopped");
    let ends = ends.into_inner().expect("no panic");
    let ends = &ends[ends.len() / 4..];
    let mut times: Vec<f64> = ends.windows(2).map(|w| w[1].0 - w[0].0).collect();
    times.sort_by(f64::total_cmp);
    let used = ends[ends.len() - 1].1.since(ends[0].1, ends.len() - 1);
    json!({
        "seconds_per_step": times[times.len() / 2],
        "cpu_per_step": used.cpu_seconds,
        "page_faults_per_step": used.page_faults,
        "peak_bytes": peak_bytes(),
    })
}

/// Peak memory of this process in bytes; 0 if Linux does not report it.
fn peak_bytes() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|l| l.strip_prefix("VmHWM:"));
    let kb = line.and_then(|l| l.trim().trim_end_matches(" kB").parse::<u64>().ok());
    kb.unwrap_or(0) * 1024
}
