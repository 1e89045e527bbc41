//! The stream under the IMAP client: which commands may be said, how much may come back, how long it may take.
//!
//! The `imap` crate reads what it is given, for as long as it is given, and some replies of real servers break it. So
//! this stands between it and the network. It lets nothing pass that could change a mailbox, ends a command that takes
//! too long or brings too much, and keeps from the client what the client cannot read. It is no parser of replies.

use std::collections::{BTreeSet, VecDeque};
use std::io::{self, Read, Write};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use super::deflate::Deflate;
use super::lines::{Command, allowed, announced, revision, shown, tag, tame, told, veiled};
use super::queue::Queue;
use super::socket::Wire;
use super::trace::Trace;

/// Longest line of a reply outside literals, in bytes.
const LONGEST_LINE: usize = 1 << 20;
/// Longest literal, in bytes.
pub(super) const LONGEST_LITERAL: u64 = 4 << 20;
/// Most bytes that a reply to one command may have.
pub(super) const LONGEST_REPLY: u64 = 64 << 20;
/// Most literals that an answer about one message may have: the client parses it anew at each.
const MOST_LITERALS: u32 = 64;
/// How much is asked of the network at once.
const AT_ONCE: usize = 64 << 10;
/// How many remarks of the server are remembered.
const MOST_REMARKS: usize = 16;

/// A stream that is guarded. Clones are the same stream: the client reads and writes through one, its owner watches
/// through another.
#[derive(Clone)]
pub(super) struct Guard(Arc<Mutex<State>>);

/// What the guard saw of a reply.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Seen {
    /// Bytes of the reply, unpacked.
    pub(super) bytes: u64,
    /// From the command to the last byte so far.
    pub(super) took: Duration,
}

struct State {
    wire: Wire,
    deflate: Option<Deflate>,
    trace: Trace,
    limit: Duration,
    /// When the running command must have ended.
    until: Instant,
    started: Instant,
    bytes: u64,
    /// Read from the network, unpacked, not looked at yet.
    raw: Queue,
    /// Looked at, not read by the client yet.
    out: Queue,
    /// The line that is being read.
    line: Vec<u8>,
    /// Bytes of the running literal that are still to come.
    literal: u64,
    /// How many the running answer has had.
    literals: u32,
    reply: Reply,
    command: Command,
    /// A command line that is being written.
    writing: Vec<u8>,
    remarks: Vec<String>,
    /// Answers to `LIST`, each with its literals.
    listed: Vec<Vec<u8>>,
    /// What the server said last that it can do, since somebody began to log in.
    capabilities: Option<BTreeSet<String>>,
    /// Commands to be sent behind the next one.
    plan: Vec<String>,
    /// Lines that were sent before the client says them, in the order in which it will.
    ahead: VecDeque<Vec<u8>>,
    /// The number in the tag of the last line that was sent.
    tag: u64,
    /// Why the stream may not be used any more.
    broken: Option<String>,
}

/// Which reply the next line belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Reply {
    /// A new one begins.
    None,
    /// One that the client is given goes on behind a literal.
    Given,
    /// One that the client is not given goes on behind a literal.
    Kept,
    /// An answer to `LIST` goes on: servers write these in more ways than the client reads.
    Listed,
}

impl Guard {
    /// Guards a connection on which the server has said nothing yet; `greeted` where its greeting was read before.
    pub(super) fn new(wire: Wire, limit: Duration, trace: Trace, greeted: bool) -> Self {
        let now = Instant::now();
        Guard(Arc::new(Mutex::new(State {
            wire,
            deflate: None,
            trace,
            limit,
            until: now + limit,
            started: now,
            bytes: 0,
            raw: Queue::default(),
            out: Queue::default(),
            line: Vec::new(),
            literal: 0,
            literals: 0,
            reply: Reply::None,
            command: if greeted {
                Command::Other
            } else {
                Command::Greeting
            },
            writing: Vec::new(),
            remarks: Vec::new(),
            listed: Vec::new(),
            capabilities: None,
            plan: Vec::new(),
            ahead: VecDeque::new(),
            tag: 0,
            broken: None,
        })))
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What the server remarked since this was last asked: texts of `BYE`, `NO`, `BAD` and alerts, in its own words.
    pub(super) fn remarks(&self) -> Vec<String> {
        std::mem::take(&mut self.state().remarks)
    }

    /// Sends this command behind the next one that the client says. The client must say the same after that, in the same
    /// order: it waits for every answer before it says more, and this is how the server is kept busy meanwhile.
    pub(super) fn plan(&self, command: String) {
        self.state().plan.push(command);
    }

    /// How many commands were sent, or will be, that the client has not said yet.
    pub(super) fn ahead(&self) -> usize {
        let state = self.state();
        state.plan.len() + state.ahead.len()
    }

    /// What the server can do, in capitals, if it has said so since somebody began to log in.
    pub(super) fn capabilities(&self) -> Option<BTreeSet<String>> {
        self.state().capabilities.clone()
    }

    /// A text of the server without secrets.
    pub(super) fn struck(&self, text: &str) -> String {
        self.state().trace.struck(text)
    }

    /// The answers to the last `LIST`.
    pub(super) fn listed(&self) -> Vec<Vec<u8>> {
        std::mem::take(&mut self.state().listed)
    }

    /// Why the stream broke, if the guard broke it.
    pub(super) fn broken(&self) -> Option<String> {
        self.state().broken.clone()
    }

    /// What the reply to the last command was like.
    pub(super) fn seen(&self) -> Seen {
        let state = self.state();
        Seen {
            bytes: state.bytes,
            took: state.started.elapsed(),
        }
    }

    /// From now on both sides deflate (RFC 4978). To be called when the server has said OK to `COMPRESS DEFLATE`.
    pub(super) fn deflate(&self) -> io::Result<()> {
        let mut state = self.state();
        let early = std::mem::take(&mut state.raw);
        let mut deflate = Deflate::new();
        deflate.unpack(early.rest(), AT_ONCE, &mut state.raw.bytes)?;
        state.deflate = Some(deflate);
        Ok(())
    }
}

impl Read for Guard {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let mut state = self.state();
        if into.is_empty() {
            return Ok(0);
        }
        loop {
            if Instant::now() > state.until {
                return Err(io::ErrorKind::TimedOut.into());
            }
            if !state.out.rest().is_empty() {
                return Ok(state.out.give(into));
            }
            if let Some(why) = &state.broken {
                return Err(io::Error::other(why.clone()));
            }
            if let Err(error) = state.look() {
                state.broken = Some(error.to_string());
                return Err(error);
            }
            if state.out.rest().is_empty() && state.fill()? == 0 {
                return Ok(0);
            }
        }
    }
}

impl Write for Guard {
    fn write(&mut self, from: &[u8]) -> io::Result<usize> {
        let mut state = self.state();
        state.writing.extend_from_slice(from);
        while let Some(end) = memchr::memchr(b'\n', &state.writing) {
            let rest = state.writing.split_off(end + 1);
            let line = std::mem::replace(&mut state.writing, rest);
            state.say(&line)?;
        }
        Ok(from.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.state().wire.flush()
    }
}

impl State {
    /// Takes a whole line of the client's: sends it, if it may be sent and was not sent before.
    fn say(&mut self, line: &[u8]) -> io::Result<()> {
        let now = Instant::now();
        (self.started, self.until, self.bytes) = (now, now + self.limit, 0);
        self.wire.end_by(self.until);
        if self.command == Command::Authenticate {
            self.trace.sent("(what logs in)");
            return self.send(line);
        }
        let refused = |why: &str| io::Error::new(io::ErrorKind::PermissionDenied, why.to_owned());
        self.command =
            allowed(line).ok_or_else(|| refused("ccspill does not send this command"))?;
        if let Some(sent) = self.ahead.pop_front() {
            if sent != line {
                let why = "another command was sent than is said now";
                self.broken = Some(why.to_owned());
                return Err(refused(why));
            }
        } else {
            self.trace.sent(&shown(line));
            if matches!(self.command, Command::Authenticate | Command::Login) {
                self.capabilities = None;
            }
            self.tag = tag(line).unwrap_or(self.tag);
            self.send(line)?;
        }
        for command in std::mem::take(&mut self.plan) {
            let line = format!("a{} {command}\r\n", self.tag + 1).into_bytes();
            // Only what answers alike can be asked for in advance.
            let may = matches!(self.command, Command::Fetch | Command::Examine);
            if !may || allowed(&line) != Some(Command::Fetch) {
                continue;
            }
            self.tag += 1;
            self.trace.sent(&shown(&line));
            self.send(&line)?;
            self.ahead.push_back(line);
        }
        Ok(())
    }

    fn send(&mut self, line: &[u8]) -> io::Result<()> {
        match &mut self.deflate {
            Some(deflate) => {
                let packed = deflate.pack(line)?;
                self.wire.write_all(&packed)
            }
            None => self.wire.write_all(line),
        }
    }

    /// Reads from the network. Gives how many bytes came; 0 where the server has closed.
    fn fill(&mut self) -> io::Result<usize> {
        let into = &mut self.raw.bytes;
        let before = into.len();
        let read = match &mut self.deflate {
            Some(deflate) => {
                let mut packed = vec![0; AT_ONCE];
                let read = self.wire.read(&mut packed)?;
                let room = (LONGEST_REPLY - self.bytes.min(LONGEST_REPLY)) as usize + AT_ONCE;
                deflate.unpack(&packed[..read], room, into)?;
                read
            }
            None => {
                into.resize(before + AT_ONCE, 0);
                let read = self.wire.read(&mut into[before..]);
                into.truncate(before + *read.as_ref().unwrap_or(&0));
                read?
            }
        };
        self.bytes += (into.len() - before) as u64;
        if self.bytes > LONGEST_REPLY {
            let why = format!(
                "the server sent more than {} MB in answer to one command",
                LONGEST_REPLY >> 20
            );
            self.broken = Some(why.clone());
            return Err(io::Error::other(why));
        }
        Ok(read)
    }

    /// Looks at what was read, up to the end of a command's reply.
    fn look(&mut self) -> io::Result<()> {
        while !self.raw.rest().is_empty() {
            if self.literal > 0 {
                self.pass_literal();
                continue;
            }
            let rest = self.raw.rest();
            let end = memchr::memchr(b'\n', rest).map(|end| end + 1);
            let length = end.unwrap_or(rest.len());
            if self.line.len() + length > LONGEST_LINE {
                return Err(io::Error::other(format!(
                    "the server sent a line of more than {} MB",
                    LONGEST_LINE >> 20
                )));
            }
            self.line.extend_from_slice(&rest[..length]);
            self.raw.pass(length);
            if end.is_some() && self.end_line()? {
                // What follows may be deflated already.
                return Ok(());
            }
        }
        Ok(())
    }

    fn pass_literal(&mut self) {
        let rest = self.raw.rest();
        let length = (rest.len() as u64).min(self.literal) as usize;
        self.literal -= length as u64;
        match (self.reply, self.listed.last_mut()) {
            (Reply::Given, _) => self.out.bytes.extend(rest[..length].iter().map(veiled)),
            (Reply::Listed, Some(answer)) => answer.extend_from_slice(&rest[..length]),
            _ => {}
        }
        self.raw.pass(length);
    }

    /// Decides on a whole line. True where it ends a command's reply.
    fn end_line(&mut self) -> io::Result<bool> {
        let mut line = std::mem::take(&mut self.line);
        if self.command == Command::Authenticate && line.starts_with(b"+") {
            // A server may repeat there what it was told.
            self.trace.received(b"+ (a challenge)", false);
        } else {
            self.trace.received(&line, self.reply != Reply::None);
        }
        if self.reply == Reply::None {
            if let Some(capabilities) = told(&line) {
                self.capabilities = Some(capabilities);
            }
            self.reply = self.begin(&mut line);
            let of_status = self.reply == Reply::None;
            if of_status {
                self.out.bytes.extend_from_slice(&line);
                return Ok(!line.starts_with(b"* ") && !line.starts_with(b"+"));
            }
        }
        if let (Reply::Listed, Some(answer)) = (self.reply, self.listed.last_mut()) {
            answer.extend_from_slice(&line);
        }
        tame(&mut line);
        if self.command == Command::Capability && self.reply == Reply::Given {
            revision(&mut line)?;
        }
        // The client cannot bear that a message has no such date.
        if self.command == Command::Fetch
            && let Some(at) = memchr::memmem::find(&line, b"INTERNALDATE NIL")
        {
            line.splice(at..at + 16, *b"INTERNALDATE \"01-Jan-1970 00:00:00 +0000\"");
        }
        let literal = announced(&line);
        if self.reply == Reply::Given {
            self.out.bytes.extend_from_slice(&line);
        }
        match literal {
            Some(length) if length > LONGEST_LITERAL => {
                return Err(io::Error::other(format!(
                    "the server announced {length} bytes in one piece, more than was asked for"
                )));
            }
            Some(length) => {
                self.literal = length;
                self.literals += 1;
                if self.literals > MOST_LITERALS {
                    return Err(io::Error::other(format!(
                        "the server sent more than {MOST_LITERALS} pieces for one message"
                    )));
                }
            }
            None => (self.reply, self.literals) = (Reply::None, 0),
        }
        Ok(false)
    }

    /// What the first line of a reply means: whether the client is given it, or, for a line that stands alone, `None`
    /// with the line as the client is given it (nothing, perhaps).
    fn begin(&mut self, line: &mut Vec<u8>) -> Reply {
        if self.command == Command::Greeting {
            tame(line);
            return Reply::None;
        }
        let Some(rest) = line.strip_prefix(b"* ") else {
            tame(line);
            if line.trim_ascii().is_empty() {
                return Reply::Kept;
            }
            if self.command == Command::Authenticate && !line.starts_with(b"+") {
                self.command = Command::Other;
            }
            return Reply::None;
        };
        let word: Vec<u8> = rest
            .split(|byte| byte.is_ascii_whitespace())
            .next()
            .unwrap_or_default()
            .to_ascii_uppercase();
        match word.as_slice() {
            b"OK" | b"NO" | b"BAD" | b"BYE" | b"PREAUTH" => {
                self.remark(line, &word);
                tame(line);
                let text = line.split_off(2 + word.len());
                line.clear();
                if matches!(word.as_slice(), b"OK" | b"NO" | b"BAD") {
                    // The client takes an untagged NO or BAD for something that cannot be.
                    line.extend_from_slice(b"* OK");
                    line.extend(text);
                    Reply::None
                } else {
                    Reply::Kept
                }
            }
            b"LIST" if self.command == Command::List => {
                self.listed.push(Vec::new());
                Reply::Listed
            }
            _ if self.wants(&word, rest) => Reply::Given,
            _ => Reply::Kept,
        }
    }

    /// Whether the running command is answered by such data.
    fn wants(&self, word: &[u8], rest: &[u8]) -> bool {
        match word {
            b"CAPABILITY" => self.command == Command::Capability,
            b"STATUS" => matches!(self.command, Command::Status | Command::List),
            b"FLAGS" => self.command == Command::Examine,
            _ if word.iter().all(u8::is_ascii_digit) => {
                let kind = rest.split(u8::is_ascii_whitespace).nth(1);
                let kind = kind.unwrap_or_default().to_ascii_uppercase();
                match kind.as_slice() {
                    b"FETCH" => self.command == Command::Fetch,
                    b"EXISTS" | b"RECENT" => self.command == Command::Examine,
                    _ => false,
                }
            }
            _ => false,
        }
    }

    fn remark(&mut self, line: &[u8], word: &[u8]) {
        let text = String::from_utf8_lossy(line);
        let text = crate::message::text::clean(text.get(2 + word.len()..).unwrap_or_default());
        let alert = text.to_ascii_uppercase().contains("[ALERT]");
        if (word != b"OK" || alert) && !text.is_empty() && self.remarks.len() < MOST_REMARKS {
            self.remarks.push(self.trace.struck(&text));
        }
    }
}
