//! What the context models of an archive say of its bytes.

use brevity_codec::Contexts;
use brevity_codec::archive::Options;
use brevity_task::{Control, Progress};
use std::sync::atomic::{AtomicU64, Ordering};

/// What the context models of an archive with these options say of `data`; `None` if a
/// stop was requested.
pub(super) fn contexts(data: &[u8], options: &Options, control: &Control<'_>) -> Option<Contexts> {
    let done = AtomicU64::new(0);
    let progress = |more| {
        let done = more + done.fetch_add(more, Ordering::Relaxed);
        control.tell(Progress {
            done,
            of: data.len() as u64,
            bytes: done,
            what: "contexts",
            ..Progress::default()
        });
        !control.stop.is_set()
    };
    Contexts::of(data, options.level, options.block, &progress)
}
