//! What is known of one lane: its recent bytes, words, lines and fields.

use super::bits::Neighbours;
use super::matcher::Match;

/// The most contexts in the hash table.
pub const MOST: usize = 48;

/// Matches side by side.
pub const MATCHES: usize = super::matcher::LEAST.len();

/// The hash of a number with a tag.
#[inline(always)]
pub fn hash(tag: usize, context: u64) -> u64 {
    const MULTIPLIER: u64 = 0x9E37_79B9_7F4A_7C15;
    let mixed = (context ^ (tag as u64) << 57).wrapping_mul(MULTIPLIER);
    let mixed = (mixed ^ mixed >> 32).wrapping_mul(0xD6E8_FEB8_6659_FD93);
    mixed ^ mixed >> 32
}

/// Two numbers as one.
#[inline(always)]
pub fn pair(a: u64, b: u64) -> u64 {
    (a ^ b.rotate_left(29).wrapping_mul(0x2545_F491_4F6C_DD1D)).wrapping_mul(0x9FB2_1C65_1E98_DF25)
}

/// What is known of one lane.
#[derive(Clone)]
pub struct Lane {
    /// The last sixteen bytes, the last one lowest.
    pub recent: u64,
    pub before: u64,
    /// Bytes so far.
    pub count: usize,
    /// Hash of the letters of the word under way.
    pub word: u32,
    /// Hashes of the words before, the last one first.
    pub words: [u32; 3],
    /// Hash of the token under way: letters, digits.
    pub token: u32,
    /// The last byte between words.
    pub gap: u8,
    /// Start of this line and of those before, in `count`.
    pub lines: [usize; 3],
    /// Separators since the start of the line.
    pub field: u32,
    /// Start of the field.
    pub field_start: usize,
    /// Classes of the last bytes, four bits each.
    pub shape: u64,
    /// Classes of the last bytes in the line, runs of one class taken as one.
    pub skeleton: u64,
    /// The last letters, whatever comes between them, five bits each.
    pub letters: u64,
    /// First bytes of the line.
    pub opening: u64,
    /// Hash of the first word of the sentence, 0 in that word.
    pub first: u32,
    /// The last mark between words, but for quotes and spaces, and the words since
    /// then, at most 3.
    pub mark: u8,
    pub since: u8,
    /// Whether there was an odd number of double quotes in the line.
    pub quoted: bool,
    /// Hash of the word that followed the last one when it came before.
    pub follower: u32,
    pub found: [Match; MATCHES],
    pub hashes: [u64; MOST],
    /// What the sample under way is expected to be, and its first byte once it came.
    pub expected: i32,
    pub high: Option<u8>,
    /// The pixels around the next byte, in pictures of one bit.
    pub pixels: Neighbours,
}

impl Default for Lane {
    fn default() -> Lane {
        Lane {
            recent: 0,
            before: 0,
            count: 0,
            word: 0,
            words: [0; 3],
            token: 0,
            gap: 0,
            lines: [0; 3],
            field: 0,
            field_start: 0,
            shape: 0,
            skeleton: 0,
            letters: 0,
            opening: 0,
            first: 0,
            mark: 0,
            since: 0,
            quoted: false,
            follower: 0,
            found: [Match::default(); MATCHES],
            hashes: [0; MOST],
            expected: 0,
            high: None,
            pixels: Neighbours::default(),
        }
    }
}

/// A class of bytes, 0 to 15.
#[inline(always)]
pub fn class(byte: u8) -> u8 {
    match byte {
        b'a'..=b'z' => 1,
        b'A'..=b'Z' => 2,
        b'0'..=b'9' => 3,
        b' ' => 4,
        b'\n' | b'\r' => 5,
        b'.' | b'!' | b'?' => 6,
        b',' | b';' | b':' | b'\t' | b'|' => 7,
        b'"' | b'\'' | b'`' => 8,
        b'(' | b'[' | b'{' | b'<' => 9,
        b')' | b']' | b'}' | b'>' => 10,
        b'-' | b'+' | b'*' | b'=' => 11,
        128..=191 => 12,
        192..=255 => 13,
        0 => 14,
        0x21..=0x7E => 15,
        _ => 0,
    }
}

impl Lane {
    /// A number made of the last 1 to 16 bytes.
    #[inline(always)]
    pub fn key(&self, bytes: u32) -> u64 {
        match bytes {
            0..=8 => self.recent << (64 - 8 * bytes),
            16.. => pair(self.recent, self.before),
            _ => pair(self.recent, self.before << (128 - 8 * bytes)),
        }
    }

    /// Takes a byte; whether a word ended before it.
    #[inline(always)]
    pub fn take(&mut self, byte: u8) -> bool {
        let mut ended = false;
        self.before = self.before << 8 | self.recent >> 56;
        self.recent = self.recent << 8 | u64::from(byte);
        self.count += 1;
        let letter = byte.to_ascii_lowercase();
        let spoken = letter.is_ascii_lowercase() || letter >= 128;
        if spoken {
            let word = self.word ^ u32::from(letter);
            self.word = word
                .wrapping_mul(0x2F0B_4C47)
                .rotate_left(5)
                .wrapping_add(1);
            if letter < 128 {
                self.letters = self.letters << 5 | u64::from(letter & 31);
            }
        } else {
            if self.word != 0 {
                ended = true;
                self.since = (self.since + 1).min(3);
                if self.first == 0 {
                    self.first = self.word;
                }
                self.words = [self.word, self.words[0], self.words[1]];
                self.word = 0;
            }
            self.gap = byte;
            match byte {
                b'"' => self.quoted = !self.quoted,
                b' ' | b'\'' => {}
                _ => (self.mark, self.since) = (byte, 0),
            }
            if matches!(byte, b'.' | b'!' | b'?' | b'\n') {
                self.first = 0;
            }
        }
        if spoken || byte.is_ascii_digit() {
            self.token = (self.token ^ u32::from(byte))
                .wrapping_mul(0x3D4D_51CB)
                .rotate_left(7)
                .wrapping_add(1);
        } else {
            self.token = 0;
        }
        let class = u64::from(class(byte));
        self.shape = self.shape << 4 | class;
        if self.skeleton & 15 != class {
            self.skeleton = self.skeleton << 4 | class;
        }
        match byte {
            b'\n' => {
                self.lines = [self.count, self.lines[0], self.lines[1]];
                self.field = 0;
                self.field_start = self.count;
                self.skeleton = 5;
                self.opening = 0;
                self.quoted = false;
            }
            b',' | b'\t' | b';' | b'|' => {
                self.field += 1;
                self.field_start = self.count;
            }
            _ => {}
        }
        if self.count - self.lines[0] <= 4 && byte != b'\n' {
            self.opening = self.opening << 8 | u64::from(byte);
        }
        ended
    }

    /// Letters of the word under way, at most 15.
    #[inline(always)]
    pub fn word_length(&self) -> usize {
        let spoken = |i: usize| matches!(self.shape >> (4 * i) & 15, 1 | 2 | 12 | 13);
        (0..15).take_while(|i| spoken(*i)).count()
    }
}
