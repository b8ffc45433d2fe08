//! The directory through HTTP and WebSocket, on the engine
//! `MAGPIE_TEST_ENGINE` names.
#![expect(
    clippy::match_same_arms,
    clippy::if_not_else,
    clippy::single_match_else,
    reason = "tables of a model read best row by row"
)]
#![expect(clippy::unwrap_used, reason = "what a test needs must be there")]

mod audit;
mod cards;
mod care;
mod closing;
mod friends;
mod invitations;
mod isolation;
mod law;
mod members;
mod merges;
mod orgs;
mod people;
mod requests;
mod statements;
mod trust;

use serde_json::{Value, json};
use testkit::{Person, TestServer};

async fn server() -> TestServer {
    TestServer::with(vec![identity::module(), directory::module()]).await
}

/// Founds an organisation; its id.
async fn found(owner: &Person, name: &str) -> String {
    let org = owner.post("/api/v1/orgs", json!({ "name": name })).await.ok();
    org["id"].as_str().unwrap().to_owned()
}

/// Makes an invitation.
async fn invite(by: &Person, org: &str, what: Value) -> Value {
    by.post(&format!("/api/v1/orgs/{org}/invitations"), what).await.ok()
}

fn code(invitation: &Value) -> &str {
    invitation["code"].as_str().unwrap()
}

fn accept_path(invitation: &Value) -> String {
    format!("/api/v1/invitations/{}/accept", code(invitation))
}

/// Brings people into an organisation.
async fn join(owner: &Person, org: &str, people: &[&Person]) {
    let invitation = invite(owner, org, json!({})).await;
    for person in people {
        person.post(&accept_path(&invitation), json!({})).await.ok();
    }
}

/// Asks to join, and is let in.
async fn ask_and_approve(person: &Person, by: &Person, org: &str, invitation: &Value) {
    let asked = person.post(&accept_path(invitation), json!({})).await.ok();
    assert_eq!(asked["state"], "pending", "{asked}");
    by.post(&request_path(org, &asked, "approve"), json!({})).await.ok();
}

/// Where what became of accepting is decided.
fn request_path(org: &str, asked: &Value, how: &str) -> String {
    format!("/api/v1/orgs/{org}/join-requests/{}/{how}", asked["request"]["id"].as_str().unwrap())
}

fn member_path(org: &str, person: &Person) -> String {
    format!("/api/v1/orgs/{org}/members/{}", person.id)
}

async fn set_role(by: &Person, org: &str, person: &Person, role: &str) -> testkit::Answer {
    by.patch(&member_path(org, person), json!({ "role": role })).await
}

/// The names of a page of members.
fn names(page: &Value) -> Vec<String> {
    page["items"].as_array().unwrap().iter().map(|m| m["name"].as_str().unwrap().to_owned()).collect()
}
