//! A real Dovecot, from Debian's package, with its own configuration, ports, certificates and mail in a temporary folder.
//!
//! `let server = dovecot().user("robin", "secret").start();` answers when it returns, and ends with the value, also when
//! a test fails or is stopped. Where Dovecot is not installed the test fails with the line that installs it.

mod authority;
mod mail;
mod setup;

pub(crate) use authority::Authority;
pub(crate) use mail::utf7;
pub(crate) use setup::{Format, Setup};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use std::fs;
use std::io::{BufRead, BufReader};
use std::net::{TcpListener, TcpStream};
use std::os::unix::fs::PermissionsExt;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::AtomicUsize;
use std::sync::{Arc, Mutex};
use std::thread::sleep;
use std::time::{Duration, Instant};
use tempfile::TempDir;

/// How long anything of the server may take before the test says so.
const PATIENCE: Duration = Duration::from_secs(30);
/// Starts Dovecot so that all of it ends when standard input does: also where the test is killed.
const WITH_US: &str =
    "exec 3<&0; (cat <&3 >/dev/null; kill -KILL 0) & exec \"$0\" -F -c \"$1\" </dev/null 3<&-";
/// The key by which the server knows its tokens.
const TOKEN_KEY: &[u8] = b"an issuer that does not exist signs with this";

/// A server that is to be set up.
pub(crate) fn dovecot() -> Setup {
    Setup::new()
}

/// Where it listens, on loopback.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Ports {
    /// TLS from the first byte.
    pub(crate) tls: u16,
    /// STARTTLS, or plain text where there is no TLS.
    pub(crate) starttls: u16,
}

/// A server that runs. A clone is the same server.
#[derive(Clone, Debug)]
pub(crate) struct Dovecot(Arc<Server>);

#[derive(Debug)]
struct Server {
    setup: Setup,
    ports: Ports,
    authority: Authority,
    /// How many mails were put into it: their names must differ, and stand in order.
    put: AtomicUsize,
    running: Mutex<Option<Child>>,
    home: TempDir,
}

impl Setup {
    /// Starts it; it answers when this returns.
    #[track_caller]
    pub(crate) fn start(self) -> Dovecot {
        let home = tempfile::Builder::new()
            .prefix("dove-")
            .tempdir()
            .expect("a folder for a server");
        let authority = Authority::new(home.path());
        // A port that was free a moment ago may have been taken since; then another.
        for _ in 0..20 {
            let ports = free_ports(self.address);
            self.write(home.path(), &authority, ports);
            if let Some(child) = launch(home.path(), self.address, ports) {
                return Dovecot(Arc::new(Server {
                    setup: self,
                    ports,
                    authority,
                    put: AtomicUsize::new(0),
                    running: Mutex::new(Some(child)),
                    home,
                }));
            }
        }
        panic!("no free port was found for Dovecot");
    }

    /// Writes its files. Those who serve it must be able to read them, and to write where mail lies.
    fn write(&self, home: &Path, authority: &Authority, ports: Ports) {
        let file = |name: &str, text: &str| {
            let path = home.join(name);
            fs::create_dir_all(path.parent().expect("a file in a folder")).expect("a folder");
            fs::write(path, text).expect("a file of the server");
        };
        authority.certify("server", self.hosts);
        file("dovecot.conf", &self.conf(home, ports));
        file("users", &Setup::passwd(&self.users));
        file("masters", &Setup::passwd(&self.masters));
        file("keys/default/HS256/default", &STANDARD.encode(TOKEN_KEY));
        let keys = home.join("keys");
        file(
            "oauth2.conf",
            &format!(
                "introspection_mode = local\nlocal_validation_key_dict = fs:posix:prefix={}/\nusername_attribute = sub\n",
                keys.display()
            ),
        );
        fs::set_permissions(home, fs::Permissions::from_mode(0o755)).expect("a folder of ours");
        for (user, _) in &self.users {
            for part in ["mail", "said"] {
                let folder = home.join(part).join(user);
                fs::create_dir_all(&folder).expect("a folder of a user");
                give(&folder);
            }
        }
    }
}

/// Lets those who serve mail write into a folder, where the test is run by root.
fn give(folder: &Path) {
    fs::set_permissions(folder, fs::Permissions::from_mode(0o777)).expect("a folder of ours");
}

fn free_ports(address: &str) -> Ports {
    let free = || TcpListener::bind((address, 0)).expect("loopback");
    let (one, other) = (free(), free());
    let port = |of: &TcpListener| of.local_addr().expect("a port").port();
    Ports {
        tls: port(&one),
        starttls: port(&other),
    }
}

/// A program of Dovecot's package, which lies where an ordinary user's PATH may not lead.
fn installed(program: &str) -> PathBuf {
    let path = std::env::var_os("PATH").unwrap_or_default();
    std::env::split_paths(&path)
        .chain(["/usr/sbin", "/usr/local/sbin"].map(PathBuf::from))
        .map(|folder| folder.join(program))
        .find(|file| file.is_file())
        .unwrap_or_else(|| {
            panic!(
                "{program} is not installed, and this test needs a real server\n  try: sudo apt-get install \
                 dovecot-imapd (or .ci/install test)"
            )
        })
}

/// Starts it and waits until it greets. None where another program has one of its ports.
#[track_caller]
fn launch(home: &Path, address: &str, ports: Ports) -> Option<Child> {
    let mut child = Command::new("sh")
        .args(["-c", WITH_US])
        .arg(installed("dovecot"))
        .arg(home.join("dovecot.conf"))
        .process_group(0)
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(fs::File::create(home.join("stderr")).expect("a file of the server"))
        .spawn()
        .expect("sh");
    let deadline = Instant::now() + PATIENCE;
    while greeting(address, ports.starttls).is_none() {
        let ended = child.try_wait().expect("a child of ours").is_some();
        if ended || Instant::now() > deadline {
            end(&mut child);
            let text = |name: &str| fs::read_to_string(home.join(name)).unwrap_or_default();
            let said = text("stderr") + &text("log");
            if said.contains("Address already in use") {
                return None;
            }
            panic!("Dovecot does not answer:\n{said}");
        }
        sleep(Duration::from_millis(5));
    }
    Some(child)
}

fn greeting(address: &str, port: u16) -> Option<String> {
    let stream = TcpStream::connect((address, port)).ok()?;
    stream.set_read_timeout(Some(PATIENCE)).ok()?;
    let mut line = String::new();
    BufReader::new(stream).read_line(&mut line).ok()?;
    line.starts_with("* OK").then_some(line)
}

/// Ends all of it at once, as a power cut does. To ask it to end takes a second, and it has nothing to save.
fn end(child: &mut Child) {
    let group = format!("-{}", child.id());
    let mut kill = Command::new("kill");
    drop(
        kill.args(["-KILL", "--", &group])
            .stderr(Stdio::null())
            .status(),
    );
    drop(child.wait());
}

impl Drop for Server {
    fn drop(&mut self) {
        if let Ok(Some(child)) = self.running.get_mut() {
            end(child);
        }
        // What is being killed may still write for a moment.
        for _ in 0..100 {
            if fs::remove_dir_all(self.home.path()).is_ok() {
                return;
            }
            sleep(Duration::from_millis(5));
        }
    }
}

impl Dovecot {
    /// Where it listens.
    pub(crate) fn ports(&self) -> Ports {
        self.0.ports
    }
    /// Its address on loopback.
    pub(crate) fn address(&self) -> &'static str {
        self.0.setup.address
    }
    /// What `--ca-file` takes.
    pub(crate) fn ca_file(&self) -> PathBuf {
        self.0.authority.file()
    }
    /// Who gave out its certificate.
    pub(crate) fn authority(&self) -> &Authority {
        &self.0.authority
    }
    /// Ends all its processes at once (SIGKILL).
    pub(crate) fn kill(&self) {
        if let Some(mut child) = self.0.running.lock().expect("a server").take() {
            end(&mut child);
        }
    }
    /// Starts it again, on the same ports, with the same mail.
    #[track_caller]
    pub(crate) fn restart(&self) {
        self.kill();
        let child =
            launch(self.home(), self.address(), self.0.ports).expect("its ports are still free");
        *self.0.running.lock().expect("a server") = Some(child);
    }
    /// Cuts every connection of this user. False where there was none.
    pub(crate) fn kick(&self, user: &str) -> bool {
        self.try_doveadm(["kick", user]).is_ok()
    }
    /// What its administrator's tool answers.
    #[track_caller]
    pub(crate) fn doveadm<'a>(&self, args: impl IntoIterator<Item = &'a str>) -> String {
        self.try_doveadm(args)
            .unwrap_or_else(|why| panic!("doveadm: {why}\n{}", self.log()))
    }
    fn try_doveadm<'a>(&self, args: impl IntoIterator<Item = &'a str>) -> Result<String, String> {
        let done = Command::new(installed("doveadm"))
            .arg("-c")
            .arg(self.home().join("dovecot.conf"))
            .args(args)
            .stdin(Stdio::null())
            .output()
            .expect("doveadm");
        if done.status.success() {
            Ok(String::from_utf8_lossy(&done.stdout).into_owned())
        } else {
            Err(String::from_utf8_lossy(&done.stderr).into_owned())
        }
    }
    /// A token for this user that is good until `seconds` from now; negative for one that has expired.
    pub(crate) fn token(&self, user: &str, seconds: i64) -> String {
        let now = jiff::Timestamp::now().as_second();
        let claims = serde_json::json!({
            "sub": user, "iss": "https://issuer.example", "iat": now - 7200, "nbf": now - 7200, "exp": now + seconds,
        });
        let key = jsonwebtoken::EncodingKey::from_secret(TOKEN_KEY);
        jsonwebtoken::encode(&jsonwebtoken::Header::default(), &claims, &key).expect("a token")
    }
    /// What it wrote into its log.
    pub(crate) fn log(&self) -> String {
        fs::read_to_string(self.home().join("log")).unwrap_or_default()
    }
    /// Its folder.
    pub(crate) fn home(&self) -> &Path {
        self.0.home.path()
    }
}
