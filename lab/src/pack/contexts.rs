//! What the context models of an archive say of its bytes.

use brevity_codec::Contexts;
use brevity_codec::archive::Options;
use brevity_task::{Control, Counter};

/// What the context models of an archive with these options say of `data`; `None` if a
/// stop was requested.
pub(super) fn contexts(data: &[u8], options: &Options, control: &Control<'_>) -> Option<Contexts> {
    let counter = Counter::new(control, "contexts", data.len() as u64);
    Contexts::of(data, options.level, options.block, &|more| {
        counter.add(more)
    })
}
