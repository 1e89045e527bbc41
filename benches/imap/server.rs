//! A Dovecot of this bench's own: its configuration, certificate and folders are made here, and it ends with the value.
//!
//! Run by root, it works as Debian has set it up, and reads mail as nobody, since it reads none as root. Run by anybody
//! else, all its processes are that person's.

use std::ffi::OsStr;
use std::fs::{self, Permissions};
use std::io;
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::os::unix::fs::{PermissionsExt, chown};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use rcgen::{BasicConstraints, CertificateParams, DnType, IsCa, Issuer, KeyPair, KeyUsagePurpose};

use crate::measure;
use crate::{machine, split};

/// The password of all.
pub(crate) const PASSWORD: &str = "an-invented-password";
/// Debian's number of nobody and of nobody's group.
const NOBODY: u32 = 65_534;

/// A Dovecot that runs.
pub(crate) struct Dovecot {
    child: Child,
    /// The port for TLS.
    pub(crate) port: u16,
    /// Its sockets need short names: it stands where temporary files do.
    room: tempfile::TempDir,
}

/// The program, also where `/usr/sbin` is not on the path.
pub(crate) fn program() -> Option<PathBuf> {
    let usual = OsStr::new("/usr/sbin/dovecot");
    measure::found(OsStr::new("dovecot")).or_else(|| measure::found(usual))
}

impl Dovecot {
    /// Starts one for which every folder in `home` is somebody's mail.
    pub(crate) fn start(home: &Path) -> io::Result<Self> {
        let room = tempfile::tempdir()?;
        let dovecot = program().ok_or(io::ErrorKind::NotFound)?;
        certify(room.path()).map_err(io::Error::other)?;
        let door = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
        let port = door.local_addr()?.port();
        drop(door);
        let config = room.path().join("dovecot.conf");
        fs::write(&config, configuration(room.path(), home, port))?;
        if is_root() {
            let_through(room.path())?;
            let_through(home)?;
        }
        let child = Command::new(dovecot)
            .arg("-F")
            .arg("-c")
            .arg(&config)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()?;
        let mut server = Dovecot { child, port, room };
        let late = Instant::now() + Duration::from_secs(10);
        while TcpStream::connect((Ipv4Addr::LOCALHOST, port)).is_err() {
            if server.child.try_wait()?.is_some() || Instant::now() > late {
                return Err(server.complaint());
            }
            thread::sleep(Duration::from_millis(20));
        }
        Ok(server)
    }

    /// The certificate of the authority that its own is signed by.
    pub(crate) fn ca(&self) -> PathBuf {
        self.room.path().join("ca.pem")
    }

    fn complaint(&self) -> io::Error {
        let log = fs::read_to_string(self.room.path().join("log")).unwrap_or_default();
        let last = log.lines().last().unwrap_or("it wrote no log");
        io::Error::other(format!("dovecot does not start: {last}"))
    }
}

impl Drop for Dovecot {
    fn drop(&mut self) {
        // Asked in its own way, its many processes end too.
        if let Some(dovecot) = program() {
            let config = self.room.path().join("dovecot.conf");
            let mut stop = Command::new(dovecot);
            let _ = stop.arg("-c").arg(config).arg("stop").status();
        }
        let late = Instant::now() + Duration::from_secs(5);
        while Instant::now() < late {
            if matches!(self.child.try_wait(), Ok(Some(_))) {
                return;
            }
            thread::sleep(Duration::from_millis(20));
        }
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Writes the mails of a file of kind A as somebody's folder `Sent`. Gives how many bytes they have.
pub(crate) fn fill(home: &Path, name: &str, file: &Path, mails: usize) -> io::Result<u64> {
    let whole = home.join(name);
    let sent = whole.join("Maildir/.Sent");
    let bytes = split::maildir(file, &sent, mails)?;
    if is_root() {
        let inner = ["cur", "new", "tmp"].map(|inner| sent.join(inner));
        for folder in [whole.clone(), whole.join("Maildir"), sent]
            .iter()
            .chain(&inner)
        {
            chown(folder, Some(NOBODY), Some(NOBODY))?;
        }
    }
    Ok(bytes)
}

/// An authority, and a certificate for this machine that it signed.
fn certify(room: &Path) -> Result<(), Box<dyn std::error::Error + Send + Sync>> {
    let mut params = CertificateParams::new(Vec::new())?;
    let name = &mut params.distinguished_name;
    name.push(DnType::CommonName, "ccspill bench authority");
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    let key = KeyPair::generate()?;
    fs::write(room.join("ca.pem"), params.self_signed(&key)?.pem())?;
    let authority = Issuer::new(params, key);

    let mut params = CertificateParams::new(vec!["localhost".into(), "127.0.0.1".into()])?;
    let name = &mut params.distinguished_name;
    name.push(DnType::CommonName, "localhost");
    let key = KeyPair::generate()?;
    let signed = params.signed_by(&key, &authority)?;
    fs::write(room.join("cert.pem"), signed.pem())?;
    fs::write(room.join("key.pem"), key.serialize_pem())?;
    Ok(())
}

fn configuration(room: &Path, home: &Path, port: u16) -> String {
    let (room, home) = (room.display(), home.display());
    let (who, mail) = if is_root() {
        (String::new(), format!("uid={NOBODY} gid={NOBODY}"))
    } else {
        let told = |what| machine::said("id", &[what]).unwrap_or_default();
        let (user, group) = (told("-un"), told("-gn"));
        let who = format!(
            "default_internal_user = {user}\ndefault_internal_group = {group}\ndefault_login_user = {user}\n"
        );
        (who, format!("uid={} gid={}", told("-u"), told("-g")))
    };
    format!(
        "base_dir = {room}/run
state_dir = {room}/state
log_path = {room}/log
{who}protocols = imap
listen = 127.0.0.1
default_vsz_limit = 2G
first_valid_uid = 1
mail_max_userip_connections = 50
ssl = required
ssl_cert = <{room}/cert.pem
ssl_key = <{room}/key.pem
mail_location = maildir:~/Maildir
mail_plugins = zlib
protocol imap {{
  mail_plugins = zlib imap_zlib
}}
passdb {{
  driver = static
  args = password={PASSWORD}
}}
userdb {{
  driver = static
  args = {mail} home={home}/%u
}}
namespace inbox {{
  inbox = yes
  mailbox Sent {{
    special_use = \\Sent
    auto = subscribe
  }}
}}
service imap-login {{
  chroot =
  process_min_avail = 1
  inet_listener imap {{
    port = 0
  }}
  inet_listener imaps {{
    port = {port}
    ssl = yes
  }}
}}
service anvil {{
  chroot =
}}
"
    )
}

fn is_root() -> bool {
    machine::said("id", &["-u"]).is_some_and(|id| id == "0")
}

/// Lets nobody come as far as a folder. Those that this bench made are for their owner only, and are opened.
fn let_through(folder: &Path) -> io::Result<()> {
    for above in folder.ancestors() {
        let mode = fs::metadata(above)?.permissions().mode();
        if mode & 0o001 != 0 {
            continue;
        }
        if above != folder && !above.starts_with(env!("CARGO_TARGET_TMPDIR")) {
            return Err(io::Error::other(format!(
                "dovecot reads mail as nobody, who may not enter '{}'\n  try: --files DIR, a folder that all may enter",
                above.display()
            )));
        }
        fs::set_permissions(above, Permissions::from_mode(mode | 0o011))?;
    }
    Ok(())
}
