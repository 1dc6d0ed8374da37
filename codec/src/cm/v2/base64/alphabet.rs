//! The digits of base64.

/// What a character that is no digit has for a value.
pub const NONE: u8 = 255;

/// The two alphabets of RFC 4648: they differ in the last two digits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Alphabet {
    /// For mail and most else.
    Standard,
    /// For names of files and addresses.
    Url,
}

const STANDARD: [u8; 64] = digits_with(*b"+/");
const URL: [u8; 64] = digits_with(*b"-_");
const STANDARD_VALUES: [u8; 256] = values_of(&STANDARD);
const URL_VALUES: [u8; 256] = values_of(&URL);

const fn digits_with(last: [u8; 2]) -> [u8; 64] {
    let mut digits = *b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789..";
    (digits[62], digits[63]) = (last[0], last[1]);
    digits
}

const fn values_of(digits: &[u8; 64]) -> [u8; 256] {
    let mut values = [NONE; 256];
    let mut value = 0;
    while value < 64 {
        values[digits[value] as usize] = value as u8;
        value += 1;
    }
    values
}

impl Alphabet {
    /// Its digits by value.
    pub fn digits(self) -> &'static [u8; 64] {
        match self {
            Alphabet::Standard => &STANDARD,
            Alphabet::Url => &URL,
        }
    }

    /// The value of each byte, or [`NONE`].
    pub fn values(self) -> &'static [u8; 256] {
        match self {
            Alphabet::Standard => &STANDARD_VALUES,
            Alphabet::Url => &URL_VALUES,
        }
    }

    /// How many digits `bytes` begin with.
    pub fn count(self, bytes: &[u8]) -> usize {
        let values = self.values();
        let digits = bytes.iter().take_while(|&&b| values[b as usize] != NONE);
        digits.count()
    }
}
