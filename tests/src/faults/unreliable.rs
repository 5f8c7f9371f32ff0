//! Programs whose disk has no room or fails to sync, and hosts whose clock is wrong: a libc of our own (`unreliable.c`),
//! put before the real one. It needs no rights and no second disk, and it does only what it is told by files.

use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, ensure};

const SOURCE: &str = include_str!("unreliable.c");

/// What is wrong with a disk.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Trouble {
    /// No file may grow, until it is well again.
    Full,
    /// The next sync fails.
    Unsynced,
}

impl Trouble {
    fn name(self) -> &'static str {
        match self {
            Self::Full => "full",
            Self::Unsynced => "unsynced",
        }
    }
}

/// The library, and the files by which it is told.
#[derive(Debug)]
pub struct Unreliable {
    folder: PathBuf,
}

impl Unreliable {
    /// Compiles it into `folder`, which other users may enter.
    ///
    /// # Errors
    /// When there is no C compiler, or the folder cannot be written.
    pub fn make(folder: &Path) -> anyhow::Result<Self> {
        let made = Self { folder: folder.join("unreliable") };
        std::fs::create_dir_all(&made.folder)?;
        // Whoever runs into a sync that fails removes a file here, also as another user.
        std::fs::set_permissions(&made.folder, std::fs::Permissions::from_mode(0o777))?;
        let source = made.folder.join("unreliable.c");
        std::fs::write(&source, SOURCE)?;
        let compiled = Command::new("cc")
            .args(["-std=gnu11", "-O2", "-shared", "-fPIC", "-o"])
            .args([&made.library(), &source])
            .arg("-ldl")
            .output()
            .context("there is no C compiler `cc`")?;
        let said = String::from_utf8_lossy(&compiled.stderr);
        ensure!(compiled.status.success(), "unreliable.c cannot be compiled: {said}");
        Ok(made)
    }

    fn library(&self) -> PathBuf {
        self.folder.join("unreliable.so")
    }

    fn file(&self, program: &str, what: &str) -> PathBuf {
        self.folder.join(format!("{program}.{what}"))
    }

    /// What a program of this name finds in its environment.
    pub fn environment(&self, program: &str) -> Vec<(String, String)> {
        vec![
            ("LD_PRELOAD".to_owned(), self.library().display().to_string()),
            ("GRIDWARD_UNRELIABLE".to_owned(), self.folder.join(program).display().to_string()),
        ]
    }

    /// What a program finds in its environment whose host's clock is so many seconds ahead.
    #[cfg(test)]
    pub fn ahead(&self, seconds: i64) -> Vec<(String, String)> {
        vec![
            ("LD_PRELOAD".to_owned(), self.library().display().to_string()),
            ("GRIDWARD_SKEW_SECONDS".to_owned(), seconds.to_string()),
        ]
    }

    /// Its disk is so from now on.
    ///
    /// # Errors
    /// When the file cannot be made.
    pub fn set(&self, program: &str, trouble: Trouble) -> anyhow::Result<()> {
        let hits = self.file(program, "hits");
        if hits.exists() {
            std::fs::remove_file(hits)?;
        }
        std::fs::write(self.file(program, trouble.name()), "").context("a disk cannot be made unwell")
    }

    /// Its disk is well again.
    ///
    /// # Errors
    /// When the file cannot be removed.
    pub fn mend(&self, program: &str, trouble: Trouble) -> anyhow::Result<()> {
        let file = self.file(program, trouble.name());
        if file.exists() {
            std::fs::remove_file(file).context("a disk cannot be made well")?;
        }
        Ok(())
    }

    /// How many calls have failed since it was last made unwell.
    pub fn hits(&self, program: &str) -> u64 {
        std::fs::metadata(self.file(program, "hits")).map_or(0, |told| told.len())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What a shell says of a script that runs on this disk.
    fn run(disk: &Unreliable, script: &str) -> String {
        let mut shell = Command::new("bash");
        let ran = shell.args(["-c", script]).envs(disk.environment("shell")).output().unwrap();
        String::from_utf8_lossy(&ran.stdout).trim().to_owned()
    }

    #[test]
    fn a_disk_without_room_takes_nothing_more_and_one_sync_fails() {
        let folder = tempfile::TempDir::new().unwrap();
        let disk = Unreliable::make(folder.path()).unwrap();
        let file = folder.path().join("file").display().to_string();
        // It writes by a descriptor of its own: standard output is left alone.
        let grow =
            format!("echo more | split - '{file}' 2>/dev/null && echo taken || echo refused; rm '{file}'*");
        assert_eq!(run(&disk, &grow), "taken");
        disk.set("shell", Trouble::Full).unwrap();
        assert_eq!((run(&disk, &grow), disk.hits("shell") > 0), ("refused".to_owned(), true));
        disk.mend("shell", Trouble::Full).unwrap();
        assert_eq!(run(&disk, &grow), "taken");

        disk.set("shell", Trouble::Unsynced).unwrap();
        std::fs::write(&file, "more").unwrap();
        let sync = format!("sync '{file}' 2>/dev/null && echo kept || echo failed");
        assert_eq!((run(&disk, &sync), run(&disk, &sync)), ("failed".to_owned(), "kept".to_owned()));
        assert_eq!(disk.hits("shell"), 1);
    }

    #[test]
    fn a_host_may_be_an_hour_ahead() {
        let folder = tempfile::TempDir::new().unwrap();
        let disk = Unreliable::make(folder.path()).unwrap();
        let shows = |ahead: i64| {
            let shown = Command::new("date").arg("+%s").envs(disk.ahead(ahead)).output().unwrap();
            String::from_utf8(shown.stdout).unwrap().trim().parse::<i64>().unwrap()
        };
        let (now, ahead) = (shows(0), shows(3_600));
        assert!((3_600..3_660).contains(&(ahead - now)), "{ahead} and {now}");
    }
}
