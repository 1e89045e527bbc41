//! The program and an account: how a test names one on its command line, and a mail program of the plainest kind to
//! check the server with.

use super::{Dovecot, FORCE, Output, Run};
use native_tls::{Certificate, TlsConnector, TlsStream};
use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::time::Duration;

/// The password of everybody whose password does not matter.
pub(crate) const PASSWORD: &str = "correct horse battery staple";

impl Dovecot {
    /// The account of this user, over TLS.
    pub(crate) fn imaps(&self, user: &str) -> String {
        format!("imaps://{user}@{}:{}", self.address(), self.ports().tls)
    }
    /// The account of this user, over STARTTLS.
    pub(crate) fn imap(&self, user: &str) -> String {
        format!("imap://{user}@{}:{}", self.address(), self.ports().starttls)
    }
    /// `ccspill scan` of this user's account, with her password and the authority of this server.
    pub(crate) fn scan(&self, user: &str) -> Run {
        self.scan_url(&self.imaps(user))
    }
    /// `ccspill scan` of this URL, with the common password and the authority of this server.
    pub(crate) fn scan_url(&self, url: &str) -> Run {
        self.trusted(Run::scan(url))
            .org(FORCE)
            .env("CCSPILL_PASSWORD", PASSWORD)
    }
    /// `ccspill folders` of this user's account.
    pub(crate) fn folders(&self, user: &str) -> Run {
        let run = Run::new(["folders"]).arg(self.imaps(user));
        self.trusted(run).env("CCSPILL_PASSWORD", PASSWORD)
    }
    /// The same command line, told whom to trust.
    pub(crate) fn trusted(&self, run: Run) -> Run {
        run.arg("--ca-file").arg(self.ca_file())
    }
    /// The ranges of UIDs whose header fields were asked for, in order.
    pub(crate) fn fetched(&self, user: &str) -> Vec<(u64, u64)> {
        let asked = self.asked(user);
        let sets = asked
            .iter()
            .filter_map(|line| line.strip_prefix("UID FETCH "));
        let heads = sets.filter(|rest| rest.contains("HEADER"));
        let ranges = heads.flat_map(|rest| rest.split(' ').next().unwrap_or_default().split(','));
        let number = |text: &str| {
            text.parse()
                .unwrap_or_else(|_| panic!("no UID: '{text}' in {asked:#?}"))
        };
        ranges
            .map(|range| {
                let (first, last) = range.split_once(':').unwrap_or((range, range));
                (number(first), number(last))
            })
            .collect()
    }
}

/// A conversation with a server.
pub(crate) struct Wire {
    stream: BufReader<TlsStream<TcpStream>>,
    tag: u32,
}

impl Wire {
    /// Over TLS from the first byte; the greeting was read.
    pub(crate) fn tls(server: &Dovecot) -> Self {
        let tcp = connect(server.ports().tls);
        let stream = connector(server).connect("127.0.0.1", tcp).expect("TLS");
        let mut wire = Wire {
            stream: BufReader::new(stream),
            tag: 0,
        };
        assert!(wire.line().starts_with("* OK"), "a greeting");
        wire
    }
    /// By STARTTLS.
    pub(crate) fn starttls(server: &Dovecot) -> Self {
        let mut tcp = connect(server.ports().starttls);
        let said = plainly(&mut tcp, "s STARTTLS");
        assert!(said.contains("s OK"), "{said}");
        let stream = connector(server).connect("localhost", tcp).expect("TLS");
        Wire {
            stream: BufReader::new(stream),
            tag: 0,
        }
    }
    /// Logs in with the common password, and so on.
    pub(crate) fn of(server: &Dovecot, user: &str) -> Self {
        let mut wire = Wire::tls(server);
        let said = wire.ask(&format!("LOGIN {user} \"{PASSWORD}\""));
        assert!(said.contains(" OK "), "{said}");
        wire
    }
    /// All that the server answers to this command, up to the line with its tag, or until it hangs up. `…{n}` and what follows the line break
    /// of a command is sent once the server asks for it.
    pub(crate) fn ask(&mut self, command: &str) -> String {
        self.tag += 1;
        let tag = format!("a{}", self.tag);
        let mut parts = command.split("\r\n").peekable();
        let first = parts.next().unwrap_or_default();
        self.send(&format!("{tag} {first}"));
        let mut said = String::new();
        loop {
            let line = self.line();
            said += &line;
            if line.is_empty() {
                return said;
            }
            match parts.next() {
                Some(next) if line.starts_with('+') => self.send(next),
                _ if line.starts_with(&format!("{tag} ")) => return said,
                _ => {}
            }
        }
    }
    fn send(&mut self, line: &str) {
        let stream = self.stream.get_mut();
        stream
            .write_all(format!("{line}\r\n").as_bytes())
            .expect("a server that listens");
    }
    fn line(&mut self) -> String {
        let mut line = Vec::new();
        self.stream
            .read_until(b'\n', &mut line)
            .expect("a server that speaks");
        String::from_utf8_lossy(&line).into_owned()
    }
}

fn connect(port: u16) -> TcpStream {
    let tcp = TcpStream::connect(("127.0.0.1", port)).expect("a server");
    tcp.set_read_timeout(Some(Duration::from_secs(30)))
        .expect("a timeout");
    tcp
}

fn connector(server: &Dovecot) -> TlsConnector {
    let pem = std::fs::read(server.ca_file()).expect("a certificate");
    let mut builder = TlsConnector::builder();
    builder.add_root_certificate(Certificate::from_pem(&pem).expect("a certificate"));
    builder.build().expect("TLS")
}

/// What a server says before TLS: its greeting, and its answer to this line.
pub(crate) fn plainly(tcp: &mut TcpStream, line: &str) -> String {
    let mut said = Vec::new();
    let mut read = |until: &dyn Fn(&str) -> bool, tcp: &mut TcpStream| {
        let mut byte = [0];
        while !until(&String::from_utf8_lossy(&said)) {
            tcp.read_exact(&mut byte).expect("a server that speaks");
            said.push(byte[0]);
        }
    };
    read(&|said| said.ends_with("\r\n"), tcp);
    tcp.write_all(format!("{line}\r\n").as_bytes())
        .expect("a server that listens");
    let tag = line.split(' ').next().unwrap_or_default().to_owned();
    read(
        &|said| said.ends_with("\r\n") && said.lines().last().is_some_and(|l| l.starts_with(&tag)),
        tcp,
    );
    String::from_utf8_lossy(&said).into_owned()
}

/// Refused, with all of these words and a mend, and without the password.
#[track_caller]
pub(crate) fn refused(run: Run, words: &[&str]) -> Output {
    let output = run.refused();
    assert!(
        output.stderr.contains("\n  try: "),
        "no mend: {}",
        output.stderr
    );
    for word in words {
        assert!(
            output.stderr.contains(word),
            "no '{word}': {}",
            output.stderr
        );
    }
    assert!(!output.said().contains(PASSWORD), "{}", output.said());
    output
}
