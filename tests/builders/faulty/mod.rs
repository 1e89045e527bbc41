//! An IMAP server on the loopback that plays faults, and a run of the program against it that cannot hang the test.
//!
//! `Script::new(&mailbox).fault(nth(Kind::Fetch, 2), Fault::Half(Then::Close)).start()` is a server that breaks the
//! second FETCH in the middle. It speaks plain text, answers properly where no fault says otherwise, and writes down
//! each command line. Whatever could change a mailbox, or asks for what was not offered, is a violation: it is refused,
//! and fails the test when the server stops.

mod fault;
mod fetch;
mod log;
mod login;
mod session;
mod spoil;
mod watch;
mod wire;

pub(crate) use fault::{Fault, Kind, Shape, Then, always, nth, once, since};
pub(crate) use log::Log;
pub(crate) use watch::{Ended, Watch, side_by_side};

use super::{Mailbox, tell};
use fault::{About, Armed, When};
use std::net::{Ipv4Addr, Shutdown, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;

/// The password of everybody; it must never be seen.
pub(crate) const PASSWORD: &str = "s3cret\\pass\"word-37";
/// Whoever may open the mailbox of another with SASL PLAIN.
pub(crate) const MASTER: &str = "scanner";
/// UIDVALIDITY of every folder.
pub(crate) const VALIDITY: u64 = 4242;

/// A message in a folder.
#[derive(Clone, Debug)]
struct Letter {
    uid: u32,
    bytes: Vec<u8>,
}

/// A folder as LIST, STATUS and EXAMINE show it.
#[derive(Clone, Debug)]
pub(crate) struct Folder {
    name: Vec<u8>,
    flags: &'static str,
    listed: Option<Vec<u8>>,
    validity: u64,
    letters: Vec<Letter>,
}

impl Folder {
    /// An empty one; the name stands as it goes over the wire.
    pub(crate) fn new(name: impl AsRef<[u8]>) -> Self {
        Folder {
            name: name.as_ref().to_vec(),
            flags: "\\HasNoChildren",
            listed: None,
            validity: VALIDITY,
            letters: Vec::new(),
        }
    }
    /// Its flags.
    pub(crate) fn flags(self, flags: &'static str) -> Self {
        Folder { flags, ..self }
    }
    /// Its line in LIST as it stands, without CRLF.
    pub(crate) fn listed(self, line: impl AsRef<[u8]>) -> Self {
        let listed = Some(line.as_ref().to_vec());
        Folder { listed, ..self }
    }
    /// Adds these mails. The first has UID 10, each next one three more.
    pub(crate) fn mails(mut self, mailbox: &Mailbox) -> Self {
        for bytes in mailbox.each() {
            let uid = uid(self.letters.len());
            self.letters.push(Letter { uid, bytes });
        }
        self
    }

    fn line(&self) -> Vec<u8> {
        self.listed.clone().unwrap_or_else(|| {
            let mut line = format!("* LIST ({}) \"/\" ", self.flags).into_bytes();
            line.extend(quoted(&self.name));
            line
        })
    }
    fn uids(&self) -> Vec<u32> {
        self.letters.iter().map(|letter| letter.uid).collect()
    }
    fn next(&self) -> u32 {
        self.letters.last().map_or(1, |letter| letter.uid + 1)
    }
}

/// UID of the message at this place in a folder, from 0.
pub(crate) fn uid(at: usize) -> u32 {
    10 + 3 * at as u32
}

/// A quoted string; what may not stand in one goes as it is.
fn quoted(text: &[u8]) -> Vec<u8> {
    let mut out = vec![b'"'];
    for byte in text {
        out.extend(matches!(byte, b'"' | b'\\').then_some(b'\\'));
        out.push(*byte);
    }
    out.push(b'"');
    out
}

/// A server that is being put together.
#[derive(Debug)]
pub(crate) struct Script {
    greeting: &'static str,
    capabilities: &'static str,
    folders: Vec<Folder>,
    faults: Vec<Armed>,
    tokens: &'static [&'static str],
    most: Option<usize>,
    deaf_to_authzid: bool,
    repeats: bool,
    /// The scan that faults are added for, from 0.
    scan: usize,
}

impl Script {
    /// One with the folder `Sent` that holds these mails, marked as sent mail.
    pub(crate) fn new(sent: &Mailbox) -> Self {
        let sent = Folder::new("Sent")
            .flags("\\HasNoChildren \\Sent")
            .mails(sent);
        Script::empty().folder(sent)
    }
    /// One without folders.
    pub(crate) fn empty() -> Self {
        Script {
            greeting: "* OK faulty.example ready",
            capabilities: "IMAP4rev1 AUTH=PLAIN ID SPECIAL-USE",
            folders: Vec::new(),
            faults: Vec::new(),
            tokens: &[],
            most: None,
            deaf_to_authzid: false,
            repeats: false,
            scan: 0,
        }
    }
    /// Adds a folder.
    pub(crate) fn folder(mut self, folder: Folder) -> Self {
        self.folders.push(folder);
        self
    }
    /// Something goes wrong. A test fails where it had no occasion to.
    pub(crate) fn fault(mut self, when: When, fault: Fault) -> Self {
        self.faults.push(Armed::new(when, fault, true, self.scan));
        self
    }
    /// Something goes wrong if the program gives it the occasion.
    pub(crate) fn perhaps(mut self, when: When, fault: Fault) -> Self {
        self.faults.push(Armed::new(when, fault, false, self.scan));
        self
    }
    /// Its first line.
    pub(crate) fn greeting(self, greeting: &'static str) -> Self {
        Script { greeting, ..self }
    }
    /// What it says that it can do.
    pub(crate) fn capabilities(self, capabilities: &'static str) -> Self {
        Script {
            capabilities,
            ..self
        }
    }
    /// Tokens that it takes, until [`Fault::Expire`] takes the first away.
    pub(crate) fn tokens(self, tokens: &'static [&'static str]) -> Self {
        Script { tokens, ..self }
    }
    /// No connection has more commands than this after its login.
    pub(crate) fn at_most(self, commands: usize) -> Self {
        let most = Some(commands);
        Script { most, ..self }
    }
    /// Like Courier: who asks for the mailbox of another gets his own, without a word.
    pub(crate) fn deaf_to_authzid(self) -> Self {
        Script {
            deaf_to_authzid: true,
            ..self
        }
    }
    /// Whoever is not let in is told what he said, word for word.
    pub(crate) fn repeats_logins(self) -> Self {
        Script {
            repeats: true,
            ..self
        }
    }
    /// What goes wrong so far is mended, and what is said from here on goes wrong, after [`Server::next_scan`].
    pub(crate) fn next_scan(self) -> Self {
        Script {
            scan: self.scan + 1,
            ..self
        }
    }
    /// Starts it.
    pub(crate) fn start(self) -> Server {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a port");
        let port = listener.local_addr().expect("an address").port();
        let shared = Arc::new(Shared {
            folders: Mutex::new(self.folders.clone()),
            script: self,
            log: Mutex::new(Log::default()),
            violations: Mutex::new(Vec::new()),
            streams: Mutex::new(Vec::new()),
            stopped: AtomicBool::new(false),
            expired: AtomicUsize::new(0),
            scan: AtomicUsize::new(0),
        });
        let here = Arc::clone(&shared);
        let accepting = std::thread::spawn(move || here.accept(&listener));
        Server {
            port,
            shared,
            accepting: Some(accepting),
        }
    }
}

/// What all connections share.
#[derive(Debug)]
struct Shared {
    script: Script,
    folders: Mutex<Vec<Folder>>,
    log: Mutex<Log>,
    violations: Mutex<Vec<String>>,
    streams: Mutex<Vec<TcpStream>>,
    stopped: AtomicBool,
    expired: AtomicUsize,
    scan: AtomicUsize,
}

impl Shared {
    fn accept(self: &Arc<Self>, listener: &TcpListener) {
        let mut threads = Vec::new();
        for stream in listener.incoming().map_while(Result::ok) {
            if self.stopped() {
                break;
            }
            let Ok(copy) = stream.try_clone() else { break };
            self.streams.lock().unwrap().push(copy);
            let (here, number) = (Arc::clone(self), self.log.lock().unwrap().connect());
            threads.push(std::thread::spawn(move || {
                session::serve(&here, stream, number);
            }));
        }
        for thread in threads {
            drop(thread.join());
        }
    }
    fn stopped(&self) -> bool {
        self.stopped.load(Ordering::SeqCst)
    }
    fn violation(&self, what: &str) {
        self.violations.lock().unwrap().push(what.to_owned());
    }
    /// The faults whose turn it is, in the order of the script.
    fn firing(&self, about: &About<'_>) -> Vec<&Armed> {
        let scan = self.scan.load(Ordering::SeqCst);
        let faults = self.script.faults.iter();
        faults
            .filter(|armed| armed.scan == scan && armed.fires(about))
            .collect()
    }
}

/// A running server; it stops when it goes out of scope.
#[derive(Debug)]
pub(crate) struct Server {
    port: u16,
    shared: Arc<Shared>,
    accepting: Option<JoinHandle<()>>,
}

impl Server {
    /// Where it listens.
    pub(crate) fn port(&self) -> u16 {
        self.port
    }
    /// The mailbox of `u` as a source.
    pub(crate) fn url(&self) -> String {
        format!("imap://u@127.0.0.1:{}", self.port)
    }
    /// From now on it is as it was said for the next scan: without a fault where none was named.
    pub(crate) fn next_scan(&self) {
        self.shared.scan.fetch_add(1, Ordering::SeqCst);
    }
    /// These mails arrive in its first folder.
    pub(crate) fn deliver(&self, mailbox: &Mailbox) {
        let mut folders = self.shared.folders.lock().unwrap();
        let first = folders.remove(0).mails(mailbox);
        folders.insert(0, first);
    }
    /// What it was told so far.
    pub(crate) fn log(&self) -> Log {
        self.shared.log.lock().unwrap().clone()
    }
    /// Forgets the violations so far, and tells them.
    pub(crate) fn take_violations(&self) -> Vec<String> {
        std::mem::take(&mut self.shared.violations.lock().unwrap())
    }
    /// The faults that had no occasion.
    pub(crate) fn unplayed(&self) -> Vec<String> {
        let faults = self.shared.script.faults.iter();
        faults
            .filter(|armed| armed.must && armed.fired.load(Ordering::SeqCst) == 0)
            .map(|armed| format!("{:?} at {:?}", armed.fault, armed.when))
            .collect()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.shared.stopped.store(true, Ordering::SeqCst);
        drop(TcpStream::connect((Ipv4Addr::LOCALHOST, self.port)));
        for stream in self.shared.streams.lock().unwrap().drain(..) {
            drop(stream.shutdown(Shutdown::Both));
        }
        if let Some(accepting) = self.accepting.take() {
            drop(accepting.join());
        }
        let violations = self.take_violations();
        if std::thread::panicking() {
            let (log, port) = (self.log(), self.port);
            return tell(&format!("port {port} was told {:#?}", log.lines()));
        }
        assert!(
            violations.is_empty(),
            "the program sent what it must not send: {violations:#?}"
        );
    }
}
