//! Good requests for what proves a person: they need something begun before.

use serde_json::{Value, json};
use testkit::{App, Device, Person};

use super::{
    Operation,
    world::{ORIGIN, Who, World},
};

/// Operations whose requests are made here where they are to succeed.
pub fn covers(operation: &str) -> bool {
    operation.starts_with("identity.")
        && ["passkey", "totp", "recovery_codes", "proof", "sign_in_link"].iter().any(|part| operation.contains(part))
}

async fn ok(person: &Person, path: &str, body: Value) -> Value {
    person.post(path, body).await.ok()
}

/// Adds a passkey; its device and id.
async fn passkey(person: &Person) -> (Device, String) {
    let mut device = Device::new(ORIGIN, &person.id.to_string());
    let started = ok(person, "/api/v1/me/passkeys/start", json!({})).await;
    let body = json!({ "id": started["id"], "credential": device.create(&started["options"]) });
    let added = ok(person, "/api/v1/me/passkeys", body).await;
    (device, added["id"].as_str().unwrap().to_owned())
}

async fn totp(world: &World, person: &Person) -> App {
    let shown = ok(person, "/api/v1/me/totp/start", json!({})).await;
    App::new(shown["secret"].as_str().unwrap(), world.clock())
}

/// `(path, body)`, for whoever may.
pub async fn request(world: &World, operation: &Operation, who: Who) -> Option<(String, Option<Value>)> {
    if !covers(&operation.id) {
        return None;
    }
    let nobody = world.nobody();
    // What anybody may do is done with the help of somebody.
    let person = if who.has_session() { world.person(who) } else { world.person(Who::Reader) };
    let mut path = operation.path.clone();
    let body = match operation.id.as_str() {
        "identity.add_passkey" => {
            let started = ok(person, "/api/v1/me/passkeys/start", json!({})).await;
            let made = Device::new(ORIGIN, "one").create(&started["options"]);
            Some(json!({ "id": started["id"], "credential": made }))
        }
        "identity.update_passkey" | "identity.delete_passkey" => {
            path = path.replace("{id}", &passkey(person).await.1);
            operation.id.contains("update").then(|| json!({ "name": "renamed" }))
        }
        "identity.create_passkey_session" => {
            let (mut device, _) = passkey(person).await;
            let started = nobody.post("/api/v1/passkey-sign-ins", json!({})).await.ok();
            Some(json!({ "id": started["id"], "credential": device.get(&started["options"]) }))
        }
        "identity.start_passkey_account" => Some(json!({ "name": "new" })),
        "identity.create_passkey_account" => {
            let started = nobody.post("/api/v1/accounts/passkey/start", json!({ "name": "new" })).await.ok();
            let made = Device::new(ORIGIN, "one").create(&started["options"]);
            Some(json!({ "id": started["id"], "credential": made }))
        }
        "identity.confirm_totp" => Some(json!({ "code": totp(world, person).await.code(0) })),
        "identity.renew_recovery_codes" => {
            let code = totp(world, person).await.code(0);
            ok(person, "/api/v1/me/totp", json!({ "code": code })).await;
            Some(json!({}))
        }
        "identity.give_proof" => Some(json!({ "password": testkit::PASSWORD })),
        "identity.start_passkey_proof" => {
            passkey(person).await;
            Some(json!({}))
        }
        "identity.claim_sign_in_link" => {
            let link = nobody.post("/api/v1/sign-in-links", json!({})).await.ok();
            path = path.replace("{id}", link["id"].as_str().unwrap());
            Some(json!({ "secret": link["secret"] }))
        }
        id if path.contains("{code}") => {
            let link = nobody.post("/api/v1/sign-in-links", json!({})).await.ok();
            path = path.replace("{code}", link["url"].as_str().unwrap().rsplit('/').next().unwrap());
            (!id.contains("look")).then(|| json!({}))
        }
        _ if matches!(operation.method.as_str(), "GET" | "DELETE") => None,
        _ => Some(json!({})),
    };
    Some((path, body))
}
