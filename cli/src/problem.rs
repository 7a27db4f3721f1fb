//! A refusal of the API (RFC 9457), told as sentences.

use std::fmt;

use serde_json::{Map, Value};

/// Members that every problem has, and that are told in their own way.
const PLAIN: [&str; 5] = ["type", "title", "status", "detail", "instance"];

/// What the API refused, and why.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// The problem's name, as in `/problems/NAME`.
    pub name: String,
    /// The HTTP status.
    pub status: u16,
    /// All that was said.
    pub members: Map<String, Value>,
}

impl Problem {
    /// Reads an answer's body; none if it is no problem.
    #[must_use]
    pub fn read(status: u16, body: &str) -> Option<Self> {
        let members: Map<String, Value> = serde_json::from_str(body).ok()?;
        let name = members.get("type")?.as_str()?.rsplit('/').next()?.to_owned();
        Some(Self { name, status, members })
    }

    fn text(&self, member: &str) -> Option<&str> {
        self.members.get(member).and_then(Value::as_str).filter(|text| !text.is_empty())
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let title = self.text("title").unwrap_or(&self.name);
        match self.text("detail") {
            Some(detail) if detail != title => write!(out, "{title} ({}): {detail}", self.name)?,
            _ => write!(out, "{title} ({})", self.name)?,
        }
        for (member, value) in &self.members {
            if PLAIN.contains(&member.as_str()) || value.is_null() {
                continue;
            }
            match value {
                Value::Array(entries) if !entries.is_empty() => {
                    write!(out, "\n  {member}:")?;
                    for entry in entries {
                        write!(out, "\n  - {}", sentence(entry))?;
                    }
                }
                Value::Array(_) => {}
                value => write!(out, "\n  {member}: {}", sentence(value))?,
            }
        }
        Ok(())
    }
}

/// "name in zone, TYPE (place): message", with whatever else is known.
fn sentence(value: &Value) -> String {
    let Value::Object(members) = value else { return plain(value) };
    let known = |member: &str| members.get(member).filter(|value| !value.is_null()).map(plain);
    let mut about = Vec::new();
    match (known("name"), known("zone")) {
        (Some(name), Some(zone)) => about.push(format!("{name} in {zone}")),
        (Some(one), None) | (None, Some(one)) => about.push(one),
        (None, None) => {}
    }
    about.extend(known("type"));
    about.extend(known("place").map(|place| format!("at {place}")));
    about.extend(known("changed_in").map(|generation| format!("changed in generation {generation}")));
    let told = ["name", "zone", "type", "place", "changed_in", "message"];
    about.extend(
        members
            .iter()
            .filter(|(member, value)| !told.contains(&member.as_str()) && !value.is_null())
            .map(|(member, value)| format!("{member} {}", plain(value))),
    );
    match known("message") {
        Some(message) if about.is_empty() => message,
        Some(message) => format!("{}: {message}", about.join(", ")),
        None => about.join(", "),
    }
}

fn plain(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Array(entries) => entries.iter().map(plain).collect::<Vec<_>>().join(", "),
        value => value.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::Problem;

    #[test]
    fn every_violation_is_told() {
        let body = r#"{"type":"/problems/invalid-plan","title":"The plan is not valid","status":422,"violations":[
            {"zone":"shop.example.","name":"api","type":"A","place":"records[0]","message":"`x` is no address"},
            {"message":"a zone needs an SOA"}]}"#;
        let problem = Problem::read(422, body).expect("a problem");
        assert_eq!(
            problem.to_string(),
            "The plan is not valid (invalid-plan)\n  violations:\n  \
             - api in shop.example., A, at records[0]: `x` is no address\n  - a zone needs an SOA"
        );
    }

    #[test]
    fn a_conflict_says_where_it_was_made() {
        let body = r#"{"type":"/problems/stale-base","title":"The base is old","status":409,"detail":"api was changed.",
            "tip":7,"conflicts":[{"zone":"shop.example.","name":"api","changed_in":6}]}"#;
        let problem = Problem::read(409, body).expect("a problem");
        assert_eq!(
            problem.to_string(),
            "The base is old (stale-base): api was changed.\n  conflicts:\n  \
             - api in shop.example., changed in generation 6\n  tip: 7"
        );
    }

    #[test]
    fn what_is_no_problem_is_not_taken_for_one() {
        assert_eq!(Problem::read(502, "<html>Bad Gateway</html>"), None);
    }
}
