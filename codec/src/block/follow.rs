//! Decoding of a block while it is coded: a decoder on a thread of its own follows the
//! encoder, so that an archive that is verified takes little longer than one that is not.

use super::{Progress, contexts};
use crate::coder::{ByteDecoder, FrequencyHash, Wanted};
use crate::mixing::Mixing;
use crate::range::Paused;
use std::sync::mpsc::{Receiver, channel};
use std::thread;

/// Bytes of the stream that a byte takes, at most: the probability of a bit is at least
/// 2^-24, so that it takes three.
const MOST: usize = 24;

/// As [`contexts::encode`], and whether the stream decodes to the same bytes; none if there
/// is no thread for a decoder. It takes the memory and the work of both.
pub(super) fn encode(
    bytes: &[u8],
    mixture: &(dyn Fn() -> Mixing + Sync),
    progress: Progress<'_>,
) -> ((Vec<u8>, u32), Option<bool>) {
    thread::scope(|scope| {
        let (sender, receiver) = channel();
        let work = move || follow(&receiver, mixture(), bytes.len());
        let Ok(decoder) = thread::Builder::new().spawn_scoped(scope, work) else {
            let coded = contexts::encode(bytes, mixture(), progress, |_| {});
            return (coded, None);
        };
        let mut sent = 0;
        // If nobody receives, the decoder has ended, and tells why below.
        let mut send = |stream: &[u8]| {
            let _ = sender.send(stream[sent..].to_vec());
            sent = stream.len();
        };
        let coded = contexts::encode(bytes, mixture(), progress, |settled| send(settled));
        send(&coded.0);
        drop(sender);
        let same = match decoder.join() {
            Ok(Some((decoded, hash))) => hash == coded.1 && decoded == bytes,
            Ok(None) => false,
            Err(panic) => std::panic::resume_unwind(panic),
        };
        (coded, Some(same))
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
        mixture.code_all(Wanted {
            coder: &mut coder,
            out: &mut out,
            length,
            least: if ended { 0 } else { MOST },
        });
        if coder.decoder.overrun() {
            return None;
        }
        if ended {
            let whole = coder.decoder.ended();
            return whole.then(|| (out, coder.hash.finish()));
        }
        paused = Some((coder.decoder.pause(), coder.hash));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cm::{Level, Models, survey};

    /// What is followed of a stream that comes in parts of so many bytes.
    fn followed(stream: &[u8], part: usize, length: usize) -> Option<(Vec<u8>, u32)> {
        let (sender, receiver) = channel();
        for part in stream.chunks(part) {
            sender.send(part.to_vec()).unwrap();
        }
        drop(sender);
        follow(&receiver, mixing(length), length)
    }

    fn mixing(length: usize) -> Mixing {
        let models = Models::Second(survey(Level::Default, b"text, text").0);
        Mixing::new(models, None, 1, length, false)
    }

    #[test]
    fn streams_in_parts_are_decoded_and_damage_is_noticed() {
        let bytes = b"What is said twice, is said twice. ".repeat(60);
        let length = bytes.len();
        let (stream, hash) = contexts::encode(&bytes, mixing(length), &|_| {}, |_| {});
        for part in [1, 7, 24, 25, stream.len()] {
            let (decoded, found) = followed(&stream, part, length).expect("a whole stream");
            assert!(decoded == bytes && found == hash);
        }
        let cut = &stream[..stream.len() - 3];
        let longer = [&stream[..], b"abc"].concat();
        for wrong in [cut, &longer[..], b""] {
            assert_eq!(followed(wrong, 9, length), None);
        }
        let mut changed = stream.clone();
        changed[20] ^= 1;
        let same = followed(&changed, 9, length);
        assert!(same.is_none_or(|(decoded, found)| decoded != bytes && found != hash));
    }
}
