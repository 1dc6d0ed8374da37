//! Speed of scoring and decoding, and memory: `speed MODEL FILE BYTES [THREADS [LANES
//! [ROUNDS]]]`.
//!
//! What is compared runs in turn, several times in one process, and the shortest time of
//! each counts, by the clock and of all threads on their processors, which other processes
//! disturb less. The share of the peak counts two operations for each parameter and token,
//! whatever the instructions that compute them.

use brevity_kernels::peak;
use brevity_kernels::simd::InstructionSet;
use brevity_pretrained::archive::{Limits, Settings, compress, decompress};
use brevity_pretrained::{Model, archive};
use std::error::Error;
use std::path::Path;
use std::sync::LazyLock;
use std::time::Instant;

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().collect();
    let [_, model, file, bytes, rest @ ..] = arguments.as_slice() else {
        return Err("speed MODEL FILE BYTES [THREADS [LANES [ROUNDS]]]".into());
    };
    let number = |at: usize, usual| rest.get(at).map_or(Ok(usual), |text| text.parse());
    let (threads, lanes, rounds) = (number(0, 2)?, number(1, 8)?, number(2, 3)?);
    let mut content = std::fs::read(file)?;
    content.truncate(bytes.parse()?);
    let pool = rayon::ThreadPoolBuilder::new().num_threads(threads);
    let work = || measure(Path::new(model), &content, lanes, rounds);
    let found = pool
        .build()?
        .install(work)
        .map_err(|error| error.to_string())?;
    println!("{found}, {threads} threads, {}", InstructionSet::current());
    Ok(())
}

type Failed = Box<dyn Error + Send + Sync>;

fn measure(path: &Path, content: &[u8], lanes: usize, rounds: usize) -> Result<String, Failed> {
    let model = Model::load(path)?;
    let whole = Settings::new(&model);
    let cut = Settings { lanes, ..whole };
    let items = archive::tokenise(&model, &whole, content);
    let tokens = items.iter().flatten().flatten().count();
    let archive = compress(&model, &cut, content, &|_| true)?.archive;
    let (mut score, mut decode, mut peak) = (Time::MAX, Time::MAX, 0.0_f64);
    for _ in 0..rounds {
        peak = peak.max(peak::flops_per_second());
        let now = Time::now();
        compress(&model, &whole, content, &|_| true)?;
        score = score.least(Time::now().since(now));
        let now = Time::now();
        let back = decompress(&model, &archive, &Limits::default(), &|_| true)?;
        decode = decode.least(Time::now().since(now));
        if back != content {
            return Err("other bytes came back".into());
        }
    }
    let operations = 2.0 * model.weights().parameters() as f64 * tokens as f64;
    let share = |seconds: f64| 100.0 * operations / seconds / peak;
    let token = |seconds: f64| 1e3 * seconds / tokens as f64;
    println!("{tokens} tokens                    by the clock  by processors");
    let row = |what: &str, clock: f64, processor: f64| {
        println!("{what:<32}{clock:>9.2}{processor:>15.2}");
    };
    let threads = rayon::current_num_threads() as f64;
    row(
        "scoring, ms a token",
        token(score.clock),
        token(score.processor),
    );
    row(
        "  % of the peak",
        share(score.clock),
        share(score.processor / threads),
    );
    let name = format!("decoding, {lanes} lanes, ms a token");
    row(&name, token(decode.clock), token(decode.processor));
    row(
        "  speed / that of scoring",
        score.clock / decode.clock,
        score.processor / decode.processor,
    );
    println!("peak {:.1} GFLOP/s", peak / 1e9);
    if let Some(most) = most_resident() {
        let file = model.model_bytes().stored as f64 / 1e6;
        println!("resident at most {most:.0} MB, the file {file:.0} MB");
    }
    Ok(format!("{} bytes", content.len()))
}

/// Seconds by the clock, and those that the threads of the pool were on a processor,
/// together.
#[derive(Clone, Copy)]
struct Time {
    clock: f64,
    processor: f64,
}

impl Time {
    const MAX: Time = Time {
        clock: f64::INFINITY,
        processor: f64::INFINITY,
    };

    fn now() -> Time {
        static START: LazyLock<Instant> = LazyLock::new(Instant::now);
        Time {
            clock: START.elapsed().as_secs_f64(),
            processor: rayon::broadcast(|_| on_processor()).into_iter().sum(),
        }
    }

    fn since(self, start: Time) -> Time {
        Time {
            clock: self.clock - start.clock,
            processor: self.processor - start.processor,
        }
    }

    fn least(self, other: Time) -> Time {
        Time {
            clock: self.clock.min(other.clock),
            processor: self.processor.min(other.processor),
        }
    }
}

/// Seconds that this thread was on a processor; NaN where the system does not tell it.
fn on_processor() -> f64 {
    let stat = std::fs::read_to_string("/proc/thread-self/schedstat").unwrap_or_default();
    let first = stat
        .split_whitespace()
        .next()
        .and_then(|text| text.parse().ok());
    first.map_or(f64::NAN, |nanoseconds: f64| nanoseconds / 1e9)
}

/// The most memory that this process had, in MB, where the system tells it.
fn most_resident() -> Option<f64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status
        .lines()
        .find_map(|line| line.strip_prefix("VmHWM:"))?;
    let kibibytes: f64 = line.split_whitespace().next()?.parse().ok()?;
    Some(kibibytes * 1024.0 / 1e6)
}
