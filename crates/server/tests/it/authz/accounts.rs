//! Good requests for what two accounts, or two administrators, must begin.

use axum::http::Method;
use serde_json::{Value, json};
use store::sql;
use testkit::{PASSWORD, Person};
use uuid::Uuid;

use super::{
    Operation,
    world::{Who, World},
};

async fn ok(person: &Person, path: &str, body: Value) -> Value {
    person.post(path, body).await.ok()
}

fn text(value: &Value) -> String {
    value.as_str().unwrap().to_owned()
}

/// Another account of `me` that offers itself: the code.
async fn offered(world: &World) -> Value {
    let spare = world.newcomer("spare").await;
    ok(&spare, "/api/v1/me/merge-offers", json!({})).await["code"].clone()
}

/// An account that the organisation issued; its id.
async fn issued(world: &World, by: &Person) -> String {
    let people = json!({ "people": [{ "name": "issued", "number": "n-1" }] });
    text(&ok(by, &format!("/api/v1/orgs/{}/accounts", world.org), people).await["cards"][0]["user"])
}

/// Lets those who lead A have led it since ever, by nobody's grace.
async fn led(world: &World) {
    let org: Uuid = world.org.parse().unwrap();
    let led = sql!("UPDATE directory_members SET role_since = 0, role_by = NULL WHERE org_id = $1");
    world.db().write(move |tx| tx.execute(led, &[&org])).await.unwrap();
}

/// A recovery of `user` that `by` asked for; its id.
async fn asked(world: &World, by: &Person, user: &str) -> String {
    led(world).await;
    let path = format!("/api/v1/orgs/{}/members/{user}/recovery", world.org);
    text(&ok(by, &path, json!({ "reason": "lost the phone" })).await["id"])
}

/// What parts an account again that was merged into somebody's: no session.
async fn parted(world: &World) -> Value {
    let (me, spare) = (world.person(Who::Reader), world.newcomer("spare").await);
    let code = ok(&spare, "/api/v1/me/merge-offers", json!({})).await["code"].clone();
    let merge = text(&ok(me, "/api/v1/me/merges", json!({ "code": code })).await["id"]);
    ok(me, &format!("/api/v1/me/merges/{merge}/confirm"), json!({})).await;
    world.run_jobs().await;
    json!({ "login": spare.login, "password": PASSWORD })
}

/// `(path, body)`, for whoever may.
pub async fn request(world: &World, operation: &Operation, who: Who) -> Option<(String, Option<Value>)> {
    if operation.id == "identity.part_merge" {
        return Some((operation.path.clone(), Some(parted(world).await)));
    }
    if operation.id == "chat.revoke_guest_link" {
        // One's own: others' are not to be seen.
        let path = operation.path.replace("{id}", &world.org);
        let made = ok(world.person(who), path.trim_end_matches("/{link}"), json!({})).await;
        return Some((path.replace("{link}", &text(&made["id"])), None));
    }
    if operation.method != Method::POST || !who.has_session() {
        return None;
    }
    let me = world.person(who);
    let other = world.person(if who == Who::OwnerA { Who::AdminA } else { Who::OwnerA });
    let path = operation.path.as_str();
    let in_a = path.replacen("{id}", &world.org, 1);
    let (path, body) = match operation.id.as_str() {
        "identity.create_merge" => (path.to_owned(), json!({ "code": offered(world).await })),
        "identity.confirm_merge" | "identity.undo_merge" => {
            let merge = ok(me, "/api/v1/me/merges", json!({ "code": offered(world).await })).await;
            let id = text(&merge["id"]);
            if operation.id == "identity.undo_merge" {
                ok(me, &format!("/api/v1/me/merges/{id}/confirm"), json!({})).await;
                world.run_jobs().await;
            }
            (path.replace("{id}", &id), json!({}))
        }
        "directory.create_card" => (in_a.replace("{user}", &issued(world, me).await), json!({})),
        "directory.create_recovery" => {
            led(world).await;
            (in_a.replace("{user}", &issued(world, me).await), json!({ "reason": "lost the phone" }))
        }
        "directory.approve_recovery" => {
            let id = asked(world, other, &issued(world, other).await).await;
            (in_a.replace("{recovery}", &id), json!({}))
        }
        "directory.take_recovery_card" => {
            let id = asked(world, other, &world.person(Who::Colleague).id.to_string()).await;
            ok(me, &format!("/api/v1/orgs/{}/recoveries/{id}/approve", world.org), json!({})).await;
            world.advance(24 * 3_600_000);
            ok(me, "/api/v1/me/proof", json!({ "password": PASSWORD })).await;
            (in_a.replace("{recovery}", &id), json!({}))
        }
        "directory.refuse_recovery" => {
            let id = begun(world, me).await;
            (path.replace("{id}", &id.to_string()), json!({}))
        }
        _ => return None,
    };
    Some((path, Some(body)))
}

/// A recovery of anybody, whatever they are: only its person is asked about.
async fn begun(world: &World, me: &Person) -> Uuid {
    let (id, user, org): (Uuid, _, Uuid) = (Uuid::from_u128(7), me.id, world.org.parse().unwrap());
    let insert = sql!(
        "INSERT INTO directory_recoveries (org_id, id, user_id, reason, state, managed, asked_by, asked_at)
         VALUES ($1, $2, $3, 'lost', 'asked', FALSE, $3, 0)"
    );
    world.db().write(move |tx| tx.execute(insert, &[&org, &id, &user])).await.unwrap();
    id
}
