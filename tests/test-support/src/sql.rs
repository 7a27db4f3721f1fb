//! Looks into a running Holdfast's database, and damages it.

use std::str::FromStr as _;

use serde_json::Value;
use sqlx::postgres::PgConnectOptions;
use sqlx::{AssertSqlSafe, ConnectOptions as _, Connection as _};

use crate::{Holdfast, block_on};

impl Holdfast {
    /// The rows of a query as the owner, each as a JSON object.
    ///
    /// # Panics
    /// When the database refuses.
    #[must_use]
    pub fn rows(&self, query: &str) -> Vec<Value> {
        let (url, statement) = (self.database_url(), format!("select to_jsonb(found) from ({query}) found"));
        block_on(async move {
            let mut connection =
                PgConnectOptions::from_str(&url).expect("an address").connect().await.expect("a login");
            let rows = sqlx::query_scalar(AssertSqlSafe(statement)).fetch_all(&mut connection).await;
            connection.close().await.expect("it says goodbye");
            rows.unwrap_or_else(|why| panic!("{query}: {why}"))
        })
    }

    /// Statements as the owner; what the database says if it refuses.
    ///
    /// # Errors
    /// When the database refuses.
    pub fn execute(&self, statements: &str) -> Result<(), sqlx::Error> {
        execute(self.database_url(), statements)
    }

    /// Statements as one whom no refusal binds, in a private Postgres: how a test damages what nobody else could.
    ///
    /// # Errors
    /// When the database refuses.
    pub fn execute_as_superuser(&self, statements: &str) -> Result<(), sqlx::Error> {
        execute(self.superuser_url(), statements)
    }
}

fn execute(url: String, statements: &str) -> Result<(), sqlx::Error> {
    let statements = statements.to_owned();
    block_on(async move {
        let mut connection = PgConnectOptions::from_str(&url)?.connect().await?;
        sqlx::raw_sql(AssertSqlSafe(statements)).execute(&mut connection).await?;
        connection.close().await
    })
}
