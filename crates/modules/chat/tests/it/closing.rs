//! An organisation taken along whole, and gone without a trace, whatever
//! modules keep.

use std::sync::atomic::{AtomicBool, Ordering::SeqCst};

use kernel::{Ctx, Duty, OrgScope};
use proto::{ClientId, Code, ConversationId, Error, Result};
use serde_json::{Value, json};
use store::{Engine, Sql, Tx, dialect};
use testkit::TestServer;
use uuid::Uuid;

use crate::world::{World, path, say};

/// Says much at once, behind the API: each `n` with these words after it.
pub(crate) async fn say_much(w: &World, group: &str, messages: usize, words: &str) {
    let (id, sender) = (ConversationId(group.parse().unwrap()), w.bob.id);
    let mut said = 0;
    while said < messages {
        let batch = 200.min(messages - said);
        let new: Vec<_> = (0..batch)
            .map(|n| chat::seed::SeedMessage {
                sender,
                client_id: ClientId(Uuid::new_v5(&Uuid::NAMESPACE_OID, (said + n).to_string().as_bytes())),
                at: w.server.kernel.now(),
                text: format!("第 {} 句{words}", said + n),
                mentions: Vec::new(),
                mention_all: false,
                reply_to: None,
            })
            .collect();
        w.server
            .db()
            .write(move |tx| {
                tx.lock(&[chat::seed::key(id)])?;
                chat::seed::message_batch(tx, id, &new).map(drop)
            })
            .await
            .unwrap();
        said += batch;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_export_holds_every_message_once_and_nothing_of_others() {
    const MESSAGES: usize = 12_000;
    let w = World::new().await;
    let group = w.group(&[&w.bob]).await;
    say_much(&w, &group, MESSAGES, "").await;
    let pair = w.alice.post("/api/v1/conversations/direct", json!({ "user": w.bob.id })).await.ok();
    say(&w.alice, pair["id"].as_str().unwrap(), "只给你").await;
    let other = w.eve.post("/api/v1/orgs", json!({ "name": "别家" })).await.ok();
    say(&w.eve, other["all_staff"].as_str().unwrap(), "别家的话").await;
    w.bob.put(&path(&group, "/draft"), json!({ "text": "没说完" })).await.ok();
    let export = format!("/api/v1/orgs/{}/export", w.org);
    w.bob.get(&export).await.fails(Code::Forbidden);
    w.eve.get(&export).await.fails(Code::NotFound);
    let answer = w.alice.get(&export).await;
    assert_eq!(answer.headers["content-type"], "application/x-ndjson");
    assert!(answer.headers["content-disposition"].to_str().unwrap().starts_with("attachment"));
    let lines: Vec<Value> = answer.body.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(lines[0]["kind"], "export");
    let last = lines.last().unwrap();
    assert_eq!((&last["kind"], &last["rows"]), (&json!("end"), &json!(lines.len() - 2)));
    let of = |kind: &str| lines.iter().filter(|l| l["kind"] == kind).map(|l| &l["row"]).collect::<Vec<_>>();
    let said: Vec<_> = of("message").into_iter().filter(|m| m["conversation"] == group.as_str()).collect();
    let seqs: Vec<_> = said.iter().map(|m| m["seq"].as_i64().unwrap()).collect();
    assert_eq!(seqs, (1..=MESSAGES as i64 + 1).collect::<Vec<_>>(), "all, once, in order");
    assert!(said.last().unwrap()["body"].to_string().contains(&format!("第 {} 句", MESSAGES - 1)));
    assert_eq!((of("org").len(), of("member").len(), of("conversation").len()), (1, 3, 2));
    for hidden in ["只给你", "别家的话", "没说完"] {
        assert!(!answer.body.contains(hidden), "{hidden}");
    }
    let invitation = w.alice.get(&format!("/api/v1/orgs/{}/invitations", w.org)).await.ok();
    assert!(!answer.body.contains(invitation["items"][0]["code"].as_str().unwrap()), "codes still open doors");
    let audit = w.alice.get(&format!("/api/v1/orgs/{}/audit", w.org)).await.ok();
    assert_eq!(audit["items"][0]["action"], "directory.org_exported");
    // An old proof is not enough.
    w.server.clock.advance(11 * 60_000);
    w.alice.get(&export).await.fails(Code::ProofRequired);
}

/// Purges as chat does, but for the first time, at which it breaks off.
fn breaks_off_once(tx: &mut Tx<'_>, ctx: &Ctx, org: OrgScope) -> Result<bool> {
    static BROKE_OFF: AtomicBool = AtomicBool::new(false);
    let Duty::Does(purge) = chat::module().org_data.purge else { panic!() };
    let more = purge(tx, ctx, org)?;
    if BROKE_OFF.swap(true, SeqCst) { Ok(more) } else { Err(Error::internal("the node died here")) }
}

/// Where this id stands in the database: `table.column`, in any form.
fn places(tx: &mut Tx<'_>, id: Uuid) -> Result<Vec<String>> {
    let columns: Vec<(String, String, String)> = tx.query(
        dialect!(
            sqlite: "SELECT m.name, p.name, p.type FROM sqlite_master m, pragma_table_info(m.name) p
                WHERE m.type = 'table' ORDER BY m.name, p.name",
            postgres: "SELECT CAST(table_name AS TEXT), CAST(column_name AS TEXT), CAST(data_type AS TEXT)
                FROM information_schema.columns WHERE table_schema = 'public' ORDER BY table_name, column_name",
        ),
        &[],
        |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)),
    )?;
    assert!(columns.len() > 100);
    let engine = tx.engine();
    let mut found = Vec::new();
    // What other nodes are told is forgotten within seconds, but not within a test's step.
    for (table, column, kind) in columns.into_iter().filter(|(table, ..)| table != "hints") {
        let holds = |condition: String| -> &'static Sql {
            let text = format!("SELECT COUNT(*) FROM {table} WHERE {condition}");
            let text: &'static str = Box::leak(text.into_boxed_str());
            Box::leak(Box::new(Sql::new(text, text, file!(), line!(), module_path!())))
        };
        let count: i64 = match kind.to_ascii_lowercase().as_str() {
            "blob" | "uuid" => tx.one(holds(format!("{column} = $1")), &[&id], |row| row.get(0))?,
            "text" => {
                let part = if engine == Engine::Sqlite { "instr" } else { "strpos" };
                let either = format!("{part}({column}, $1) > 0 OR {part}({column}, $2) > 0");
                tx.one(holds(either), &[&id.to_string(), &id.simple().to_string()], |row| row.get(0))?
            }
            _ => 0,
        };
        if count > 0 {
            found.push(format!("{table}.{column}"));
        }
    }
    Ok(found)
}

#[tokio::test(flavor = "multi_thread")]
async fn of_a_closed_organisation_nothing_is_left_but_its_tombstone_though_a_node_died_meanwhile() {
    let mut broken = chat::module();
    broken.org_data.purge = Duty::Does(breaks_off_once);
    let server = TestServer::with(vec![identity::module(), directory::module(), broken]).await;
    let w = World::on(server).await;
    let group = w.group(&[&w.bob, &w.carol]).await;
    for n in 0..150 {
        say(&w.bob, &group, &format!("第 {n} 句")).await;
    }
    say(&w.carol, &w.all_staff, "大家好").await;
    w.bob.put(&path(&group, "/messages/2/reactions/%F0%9F%91%8D"), json!({})).await.ok();
    w.bob.put(&path(&group, "/draft"), json!({ "text": "没说完" })).await.ok();
    let pair = w.alice.post("/api/v1/conversations/direct", json!({ "user": w.bob.id })).await.ok();
    let pair = pair["id"].as_str().unwrap();
    say(&w.alice, pair, "留下").await;
    let org = format!("/api/v1/orgs/{}", w.org);
    let asks = w.alice.post(&format!("{org}/invitations"), json!({ "approval": true })).await.ok();
    let accept = format!("/api/v1/invitations/{}/accept", asks["code"].as_str().unwrap());
    w.eve.post(&accept, json!({})).await.ok();
    w.alice.patch(&format!("{org}/settings"), json!({ "invite_by": "members" })).await.ok();
    w.alice.patch(&format!("{org}/members/{}", w.carol.id), json!({ "state": "suspended" })).await.ok();
    let id: Uuid = w.org.parse().unwrap();
    let before = w.server.db().read(move |tx| places(tx, id)).await.unwrap();
    for there in ["conversations.org_id", "directory_members.org_id", "kernel_audit.scope", "kernel_settings.owner_id"]
    {
        assert!(before.iter().any(|p| p == there), "{there}: {before:?}");
    }
    w.alice.post(&format!("{org}/closing"), json!({ "name": "鹊桥", "wait_days": 1 })).await.ok();
    w.server.run_jobs().await;
    w.server.clock.advance(24 * 3_600_000);
    w.server.run_jobs().await;
    // Everyone is out, though the work broke off; it goes on later.
    w.alice.get(&org).await.fails(Code::NotFound);
    w.bob.get(&path(&group, "/messages")).await.fails(Code::NotFound);
    for _ in 0..3 {
        w.server.clock.advance(60_000);
        w.server.run_jobs().await;
    }
    let left = w.server.db().read(move |tx| places(tx, id)).await.unwrap();
    // The tombstone; of people's own: what their streams told and the notices
    // they got; and the end in the server's chain.
    let own = ["orgs.id", "directory_gone.of_id", "identity_notices.detail", "kernel_audit.object"];
    let rest: Vec<_> = left.iter().filter(|place| !own.contains(&place.as_str())).collect();
    assert!(rest.is_empty(), "{rest:?}");
    assert!(left.iter().any(|place| place == "orgs.id"));
    for gone in [&group, &w.all_staff] {
        let id: Uuid = gone.parse().unwrap();
        assert_eq!(w.server.db().read(move |tx| places(tx, id)).await.unwrap(), Vec::<String>::new());
    }
    // What two people said to each other is theirs.
    let kept = w.alice.get(&path(pair, "/messages")).await.ok();
    assert!(kept.to_string().contains("留下"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_suspended_member_reads_nothing_and_has_everything_again_when_back() {
    let w = World::new().await;
    let group = w.group(&[&w.bob]).await;
    say(&w.alice, &group, "之前").await;
    let member = format!("/api/v1/orgs/{}/members/{}", w.org, w.bob.id);
    let mut socket = w.bob.socket().await;
    w.alice.patch(&member, json!({ "state": "suspended" })).await.ok();
    let mut ended = Vec::new();
    while ended.len() < 2 {
        let told = socket.until(|v| v["events"][0]["kind"] == "unfollowed").await;
        ended.push(told["events"][0]["conversation"].as_str().unwrap().to_owned());
    }
    ended.sort();
    let mut both = vec![group.clone(), w.all_staff.clone()];
    both.sort();
    assert_eq!(ended, both);
    for conversation in [&group, &w.all_staff] {
        w.bob.get(&path(conversation, "/messages")).await.fails(Code::NotFound);
    }
    let list = w.bob.get("/api/v1/conversations").await.ok();
    assert!(list["items"].as_array().unwrap().iter().all(|c| c["kind"] == "self"), "{list}");
    w.server.run_jobs().await;
    say(&w.alice, &group, "其间").await;
    w.alice.patch(&member, json!({ "state": "active" })).await.ok();
    let read = w.bob.get(&path(&group, "/messages")).await.ok().to_string();
    assert!(read.contains("之前") && read.contains("其间"), "{read}");
    w.bob.get(&path(&w.all_staff, "/messages")).await.ok();
    // Removed while suspended, the groups end too.
    w.alice.patch(&member, json!({ "state": "suspended" })).await.ok();
    w.alice.delete(&member).await.ok();
    w.server.run_jobs().await;
    let members = w.alice.get(&path(&group, "/members")).await.ok();
    assert_eq!(members["items"].as_array().unwrap().len(), 1, "{members}");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_export_that_is_under_way_ends_with_the_right_to_it() {
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
    let w = World::new().await;
    let group = w.group(&[&w.bob]).await;
    // More than lies between the server and a reader who does not read.
    say_much(&w, &group, 6_000, &"很长的话".repeat(1_000)).await;
    let member = format!("/api/v1/orgs/{}/members/{}", w.org, w.bob.id);
    w.alice.patch(&member, json!({ "role": "owner" })).await.ok();
    // The card last: it takes the password away.
    for way in ["role", "session", "card"] {
        let bob = w.bob.second_device().await;
        let host = w.server.base.trim_start_matches("http://").to_owned();
        let mut stream = tokio::net::TcpStream::connect(&host).await.unwrap();
        let request = format!(
            "GET /api/v1/orgs/{}/export HTTP/1.1\r\nhost: {host}\r\nauthorization: Bearer {}\r\nconnection: close\r\n\r\n",
            w.org, bob.token
        );
        stream.write_all(request.as_bytes()).await.unwrap();
        let mut first = vec![0; 1_024];
        stream.read_exact(&mut first).await.unwrap();
        assert!(first.starts_with(b"HTTP/1.1 200"), "{}", String::from_utf8_lossy(&first));
        if way == "role" {
            w.alice.patch(&member, json!({ "role": "admin" })).await.ok();
            w.alice.patch(&member, json!({ "role": "member" })).await.ok();
        } else if way == "session" {
            bob.delete("/api/v1/sessions/current").await.ok();
        } else {
            let card = identity::recover(&w.server.kernel, w.bob.id).await.unwrap();
            let body = json!({ "login": card.login, "password": card.pin, "new_password": "eight bridges at dawn" });
            w.server.nobody().post("/api/v1/sessions", body).await.ok();
        }
        let mut rest = Vec::new();
        let _ = stream.read_to_end(&mut rest).await;
        let text = String::from_utf8_lossy(&rest);
        assert!(!text.contains("\"kind\":\"end\""), "{way}: all of it came");
        w.alice.patch(&member, json!({ "role": "owner" })).await.ok();
    }
}
