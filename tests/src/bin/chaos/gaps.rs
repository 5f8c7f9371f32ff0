//! What this machine is, and what it cannot do: said before anything is tried, with what stands in for it.

use std::path::Path;
use std::process::Command;

use scenarios::marks::say;
use serde_json::{Value, json};

/// Something that a machine may not have, and what is done without it.
struct Gap {
    what: &'static str,
    has: bool,
    instead: &'static str,
}

fn read(file: &str) -> String {
    std::fs::read_to_string(file).unwrap_or_default()
}

/// Whether a command does as asked; one that is not there does not.
fn does(program: &str, args: &[&str]) -> bool {
    Command::new(program).args(args).output().is_ok_and(|ran| ran.status.success())
}

/// Disks that are not made of memory or of a file.
fn disks() -> Vec<String> {
    let all = std::fs::read_dir("/sys/block").into_iter().flatten().flatten();
    let names = all.map(|disk| disk.file_name().to_string_lossy().into_owned());
    names.filter(|name| !["loop", "ram", "zram", "dm-"].iter().any(|made| name.starts_with(made))).collect()
}

fn memory_gb() -> f64 {
    let told = read("/proc/meminfo");
    let kib =
        told.lines().find_map(|line| line.strip_prefix("MemTotal:")?.split_whitespace().next()?.parse().ok());
    kib.map_or(0.0, |kib: f64| (kib / 1_048_576.0 * 10.0).round() / 10.0)
}

fn gaps(disks: usize) -> Vec<Gap> {
    let netem = ["--net", "sh", "-c", "ip link set lo up && tc qdisc add dev lo root netem delay 1ms"];
    vec![
        Gap {
            what: "a second machine, so that one may lose power",
            has: false,
            instead: "processes are killed, brokers lose the end of their log, syncs fail; what the page cache of one \
                      machine keeps is kept",
        },
        Gap {
            what: "a disk for each server",
            has: disks > 1,
            instead: "the databases, the broker and the services share one, and none of them fills it: a libc put before \
                      the real one says that there is no room, or that a sync has failed",
        },
        Gap {
            what: "delays and losses in its network (netem)",
            has: does("unshare", &netem),
            instead: "links are slow, cut, silent and half open in a proxy before the first instance of each service; no \
                      packets are lost or reordered",
        },
        Gap {
            what: "a memory limit for a process (cgroup)",
            has: does("systemd-run", &["--scope", "-p", "MemoryMax=64M", "true"]),
            instead: "nobody is killed for taking too much memory; the soak sees whether memory grows",
        },
        Gap {
            what: "clocks of its own for each process",
            has: false,
            instead: "hosts whose clock is wrong, and a database's clock that is set, are scenarios of `make test`; in the \
                      runs here the clock of the cases runs 120 times as fast, so that steps fall due",
        },
        Gap {
            what: "a Kubernetes that moves the database to a standby",
            has: false,
            instead: "there is one PostgreSQL, which is killed, starved and started again",
        },
    ]
}

/// Says what this machine is and cannot do.
pub fn say_gaps() -> Value {
    let cores = std::thread::available_parallelism().map_or(0, usize::from);
    let (disks, memory) = (disks(), memory_gb());
    let kernel = read("/proc/sys/kernel/osrelease").trim().to_owned();
    say(&format!(
        "This machine: {cores} processors and {memory} GB for the services, the broker, the databases and the load alike, \
         {} ({}), Linux {kernel}",
        if disks.len() == 1 { "one disk" } else { "disks" },
        disks.join(", ")
    ));
    if !Path::new("/proc/self/status").exists() {
        say("it does not tell what processes take: the soak cannot be run");
    }
    let gaps = gaps(disks.len());
    for Gap { what, has, instead } in &gaps {
        if *has {
            say(&format!("  it has {what}; not used: {instead}"));
        } else {
            say(&format!("  it has not {what}: {instead}"));
        }
    }
    let told = |gap: &Gap| json!({ "what": gap.what, "here": gap.has, "instead": gap.instead });
    json!({
        "processors": cores, "memory_gb": memory, "disks": disks, "kernel": kernel,
        "gaps": gaps.iter().map(told).collect::<Vec<_>>(),
    })
}
