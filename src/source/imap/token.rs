//! Stand-in until the real one is merged.
#[derive(Clone)]
pub(super) struct Secret(String);
impl Secret { pub(super) fn new(t: String) -> Self { Secret(t) } pub(super) fn reveal(&self) -> &str { &self.0 } }
pub(super) struct Tokens(String);
pub(super) fn first_line(what: &str, command: &str, user: &str) -> anyhow::Result<Secret> {
    let out = std::process::Command::new("sh").arg("-c").arg(command).env("CCSPILL_USER", user).output()?;
    anyhow::ensure!(out.status.success(), "{what} failed");
    Ok(Secret(String::from_utf8_lossy(&out.stdout).lines().next().unwrap_or_default().to_owned()))
}
impl Tokens {
    pub(super) fn command(text: &str) -> Self { Tokens(text.to_owned()) }
    pub(super) fn from_environment(_: &dyn Fn(&str) -> Option<String>) -> anyhow::Result<Option<Self>> { Ok(None) }
    pub(super) fn token(&self, user: &str, _now: i64) -> anyhow::Result<Secret> { first_line("the token command", &self.0, user) }
    pub(super) fn forget(&self, _: &str) {}
}
