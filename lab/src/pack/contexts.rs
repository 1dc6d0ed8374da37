//! What the context models of an archive say of its bytes.

use brevity_codec::archive::Options;
use brevity_codec::{Contexts, Words};
use brevity_task::{Control, Counter};
use std::borrow::Cow;

/// What the context models of an archive with these options say of `data`, and the data as
/// they see it, with bytes for words if there are any; `gated` if the archive's model stands
/// behind them. `None` if a stop was requested.
pub(super) fn contexts<'a>(
    data: &'a [u8],
    words: Option<&Words>,
    options: &Options,
    gated: bool,
    control: &Control<'_>,
) -> Option<(Contexts, Cow<'a, [u8]>)> {
    let counter = Counter::new(control, "contexts", data.len() as u64);
    let progress = |more| counter.add(more);
    let network = gated && options.lanes == Some(1);
    Contexts::of_words(
        data,
        words,
        network,
        options.level,
        options.block,
        &progress,
    )
}
