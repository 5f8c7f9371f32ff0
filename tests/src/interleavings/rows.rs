//! What a service keeps, as it can be compared: every row of every table, without what differs from run to run; and
//! what must be so of the facts it has drawn, however they came about.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

use anyhow::Context;
use platform::store::get;
use sea_orm::{ConnectionTrait, DatabaseConnection, DbBackend, Statement};
use serde_json::Value;

/// All rows, by table, each table's in one order.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Rows(BTreeMap<String, Vec<String>>);

impl Rows {
    /// Adds what is kept elsewhere.
    pub fn add(&mut self, name: &str, rows: Vec<String>) {
        self.0.insert(name.to_owned(), rows);
    }

    /// What is otherwise in one than in the other, line by line.
    pub fn differences(&self, other: &Self) -> String {
        let (mut text, nothing) = (String::new(), Vec::new());
        let names: BTreeSet<&String> = self.0.keys().chain(other.0.keys()).collect();
        for name in names {
            let (ours, theirs) =
                (self.0.get(name).unwrap_or(&nothing), other.0.get(name).unwrap_or(&nothing));
            let alone = |some: &[String], others: &[String]| -> Vec<String> {
                some.iter().filter(|row| !others.contains(row)).cloned().collect()
            };
            for line in apart(&alone(ours, theirs), &alone(theirs, ours)) {
                let _ = writeln!(text, "      {name}: {line}");
            }
            if ours != theirs && text.is_empty() {
                let _ = writeln!(text, "      {name}: the same rows, not as often");
            }
        }
        text
    }

    /// Tables whose rows are not the same, or may not be, since something of them is not compared.
    fn changed<'a>(&'a self, before: &'a Self) -> impl Iterator<Item = &'a String> {
        let differs = |name: &String, rows| before.0.get(name) != Some(rows) || as_json(name) != WHOLE;
        self.0.iter().filter(move |(name, rows)| differs(name, rows)).map(|(name, _)| name)
    }
}

/// Rows that only one of two has, a line for each: where both have as many, what differs in each.
fn apart(here: &[String], there: &[String]) -> Vec<String> {
    let columns = |row: &String| serde_json::from_str::<serde_json::Map<String, Value>>(row).ok();
    if here.len() != there.len() {
        let only = |rows: &[String], place: &str| -> Vec<String> {
            rows.iter().map(|row| format!("only {place}: {row}")).collect()
        };
        return [only(here, "here"), only(there, "there")].concat();
    }
    let tell = |(here, there): (&String, &String)| {
        let (Some(ours), Some(theirs)) = (columns(here), columns(there)) else {
            return format!("here {here}, there {there}");
        };
        let (same, other): (Vec<_>, Vec<_>) =
            ours.iter().partition(|(name, value)| theirs.get(*name) == Some(*value));
        let of: Vec<String> = same
            .iter()
            .filter(|(_, value)| !value.is_null() && value.to_string().len() <= 40)
            .take(4)
            .map(|(name, value)| format!("{name} {value}"))
            .collect();
        let differ: Vec<String> = other
            .iter()
            .map(|(name, value)| {
                let value = value.to_string();
                let otherwise = theirs.get(*name).map_or_else(String::new, ToString::to_string);
                let from = value.chars().zip(otherwise.chars()).take_while(|(a, b)| a == b).count();
                format!("{name} is here {}, there {}", clipped(&value, from), clipped(&otherwise, from))
            })
            .collect();
        format!("({}) {}", of.join(", "), differ.join("; "))
    };
    here.iter().zip(there).map(tell).collect()
}

/// Of a long text what is around its character at `from`.
fn clipped(text: &str, from: usize) -> String {
    let length = text.chars().count();
    if length <= 80 {
        return text.to_owned();
    }
    let begin = from.saturating_sub(30);
    let piece: String = text.chars().skip(begin).take(70).collect();
    let (before, behind) = (if begin > 0 { "…" } else { "" }, if begin + 70 < length { "…" } else { "" });
    format!("{before}{piece}{behind}")
}

/// The tables of a service as they were when it was last kept.
#[derive(Debug)]
pub struct Kept {
    select: String,
    first: Rows,
}

/// Tables of `service`, or of all; those of migrations are nobody's.
pub async fn tables(on: &DatabaseConnection, service: &str) -> anyhow::Result<BTreeSet<String>> {
    let sql = "SELECT CAST(tablename AS text) AS name FROM pg_tables WHERE schemaname = 'public' \
               AND tablename LIKE $1 AND tablename NOT LIKE '%migration%'";
    let like = format!("{}%", service.replace('_', "\\_"));
    let asked = Statement::from_sql_and_values(DbBackend::Postgres, sql, [like.into()]);
    let rows = on.query_all_raw(asked).await?;
    rows.iter().map(|row| Ok(get(row, "name")?)).collect()
}

/// Forgets all rows there are.
pub async fn empty(on: &DatabaseConnection) -> anyhow::Result<()> {
    let all = tables(on, "").await?;
    batch(on, all.iter().map(|table| format!("DELETE FROM {table};"))).await
}

impl Kept {
    /// Keeps the rows of `service` as they are.
    pub async fn of(on: &DatabaseConnection, service: &str) -> anyhow::Result<Self> {
        let tables = tables(on, &format!("{service}_")).await?;
        let copy = |table: &String| {
            format!("DROP TABLE IF EXISTS kept.{table}; CREATE TABLE kept.{table} AS TABLE public.{table};")
        };
        let schema = "CREATE SCHEMA IF NOT EXISTS kept;".to_owned();
        batch(on, [schema].into_iter().chain(tables.iter().map(copy))).await?;
        let of_table = |table: &String| {
            let row = as_json(table);
            format!(
                "SELECT '{table}' AS name, CAST(coalesce(jsonb_agg(r ORDER BY CAST(r AS text)), '[]') AS text) AS rows \
                 FROM (SELECT {row} AS r FROM public.{table} AS t) AS x"
            )
        };
        let broken = format!(
            "SELECT '(broken promises)' AS name, CAST(coalesce(jsonb_agg(what ORDER BY what), '[]') AS text) AS rows \
             FROM ({}) AS broken",
            promises(service, &tables)
        );
        let select = tables.iter().map(of_table).chain([broken]).collect::<Vec<_>>().join(" UNION ALL ");
        let first = read(on, &select).await?;
        Ok(Self { select, first })
    }

    /// The rows as they are now.
    pub async fn rows(&self, on: &DatabaseConnection) -> anyhow::Result<Rows> {
        read(on, &self.select).await
    }

    /// Puts the rows back that were kept, where `now` shows others.
    pub async fn restore(&self, on: &DatabaseConnection, now: &Rows) -> anyhow::Result<()> {
        let back = now.changed(&self.first).filter(|name| self.first.0.contains_key(*name));
        let back = back.filter(|name| !name.starts_with('('));
        batch(
            on,
            back.map(|table| {
                format!("DELETE FROM public.{table}; INSERT INTO public.{table} SELECT * FROM kept.{table};")
            }),
        )
        .await
    }
}

/// A row with everything in it.
const WHOLE: &str = "to_jsonb(t)";

/// One row as it can be compared: times that are the database's own and numbers drawn by the way differ each time.
fn as_json(table: &str) -> String {
    match table.rsplit('_').next() {
        Some("outbox") => "to_jsonb(t) - CAST('{id,published_at}' AS text[]) || \
                           jsonb_build_object('published', t.published_at IS NOT NULL)"
            .to_owned(),
        Some("lease") => "to_jsonb(t) - 'until'".to_owned(),
        // A hash has its own salt.
        Some("account") => "to_jsonb(t) - 'phc'".to_owned(),
        _ => WHOLE.to_owned(),
    }
}

/// What of these tables cannot be so, a text for each.
fn promises(service: &str, tables: &BTreeSet<String>) -> String {
    let outbox = format!("{service}_outbox");
    if !tables.contains(&outbox) {
        return "SELECT CAST('' AS text) AS what WHERE false".to_owned();
    }
    let mut all = vec![
        format!(
            "SELECT 'a gap in the facts of ' || topic || '/' || incident AS what FROM {outbox} \
             GROUP BY topic, incident HAVING min(sequence) <> 1 OR max(sequence) <> count(*)"
        ),
        format!(
            "SELECT 'fact ' || late.sequence || ' of ' || late.incident || ' would be sent before an earlier one' \
             FROM {outbox} AS early JOIN {outbox} AS late ON late.topic = early.topic \
             AND late.incident = early.incident AND late.sequence > early.sequence AND late.id < early.id"
        ),
        format!(
            "SELECT 'the last fact of ' || o.incident || ' is not the last that was drawn' FROM \
             (SELECT topic, incident, max(sequence) AS last FROM {outbox} GROUP BY topic, incident) AS o \
             LEFT JOIN {service}_sequence AS s ON s.topic = o.topic AND s.incident = o.incident \
             WHERE s.last IS DISTINCT FROM o.last"
        ),
    ];
    if service == "handle" {
        all.push(
            "SELECT 'the case ' || c.incident || ' is not as its last fact tells' FROM handle_case AS c \
             JOIN handle_outbox AS o ON o.incident = c.incident AND o.sequence = \
             (SELECT max(sequence) FROM handle_outbox WHERE incident = c.incident) \
             WHERE (CAST(o.body AS jsonb) -> 'case' ->> 'holder', CAST(o.body AS jsonb) -> 'case' ->> 'state', \
             CAST(CAST(o.body AS jsonb) -> 'case' ->> 'revision' AS integer)) \
             IS DISTINCT FROM (CAST(c.holder AS text), CAST(c.state AS text), c.revision)"
                .to_owned(),
        );
        all.push(
            "SELECT 'the history of ' || o.incident || ' and its facts differ' FROM handle_outbox AS o \
             LEFT JOIN handle_history AS h ON h.incident = o.incident AND h.sequence = o.sequence \
             WHERE h.kind IS DISTINCT FROM o.kind"
                .to_owned(),
        );
    }
    all.join(" UNION ALL ")
}

async fn read(on: &DatabaseConnection, select: &str) -> anyhow::Result<Rows> {
    let found = on.query_all_raw(Statement::from_string(DbBackend::Postgres, select)).await?;
    let mut rows = Rows::default();
    for row in &found {
        let (name, text): (String, String) = (get(row, "name")?, get(row, "rows")?);
        let values: Vec<Value> = serde_json::from_str(&text).with_context(|| name.clone())?;
        rows.add(&name, values.iter().map(ToString::to_string).collect());
    }
    Ok(rows)
}

/// Carries out `statements` together.
async fn batch(on: &DatabaseConnection, statements: impl Iterator<Item = String>) -> anyhow::Result<()> {
    let statements: Vec<String> = statements.collect();
    if statements.is_empty() {
        return Ok(());
    }
    let begin = "BEGIN; SET LOCAL synchronous_commit = off;";
    on.execute_unprepared(&format!("{begin} {} COMMIT;", statements.concat())).await?;
    Ok(())
}

/// What a statement counts.
pub async fn count(on: &DatabaseConnection, sql: &str) -> anyhow::Result<i64> {
    let asked = Statement::from_string(DbBackend::Postgres, format!("SELECT ({sql}) AS n"));
    let row = on.query_one_raw(asked).await?.context("a row")?;
    Ok(get(&row, "n")?)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(rows: &[&str]) -> Rows {
        let mut all = Rows::default();
        all.add("handle_case", rows.iter().map(|row| (*row).to_owned()).collect());
        all
    }

    #[test]
    fn rows_that_differ_are_told_by_what_differs_in_them() {
        let one = r#"{"incident":"i1","revision":2,"state":"CLOSED"}"#;
        let other = r#"{"incident":"i1","revision":3,"state":"CLOSED"}"#;
        let told = of(&[one]).differences(&of(&[other]));
        assert_eq!(
            told,
            "      handle_case: (incident \"i1\", state \"CLOSED\") revision is here 2, there 3\n"
        );
        assert_eq!(of(&[one]).differences(&of(&[one])), "");
        assert_eq!(of(&[one]).differences(&of(&[])), format!("      handle_case: only here: {one}\n"));
        assert_eq!(
            of(&[one, one]).differences(&of(&[one])),
            "      handle_case: the same rows, not as often\n"
        );
    }

    #[test]
    fn of_long_texts_only_what_is_around_the_difference_is_told() {
        let text = |mark: &str| format!("{}{mark}{}", "a".repeat(100), "b".repeat(100));
        let told = clipped(&text("X"), 100);
        assert!(told.starts_with('…') && told.contains("aX") && told.ends_with('…'), "{told}");
        assert!(told.chars().count() < 80);
    }
}
