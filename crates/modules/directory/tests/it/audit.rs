//! The chain of privileged acts of an organisation.

use kernel::{OrgScope, audit};
use proto::OrgId;
use serde_json::json;
use store::sql;

use crate::{found, invite, join, member_path, server, set_role};

#[tokio::test]
async fn each_privileged_act_stands_once_in_a_chain_that_shows_any_change() {
    let server = server().await;
    let (alice, bob) = (server.person("张伟").await, server.person("李雷").await);
    let org = found(&alice, "鹊桥").await;
    join(&alice, &org, &[&bob]).await;
    set_role(&alice, &org, &bob, "admin").await.ok();
    set_role(&alice, &org, &bob, "admin").await.ok();
    alice.patch(&format!("/api/v1/orgs/{org}"), json!({ "name": "银河" })).await.ok();
    let invitation = invite(&alice, &org, json!({})).await;
    alice.delete(&format!("/api/v1/orgs/{org}/invitations/{}", invitation["id"].as_str().unwrap())).await.ok();
    alice.delete(&member_path(&org, &bob)).await.ok();
    // Another organisation's acts are in its own chain.
    found(&alice, "另一").await;

    let id: OrgId = org.parse().unwrap();
    let read = async || server.db().read(move |tx| audit::list(tx, Some(OrgScope::mint(id)), 0, 100)).await.unwrap();
    let entries = read().await;
    let actions: Vec<_> = entries.iter().map(|e| e.action.as_str()).collect();
    assert_eq!(
        actions,
        [
            "directory.org_created",
            "directory.invitation_created",
            "directory.role_changed",
            "directory.org_renamed",
            "directory.invitation_created",
            "directory.invitation_revoked",
            "directory.member_removed",
        ]
    );
    assert!(entries.iter().all(|e| e.actor_id == alice.id.0 && e.actor_kind == "person"));
    assert!(!format!("{entries:?}").contains(invitation["code"].as_str().unwrap()), "no secrets in the chain");
    audit::verify(Some(id), 0, Vec::new(), &entries).unwrap();

    server
        .db()
        .write(move |tx| {
            tx.execute(sql!("UPDATE kernel_audit SET detail = '{}' WHERE scope = $1 AND seq = 3"), &[&id.0])
        })
        .await
        .unwrap();
    assert_eq!(audit::verify(Some(id), 0, Vec::new(), &read().await), Err(3));
    let mut cut = entries.clone();
    cut.remove(2);
    assert_eq!(audit::verify(Some(id), 0, Vec::new(), &cut), Err(4));
}
