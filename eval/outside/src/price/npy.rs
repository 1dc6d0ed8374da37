//! The arrays of numpy: `.npz` files, zip files of `.npy` files.

use super::tensors::{Kind, Stored, Weights, no_weight};
use super::{MOST_VALUES, PriceError};
use std::io::{Cursor, Read};

/// Adds the arrays of an `.npz` file.
pub(super) fn npz(
    bytes: &[u8],
    problem: &dyn Fn(String) -> PriceError,
    skip: &dyn Fn(&str) -> bool,
    weights: &mut Weights,
) -> Result<(), PriceError> {
    let archive = zip::ZipArchive::new(Cursor::new(bytes));
    let mut archive = archive.map_err(|error| problem(error.to_string()))?;
    for i in 0..archive.len() {
        let mut file = archive
            .by_index(i)
            .map_err(|error| problem(error.to_string()))?;
        let name = file.name().map_err(|error| problem(error.to_string()))?;
        let name = name.trim_end_matches(".npy").to_owned();
        if skip(&name) {
            continue;
        }
        let mut array = Vec::new();
        // A few bytes may claim to be many.
        let most = 16 * MOST_VALUES;
        let read = file.by_ref().take(most).read_to_end(&mut array);
        read.map_err(|error| problem(format!("`{name}`: {error}")))?;
        let header =
            header(&array, &name).ok_or_else(|| problem(format!("`{name}` is no .npy")))?;
        add(&array, header?, weights)?;
    }
    Ok(())
}

struct Header {
    name: String,
    shape: Vec<usize>,
    kind: Kind,
    big_endian: bool,
    /// The first dimension fastest.
    fortran: bool,
    /// Where the numbers begin.
    data: usize,
}

/// The header of an array; `None` if it is none.
fn header(bytes: &[u8], name: &str) -> Option<Result<Header, PriceError>> {
    let rest = bytes.strip_prefix(b"\x93NUMPY")?;
    let (length, start): (usize, usize) = match rest.first()? {
        1 => (
            usize::from(u16::from_le_bytes(rest.get(2..4)?.try_into().ok()?)),
            10,
        ),
        2 | 3 => (
            u32::from_le_bytes(rest.get(2..6)?.try_into().ok()?) as usize,
            12,
        ),
        _ => return None,
    };
    let text = std::str::from_utf8(bytes.get(start..start.checked_add(length)?)?).ok()?;
    let descr = text.split_once("'descr':")?.1.trim_start();
    // A structure is a list; a plain type is a quoted text.
    let descr = descr.strip_prefix('\'').and_then(|d| d.split_once('\''));
    let fortran = text.split_once("'fortran_order':")?.1.trim_start();
    let shape = text.split_once("'shape':")?.1;
    let shape = shape.split_once('(')?.1.split_once(')')?.0;
    let dimensions = shape.split(',').map(str::trim).filter(|d| !d.is_empty());
    let shape: Option<Vec<usize>> = dimensions.map(|d| d.parse().ok()).collect();
    let Some((descr, _)) = descr else {
        return Some(Err(no_weight(name, "structure")));
    };
    let (order, kind) = descr.split_at_checked(1)?;
    let kind = match Kind::of_numpy(kind) {
        Some(kind) => kind,
        None => {
            let kind = match kind.as_bytes().first() {
                Some(b'b') => "bool",
                Some(b'c') => "complex",
                Some(b'O') => "object",
                Some(b'U' | b'S') => "text",
                _ => descr,
            };
            return Some(Err(no_weight(name, kind)));
        }
    };
    Some(Ok(Header {
        name: name.to_owned(),
        shape: shape?,
        kind,
        big_endian: order == ">",
        fortran: fortran.starts_with("True"),
        data: start + length,
    }))
}

fn add(array: &[u8], header: Header, weights: &mut Weights) -> Result<(), PriceError> {
    let size = header.kind.bytes();
    let mut numbers = array[header.data.min(array.len())..].to_vec();
    if header.big_endian {
        numbers.chunks_exact_mut(size).for_each(<[u8]>::reverse);
    }
    let length: usize = header
        .shape
        .iter()
        .fold(1, |all: usize, &n| all.saturating_mul(n));
    if header.fortran && length.saturating_mul(size) == numbers.len() {
        numbers = last_fastest(&numbers, &header.shape, size);
    }
    weights.push(&Stored {
        name: header.name,
        shape: header.shape,
        kind: header.kind,
        bytes: &numbers,
    })
}

/// Numbers whose first dimension is fastest, with the last fastest.
fn last_fastest(numbers: &[u8], shape: &[usize], size: usize) -> Vec<u8> {
    let mut out = Vec::with_capacity(numbers.len());
    let mut index = vec![0; shape.len()];
    for _ in 0..numbers.len() / size {
        let place = index.iter().zip(shape).rev();
        let at = place.fold(0, |at, (&i, &n)| at * n + i);
        out.extend(&numbers[at * size..][..size]);
        for (i, n) in index.iter_mut().zip(shape).rev() {
            *i += 1;
            if *i < *n {
                break;
            }
            *i = 0;
        }
    }
    out
}
