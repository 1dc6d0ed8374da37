//! Download of one file over HTTP, resumed as often as needed.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};
use std::sync::mpsc::{Receiver, RecvTimeoutError, sync_channel};
use std::thread;
use std::time::{Duration, Instant};

use indicatif::ProgressBar;
use ureq::http::Response;
use ureq::unversioned::transport::DefaultConnector;
use ureq::{Agent, Body};

use super::address::{Guarded, Refused};
use super::{Client, SLOWEST, check};
use crate::error::{DataError, Result};
use crate::registry::RemoteFile;

/// Time limit of one response, so that a stalled connection cannot hang for ever; a
/// larger file continues in the next request.
const RESPONSE_TIME: Duration = Duration::from_secs(600);

/// Why one request did not finish the file.
enum Failure {
    /// Worth a retry.
    Transient(String),
    /// Worth a retry, and a failure even if some bytes came.
    Slow(String),
    /// Not worth a retry.
    Final(DataError),
}

impl From<DataError> for Failure {
    fn from(error: DataError) -> Self {
        Self::Final(error)
    }
}

impl Client {
    /// Where a file is fetched from.
    fn address(&self, url: &str) -> String {
        match &self.mirror {
            None => url.to_owned(),
            Some(mirror) => {
                let name = url.rsplit('/').next().unwrap_or(url);
                format!("{}/{name}", mirror.trim_end_matches('/'))
            }
        }
    }

    /// Completes the file at `path`. Returns whether part of it existed before the last
    /// request, which appended the rest.
    pub(super) fn download(
        &self,
        file: &RemoteFile,
        path: &Path,
        progress: &ProgressBar,
    ) -> Result<bool> {
        let url = self.address(&file.url);
        let config = Agent::config_builder()
            .http_status_as_error(false)
            .user_agent(concat!("brevity/", env!("CARGO_PKG_VERSION")))
            .timeout_connect(Some(Duration::from_secs(30)))
            .timeout_recv_response(Some(Duration::from_secs(60)))
            .timeout_recv_body(Some(RESPONSE_TIME))
            .build();
        let agent = Agent::with_parts(config, DefaultConnector::default(), Guarded::new(&url));
        // What is said is said of the address that was asked.
        let file = &RemoteFile {
            url,
            ..file.clone()
        };
        let mut most = length(path)?;
        let mut failures = 0;
        loop {
            let (message, slow) = match request(self, &agent, file, path, progress) {
                Ok(resumed) => return Ok(resumed),
                Err(Failure::Final(error)) => return Err(error),
                Err(Failure::Transient(message)) => (message, false),
                Err(Failure::Slow(message)) => (message, true),
            };
            // Only new bytes count as progress. Otherwise, a server that cannot resume
            // and always cuts at the same byte would be asked for ever.
            let now = length(path)?;
            failures = if now > most && !slow { 0 } else { failures + 1 };
            most = most.max(now);
            if failures >= self.attempts {
                let message = format!(
                    "{message} ({failures} times in a row); the {now} bytes received are kept, run \
                     the command again to continue"
                );
                return Err(DataError::Http {
                    url: file.url.clone(),
                    message,
                });
            }
            thread::sleep(self.pause * 2u32.saturating_pow(failures.saturating_sub(1)));
        }
    }
}

/// One request for the missing part of the file.
fn request(
    client: &Client,
    agent: &Agent,
    file: &RemoteFile,
    path: &Path,
    progress: &ProgressBar,
) -> std::result::Result<bool, Failure> {
    let fatal = |message: String| {
        Failure::Final(DataError::Http {
            url: file.url.clone(),
            message,
        })
    };
    let mut have = length(path)?;
    if have > 0 && file.bytes == Some(have) {
        return Ok(true);
    }
    let validator = fs::read_to_string(validator_path(path))
        .ok()
        .filter(|v| !v.is_empty());
    // Without a validator, only a known hash can distinguish two versions.
    let resumable = validator.is_some() || file.sha256.is_some();
    if file.bytes.is_some_and(|bytes| have > bytes) || !resumable {
        discard(path)?;
        have = 0;
    }
    let mut get = agent.get(&file.url).header("accept-encoding", "identity");
    if have > 0 {
        get = get.header("range", format!("bytes={have}-"));
        if let Some(validator) = &validator {
            get = get.header("if-range", validator);
        }
    }
    let response = get.call().map_err(|e| match e {
        ureq::Error::BadUri(_) | ureq::Error::Tls(_) | ureq::Error::TooManyRedirects => {
            fatal(e.to_string())
        }
        ureq::Error::Other(reason) if reason.is::<Refused>() => fatal(reason.to_string()),
        other => Failure::Transient(other.to_string()),
    })?;

    let total = match response.status().as_u16() {
        206 => {
            let range = header(&response, "content-range").and_then(parse_range);
            match range {
                Some((start, total)) if start == have => Some(total),
                _ => {
                    discard(path)?;
                    return Err(Failure::Transient(
                        "the server answered with another range".into(),
                    ));
                }
            }
        }
        200 => {
            // The server does not resume, or the file has changed.
            discard(path)?;
            have = 0;
            header(&response, "content-length").and_then(|v| v.trim().parse().ok())
        }
        // The file is complete, or is now shorter on the server.
        416 if header(&response, "content-range") == Some(&format!("bytes */{have}")) => {
            return Ok(true);
        }
        416 => {
            discard(path)?;
            return Err(Failure::Transient("416 Range Not Satisfiable".into()));
        }
        408 | 425 | 429 | 500 | 502 | 503 | 504 => {
            return Err(Failure::Transient(format!(
                "the server answered {}",
                response.status()
            )));
        }
        _ => return Err(fatal(format!("the server answered {}", response.status()))),
    };
    if let Some(total) = total {
        progress.set_length(total);
        if let Err(error) = check(&file.url, "bytes", file.bytes, total) {
            discard(path)?;
            return Err(error.into());
        }
    }
    if have == 0 {
        remember_validator(&response, path)?;
    }
    progress.set_position(have);
    let resumed = have > 0;
    let received = append(client, response, file, path, progress)?;
    match total.or(file.bytes) {
        Some(total) if have + received < total => Err(Failure::Transient(format!(
            "the connection ended after {} of {total} bytes",
            have + received
        ))),
        _ => Ok(resumed),
    }
}

/// Appends the body; bytes received before a failure are kept.
fn append(
    client: &Client,
    response: Response<Body>,
    file: &RemoteFile,
    path: &Path,
    progress: &ProgressBar,
) -> std::result::Result<u64, Failure> {
    let mut out = OpenOptions::new()
        .create(true)
        .append(true)
        .open(path)
        .map_err(DataError::io("write", path))?;
    let before = length(path)?;
    let mut body = Paced::new(response.into_body(), client.patience);
    let mut received = 0u64;
    let ended = loop {
        let chunk = match body.next() {
            Ok(chunk) if chunk.is_empty() => break Ok(()),
            Ok(chunk) => chunk,
            Err(failure) => break Err(failure),
        };
        received += chunk.len() as u64;
        if file.bytes.is_some_and(|bytes| before + received > bytes) {
            discard(path)?;
            check(&file.url, "bytes", file.bytes, before + received)?;
        }
        out.write_all(&chunk)
            .map_err(DataError::io("write", path))?;
        progress.inc(chunk.len() as u64);
    };
    out.sync_all().map_err(DataError::io("write", path))?;
    ended.map(|()| received)
}

/// A body that is read by a thread of its own, so that one that stalls can be given up.
struct Paced {
    chunks: Receiver<io::Result<Vec<u8>>>,
    patience: Duration,
    /// Start of the time that is measured, and the bytes since.
    since: Instant,
    bytes: u64,
}

impl Paced {
    fn new(body: Body, patience: Duration) -> Self {
        let (sender, chunks) = sync_channel(4);
        // It ends with the body, or when nobody listens any more, or after
        // `RESPONSE_TIME`.
        thread::spawn(move || {
            let mut body = body.into_reader();
            loop {
                let mut chunk = vec![0; 1 << 16];
                let read = match body.read(&mut chunk) {
                    Err(e) if e.kind() == io::ErrorKind::Interrupted => continue,
                    read => read,
                };
                let ends = !matches!(read, Ok(1..));
                let part = read.map(|read| {
                    chunk.truncate(read);
                    chunk
                });
                if sender.send(part).is_err() || ends {
                    return;
                }
            }
        });
        Self {
            chunks,
            patience,
            since: Instant::now(),
            bytes: 0,
        }
    }

    /// The next bytes, none at the end; or why there are no more.
    fn next(&mut self) -> std::result::Result<Vec<u8>, Failure> {
        let left = self.patience.saturating_sub(self.since.elapsed());
        let slow = || {
            let seconds = self.patience.as_secs_f64();
            Err(Failure::Slow(format!(
                "fewer than {SLOWEST} bytes a second came for {seconds} seconds"
            )))
        };
        match self.chunks.recv_timeout(left) {
            Ok(Ok(chunk)) => {
                self.bytes += chunk.len() as u64;
                if self.since.elapsed() >= self.patience {
                    if (self.bytes as f64) < SLOWEST as f64 * self.patience.as_secs_f64() {
                        return slow();
                    }
                    (self.since, self.bytes) = (Instant::now(), 0);
                }
                Ok(chunk)
            }
            Ok(Err(error)) => Err(Failure::Transient(format!("the connection broke: {error}"))),
            Err(RecvTimeoutError::Timeout) => {
                if (self.bytes as f64) < SLOWEST as f64 * self.patience.as_secs_f64() {
                    return slow();
                }
                (self.since, self.bytes) = (Instant::now(), 0);
                self.next()
            }
            Err(RecvTimeoutError::Disconnected) => {
                Err(Failure::Transient("the connection broke".into()))
            }
        }
    }
}

/// Records the validator of this version of the file: a strong ETag, else the date of
/// its last change.
fn remember_validator(response: &Response<Body>, path: &Path) -> Result<()> {
    let validator = header(response, "etag")
        .filter(|etag| !etag.starts_with("W/"))
        .or_else(|| header(response, "last-modified"))
        .unwrap_or_default();
    let path = validator_path(path);
    File::create(&path)
        .and_then(|mut file| file.write_all(validator.as_bytes()))
        .map_err(DataError::io("write", &path))
}

fn validator_path(path: &Path) -> PathBuf {
    path.with_extension("validator")
}

/// Deletes the bytes received.
pub(super) fn discard(path: &Path) -> Result<()> {
    for path in [path, &validator_path(path)] {
        match fs::remove_file(path) {
            Err(e) if e.kind() != io::ErrorKind::NotFound => {
                return Err(DataError::io("remove", path)(e));
            }
            _ => {}
        }
    }
    Ok(())
}

fn length(path: &Path) -> Result<u64> {
    match fs::metadata(path) {
        Ok(meta) => Ok(meta.len()),
        Err(e) if e.kind() == io::ErrorKind::NotFound => Ok(0),
        Err(e) => Err(DataError::io("read", path)(e)),
    }
}

fn header<'a>(response: &'a Response<Body>, name: &str) -> Option<&'a str> {
    response.headers().get(name)?.to_str().ok()
}

/// First byte and total length of `bytes 10-99/100`.
fn parse_range(value: &str) -> Option<(u64, u64)> {
    let (range, total) = value.strip_prefix("bytes ")?.split_once('/')?;
    Some((range.split_once('-')?.0.parse().ok()?, total.parse().ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn content_ranges() {
        assert_eq!(parse_range("bytes 10-99/100"), Some((10, 100)));
        for bad in ["bytes 10-99/*", "bytes */100", "10-99/100", ""] {
            assert_eq!(parse_range(bad), None, "{bad}");
        }
    }
}
