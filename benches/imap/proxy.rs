//! A line to a server far away: TCP on loopback that takes its time, and counts.
//!
//! Each byte has a moment at which it is due at the other end: half a round trip after it came, and where the line has a
//! limit, not before the bytes ahead of it are through. What waits lies in a queue that is far larger than what such a
//! line holds, so no window bounds it. A client that speaks first, as TLS does, waits a round trip more, as for TCP's own
//! handshake. What it does not play: slow start, loss, and the 3 % that TCP and IP add.

use std::io::{self, Read, Write};
use std::net::{Ipv4Addr, Shutdown, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

/// How long a line is, and how wide.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Line {
    pub(crate) round_trip: Duration,
    /// Megabits a second, each way.
    pub(crate) limit: Option<f64>,
}

impl Line {
    /// The wire between the two programs, nothing more.
    pub(crate) const PLAIN: Line = Line {
        round_trip: Duration::ZERO,
        limit: None,
    };
    /// 40 ms there and back.
    pub(crate) const FAR: Line = Line {
        round_trip: Duration::from_millis(40),
        limit: None,
    };
    /// The same with 50 Mbit/s.
    pub(crate) const NARROW: Line = Line {
        limit: Some(50.0),
        ..Line::FAR
    };
}

/// Bytes that went each way.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Traffic {
    pub(crate) to_server: u64,
    pub(crate) to_client: u64,
}

/// How many parts a queue holds; with [`PART`] 128 MiB.
const PARTS: usize = 2048;
const PART: usize = 64 << 10;
/// On a line with a limit a part must not take long by itself: at 50 Mbit/s this is 1.3 ms.
const SMALL_PART: usize = 8 << 10;

/// One way of a line, shared by all connections that use it.
struct Way {
    delay: Duration,
    bytes_a_second: Option<f64>,
    /// When the last byte so far is on its way.
    free: Mutex<Instant>,
    bytes: AtomicU64,
}

impl Way {
    fn new(line: Line) -> Self {
        Way {
            delay: line.round_trip / 2,
            bytes_a_second: line.limit.map(|megabits| megabits * 1e6 / 8.0),
            free: Mutex::new(Instant::now()),
            bytes: AtomicU64::new(0),
        }
    }

    fn is_instant(&self) -> bool {
        self.delay.is_zero() && self.bytes_a_second.is_none()
    }

    /// When bytes that come now are at the other end.
    fn due(&self, bytes: usize, now: Instant) -> Instant {
        let Some(rate) = self.bytes_a_second else {
            return now + self.delay;
        };
        let mut free = self.free.lock().unwrap_or_else(PoisonError::into_inner);
        *free = now.max(*free) + Duration::from_secs_f64(bytes as f64 / rate);
        *free + self.delay
    }
}

/// A line that stands until [`Proxy::end`].
pub(crate) struct Proxy {
    pub(crate) port: u16,
    ways: [Arc<Way>; 2],
    ended: Arc<AtomicBool>,
    doorman: JoinHandle<Vec<JoinHandle<()>>>,
}

impl Proxy {
    /// Opens a port of its own on loopback from which the line leads to `server`, a port likewise.
    pub(crate) fn open(line: Line, server: u16) -> io::Result<Self> {
        let door = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
        let port = door.local_addr()?.port();
        let ways = [Arc::new(Way::new(line)), Arc::new(Way::new(line))];
        let ended = Arc::new(AtomicBool::new(false));
        let (shared, seen) = (ways.clone(), ended.clone());
        let doorman = thread::spawn(move || {
            let mut carriers = Vec::new();
            for client in door.incoming() {
                if seen.load(Ordering::Relaxed) {
                    break;
                }
                // A server that refuses is seen by the client as a connection that ends at once.
                if let Ok(more) = client.and_then(|client| connect(client, server, line, &shared)) {
                    carriers.extend(more);
                }
            }
            carriers
        });
        Ok(Proxy {
            port,
            ways,
            ended,
            doorman,
        })
    }

    /// Waits until all that is under way has come, and closes the port.
    pub(crate) fn end(self) -> io::Result<Traffic> {
        self.ended.store(true, Ordering::Relaxed);
        TcpStream::connect((Ipv4Addr::LOCALHOST, self.port))?;
        let broken = || io::Error::other("the proxy broke");
        for carrier in self.doorman.join().map_err(|_| broken())? {
            carrier.join().map_err(|_| broken())?;
        }
        let [to_server, to_client] = self.ways.map(|way| way.bytes.load(Ordering::Relaxed));
        Ok(Traffic {
            to_server,
            to_client,
        })
    }
}

/// Leads one client to the server. Gives the threads that carry.
fn connect(
    client: TcpStream,
    server: u16,
    line: Line,
    ways: &[Arc<Way>; 2],
) -> io::Result<Vec<JoinHandle<()>>> {
    let now = Instant::now();
    let server = TcpStream::connect((Ipv4Addr::LOCALHOST, server))?;
    client.set_nodelay(true)?;
    server.set_nodelay(true)?;
    let (back_from, back_to) = (server.try_clone()?, client.try_clone()?);
    let mut carriers = carry(client, server, &ways[0], now + line.round_trip);
    carriers.extend(carry(back_from, back_to, &ways[1], now));
    Ok(carriers)
}

/// Carries one way of a connection: one thread where nothing takes time, else one that takes in and one that hands out.
fn carry(
    mut from: TcpStream,
    mut to: TcpStream,
    way: &Arc<Way>,
    open: Instant,
) -> Vec<JoinHandle<()>> {
    let way = way.clone();
    if way.is_instant() {
        return vec![thread::spawn(move || {
            let size = PART;
            let _ = each_part(&mut from, &way, size, |part| to.write_all(part));
            let _ = to.shutdown(Shutdown::Write);
        })];
    }
    let (queue, parts) = sync_channel(PARTS);
    vec![
        thread::spawn(move || take_in(&mut from, &way, open, &queue)),
        thread::spawn(move || {
            let _ = hand_out(&parts, &mut to);
            let _ = to.shutdown(Shutdown::Write);
        }),
    ]
}

type Part = (Instant, Vec<u8>);

fn take_in(from: &mut TcpStream, way: &Way, open: Instant, queue: &SyncSender<Part>) {
    let size = way.bytes_a_second.map_or(PART, |_| SMALL_PART);
    let _ = each_part(from, way, size, |part| {
        let due = way.due(part.len(), open.max(Instant::now()));
        queue
            .send((due, part.to_vec()))
            .map_err(|_| io::ErrorKind::BrokenPipe.into())
    });
}

fn hand_out(parts: &Receiver<Part>, to: &mut TcpStream) -> io::Result<()> {
    for (due, part) in parts {
        thread::sleep(due.saturating_duration_since(Instant::now()));
        to.write_all(&part)?;
    }
    Ok(())
}

/// Reads to the end and counts. A client that goes without a word ends a connection too.
fn each_part(
    from: &mut TcpStream,
    way: &Way,
    size: usize,
    mut each: impl FnMut(&[u8]) -> io::Result<()>,
) -> io::Result<()> {
    let mut part = vec![0; size];
    loop {
        let read = match from.read(&mut part) {
            Err(why) if why.kind() == io::ErrorKind::Interrupted => continue,
            read => read?,
        };
        if read == 0 {
            return Ok(());
        }
        way.bytes.fetch_add(read as u64, Ordering::Relaxed);
        each(&part[..read])?;
    }
}

/// What the proxy does by itself, in words, so that nobody takes it for the server: bytes without delay, a large answer
/// and a small one from afar, and a large one through the limit.
pub(crate) fn alone() -> io::Result<String> {
    let rate = |line, megabytes: usize| {
        let took = answer(line, megabytes * 1_000_000)?.as_secs_f64();
        io::Result::Ok((took, megabytes as f64 / took))
    };
    let (plain, far) = (rate(Line::PLAIN, 1000)?, rate(Line::FAR, 256)?);
    let narrow = rate(Line::NARROW, 10)?;
    let small = answer(Line::FAR, 1)?;
    Ok(format!(
        "The proxy alone: {:.0} MB/s without delay; 256 MB from 40 ms away {:.2} s ({:.0} MB/s), a byte {:.1} ms after connecting; 10 MB through 50 Mbit/s {:.2} s.",
        plain.1,
        far.0,
        far.1,
        small.as_secs_f64() * 1e3,
        narrow.0,
    ))
}

/// How long it takes from connecting until an answer of so many bytes is there, from a server that waits for one byte.
fn answer(line: Line, bytes: usize) -> io::Result<Duration> {
    let door = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
    let proxy = Proxy::open(line, door.local_addr()?.port())?;
    let server = thread::spawn(move || -> io::Result<()> {
        let (mut stream, _) = door.accept()?;
        stream.read_exact(&mut [0])?;
        let part = vec![7; bytes.min(1 << 20)];
        let mut left = bytes;
        while left > 0 {
            let now = left.min(part.len());
            stream.write_all(&part[..now])?;
            left -= now;
        }
        Ok(())
    });
    let begin = Instant::now();
    let mut client = TcpStream::connect((Ipv4Addr::LOCALHOST, proxy.port))?;
    client.write_all(&[1])?;
    let (mut part, mut got) = (vec![0; 1 << 18], 0);
    while got < bytes {
        match client.read(&mut part)? {
            0 => return Err(io::ErrorKind::UnexpectedEof.into()),
            read => got += read,
        }
    }
    let took = begin.elapsed();
    drop(client);
    let served = server.join();
    served.map_err(|_| io::Error::other("the proxy's own server broke"))??;
    let traffic = proxy.end()?;
    let whole = Traffic {
        to_server: 1,
        to_client: bytes as u64,
    };
    if traffic != whole {
        return Err(io::Error::other(format!("the proxy lost: {traffic:?}")));
    }
    Ok(took)
}
