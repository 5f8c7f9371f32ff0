//! stub
#[derive(Debug, clap::Args)]
pub struct Audit {}
impl Audit {
    pub async fn run(self) -> anyhow::Result<std::process::ExitCode> {
        anyhow::bail!("x")
    }
}
