//! Logs of a loss whose integral is known.

use super::*;
use std::path::Path;

/// Bits a byte of 2 + 4 (1 + x / 1000)^-0.5 at x bytes.
fn bits(x: f64) -> f64 {
    2.0 + 4.0 * (1.0 + x / 1000.0).powf(-0.5)
}

/// Its integral from 0.
fn integral(x: f64) -> f64 {
    2.0 * x + 8000.0 * ((1.0 + x / 1000.0).sqrt() - 1.0)
}

fn log(header: &str, line: impl Fn(f64) -> String) -> Vec<Line> {
    let mut text = format!("{header}\n");
    for i in 1..=100 {
        text += &format!("{}\n", line(f64::from(i) * 1000.0));
    }
    lines::parse(Path::new("log.csv"), &text).unwrap()
}

fn measured(lines: &[Line], settings: &Settings) -> Result<Measured, String> {
    measure(Path::new("log.csv"), lines, settings).map_err(|error| error.to_string())
}

/// A line whose loss is a text would be left out, and the code length be another.
#[test]
fn a_text_in_place_of_a_number_is_named() {
    let said = |cell: &str, column: &str| {
        let line = |x: f64| match (x, column) {
            (5000.0, "loss") => format!("{x},{cell}"),
            (5000.0, _) => format!("{cell},{}", bits(x)),
            _ => format!("{x},{}", bits(x)),
        };
        measured(&log("bytes,loss", line), &in_bits())
    };
    for column in ["loss", "bytes"] {
        let error = said("3.4.5", column).unwrap_err();
        assert_eq!(
            error,
            format!("log.csv: line 6: `{column}` is \"3.4.5\", no number")
        );
    }
    for missing in ["", "N/A", "-", "null"] {
        assert_eq!(said(missing, "loss").unwrap().points, 99);
    }
}

fn in_bits() -> Settings {
    Settings {
        unit: Some(Unit::BitsPerByte),
        ..Settings::default()
    }
}

#[test]
fn the_integral_is_in_its_range() {
    let lines = log("bytes,bits_per_byte", |x| format!("{x},{}", bits(x)));
    let found = measured(&lines, &Settings::default()).unwrap();
    let truth = integral(1e5);
    assert_eq!((found.points, found.data_bytes), (100, Some(1e5)));
    assert!(
        found.range[0] <= truth && truth <= found.range[1],
        "{truth} {found:?}"
    );
    assert!((found.bits / truth - 1.0).abs() < 0.01, "{truth} {found:?}");
    assert!(
        (found.range[1] - found.range[0]) / truth < 0.05,
        "{found:?}"
    );
    assert_eq!(found.passes, Passes::Assumed);
}

#[test]
fn means_since_the_last_line_are_exact() {
    let lines = log("bytes,bits_per_byte", |x| {
        let mean = (integral(x) - integral(x - 1000.0)) / 1000.0;
        format!("{x},{mean}")
    });
    let settings = Settings {
        averaged: true,
        ..Settings::default()
    };
    let found = measured(&lines, &settings).unwrap();
    assert!((found.bits / integral(1e5) - 1.0).abs() < 1e-9);
}

#[test]
fn tokens_and_steps_are_converted() {
    let by_bytes = log("bytes,bits_per_byte", |x| format!("{x},{}", bits(x)));
    let expected = measured(&by_bytes, &Settings::default()).unwrap();
    // Four bytes a token, nats.
    let nats = |x: f64| 4.0 * bits(x) * std::f64::consts::LN_2;
    let tokens = log("tokens,loss", |x| format!("{},{}", x / 4.0, nats(x)));
    let settings = Settings {
        unit: Some(Unit::NatsPerToken),
        bytes_per_token: Some(4.0),
        ..Settings::default()
    };
    let found = measured(&tokens, &settings).unwrap();
    assert!((found.bits / expected.bits - 1.0).abs() < 1e-9, "{found:?}");
    assert_eq!(found.data_bytes, Some(1e5));
    let steps = log("step,loss", |x| format!("{},{}", x / 100.0, nats(x)));
    let settings = Settings {
        per_step: Some(25.0),
        ..settings
    };
    let found = measured(&steps, &settings).unwrap();
    assert!((found.bits / expected.bits - 1.0).abs() < 1e-9, "{found:?}");
}

#[test]
fn what_is_no_single_pass_is_refused() {
    let lines = log("bytes,bits_per_byte,epoch", |x| {
        format!("{x},{},{}", bits(x), x / 5e4)
    });
    let said = measured(&lines, &Settings::default()).unwrap_err();
    assert!(said.contains("saw its data 2.00 times"), "{said}");
    let told = |many_passes, data_bytes| Settings {
        many_passes,
        data_bytes,
        ..Settings::default()
    };
    assert_eq!(
        measured(&lines, &told(true, None)).unwrap().passes,
        Passes::Many
    );
    let found = measured(&lines, &told(false, Some(1e5))).unwrap();
    assert_eq!(found.passes, Passes::OneByBytes);
    assert!(measured(&lines, &told(false, Some(5e4))).is_err());
}

#[test]
fn whole_epochs_from_zero_count_the_pass_under_way() {
    let run = |first: f64, passes: f64| {
        let lines = log("bytes,bits_per_byte,epoch", |x| {
            let pass = ((x - 1.0) * passes / 1e5).floor();
            format!("{x},{},{}", bits(x), first + pass)
        });
        measured(&lines, &Settings::default()).map(|found| found.passes)
    };
    for first in [0.0, 1.0] {
        assert_eq!(run(first, 1.0), Ok(Passes::OneByEpochs));
        for passes in [2.0, 3.0] {
            let said = run(first, passes).unwrap_err();
            let times = format!("saw its data {passes:.2} times");
            assert!(said.contains(&times), "{said}");
        }
    }
}

#[test]
fn bytes_of_the_data_need_bytes_of_tokens() {
    let lines = log("tokens,loss", |x| format!("{x},{}", bits(x)));
    let settings = Settings {
        unit: Some(Unit::NatsPerToken),
        data_bytes: Some(1e6),
        ..Settings::default()
    };
    let said = measured(&lines, &settings).unwrap_err();
    assert!(said.contains("--bytes-per-token"), "{said}");
    let known = Settings {
        bytes_per_token: Some(4.0),
        ..settings
    };
    assert_eq!(measured(&lines, &known).unwrap().passes, Passes::OneByBytes);
}

#[test]
fn a_log_that_counts_bytes_and_tokens_tells_bytes_of_a_token() {
    let lines = log("tokens,bytes,loss", |x| {
        format!("{},{x},{}", x / 4.0, bits(x))
    });
    let of = |bytes_per_token| {
        let settings = Settings {
            unit: Some(Unit::NatsPerToken),
            bytes_per_token,
            ..Settings::default()
        };
        measured(&lines, &settings)
    };
    assert_eq!(of(None), of(Some(4.0)));
    assert_eq!(of(None).unwrap().data_bytes, Some(1e5));
    let error = of(Some(2.0)).unwrap_err();
    assert!(
        error.contains("is 4.0000, and --bytes-per-token says 2"),
        "{error}"
    );
}

#[test]
fn a_loss_that_is_there_twice_is_refused() {
    let lines = log("bytes,loss,loss", |x| format!("{x},{0},{0}", bits(x)));
    let error = measured(&lines, &in_bits()).unwrap_err();
    assert_eq!(error, "log.csv: line 2: `loss` is there twice");
}

#[test]
fn few_losses_leave_much_open() {
    let lines = lines::parse(Path::new("log.csv"), "bytes,bpb\n1000,8\n2000,2\n").unwrap();
    let found = measured(&lines, &Settings::default()).unwrap();
    assert_eq!((found.bits, found.range), (13_000.0, [10_000.0, 16_000.0]));
    // One second difference of 2 bits: t with one degree of freedom.
    let text = "bytes,bpb\n1000,3\n2000,1\n3000,3\n";
    let lines = lines::parse(Path::new("log.csv"), text).unwrap();
    let found = measured(&lines, &Settings::default()).unwrap();
    assert!(found.range[1] - found.bits > 12.0 * 1000.0 * (4.0_f64 / 1.5).sqrt());
    assert_eq!(found.range[0], 0.0);
}

#[test]
fn gaps_and_ways_back_are_named() {
    let all = log("bytes,bits_per_byte", |x| format!("{x},{}", bits(x)));
    let mut gap = all.clone();
    gap.drain(40..60);
    let said = measured(&gap, &Settings::default()).unwrap_err();
    assert!(
        said.contains("a gap before line 62") && said.contains("40000"),
        "{said}"
    );
    let gaps = Settings {
        gaps: true,
        ..Settings::default()
    };
    let found = measured(&gap, &gaps).unwrap();
    let truth = integral(1e5);
    assert!(
        found.range[0] <= truth && truth <= found.range[1],
        "{truth} {found:?}"
    );
    let mut late = all.clone();
    late.drain(..30);
    let said = measured(&late, &Settings::default()).unwrap_err();
    assert!(said.contains("a gap before line 32"), "{said}");
    let mut back = all.clone();
    back.insert(50, all[20].clone());
    let said = measured(&back, &Settings::default()).unwrap_err();
    assert!(
        said.contains("line 22") && said.contains("goes back from 50000"),
        "{said}"
    );
    let nan = log("bytes,bits_per_byte", |x| {
        format!("{x},{}", if x > 5e4 { f64::NAN } else { 1.0 })
    });
    assert!(
        measured(&nan, &Settings::default())
            .unwrap_err()
            .contains("line 52")
    );
    let loss = log("step,loss", |x| format!("{x},1"));
    assert!(
        measured(&loss, &Settings::default())
            .unwrap_err()
            .contains("--unit")
    );
}
