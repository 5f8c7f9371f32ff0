//! What is planted in a file, planted on servers: the log is there an outbox of each service.

use super::copied::SERVICES;

/// What a file has and a server has not: a time that is no time, a log's identity, a table of another service
/// to copy from.
pub const IN_A_FILE_ONLY: [&str; 3] = ["opened_at = 'soon'", "log_identity", "INSERT INTO handle_parked"];

/// SQLite's functions on JSON, as far as the corruptions use them.
pub const FUNCTIONS: &str = "
CREATE FUNCTION sqlite_path(path text) RETURNS text[] IMMUTABLE LANGUAGE sql AS
    $$ SELECT string_to_array(ltrim(translate(replace(path, '$', ''), '[]', '.'), '.'), '.') $$;
CREATE FUNCTION json_set(body text, path text, value text) RETURNS text IMMUTABLE LANGUAGE sql AS
    $$ SELECT jsonb_set(body::jsonb, sqlite_path(path), to_jsonb(value))::text $$;
CREATE FUNCTION json_set(body text, path text, value integer) RETURNS text IMMUTABLE LANGUAGE sql AS
    $$ SELECT jsonb_set(body::jsonb, sqlite_path(path), to_jsonb(value))::text $$;
CREATE FUNCTION json_set(body text, path text, value double precision) RETURNS text IMMUTABLE LANGUAGE sql AS
    $$ SELECT jsonb_set(body::jsonb, sqlite_path(path), to_jsonb(value))::text $$;
CREATE FUNCTION json_set(body text, path text, value json) RETURNS text IMMUTABLE LANGUAGE sql AS
    $$ SELECT jsonb_set(body::jsonb, sqlite_path(path), value::jsonb)::text $$;
CREATE FUNCTION json_remove(body text, path text) RETURNS text IMMUTABLE LANGUAGE sql AS
    $$ SELECT (body::jsonb #- sqlite_path(path))::text $$;
";

/// Each statement, and the service in whose database it is run.
pub fn statements(sql: &str, id: &str) -> Vec<(&'static str, String)> {
    sql.split("; ").map(|statement| (service(statement), rendered(statement, id))).collect()
}

fn rendered(statement: &str, id: &str) -> String {
    let outbox = format!("{}_outbox", service(statement));
    let mut sql = statement.replace("ID", &format!("'{id}'"));
    for before in ["FROM", "UPDATE", "INTO"] {
        sql = sql.replace(&format!("{before} log "), &format!("{before} {outbox} "));
    }
    sql
}

fn service(statement: &str) -> &'static str {
    let owns = |(service, topic, _): &&(&str, domain::facts::Topic, _)| {
        statement.contains(&format!("{service}_"))
            || (statement.contains(" log ") && statement.contains(&format!("topic = '{topic}'")))
    };
    // Facts of the case are told by their types.
    SERVICES.iter().find(owns).map_or("handle", |(service, ..)| service)
}
