//! `holdfast rings`: who proves a generation, and who follows how soon.

use clap::Subcommand;
use serde_json::{Value, json};

use super::table::lines;
use super::{CommandError, Connection};
use crate::api_client::encoded;
use crate::terminal::say;

/// Lists, sets and ends rings: the first one proves a generation, and the others follow.
#[derive(Clone, Debug, clap::Args)]
pub struct Rings {
    #[command(subcommand)]
    act: Option<Act>,
}

#[derive(Clone, Debug, Subcommand)]
enum Act {
    /// Lists the rings.
    List,
    /// Adds a ring, or changes one; what is not given stays. A server's ring is its own setting (holdfast-server --ring).
    Set {
        /// The ring, such as canary, fleet or delayed.
        ring: String,
        /// Its servers prove what the other rings take, in place of the ring that does so now.
        #[arg(long)]
        first: bool,
        /// For how long its servers serve a generation without a fault until it has passed.
        #[arg(long, value_name = "SECONDS")]
        soak: Option<f64>,
        /// How long after a generation passed this ring takes it.
        #[arg(long, value_name = "SECONDS")]
        delay: Option<f64>,
        /// As few servers as these prove nothing.
        #[arg(long, value_name = "N")]
        servers_min: Option<u32>,
        /// Why; it is recorded.
        #[arg(long, value_name = "TEXT")]
        reason: Option<String>,
    },
    /// Ends a ring: it takes no more generations, and its servers go on with what they have.
    End {
        /// The ring.
        ring: String,
        /// Why; it is recorded.
        #[arg(long, value_name = "TEXT")]
        reason: Option<String>,
    },
}

impl Rings {
    /// Does it.
    ///
    /// # Errors
    /// When the API refuses or does not answer.
    pub fn run(&self, connection: &Connection) -> Result<(), CommandError> {
        let api = connection.client()?;
        match &self.act {
            None | Some(Act::List) => {}
            Some(Act::Set { ring, first, soak, delay, servers_min, reason }) => {
                let body = json!({"first": first.then_some(true), "soak_s": soak, "delay_s": delay,
                    "servers_min": servers_min, "reason": reason});
                api.put(&format!("/v1/rings/{}", encoded(ring)), &body)?;
            }
            Some(Act::End { ring, reason }) => {
                let reason = reason.as_ref().map(|reason| format!("?reason={}", encoded(reason))).unwrap_or_default();
                api.delete(&format!("/v1/rings/{}{reason}", encoded(ring)))?;
            }
        }
        table(&api.get("/v1/rings")?).iter().for_each(say);
        Ok(())
    }
}

fn table(rings: &Value) -> Vec<String> {
    let mut rows = vec![["RING", "FIRST", "SOAK", "DELAY", "SERVERS"].map(str::to_owned).to_vec()];
    rows.extend(rings["items"].as_array().into_iter().flatten().map(|ring| {
        let first = if ring["first"] == true { "first" } else { "-" };
        let seconds = |member: &str| format!("{} s", ring[member].as_f64().unwrap_or_default());
        vec![
            ring["ring"].as_str().unwrap_or_default().to_owned(),
            first.to_owned(),
            seconds("soak_s"),
            seconds("delay_s"),
            format!("at least {}", ring["servers_min"]),
        ]
    }));
    lines(&rows)
}

#[cfg(test)]
mod tests {
    use super::table;
    use serde_json::json;

    #[test]
    fn rings_stand_in_a_table() {
        let rings = json!({"items": [
            {"ring": "canary", "first": true, "soak_s": 30.0, "delay_s": 0.0, "servers_min": 2},
            {"ring": "delayed", "first": false, "soak_s": 0.0, "delay_s": 600.5, "servers_min": 1}]});
        assert_eq!(
            table(&rings),
            [
                "RING     FIRST  SOAK  DELAY    SERVERS",
                "canary   first  30 s  0 s      at least 2",
                "delayed  -      0 s   600.5 s  at least 1",
            ]
        );
    }
}
