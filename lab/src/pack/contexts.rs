//! What the context models of an archive say of its bytes.

use brevity_codec::archive::Options;
use brevity_codec::{Contexts, Words};
use brevity_task::{Control, Counter};
use std::borrow::Cow;

/// What the context models of an archive with these options say of `data`, changed by the
/// words if there are any, and the changed data; `None` if a stop was requested.
pub(super) fn contexts_of_words<'a>(
    data: &'a [u8],
    words: Option<&Words>,
    options: &Options,
    control: &Control<'_>,
) -> Option<(Contexts, Cow<'a, [u8]>)> {
    let Some(words) = words else {
        return contexts(data, options, control).map(|contexts| (contexts, data.into()));
    };
    let length = words
        .change(data)
        .map_or(data.len(), |changed| changed.len());
    let counter = Counter::new(control, "contexts", length as u64);
    let found = Contexts::of_words(data, words, options.level, options.block, &|more| {
        counter.add(more)
    });
    found.map(|(contexts, changed)| (contexts, changed.into()))
}

/// What the context models of an archive with these options say of `data`; `None` if a
/// stop was requested.
pub(super) fn contexts(data: &[u8], options: &Options, control: &Control<'_>) -> Option<Contexts> {
    let counter = Counter::new(control, "contexts", data.len() as u64);
    Contexts::of(data, options.level, options.block, &|more| {
        counter.add(more)
    })
}
