//! Standard input as a source: an mbox, one message, or an archive. It can be read once, so it is hashed while it is read
//! and a reading that was cut off begins anew.

use std::io::{Cursor as Memory, Read};
use std::ops::ControlFlow;
use std::sync::{Mutex, PoisonError};

use anyhow::{Context, bail};
use sha2::{Digest, Sha256};

use super::archive::{self, Spot};
use super::disk::hex;
use super::recognise::{Kind, PREFIX, recognise};
use super::sink::{Counted, Sink};
use super::{Coverage, Source, Unit};

struct Stdin {
    prefix: Mutex<Vec<u8>>,
    kind: Kind,
    sha256: Mutex<Option<String>>,
}

/// Opens standard input.
pub(super) fn open() -> anyhow::Result<Box<dyn Source>> {
    let mut prefix = Vec::with_capacity(PREFIX);
    std::io::stdin()
        .lock()
        .take(PREFIX as u64)
        .read_to_end(&mut prefix)
        .context("cannot read standard input")?;
    let kind = recognise(&prefix);
    if !matches!(
        kind,
        Kind::Mbox(..) | Kind::Mail | Kind::Emlx | Kind::Gzip | Kind::Zstd | Kind::Zip | Kind::Tar
    ) {
        let what = if kind == Kind::Empty {
            "it is empty".to_owned()
        } else {
            "it holds no mail that ccspill can recognise".to_owned()
        };
        bail!("cannot read standard input: {what}\n  try: ccspill scan - < SENT.mbox");
    }
    Ok(Box::new(Stdin {
        prefix: Mutex::new(prefix),
        kind,
        sha256: Mutex::new(None),
    }))
}

/// Hashes what is read through it.
struct Hashed<R> {
    input: R,
    hash: Sha256,
}

impl<R: Read> Read for Hashed<R> {
    fn read(&mut self, into: &mut [u8]) -> std::io::Result<usize> {
        let count = self.input.read(into)?;
        self.hash.update(&into[..count]);
        Ok(count)
    }
}

impl Source for Stdin {
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
        each: &mut dyn FnMut(Box<dyn Unit>) -> ControlFlow<()>,
    ) -> anyhow::Result<Coverage> {
        let prefix =
            std::mem::take(&mut *self.prefix.lock().unwrap_or_else(PoisonError::into_inner));
        let mut sink = Sink::new(each);
        let input = Memory::new(prefix).chain(std::io::stdin().lock());
        let mut input = Hashed {
            input: Counted {
                input,
                read: sink.counter(),
            },
            hash: Sha256::new(),
        };
        if archive::stream(Box::new(&mut input), &Spot::new(""), &mut sink).is_continue() {
            // What stands behind the mail (the end of an archive) belongs to the hash too.
            std::io::copy(&mut input, &mut std::io::sink())
                .context("cannot read standard input to its end")?;
            *self.sha256.lock().unwrap_or_else(PoisonError::into_inner) =
                Some(hex(&input.hash.finalize()));
        }
        Ok(sink.finish())
    }

    fn stamp(&self) -> Option<String> {
        None
    }

    fn sha256(&self, _: &dyn Fn() -> bool) -> anyhow::Result<Option<String>> {
        Ok(self
            .sha256
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone())
    }
}
