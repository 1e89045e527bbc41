//! A connection to a server: TCP with a time by which everything must have happened, TLS over it, STARTTLS. What is
//! said on it is no matter here.

use std::io::{self, Read, Write};
use std::net::{IpAddr, TcpStream, ToSocketAddrs};
use std::time::{Duration, Instant};

use native_tls::{Certificate, Identity, Protocol, TlsConnector, TlsStream};

use super::trace::Trace;
use super::trouble::{LOOK, Trouble};
use super::url::{Security, Server};

/// How long a server may take to answer a connection.
const CONNECT: Duration = Duration::from_secs(10);
/// Longest that a server may say before STARTTLS, in bytes.
const LONGEST_TALK: usize = 64 << 10;

/// A TCP connection on which every call fails when its time is over, however slowly the other side drips.
#[derive(Debug)]
pub(super) struct Socket {
    tcp: TcpStream,
    until: Instant,
}

impl Socket {
    fn left(&self) -> io::Result<Duration> {
        let left = self.until.saturating_duration_since(Instant::now());
        if left.is_zero() {
            return Err(io::ErrorKind::TimedOut.into());
        }
        Ok(left)
    }
}

/// A time limit of the system comes as either of two kinds.
fn timed(error: io::Error) -> io::Error {
    if error.kind() == io::ErrorKind::WouldBlock {
        io::ErrorKind::TimedOut.into()
    } else {
        error
    }
}

impl Read for Socket {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        self.tcp.set_read_timeout(Some(self.left()?))?;
        self.tcp.read(into).map_err(timed)
    }
}

impl Write for Socket {
    fn write(&mut self, from: &[u8]) -> io::Result<usize> {
        self.tcp.set_write_timeout(Some(self.left()?))?;
        self.tcp.write(from).map_err(timed)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.tcp.flush()
    }
}

/// What commands go over.
pub(super) enum Wire {
    /// Not encrypted: to this computer only.
    Plain(Socket),
    /// Encrypted.
    Tls(Box<TlsStream<Socket>>),
}

impl Wire {
    /// What is read or written from now on must have happened by `until`.
    pub(super) fn end_by(&mut self, until: Instant) {
        match self {
            Wire::Plain(socket) => socket.until = until,
            Wire::Tls(tls) => tls.get_mut().until = until,
        }
    }
}

impl Read for Wire {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        match self {
            Wire::Plain(socket) => socket.read(into),
            Wire::Tls(tls) => tls.read(into).map_err(timed),
        }
    }
}

impl Write for Wire {
    fn write(&mut self, from: &[u8]) -> io::Result<usize> {
        match self {
            Wire::Plain(socket) => socket.write(from),
            Wire::Tls(tls) => tls.write(from).map_err(timed),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        match self {
            Wire::Plain(socket) => socket.flush(),
            Wire::Tls(tls) => tls.flush().map_err(timed),
        }
    }
}

/// Makes the TLS of every connection: 1.2 at least, the system's authorities and those of a file, a certificate of our
/// own where the server asks for one.
///
/// # Errors
/// PEM texts that cannot be used.
pub(super) fn connector(
    authorities: Option<&[u8]>,
    own: Option<(&[u8], &[u8])>,
) -> anyhow::Result<TlsConnector> {
    let mut builder = TlsConnector::builder();
    builder.min_protocol_version(Some(Protocol::Tlsv12));
    if let Some(pem) = authorities {
        let all = Certificate::stack_from_pem(pem)?;
        if all.is_empty() {
            anyhow::bail!("it holds no certificate");
        }
        for one in all {
            builder.add_root_certificate(one);
        }
    }
    if let Some((certificate, key)) = own {
        builder.identity(Identity::from_pkcs8(certificate, key)?);
    }
    Ok(builder.build()?)
}

/// Connects to a server, and encrypts as its URL says. Gives whether the greeting was read on the way (STARTTLS).
///
/// # Errors
/// Why not, with the mend.
pub(super) fn connect(
    server: &Server,
    tls: &TlsConnector,
    limit: Duration,
    trace: &Trace,
) -> Result<(Wire, bool), Trouble> {
    let mut socket = dial(server, limit)?;
    match server.security {
        Security::Tls => Ok((wrap(server, tls, socket)?, false)),
        Security::StartTls => {
            start_tls(server, &mut socket, trace)?;
            Ok((wrap(server, tls, socket)?, true))
        }
        Security::Plain => Ok((Wire::Plain(socket), false)),
    }
}

fn is_loopback(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(address) => address.is_loopback(),
        IpAddr::V6(address) => {
            address.is_loopback() || address.to_ipv4_mapped().is_some_and(|v4| v4.is_loopback())
        }
    }
}

/// Tries each address of the host in turn.
fn dial(server: &Server, limit: Duration) -> Result<Socket, Trouble> {
    let until = Instant::now() + limit;
    let addresses = (server.host.as_str(), server.port)
        .to_socket_addrs()
        .map_err(|_| {
            Trouble::refused(
                format!("there is no host '{}'", server.host),
                "look at the name of the server; is this computer on the network?".to_owned(),
            )
        })?;
    let mut last = "it has no address".to_owned();
    for address in addresses {
        if server.security == Security::Plain && !is_loopback(address.ip()) {
            return Err(Trouble::refused(
                format!(
                    "'{}' is not this computer, and --insecure-plaintext is for tests on this computer only",
                    server.host
                ),
                format!("imaps://…@{}", server.host),
            ));
        }
        match TcpStream::connect_timeout(&address, CONNECT.min(limit)) {
            Ok(tcp) => {
                let _ = tcp.set_nodelay(true);
                return Ok(Socket { tcp, until });
            }
            Err(why) => last = crate::source::plain(&why),
        }
    }
    Err(Trouble::Unreachable(
        format!("port {} cannot be reached: {last}", server.port),
        LOOK,
    ))
}

fn wrap(server: &Server, tls: &TlsConnector, socket: Socket) -> Result<Wire, Trouble> {
    match tls.connect(&server.host, socket) {
        Ok(stream) => Ok(Wire::Tls(Box::new(stream))),
        Err(native_tls::HandshakeError::Failure(error)) => Err(refused(server, &error.to_string())),
        Err(native_tls::HandshakeError::WouldBlock(_)) => Err(Trouble::Lost(
            "the server took too long to agree on encryption".to_owned(),
        )),
    }
}

/// Why encryption was not agreed on, from the words of the TLS library (OpenSSL's, Apple's and Microsoft's differ).
fn refused(server: &Server, said: &str) -> Trouble {
    let words = said.to_lowercase();
    let any = |list: &[&str]| list.iter().any(|word| words.contains(word));
    let host = &server.host;
    // OpenSSL names its own source files first, and the reason last, in parentheses.
    let reason = said
        .rsplit_once('(')
        .map(|(_, reason)| reason.trim_end_matches(')'));
    let said = crate::message::text::clean(reason.unwrap_or(said));
    if any(&[
        "hostname mismatch",
        "ip address mismatch",
        "name mismatch",
        "cn name",
        "not valid for",
    ]) {
        return Trouble::refused(
            format!("the certificate of '{host}' is for another name"),
            "use the name that the certificate bears".to_owned(),
        );
    }
    if any(&["expired", "not yet valid"]) {
        return Trouble::refused(
            format!("the certificate of '{host}' is not valid today"),
            "let IT renew it; look at this computer's clock".to_owned(),
        );
    }
    if any(&[
        "verify failed",
        "certificate verify",
        "not trusted",
        "untrusted",
        "unknown ca",
    ]) {
        return Trouble::refused(
            format!("the certificate of '{host}' is not trusted ({said})"),
            "name the certificates of your own authority with --ca-file authority.pem".to_owned(),
        );
    }
    if any(&[
        "protocol version",
        "unsupported protocol",
        "no protocols available",
    ]) {
        return Trouble::refused(
            format!("'{host}' offers no TLS 1.2 or newer"),
            "let IT switch TLS 1.2 on".to_owned(),
        );
    }
    if any(&[
        "wrong version number",
        "packet length too long",
        "unknown protocol",
        "http request",
    ]) {
        return Trouble::refused(
            format!("'{host}' does not speak TLS on port {}", server.port),
            format!("imap://…@{host} (it starts TLS after the greeting), or another port"),
        );
    }
    if any(&[
        "certificate required",
        "bad certificate",
        "handshake failure",
    ]) {
        return Trouble::refused(
            format!("'{host}' refused to agree on encryption ({said})"),
            "if it wants a certificate of yours: --client-cert mine.pem --client-key mine.key"
                .to_owned(),
        );
    }
    Trouble::Unreachable(format!("no encrypted connection to '{host}': {said}"), LOOK)
}

/// Asks for encryption on a plain connection (RFC 9051 6.2.1). What was learnt before it counts for nothing.
fn start_tls(server: &Server, socket: &mut Socket, trace: &Trace) -> Result<(), Trouble> {
    let mut talk = Talk::default();
    let greeting = talk.line(socket)?;
    if !greeting.to_ascii_uppercase().starts_with("* OK") {
        let said = trace.struck(&crate::message::text::clean(&greeting));
        return Err(super::login::greeting(&said).err().unwrap_or_else(|| {
            Trouble::refused(
                format!("'{}' does not greet as an IMAP server", server.host),
                "look at the port".to_owned(),
            )
        }));
    }
    let lost = |error: io::Error| Trouble::Lost(crate::source::plain(&error));
    let none = || {
        Trouble::refused(
            format!(
                "'{}' does not offer encryption after its greeting (STARTTLS) on port {}",
                server.host, server.port
            ),
            format!("imaps://…@{}", server.host),
        )
    };
    let mut offered = greeting.to_ascii_uppercase();
    if !offered.contains("[CAPABILITY ") {
        socket.write_all(b"s0 CAPABILITY\r\n").map_err(lost)?;
        loop {
            let answer = talk.line(socket)?.to_ascii_uppercase();
            if answer.starts_with("S0 ") {
                break;
            }
            offered.push_str(&answer);
        }
    }
    if !offered.split([' ', ']']).any(|word| word == "STARTTLS") {
        return Err(none());
    }
    socket.write_all(b"s1 STARTTLS\r\n").map_err(lost)?;
    loop {
        let answer = talk.line(socket)?;
        let upper = answer.to_ascii_uppercase();
        if upper.starts_with("S1 OK") {
            break;
        }
        if upper.starts_with("S1 ") {
            return Err(none());
        }
    }
    if !talk.rest.is_empty() {
        return Err(Trouble::refused(
            format!(
                "'{}' said more behind its answer to STARTTLS than it may: somebody may be in between",
                server.host
            ),
            format!("imaps://…@{}", server.host),
        ));
    }
    Ok(())
}

/// What a server says before encryption begins.
#[derive(Default)]
struct Talk {
    /// What was read behind the last line.
    rest: Vec<u8>,
    /// Bytes in all.
    heard: usize,
}

impl Talk {
    /// The next line, without its end.
    fn line(&mut self, socket: &mut Socket) -> Result<String, Trouble> {
        loop {
            if let Some(end) = memchr::memchr(b'\n', &self.rest) {
                let rest = self.rest.split_off(end + 1);
                let line = std::mem::replace(&mut self.rest, rest);
                return Ok(String::from_utf8_lossy(&line).trim_end().to_owned());
            }
            let mut buffer = [0; 4096];
            let read = socket.read(&mut buffer);
            let read = read.map_err(|error| match error.kind() {
                io::ErrorKind::TimedOut => Trouble::Lost(
                    "nothing came in time before encryption began (STARTTLS); a port that encrypts from the start wants imaps://"
                        .to_owned(),
                ),
                _ => Trouble::Lost(crate::source::plain(&error)),
            })?;
            self.rest.extend_from_slice(&buffer[..read]);
            self.heard += read;
            if read == 0 {
                return Err(Trouble::Lost(
                    "the server ended the connection before encryption began (STARTTLS)".to_owned(),
                ));
            }
            if self.heard > LONGEST_TALK {
                return Err(Trouble::Lost(format!(
                    "the server sent more than {} KB before encryption began (STARTTLS)",
                    LONGEST_TALK >> 10
                )));
            }
        }
    }
}
