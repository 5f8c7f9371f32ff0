//! What is given goes before what is not, is named when it is wrong, and is not shown when it is secret.

use std::io::Write as _;

use super::*;

fn of(environment: &[(&str, &str)]) -> anyhow::Result<Settings> {
    Settings::load(None, environment.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())))
}

fn in_file(text: &str) -> anyhow::Result<Settings> {
    let mut file = tempfile::NamedTempFile::new().unwrap();
    file.write_all(text.as_bytes()).unwrap();
    Settings::load(Some(file.path()), std::iter::empty())
}

#[test]
fn the_page_of_defaults_is_all_there_is_to_set_and_each_has_its_word() {
    let settings = of(&[]).unwrap();
    assert_eq!(settings.listen.to_string(), "127.0.0.1:8080");
    assert_eq!(settings.kafka.session_seconds, 6);
    let shown = toml::Value::try_from(&settings).unwrap();
    let defaults: Value = toml::from_str(DEFAULTS).unwrap();
    assert_eq!(shown, defaults, "what is in force by default is what the page says");
    let lines: Vec<&str> = DEFAULTS.lines().collect();
    for (n, line) in lines.iter().enumerate().filter(|(_, line)| line.contains(" = ")) {
        let explained = lines[..n].iter().rev().take_while(|above| !above.is_empty());
        assert!(explained.into_iter().any(|above| above.starts_with("# ")), "{line} is not explained");
    }
}

#[test]
fn the_file_goes_before_the_defaults_and_the_environment_before_the_file() {
    let settings = in_file("pack = \"twostreets\"\n[kafka]\nprefix = \"a.\"\n").unwrap();
    assert_eq!((settings.pack.to_str(), settings.kafka.prefix.as_str()), (Some("twostreets"), "a."));
    assert_eq!(settings.kafka.partitions, 12, "what it does not say stays");
    let settings =
        of(&[("GRIDWARD_KAFKA_PARTITIONS", "3"), ("GRIDWARD_LISTEN", "0.0.0.0:80"), ("HOME", "/")]).unwrap();
    assert_eq!((settings.kafka.partitions, settings.listen.port()), (3, 80));
}

#[test]
fn what_is_misspelt_or_of_the_wrong_kind_is_named_in_both_languages() {
    let said = |settings: anyhow::Result<Settings>| format!("{:#}", settings.unwrap_err());
    let unknown = said(in_file("[kafka]\npartition = 3\n"));
    assert!(unknown.contains("no setting `kafka.partition`") && unknown.contains("没有名为"), "{unknown}");
    let wrong = said(of(&[("GRIDWARD_KAFKA_PARTITIONS", "three")]));
    assert!(wrong.contains("GRIDWARD_KAFKA_PARTITIONS is `three`") && wrong.contains("应为整数"), "{wrong}");
    let wrong = said(in_file("listen = \"here\"\n"));
    assert!(wrong.contains("设置有误"), "{wrong}");
    let wrong = said(in_file("[kafka]\nsecurity = \"tls\"\n"));
    assert!(wrong.contains("sasl_ssl"), "it says what there is: {wrong}");
    assert!(said(of(&[("GRIDWARD_KAFKA_PARTITIONS", "0")])).contains("1 or more"));
}

#[test]
fn a_mistyped_name_in_the_environment_is_seen_and_what_kubernetes_sets_is_not_taken_for_one() {
    let names = [
        "GRIDWARD_KAFKA_BOOTSTRAPS",
        "GRIDWARD_DATABASE_PASSWORT",
        "GRIDWARD_DATABASE_PASSWORD",
        "GRIDWARD_KAFKA_BOOTSTRAP",
        "GRIDWARD_KAFKA_BOOTSTRAP_SERVICE_HOST",
        "GRIDWARD_KAFKA_BOOTSTRAP_PORT_9092_TCP",
        "GRIDWARD_DISCOVER_PORT",
        "KAFKA_HOME",
    ];
    let unknown = unknown_in(names.into_iter().map(|name| (name.to_owned(), String::new())));
    assert_eq!(unknown, ["GRIDWARD_DATABASE_PASSWORT", "GRIDWARD_KAFKA_BOOTSTRAPS"]);
}

#[test]
fn a_password_reaches_the_database_and_nobody_else() {
    let settings =
        of(&[("GRIDWARD_DATABASE_PASSWORD", "p@ss:wörd"), ("GRIDWARD_KAFKA_SASL_PASSWORD", "hush")]);
    let settings = settings.unwrap();
    let url = settings.database_url("handle").unwrap();
    assert_eq!(url, "postgres://gridward:p%40ss%3Aw%C3%B6rd@127.0.0.1:5432/gridward_handle");
    let shown = format!("{settings:?}{}", toml::to_string(&settings).unwrap());
    assert!(!shown.contains("p@ss") && !shown.contains("p%40ss") && !shown.contains("hush"), "{shown}");
    assert!(shown.contains("已隐藏"));
    let settings = of(&[("GRIDWARD_DATABASE_URL", "postgres://a:geheim@host:1/{service}")]).unwrap();
    let shown = format!("{settings:?}{}", toml::to_string(&settings).unwrap());
    assert!(!shown.contains("geheim") && shown.contains("postgres://a@host:1/{service}"), "{shown}");
    assert_eq!(settings.database_url("route").unwrap(), "postgres://a:geheim@host:1/route");
}

#[test]
fn of_a_url_in_which_a_password_may_reach_anywhere_nothing_is_shown() {
    for url in
        ["postgrez://a:geheim@h/d", "postgres://a:ge@heim@h/d", "postgres://a:/geheim#@h/d", "geheim@h"]
    {
        let settings = of(&[("GRIDWARD_DATABASE_URL", url)]).unwrap();
        let shown = format!("{settings:?}{}", toml::to_string(&settings).unwrap());
        assert!(!shown.contains("heim") && shown.contains("已隐藏"), "{url}: {shown}");
    }
}

#[test]
fn a_password_may_lie_in_a_file() {
    let mut file = tempfile::NamedTempFile::new().unwrap();
    writeln!(file, "from-a-file").unwrap();
    let path = file.path().to_str().unwrap();
    let settings = of(&[("GRIDWARD_DATABASE_PASSWORD_FILE", path)]).unwrap();
    assert!(settings.database_url("route").unwrap().contains(":from-a-file@"));
    let settings = of(&[("GRIDWARD_DATABASE_PASSWORD_FILE", "/nowhere")]).unwrap();
    let said = format!("{:#}", settings.database_url("route").unwrap_err());
    assert!(said.contains("database.password_file") && said.contains("/nowhere"), "{said}");
}

#[test]
fn tls_and_sasl_become_what_the_client_of_the_broker_calls_them() {
    let settings = of(&[
        ("GRIDWARD_KAFKA_SECURITY", "sasl_ssl"),
        ("GRIDWARD_KAFKA_CA_FILE", "/ca.pem"),
        ("GRIDWARD_KAFKA_SASL_USERNAME", "gridward"),
        ("GRIDWARD_KAFKA_SASL_PASSWORD", "hush"),
    ]);
    let properties = settings.unwrap().stream().unwrap().connection.properties;
    let is = |name: &str| properties.get(name).map(String::as_str);
    assert_eq!(is("security.protocol"), Some("sasl_ssl"));
    assert_eq!((is("ssl.ca.location"), is("ssl.key.location")), (Some("/ca.pem"), None));
    assert_eq!((is("sasl.mechanism"), is("sasl.password")), (Some("SCRAM-SHA-512"), Some("hush")));
    let plain = of(&[]).unwrap().stream().unwrap().connection.properties;
    assert_eq!(plain.len(), 1, "{plain:?}");
}

#[test]
fn a_clock_that_runs_faster_says_from_when_and_what_it_showed() {
    assert!(matches!(of(&[]).unwrap().clock().unwrap(), Clock::Host));
    let fast = [
        ("GRIDWARD_SPEED", "120"),
        ("GRIDWARD_SPEED_FROM", "2026-11-22T09:00:00Z"),
        ("GRIDWARD_SPEED_SHOWS", "2026-03-02T01:00:00Z"),
    ];
    let Clock::Paced { speed, origin, .. } = of(&fast).unwrap().clock().unwrap() else {
        panic!("it runs faster")
    };
    assert_eq!(
        (speed.to_string().as_str(), origin.to_rfc3339().as_str()),
        ("120", "2026-03-02T01:00:00+00:00")
    );
    assert!(of(&fast[..2]).unwrap().clock().unwrap_err().to_string().contains("speed_shows is ``"));
}

#[test]
fn every_service_has_a_database_of_its_own() {
    let settings = of(&[("GRIDWARD_DATABASE_URL", "postgres://a@host/one")]).unwrap();
    assert!(settings.database_url("route").unwrap_err().to_string().contains("{service}"));
}
