//! Brokers: the one that stays up, and those of a test's own.

use std::path::PathBuf;
use std::process::Command;
use std::sync::atomic::{AtomicU32, Ordering};

use kafka::connection::Connection;

/// Whether the tests have a broker: `tests/servers/with.sh` says where it is, or aloud that there is none.
pub fn is_there() -> bool {
    std::env::var_os("GRIDWARD_TEST_KAFKA").is_some()
}

/// The broker that stays up.
pub fn shared() -> Connection {
    Connection::plain(std::env::var("GRIDWARD_TEST_KAFKA").expect("GRIDWARD_TEST_KAFKA=host:port"))
}

/// A name that no other test and no earlier run has. The folder in which brokers are kept outlives runs, and
/// process numbers come again: so the boot's clock is part of it.
pub fn unique(name: &str) -> String {
    static NEXT: AtomicU32 = AtomicU32::new(0);
    let uptime = std::fs::read_to_string("/proc/uptime").unwrap();
    let since: String =
        uptime.chars().take_while(|c| !c.is_whitespace()).filter(char::is_ascii_digit).collect();
    format!("{name}-{}-{since}-{}", std::process::id(), NEXT.fetch_add(1, Ordering::Relaxed))
}

/// A broker of one test. It ends with it, and in any case with the process.
pub struct Own {
    folder: PathBuf,
    pub connection: Connection,
}

impl Own {
    pub fn start(name: &str) -> Self {
        let folder = std::env::temp_dir().join("gridward-brokers").join(unique(name));
        run("start", &folder, &["--owner", &std::process::id().to_string()]);
        let bootstrap = std::fs::read_to_string(folder.join("bootstrap")).unwrap();
        Self { folder, connection: Connection::plain(bootstrap.trim()) }
    }

    /// One that also speaks TLS with SCRAM, and how to speak to it so.
    pub fn start_with_tls(name: &str) -> (Self, Connection) {
        let folder = std::env::temp_dir().join("gridward-brokers").join(unique(name));
        run("start", &folder, &["--tls", "--owner", &std::process::id().to_string()]);
        let read = |name: &str| std::fs::read_to_string(folder.join(name)).unwrap().trim().to_owned();
        let mut secure = Connection::plain(read("bootstrap.tls"));
        secure.properties = [
            ("security.protocol", "SASL_SSL".to_owned()),
            ("ssl.ca.location", folder.join("tls/ca.pem").to_string_lossy().into_owned()),
            ("sasl.mechanism", "SCRAM-SHA-512".to_owned()),
            ("sasl.username", "gridward".to_owned()),
            ("sasl.password", read("tls/password")),
        ]
        .map(|(name, value)| (name.to_owned(), value))
        .into();
        let connection = Connection::plain(read("bootstrap"));
        (Self { folder, connection }, secure)
    }

    pub fn again(&self) {
        run("start", &self.folder, &["--owner", &std::process::id().to_string()]);
    }

    pub fn kill(&self) {
        run("kill", &self.folder, &[]);
    }

    pub fn freeze(&self) {
        run("freeze", &self.folder, &[]);
    }

    pub fn thaw(&self) {
        run("thaw", &self.folder, &[]);
    }

    pub fn lose(&self, topic: &str, partition: i32, bytes: usize) {
        run("lose", &self.folder, &[topic, &partition.to_string(), &bytes.to_string()]);
    }
}

impl Drop for Own {
    fn drop(&mut self) {
        run("kill", &self.folder, &[]);
        // What it said is kept for whoever looks into the failure.
        if !std::thread::panicking() {
            let _ = std::fs::remove_dir_all(&self.folder);
        }
    }
}

fn run(command: &str, folder: &PathBuf, arguments: &[&str]) {
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/../../tests/servers/kafka.sh");
    let done = Command::new(script).arg(command).arg(folder).args(arguments).output().unwrap();
    assert!(done.status.success(), "kafka.sh {command}: {}", String::from_utf8_lossy(&done.stderr));
}
