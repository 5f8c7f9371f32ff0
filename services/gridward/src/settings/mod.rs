//! The settings of the second setting, Kafka and PostgreSQL: [`DEFAULTS`], then a file, then the environment.
//! The page of defaults is the documentation, and the list of what there is to set.

mod secret;
#[cfg(test)]
mod tests;

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context, bail};
use chrono::{DateTime, Utc};
use platform::clock::Clock;
use platform::http::Proxies;
use platform::stream::kafka::{self, With};
use serde::{Deserialize, Serialize};
use toml::{Table, Value};

pub use secret::Secret;

/// Every setting with its default and what it means; TOML.
pub const DEFAULTS: &str = include_str!("defaults.toml");

/// Before the name of every setting in the environment.
const ENVIRONMENT: &str = "GRIDWARD_";

/// Everything a service is told at its start.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Settings {
    pub pack: PathBuf,
    pub listen: SocketAddr,
    pub drain_seconds: u64,
    pub log: String,
    pub token_key_file: PathBuf,
    proxies: String,
    speed: u32,
    speed_from: String,
    speed_shows: String,
    pub database: Database,
    pub kafka: Kafka,
}

/// Where the databases are.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Database {
    url: Secret,
    password: Secret,
    password_file: PathBuf,
    pub connections: u32,
}

/// Where the broker is, and how it is spoken to.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Kafka {
    pub bootstrap: String,
    pub prefix: String,
    pub partitions: usize,
    pub replication: i32,
    pub session_seconds: u64,
    pub security: Security,
    ca_file: PathBuf,
    certificate_file: PathBuf,
    key_file: PathBuf,
    sasl_mechanism: String,
    sasl_username: String,
    sasl_password: Secret,
    sasl_password_file: PathBuf,
}

/// How the broker is spoken to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Security {
    Plaintext,
    Ssl,
    SaslPlaintext,
    SaslSsl,
}

impl Security {
    fn word(self) -> &'static str {
        match self {
            Self::Plaintext => "plaintext",
            Self::Ssl => "ssl",
            Self::SaslPlaintext => "sasl_plaintext",
            Self::SaslSsl => "sasl_ssl",
        }
    }

    fn is_tls(self) -> bool {
        matches!(self, Self::Ssl | Self::SaslSsl)
    }

    fn is_sasl(self) -> bool {
        matches!(self, Self::SaslPlaintext | Self::SaslSsl)
    }
}

impl Settings {
    /// The defaults, then `file`, then what `environment` says.
    ///
    /// # Errors
    /// Names the setting that is unknown, or of the wrong kind, and where it was given.
    pub fn load(
        file: Option<&Path>,
        environment: impl Iterator<Item = (String, String)>,
    ) -> anyhow::Result<Self> {
        let mut table: Table = DEFAULTS.parse().expect("the page of defaults is TOML: a test reads it");
        if let Some(file) = file {
            let text = std::fs::read_to_string(file).with_context(|| {
                format!("cannot read the settings {0} / 无法读取设置文件 {0}", file.display())
            })?;
            let given: Table =
                text.parse().with_context(|| format!("{} is not TOML / 不是 TOML 文件", file.display()))?;
            lay_over(&mut table, given, "")
                .with_context(|| format!("in {} / 设置文件有误", file.display()))?;
        }
        from_environment(&mut table, environment)?;
        let settings: Self = table.try_into().context("a setting is not as it should be / 设置有误")?;
        settings.check()?;
        Ok(settings)
    }

    fn check(&self) -> anyhow::Result<()> {
        if self.speed == 0 || self.kafka.partitions == 0 || self.database.connections < 2 {
            bail!(
                "speed and kafka.partitions must be 1 or more and database.connections 2 or more / \
                 speed、kafka.partitions 至少为 1，database.connections 至少为 2"
            );
        }
        Ok(())
    }

    pub fn drain(&self) -> Duration {
        Duration::from_secs(self.drain_seconds)
    }

    /// Whose word is taken for where somebody asks from.
    ///
    /// # Errors
    /// Names what is neither an address nor a network.
    pub fn proxies(&self) -> anyhow::Result<Proxies> {
        self.proxies.parse().map_err(|fault| {
            anyhow::anyhow!("proxies: {fault} / proxies 应为以逗号分隔的地址或网段，如 127.0.0.1,10.0.0.0/8")
        })
    }

    /// The clock of the cases: the database's own, or one that runs faster for trying things out.
    ///
    /// # Errors
    /// When it is to run faster, and it is not said from when, or what it showed then.
    pub fn clock(&self) -> anyhow::Result<Clock> {
        if self.speed == 1 {
            return Ok(Clock::Host);
        }
        let time = |name: &str, text: &str| {
            text.parse::<DateTime<Utc>>().with_context(|| {
                format!("{name} is `{text}`, and must be a time like 2026-03-02T01:00:00Z where speed is not 1 / {name} 应为时间")
            })
        };
        Ok(Clock::Paced {
            host_origin: time("speed_from", &self.speed_from)?,
            origin: time("speed_shows", &self.speed_shows)?,
            speed: f64::from(self.speed),
        })
    }

    /// The URL of a service's database, with the password in it.
    ///
    /// # Errors
    /// When the file with the password cannot be read, or the URL names no database for each service.
    pub fn database_url(&self, service: &str) -> anyhow::Result<String> {
        let Database { url, password, password_file, .. } = &self.database;
        if !url.shown().contains("{service}") {
            bail!(
                "database.url names no {{service}}: each service has a database of its own / \
                 database.url 缺少 {{service}}：每个服务使用独立的数据库"
            );
        }
        let url = url.shown().replace("{service}", service);
        let password = password.or_in(password_file, "database.password_file")?;
        if password.is_empty() {
            return Ok(url);
        }
        let with = || -> Option<String> {
            let (scheme, rest) = url.split_once("://")?;
            let (user, place) = rest.split_once('@')?;
            (!user.contains(':')).then(|| format!("{scheme}://{user}:{}@{place}", in_url(&password)))
        };
        with().context(
            "database.url must be postgres://USER@HOST:PORT/NAME where the password is given by itself / \
             单独给出密码时，database.url 应为 postgres://用户@主机:端口/库名",
        )
    }

    /// The stream of a service's instances.
    ///
    /// # Errors
    /// When the file with a password cannot be read.
    pub fn stream(&self) -> anyhow::Result<kafka::Settings> {
        let Kafka { bootstrap, prefix, partitions, replication, session_seconds, .. } = &self.kafka;
        Ok(kafka::Settings {
            connection: ::kafka::connection::Connection {
                bootstrap: bootstrap.clone(),
                properties: self.kafka.properties()?,
            },
            prefix: prefix.clone(),
            partitions: *partitions,
            replication: *replication,
            membership: With::Instances(Duration::from_secs(*session_seconds)),
        })
    }
}

impl Kafka {
    /// What of librdkafka's properties TLS and SASL take.
    fn properties(&self) -> anyhow::Result<std::collections::BTreeMap<String, String>> {
        let mut properties = std::collections::BTreeMap::new();
        let mut set = |name: &str, value: String| properties.insert(name.to_owned(), value);
        set("security.protocol", self.security.word().to_owned());
        if self.security.is_tls() {
            let files = [
                ("ssl.ca.location", &self.ca_file),
                ("ssl.certificate.location", &self.certificate_file),
                ("ssl.key.location", &self.key_file),
            ];
            for (name, file) in files.into_iter().filter(|(_, file)| !file.as_os_str().is_empty()) {
                set(name, file.display().to_string());
            }
        }
        if self.security.is_sasl() {
            let password = self.sasl_password.or_in(&self.sasl_password_file, "kafka.sasl_password_file")?;
            set("sasl.mechanism", self.sasl_mechanism.clone());
            set("sasl.username", self.sasl_username.clone());
            set("sasl.password", password);
        }
        Ok(properties)
    }
}

/// Takes over what is given; what the defaults do not know is refused.
fn lay_over(table: &mut Table, given: Table, within: &str) -> anyhow::Result<()> {
    for (name, value) in given {
        let known = table.get_mut(&name).with_context(|| {
            format!("there is no setting `{within}{name}`: `gridward config` lists all / 没有名为「{within}{name}」的设置")
        })?;
        match (known, value) {
            (Value::Table(known), Value::Table(given)) => {
                lay_over(known, given, &format!("{within}{name}."))?;
            }
            (known, value) => *known = value,
        }
    }
    Ok(())
}

/// Takes over what the environment says, each in the kind the default has.
fn from_environment(
    table: &mut Table,
    environment: impl Iterator<Item = (String, String)>,
) -> anyhow::Result<()> {
    let given: Vec<(String, String)> =
        environment.filter(|(name, _)| name.starts_with(ENVIRONMENT)).collect();
    let said = |name: &str| given.iter().find(|(given, _)| given == name).map(|(_, value)| value);
    for (name, value) in table.iter_mut() {
        let upper = format!("{ENVIRONMENT}{}", name.to_uppercase());
        if let Value::Table(inner) = value {
            for (name, value) in inner.iter_mut() {
                let name = format!("{upper}_{}", name.to_uppercase());
                take(value, &name, said(&name))?;
            }
        } else {
            take(value, &upper, said(&upper))?;
        }
    }
    Ok(())
}

/// The names in the environment that look like a setting of a section and are none: most likely mistyped. What
/// Kubernetes sets for a service called `gridward-kafka-…` is not meant.
pub fn unknown_in(environment: impl Iterator<Item = (String, String)>) -> Vec<String> {
    let table: Table = DEFAULTS.parse().expect("the page of defaults is TOML: a test reads it");
    let sections: Vec<(String, &Table)> = table
        .iter()
        .filter_map(|(name, value)| {
            Some((format!("{ENVIRONMENT}{}_", name.to_uppercase()), value.as_table()?))
        })
        .collect();
    let of_kubernetes =
        |name: &str| name.ends_with("_SERVICE_HOST") || name.ends_with("_PORT") || name.contains("_PORT_");
    let is_none = |name: &String| {
        sections.iter().any(|(begin, section)| {
            name.strip_prefix(begin.as_str()).is_some_and(|rest| {
                !of_kubernetes(name) && !section.keys().any(|key| key.to_uppercase() == rest)
            })
        })
    };
    let mut unknown: Vec<String> = environment.map(|(name, _)| name).filter(is_none).collect();
    unknown.sort_unstable();
    unknown
}

fn take(value: &mut Value, name: &str, said: Option<&String>) -> anyhow::Result<()> {
    let Some(said) = said else { return Ok(()) };
    *value =
        match value {
            Value::Integer(_) => Value::Integer(said.parse().with_context(|| {
                format!("{name} is `{said}`, and must be a whole number / {name} 应为整数")
            })?),
            _ => Value::String(said.clone()),
        };
    Ok(())
}

/// A password as it stands in a URL (RFC 3986, 2.1).
fn in_url(password: &str) -> String {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~".contains(&byte);
    password
        .bytes()
        .map(|byte| if plain(byte) { char::from(byte).to_string() } else { format!("%{byte:02X}") })
        .collect()
}
