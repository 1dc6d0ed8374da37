//! Decoding of a block while it is coded: a decoder on a thread of its own follows the
//! encoder, so that an archive that is verified takes little longer than one that is not.

use super::{Progress, encode_contexts};
use crate::coder::{ByteDecoder, FrequencyHash, NoAdvice};
use crate::mixing::Mixing;
use crate::range::Paused;
use std::sync::mpsc::{Receiver, channel};
use std::thread;

/// Bytes of the stream that a byte takes, at most: the probability of a bit is at least
/// 2^-24, so that it takes three.
const MOST: usize = 24;

/// As [`encode_contexts`], and whether the stream decodes to the same bytes. It takes the
/// memory and the work of both.
pub(super) fn encode(
    bytes: &[u8],
    mixture: &(dyn Fn() -> Mixing + Sync),
    progress: Progress<'_>,
) -> ((Vec<u8>, u32), bool) {
    thread::scope(|scope| {
        let (sender, receiver) = channel();
        let decoder = scope.spawn(move || follow(&receiver, mixture(), bytes.len()));
        let mut sent = 0;
        // If nobody receives, the decoder has ended, and tells why below.
        let mut send = |stream: &[u8]| {
            let _ = sender.send(stream[sent..].to_vec());
            sent = stream.len();
        };
        let coded = encode_contexts(bytes, mixture(), progress, |settled| send(settled));
        send(&coded.0);
        drop(sender);
        let same = match decoder.join() {
            Ok(Some((decoded, hash))) => hash == coded.1 && decoded == bytes,
            Ok(None) | Err(_) => false,
        };
        (coded, same)
    })
}

/// Decodes a stream that comes in parts to `length` bytes, and the hash of its
/// frequencies. None if it is shorter or longer than its symbols.
fn follow(parts: &Receiver<Vec<u8>>, mut mixture: Mixing, length: usize) -> Option<(Vec<u8>, u32)> {
    let mut out = Vec::with_capacity(length);
    let mut stream = Vec::new();
    let mut paused: Option<(Paused, FrequencyHash)> = None;
    loop {
        let part = parts.recv().ok();
        let ended = part.is_none();
        stream.extend(part.into_iter().flatten());
        if stream.len() < MOST && !ended {
            continue;
        }
        let mut coder = match paused {
            None => ByteDecoder::new(&stream),
            Some((decoder, hash)) => ByteDecoder::resume(decoder.resume(&stream), hash),
        };
        while out.len() < length && (ended || coder.decoder.left() >= MOST) {
            out.push(mixture.code(0, &mut coder, &NoAdvice));
            if coder.decoder.overrun() {
                return None;
            }
        }
        if ended {
            let whole = coder.decoder.ended();
            return whole.then(|| (out, coder.hash.finish()));
        }
        paused = Some((coder.decoder.pause(), coder.hash));
    }
}
