//! Runs of base64: how they are written, and their entries in a table.

use super::alphabet::Alphabet;

/// How the digits of a run lie in a block.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Form<'a> {
    pub alphabet: Alphabet,
    /// Whether `=` fills the last group of four up.
    pub padded: bool,
    /// Characters of each line but the last; 0 if there is one line.
    pub line: usize,
    /// The bytes between two lines.
    pub between: &'a [u8],
}

impl<'a> Form<'a> {
    /// One line, padded.
    pub fn in_one_line(alphabet: Alphabet) -> Form<'a> {
        Form {
            alphabet,
            padded: true,
            line: 0,
            between: &[],
        }
    }

    /// Characters, digits and padding, for so many bytes.
    fn characters(&self, bytes: usize) -> usize {
        match self.padded {
            true => bytes.div_ceil(3).saturating_mul(4),
            false => bytes.saturating_mul(4).div_ceil(3),
        }
    }

    /// Bytes of a run in the block that stands for so many.
    pub fn length(&self, bytes: usize) -> usize {
        let characters = self.characters(bytes);
        let ends = match self.line {
            0 => 0,
            line => characters.saturating_sub(1) / line,
        };
        characters.saturating_add(ends.saturating_mul(self.between.len()))
    }

    /// Appends `bytes` as a run.
    pub fn encode(&self, bytes: &[u8], out: &mut Vec<u8>) {
        let digits = self.alphabet.digits();
        let mut column = 0;
        for group in bytes.chunks(3) {
            let mut bits = [0; 3];
            bits[..group.len()].copy_from_slice(group);
            let bits = u32::from_be_bytes([0, bits[0], bits[1], bits[2]]);
            for place in 0..4 {
                let is_digit = place <= group.len();
                if !is_digit && !self.padded {
                    break;
                }
                if self.line > 0 && column == self.line {
                    out.extend_from_slice(self.between);
                    column = 0;
                }
                column += 1;
                out.push(match is_digit {
                    true => digits[(bits >> (18 - 6 * place) & 63) as usize],
                    false => b'=',
                });
            }
        }
    }
}

/// A run of base64.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Run<'a> {
    /// Bytes between the run before and this one.
    pub gap: usize,
    /// Bytes that it stands for.
    pub bytes: usize,
    /// How its digits lie.
    pub form: Form<'a>,
}

impl<'a> Run<'a> {
    /// The run in the table: gap and bytes in four bytes each, the characters of a line in
    /// two, flags in one, the bytes between lines, with their number before them.
    pub fn write(&self, out: &mut Vec<u8>) {
        let form = &self.form;
        out.extend((self.gap as u32).to_le_bytes());
        out.extend((self.bytes as u32).to_le_bytes());
        out.extend((form.line as u16).to_le_bytes());
        out.push(u8::from(form.alphabet == Alphabet::Url) | u8::from(!form.padded) << 1);
        out.push(form.between.len() as u8);
        out.extend(form.between);
    }

    /// The first run of a table, and the rest of it; `None` if it ends too early.
    pub fn read(table: &'a [u8]) -> Option<(Run<'a>, &'a [u8])> {
        let (gap, table) = table.split_first_chunk()?;
        let (bytes, table) = table.split_first_chunk()?;
        let (line, table) = table.split_first_chunk()?;
        let ([flags, between], table) = table.split_first_chunk()?;
        let (between, table) = table.split_at_checked(usize::from(*between))?;
        let form = Form {
            alphabet: match flags & 1 {
                0 => Alphabet::Standard,
                _ => Alphabet::Url,
            },
            padded: flags & 2 == 0,
            line: usize::from(u16::from_le_bytes(*line)),
            between,
        };
        let run = Run {
            gap: u32::from_le_bytes(*gap) as usize,
            bytes: u32::from_le_bytes(*bytes) as usize,
            form,
        };
        Some((run, table))
    }
}
