//! From the owner's address of the database to the one of another login.

use std::fmt::Write as _;
use std::str::FromStr as _;

use sqlx::postgres::PgConnectOptions;

use super::UpError;

/// The database's name in an address.
///
/// # Errors
/// When it is no address.
pub(super) fn database_of(url: &str) -> Result<String, UpError> {
    let options = PgConnectOptions::from_str(url).map_err(|why| UpError::DatabaseUrl(why.to_string()))?;
    Ok(options.get_database().unwrap_or_else(|| options.get_username()).to_owned())
}

/// Where the database is, in letters, digits and hyphens.
///
/// # Errors
/// When it is no address.
pub(super) fn place_of(url: &str) -> Result<String, UpError> {
    let options = PgConnectOptions::from_str(url).map_err(|why| UpError::DatabaseUrl(why.to_string()))?;
    let socket = options.get_socket().map(|path| path.to_string_lossy().into_owned());
    let host = socket.unwrap_or_else(|| options.get_host().to_owned());
    let place = format!("{host}-{}-{}", options.get_port(), database_of(url)?);
    Ok(place.chars().map(|letter| if letter.is_alphanumeric() { letter } else { '-' }).collect())
}

/// The same place and the same settings, with another login.
///
/// # Errors
/// When it is no address.
pub(super) fn with_login(url: &str, login: &str, password: &str) -> Result<String, UpError> {
    let unclear = |why: String| UpError::DatabaseUrl(why);
    let options = PgConnectOptions::from_str(url).map_err(|why| unclear(why.to_string()))?;
    let (_, rest) = url.split_once("://").ok_or_else(|| unclear("it has no `://`".to_owned()))?;
    let rest = rest.split('#').next().unwrap_or(rest);
    let (place, query) = rest.split_once('?').unwrap_or((rest, ""));
    let (authority, path) = place.split_once('/').unwrap_or((place, ""));
    let host = authority.rsplit_once('@').map_or(authority, |(_, host)| host);
    let settings: Vec<&str> = query.split('&').filter(|setting| !setting.is_empty()).collect();
    let names = |key: &str| settings.iter().any(|setting| setting.split('=').next() == Some(key));

    let host = match (host.starts_with(':') || host.is_empty(), names("host") || names("hostaddr")) {
        (false, _) => host.to_owned(),
        // Stands for the one in the settings.
        (true, true) => format!("localhost{host}"),
        (true, false) => {
            let socket = options.get_socket().map(|path| path.to_string_lossy().into_owned());
            let default = socket.unwrap_or_else(|| options.get_host().to_owned());
            format!("{}:{}", encoded(&default), options.get_port())
        }
    };
    let database = match (path.is_empty(), names("dbname")) {
        (true, false) => encoded(&database_of(url)?),
        _ => path.to_owned(),
    };
    let kept: Vec<&str> = settings
        .iter()
        .filter(|setting| !matches!(setting.split('=').next(), Some("user" | "password")))
        .copied()
        .collect();
    let query = if kept.is_empty() { String::new() } else { format!("?{}", kept.join("&")) };
    Ok(format!("postgresql://{}:{}@{host}/{database}{query}", encoded(login), encoded(password)))
}

/// Percent-encoded for a place in a URL.
fn encoded(text: &str) -> String {
    text.bytes().fold(String::new(), |mut url, byte| {
        if byte.is_ascii_alphanumeric() || b"-_.".contains(&byte) {
            url.push(char::from(byte));
        } else {
            // Writing to a string cannot fail.
            let _never = write!(url, "%{byte:02X}");
        }
        url
    })
}

#[cfg(test)]
mod tests {
    use super::with_login;

    #[test]
    fn everything_but_the_login_stays() {
        for (owner, expected) in [
            ("postgres://me:pass@db.example:5433/dns", "postgresql://api:s%40@db.example:5433/dns"),
            ("postgres://me@[::1]:5433/dns?sslmode=require", "postgresql://api:s%40@[::1]:5433/dns?sslmode=require"),
            ("postgresql://me:p@%2Frun%2Fpg:5432/dns", "postgresql://api:s%40@%2Frun%2Fpg:5432/dns"),
            (
                "postgres:///dns?host=/run/pg&user=me&password=p&sslmode=disable",
                "postgresql://api:s%40@localhost/dns?host=/run/pg&sslmode=disable",
            ),
            ("postgres://me:p@db.example", "postgresql://api:s%40@db.example/me"),
        ] {
            assert_eq!(with_login(owner, "api", "s@").expect("an address"), expected, "{owner}");
        }
    }

    #[test]
    fn what_is_no_address_is_said() {
        assert!(with_login("dns", "api", "s").is_err());
    }
}
