//! Findings of a run, each a claim that holds or does not.

use serde::Serialize;

use super::{Alone, Contamination, Leaked, Learned, Spread};
use brevity_data::overlap::LONG_MATCH;
use brevity_length::format::percent;

/// A claim about the measures, whether this run supports it, and its numbers.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Finding {
    /// A claim that must hold if description lengths are to be trusted.
    pub claim: String,
    /// Whether it holds in this run.
    pub holds: bool,
    /// The numbers.
    pub numbers: String,
}

/// The largest factor between prequential rates that count as close.
const NEAR: f64 = 1.5;

/// The factor by which the memoriser's description must be longer than that of the honest
/// model.
const PUNISHED: f64 = 3.0;

pub(super) fn find(found: &Contamination) -> Vec<Finding> {
    let mut findings = Vec::new();
    findings.extend(memoriser(found));
    findings.extend(learners(found));
    findings.extend(noise(found));
    findings.extend(dose(found));
    findings.extend(twin(found));
    findings.extend(no_profit(found));
    findings.extend(unmoved(found));
    findings.extend(disguise(found).into_iter().flatten());
    findings
}

/// Mean of `value` over the seeds.
fn mean<'a, T: 'a>(
    items: impl Iterator<Item = &'a T>,
    value: impl Fn(&T) -> Option<f64>,
) -> Option<f64> {
    Some(Spread::of(items.filter_map(value))?.mean)
}

fn alone<'a>(
    found: &'a Contamination,
    part: &'a str,
    model: &'a str,
) -> impl Iterator<Item = &'a Alone> {
    let of = move |a: &&Alone| a.part == part && a.model == model;
    found.alone.iter().filter(of)
}

fn learned<'a>(
    found: &'a Contamination,
    part: &'a str,
    model: &'a str,
) -> impl Iterator<Item = &'a Learned> {
    let of = move |p: &&Learned| p.part == part && p.model == model;
    found.prequential.iter().filter(of)
}

fn memoriser(found: &Contamination) -> Option<Finding> {
    let raw = |model| mean(alone(found, "text", model), |a| Some(a.raw_rate));
    let (honest, memoriser) = (raw("honest")?, raw("memoriser")?);
    let mut numbers = format!(
        "raw {}% against {}% ({:.1} times shorter)",
        percent(memoriser),
        percent(honest),
        honest / memoriser
    );
    let mut holds = memoriser < honest;
    for convention in ["fp16", "stored"] {
        let adjusted = |model| {
            let rate = |a: &Alone| a.adjusted_rate.get(convention).copied();
            mean(alone(found, "text", model), rate)
        };
        let (honest, memoriser) = (adjusted("honest")?, adjusted("memoriser")?);
        numbers += &format!(
            "; adjusted, {convention}, {}% against {}% ({:.1} times longer)",
            percent(memoriser),
            percent(honest),
            memoriser / honest
        );
        // `stored` quantises weights to give the shortest description, so that a
        // memoriser loses the bytes that it stored; `fp16` does not.
        holds &= match convention {
            "fp16" => memoriser >= PUNISHED * honest,
            _ => memoriser > honest,
        };
    }
    Some(Finding {
        claim: format!(
            "On text that both models were trained on, the memoriser has the lower raw rate and \
             the higher adjusted rates, by a factor of {PUNISHED} or more at two bytes per \
             parameter"
        ),
        holds,
        numbers,
    })
}

fn learners(found: &Contamination) -> Option<Finding> {
    let rate = |model| mean(learned(found, "text", model), |p| Some(p.rate));
    let (honest, memoriser) = (rate("honest")?, rate("memoriser")?);
    let ratio = memoriser / honest;
    Some(Finding {
        claim: format!(
            "The prequential rates of the two models differ by at most a factor of {NEAR}: \
             memorising brings no advantage"
        ),
        holds: (1.0 / NEAR..=NEAR).contains(&ratio),
        numbers: format!(
            "prequential {}% against {}% ({ratio:.2} times)",
            percent(memoriser),
            percent(honest)
        ),
    })
}

fn noise(found: &Contamination) -> Option<Finding> {
    let random = || found.alone.iter().filter(|a| a.part == "random");
    let raw = Spread::of(random().map(|a| a.raw_rate))?.low;
    let adjusted = random().flat_map(|a| a.adjusted_rate.values().copied());
    let adjusted = Spread::of(adjusted)?.low;
    let learned = found.prequential.iter().filter(|p| p.part == "random");
    let learned = Spread::of(learned.map(|p| p.rate))?.low;
    Some(Finding {
        claim: "No code of random bytes is shorter than the bytes themselves".into(),
        holds: adjusted >= 1.0 && learned >= 1.0,
        numbers: format!(
            "lowest adjusted {}%, lowest prequential {}%; the lowest raw rate, which is not a \
             code length, {}%",
            percent(adjusted),
            percent(learned),
            percent(raw)
        ),
    })
}

/// The raw rate falls with the dose; the rate on clean bytes, which it should measure,
/// falls less or not at all.
fn dose(found: &Contamination) -> Option<Finding> {
    let most = *found.doses().last()?;
    let mut numbers = Vec::new();
    let mut holds = true;
    for model in found.models() {
        let rate = |copies, value: fn(&Leaked) -> f64| {
            mean(found.seeds(model, copies, 0), |l| Some(value(l)))
        };
        let raw = (rate(0, |l| l.raw_rate)?, rate(most, |l| l.raw_rate)?);
        let clean = (rate(0, |l| l.clean_rate)?, rate(most, |l| l.clean_rate)?);
        holds &= raw.1 < raw.0 && raw.1 - raw.0 < clean.1 - clean.0;
        numbers.push(format!(
            "{model}: raw {}% to {}%, clean bytes {}% to {}%",
            percent(raw.0),
            percent(raw.1),
            percent(clean.0),
            percent(clean.1)
        ));
    }
    Some(Finding {
        claim: format!(
            "{most} copies of a test in the training bytes lower its raw rate by more than the raw \
             rate of clean bytes of the same source"
        ),
        holds,
        numbers: numbers.join("; "),
    })
}

/// At equal size and training bytes, the difference to a twin without copies shows the leak.
fn twin(found: &Contamination) -> Option<Finding> {
    let exact = || found.leaked.iter().filter(|l| l.skip_words == 0);
    let differences: Vec<f64> = exact().filter_map(|l| l.to_twin).collect();
    let Spread { low, high, .. } = Spread::of(differences.iter().copied())?;
    let below = differences.iter().filter(|d| **d < 0.0).count();
    Some(Finding {
        claim: "Every model that saw copies of the test codes it shorter than its twin of equal \
                size and training bytes that saw none"
            .into(),
        holds: below == differences.len(),
        numbers: format!(
            "{below} of {}; by {:.2} to {:.2} points of the raw rate",
            differences.len(),
            -100.0 * high,
            -100.0 * low
        ),
    })
}

/// No leak makes the two-part length shorter than an honest learner's prequential
/// length.
fn no_profit(found: &Contamination) -> Option<Finding> {
    let lowest = found
        .leaked
        .iter()
        .flat_map(|l| l.adjusted_rate.iter().map(move |(c, rate)| (l, c, *rate)))
        .min_by(|x, y| x.2.total_cmp(&y.2))?;
    let (leaked, convention, rate) = lowest;
    let dose = |p: &&Learned| p.part == "dose";
    let learned = found.prequential.iter().filter(dose).map(|p| p.rate);
    let learned = Spread::of(learned)?;
    Some(Finding {
        claim: "At no dose does a leak make model and test together shorter than the prequential \
                code of the test"
            .into(),
        holds: rate >= learned.low,
        numbers: format!(
            "lowest adjusted {}% ({}, {convention}, {} copies), lowest prequential {}%",
            percent(rate),
            leaked.model,
            leaked.copies,
            percent(learned.low)
        ),
    })
}

/// The prequential length is the same at every dose, measured by what two seeds differ.
fn unmoved(found: &Contamination) -> Option<Finding> {
    let doses = found.doses();
    let (mut most, mut seeds) = (0.0_f64, 0.0_f64);
    for model in found.models() {
        let clean: Vec<&Learned> = found.learned(model, 0).collect();
        if clean.len() < 2 {
            return None;
        }
        let rates = Spread::of(clean.iter().map(|p| p.rate))?;
        seeds = seeds.max(rates.high - rates.low);
        for dose in &doses {
            for p in found.learned(model, *dose) {
                let same = clean.iter().find(|c| c.seed == p.seed)?;
                most = most.max((p.rate - same.rate).abs());
            }
        }
    }
    Some(Finding {
        claim: "The dose changes the prequential length of the test by no more than the seed does"
            .into(),
        holds: most <= seeds,
        numbers: format!(
            "with the same seed it changes by at most {} percentage points over {} doses; between \
             seeds it differs by up to {}",
            points(most),
            doses.len(),
            points(seeds)
        ),
    })
}

fn points(rate: f64) -> String {
    match rate {
        0.0 => "0".into(),
        rate => format!("{:.3}", 100.0 * rate),
    }
}

/// Disguised copies evade the detectors of exact copies: n-grams of words by
/// construction, long byte matches if words are short.
fn disguise(found: &Contamination) -> Option<[Finding; 2]> {
    let most = found
        .leaked
        .iter()
        .filter(|l| l.skip_words > 0)
        .map(|l| l.copies)
        .max()?;
    let hidden = || {
        found
            .leaked
            .iter()
            .filter(|l| l.skip_words > 0 && l.copies == most)
    };
    let seen = |value: fn(&super::Detected) -> f64| {
        let all = hidden().filter_map(|l| l.detected.as_ref()).map(value);
        Some(Spread::of(all)?.high)
    };
    let grams = seen(|d| d.overlap.ngram8)?;
    let matches = seen(|d| d.overlap.in_long_matches)?;
    let mut gains = Vec::new();
    for model in found.models() {
        let clean = mean(found.seeds(model, 0, 0), |l| Some(l.raw_rate))?;
        let raw = mean(hidden().filter(|l| l.model == model), |l| Some(l.raw_rate))?;
        gains.push((model, clean, raw));
    }
    let gained: Vec<String> = gains
        .iter()
        .map(|(model, clean, raw)| {
            format!(
                "{model} raw {}% instead of {}%",
                percent(*raw),
                percent(*clean)
            )
        })
        .collect();
    let by_words = Finding {
        claim: format!(
            "{most} copies that lack some words lower the raw rate, and word 8-grams find less \
             than a tenth of them"
        ),
        holds: grams < 0.1 && gains.iter().all(|(_, clean, raw)| raw < clean),
        numbers: format!("8-grams found {}%; {}", percent(grams), gained.join(", ")),
    };
    let by_bytes = Finding {
        claim: format!(
            "Less than a tenth of copies that lack some words lies in matches of {LONG_MATCH} \
             bytes or more"
        ),
        holds: matches < 0.1,
        numbers: format!("bytes in such matches {}%", percent(matches)),
    };
    Some([by_words, by_bytes])
}
