//! What is kept is handed over on request and forgotten in slices.

use kernel::{Duty, OrgScope, Principal};
use serde_json::{Value, json};

use crate::world::{World, client_id, get, path, post, say, texts};

#[tokio::test(flavor = "multi_thread")]
async fn a_person_gets_what_is_kept_and_leaves_only_what_they_said() {
    let w = World::new().await;
    let group = w.group(&[&w.bob]).await;
    say(&w.bob, &group, "我说的").await;
    say(&w.bob, &w.all_staff, "大家好").await;
    let mut mention = json!({ "client_id": client_id(), "mentions": [w.bob.id] });
    mention["body"] = crate::world::body("看");
    post(&w.alice, &group, mention).await.ok();
    w.bob.put(&path(&group, "/draft"), json!({ "text": "没说完" })).await.ok();
    w.bob.put(&path(&group, "/preferences"), json!({ "muted": true })).await.ok();
    let (kernel, bob) = (w.server.kernel.clone(), w.bob.id);
    let data = chat::module().person_data;
    let (Duty::Does(export), Duty::Does(erase)) = (data.export, data.erase) else { panic!() };
    let ctx = kernel.ctx(Principal::SYSTEM);
    let read = ctx.clone();
    let kept: Value = w.server.db().read(move |tx| export(tx, &read, bob)).await.unwrap();
    for part in ["我说的", "大家好", "没说完", &group] {
        assert!(kept.to_string().contains(part), "{part}");
    }
    assert!(!kept.to_string().contains("看"), "what others said is theirs");
    assert_eq!(kept["more"], false);
    w.server.db().write(move |tx| erase(tx, &ctx, bob)).await.unwrap();
    w.server.run_jobs().await;
    let seen = get(&w.bob, &group, "").await;
    assert_eq!((seen.get("draft"), seen["preferences"]["muted"].clone()), (None, json!(false)));
    assert_eq!(w.bob.get("/api/v1/mentions").await.ok()["items"], json!([]));
    assert_eq!(texts(&get(&w.alice, &group, "/messages").await).len(), 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_organisation_is_purged_and_nothing_else() {
    let w = World::new().await;
    let group = w.group(&[&w.bob]).await;
    let pair = w.alice.post("/api/v1/conversations/direct", json!({ "user": w.bob.id })).await.ok();
    let pair = crate::world::id(&pair);
    for i in 0..=300 {
        say(&w.alice, &group, &i.to_string()).await;
    }
    let edited = json!({ "body": crate::world::body("改了") });
    w.alice.patch(&path(&group, "/messages/3"), edited).await.ok();
    let mut mention = json!({ "client_id": client_id(), "mentions": [w.bob.id] });
    mention["body"] = crate::world::body("看");
    post(&w.alice, &group, mention).await.ok();
    say(&w.alice, &pair, "留下").await;
    w.alice.put(&path(&group, "/messages/2/reactions/%F0%9F%91%8D"), json!({})).await.ok();
    let org = OrgScope::mint(proto::OrgId(w.org.parse().unwrap()));
    let data = chat::module().org_data;
    let (Duty::Does(export), Duty::Does(purge)) = (data.export, data.purge) else { panic!() };
    let ctx = w.server.kernel.ctx(Principal::SYSTEM);
    let (mut rows, mut place, mut pages) = (Vec::new(), None, 0);
    loop {
        let (read, after) = (ctx.clone(), place.clone());
        let page = w.server.db().read(move |tx| export(tx, &read, org, after.as_ref())).await.unwrap();
        assert!(page.rows.len() <= kernel::ExportPage::ROWS, "{}", page.rows.len());
        rows.extend(page.rows);
        (place, pages) = (page.next, pages + 1);
        if place.is_none() {
            break;
        }
    }
    assert!(pages > 1, "more than one page, or nothing is tried");
    let of = |kind: &str| rows.iter().filter(|(k, _)| *k == kind).map(|(_, row)| row).collect::<Vec<_>>();
    assert_eq!(of("conversation").len(), 2);
    let said: Vec<_> = of("message").into_iter().filter(|m| m["conversation"] == group.as_str()).collect();
    let seqs: Vec<_> = said.iter().map(|m| m["seq"].as_i64().unwrap()).collect();
    assert_eq!(seqs, (1..=said.len() as i64).collect::<Vec<_>>(), "every message once, in order");
    assert!(said.iter().any(|m| m["body"].to_string().contains("300")));
    assert_eq!((of("edit").len(), of("reaction").len(), of("participant").len()), (1, 1, 2));
    assert!(!json!(rows).to_string().contains(&pair));
    loop {
        let write = ctx.clone();
        if !w.server.db().write(move |tx| purge(tx, &write, org)).await.unwrap() {
            break;
        }
    }
    for gone in [&group, &w.all_staff] {
        w.alice.get(&path(gone, "")).await.fails(proto::Code::NotFound);
    }
    assert_eq!(texts(&get(&w.bob, &pair, "/messages").await).len(), 1);
    let left = w
        .server
        .db()
        .read(move |tx| {
            let count = store::sql!(
                "SELECT (SELECT COUNT(*) FROM chat_messages) + (SELECT COUNT(*) FROM chat_reactions)
                    + (SELECT COUNT(*) FROM chat_reaction_sums) + (SELECT COUNT(*) FROM chat_members)
                    + (SELECT COUNT(*) FROM chat_mentions) + (SELECT COUNT(*) FROM chat_edits)"
            );
            tx.one(count, &[], |row| row.get::<i64>(0))
        })
        .await
        .unwrap();
    assert_eq!(left, 3, "one message and two members of the pair");
}
