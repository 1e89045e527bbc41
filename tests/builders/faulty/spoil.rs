//! Answers, and how faults spoil them on their way out.

use super::super::Mail;
use super::session::Session;
use super::{Armed, Fault, Letter, Shape, Then, uid};
use std::sync::atomic::Ordering;
use std::time::Duration;

/// What one poured fault sends at most.
const FLOOD: usize = 300 << 20;

/// Untagged lines and the words of the tagged one.
#[derive(Default)]
pub(super) struct Answer {
    pub(super) lines: Vec<Vec<u8>>,
    pub(super) last: Vec<u8>,
}

impl Answer {
    pub(super) fn new(lines: Vec<Vec<u8>>, last: &str) -> Self {
        let last = last.as_bytes().to_vec();
        Answer { lines, last }
    }
    pub(super) fn only(last: &str) -> Self {
        Answer::new(Vec::new(), last)
    }
    fn swap(&mut self, old: &str, new: &str) {
        for line in self.lines.iter_mut().chain(std::iter::once(&mut self.last)) {
            if let Some(at) = memchr::memmem::find(line, old.as_bytes()) {
                line.splice(at..at + old.len(), new.bytes());
            }
        }
    }
}

impl Session<'_> {
    /// Sends an answer as the faults want it; none where the connection is over.
    pub(super) fn reply(&mut self, tag: &str, mut answer: Answer, faults: &[&Armed]) -> Option<()> {
        let mut tag = tag.to_owned();
        let (mut then, mut drip) = (Then::Stay, false);
        self.denied = faults
            .iter()
            .any(|armed| matches!(armed.fault, Fault::Refuse(..)));
        for armed in faults {
            match &armed.fault {
                Fault::Instead(end) => {
                    (answer, then) = (Answer::default(), *end);
                }
                Fault::Half(end) => {
                    let whole = matches!(end, Then::Bye(_));
                    (answer, then) = (half(answer, whole), *end);
                }
                Fault::After(end) => then = *end,
                Fault::Drip => drip = true,
                Fault::Refuse(words, end) => (answer, then) = (Answer::only(words), *end),
                Fault::Tag(other) => tag = (*other).to_owned(),
                Fault::Before(bytes) => answer.lines.insert(0, bytes.clone()),
                Fault::Ends(words) => answer.last = words.to_vec(),
                Fault::Swap(old, new) => answer.swap(old, new),
                Fault::Without(text) => answer
                    .lines
                    .retain(|line| memchr::memmem::find(line, text.as_bytes()).is_none()),
                Fault::Pour(head) => return self.pour(head),
                Fault::Shape(_) => {}
                Fault::Renumber => {
                    self.renumber();
                    (answer, then) = (Answer::default(), Then::Close);
                }
                Fault::Arrive => answer.lines.push(self.arrive()),
                Fault::Expire => {
                    self.shared.expired.fetch_add(1, Ordering::SeqCst);
                    answer = Answer::default();
                    then = Then::Bye("Session invalidated - AccessTokenExpired");
                }
            }
        }
        let mut out = answer.lines.concat();
        if !answer.last.is_empty() {
            out.extend([tag.as_bytes(), b" ", &answer.last, b"\r\n"].concat());
        }
        if let Then::Bye(words) = then {
            out.extend_from_slice(format!("* BYE {words}\r\n").as_bytes());
        }
        if drip {
            self.drip(&out)?;
        } else {
            self.wire.send(&out)?;
        }
        match then {
            Then::Stay => Some(()),
            Then::Close | Then::Bye(_) => None,
            Then::Hang => self.hang(),
        }
    }
    fn arrive(&self) -> Vec<u8> {
        let mut folders = self.shared.folders.lock().unwrap();
        let letters = &mut folders[0].letters;
        let at = letters.len();
        let mail = Mail::new(7000 + at).to(["colleague3@force.example"]);
        letters.push(Letter {
            uid: uid(at),
            bytes: mail.bytes(),
        });
        format!("* {} EXISTS\r\n", at + 1).into_bytes()
    }
    fn renumber(&self) {
        for folder in &mut *self.shared.folders.lock().unwrap() {
            folder.validity += 1;
            for letter in &mut folder.letters {
                letter.uid += 1000;
            }
        }
    }
    fn drip(&mut self, bytes: &[u8]) -> Option<()> {
        for byte in bytes {
            if self.shared.stopped() {
                return None;
            }
            self.wire.send(&[*byte])?;
            std::thread::sleep(Duration::from_millis(100));
        }
        Some(())
    }
    fn pour(&mut self, head: &[u8]) -> Option<()> {
        self.wire.send(head)?;
        let water = [b'x'; 1 << 16];
        for _ in 0..FLOOD / water.len() {
            self.wire.send(&water)?;
        }
        self.hang()
    }
    /// Hears what comes, and says nothing.
    fn hang(&mut self) -> Option<()> {
        loop {
            let line = self.wire.line()?;
            self.note(format!("(unheard) {}", String::from_utf8_lossy(&line)));
        }
    }
}

/// The first half of the lines, and all but the end of the next unless lines are to stay whole.
fn half(mut answer: Answer, whole: bool) -> Answer {
    let middle = answer.lines.len() / 2;
    let next = answer.lines.get(middle).cloned().unwrap_or_default();
    answer.lines.truncate(middle);
    if !whole {
        answer
            .lines
            .push(next[..next.len().saturating_sub(20).max(next.len() / 2)].to_vec());
    }
    answer.last.clear();
    answer
}

/// How this message's answer differs.
pub(super) fn shapes(faults: &[&Armed], uid: u32) -> Vec<Shape> {
    let about = |armed: &&&Armed| armed.when.uid.is_none_or(|one| one == uid);
    let all = faults.iter().filter(about);
    all.filter_map(|armed| match armed.fault {
        Fault::Shape(shape) => Some(shape),
        _ => None,
    })
    .collect()
}
