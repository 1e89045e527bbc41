//! A kill, Ctrl-C, a full disk: afterwards stands the old case or the new one, never half of one, and the next scan
//! goes on to where an undisturbed one would have ended.
//!
//! No test asserts how long anything takes: a scan is disturbed at several moments, and every one of them must be safe.

use crate::builders::{Case, EXPORTS, FORCE, Mailbox, Run, Store, people, westminster};
use std::process::{Child, Command, ExitStatus};
use std::thread::sleep;
use std::time::Duration;

/// A case, a large mailbox that is added to it, and the tables before and after.
struct Matter {
    case: Case,
    more: Store,
    old: Vec<String>,
    new: Vec<String>,
    judged: u64,
}

fn tables(case: &Case) -> Vec<String> {
    EXPORTS.iter().map(|name| case.text(name)).collect()
}

/// Mail enough for a scan to be met in the middle of it.
fn large() -> Mailbox {
    let body = "A line of no interest.\n".repeat(40);
    Mailbox::numbered_from(1000)
        .mail(|m| {
            m.cc(people(30, 8))
                .subject("Survivors' group: dates")
                .body("Dear survivors of abuse, we meet on Monday.")
        })
        .mails(0..6_000, |m, i| {
            m.to([format!("colleague{i}@force.example")]).body(&body)
        })
}

impl Matter {
    fn new() -> Self {
        let case = Run::scan(Mailbox::ordinary(20).mail(westminster).mbox().path())
            .org(FORCE)
            .ok();
        let more = large().mbox();
        let done = Run::scan(more.path()).org(FORCE).onto(&case.copy()).ok();
        let (old, new) = (tables(&case), tables(&done));
        assert_ne!(old, new);
        Matter {
            old,
            new,
            judged: done.count("judged"),
            case,
            more,
        }
    }
    /// A scan of the large mailbox into this copy of the case.
    fn scan(&self, case: &Case) -> Run {
        Run::scan(self.more.path()).org(FORCE).onto(case)
    }
    /// Each table is the old one or the new one, and the manifest is not ahead of them.
    #[track_caller]
    fn is_whole(&self, case: &Case) {
        let now = tables(case);
        for (at, name) in EXPORTS.iter().enumerate() {
            assert!(
                now[at] == self.old[at] || now[at] == self.new[at],
                "half of {name}:\n{}",
                now[at]
            );
        }
        if case.count("judged") == self.judged {
            assert!(now == self.new, "the manifest is written last");
        }
    }
    /// The next scan ends where an undisturbed one would have.
    #[track_caller]
    fn goes_on(&self, case: &Case) {
        let done = self.scan(case).ok();
        assert!(tables(&done) == self.new, "the next scan ends otherwise");
        assert_eq!(done.count("judged"), self.judged);
        assert!(
            !done.files().iter().any(|name| name.ends_with(".tmp")),
            "{:?}",
            done.files()
        );
    }
}

fn ended_by(child: &mut Child, signal: &str) -> ExitStatus {
    Command::new("kill")
        .arg(format!("-{signal}"))
        .arg(child.id().to_string())
        .status()
        .expect("kill");
    child.wait().expect("the program ends")
}

#[test]
fn a_kill_at_any_moment_leaves_the_old_case_or_the_new_one() {
    let matter = Matter::new();
    let mut killed = 0;
    for wait in [2, 10, 30, 80, 150, 250, 400, 700] {
        let case = matter.case.copy();
        let (mut child, _home) = matter.scan(&case).start();
        sleep(Duration::from_millis(wait));
        killed += i32::from(!ended_by(&mut child, "KILL").success());
        matter.is_whole(&case);
        matter.goes_on(&case);
    }
    assert!(killed > 0, "no scan was met before it had ended");
}

#[test]
fn one_case_may_be_killed_again_and_again() {
    let matter = Matter::new();
    let case = matter.case.copy();
    for wait in [5, 40, 100, 20, 200, 60] {
        let (mut child, _home) = matter.scan(&case).start();
        sleep(Duration::from_millis(wait));
        ended_by(&mut child, "KILL");
        matter.is_whole(&case);
    }
    matter.goes_on(&case);
}

#[test]
fn a_case_that_was_killed_while_it_was_made_is_made_by_the_next_scan() {
    let store = Mailbox::ordinary(20).mail(westminster).mbox();
    let whole = Run::scan(store.path()).org(FORCE).ok();
    for wait in 1..=20 {
        let run = Run::scan(store.path()).org(FORCE);
        let path = run.case_path().to_owned();
        let (mut child, home) = run.start();
        sleep(Duration::from_millis(wait));
        ended_by(&mut child, "KILL");
        let next = Run::scan(store.path())
            .org(FORCE)
            .onto(&Case::at(home, path))
            .ok();
        assert_eq!(next.exports(), whole.exports());
    }
}

#[test]
fn a_kill_in_the_first_scan_leaves_no_half_case() {
    let store = large().mbox();
    let whole = Run::scan(store.path()).org(FORCE).ok();
    for wait in [5, 60, 200] {
        let run = Run::scan(store.path()).org(FORCE);
        let path = run.case_path().to_owned();
        let (mut child, home) = run.start();
        sleep(Duration::from_millis(wait));
        ended_by(&mut child, "KILL");
        for (name, text) in whole.exports() {
            let now = std::fs::read_to_string(path.join(name));
            assert!(
                now.is_err() || now.is_ok_and(|now| now == text),
                "half of {name}"
            );
        }
        let case = Case::at(home, path);
        assert_eq!(
            Run::scan(store.path())
                .org(FORCE)
                .onto(&case)
                .ok()
                .exports(),
            whole.exports()
        );
    }
}

#[test]
fn ctrl_c_once_stops_with_130_and_keeps_what_was_read() {
    let matter = Matter::new();
    let mut stopped = 0;
    for wait in [20, 50, 100, 180, 300, 500] {
        let case = matter.case.copy();
        let (mut child, _home) = matter.scan(&case).start();
        sleep(Duration::from_millis(wait));
        let status = ended_by(&mut child, "INT");
        match status.code() {
            Some(130) => {
                stopped += 1;
                assert!(
                    tables(&case) == matter.old,
                    "findings appear when a scan ends, not when it is stopped"
                );
            }
            // Too late: it had ended. Too early: it was not yet ready to be asked.
            Some(0) | None => matter.is_whole(&case),
            other => panic!("exit {other:?}"),
        }
        matter.goes_on(&case);
    }
    assert!(stopped > 0, "no scan was met in the middle");
}

#[test]
fn a_full_disk_is_told_in_words_and_leaves_the_old_case_or_the_new_one() {
    // A limit on the size of files makes every write beyond it fail, as a full disk does.
    let matter = Matter::new();
    let mut full = 0;
    for blocks in [0, 1, 8, 64, 128, 256, 1024, 1_000_000] {
        let case = matter.case.copy();
        let output = matter
            .scan(&case)
            .after(&format!("trap '' XFSZ; ulimit -f {blocks}"))
            .output();
        assert!(
            [0, 2].contains(&output.status),
            "{blocks} blocks: exit {}: {}",
            output.status,
            output.said()
        );
        if output.status == 2 {
            full += 1;
            assert!(
                output.stderr.starts_with("ccspill: ") && !output.stderr.contains("panicked"),
                "{}",
                output.stderr
            );
            assert!(tables(&case) == matter.old, "{blocks} blocks: the old case");
        }
        matter.is_whole(&case);
        matter.goes_on(&case);
    }
    assert!(full > 0, "no limit was met");
}

#[test]
fn a_full_disk_in_the_first_scan_leaves_no_half_case() {
    let store = Mailbox::ordinary(200).mail(westminster).mbox();
    for blocks in [0, 1, 16, 64] {
        let run = Run::scan(store.path()).org(FORCE);
        let path = run.case_path().to_owned();
        let output = run
            .after(&format!("trap '' XFSZ; ulimit -f {blocks}"))
            .output();
        assert!(
            [0, 2].contains(&output.status),
            "exit {}: {}",
            output.status,
            output.said()
        );
        assert!(
            output.status == 0 || output.stderr.starts_with("ccspill: "),
            "{}",
            output.stderr
        );
        assert!(
            output.status == 0 || !path.join("manifest.json").exists(),
            "{blocks} blocks left a manifest"
        );
    }
}

#[test]
fn a_table_that_cannot_be_replaced_is_told_and_mended_by_the_next_scan() {
    let matter = Matter::new();
    let case = matter.case.copy();
    std::fs::remove_file(case.path().join("messages.csv")).unwrap();
    std::fs::create_dir(case.path().join("messages.csv")).unwrap();
    std::fs::write(case.path().join("messages.csv/in-the-way"), "x").unwrap();
    let output = matter.scan(&case).refused();
    assert!(output.stderr.contains("messages.csv"), "{}", output.stderr);
    assert_ne!(
        case.count("judged"),
        matter.judged,
        "the manifest is written last"
    );
    std::fs::remove_dir_all(case.path().join("messages.csv")).unwrap();
    matter.goes_on(&case);
}

#[test]
fn a_scan_of_another_source_leaves_what_was_read_before_a_stop() {
    let matter = Matter::new();
    let other = Mailbox::numbered_from(90_000)
        .mails(0..5, |m, i| m.to([format!("desk{i}@force.example")]))
        .mbox();
    for wait in [50, 100, 180] {
        let case = matter.case.copy();
        let (mut child, _home) = matter.scan(&case).start();
        sleep(Duration::from_millis(wait));
        ended_by(&mut child, "INT");
        Run::scan(other.path()).org(FORCE).onto(&case).ok();
        let whole = matter.scan(&case).ok();
        assert_eq!(whole.people().len(), 48);
    }
}
