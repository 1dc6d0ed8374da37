//! From bytes to a header.

use super::{Array, Gguf, GgufError, TensorInfo, Value};
use brevity_kernels::stored::Format;
use std::collections::HashMap;

/// The first bytes of a file.
pub(super) const MAGIC: &[u8] = b"GGUF";

/// Most bytes of a name or key.
const MAX_NAME: usize = 1 << 16;

/// Most elements of an array: beyond any vocabulary.
const MAX_ELEMENTS: usize = 1 << 22;

/// Most dimensions of a tensor.
const MAX_DIMENSIONS: u32 = 4;

pub(super) fn parse(file: &[u8]) -> Result<Gguf<'_>, GgufError> {
    let mut input = Input { file, at: 0 };
    if input.take(4, "the magic number")? != MAGIC {
        return Err(GgufError {
            offset: 0,
            problem: "not a GGUF file".into(),
        });
    }
    let version = input.u32("the version")?;
    if !(2..=3).contains(&version) {
        let problem = match version.swap_bytes() {
            2 | 3 => "a big-endian file, which is not supported".into(),
            _ => format!("version {version} is not 2 or 3"),
        };
        return Err(input.error(problem));
    }
    // A tensor takes 24 bytes and more, a pair 13.
    let tensors = input.count(24, "tensors")?;
    let pairs = input.count(13, "pairs of metadata")?;
    let mut metadata = HashMap::new();
    for _ in 0..pairs {
        let key = input.name("a key")?;
        let kind = input.u32("the kind of a value")?;
        let value = input.value(kind, key)?;
        if metadata.insert(key, value).is_some() {
            return Err(input.error(format!("the key `{key}` is there twice")));
        }
    }
    let alignment = match metadata.get("general.alignment").map(Value::integer) {
        None => 32,
        Some(Some(n)) if n.is_power_of_two() && n <= 1 << 16 => n as usize,
        Some(_) => {
            return Err(input.error("`general.alignment` is not a power of two up to 65536".into()));
        }
    };
    let mut found = Vec::new();
    for _ in 0..tensors {
        found.push(input.tensor()?);
    }
    let data = input
        .at
        .checked_next_multiple_of(alignment)
        .filter(|&data| data <= file.len() || found.is_empty())
        .ok_or_else(|| input.error("the file ends before the tensors".into()))?;
    let mut by_name = HashMap::new();
    for (name, tensor) in found {
        let tensor = tensor.placed(&input, name, data, alignment)?;
        if by_name.insert(name, tensor).is_some() {
            return Err(input.error(format!("the tensor `{name}` is there twice")));
        }
    }
    Ok(Gguf {
        version,
        metadata,
        tensors: by_name,
    })
}

/// A tensor whose place is not checked yet.
struct Unplaced {
    shape: Vec<usize>,
    format: Format,
    offset: u64,
    len: usize,
}

impl Unplaced {
    fn placed(
        self,
        input: &Input,
        name: &str,
        data: usize,
        alignment: usize,
    ) -> Result<TensorInfo, GgufError> {
        let range = usize::try_from(self.offset).ok().and_then(|offset| {
            let start = data.checked_add(offset)?;
            Some(start..start.checked_add(self.len)?)
        });
        match range {
            Some(bytes) if bytes.end <= input.file.len() => {
                if !self.offset.is_multiple_of(alignment as u64) {
                    let problem = format!(
                        "the tensor `{name}` is at {}, no multiple of {alignment}",
                        self.offset
                    );
                    return Err(input.error(problem));
                }
                Ok(TensorInfo {
                    shape: self.shape,
                    format: self.format,
                    bytes,
                })
            }
            _ => Err(input.error(format!(
                "the tensor `{name}` ends beyond the file of {} bytes: it is truncated",
                input.file.len()
            ))),
        }
    }
}

struct Input<'a> {
    file: &'a [u8],
    at: usize,
}

impl<'a> Input<'a> {
    fn error(&self, problem: String) -> GgufError {
        GgufError {
            offset: self.at,
            problem,
        }
    }

    fn take(&mut self, n: usize, what: &str) -> Result<&'a [u8], GgufError> {
        let rest = &self.file[self.at..];
        match rest.get(..n) {
            Some(bytes) => {
                self.at += n;
                Ok(bytes)
            }
            None => Err(self.error(format!("the file ends in {what}"))),
        }
    }

    fn array<const N: usize>(&mut self, what: &str) -> Result<[u8; N], GgufError> {
        let bytes = self.take(N, what)?;
        Ok(bytes.try_into().expect("as many bytes as were asked for"))
    }

    fn u32(&mut self, what: &str) -> Result<u32, GgufError> {
        self.array(what).map(u32::from_le_bytes)
    }

    fn u64(&mut self, what: &str) -> Result<u64, GgufError> {
        self.array(what).map(u64::from_le_bytes)
    }

    /// A number of things that take `least` bytes each at least.
    fn count(&mut self, least: usize, what: &str) -> Result<usize, GgufError> {
        let count = self.u64(what)?;
        let most = (self.file.len() - self.at) / least;
        match usize::try_from(count) {
            Ok(count) if count <= most => Ok(count),
            _ => Err(self.error(format!("{count} {what} do not fit into the file"))),
        }
    }

    fn string(&mut self, what: &str) -> Result<&'a [u8], GgufError> {
        let len = self.count(1, "bytes of a string")?;
        self.take(len, what)
    }

    fn name(&mut self, what: &str) -> Result<&'a str, GgufError> {
        let bytes = self.string(what)?;
        match std::str::from_utf8(bytes) {
            Ok(name) if name.len() <= MAX_NAME => Ok(name),
            _ => Err(self.error(format!("{what} is no text or too long"))),
        }
    }

    fn value(&mut self, kind: u32, key: &str) -> Result<Value<'a>, GgufError> {
        Ok(match kind {
            0..=5 | 10 | 11 => Value::Integer(self.integer(kind, key)?),
            6 | 12 => Value::Number(self.float(kind, key)?),
            7 => Value::Bool(self.array::<1>(key)?[0] != 0),
            8 => Value::Text(self.string(key)?),
            9 => Value::Array(self.elements(key)?),
            _ => return Err(self.error(format!("`{key}` has the unknown kind {kind}"))),
        })
    }

    fn integer(&mut self, kind: u32, key: &str) -> Result<i128, GgufError> {
        Ok(match kind {
            0 => i128::from(u8::from_le_bytes(self.array(key)?)),
            1 => i128::from(i8::from_le_bytes(self.array(key)?)),
            2 => i128::from(u16::from_le_bytes(self.array(key)?)),
            3 => i128::from(i16::from_le_bytes(self.array(key)?)),
            4 => i128::from(u32::from_le_bytes(self.array(key)?)),
            5 => i128::from(i32::from_le_bytes(self.array(key)?)),
            10 => i128::from(u64::from_le_bytes(self.array(key)?)),
            _ => i128::from(i64::from_le_bytes(self.array(key)?)),
        })
    }

    fn float(&mut self, kind: u32, key: &str) -> Result<f64, GgufError> {
        Ok(match kind {
            6 => f64::from(f32::from_le_bytes(self.array(key)?)),
            _ => f64::from_le_bytes(self.array(key)?),
        })
    }

    fn elements(&mut self, key: &str) -> Result<Array<'a>, GgufError> {
        let kind = self.u32(key)?;
        let width = match kind {
            0 | 1 | 7 => 1,
            2 | 3 => 2,
            4..=6 => 4,
            8 | 10..=12 => 8,
            9 => return Err(self.error(format!("`{key}` is an array of arrays"))),
            _ => return Err(self.error(format!("`{key}` has the unknown kind {kind}"))),
        };
        let count = self.count(width, "elements")?;
        if count > MAX_ELEMENTS {
            return Err(self.error(format!("`{key}` has {count} elements")));
        }
        match kind {
            8 => {
                let texts = (0..count).map(|_| self.string(key));
                Ok(Array::Texts(texts.collect::<Result<_, _>>()?))
            }
            6 => {
                let bytes = self.take(4 * count, key)?;
                let floats = bytes.as_chunks().0.iter();
                Ok(Array::Numbers(
                    floats.map(|b| f32::from_le_bytes(*b)).collect(),
                ))
            }
            0..=5 | 10 | 11 => {
                let integers = (0..count).map(|_| {
                    let integer = self.integer(kind, key)?;
                    i64::try_from(integer)
                        .map_err(|_| self.error(format!("`{key}` holds {integer}")))
                });
                Ok(Array::Integers(integers.collect::<Result<_, _>>()?))
            }
            _ => {
                self.take(width * count, key)?;
                Ok(Array::Other)
            }
        }
    }

    fn tensor(&mut self) -> Result<(&'a str, Unplaced), GgufError> {
        let name = self.name("the name of a tensor")?;
        let dimensions = self.u32(name)?;
        if !(1..=MAX_DIMENSIONS).contains(&dimensions) {
            return Err(self.error(format!("the tensor `{name}` has {dimensions} dimensions")));
        }
        let mut shape = Vec::new();
        for _ in 0..dimensions {
            let size = self.u64(name)?;
            match usize::try_from(size) {
                Ok(size) if size > 0 => shape.push(size),
                _ => {
                    return Err(
                        self.error(format!("the tensor `{name}` has a dimension of {size}"))
                    );
                }
            }
        }
        shape.reverse();
        let kind = self.u32(name)?;
        let Some(format) = format(kind) else {
            return Err(self.error(format!(
                "the tensor `{name}` is stored as {}, which is not supported",
                kind_name(kind)
            )));
        };
        let offset = self.u64(name)?;
        let (cols, rows) = shape.split_last().expect("at least one dimension");
        let rows = rows.iter().try_fold(1usize, |n, &d| n.checked_mul(d));
        let Some(len) = rows.and_then(|rows| format.bytes(rows, *cols)) else {
            return Err(self.error(format!(
                "the tensor `{name}` has rows of {cols} values, no whole blocks of {}",
                format.name()
            )));
        };
        let unplaced = Unplaced {
            shape,
            format,
            offset,
            len,
        };
        Ok((name, unplaced))
    }
}

/// The formats that we read, by ggml's numbers.
fn format(kind: u32) -> Option<Format> {
    Some(match kind {
        0 => Format::F32,
        1 => Format::F16,
        2 => Format::Q4_0,
        3 => Format::Q4_1,
        6 => Format::Q5_0,
        7 => Format::Q5_1,
        8 => Format::Q8_0,
        12 => Format::Q4K,
        13 => Format::Q5K,
        14 => Format::Q6K,
        30 => Format::Bf16,
        _ => return None,
    })
}

/// What ggml calls the formats that we do not read.
fn kind_name(kind: u32) -> String {
    let name = match kind {
        9 => "Q8_1",
        10 => "Q2_K",
        11 => "Q3_K",
        15 => "Q8_K",
        16..=23 | 29 => "one of the IQ formats",
        24..=27 => "integers",
        28 => "F64",
        34 | 35 => "ternary numbers",
        39 => "MXFP4",
        _ => return format!("kind {kind}"),
    };
    name.into()
}
