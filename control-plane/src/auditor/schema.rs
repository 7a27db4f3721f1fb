//! Whether the refusals that the migrations made are still there. No statement of a program's login can take one away,
//! but an owner's DDL can, and so can a session that plays a replica; then nobody says no any more, and nobody sees it.

use crate::database::MIGRATIONS;
use crate::store::StoreError;
use sqlx::PgPool;
use std::collections::{BTreeMap, BTreeSet};

/// What the migrations leave behind, as their text says.
#[derive(Debug, Default)]
pub(super) struct ExpectedSchema {
    /// Table and trigger.
    triggers: BTreeSet<(String, String)>,
    /// Functions and procedures with their bodies.
    bodies: BTreeMap<String, BTreeSet<String>>,
    unique_indexes: BTreeSet<String>,
    /// How many constraints of a kind a table has at least.
    constraints: BTreeMap<(String, char), usize>,
}

impl ExpectedSchema {
    /// Reads the migrations that are built in.
    pub(super) fn of_migrations() -> Self {
        let mut expected = Self::default();
        for migration in MIGRATIONS.iter().filter(|migration| !migration.migration_type.is_down_migration()) {
            expected.read(migration.sql.as_str());
        }
        expected
    }

    fn read(&mut self, text: &str) {
        let mut rest = text;
        while !rest.is_empty() {
            let (statement, after) = cut_statement(rest);
            rest = after;
            let plain = without_comments(statement);
            let words: Vec<&str> = plain.split_whitespace().collect();
            match words.as_slice() {
                ["create", "trigger", name, rest @ ..] => {
                    let table = rest.iter().skip_while(|word| **word != "on").nth(1);
                    self.triggers.extend(table.map(|table| ((*table).to_owned(), (*name).to_owned())));
                }
                ["drop", "trigger", name, "on", table, ..] => {
                    let table = table.trim_end_matches(';');
                    self.triggers.retain(|(of, trigger)| of != table || trigger != name);
                }
                ["create", "unique", "index", name, ..] => self.unique_indexes.extend([(*name).to_owned()]),
                ["create", "table", name, ..] => self.read_table(name, &plain),
                ["create", "function" | "procedure", name, ..] => self.read_body(name, statement, false),
                ["create", "or", "replace", "function" | "procedure", name, ..] => {
                    self.read_body(name, statement, true);
                }
                ["drop", "function" | "procedure", name, ..] => drop(self.bodies.remove(&name_alone(name))),
                _ => {}
            }
        }
    }

    fn read_table(&mut self, name: &str, text: &str) {
        // A name in quotes or a default may hold any word; there is none such in our tables.
        for (words, kind) in [("primary key", 'p'), ("references ", 'f'), ("foreign key", 'f'), ("check (", 'c')] {
            let many = text.matches(words).count();
            let both = if words == "references " { text.matches("foreign key").count() } else { 0 };
            *self.constraints.entry((name.to_owned(), kind)).or_default() += many - both;
        }
    }

    fn read_body(&mut self, name: &str, statement: &str, replaces: bool) {
        let Some(body) = statement.split("$$").nth(1) else { return };
        let bodies = self.bodies.entry(name_alone(name)).or_default();
        if replaces {
            bodies.clear();
        }
        bodies.insert(body.to_owned());
    }

    /// What is missing, switched off or other than it was made, in words. Empty when all is well.
    pub(super) async fn faults(&self, pool: &PgPool) -> Result<Vec<String>, StoreError> {
        let mut faults = Vec::new();
        let triggers = sqlx::query_file!("queries/auditor/triggers_in_force.sql").fetch_all(pool).await?;
        let fire: BTreeSet<(String, String)> = triggers
            .iter()
            .filter(|trigger| trigger.fires)
            .map(|trigger| (trigger.table_name.clone(), trigger.trigger.clone()))
            .collect();
        for (table, trigger) in self.triggers.difference(&fire) {
            faults.push(format!("the trigger {trigger} of {table} is missing or does not fire"));
        }
        for trigger in triggers.iter().filter(|trigger| !trigger.fires) {
            if !self.triggers.contains(&(trigger.table_name.clone(), trigger.trigger.clone())) {
                faults.push(format!("the trigger {} of {} does not fire", trigger.trigger, trigger.table_name));
            }
        }
        let mut bodies: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
        for row in sqlx::query_file!("queries/auditor/functions_in_force.sql").fetch_all(pool).await? {
            bodies.entry(row.function).or_default().insert(row.body);
        }
        for (function, expected) in &self.bodies {
            if bodies.get(function).is_none_or(|found| !expected.is_subset(found)) {
                faults.push(format!("the function {function} is not as it was made"));
            }
        }
        let indexes: BTreeSet<String> = sqlx::query_file_scalar!("queries/auditor/indexes_in_force.sql")
            .fetch_all(pool)
            .await?
            .into_iter()
            .collect();
        faults.extend(self.unique_indexes.difference(&indexes).map(|index| format!("the index {index} is missing")));
        let found = sqlx::query_file!("queries/auditor/constraints_in_force.sql").fetch_all(pool).await?;
        for ((table, kind), expected) in &self.constraints {
            let of_kind = found.iter().find(|row| row.table_name == *table && row.kind == kind.to_string());
            let many = of_kind.map_or(0, |row| usize::try_from(row.many).unwrap_or_default());
            if many < *expected {
                faults.push(format!(
                    "the table {table} has {many} constraints of the kind {kind}, and was made with {expected}"
                ));
            }
        }
        for whose in sqlx::query_file_scalar!("queries/auditor/replica_settings.sql").fetch_all(pool).await? {
            faults.push(format!("sessions of {whose} begin as a replica's, for whom triggers do not fire"));
        }
        Ok(faults)
    }
}

/// `freeze(p_group` is `freeze`.
fn name_alone(text: &str) -> String {
    text.split(['(', ';', ',']).next().unwrap_or_default().to_owned()
}

/// Up to the semicolon that ends it, which is none within a body or a comment.
fn cut_statement(text: &str) -> (&str, &str) {
    let (mut at, mut in_body) = (0, false);
    while let Some(rest) = text.get(at..).filter(|rest| !rest.is_empty()) {
        if rest.starts_with("$$") {
            in_body = !in_body;
            at += 2;
        } else if in_body {
            at += rest.find("$$").unwrap_or(rest.len());
        } else if rest.starts_with("--") {
            at += rest.find('\n').unwrap_or(rest.len());
        } else if let Some(quoted) = rest.strip_prefix('\'') {
            at += quoted.find('\'').map_or(rest.len(), |end| end + 2);
        } else if rest.starts_with(';') {
            return text.split_at(at + 1);
        } else {
            at += rest.find(['$', '-', '\'', ';']).map_or(rest.len(), |next| next.max(1));
        }
    }
    (text, "")
}

fn without_comments(statement: &str) -> String {
    let lines = statement.lines().map(|line| line.split("--").next().unwrap_or_default());
    lines.collect::<Vec<_>>().join("\n").to_lowercase()
}

#[cfg(test)]
mod tests {
    use super::*;
    use test_support::TestPostgres;

    #[test]
    fn statements_are_cut_where_they_end() {
        let text = "select ';'; -- a; b\ncreate function f() as $$ begin; end $$;\nselect 1";
        let (first, rest) = cut_statement(text);
        assert_eq!(first, "select ';';");
        let (second, rest) = cut_statement(rest);
        assert!(second.ends_with("end $$;"), "{second}");
        assert_eq!(cut_statement(rest), ("\nselect 1", ""));
    }

    #[tokio::test]
    async fn f25_a_refusal_that_is_gone_is_seen() {
        let postgres = TestPostgres::start().await;
        let pool = crate::database::pool(postgres.owner_url(), "test", 2).unwrap();
        let expected = ExpectedSchema::of_migrations();
        assert!(expected.triggers.len() >= 30 && expected.bodies.len() >= 40, "{expected:?}");
        assert_eq!(expected.faults(&pool).await.unwrap(), Vec::<String>::new());
        for (harm, seen) in [
            ("alter table head_move disable trigger move_is_not_stopped", "trigger move_is_not_stopped of head_move"),
            ("drop trigger generation_is_next on generation", "trigger generation_is_next of generation"),
            ("alter table change disable trigger user", "of change is missing or does not fire"),
            (
                "create or replace function refuse_to_change() returns trigger language plpgsql as $$ begin return null; end $$",
                "function refuse_to_change is not as it was made",
            ),
            ("alter table head_move drop constraint head_move_zone_group_generation_fkey", "table head_move has"),
            ("drop index stop_behind", "index stop_behind is missing"),
        ] {
            sqlx::raw_sql(harm).execute(&pool).await.unwrap();
            let faults = expected.faults(&pool).await.unwrap();
            assert!(faults.iter().any(|fault| fault.contains(seen)), "{harm}: {faults:?}");
        }
    }
}
