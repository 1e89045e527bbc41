//! A gate on the way to a server: it lets bytes through, and does something in the middle of a conversation, at a point
//! that is told in bytes and not in time.

use std::io::{Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::thread;

type Act = Box<dyn FnOnce() + Send>;

/// What happens once enough bytes of answers have passed.
#[derive(Default)]
struct Plan {
    passed: u64,
    act: Option<(u64, Act)>,
    done: bool,
    closed: bool,
}

/// A port that leads to another one.
pub(crate) struct Gate {
    port: u16,
    plan: Arc<Mutex<Plan>>,
}

impl Gate {
    /// Leads to this port on loopback.
    pub(crate) fn to(port: u16) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("loopback");
        let plan = Arc::new(Mutex::new(Plan::default()));
        let gate = Gate {
            port: listener.local_addr().expect("a port").port(),
            plan: Arc::clone(&plan),
        };
        thread::spawn(move || {
            for client in listener.incoming() {
                if plan.lock().expect("a plan").closed {
                    return;
                }
                // Where the server is not there the client is sent away, as the server itself would.
                if let (Ok(client), Ok(server)) = (client, TcpStream::connect(("127.0.0.1", port)))
                {
                    lead(client, server, &plan);
                }
            }
        });
        gate
    }
    /// Where it listens.
    pub(crate) fn port(&self) -> u16 {
        self.port
    }
    /// Does this once, when so many bytes of answers have passed from now on; no more pass until it is done.
    pub(crate) fn after(&self, bytes: u64, act: impl FnOnce() + Send + 'static) {
        let mut plan = self.plan.lock().expect("a plan");
        (plan.passed, plan.done) = (0, false);
        plan.act = Some((bytes, Box::new(act)));
    }
    /// True where it was done: the conversation was long enough.
    pub(crate) fn acted(&self) -> bool {
        self.plan.lock().expect("what was done did not fail").done
    }
    /// How many bytes of answers have passed.
    pub(crate) fn passed(&self) -> u64 {
        self.plan.lock().expect("a plan").passed
    }
}

impl Drop for Gate {
    fn drop(&mut self) {
        if let Ok(mut plan) = self.plan.lock() {
            plan.closed = true;
        }
        drop(TcpStream::connect(("127.0.0.1", self.port)));
    }
}

/// Leads one conversation, in two threads that end with it.
fn lead(client: TcpStream, server: TcpStream, plan: &Arc<Mutex<Plan>>) {
    let plan = Arc::clone(plan);
    let (Ok(to_server), Ok(from_client)) = (server.try_clone(), client.try_clone()) else {
        return;
    };
    thread::spawn(move || pass(from_client, to_server, |_| {}));
    thread::spawn(move || {
        pass(server, client, |bytes| {
            // Held while it acts, so that no other conversation goes on.
            let mut plan = plan.lock().expect("a plan");
            plan.passed += bytes as u64;
            if plan.act.as_ref().is_some_and(|(at, _)| plan.passed >= *at) {
                let (_, act) = plan.act.take().expect("just seen");
                act();
                plan.done = true;
            }
        });
    });
}

fn pass(mut from: TcpStream, mut to: TcpStream, mut before: impl FnMut(usize)) {
    let mut bytes = [0; 16 << 10];
    while let Ok(count @ 1..) = from.read(&mut bytes) {
        before(count);
        if to.write_all(&bytes[..count]).is_err() {
            break;
        }
    }
    drop(to.shutdown(Shutdown::Both));
    drop(from.shutdown(Shutdown::Both));
}
