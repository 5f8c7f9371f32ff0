//! stub
#[derive(Debug, clap::Args)]
pub struct Replay {}
impl Replay {
    pub async fn run(self) -> anyhow::Result<std::process::ExitCode> {
        anyhow::bail!("x")
    }
}
