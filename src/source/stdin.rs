//! Standard input as a source: an mbox, a message, an archive. It is read once, in order, and hashed on the way, both
//! in a thread of their own.

use super::ahead::{Input, read_ahead};
use super::archive::{self, Place};
use super::disk;
use super::in_order;
use super::local::{PIECE, article};
use super::recognise::{self, Kind};
use super::sink::{Counted, Sink};
use super::walk::Walk;
use super::{Coverage, Source, Terms, Unit, plain};
use anyhow::{anyhow, bail};
use sha2::{Digest, Sha256};
use std::io::{self, BufReader, Read};
use std::ops::ControlFlow;
use std::sync::{Mutex, PoisonError};

/// How much is asked of the system at once, however little an unpacker asks for.
const AT_ONCE: usize = 128 << 10;

/// Opens standard input.
pub(super) fn open() -> anyhow::Result<Box<dyn Source>> {
    of(Box::new(io::stdin()))
}

/// Standard input: read once, in order.
struct StandardInput {
    kind: Kind,
    reader: Mutex<Option<Box<dyn Read + Send>>>,
    hash: Mutex<Option<String>>,
}

/// Opens standard input, or whatever stands in for it.
fn of(mut reader: Box<dyn Read + Send>) -> anyhow::Result<Box<dyn Source>> {
    let mut prefix = Vec::new();
    let read = reader
        .by_ref()
        .take(recognise::PREFIX as u64)
        .read_to_end(&mut prefix);
    read.map_err(|why| {
        anyhow!(
            "cannot read standard input: {}\n  try: name a file instead",
            plain(&why)
        )
    })?;
    let kind = recognise::recognise(&prefix);
    let (what, mend) = match kind {
        Kind::Empty => ("it is empty".to_owned(), "ccspill scan - < SENT.mbox"),
        Kind::Pst => (
            "it is an Outlook store (PST), which this version does not read".to_owned(),
            "export its folders as mbox or .eml",
        ),
        Kind::Compound => (
            "it is an Outlook message or an Office document, which this version does not read"
                .to_owned(),
            "save it as .eml",
        ),
        Kind::OtherArchive(name) => (
            format!(
                "it is {} {name}, which this version does not read",
                article(name)
            ),
            "unpack it before the pipe",
        ),
        Kind::Other => (
            "it holds no mail that ccspill can recognise".to_owned(),
            "ccspill scan - < SENT.mbox",
        ),
        _ => Default::default(),
    };
    if !what.is_empty() {
        bail!("cannot read standard input: {what}\n  try: {mend}");
    }
    let whole = io::Cursor::new(prefix).chain(reader);
    Ok(Box::new(StandardInput {
        kind,
        reader: Mutex::new(Some(Box::new(whole))),
        hash: Mutex::new(None),
    }))
}

impl Source for StandardInput {
    fn name(&self) -> &str {
        "-"
    }

    fn kind(&self) -> &'static str {
        self.kind.name()
    }

    fn bytes(&self) -> Option<u64> {
        None
    }

    fn units(
        &self,
        terms: &mut Terms<'_>,
        each: &mut dyn FnMut(Box<dyn Unit>) -> ControlFlow<()>,
    ) -> anyhow::Result<Coverage> {
        let reader = self
            .reader
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .take();
        let reader = reader.ok_or_else(|| {
            anyhow!("cannot read standard input twice\n  try: save it to a file, and name that")
        })?;
        let mut sink = Sink::new(each);
        let mut reader = Hashed {
            inner: Counted::new(BufReader::with_capacity(AT_ONCE, reader), &sink.read()),
            hasher: Sha256::new(),
        };
        let walk = Walk {
            name: "-",
            piece: PIECE,
            threads: terms.jobs.min(in_order::MOST),
        };
        let place = Place::of_file(&walk, "");
        let read = |ahead: &mut Input<'_>| archive::stream(ahead, &place, &mut sink);
        let (flow, _) = read_ahead(&mut reader, read);
        // What stands behind the mail, such as the end of an archive, belongs to the hash too.
        if flow.is_continue() && io::copy(&mut reader, &mut io::sink()).is_ok() {
            *self.hash.lock().unwrap_or_else(PoisonError::into_inner) =
                Some(disk::hex(&reader.hasher.finalize()));
        }
        Ok(sink.finish())
    }

    fn stamp(&self) -> Option<String> {
        None
    }

    fn sha256(&self, _: &dyn Fn() -> bool) -> anyhow::Result<Option<String>> {
        Ok(self
            .hash
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone())
    }
}

/// Hashes what is read.
struct Hashed<R> {
    inner: R,
    hasher: Sha256,
}

impl<R: Read> Read for Hashed<R> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let n = self.inner.read(into)?;
        self.hasher.update(&into[..n]);
        Ok(n)
    }
}
