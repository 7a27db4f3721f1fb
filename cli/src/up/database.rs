//! The database: found or made, brought up to date, with a login of its own for each program.

use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::rc::Rc;

use control_plane::{database, tokens};
use private_postgres::{Cluster, Login, Purpose, socket_directory, who_runs_postgres};

use super::supervisor::Supervised;
use super::{DataDirectory, Fleet, UpError, database_url, programs, ready};
use crate::terminal::say;

/// The owner's role in a private Postgres, and the database's name.
const OWNER: &str = "holdfast";
/// The name under which the administrator's token is stored.
const ADMIN: &str = "holdfast-up";
/// The longest beginning of a login's name; Postgres cuts names at 63 bytes.
const LOGIN_STEM_BYTES_MAX: usize = 50;

/// The programs' addresses of the database, each with its own login.
pub(super) struct DatabaseUrls {
    /// For the API.
    pub api: String,
    /// For the auditor.
    pub auditor: String,
    /// For the enactors.
    pub enactor: String,
    /// For the retirement.
    pub retirement: String,
    /// For the DNS server.
    pub server: String,
}

/// A private Postgres, made if there is none yet, kept alive from here on.
///
/// # Errors
/// When there is no Postgres to be had, or it does not get ready.
pub(super) async fn start_private(directory: &Rc<DataDirectory>, fleet: &mut Fleet) -> Result<String, UpError> {
    let sockets = socket_directory(&directory.join("run/sql"), who_runs_postgres()?.as_ref())?;
    let cluster = Cluster::at(&directory.join("postgres"), &sockets)?;
    let owner = Login { name: OWNER.to_owned(), password: directory.password("passwords/owner")? };
    let version = cluster.installation().major();
    let as_whom = cluster.user().map(|user| format!(", as the system user {}", user.name)).unwrap_or_default();
    if !cluster.exists() {
        say(format!("making a private Postgres {version} in {}{as_whom}", directory.shown("postgres")));
        let (cluster, owner) = (cluster.clone(), owner.clone());
        // Its programs are tied to the thread that starts them, which waits for them.
        let made = tokio::task::spawn_blocking(move || cluster.create(&owner, Purpose::Keep));
        made.await.map_err(|why| UpError::system("make a private Postgres")(why.into()))??;
    }
    say(format!("starting Postgres {version}{as_whom}"));
    let postgres = Supervised::start(programs::postgres(&cluster), directory.clone());
    let postgres = fleet.add("postgres", postgres);
    ready::wait(directory, "postgres", async || {
        let ready = postgres.pid().is_some_and(|pid| cluster.is_ready(pid));
        (!ready).then(|| "it does not accept connections yet".to_owned())
    })
    .await?;
    Ok(cluster.url(&owner, OWNER))
}

/// Brings the schema up to date, and gives each program its login and the administrator a token.
///
/// # Errors
/// When the owner lacks a right, which is named, or the database fails.
pub(super) async fn prepare(directory: &DataDirectory, owner_url: &str) -> Result<DatabaseUrls, UpError> {
    directory.write_private("database-url", owner_url)?;
    let name = database_url::database_of(owner_url)?;
    database::check_owner_rights(owner_url).await?;
    say("bringing the database up to date");
    database::migrate(owner_url).await?;
    let stem = login_stem(&name);
    let urls = DatabaseUrls {
        api: login(directory, owner_url, &stem, "api", &["holdfast_admit", "holdfast_read"]).await?,
        auditor: login(directory, owner_url, &stem, "auditor", &["holdfast_audit"]).await?,
        enactor: login(directory, owner_url, &stem, "enactor", &["holdfast_enact"]).await?,
        retirement: login(directory, owner_url, &stem, "retirement", &["holdfast_retire"]).await?,
        server: login(directory, owner_url, &stem, "server", &["holdfast_serve"]).await?,
    };
    let token = directory.admin_token()?;
    tokens::ensure_admin(owner_url, ADMIN, &token).await.map_err(|why| UpError::Token(why.to_string()))?;
    Ok(urls)
}

async fn login(
    directory: &DataDirectory,
    owner: &str,
    stem: &str,
    kind: &str,
    roles: &[&str],
) -> Result<String, UpError> {
    let password = directory.password(&format!("passwords/{kind}"))?;
    let name = format!("{stem}_{kind}");
    database::ensure_login(owner, &name, &password, roles).await?;
    database_url::with_login(owner, &name, &password)
}

/// Logins belong to the whole Postgres, not to one database: so they bear the database's name, and say what they are.
fn login_stem(database: &str) -> String {
    let stem = if database.contains("holdfast") { database.to_owned() } else { format!("{database}_holdfast") };
    if stem.len() <= LOGIN_STEM_BYTES_MAX {
        return stem;
    }
    let mut hasher = DefaultHasher::new();
    database.hash(&mut hasher);
    let mut beginning = stem;
    while beginning.len() > LOGIN_STEM_BYTES_MAX - 17 {
        beginning.pop();
    }
    format!("{beginning}_{:016x}", hasher.finish())
}

#[cfg(test)]
mod tests {
    use super::login_stem;

    #[test]
    fn logins_bear_the_databases_name() {
        assert_eq!(login_stem("holdfast"), "holdfast");
        assert_eq!(login_stem("dns"), "dns_holdfast");
        assert!(login_stem(&"é".repeat(60)).len() <= 50);
    }
}
