//! Bytes that files take at a level, without a model: `measure LEVEL FILE...`,
//! where the level is 1, 5 or 9.

use brevity_codec::Level;
use brevity_codec::archive::{Options, Source, compress};
use std::error::Error;
use std::path::PathBuf;

fn main() -> Result<(), Box<dyn Error>> {
    let mut args = std::env::args_os().skip(1);
    let level = args.next().and_then(|a| a.to_str()?.parse().ok());
    let level = level
        .and_then(Level::numbered)
        .ok_or("give a level: 1, 5 or 9")?;
    let options = Options {
        level,
        ..Options::default()
    };
    let (mut raw, mut stored) = (0, 0);
    for path in args.map(PathBuf::from) {
        let bytes = std::fs::read(&path)?;
        let mut archive = Vec::new();
        let done = compress(&bytes[..], &mut archive, &Source::none(), &options, &|_| {})?;
        println!("{:>10} {:>10}  {}", done.raw, done.stored, path.display());
        raw += done.raw;
        stored += done.stored;
    }
    println!("{raw:>10} {stored:>10}  all");
    Ok(())
}
