//! Rest hours: whose they are, and who sees until when.

use kernel::Clock as _;
use proto::Code;
use serde_json::{Value, json};

use crate::world::{World, get, id};

const AT: &str = "/api/v1/me/rest-hours";

fn always() -> Value {
    json!({ "zone": "Asia/Shanghai", "hours": [{ "days": [1, 2, 3, 4, 5, 6, 7], "from": "00:00", "to": "00:00" }] })
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_may_write_to_a_person_sees_until_when_they_rest() {
    let w = World::new().await;
    let pair = id(&w.alice.post("/api/v1/conversations/direct", json!({ "user": w.bob.id })).await.ok());
    assert_eq!(w.bob.get(AT).await.ok(), json!({ "zone": "UTC", "hours": [] }));
    let mut other = w.bob.second_device().await.socket().await;
    assert_eq!(w.bob.put(AT, always()).await.ok(), always());
    other.until(|f| f["t"] == "touched" && f["kind"] == "rest_hours").await;
    assert_eq!(w.bob.get(AT).await.ok(), always());
    let until = get(&w.alice, &pair, "").await["resting_until"].as_i64().unwrap();
    let now = w.server.clock.now();
    assert!(until > now && until <= now + 7 * 24 * 3_600_000);
    let listed = w.alice.get("/api/v1/conversations").await.ok()["items"].clone();
    let listed = listed.as_array().unwrap().iter().find(|c| c["id"] == pair.as_str()).unwrap().clone();
    assert_eq!(listed["resting_until"], until);
    let opened = w.alice.post("/api/v1/conversations/direct", json!({ "user": w.bob.id })).await.ok();
    assert_eq!(opened["resting_until"], until, "whoever opens it to write is told at once");
    assert!(get(&w.bob, &pair, "").await.get("resting_until").is_none(), "of the other, not of oneself");
    let group = w.group(&[&w.bob]).await;
    assert!(get(&w.alice, &group, "").await.get("resting_until").is_none());
    w.leave(&w.bob).await;
    w.server.run_jobs().await;
    assert!(get(&w.alice, &pair, "").await.get("resting_until").is_none(), "who may not write sees nothing");
    w.bob.put(AT, json!({ "zone": "Asia/Shanghai", "hours": [] })).await.ok();
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_no_time_is_refused_by_its_field() {
    let w = World::new().await;
    let mut nowhere = always();
    nowhere["zone"] = "Nowhere/City".into();
    w.bob.put(AT, nowhere).await.fails(Code::InvalidField);
    let mut late = always();
    late["hours"][0]["from"] = "24:00".into();
    w.bob.put(AT, late).await.fails(Code::InvalidField);
    let many = vec![always()["hours"][0].clone(); proto::limits::REST_HOURS + 1];
    w.bob.put(AT, json!({ "zone": "UTC", "hours": many })).await.fails(Code::TooManyItems);
}
