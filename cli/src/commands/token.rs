//! `holdfast token`: who may do what.

use clap::Subcommand;
use serde_json::{Value, json};

use super::connection::all_pages;
use super::table::lines;
use super::{CommandError, Connection};
use crate::api_client::{ApiClient, encoded};
use crate::terminal::{say, warn};

/// Gives, lists and ends tokens.
#[derive(Clone, Debug, clap::Args)]
pub struct Token {
    #[command(subcommand)]
    act: Act,
}

#[derive(Clone, Debug, Subcommand)]
enum Act {
    /// Gives a token, and prints its secret: this once.
    Create {
        /// The token's name, by which the history remembers who did what.
        name: String,
        /// reader, planner, operator or admin.
        #[arg(long)]
        role: String,
        /// A group that it reaches; may be given several times. Without one: every group.
        #[arg(long, value_name = "GROUP")]
        group: Vec<String>,
        /// A name below which it reaches everything; may be given several times. Without one: every name.
        #[arg(long, value_name = "NAME")]
        suffix: Vec<String>,
    },
    /// Lists the living tokens.
    List,
    /// Ends a token for ever.
    End {
        /// The token's name.
        name: String,
    },
}

impl Token {
    /// Does it.
    ///
    /// # Errors
    /// When the API refuses or does not answer.
    pub fn run(&self, connection: &Connection) -> Result<(), CommandError> {
        let api = connection.client()?;
        match &self.act {
            Act::Create { name, role, group, suffix } => create(&api, name, role, group, suffix),
            Act::List => list(&api),
            Act::End { name } => {
                api.delete(&format!("/v1/tokens/{}", encoded(name)))?;
                say(format!("the token {name} is ended"));
                Ok(())
            }
        }
    }
}

fn create(api: &ApiClient, name: &str, role: &str, groups: &[String], suffixes: &[String]) -> Result<(), CommandError> {
    let mut body = json!({"name": name, "role": role});
    for (member, list) in [("groups", groups), ("suffixes", suffixes)] {
        if !list.is_empty() {
            body[member] = json!(list);
        }
    }
    let given = api.post("/v1/tokens", &body, None)?;
    warn("The secret is shown this once; only its hash is stored.");
    say(given["secret"].as_str().unwrap_or_default());
    Ok(())
}

fn list(api: &ApiClient) -> Result<(), CommandError> {
    let mut rows = vec![["NAME", "ROLE", "GROUPS", "SUFFIXES", "CREATED"].map(str::to_owned).to_vec()];
    all_pages(api, "/v1/tokens", |token| {
        let reach = |list: &Value| match list.as_array() {
            Some(list) => list.iter().filter_map(Value::as_str).collect::<Vec<_>>().join(", "),
            None => "all".to_owned(),
        };
        let text = |member: &str| token[member].as_str().unwrap_or_default().to_owned();
        rows.push(vec![
            text("name"),
            text("role"),
            reach(&token["groups"]),
            reach(&token["suffixes"]),
            text("created"),
        ]);
        Ok(())
    })?;
    lines(&rows).iter().for_each(say);
    Ok(())
}
