//! The demo zones: small, and enough of every kind to ask about.

use serde_json::{Value, json};

use crate::api_client::{ApiClient, ApiError};

/// The demo zones' group.
pub(super) const GROUP: &str = "demo";
/// The name whose answer the printed plan changes.
pub(super) const CHANGED_NAME: &str = "api.shop.example";

/// Two sets of addresses to go back and forth between.
const ADDRESSES: [[&str; 3]; 2] =
    [["192.0.2.20", "192.0.2.21", "192.0.2.22"], ["192.0.2.30", "192.0.2.31", "192.0.2.32"]];

/// Whether the group has a generation.
///
/// # Errors
/// When the API does not answer, or refuses for another reason.
pub(super) fn exists(api: &ApiClient) -> Result<bool, ApiError> {
    match api.get(&format!("/v1/groups/{GROUP}")) {
        Ok(group) => Ok(group["tip"].as_u64().is_some_and(|tip| tip > 0)),
        Err(why) if why.is_not_found() => Ok(false),
        Err(why) => Err(why),
    }
}

/// Admits the zones, and waits until they are served.
///
/// # Errors
/// When the API does not answer, or refuses.
pub(super) fn load(api: &ApiClient, seconds: u64) -> Result<Value, ApiError> {
    let path = format!("/v1/groups/{GROUP}/plans?wait=served&timeout_s={seconds}");
    api.post(&path, &plan(), Some("holdfast-up-demo-zones"))
}

/// The plan that changes an answer, made for the group as it is now.
///
/// # Errors
/// When the API does not answer, or refuses.
pub(super) fn next_plan(api: &ApiClient) -> Result<Value, ApiError> {
    let tip = api.get(&format!("/v1/groups/{GROUP}"))?["tip"].clone();
    let now = api.get("/v1/zones/shop.example./rrsets?name=api&type=A")?.to_string();
    let next = if now.contains(ADDRESSES[1][0]) { ADDRESSES[0] } else { ADDRESSES[1] };
    Ok(json!({
        "base": tip,
        "reason": "move api to other balancers",
        "zones": {"shop.example.": {"upsert": [{"name": "api", "type": "A", "ttl": 30, "records": next}]}},
    }))
}

fn plan() -> Value {
    json!({
        "base": 0,
        "reason": "the demo zones of holdfast up",
        "zones": {
            "shop.example.": {"replace": [
                set("@", "SOA", 3600, &["ns1 hostmaster 1 3600 900 604800 300"]),
                set("@", "NS", 3600, &["ns1", "ns2"]),
                set("@", "A", 300, &["192.0.2.10", "192.0.2.11"]),
                set("@", "AAAA", 300, &["2001:db8::10", "2001:db8::11"]),
                set("@", "MX", 3600, &["10 mail", "20 mail.backup"]),
                set("@", "TXT", 3600, &["\"v=spf1 mx -all\""]),
                set("@", "CAA", 3600, &["0 issue \"ca.example\"", "0 iodef \"mailto:security@shop.example\""]),
                set("ns1", "A", 3600, &["192.0.2.1"]),
                set("ns1", "AAAA", 3600, &["2001:db8::1"]),
                set("ns2", "A", 3600, &["192.0.2.2"]),
                set("www", "A", 60, &["192.0.2.10", "192.0.2.11"]),
                set("www", "AAAA", 60, &["2001:db8::10", "2001:db8::11"]),
                set("api", "A", 30, &ADDRESSES[0]),
                set("api", "AAAA", 30, &["2001:db8::20", "2001:db8::21"]),
                set("cdn", "CNAME", 300, &["www"]),
                set("mail", "A", 3600, &["192.0.2.40"]),
                set("mail.backup", "A", 3600, &["192.0.2.41"]),
                set("_submission._tcp", "SRV", 3600, &["0 5 587 mail"]),
                set("_api._tcp", "SRV", 60, &["10 60 443 api", "10 40 443 www"]),
                set("*.apps", "A", 60, &["192.0.2.50", "192.0.2.51"]),
                set("_dmarc", "TXT", 3600, &["\"v=DMARC1; p=reject\""]),
            ]},
            "2.0.192.in-addr.arpa.": {"replace": [
                set("@", "SOA", 3600, &["ns1.shop.example. hostmaster.shop.example. 1 3600 900 604800 300"]),
                set("@", "NS", 3600, &["ns1.shop.example.", "ns2.shop.example."]),
                set("1", "PTR", 3600, &["ns1.shop.example."]),
                set("2", "PTR", 3600, &["ns2.shop.example."]),
                set("10", "PTR", 3600, &["www.shop.example."]),
                set("11", "PTR", 3600, &["www.shop.example."]),
                set("20", "PTR", 3600, &["api.shop.example."]),
                set("21", "PTR", 3600, &["api.shop.example."]),
                set("22", "PTR", 3600, &["api.shop.example."]),
                set("40", "PTR", 3600, &["mail.shop.example."]),
            ]},
        },
    })
}

fn set(name: &str, kind: &str, ttl: u32, records: &[&str]) -> Value {
    json!({"name": name, "type": kind, "ttl": ttl, "records": records})
}
