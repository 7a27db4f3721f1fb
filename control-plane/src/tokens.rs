//! Tokens of the API: given once, kept as hashes, looked up by them.
//!
//! A token is 32 random bytes, so its hash needs neither salt nor slowness: nobody can guess what to hash. It is shown
//! when it is given, and never again.

mod cache;
mod secret;

pub use secret::{Secret, SecretError};

use crate::store::StoreError;
use cache::Cache;
use chrono::{DateTime, Utc};
use plan_rules::{Author, Role, Scope};
use sqlx::{Connection, PgConnection, PgPool};
use std::sync::Arc;
use std::time::Instant;
use zone_model::{GroupName, Name};

/// The longest name of a token, in characters.
pub const TOKEN_NAME_LENGTH_MAX: usize = 255;

/// A token as whoever gave it knows it.
#[derive(Clone, Debug)]
pub struct Token {
    /// Its name, unlike that of all other living tokens.
    pub name: String,
    /// What it may do, and where.
    pub author: Author,
    /// When it was given.
    pub created: DateTime<Utc>,
}

/// Whoever a request came from.
#[derive(Clone, Debug)]
pub struct Caller {
    /// The number of their token.
    pub token: i64,
    /// Its name.
    pub name: Arc<str>,
    /// What they may do.
    pub author: Author,
}

/// Why a token was not given.
#[derive(Debug, thiserror::Error)]
pub enum GiveError {
    /// A living token has this name.
    #[error("a living token has the name {0}")]
    NameTaken(String),
    /// The system has no random bytes.
    #[error("no random bytes: {0}")]
    NoRandomness(getrandom::Error),
    /// The database could not be asked.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Why there is no admin's token.
#[derive(Debug, thiserror::Error)]
pub enum EnsureError {
    /// What was given is no token.
    #[error(transparent)]
    NoSecret(#[from] SecretError),
    /// The database could not be asked, or refused.
    #[error("the database: {0}")]
    Database(#[from] sqlx::Error),
}

/// Gives, lists, ends and looks up tokens.
#[derive(Clone, Debug)]
pub struct Tokens {
    pool: PgPool,
    cache: Arc<Cache>,
}

impl Tokens {
    /// The tokens of the database that `pool` connects to.
    #[must_use]
    pub fn new(pool: PgPool) -> Self {
        Self { pool, cache: Arc::default() }
    }

    /// Whose secret this is; none for a token that is unknown or has ended. Look-ups are kept for a second, so a token
    /// that was ended by another program may be good for that long.
    ///
    /// # Errors
    /// When the database could not be asked.
    pub async fn find(&self, secret: &Secret) -> Result<Option<Caller>, StoreError> {
        let hash = secret.hash();
        if let Some(caller) = self.cache.get(&hash) {
            return Ok(Some(caller));
        }
        let asked = Instant::now();
        let row = sqlx::query_file!("queries/tokens/find_living_token_by_hash.sql", &hash[..])
            .fetch_optional(&self.pool)
            .await?;
        let Some(row) = row else { return Ok(None) };
        let author = read_author(&row.role, row.groups, row.suffixes)?;
        let caller = Caller { token: row.token, name: row.name.into(), author };
        self.cache.put(hash, caller.clone(), asked);
        Ok(Some(caller))
    }

    /// Gives a token, and tells its secret for the only time. That `giver` gave it stands in the audit log.
    ///
    /// # Errors
    /// When its name is taken, or the database could not be asked.
    pub async fn give(
        &self,
        name: &str,
        author: &Author,
        giver: &Caller,
    ) -> Result<(Secret, DateTime<Utc>), GiveError> {
        let secret = Secret::random().map_err(GiveError::NoRandomness)?;
        let (groups, suffixes) = scope_columns(&author.scope);
        let created = sqlx::query_file_scalar!(
            "queries/tokens/give_token.sql",
            name,
            &secret.hash()[..],
            author.role.as_str(),
            groups.as_deref(),
            suffixes.as_deref(),
            giver.token,
            &*giver.name
        )
        .fetch_optional(&self.pool)
        .await
        .map_err(StoreError::from)?;
        match created {
            Some(created) => Ok((secret, created)),
            None => Err(GiveError::NameTaken(name.to_owned())),
        }
    }

    /// Ends the living token of this name. Whether there was one; that `ender` ended it stands in the audit log.
    ///
    /// # Errors
    /// When the database could not be asked.
    pub async fn end(&self, name: &str, ender: &Caller) -> Result<bool, StoreError> {
        let ended = sqlx::query_file_scalar!("queries/tokens/end_token.sql", name, ender.token, &*ender.name)
            .fetch_optional(&self.pool)
            .await?;
        if let Some(token) = ended {
            self.cache.forget(token);
        }
        Ok(ended.is_some())
    }

    /// Living tokens in order of their names, `limit` at most, those after the name `after`.
    ///
    /// # Errors
    /// When the database could not be asked.
    pub async fn list(&self, after: &str, limit: i64) -> Result<Vec<Token>, StoreError> {
        let rows = sqlx::query_file_as!(Row, "queries/tokens/list_living_tokens.sql", after, limit);
        rows.fetch_all(&self.pool).await?.into_iter().map(Row::read).collect()
    }
}

struct Row {
    name: String,
    role: String,
    groups: Option<Vec<String>>,
    suffixes: Option<Vec<String>>,
    created: DateTime<Utc>,
}

impl Row {
    fn read(self) -> Result<Token, StoreError> {
        let author = read_author(&self.role, self.groups, self.suffixes)?;
        Ok(Token { name: self.name, author, created: self.created })
    }
}

/// Whether text can be a token's name: letters, digits and `._-@:`, starting with a letter or digit. It stands in
/// paths, in logs and beside plans.
#[must_use]
pub fn is_token_name(text: &str) -> bool {
    (1..=TOKEN_NAME_LENGTH_MAX).contains(&text.len())
        && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"._-@:".contains(&byte))
        && text.starts_with(|first: char| first.is_ascii_alphanumeric())
}

/// Sees to it that an admin's token of this name has this secret, on a connection of its own. Another token of the name
/// ends.
///
/// # Errors
/// When the secret is none, the database refuses, or it once gave this secret to another token.
pub async fn ensure_admin(owner_url: &str, name: &str, secret: &str) -> Result<(), EnsureError> {
    let secret: Secret = secret.parse()?;
    let mut connection = PgConnection::connect(owner_url).await?;
    let mut transaction = connection.begin().await?;
    sqlx::query_file!("queries/tokens/let_no_one_else_give_tokens.sql").execute(&mut *transaction).await?;
    let standing = sqlx::query_file!("queries/tokens/find_living_token_by_name.sql", name)
        .fetch_optional(&mut *transaction)
        .await?;
    let hash = secret.hash();
    if !standing.is_some_and(|one| one.hash == hash && one.role == Role::Admin.as_str() && one.everywhere) {
        sqlx::query_file_scalar!("queries/tokens/end_token.sql", name, None::<i64>, None::<&str>)
            .fetch_optional(&mut *transaction)
            .await?;
        sqlx::query_file_scalar!(
            "queries/tokens/give_token.sql",
            name,
            &hash[..],
            Role::Admin.as_str(),
            None::<&[String]>,
            None::<&[String]>,
            None::<i64>,
            None::<&str>
        )
        .fetch_optional(&mut *transaction)
        .await?;
    }
    transaction.commit().await?;
    connection.close().await?;
    Ok(())
}

fn scope_columns(scope: &Scope) -> (Option<Vec<String>>, Option<Vec<String>>) {
    let groups = scope.groups.as_ref().map(|groups| groups.iter().map(ToString::to_string).collect());
    let suffixes = scope.suffixes.as_ref().map(|suffixes| suffixes.iter().map(ToString::to_string).collect());
    (groups, suffixes)
}

/// Rows are input too: a scope that cannot be read must not become "everywhere".
fn read_author(role: &str, groups: Option<Vec<String>>, suffixes: Option<Vec<String>>) -> Result<Author, StoreError> {
    let damaged = |what: &str| StoreError::Damaged(format!("the token has the {what}"));
    let role = Role::parse(role).ok_or_else(|| damaged(&format!("role {role}")))?;
    let groups = groups.map(|groups| {
        groups.iter().map(|group| GroupName::parse(group).map_err(|error| damaged(&error.to_string()))).collect()
    });
    let suffixes = suffixes.map(|suffixes| {
        suffixes.iter().map(|suffix| Name::parse(suffix).map_err(|error| damaged(&error.to_string()))).collect()
    });
    Ok(Author { role, scope: Scope { groups: groups.transpose()?, suffixes: suffixes.transpose()? } })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_damaged_scope_is_an_error_and_never_everywhere() {
        assert!(read_author("admin", None, None).is_ok());
        assert!(read_author("root", None, None).is_err());
        assert!(read_author("planner", Some(vec!["UPPER".to_owned()]), None).is_err());
        assert!(read_author("planner", None, Some(vec!["example.com".to_owned()])).is_err());
    }

    #[test]
    fn names_fit_into_paths_and_logs() {
        for good in ["a", "load-balancer_7", "alice@example.com", "ci:deploy"] {
            assert!(is_token_name(good), "{good}");
        }
        for bad in ["", "-a", "a b", "a/b", "a\n", "ä", &"a".repeat(256)] {
            assert!(!is_token_name(bad), "{bad}");
        }
    }
}
