//! `gridward account` and `gridward token --form-link`, as an operator uses them on a folder.

use std::io::Write as _;
use std::net::IpAddr;
use std::process::{Command, Output, Stdio};
use std::sync::Arc;

use console::{Origin, Password, Refused, SignIn};
use platform::clock::host_now;
use platform::pack::{InForce, Pack};
use platform::store::Store;
use platform::token::Tokens;
use tempfile::TempDir;

use crate::instance::binary;
use crate::world::packs;

fn gridward(folder: &TempDir, arguments: &[&str], typed: &str) -> Output {
    let mut command = Command::new(binary().unwrap());
    command.args(arguments).arg("--data").arg(folder.path());
    if arguments[0] != "migrate" {
        command.arg("--pack").arg(packs().join("twostreets"));
    }
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().unwrap();
    // One that reads nothing may have ended already.
    let _ = child.stdin.take().unwrap().write_all(typed.as_bytes());
    child.wait_with_output().unwrap()
}

fn said(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr)
}

async fn sign_in(folder: &TempDir, name: &str, password: &str) -> Result<(), Refused> {
    let store = Store::open(folder.path()).await.unwrap();
    let pack = InForce::new(Arc::new(Pack::load(&packs().join("twostreets")).unwrap()));
    let from = Origin { peer: IpAddr::from([127, 0, 0, 1]), device: None };
    let password = Password::from(password.to_owned());
    let answer = SignIn::new(store.clone(), &pack).sign_in(name, &password, &from, host_now()).await;
    store.close().await.unwrap();
    answer.map(drop)
}

#[tokio::test]
async fn an_operator_makes_changes_lists_and_removes_accounts() {
    let folder = TempDir::new().unwrap();
    assert!(gridward(&folder, &["migrate"], "").status.success());
    let none = gridward(&folder, &["account", "list"], "");
    assert!(said(&none).contains("no accounts") && said(&none).contains("没有账号"), "{}", said(&none));

    let made = gridward(&folder, &["account", "add", "worker-111"], "");
    let printed = String::from_utf8(made.stdout.clone()).unwrap();
    assert_eq!(printed.lines().count(), 1, "the password and nothing else: {printed}");
    sign_in(&folder, "worker-111", printed.trim()).await.unwrap();

    let again = gridward(&folder, &["account", "add", "worker-111"], "");
    assert!(!again.status.success() && said(&again).contains("has an account already"), "{}", said(&again));
    let unknown = gridward(&folder, &["account", "add", "nobody"], "");
    assert!(!unknown.status.success() && said(&unknown).contains("查看 people.csv"), "{}", said(&unknown));

    let short = gridward(&folder, &["account", "set-password", "worker-111", "--password-stdin"], "short\n");
    assert!(!short.status.success(), "{}", said(&short));
    assert!(said(&short).contains("fewer than 10") && said(&short).contains("少于 10"), "{}", said(&short));
    let typed = "typed by an operator";
    let set = gridward(
        &folder,
        &["account", "set-password", "worker-111", "--password-stdin"],
        &format!("{typed}\n"),
    );
    assert!(set.status.success() && !said(&set).contains(typed), "{}", said(&set));
    assert!(matches!(sign_in(&folder, "worker-111", printed.trim()).await, Err(Refused::Wrong)));
    sign_in(&folder, "worker-111", typed).await.unwrap();

    assert!(gridward(&folder, &["account", "disable", "worker-111"], "").status.success());
    let listed = said(&gridward(&folder, &["account", "list"], ""));
    assert!(
        listed.contains("worker-111  Worker 111 / 示意网格员 111") && listed.contains("DISABLED"),
        "{listed}"
    );
    assert!(!listed.contains("argon2"), "{listed}");
    assert!(gridward(&folder, &["account", "remove", "worker-111"], "").status.success());
    assert!(matches!(sign_in(&folder, "worker-111", typed).await, Err(Refused::Wrong)));
    let gone = gridward(&folder, &["account", "remove", "worker-111"], "");
    assert!(!gone.status.success() && said(&gone).contains("has no account"), "{}", said(&gone));
}

#[test]
fn an_operator_makes_a_link_for_somebody_of_the_pack() {
    let folder = TempDir::new().unwrap();
    assert!(gridward(&folder, &["migrate"], "").status.success());
    let made = gridward(&folder, &["token", "--form-link", "worker-111", "--minutes", "5"], "");
    let printed = String::from_utf8(made.stdout.clone()).unwrap();
    let text = printed.trim().strip_prefix("/r/").unwrap();
    let link = Tokens::of_folder(folder.path()).unwrap().read_link(text).unwrap();
    assert_eq!(link.person.0, "worker-111");
    assert!((link.expires_at - host_now()).num_seconds() <= 300, "{link:?}");
    let unknown = gridward(&folder, &["token", "--form-link", "nobody"], "");
    assert!(
        !unknown.status.success() && said(&unknown).contains("has no person `nobody`"),
        "{}",
        said(&unknown)
    );
}
