//! `gridward strays SERVICE`: facts on a service's own topic that it never wrote, or does not know any more. As long as
//! there are any it does not start, for it could publish others under their names. This lists them and, when it is told
//! who answers for it, takes note of them.

use std::process::ExitCode;

use anyhow::Context;
use clap::Args;
use domain::facts::Topic;
use platform::clock::Clock;
use platform::store::strays::Note;
use platform::stream::Record;

use super::{Config, say};
use crate::own_topic::{Noted, note, strays};
use crate::servers::{database_as_it_is, services_of};

#[derive(Debug, Args)]
pub struct Strays {
    /// discover, route, handle, supervise or partner.
    #[arg(value_name = "SERVICE", value_parser = ["discover", "route", "handle", "supervise", "partner"])]
    service: String,
    #[command(flatten)]
    config: Config,
    /// Take note of them, so that the service starts: their names are never given again, and the audit tells of them.
    /// What their readers made of them stays. First see whether the database can be restored to a later time.
    #[arg(long, requires_all = ["by", "why"])]
    note: bool,
    /// Who answers for it.
    #[arg(long, value_name = "NAME", requires = "note", value_parser = clap::builder::NonEmptyStringValueParser::new())]
    by: Option<String>,
    /// What is known of where they came from.
    #[arg(long, value_name = "TEXT", requires = "note", value_parser = clap::builder::NonEmptyStringValueParser::new())]
    why: Option<String>,
}

impl Strays {
    pub async fn run(self) -> anyhow::Result<ExitCode> {
        let settings = self.config.load()?;
        let service = services_of(&settings).await?.into_iter().find(|name| *name == self.service);
        let service = service.context("there is no such service in this office")?;
        let topic = Topic::ALL.into_iter().find(|topic| topic.written_by() == service);
        let topic = topic.context("it writes no topic")?;
        let store = database_as_it_is(service, &settings, 2).await?;
        let found = strays(service, topic, &store, &settings.stream()?).await?;
        for stray in &found {
            say(line(stray));
        }
        match (self.note, self.by.zip(self.why)) {
            _ if found.is_empty() => {
                say(format_args!("{service} knows all of its topic / {service} 的主题上没有无主事实"));
            }
            (true, Some((by, why))) => {
                let at = store.now(store.readers(), &Clock::Host).await?;
                tell(&note(service, topic, &store, found, &Note { by, why, at }).await?);
            }
            _ => say(format_args!(
                "{0} facts that {service} does not know: restore its database to a later time, if there is one; if not, \
                 --note --by NAME --why TEXT takes note of them / {service} 不知道的事实共 {0} 条：如能将数据库恢复到更晚的时间点，\
                 请先恢复；否则加 --note --by 姓名 --why 原因 登记",
                found.len()
            )),
        }
        store.close().await?;
        Ok(ExitCode::SUCCESS)
    }
}

fn line(stray: &Record) -> String {
    let (partition, position) = (stray.source.partition, stray.position);
    format!("{}  {}  partition {partition} position {position}  {}", stray.name(), stray.at, stray.cause)
}

fn tell(Noted { taken_over, noted, gaps }: &Noted) {
    if *taken_over > 0 {
        say(format_args!("took {taken_over} facts over, as at a start / 已从主题追补 {taken_over} 条"));
    }
    say(format_args!(
        "took note of {0} facts; the service can start, and `gridward audit` tells of them / 已登记 {0} 条无主事实，\
         服务可以启动，核查报告会列出",
        noted.len()
    ));
    for incident in gaps {
        say(format_args!(
            "{incident}: a fact is missing before one that was noted, so its readers park what follows / \
             该事件缺少前面的事实，后续事实将被挂起"
        ));
    }
}
