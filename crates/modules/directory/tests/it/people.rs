//! Whom one sees through an organisation.

use proto::Code;
use serde_json::json;
use testkit::Person;

use crate::{found, join, member_path, server};

#[tokio::test]
async fn people_see_those_they_share_an_organisation_with() {
    let server = server().await;
    let mut people = Vec::new();
    for name in ["张伟", "李雷", "韩梅梅", "外人"] {
        people.push(server.person(name).await);
    }
    let [alice, bob, carol, stranger] = &people[..] else { panic!() };
    let one = found(alice, "一").await;
    let two = found(carol, "二").await;
    join(alice, &one, &[bob]).await;
    join(carol, &two, &[bob]).await;
    // Who sees whom: a row for each, a column for each.
    let check = async |matrix: [[bool; 4]; 4]| {
        for (by, row) in people.iter().zip(matrix) {
            let ids: Vec<_> = people.iter().map(|p| p.id.to_string()).collect();
            let list = by.get(&format!("/api/v1/users?ids={}", ids.join(","))).await.ok();
            for (of, seen) in people.iter().zip(row) {
                let answer = by.get(&format!("/api/v1/users/{}", of.id)).await;
                let listed = list["items"].as_array().unwrap().iter().any(|u| u["id"] == of.id.to_string());
                assert_eq!(listed, seen, "{} lists {}", by.name, of.name);
                if seen {
                    let user = answer.ok();
                    assert_eq!(user["name"], of.name.as_str());
                    assert!(user.get("login").is_none());
                } else {
                    answer.fails(Code::NotFound);
                }
            }
        }
    };
    let (t, f) = (true, false);
    check([[t, t, f, f], [t, t, t, f], [f, t, t, f], [f, f, f, t]]).await;
    // Bob leaves the second one: Carol still reads his name, he no longer hers.
    bob.delete(&member_path(&two, bob)).await.ok();
    check([[t, t, f, f], [t, t, f, f], [f, t, t, f], [f, f, f, t]]).await;
    stranger.get(&format!("/api/v1/users/{}", alice.id)).await.fails(Code::NotFound);
}

#[tokio::test]
async fn an_erased_person_leaves_everywhere_and_their_name_with_them() {
    let server = server().await;
    let (alice, bob) = (server.person("张伟").await, server.person("李雷").await);
    let org = found(&alice, "鹊桥").await;
    join(&alice, &org, &[&bob]).await;
    let (kernel, id) = (server.kernel.clone(), bob.id);
    let exported = server
        .db()
        .write(move |tx| {
            let ctx = kernel.ctx(kernel::Principal::SYSTEM);
            let mut exported = Vec::new();
            for module in [identity::module(), directory::module()] {
                let kernel::PersonData { export, erase } = module.person_data;
                let (kernel::Duty::Does(export), kernel::Duty::Does(erase)) = (export, erase) else { panic!() };
                exported.push(export(tx, &ctx, id)?);
                erase(tx, &ctx, id)?;
            }
            Ok::<_, proto::Error>(exported)
        })
        .await
        .unwrap();
    assert_eq!(exported[0]["account"]["name"], "李雷");
    assert!(!exported[0].to_string().contains("argon2"));
    assert_eq!(exported[1]["memberships"][0]["org"], org);
    server.run_jobs().await;
    let members = alice.get(&format!("/api/v1/orgs/{org}/members")).await.ok();
    assert_eq!(members["items"].as_array().unwrap().len(), 1);
    let gone = alice.get(&format!("/api/v1/users/{}", bob.id)).await.ok();
    assert_eq!((&gone["deleted"], &gone["name"]), (&json!(true), &json!("")));
    let sign_in = json!({ "login": bob.login, "password": testkit::PASSWORD });
    server.nobody().post("/api/v1/sessions", sign_in).await.fails(Code::InvalidCredentials);
    server.clock.advance(2_000);
    bob.get("/api/v1/me").await.fails(Code::Unauthenticated);
    server.finish().await;
}

#[tokio::test]
async fn a_profile_names_only_organisations_where_both_are() {
    let server = server().await;
    let owner = server.person("owner").await;
    let mut orgs = Vec::new();
    for name in ["一", "二", "三"] {
        orgs.push(found(&owner, name).await);
    }
    let (a, b) = (server.person("张伟").await, server.person("李雷").await);
    for org in &orgs[..2] {
        join(&owner, org, &[&a, &b]).await;
    }
    join(&owner, &orgs[2], &[&b]).await;
    let shared = async |who: &Person, whom: &Person| {
        let profile = who.get(&format!("/api/v1/users/{}/profile", whom.id)).await.ok();
        let orgs = profile["orgs"].as_array().unwrap().clone();
        orgs.into_iter().map(|org| org["name"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
    };
    for (who, whom) in [(&a, &b), (&b, &a)] {
        assert_eq!(shared(who, whom).await, ["一", "二"]);
    }
    owner.patch(&member_path(&orgs[0], &a), json!({ "state": "suspended" })).await.ok();
    for (who, whom) in [(&a, &b), (&b, &a)] {
        assert_eq!(shared(who, whom).await, ["二"]);
    }
}
