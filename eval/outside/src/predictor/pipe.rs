//! A predictor that is a program: it is asked and answers over its standard streams.
//!
//! `docs/predictors.md` has the protocol byte by byte. The program's standard error is
//! ours, so that its messages are seen.

use super::{About, LONGEST_NAME, Outside, OutsideError};
use brevity_codec::SYMBOLS;
use std::io::{self, Read, Write};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

/// The first bytes that either side sends: a name and the protocol's version.
pub const MAGIC: [u8; 8] = *b"brevity\x01";

/// Asks to start: followed by the number of streams.
const START: u8 = b'S';

/// Asks to take bytes: followed by their number a stream, and the bytes.
const TAKE: u8 = b'T';

/// How long an answer may take unless it is said otherwise.
pub const LIMIT: Duration = Duration::from_secs(120);

/// How often the watch looks whether an answer is late.
const LOOK: Duration = Duration::from_millis(50);

/// A predictor that runs as a process. It is ended when this is dropped.
pub struct Pipe {
    command: String,
    about: About,
    process: Process,
}

impl Pipe {
    /// Starts a command of the shell; each of its answers may take as long as `limit`.
    ///
    /// # Errors
    /// A command that does not start, or does not speak the protocol.
    pub fn new(command: &str, limit: Duration) -> Result<Pipe, OutsideError> {
        let mut shell = shell(command);
        let process = Process::new(&mut shell, limit).map_err(|source| OutsideError::Start {
            command: command.to_owned(),
            source,
        })?;
        let mut pipe = Pipe {
            command: command.to_owned(),
            about: About {
                name: String::new(),
                context: 0,
                streams: 1,
            },
            process,
        };
        pipe.about = pipe.hello()?;
        Ok(pipe)
    }

    fn hello(&mut self) -> Result<About, OutsideError> {
        let what = || "its hello".to_owned();
        let mut hello = MAGIC.to_vec();
        hello.extend((SYMBOLS as u32).to_le_bytes());
        self.ask(&hello, what)?;
        let mut magic = [0; MAGIC.len()];
        self.answer(&mut magic, what)?;
        if magic != MAGIC {
            let problem = format!(
                "its first bytes are `{}`; what is for people goes to standard error",
                magic.escape_ascii()
            );
            return Err(self.protocol(problem));
        }
        let [symbols, context, streams, length] = {
            let mut fields = [0; 16];
            self.answer(&mut fields, what)?;
            [0, 4, 8, 12].map(|at| u32::from_le_bytes(fields[at..at + 4].try_into().expect("four")))
        };
        if symbols as usize != SYMBOLS {
            return Err(self.protocol(format!(
                "it has {symbols} symbols; the bytes are {SYMBOLS}, without one for an end"
            )));
        }
        if length as usize > LONGEST_NAME {
            return Err(self.protocol(format!("a name of {length} bytes")));
        }
        let mut name = vec![0; length as usize];
        self.answer(&mut name, what)?;
        let name = String::from_utf8(name)
            .map_err(|_| self.protocol("its name is no UTF-8".to_owned()))?;
        let about = About {
            name,
            context: context as usize,
            streams: streams as usize,
        };
        about.check()?;
        Ok(about)
    }

    fn protocol(&self, problem: String) -> OutsideError {
        OutsideError::Protocol {
            command: self.command.clone(),
            problem,
        }
    }

    fn ask(&mut self, request: &[u8], what: impl Fn() -> String) -> Result<(), OutsideError> {
        let asked = self.process.ask(request);
        asked.map_err(|error| self.failed(&error, &what()))
    }

    fn answer(&mut self, bytes: &mut [u8], what: impl Fn() -> String) -> Result<(), OutsideError> {
        let read = self.process.answer(bytes);
        read.map_err(|error| self.failed(&error, &what()))
    }

    /// Reads log-probabilities.
    fn floats(&mut self, next: &mut [f32], what: impl Fn() -> String) -> Result<(), OutsideError> {
        let mut bytes = vec![0; next.len() * 4];
        self.answer(&mut bytes, what)?;
        for (value, bytes) in next.iter_mut().zip(bytes.as_chunks::<4>().0) {
            *value = f32::from_le_bytes(*bytes);
        }
        Ok(())
    }

    fn failed(&mut self, error: &io::Error, what: &str) -> OutsideError {
        let (command, what) = (self.command.clone(), what.to_owned());
        match self.process.end() {
            End::Late(limit) => OutsideError::Slow {
                command,
                what,
                limit,
            },
            End::Itself(status) => OutsideError::Ended {
                command,
                status: status.unwrap_or_else(|| error.to_string()),
                what,
            },
        }
    }
}

impl Outside for Pipe {
    fn about(&self) -> &About {
        &self.about
    }

    fn start(&mut self, streams: usize, next: &mut [f32]) -> Result<(), OutsideError> {
        let what = || format!("the first bytes of {streams} streams");
        let mut request = vec![START];
        request.extend((streams as u32).to_le_bytes());
        self.ask(&request, what)?;
        self.floats(next, what)
    }

    fn take(&mut self, bytes: &[u8], steps: usize, next: &mut [f32]) -> Result<(), OutsideError> {
        let streams = bytes.len() / steps.max(1);
        let what = || format!("{steps} bytes of {streams} streams");
        let mut request = vec![TAKE];
        request.extend((steps as u32).to_le_bytes());
        request.extend(bytes);
        self.ask(&request, what)?;
        self.floats(next, what)
    }
}

fn shell(command: &str) -> Command {
    let mut shell = match cfg!(windows) {
        true => Command::new("cmd"),
        false => Command::new("sh"),
    };
    shell
        .arg(if cfg!(windows) { "/C" } else { "-c" })
        .arg(command);
    shell
}

/// How a process that failed us came to an end.
enum End {
    /// It was killed for taking longer than this.
    Late(Duration),
    /// By itself; with its status, if it has one.
    Itself(Option<String>),
}

/// A process with a watch that ends it when an answer is late: then reading from it and
/// writing to it fail.
struct Process {
    child: Arc<Mutex<Child>>,
    to: Option<ChildStdin>,
    from: ChildStdout,
    limit: Duration,
    watched: Arc<Watched>,
    watch: Option<JoinHandle<()>>,
}

#[derive(Default)]
struct Watched {
    state: Mutex<State>,
    over: Condvar,
}

#[derive(Default)]
struct State {
    /// When the answer that is waited for is late.
    late: Option<Instant>,
    /// The process was ended for being late.
    killed: bool,
    over: bool,
}

impl Process {
    fn new(command: &mut Command, limit: Duration) -> io::Result<Process> {
        command.stdin(Stdio::piped()).stdout(Stdio::piped());
        // A group of its own, to be ended as a whole: a shell and what it runs.
        #[cfg(unix)]
        std::os::unix::process::CommandExt::process_group(command, 0);
        let mut child = command.spawn()?;
        let (Some(to), Some(from)) = (child.stdin.take(), child.stdout.take()) else {
            unreachable!("both are piped");
        };
        let child = Arc::new(Mutex::new(child));
        let watched = Arc::new(Watched::default());
        let watch = thread::spawn({
            let (child, watched) = (child.clone(), watched.clone());
            move || watched.run(&child)
        });
        Ok(Process {
            child,
            to: Some(to),
            from,
            limit,
            watched,
            watch: Some(watch),
        })
    }

    /// Sends a request; from now on its answer is waited for.
    fn ask(&mut self, request: &[u8]) -> io::Result<()> {
        self.watched.expect(Some(Instant::now() + self.limit));
        let Some(to) = &mut self.to else {
            return Err(io::ErrorKind::BrokenPipe.into());
        };
        to.write_all(request)?;
        to.flush()
    }

    /// Reads an answer, or a part of one.
    fn answer(&mut self, bytes: &mut [u8]) -> io::Result<()> {
        self.watched.expect(Some(Instant::now() + self.limit));
        self.from.read_exact(bytes)?;
        self.watched.expect(None);
        Ok(())
    }

    /// Ends the process and says how it came to an end.
    fn end(&mut self) -> End {
        drop(self.to.take());
        // One that closed its output is about to end by itself.
        let soon = Instant::now() + Duration::from_millis(500);
        let mut status = None;
        while status.is_none() && Instant::now() < soon && !self.watched.lock().killed {
            status = locked(&self.child).try_wait().ok().flatten();
            thread::sleep(Duration::from_millis(5));
        }
        kill(&mut locked(&self.child));
        match self.watched.lock().killed {
            true => End::Late(self.limit),
            false => End::Itself(status.map(|status| status.to_string())),
        }
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        drop(self.to.take());
        // It ends when its input does; one that does not is made to.
        self.watched
            .expect(Some(Instant::now() + Duration::from_secs(1)));
        let _ = self.from.read_to_end(&mut Vec::new());
        kill(&mut locked(&self.child));
        self.watched.lock().over = true;
        self.watched.over.notify_all();
        if let Some(watch) = self.watch.take() {
            let _ = watch.join();
        }
    }
}

impl Watched {
    fn lock(&self) -> std::sync::MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn expect(&self, late: Option<Instant>) {
        self.lock().late = late;
    }

    /// Looks now and then: to be woken for each answer would cost more than it takes.
    fn run(&self, child: &Mutex<Child>) {
        let mut state = self.lock();
        while !state.over {
            if state.late.is_some_and(|late| late <= Instant::now()) {
                state.killed = true;
                state.late = None;
                kill(&mut locked(child));
            }
            let waited = self.over.wait_timeout(state, LOOK);
            state = waited.unwrap_or_else(PoisonError::into_inner).0;
        }
    }
}

fn locked(child: &Mutex<Child>) -> std::sync::MutexGuard<'_, Child> {
    child.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Ends a process and what it started, and waits for it.
fn kill(child: &mut Child) {
    #[cfg(unix)]
    if let (Ok(None), Ok(group)) = (child.try_wait(), i32::try_from(child.id())) {
        // SAFETY: a signal to the group of a child that has not been waited for.
        unsafe {
            libc::kill(-group, libc::SIGKILL);
        }
    }
    let _ = child.kill();
    let _ = child.wait();
}
