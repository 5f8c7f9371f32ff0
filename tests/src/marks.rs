//! Figures beside their marks, and how they are asked for.

use std::path::PathBuf;
use std::process::Command;

use anyhow::{Context, bail};
use serde_json::Value;

use crate::owned::output;
use crate::process;

/// The figures as they come, and whether any fell short.
#[derive(Debug, Default)]
pub struct Marks {
    pub missed: u32,
}

impl Marks {
    /// Prints a figure beside its mark.
    pub fn check(&mut self, what: &str, figure: impl std::fmt::Display, mark: &str, met: bool) {
        let sign = if met { "ok  " } else { "MISS" };
        self.missed += u32::from(!met);
        say(&format!("  {sign} {what:<44} {:<22} {mark}", figure.to_string()));
    }

    pub fn equal(&mut self, what: &str, figure: &Value, mark: i64) {
        self.check(what, figure, &format!("= {mark}"), figure.as_i64() == Some(mark));
    }

    pub fn at_most(&mut self, what: &str, figure: f64, mark: f64, unit: &str) {
        self.check(what, format!("{figure:.1} {unit}"), &format!("≤ {mark} {unit}"), figure <= mark);
    }

    pub fn share(&mut self, what: &str, agreement: &Value, percent: f64) {
        let (compared, agreed) = (number(&agreement["compared"]), number(&agreement["agreed"]));
        let share = agreed * 100.0 / compared;
        self.check(what, format!("{share:.2} % of {compared}"), &format!("≥ {percent} %"), share >= percent);
    }
}

/// That every step of every deadline took effect once and at its time.
pub fn due_steps(marks: &mut Marks, said: &Value, effected: i64) {
    marks.equal("due steps effected", &said["due_steps"]["effected"], effected);
    for wrong in ["early", "doubled", "missed"] {
        marks.equal(&format!("due steps {wrong}"), &said["due_steps"][wrong], 0);
    }
}

/// The audit by the program itself.
///
/// # Errors
/// When it could not look.
pub fn audited(marks: &mut Marks, place: &[&str]) -> anyhow::Result<()> {
    let run = output(Command::new(process::binary()?).args(["audit", "--json"]).args(place))?;
    let said: Value = serde_json::from_slice(&run.stdout)
        .with_context(|| format!("the audit printed no JSON: {}", String::from_utf8_lossy(&run.stderr)))?;
    let checks = said["checks"].as_array().map_or(0, Vec::len);
    marks.check(
        "audit clean",
        format!("{} in {checks} checks", said["clean"]),
        "= true",
        run.status.success(),
    );
    Ok(())
}

/// What the program prints of a replay.
///
/// # Errors
/// When it fails.
pub fn replay(args: &[&str]) -> anyhow::Result<Value> {
    let run = output(Command::new(process::binary()?).args(["replay", "--json"]).args(args))?;
    if !run.status.success() {
        bail!("gridward replay failed: {}", String::from_utf8_lossy(&run.stderr));
    }
    serde_json::from_slice(&run.stdout).context("gridward replay printed no JSON")
}

/// A pack that comes with Gridward.
pub fn pack(name: &str) -> String {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../shared/packs").join(name).display().to_string()
}

/// All of some counts.
pub fn sum(counts: &Value) -> Value {
    counts.as_object().map_or(0, |counts| counts.values().filter_map(Value::as_i64).sum::<i64>()).into()
}

/// A figure as a number; none is not a number.
pub fn number(value: &Value) -> f64 {
    value.as_f64().unwrap_or(f64::NAN)
}

/// Prints a line.
pub fn say(line: &str) {
    use std::io::Write as _;
    let _ = writeln!(std::io::stdout(), "{line}");
}
