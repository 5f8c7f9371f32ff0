//! Rows of the services' tables, loaded by incident and saved many at a time.
//!
//! On PostgreSQL a statement has one text for any number of rows, with an array for each column: a text that names
//! each value apart is parsed and planned anew for each number of rows, and that costs more than the rows do.

use domain::id::IncidentId;
use sea_orm::ActiveValue::{NotSet, Set, Unchanged};
use sea_orm::sea_query::extension::postgres::PgFunc;
use sea_orm::sea_query::{ArrayType, Expr, ExprTrait, OnConflict, Query};
use sea_orm::{
    ActiveModelTrait, ColumnTrait, ConnectionTrait, DbBackend, EntityName, EntityTrait, IdenStatic, Iterable,
    PrimaryKeyToColumn, QueryFilter, Statement, Value,
};
use uuid::Uuid;

use super::{Doing, ROWS_PER_INSERT, StoreError, Tx};

type Column<A> = <<A as ActiveModelTrait>::Entity as EntityTrait>::Column;

/// What becomes of a row whose key is there already.
enum There<C> {
    /// It must not be.
    Fails,
    Replaced,
    /// The number in this column is added to the one that is there.
    Added(C),
}

/// Loads the rows of `incidents`, by the column that holds the incident.
///
/// # Errors
/// When the database fails.
pub async fn load<E: EntityTrait>(
    on: &impl ConnectionTrait,
    column: E::Column,
    incidents: &[IncidentId],
    doing: &'static str,
) -> Result<Vec<E::Model>, StoreError> {
    let ids = incidents.iter().map(|incident| incident.0);
    if on.get_database_backend() == DbBackend::Postgres {
        let ids: Vec<Uuid> = ids.collect();
        let among = Expr::col((E::default(), column)).eq(PgFunc::any(Expr::value(ids)));
        return E::find().filter(among).all(on).await.doing(doing);
    }
    let mut rows = Vec::with_capacity(incidents.len());
    for some in incidents.chunks(ROWS_PER_INSERT) {
        let among = column.is_in(some.iter().map(|incident| incident.0));
        rows.extend(E::find().filter(among).all(on).await.doing(doing)?);
    }
    Ok(rows)
}

/// Inserts `rows`, whose keys are new.
///
/// # Errors
/// When the database fails, or a key is there.
pub async fn insert<A: ActiveModelTrait>(
    tx: &Tx,
    rows: Vec<A>,
    doing: &'static str,
) -> Result<(), StoreError> {
    write(tx, rows, &There::Fails, doing).await
}

/// Inserts `rows`, each in place of the one of the same key.
///
/// # Errors
/// When the database fails.
pub async fn replace<A: ActiveModelTrait>(
    tx: &Tx,
    rows: Vec<A>,
    doing: &'static str,
) -> Result<(), StoreError> {
    write(tx, rows, &There::Replaced, doing).await
}

/// Inserts `rows`, adding what they have in `column` to what a row of the same key has.
///
/// # Errors
/// When the database fails.
pub async fn add<A: ActiveModelTrait>(
    tx: &Tx,
    rows: Vec<A>,
    column: Column<A>,
    doing: &'static str,
) -> Result<(), StoreError> {
    write(tx, rows, &There::Added(column), doing).await
}

async fn write<A: ActiveModelTrait>(
    tx: &Tx,
    rows: Vec<A>,
    there: &There<Column<A>>,
    doing: &'static str,
) -> Result<(), StoreError> {
    if rows.is_empty() {
        return Ok(());
    }
    if tx.get_database_backend() == DbBackend::Postgres {
        tx.execute_raw(in_arrays(&rows, there)).await.doing(doing)?;
        return Ok(());
    }
    let mut rows = rows.into_iter().peekable();
    while rows.peek().is_some() {
        let some: Vec<A> = rows.by_ref().take(ROWS_PER_INSERT).collect();
        let insert = A::Entity::insert_many(some);
        let insert = match conflict::<A>(there) {
            Some(conflict) => insert.on_conflict(conflict),
            None => insert,
        };
        insert.exec_without_returning(tx).await.doing(doing)?;
    }
    Ok(())
}

fn key<A: ActiveModelTrait>() -> Vec<Column<A>> {
    <<A::Entity as EntityTrait>::PrimaryKey as Iterable>::iter()
        .map(PrimaryKeyToColumn::into_column)
        .collect()
}

fn conflict<A: ActiveModelTrait>(there: &There<Column<A>>) -> Option<OnConflict> {
    let key = key::<A>();
    let mut conflict = OnConflict::columns(key.clone());
    Some(match there {
        There::Fails => return None,
        There::Replaced => {
            let is_key = |column: &Column<A>| key.iter().any(|key| key.as_str() == column.as_str());
            conflict.update_columns(Column::<A>::iter().filter(|column| !is_key(column))).to_owned()
        }
        There::Added(column) => {
            let sum = Expr::col((A::Entity::default(), *column))
                .add(Expr::cust(format!("excluded.{}", column.as_str())));
            conflict.value(*column, sum).to_owned()
        }
    })
}

/// One statement of one text for any number of `rows`. An array of a statement's holds no NULL, so a column that may
/// be empty goes in two: its values, and whether they are there.
fn in_arrays<A: ActiveModelTrait>(rows: &[A], there: &There<Column<A>>) -> Statement {
    let (mut names, mut picked, mut given, mut kinds) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
    let mut arrays: Vec<Value> = Vec::new();
    for column in Column::<A>::iter() {
        let name = column.as_str();
        let values: Vec<Value> = rows.iter().map(|row| value(row, column)).collect();
        names.push(format!("\"{name}\""));
        given.push(format!("\"{name}\""));
        if column.def().is_null() {
            picked.push(format!("CASE WHEN \"{name} there\" THEN \"{name}\" END"));
            given.push(format!("\"{name} there\""));
            let is_there: Vec<bool> = values.iter().map(Value::is_some).collect();
            let filled =
                values.into_iter().map(|value| if value.is_some() { value } else { value.dummy_value() });
            push(filled.collect(), &mut kinds, &mut arrays);
            push(is_there.into_iter().map(Value::from).collect(), &mut kinds, &mut arrays);
        } else {
            picked.push(format!("\"{name}\""));
            push(values, &mut kinds, &mut arrays);
        }
    }
    let table = A::Entity::default().table_name().to_owned();
    let places: Vec<String> =
        kinds.iter().enumerate().map(|(n, kind)| format!("${}::{kind}[]", n + 1)).collect();
    let mut sql = format!(
        "INSERT INTO {table} ({}) SELECT {} FROM unnest({}) AS given ({})",
        names.join(", "),
        picked.join(", "),
        places.join(", "),
        given.join(", ")
    );
    if let Some(conflict) = conflict::<A>(there) {
        sql += &on_conflict(&conflict);
    }
    Statement::from_sql_and_values(DbBackend::Postgres, sql, arrays)
}

/// The words of `conflict` alone: they are those behind an insert of nothing.
fn on_conflict(conflict: &OnConflict) -> String {
    let insert = Query::insert().into_table("t").on_conflict(conflict.clone()).to_owned();
    let (sql, _) = insert.build(sea_orm::sea_query::PostgresQueryBuilder);
    sql.find(" ON CONFLICT").map_or_else(String::new, |at| sql[at..].to_owned())
}

fn value<A: ActiveModelTrait>(row: &A, column: Column<A>) -> Value {
    match row.get(column) {
        Set(value) | Unchanged(value) => value,
        NotSet => {
            panic!("a row of {} is saved without its {}", A::Entity::default().table_name(), column.as_str())
        }
    }
}

fn push(values: Vec<Value>, kinds: &mut Vec<&'static str>, arrays: &mut Vec<Value>) {
    let array = values.first().map_or(ArrayType::String, Value::array_type);
    kinds.push(match array {
        ArrayType::Bool => "bool",
        ArrayType::Int => "int",
        ArrayType::BigInt => "bigint",
        ArrayType::Double => "double precision",
        ArrayType::String => "text",
        ArrayType::Uuid => "uuid",
        ArrayType::ChronoDateTimeUtc => "timestamptz",
        other => panic!("no row of ours has a column of {other:?}"),
    });
    arrays.push(Value::Array(array, Some(Box::new(values))));
}
