//! What a test or a program here starts ends when that does, however it ends.
//!
//! A keeper beside it reads whom it owns from a pipe whose other end is the owner's alone. A system closes that when
//! the owner is gone, also after `kill -9`; the keeper then ends whoever is left.

use std::io::Write as _;
use std::os::unix::process::CommandExt as _;
use std::process::{Child, Command, ExitStatus, Output, Stdio};
use std::sync::{Mutex, PoisonError};

use anyhow::Context;

/// Reads `+ PID` and `- PID`, a line each, to the end; then kills whom it was told of and not to forget, also who is
/// frozen.
const KEEPER: &str = r#"
    declare -A owned
    while read -r sign pid; do
        if [ "$sign" = + ]; then owned[$pid]=1; else unset "owned[$pid]"; fi
    done
    if [ "${#owned[@]}" -gt 0 ]; then kill -KILL -- "${!owned[@]}" 2>/dev/null; fi
    exit 0
"#;

/// A process that ends with this one.
#[derive(Debug)]
pub struct Owned {
    pub child: Child,
}

impl Owned {
    /// Starts it.
    ///
    /// # Errors
    /// When it cannot be started, or there is nobody to keep it.
    pub fn start(command: &mut Command) -> anyhow::Result<Self> {
        let child = command.spawn().with_context(|| format!("cannot start {}", name(command)))?;
        let owned = Self { child };
        tell_keeper('+', owned.child.id()).context("cannot have bash keep it")?;
        Ok(owned)
    }
}

impl Drop for Owned {
    fn drop(&mut self) {
        // Without a keeper there is nobody to be told.
        let _ = tell_keeper('-', self.child.id());
    }
}

/// Runs a command to its end, with what it says.
///
/// # Errors
/// When it cannot be run.
pub fn output(command: &mut Command) -> anyhow::Result<Output> {
    let mut owned = Owned::start(command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()))?;
    let (said, complained) = (owned.child.stdout.take(), owned.child.stderr.take());
    let complaints = std::thread::spawn(move || read(complained));
    let stdout = read(said).context("cannot read what it says")?;
    let stderr = complaints.join().ok().context("cannot read what it complains of")??;
    Ok(Output { status: owned.child.wait()?, stdout, stderr })
}

/// Runs a command to its end; it says what it says where this process does.
///
/// # Errors
/// When it cannot be run.
pub fn status(command: &mut Command) -> anyhow::Result<ExitStatus> {
    Ok(Owned::start(command)?.child.wait()?)
}

fn read(from: Option<impl std::io::Read>) -> std::io::Result<Vec<u8>> {
    let mut all = Vec::new();
    if let Some(mut from) = from {
        from.read_to_end(&mut all)?;
    }
    Ok(all)
}

fn name(command: &Command) -> String {
    command.get_program().to_string_lossy().into_owned()
}

/// A keeper, in a group of its own: Ctrl-C is for its owner.
fn keeper() -> std::io::Result<Child> {
    Command::new("bash")
        .args(["-c", KEEPER])
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .process_group(0)
        .spawn()
}

/// The keeper of this process, once there is something to keep.
fn tell_keeper(sign: char, pid: u32) -> std::io::Result<()> {
    static OWN: Mutex<Option<Child>> = Mutex::new(None);
    let mut own = OWN.lock().unwrap_or_else(PoisonError::into_inner);
    if own.is_none() {
        *own = Some(keeper()?);
    }
    own.as_mut().map_or(Ok(()), |own| tell(own, sign, pid))
}

fn tell(keeper: &mut Child, sign: char, pid: u32) -> std::io::Result<()> {
    let Some(pipe) = keeper.stdin.as_mut() else { return Ok(()) };
    pipe.write_all(format!("{sign} {pid}\n").as_bytes())
}

#[cfg(test)]
mod tests {
    use std::os::unix::process::ExitStatusExt as _;

    use super::*;

    #[test]
    fn whoever_is_left_ends_when_the_owner_is_gone_and_nobody_else_does() {
        // They stay as long as their input is open.
        let waits = || Command::new("cat").stdin(Stdio::piped()).spawn().unwrap();
        let (mut left, mut frozen, mut forgotten) = (waits(), waits(), waits());
        let inputs = [left.stdin.take(), frozen.stdin.take(), forgotten.stdin.take()];
        let stopped = Command::new("kill").args(["-STOP", &frozen.id().to_string()]).status().unwrap();
        assert!(stopped.success());
        let mut keeper = keeper().unwrap();
        for of in [&left, &forgotten, &frozen] {
            tell(&mut keeper, '+', of.id()).unwrap();
        }
        tell(&mut keeper, '-', forgotten.id()).unwrap();
        assert_eq!(keeper.try_wait().unwrap(), None, "its owner is still there");
        drop(keeper.stdin.take());
        assert!(keeper.wait().unwrap().success());
        for mut ended in [left, frozen] {
            assert_eq!(ended.wait().unwrap().signal(), Some(9));
        }
        assert_eq!(forgotten.try_wait().unwrap(), None);
        drop(inputs);
        assert!(forgotten.wait().unwrap().success());
    }

    #[test]
    fn a_command_that_is_run_to_its_end_is_told_as_ever() {
        let ran = output(Command::new("bash").args(["-c", "echo out; echo err >&2; exit 3"])).unwrap();
        assert_eq!((ran.stdout.as_slice(), ran.stderr.as_slice()), (&b"out\n"[..], &b"err\n"[..]));
        assert_eq!(ran.status.code(), Some(3));
        assert!(status(&mut Command::new("true")).unwrap().success());
        assert!(Owned::start(&mut Command::new("no-such-program")).is_err());
    }
}
