//! A predictor that does what its argument says; `good` is as it should be.

use std::io::{Read, Result, Write, stdin, stdout};

fn number(from: &mut impl Read) -> Result<usize> {
    let mut bytes = [0; 4];
    from.read_exact(&mut bytes)?;
    Ok(u32::from_le_bytes(bytes) as usize)
}

/// The byte `likely` has a half, the others share the rest.
fn row(likely: u8, fault: &str) -> Vec<u8> {
    let mut row = [(0.5f32 / 255.0).ln(); 256];
    row[likely as usize] = 0.5f32.ln();
    match fault {
        "nan" => row[7] = f32::NAN,
        "zero" => row[7] = f32::NEG_INFINITY,
        "logits" => row.iter_mut().for_each(|x| *x += 3.0),
        _ => {}
    }
    let mut bytes: Vec<u8> = row.iter().flat_map(|x| x.to_le_bytes()).collect();
    if fault == "257" {
        bytes.extend((-9f32).to_le_bytes());
    }
    bytes
}

fn main() -> Result<()> {
    let fault = std::env::args().nth(1).unwrap_or_default();
    let (mut from, mut to) = (stdin().lock(), stdout().lock());
    match fault.as_str() {
        "dead" => std::process::exit(3),
        "mute" => loop {
            std::thread::sleep(std::time::Duration::from_secs(60));
        },
        "chatty" => to.write_all(b"Loading the model, please wait...\n")?,
        _ => {}
    }
    from.read_exact(&mut [0; 12])?;
    to.write_all(b"brevity\x01")?;
    let symbols: u32 = if fault == "end" { 257 } else { 256 };
    let streams: u32 = if fault == "none" { 0 } else { 4 };
    for field in [symbols, 100, streams, 4] {
        to.write_all(&field.to_le_bytes())?;
    }
    to.write_all(b"half")?;
    to.flush()?;
    let (mut kind, mut streams, mut starts, mut taken) = ([0], 0, 0, 0);
    while from.read(&mut kind)? == 1 {
        let count = number(&mut from)?;
        let mut bytes = Vec::new();
        if kind == *b"S" {
            (streams, starts, taken) = (count, starts + 1, 0);
            (0..count).try_for_each(|_| to.write_all(&row(0, "")))?;
        } else {
            bytes.resize(count * streams, 0);
            from.read_exact(&mut bytes)?;
            taken += count;
        }
        if taken > 60 {
            match fault.as_str() {
                "dies" => std::process::exit(9),
                "slow" => std::thread::sleep(std::time::Duration::from_secs(60)),
                _ => {}
            }
        }
        for (i, &byte) in bytes.iter().enumerate() {
            let ahead = bytes.get(i + 1).copied().unwrap_or(byte);
            to.write_all(&match fault.as_str() {
                "ahead" => row(ahead, ""),
                // Its second archive is another than its first.
                "drifts" => row(byte.wrapping_add(starts / 8), ""),
                fault => row(byte, if taken > 60 { fault } else { "" }),
            })?;
        }
        to.flush()?;
    }
    Ok(())
}
