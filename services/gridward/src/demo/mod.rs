//! stub
#[derive(Debug, clap::Args)]
pub struct Demo {}
impl Demo {
    pub async fn run(self) -> anyhow::Result<std::process::ExitCode> {
        anyhow::bail!("x")
    }
}
/// stub
pub fn paced(
    _folder: &std::path::Path,
    _speed: f64,
    _origin: Option<chrono::DateTime<chrono::Utc>>,
) -> anyhow::Result<platform::clock::Clock> {
    Ok(platform::clock::Clock::Host)
}
