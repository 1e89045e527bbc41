//! A private certificate authority, as an organisation runs one, and the certificates that it gave out.

use rcgen::{
    BasicConstraints, CertificateParams, CertifiedIssuer, DnType, IsCa, KeyPair, KeyUsagePurpose,
};
use std::fs;
use std::path::{Path, PathBuf};

/// An authority whose files lie in one folder.
#[derive(Debug)]
pub(crate) struct Authority {
    issuer: CertifiedIssuer<'static, KeyPair>,
    folder: PathBuf,
}

impl Authority {
    /// A new one. Its own certificate is written into the folder.
    pub(crate) fn new(folder: &Path) -> Self {
        let mut about = CertificateParams::new(Vec::new()).expect("no names");
        about
            .distinguished_name
            .push(DnType::CommonName, "Force Example Root");
        about.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        about.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
        let key = KeyPair::generate().expect("a key");
        let authority = Authority {
            issuer: CertifiedIssuer::self_signed(about, key).expect("a certificate"),
            folder: folder.to_owned(),
        };
        fs::write(authority.file(), authority.issuer.pem()).expect("a file for a certificate");
        authority
    }
    /// The certificate by which all the others are trusted: what `--ca-file` takes.
    pub(crate) fn file(&self) -> PathBuf {
        self.folder.join("ca.pem")
    }
    /// A certificate for these hosts or this person, and its key (PKCS #8), as two PEM files.
    pub(crate) fn certify(&self, name: &str, hosts: &[&str]) -> [PathBuf; 2] {
        let hosts: Vec<String> = hosts.iter().map(|host| (*host).to_owned()).collect();
        let mut about = CertificateParams::new(hosts).expect("names of hosts");
        about.distinguished_name.push(DnType::CommonName, name);
        let key = KeyPair::generate().expect("a key");
        let certificate = about.signed_by(&key, &self.issuer).expect("a certificate");
        let files = ["crt", "key"].map(|kind| self.folder.join(format!("{name}.{kind}.pem")));
        fs::write(&files[0], certificate.pem()).expect("a file for a certificate");
        fs::write(&files[1], key.serialize_pem()).expect("a file for a key");
        files
    }
}
