//! The connection to an account, through failure: made anew when it breaks, after a while that grows, until nothing
//! helps. What is asked on it is no matter here.

use std::thread::sleep;
use std::time::{Duration, Instant};

use super::access::{Access, Compress};
use super::guard::{Guard, Seen};
use super::login::{Login, Proof};
use super::session::Session;
use super::set::Uids;
use super::socket;
use super::trouble::{LATER, Trouble};
use super::url::Url;

/// How often in a row something is tried while nothing gets on.
const MOST_TRIES: u32 = 5;
/// How often the first connection is tried: a person waits, and may have mistyped.
const FIRST_TRIES: u32 = 2;
/// How long is waited before the first new try; each time twice as long.
const FIRST_WAIT: Duration = Duration::from_millis(500);
/// A wait that nobody minds.
const SHORT: Duration = Duration::from_secs(10);
/// How often a waiting thread looks whether it is to stop.
const SLICE: Duration = Duration::from_millis(100);
/// A line that brings less than this is worth compressing, in bytes a second.
const SLOW: f64 = 40e6;
/// Fewer bytes say nothing about a line.
const ENOUGH: u64 = 100_000;
/// Where a round trip is shorter, the server is near, and it is the server that is slow.
const NEAR: Duration = Duration::from_millis(3);

/// After a first failure, so many answers must come before more is asked at a time than one thing.
const CALM: u32 = 16;

/// What a user asked for by Ctrl-C.
pub(super) const STOPPED: &str = "stopped";

/// The connection to an account, or what is left of it.
pub(super) struct Line {
    session: Option<Session>,
    /// Failures since something got on.
    tries: u32,
    /// How many of them there may be.
    most: u32,
    /// The time of a round trip.
    trip: Duration,
    /// The line has proved to be slow.
    slow: bool,
    /// Something went wrong: for so many answers one thing is asked at a time.
    careful: u32,
    /// How often something did.
    failures: u32,
    last: Seen,
}

impl Line {
    /// Connects and logs in for the first time: nothing is tried twice that a person can mend.
    pub(super) fn new(access: &Access, url: &Url) -> Result<Self, Trouble> {
        let mut line = Line {
            session: None,
            tries: 0,
            most: FIRST_TRIES,
            trip: Duration::MAX,
            slow: access.compress == Compress::Always,
            careful: 0,
            failures: 0,
            last: Seen::default(),
        };
        line.session(access, url, &|| false)?;
        Ok(line)
    }

    /// From now on there is something to lose.
    pub(super) fn be_patient(&mut self) {
        (self.most, self.tries) = (MOST_TRIES, 0);
    }

    /// The session, made anew if need be.
    ///
    /// # Errors
    /// Where that was tried often enough, or cannot succeed.
    pub(super) fn session(
        &mut self,
        access: &Access,
        url: &Url,
        stop: &dyn Fn() -> bool,
    ) -> Result<&mut Session, Trouble> {
        while self.session.is_none() {
            if stop() {
                return Err(Trouble::Unreachable(STOPPED.to_owned(), LATER));
            }
            match self.connect(access, url) {
                Ok(session) => self.session = Some(session),
                Err(trouble) => self.failed(trouble, access, url, stop)?,
            }
        }
        let none = || Trouble::Lost("there is no connection".to_owned());
        self.session.as_mut().ok_or_else(none)
    }

    /// Asks something that concerns no folder, through failure.
    pub(super) fn through<T>(
        &mut self,
        access: &Access,
        url: &Url,
        ask: impl Fn(&mut Session) -> Result<T, Trouble>,
    ) -> Result<T, Trouble> {
        loop {
            let answer = ask(self.session(access, url, &|| false)?);
            match answer {
                Err(Trouble::Denied(what)) => return Err(Trouble::Denied(what)),
                Err(trouble) => self.failed(trouble, access, url, &|| false)?,
                Ok(answer) => return Ok(answer),
            }
        }
    }

    fn connect(&mut self, access: &Access, url: &Url) -> Result<Session, Trouble> {
        let mut session = log_in(access, url, &url.user)?;
        self.trip = self.trip.min(session.seen().took);
        if self.slow {
            session.compress()?;
        }
        Ok(session)
    }

    /// Takes a trouble in: waits as long as it takes, so that what failed can be tried anew.
    ///
    /// # Errors
    /// The trouble, where it is of no use to try anew.
    pub(super) fn failed(
        &mut self,
        trouble: Trouble,
        access: &Access,
        url: &Url,
        stop: &dyn Fn() -> bool,
    ) -> Result<(), Trouble> {
        // Whatever goes wrong time and again takes longer and longer to be forgotten.
        self.careful = CALM << self.failures.min(16);
        self.failures += 1;
        let mut wait = FIRST_WAIT * 2u32.saturating_pow(self.tries.min(8));
        match &trouble {
            Trouble::Refused(..) => return Err(trouble),
            Trouble::Denied(_) => {
                // What was said in advance is not what will be asked now.
                self.settle();
                return Ok(());
            }
            // At first a person waits, who can wait as well without us.
            Trouble::Wait(time, _) if self.most == FIRST_TRIES && *time > SHORT => {
                return Err(trouble);
            }
            Trouble::Wait(time, _) => {
                self.session = None;
                wait = *time + FIRST_WAIT;
            }
            Trouble::Expired(_) => {
                self.session = None;
                access.secret.forget(&url.user);
            }
            Trouble::Garbled(_) => {
                self.session = None;
                wait = Duration::ZERO;
            }
            Trouble::Lost(_) | Trouble::Unreachable(..) => self.session = None,
        }
        self.tries += 1;
        if self.tries >= self.most {
            return Err(trouble);
        }
        let until = Instant::now() + wait;
        while Instant::now() < until {
            if stop() {
                return Err(Trouble::Unreachable(STOPPED.to_owned(), LATER));
            }
            sleep(SLICE.min(until.saturating_duration_since(Instant::now())));
        }
        Ok(())
    }

    /// Something got on: whatever fails from now on is a new failure. An answer also tells how fast the line is.
    pub(super) fn got_on(&mut self, access: &Access) {
        self.tries = 0;
        self.careful = self.careful.saturating_sub(1);
        let Some(session) = &mut self.session else {
            return;
        };
        let seen = session.seen();
        self.last = seen;
        if access.compress == Compress::Never
            || session.compressed
            || session.ahead() > 0
            || seen.bytes < ENOUGH
        {
            return;
        }
        let time = seen.took.saturating_sub(self.trip).as_secs_f64().max(1e-4);
        self.slow |= self.trip > NEAR && (seen.bytes as f64) / time < SLOW;
        if self.slow && session.compress().is_err() {
            self.session = None;
        }
    }

    /// Says in advance what will be asked: it is sent behind the next question. False where it is not.
    pub(super) fn plan(&mut self, uids: &Uids, items: &str) -> bool {
        match &mut self.session {
            Some(session) if self.careful == 0 => {
                session.plan(uids, items);
                true
            }
            _ => false,
        }
    }

    /// What the last answer was like that something got on with.
    pub(super) fn last(&self) -> Seen {
        self.last
    }

    /// How many questions were said, or will be said behind the next, that nobody has asked yet.
    pub(super) fn ahead(&self) -> usize {
        self.session.as_ref().map_or(0, Session::ahead)
    }

    /// Whether there is a connection, as far as is known.
    pub(super) fn is_up(&self) -> bool {
        self.session.is_some()
    }

    /// Ends a connection on which answers are under way that are not waited for any more.
    pub(super) fn settle(&mut self) {
        if self.ahead() > 0 {
            self.session = None;
        }
    }

    /// As [`Line::got_on`], where nothing was measured.
    pub(super) fn rest(&mut self) {
        self.tries = 0;
    }

    /// Ends the connection.
    pub(super) fn leave(&mut self) {
        if let Some(session) = self.session.take() {
            session.leave();
        }
    }

    /// Drops the connection without a word: what it would say next cannot be trusted.
    pub(super) fn drop(&mut self) {
        self.session = None;
    }
}

/// Connects and logs in once, to the mailbox of `user`.
pub(super) fn log_in(access: &Access, url: &Url, user: &str) -> Result<Session, Trouble> {
    let (wire, greeted) = socket::connect(&url.server, &access.tls, access.timeout, &access.trace)?;
    let guard = Guard::new(wire, access.timeout, access.trace.clone(), greeted);
    let secret = access.secret.get(&url.user)?;
    let login = Login {
        server: &url.server,
        user,
        by: access.login.as_deref(),
        proof: if access.secret.is_token() {
            Proof::Token(secret.reveal())
        } else {
            Proof::Password(secret.reveal())
        },
    };
    let done = login.on(guard, greeted, &access.trace);
    done.map_err(|trouble| match trouble {
        // A server that dislikes a certificate may say so, or just hang up.
        Trouble::Lost(what) if access.certified => Trouble::Lost(format!(
            "{what}; it may not accept the certificate of --client-cert"
        )),
        other => other,
    })
}
