//! A waveform above the bits of each sample.

use super::Map;
use brevity_draw::{Anchor, Frame, Scale, Svg, trimmed};
use brevity_media::Geometry;

const WIDTH: f64 = 1100.0;
const LEFT: f64 = 48.0;

/// Number of columns; each gathers several samples.
const COLUMNS: usize = 1000;

/// The content of a column.
struct Column {
    /// Seconds from the start.
    at: f64,
    /// Lowest and highest sample, from -1 to 1.
    wave: (f64, f64),
    /// Mean bits per sample.
    bits: f64,
    /// Bits of the costliest sample.
    most: f64,
}

pub(super) fn draw(map: &Map<'_>, geometry: Geometry, bytes: &[u8], bits: &[f32]) -> String {
    let (rate, bits_of_one) = geometry.sound().expect("a geometry of sound");
    let frame = geometry.frame();
    let depth = 8.0 * frame as f64;
    // A piece may begin inside a sample.
    let unit = geometry.unit();
    let skipped = (unit - (map.data.provenance.offset % unit as u64) as usize) % unit;
    let skipped = skipped.min(bytes.len());
    let bytes = geometry.samples(&bytes[skipped..]);
    let bits = geometry.beside(&bits[skipped..]);
    let samples: Vec<(f64, f64)> = bytes
        .chunks_exact(frame)
        .zip(bits.chunks_exact(frame))
        .map(|(bytes, bits)| {
            let value = value(bytes, bits_of_one);
            (value, bits.iter().map(|&b| f64::from(b)).sum())
        })
        .collect();
    let columns = columns(&samples, rate.into());
    let seconds = samples.len() as f64 / f64::from(rate);
    let mean = samples.iter().map(|s| s.1).sum::<f64>() / samples.len().max(1) as f64;

    let mut svg = Svg::new(
        WIDTH,
        452.0,
        format!("Waveform and bits per sample of {}", map.subject()),
    );
    let right = WIDTH - 8.0;
    let title = format!("{} under {}", map.subject(), map.model_name);
    svg.text("strong", (0.0, 14.0), Anchor::Start, &title);
    let found =
        format!("{mean:.2} bits per sample, which holds {depth}; {rate} samples per second");
    svg.text("legend", (0.0, 33.0), Anchor::Start, &found);

    let x = Scale::linear((0.0, seconds.max(1e-9)), (LEFT, right));
    let y = Scale::linear((-1.0, 1.0), (210.0, 50.0));
    svg.line("grid", (LEFT, y.at(0.0)), (right, y.at(0.0)));
    svg.text("tick", (LEFT - 8.0, y.at(0.0) + 4.0), Anchor::End, "0");
    let at = |f: fn(&Column) -> f64, y: &Scale| -> Vec<(f64, f64)> {
        let place = |c: &Column| (x.at(c.at), y.at(f(c)));
        columns.iter().map(place).collect()
    };
    // The outline is visible where the area is too thin: in pauses, and where a column
    // is one sample.
    let (high, low) = (at(|c| c.wave.1, &y), at(|c| c.wave.0, &y));
    svg.area("bar adjusted-a", &high, &low);
    svg.path("curve adjusted-a", &high);

    let frame = Frame {
        left: LEFT,
        right,
        top: 234.0,
        bottom: 410.0,
    };
    let bottom = frame.bottom;
    let highest = columns.iter().fold(1.0_f64, |most, c| most.max(c.most));
    let y = Scale::linear((0.0, highest.max(depth)), (bottom, frame.top));
    frame.grid(&mut svg, &y, 44.0, trimmed);
    svg.line("baseline", (LEFT, y.at(depth)), (right, y.at(depth)));
    let ground: Vec<_> = columns.iter().map(|c| (x.at(c.at), bottom)).collect();
    svg.area("interval adjusted-b", &at(|c| c.most, &y), &ground);
    svg.area("band adjusted-b", &at(|c| c.bits, &y), &ground);
    svg.path("curve adjusted-b", &at(|c| c.bits, &y));
    frame.base(&mut svg);
    frame.marks(&mut svg, &x, 110.0, |tick| format!("{} s", trimmed(tick)));
    let legend = "bits per sample: mean of each column (line), costliest sample (pale), a sample \
                  without a model (dots)";
    svg.text("axis-title", (LEFT, bottom + 40.0), Anchor::Start, legend);
    svg.file()
}

/// A sample from -1 to 1, the mean of its channels.
fn value(bytes: &[u8], bits: u16) -> f64 {
    if bits == 8 {
        return (f64::from(bytes[0]) - 128.0) / 128.0;
    }
    let channels = bytes.chunks_exact(2);
    let count = channels.len() as f64;
    let sum: f64 = channels
        .map(|pair| f64::from(i16::from_le_bytes([pair[0], pair[1]])) / 32768.0)
        .sum();
    sum / count
}

fn columns(samples: &[(f64, f64)], rate: f64) -> Vec<Column> {
    let step = samples.len().div_ceil(COLUMNS).max(1);
    let column = |(i, part): (usize, &[(f64, f64)])| Column {
        at: (i as f64 * step as f64 + part.len() as f64 / 2.0) / rate,
        wave: part
            .iter()
            .fold((1.0, -1.0), |(low, high), s| (s.0.min(low), s.0.max(high))),
        bits: part.iter().map(|s| s.1).sum::<f64>() / part.len() as f64,
        most: part.iter().fold(0.0, |most, s| s.1.max(most)),
    };
    samples.chunks(step).enumerate().map(column).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_gather_what_is_in_them() {
        assert_eq!(value(&[0, 0x80], 16), -1.0);
        assert_eq!(value(&[0, 0x80, 0, 0], 16), -0.5);
        assert_eq!(value(&[128], 8), 0.0);
        let samples: Vec<(f64, f64)> = (0..2000).map(|i| (f64::from(i % 2), 2.0)).collect();
        let found = columns(&samples, 1000.0);
        assert_eq!(found.len(), COLUMNS);
        assert_eq!(found[0].wave, (0.0, 1.0));
        assert_eq!((found[0].bits, found[0].most), (2.0, 2.0));
        assert_eq!(found[999].at, 1.999);
        assert!(columns(&[], 1.0).is_empty());
    }
}
