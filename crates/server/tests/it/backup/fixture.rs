//! Every release reads the backups of those before it: `tests/fixtures` keeps
//! one of each, made by that release itself (`fixtures/README.md`).

use std::path::{Path, PathBuf};

use magpie::backup::{Archive, Place};
use serde_json::json;
use testkit::TestServer;

use super::world::{ENGINES, download, restore};

/// The last message that the person of a fixture sent.
const LAST: &str = "留给以后的版本";

fn fixtures() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures")
}

/// Where one is missing, a release was forgotten.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_backup_of_each_release_is_restored_and_brought_to_todays_form() {
    let mut releases = 0;
    for entry in std::fs::read_dir(fixtures()).unwrap() {
        let path = entry.unwrap().path();
        if !path.is_dir() {
            continue;
        }
        releases += 1;
        let place = Place::folder(&path).unwrap();
        let archive = Archive::newest(place).await.unwrap();
        for engine in ENGINES {
            let (at, blobs, restored) = restore(&archive, engine).await;
            let restored = restored.unwrap();
            assert!(restored.rows > 100 && restored.objects >= 1, "{}", path.display());
            let server = TestServer::over(at, magpie::wiring::modules(), move |config| config.blobs = blobs).await;
            works(&server).await;
        }
    }
    assert!(releases >= 1);
}

/// The person that each fixture holds (its README tells how it is made).
async fn works(server: &TestServer) {
    let login =
        json!({ "login": "keeper", "password": "a quiet magpie on 7 bridges", "bearer": true, "device": "test" });
    let session = server.nobody().post("/api/v1/sessions", login).await.ok();
    let mut keeper = server.person("新人").await;
    keeper.token = session["token"].as_str().unwrap().to_owned();
    let rooms = keeper.get("/api/v1/conversations?limit=10").await.ok();
    let room = rooms["items"].as_array().unwrap().iter().find(|room| room.to_string().contains(LAST)).unwrap().clone();
    let path = format!("/api/v1/conversations/{}/messages", room["id"].as_str().unwrap());
    let page = keeper.get(&format!("{path}?limit=100")).await.ok();
    let items = page["items"].as_array().unwrap();
    assert!(items.iter().any(|item| item.to_string().contains(LAST)));
    let text = super::world::message(uuid::Uuid::from_u128(77), "still here");
    assert!(keeper.post(&path, text).await.ok()["seq"].as_i64().unwrap() > items.len() as i64 - 1);
    let files = keeper.get("/api/v1/files?limit=10").await.ok();
    let file = files["items"][0]["id"].as_str().unwrap().to_owned();
    assert_eq!(download(&keeper, server, &file).await, b"kept since then\n");
}
