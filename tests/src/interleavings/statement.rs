//! What a statement does that another session can notice, read from its words.
//!
//! Where the next statements of two sessions cannot notice each other, both orders come to the same, and one of them is
//! enough. The sessions run at READ COMMITTED: each statement sees what was committed when it began, and nothing of what
//! others are about to commit; it waits only where others have locked or written the same rows. Which rows those are is
//! not asked: of one table any two count as the same.
//!
//! A rollback is no step of its own: what is rolled back is seen by nobody, so whoever waits for it comes to the same as
//! whoever comes after it. It follows at once upon the statement before it.

use std::collections::BTreeSet;

/// Names of tables.
pub type Tables = BTreeSet<String>;

/// What waiting for one of the database's own locks counts as a table of.
const ADVISORY: &str = "(advisory locks)";
/// What a relay has read of an outbox it carries to the topics at once, which no database knows of.
const TOPICS: &str = "(topics)";

/// A statement that is to be carried out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Step {
    pub text: String,
    /// It sees what others have committed to these.
    reads: Tables,
    /// It locks rows of these or writes them. Nobody sees that yet, but whoever does the same may have to wait.
    holds: Tables,
    /// With it others see what was written to these, and need wait no longer.
    frees: Tables,
    /// It ends one of two that wait for each other: nothing else may come first.
    parts: bool,
}

impl Step {
    /// A statement that waits for the other session, which waits for it, is ended as PostgreSQL would end it.
    pub fn parting() -> Self {
        let text = "is ended, so that the other goes on".to_owned();
        Self { text, reads: Tables::new(), holds: Tables::new(), frees: Tables::new(), parts: true }
    }

    /// Whether it makes no difference which of the two comes first.
    pub fn commutes_with(&self, other: &Self) -> bool {
        if self.parts || other.parts {
            return false;
        }
        let sees = |one: &Self, another: &Self| {
            !one.frees.is_disjoint(&another.reads) || !one.frees.is_disjoint(&another.holds)
        };
        self.holds.is_disjoint(&other.holds) && !sees(self, other) && !sees(other, self)
    }

    /// What it does, and its words, as many as tell what it is.
    pub fn told(&self) -> String {
        let tables = |of: &Tables| of.iter().map(String::as_str).collect::<Vec<_>>().join(", ");
        if self.parts {
            return self.text.clone();
        }
        if self.text.eq_ignore_ascii_case("commit") {
            let nothing = self.frees.is_empty();
            return if nothing { "ends".to_owned() } else { format!("commits {}", tables(&self.frees)) };
        }
        let only_reads = self.holds.iter().all(|table| table == TOPICS);
        let does = match (self.frees.is_empty(), only_reads) {
            (false, _) => format!("writes and commits {}", tables(&self.frees)),
            (true, true) => format!("reads {}", tables(&self.reads)),
            (true, false) => format!("locks or writes {}", tables(&self.holds)),
        };
        format!("{does}: {}", short(&self.text))
    }
}

/// The first words of a statement, on one line.
fn short(text: &str) -> String {
    let words: Vec<&str> = text.split_whitespace().collect();
    let text = words.join(" ");
    match text.char_indices().nth(110) {
        Some((end, _)) => format!("{} …", &text[..end]),
        None => text,
    }
}

/// The transaction of a session, if one is open: what it has locked or written so far.
#[derive(Debug, Default)]
pub struct Transaction(Option<Tables>);

impl Transaction {
    /// What carrying out `text` is; nothing where nobody could notice. `known` are the tables there are.
    pub fn step(&mut self, text: &str, known: &Tables) -> Option<Step> {
        let lower = text.to_lowercase();
        let step =
            |reads, holds, frees| Some(Step { text: text.to_owned(), reads, holds, frees, parts: false });
        match words(&lower).next()? {
            // It sees nothing and holds nothing: what is seen is decided by each statement.
            "begin" => {
                self.0 = Some(Tables::new());
                return None;
            }
            "commit" => {
                let held = self.0.take().unwrap_or_default();
                return step(Tables::new(), Tables::new(), held);
            }
            "rollback" => {
                self.0 = None;
                return None;
            }
            _ => {}
        }
        // What the client has to know about types.
        if lower.contains("pg_catalog") {
            return None;
        }
        let mut tables: Tables =
            words(&lower).filter(|word| known.contains(*word)).map(str::to_owned).collect();
        let (plain, locks) = without_locks(&lower);
        let writes = words(&plain).any(|word| ["insert", "update", "delete"].contains(&word));
        let advisory = lower.contains("pg_advisory");
        if !(writes || locks || advisory) {
            let carried = tables.iter().any(|table| table.ends_with("_outbox"));
            let holds = if carried { Tables::from([TOPICS.to_owned()]) } else { Tables::new() };
            return step(tables, holds, Tables::new());
        }
        if advisory {
            tables.insert(ADVISORY.to_owned());
        }
        match &mut self.0 {
            Some(held) => {
                held.extend(tables.iter().cloned());
                step(tables.clone(), tables, Tables::new())
            }
            // A transaction by itself.
            None => step(tables.clone(), tables.clone(), tables),
        }
    }
}

/// The statement without the words that lock what it reads, and whether there were any.
fn without_locks(lower: &str) -> (String, bool) {
    let plain = lower.replace("for update", "").replace("for share", "");
    let locks = plain.len() < lower.len();
    (plain, locks)
}

fn words(text: &str) -> impl Iterator<Item = &str> {
    text.split(|mark: char| !(mark.is_alphanumeric() || mark == '_')).filter(|word| !word.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn known() -> Tables {
        ["handle_case", "handle_sequence", "handle_outbox"].map(str::to_owned).into()
    }

    /// The steps of one transaction.
    fn steps(texts: &[&str]) -> Vec<Step> {
        let mut transaction = Transaction::default();
        texts.iter().filter_map(|text| transaction.step(text, &known())).collect()
    }

    const LOCK: &str = "WITH locked AS (SELECT last FROM handle_sequence FOR UPDATE) SELECT * FROM locked";
    const READ: &str = "SELECT * FROM \"handle_case\"";
    const WRITE: &str = "INSERT INTO handle_case (incident) VALUES ($1)";

    #[test]
    fn who_reads_notices_a_commit_and_no_write_before_it() {
        let turn = steps(&["BEGIN", WRITE, "COMMIT"]);
        let other = steps(&["BEGIN", READ, LOCK]);
        assert_eq!(turn.len(), 2, "a transaction that has only begun is nobody's business");
        assert!(other[0].commutes_with(&turn[0]) && turn[0].commutes_with(&other[0]));
        assert!(!other[0].commutes_with(&turn[1]) && !turn[1].commutes_with(&other[0]));
        assert!(other[1].commutes_with(&turn[1]), "another table");
    }

    #[test]
    fn who_locks_or_writes_meets_whoever_does_the_same_and_the_end_of_both() {
        let (one, other) = (steps(&["BEGIN", LOCK, WRITE, "COMMIT"]), steps(&["BEGIN", LOCK, "COMMIT"]));
        assert!(!one[0].commutes_with(&other[0]));
        assert!(!one[0].commutes_with(&other[1]) && !other[1].commutes_with(&one[0]));
        assert!(one[1].commutes_with(&other[0]) && one[1].commutes_with(&other[1]), "another table");
        assert!(one[2].commutes_with(&other[1]), "two ends");
    }

    #[test]
    fn what_is_rolled_back_was_nothing_and_what_parts_two_comes_before_all_else() {
        let turn = steps(&["BEGIN", LOCK, "ROLLBACK", "BEGIN", READ, "COMMIT"]);
        assert_eq!(turn.len(), 3, "no rollback");
        let (read, end) = (&turn[1], &turn[2]);
        assert!(end.commutes_with(&turn[0]), "nothing was locked any more");
        assert!(read.commutes_with(end));
        assert!(!read.commutes_with(&Step::parting()) && !Step::parting().commutes_with(read));
    }

    #[test]
    fn a_step_says_what_it_does() {
        let told = |texts: &[&str]| steps(texts).iter().map(Step::told).collect::<Vec<_>>();
        let turn = told(&["BEGIN", LOCK, READ, WRITE, "COMMIT"]);
        assert!(turn[0].starts_with("locks or writes handle_sequence: WITH locked"), "{}", turn[0]);
        assert_eq!(turn[1], "reads handle_case: SELECT * FROM \"handle_case\"");
        assert_eq!(turn[3], "commits handle_case, handle_sequence");
        assert!(told(&[WRITE])[0].starts_with("writes and commits handle_case: INSERT"));
        assert_eq!(told(&["BEGIN", READ, "COMMIT"])[1], "ends");
    }

    #[test]
    fn a_statement_by_itself_is_a_transaction() {
        let (alone, reader) = (steps(&[WRITE]), steps(&[READ]));
        assert!(!alone[0].commutes_with(&reader[0]));
        assert!(reader[0].commutes_with(&reader[0]));
        let carried = steps(&["SELECT id FROM handle_outbox WHERE published_at IS NULL"]);
        assert!(!carried[0].commutes_with(&carried[0]), "what is read is carried at once");
    }
}
