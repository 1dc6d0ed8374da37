//! Claims on seeds, and on changed seeds where `BREVITY_MUTATE` gives a number of seconds.
//!
//! A stand-in for `cargo fuzz` where that cannot be had: it does not see which code is
//! reached, so it finds less in the same time.

use std::fs;
use std::path::Path;
use std::time::{Duration, Instant};

/// A xorshift generator.
struct Random(u64);

impl Random {
    fn below(&mut self, end: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 % end.max(1) as u64) as usize
    }
}

/// Runs a claim on every file of the folder `TARGET` of `seeds`.
pub fn every_seed(seeds: &Path, target: &str, claim: fn(&[u8])) {
    let mut paths: Vec<_> = fs::read_dir(seeds.join(target))
        .unwrap_or_else(|error| panic!("{target} has no seeds: {error}"))
        .map(|entry| entry.unwrap().path())
        .collect();
    assert!(!paths.is_empty(), "{target} has no seeds");
    paths.sort();
    let files: Vec<Vec<u8>> = paths.iter().map(|path| fs::read(path).unwrap()).collect();
    for (path, file) in paths.iter().zip(&files) {
        println!("{}", path.display());
        claim(file);
    }
    let seconds = std::env::var("BREVITY_MUTATE").ok();
    if let Some(seconds) = seconds.and_then(|text| text.parse().ok()) {
        changed(&files, target, claim, Duration::from_secs(seconds));
    }
}

/// Runs a claim on changed seeds. One that fails is left in the temporary folder.
fn changed(files: &[Vec<u8>], target: &str, claim: fn(&[u8]), time: Duration) {
    let start = Instant::now();
    let seed = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
    let mut random = Random(seed.map_or(1, |since| since.as_nanos() as u64) | 1);
    let kept = std::env::temp_dir().join(format!("brevity-{target}-{}", std::process::id()));
    let mut runs = 0_u64;
    while start.elapsed() < time {
        let mut file = files[random.below(files.len())].clone();
        for _ in 0..=random.below(5) {
            change(&mut file, files, &mut random);
        }
        fs::write(&kept, &file).unwrap();
        claim(&file);
        runs += 1;
    }
    let _ = fs::remove_file(&kept);
    println!("{target}: {runs} changed seeds in {:?}", start.elapsed());
}

fn change(file: &mut Vec<u8>, files: &[Vec<u8>], random: &mut Random) {
    // Headers are short, and decide most.
    let near = if random.below(2) == 0 { 64 } else { usize::MAX };
    let at = random.below(file.len().min(near));
    match random.below(7) {
        _ if file.is_empty() => file.push(random.below(256) as u8),
        0 => file[at] ^= 1 << random.below(8),
        1 => file[at] = [0, 1, 0x7F, 0x80, 0xFF, random.below(256) as u8][random.below(6)],
        2 => file.truncate(random.below(file.len())),
        3 => file.insert(at, random.below(256) as u8),
        4 => {
            let end = (at + 1 + random.below(16)).min(file.len());
            file.drain(at..end);
        }
        5 => {
            let end = (at + 1 + random.below(64)).min(file.len());
            let part = file[at..end].to_vec();
            let to = random.below(file.len());
            file.splice(to..to, part);
        }
        _ => {
            let other = &files[random.below(files.len())];
            let cut = random.below(other.len());
            file.truncate(at);
            file.extend_from_slice(&other[cut..]);
        }
    }
    file.truncate(1 << 16);
}
