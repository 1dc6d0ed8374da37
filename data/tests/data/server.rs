//! An HTTP server for one file that answers each request as a script says.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};

/// The answer to one request.
#[derive(Clone, Debug)]
pub enum Reply {
    /// A correct answer, also to ranges.
    Good,
    /// A correct answer, but the connection is cut after this number of bytes
    /// of the body.
    Cut(usize),
    /// The whole file with status 200, even if a range was requested.
    IgnoreRange,
    /// A range other than the one requested.
    OtherRange,
    /// A body that is longer than the file by this number of bytes.
    Longer(usize),
    /// The whole file without a length, ended by closing the connection.
    NoLength,
    /// A status without content.
    Status(u16),
    /// A redirect to another address.
    Redirect(String),
    /// So many bytes of the body, then none, until the client goes away.
    Stall(usize),
}

/// The server. Its thread runs until the process ends.
pub struct Server {
    address: String,
    state: Arc<Mutex<State>>,
}

struct State {
    body: Vec<u8>,
    etag: String,
    script: Vec<Reply>,
    ranges: Vec<Option<u64>>,
}

impl Server {
    /// Serves `body`: first the replies of the script, then good ones.
    pub fn new(body: &[u8], script: &[Reply]) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap().to_string();
        let state = State {
            body: body.to_vec(),
            etag: "\"v1\"".into(),
            script: script.iter().rev().cloned().collect(),
            ranges: Vec::new(),
        };
        let state = Arc::new(Mutex::new(state));
        let shared = Arc::clone(&state);
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                // In some tests the client closes the connection, so errors are
                // ignored.
                let _ = answer(&stream, &shared);
            }
        });
        Self { address, state }
    }

    /// The address of the file.
    pub fn url(&self) -> String {
        format!("http://{}/file", self.address)
    }

    /// The start of the range of each request so far; `None` if it had no
    /// range.
    pub fn ranges(&self) -> Vec<Option<u64>> {
        self.state.lock().unwrap().ranges.clone()
    }

    /// Replaces the file by another version.
    pub fn replace(&self, body: &[u8], etag: &str) {
        let mut state = self.state.lock().unwrap();
        state.body = body.to_vec();
        state.etag = etag.into();
    }

    /// Sends no validator from now on.
    pub fn forget_etag(&self) {
        self.state.lock().unwrap().etag.clear();
    }
}

fn answer(mut stream: &TcpStream, state: &Mutex<State>) -> std::io::Result<()> {
    let mut range = None;
    let mut if_range = None;
    for line in BufReader::new(stream).lines() {
        let line = line?.to_ascii_lowercase();
        if line.is_empty() {
            break;
        }
        if let Some(value) = line.strip_prefix("range: bytes=") {
            range = value.trim_end_matches('-').parse::<u64>().ok();
        }
        if let Some(value) = line.strip_prefix("if-range: ") {
            if_range = Some(value.to_owned());
        }
    }
    let mut state = state.lock().unwrap();
    state.ranges.push(range);
    let reply = state.script.pop().unwrap_or(Reply::Good);
    let (body, etag) = (state.body.clone(), state.etag.clone());
    drop(state);

    let whole = body.len() as u64;
    let fresh = if_range.is_none_or(|v| v == etag);
    let start = range.filter(|_| fresh && !matches!(reply, Reply::IgnoreRange | Reply::NoLength));
    let tag = if etag.is_empty() {
        String::new()
    } else {
        format!("ETag: {etag}\r\n")
    };
    let head = match (&reply, start) {
        (Reply::Redirect(to), _) => {
            return write!(
                stream,
                "HTTP/1.1 302 Found\r\nLocation: {to}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
            );
        }
        (Reply::Status(status), _) => {
            return write!(
                stream,
                "HTTP/1.1 {status} No\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
            );
        }
        (_, Some(start)) if start >= whole => {
            return write!(
                stream,
                "HTTP/1.1 416 No\r\nContent-Range: bytes */{whole}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
            );
        }
        (Reply::OtherRange, Some(_)) => format!(
            "206 Partial\r\nContent-Range: bytes 0-{}/{whole}\r\nContent-Length: {whole}",
            whole - 1
        ),
        (_, Some(start)) => format!(
            "206 Partial\r\nContent-Range: bytes {start}-{}/{whole}\r\nContent-Length: {}",
            whole - 1,
            whole - start
        ),
        (Reply::NoLength, None) => "200 OK\r\nX: y".into(),
        (Reply::Longer(more), None) => {
            format!("200 OK\r\nContent-Length: {}", whole + *more as u64)
        }
        (_, None) => format!("200 OK\r\nContent-Length: {whole}"),
    };
    write!(stream, "HTTP/1.1 {head}\r\n{tag}Connection: close\r\n\r\n")?;
    let rest = &body[start.unwrap_or(0) as usize..];
    match reply {
        Reply::Cut(after) => stream.write_all(&rest[..after.min(rest.len())]),
        Reply::Stall(after) => {
            stream.write_all(&rest[..after.min(rest.len())])?;
            // Others are answered meanwhile.
            let mut stream = stream.try_clone()?;
            std::thread::spawn(move || while stream.read(&mut [0]).is_ok_and(|read| read > 0) {});
            Ok(())
        }
        Reply::Longer(more) => {
            stream.write_all(rest)?;
            stream.write_all(&vec![0; more])
        }
        _ => stream.write_all(rest),
    }
}
