//! How a Dovecot is to behave, as a test says it, and the `dovecot.conf` that makes it so.
//!
//! Everything lies in one temporary folder. Where the test runs as root, the server runs as the users of Debian's
//! package and reads mail as `nobody`; elsewhere all of it runs as whoever runs the test, without chroot.

use super::Ports;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use std::fmt::Write as _;
use std::path::Path;
use std::process::Command;

/// How mail is kept on disk.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Format {
    /// A file for each mail, which a test may write itself.
    Maildir,
    /// Many mails in one file.
    Mdbox,
}

/// A server that is not running yet.
#[derive(Clone, Debug)]
pub(crate) struct Setup {
    pub(super) users: Vec<(String, String)>,
    pub(super) masters: Vec<(String, String)>,
    pub(super) separator: char,
    pub(super) prefix: &'static str,
    pub(super) format: Format,
    pub(super) hosts: &'static [&'static str],
    pub(super) address: &'static str,
    mechanisms: &'static str,
    unknown_user_told: bool,
    tls: bool,
    tls_minimum: &'static str,
    plain_text: bool,
    client_certificates: bool,
    compress: bool,
    flagged: Vec<(&'static str, &'static str)>,
    connections: u32,
}

impl Setup {
    pub(super) fn new() -> Self {
        Setup {
            users: Vec::new(),
            masters: Vec::new(),
            separator: '/',
            prefix: "",
            format: Format::Maildir,
            hosts: &["127.0.0.1", "localhost"],
            address: "127.0.0.1",
            mechanisms: "plain",
            unknown_user_told: true,
            tls: true,
            tls_minimum: "TLSv1.2",
            plain_text: false,
            client_certificates: false,
            compress: false,
            flagged: vec![("Sent", "\\Sent")],
            connections: 10,
        }
    }
    /// Somebody with a mailbox.
    pub(crate) fn user(mut self, name: &str, password: &str) -> Self {
        self.users.push((name.into(), password.into()));
        self
    }
    /// Somebody who may open every mailbox, by `user*master` or by an authorisation identity.
    pub(crate) fn master(mut self, name: &str, password: &str) -> Self {
        self.masters.push((name.into(), password.into()));
        self
    }
    /// A mailbox that does not exist ends a master's login without any word, as Dovecot does where its administrator did
    /// not write `result_success = continue`.
    pub(crate) fn silent_about_unknown_users(mut self) -> Self {
        self.unknown_user_told = false;
        self
    }
    /// The SASL mechanisms that it offers, such as `xoauth2 oauthbearer`; `plain` where a test says nothing.
    pub(crate) fn mechanisms(mut self, names: &'static str) -> Self {
        self.mechanisms = names;
        self
    }
    /// The hosts in its certificate.
    pub(crate) fn hosts(mut self, hosts: &'static [&'static str]) -> Self {
        self.hosts = hosts;
        self
    }
    /// The oldest TLS it speaks: `TLSv1.2` or `TLSv1.3`.
    pub(crate) fn tls_minimum(mut self, version: &'static str) -> Self {
        self.tls_minimum = version;
        self
    }
    /// No TLS at all, and passwords in plain text.
    pub(crate) fn without_tls(mut self) -> Self {
        self.tls = false;
        self.plain_text = true;
        self
    }
    /// No TLS, and no passwords either: it says LOGINDISABLED. Dovecot trusts whoever comes from its own address, so it
    /// has another one.
    pub(crate) fn login_disabled(mut self) -> Self {
        self.tls = false;
        self.address = "127.0.0.2";
        self
    }
    /// Nobody logs in without a certificate of its authority.
    pub(crate) fn client_certificates(mut self) -> Self {
        self.client_certificates = true;
        self
    }
    /// Offers COMPRESS=DEFLATE.
    pub(crate) fn compress(mut self) -> Self {
        self.compress = true;
        self
    }
    /// Which folders it flags as what; only `Sent` as `\Sent` where a test says nothing.
    pub(crate) fn flagged(mut self, folders: &[(&'static str, &'static str)]) -> Self {
        self.flagged = folders.to_vec();
        self
    }
    /// Every folder lies below `INBOX`, and a dot stands between folders: `INBOX.Sent`.
    pub(crate) fn below_inbox(mut self) -> Self {
        (self.prefix, self.separator) = ("INBOX.", '.');
        self
    }
    /// How many connections one user may have from one address.
    pub(crate) fn connections(mut self, most: u32) -> Self {
        self.connections = most;
        self
    }
    /// How mail is kept; Maildir where a test says nothing.
    pub(crate) fn format(mut self, format: Format) -> Self {
        self.format = format;
        self
    }

    /// The file of users or of masters. Passwords are written as Base64: a colon would end them.
    pub(super) fn passwd(people: &[(String, String)]) -> String {
        people
            .iter()
            .fold(String::new(), |mut all, (name, secret)| {
                let secret = STANDARD.encode(secret);
                writeln!(all, "{name}:{{PLAIN.B64}}{secret}::::::").expect("a line in memory");
                all
            })
    }
    /// The whole of `dovecot.conf`.
    pub(super) fn conf(&self, home: &Path, ports: Ports) -> String {
        let home = home.display();
        let yes = |on: bool| if on { "yes" } else { "no" };
        let location = match self.format {
            Format::Maildir => "maildir:~/Maildir",
            Format::Mdbox => "mdbox:~/mdbox",
        };
        let plugins = if self.compress {
            "protocol imap {\n  mail_plugins = imap_zlib\n}"
        } else {
            ""
        };
        let tls_port = if self.tls { ports.tls } else { 0 };
        let (identity, chroot) = identity();
        let mut conf = format!(
            "{identity}
base_dir = {home}/run
state_dir = {home}/run
log_path = {home}/log
protocols = imap
listen = {address}
default_vsz_limit = 1 G
mail_home = {home}/mail/%u
mail_location = {location}
mail_fsync = never
{plugins}
mail_max_userip_connections = {connections}
rawlog_dir = {home}/said/%u
auth_mechanisms = {mechanisms}
auth_failure_delay = 0
auth_verbose = yes
auth_username_chars =
disable_plaintext_auth = {protected}
service anvil {{
  unix_listener anvil-auth-penalty {{
    mode = 0
  }}
{chroot}}}
service imap-login {{
  inet_listener imap {{
    port = {starttls}
  }}
  inet_listener imaps {{
    port = {tls_port}
  }}
{chroot}}}
userdb {{
  driver = passwd-file
  args = username_format=%u {home}/users
}}
",
            address = self.address,
            connections = self.connections,
            mechanisms = self.mechanisms,
            protected = yes(!self.plain_text),
            starttls = ports.starttls,
        );
        conf += &self.passdbs(&home.to_string());
        conf += &self.namespace();
        conf += &self.ssl(&home.to_string());
        conf
    }

    fn passdbs(&self, home: &str) -> String {
        let go_on = if self.unknown_user_told {
            "  result_success = continue\n"
        } else {
            ""
        };
        let mut conf = String::new();
        if !self.masters.is_empty() {
            conf += &format!(
                "auth_master_user_separator = *\npassdb {{\n  driver = passwd-file\n  master = yes\n  \
                 args = username_format=%u {home}/masters\n{go_on}}}\n"
            );
        }
        if self.mechanisms.contains("oauth") {
            conf += &format!(
                "passdb {{\n  driver = oauth2\n  mechanisms = xoauth2 oauthbearer\n  args = {home}/oauth2.conf\n}}\n"
            );
        }
        if self.mechanisms.contains("plain") || self.mechanisms.contains("login") {
            conf += &format!(
                "passdb {{\n  driver = passwd-file\n  mechanisms = plain login\n  args = username_format=%u {home}/users\n}}\n"
            );
        }
        conf
    }
    fn namespace(&self) -> String {
        let mut conf = format!(
            "namespace inbox {{\n  inbox = yes\n  prefix = {}\n  separator = {}\n",
            self.prefix, self.separator
        );
        for (folder, flag) in &self.flagged {
            let folder = folder.strip_prefix(self.prefix).unwrap_or(folder);
            conf += &format!("  mailbox \"{folder}\" {{\n    special_use = {flag}\n  }}\n");
        }
        conf + "}\n"
    }
    fn ssl(&self, home: &str) -> String {
        if !self.tls {
            return "ssl = no\n".into();
        }
        let mut conf = format!(
            "ssl = required\nssl_cert = <{home}/server.crt.pem\nssl_key = <{home}/server.key.pem\n\
             ssl_min_protocol = {}\n",
            self.tls_minimum
        );
        if self.client_certificates {
            conf += &format!(
                "ssl_ca = <{home}/ca.pem\nssl_verify_client_cert = yes\nauth_ssl_require_client_cert = yes\n\
                 ssl_require_crl = no\n"
            );
        }
        conf
    }
}

/// Who is root's server run by; what it needs elsewhere.
fn identity() -> (String, &'static str) {
    if id("-u") == "0" {
        let conf = "first_valid_uid = 1\nmail_uid = nobody\nmail_gid = nogroup";
        return (conf.into(), "");
    }
    let (user, group) = (id("-un"), id("-gn"));
    let conf = format!(
        "default_internal_user = {user}\ndefault_internal_group = {group}\ndefault_login_user = {user}\n\
         first_valid_uid = 1\nmail_uid = {user}\nmail_gid = {group}"
    );
    (conf, "  chroot =\n")
}

/// What `id` says.
pub(super) fn id(what: &str) -> String {
    let said = Command::new("id").arg(what).output().expect("id");
    String::from_utf8_lossy(&said.stdout).trim().to_owned()
}
