//! JPEG XL at full effort, by the programs of libjxl if they are on the PATH.
//! No encoder that is available as a library offers full effort.

use std::fs;
use std::io;
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::OnceLock;

use super::raster::{Format, Raster};

pub(super) const CJXL: Format = Format {
    encode: cjxl,
    decode: djxl,
};

/// Whether a program starts.
fn starts(program: &str) -> bool {
    let version = Command::new(program)
        .arg("--version")
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status();
    version.is_ok_and(|status| status.success())
}

/// Whether `cjxl` and `djxl` are installed.
pub(super) fn encoder() -> bool {
    decoder() && starts("cjxl")
}

/// Whether `djxl` is installed; the answer is cached.
pub(super) fn decoder() -> bool {
    static DJXL: OnceLock<bool> = OnceLock::new();
    *DJXL.get_or_init(|| starts("djxl"))
}

fn run(program: &str, arguments: &[&str], folder: &Path) -> io::Result<()> {
    let output = Command::new(program)
        .args(arguments)
        .current_dir(folder)
        .output()?;
    if output.status.success() {
        return Ok(());
    }
    let message = String::from_utf8_lossy(&output.stderr);
    Err(io::Error::other(format!("{program}: {}", message.trim())))
}

fn cjxl(raster: &Raster) -> io::Result<Vec<u8>> {
    let folder = tempfile::tempdir()?;
    let kind = if raster.channels == 1 { 5 } else { 6 };
    let mut file = format!("P{kind}\n{} {}\n255\n", raster.width, raster.height).into_bytes();
    file.extend(&raster.pixels);
    fs::write(folder.path().join("in.ppm"), file)?;
    let encode = |effort| {
        let arguments = ["in.ppm", "out.jxl", "-d", "0", "-e", effort, "--quiet"];
        run("cjxl", &arguments, folder.path())
    };
    // Version 0.7 crashes on pictures of a few pixels at efforts above 7.
    encode("9").or_else(|_| encode("7"))?;
    fs::read(folder.path().join("out.jxl"))
}

/// Decodes a stream of either JPEG XL encoder.
pub(super) fn djxl(stream: &[u8], channels: usize) -> io::Result<Raster> {
    let folder = tempfile::tempdir()?;
    fs::write(folder.path().join("in.jxl"), stream)?;
    let name = if channels == 1 { "out.pgm" } else { "out.ppm" };
    run("djxl", &["in.jxl", name, "--quiet"], folder.path())?;
    let file = fs::read(folder.path().join(name))?;
    parse(&file, channels).ok_or_else(|| io::Error::other("djxl wrote no readable picture"))
}

/// Parses a PGM or PPM as `djxl` writes it: no comments, 8 bits.
fn parse(file: &[u8], channels: usize) -> Option<Raster> {
    let mut fields = file.splitn(5, |byte| byte.is_ascii_whitespace());
    fields.next()?;
    let mut number = || {
        std::str::from_utf8(fields.next()?)
            .ok()?
            .parse::<usize>()
            .ok()
    };
    let (width, height, most) = (number()?, number()?, number()?);
    let pixels = fields.next()?.to_vec();
    let whole = most == 255 && pixels.len() == width * height * channels;
    whole.then_some(Raster {
        width,
        height,
        channels,
        pixels,
    })
}
