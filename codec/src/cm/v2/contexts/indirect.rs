//! What followed the last bytes when they came before.

/// For the last byte, the last two and a hash of the last three: the four bytes
/// that followed them, the latest lowest.
pub struct Indirect {
    one: Vec<u32>,
    two: Vec<u32>,
    three: Vec<u32>,
    /// By a hash of a word: the hash of the word that followed.
    words: Vec<u32>,
}

impl Indirect {
    /// Nothing was seen.
    pub fn new() -> Indirect {
        Indirect {
            one: vec![0; 1 << 8],
            two: vec![0; 1 << 16],
            three: vec![0; 1 << 16],
            words: vec![0; 1 << 16],
        }
    }

    #[inline(always)]
    fn places(recent: u64) -> [usize; 3] {
        let three = ((recent & 0xFF_FFFF) as u32).wrapping_mul(0x9E37_79B1) >> 16;
        let two = recent & 0xFFFF;
        [(recent & 0xFF) as usize, two as usize, three as usize]
    }

    /// After `recent`, whose last byte is lowest, came `byte`.
    #[inline(always)]
    pub fn take(&mut self, recent: u64, byte: u8) {
        let [one, two, three] = Indirect::places(recent);
        for word in [
            &mut self.one[one],
            &mut self.two[two],
            &mut self.three[three],
        ] {
            *word = *word << 8 | u32::from(byte);
        }
    }

    /// After the word `before` came `word`; the word that followed this one when it
    /// came before.
    #[inline(always)]
    pub fn take_word(&mut self, before: u32, word: u32) -> u32 {
        let place = |word: u32| (word.wrapping_mul(0x9E37_79B1) >> 16) as usize;
        self.words[place(before)] = word;
        self.words[place(word)]
    }

    /// What followed the last byte, the last two, the last three.
    #[inline(always)]
    pub fn followed(&self, recent: u64) -> [u64; 3] {
        let [one, two, three] = Indirect::places(recent);
        [self.one[one], self.two[two], self.three[three]].map(u64::from)
    }
}
