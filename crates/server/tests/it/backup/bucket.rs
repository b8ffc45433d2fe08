//! Backups in a bucket of a real store that speaks S3, made and restored, also
//! behind a network that breaks off and stands still.

use std::time::{Duration, Instant};

use magpie::backup::{Archive, Keep, Place, Plan, Refused, mark, run};
use store::{Blobs, Engine, S3};
use testkit::{Between, CUT_OFF, Mood, S3Server};
use uuid::Uuid;

use super::world::{World, content, message, restore};

const DAY: i64 = 86_400_000;
const PATIENCE: Duration = Duration::from_secs(2);

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_backup_in_a_bucket_is_kept_for_its_time_and_restores_into_the_other_engine() {
    let store = S3Server::shared();
    // Its files lie in the same bucket, under another prefix, as small installations have it.
    let world = World::over(Blobs::s3(&store.at("backup-files")).unwrap()).await;
    let place = Place::parse("s3://magpie/backup-kept/", Some(store.at("other"))).unwrap();
    let keep = Keep { daily: 2, weekly: 0, monthly: 0 };
    let plan = Plan { place: place.clone(), every_hours: 24, hour: 19, keep };
    let source = world.source();
    for day in 1..=3 {
        assert!(run::step(&world.server.kernel, &source, &plan).await.unwrap());
        assert_eq!(place.names().await.unwrap().len(), 2.min(day));
        world.server.clock.advance(DAY);
    }
    assert_eq!(place.blobs.list("objects").await.unwrap().len(), 1);
    // Another store of the same name has no mark; nor has a bucket that was emptied.
    place.blobs.delete(mark::MARK).await.unwrap();
    let refused = run::step(&world.server.kernel, &source, &plan).await.unwrap_err();
    assert!(matches!(Refused::of(&refused), Some(Refused::Away(_))), "{refused:#}");
    assert_eq!(place.names().await.unwrap().len(), 2);
    let archive = Archive::newest(place).await.unwrap();
    let other = if world.server.db().engine() == Engine::Sqlite { Engine::Postgres } else { Engine::Sqlite };
    let (_place, blobs, restored) = restore(&archive, other).await;
    restored.unwrap();
    let objects = blobs.list("blobs").await.unwrap();
    assert_eq!(blobs.read_all(&objects[0].name).await.unwrap(), content());
    world.server.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_bucket_that_breaks_off_fails_the_backup_in_time_and_the_next_one_is_whole() {
    let world = World::new().await;
    let store = S3Server::shared();
    let between = Between::start(store.port).await;
    let endpoint = Some(format!("http://{}", between.at));
    let at = S3 { endpoint, ..store.at("backup-broken") };
    let place = Place::over(Blobs::s3_within(&at, PATIENCE).unwrap(), "a bucket");
    let messages = format!("/api/v1/conversations/{}/messages", world.room);
    let moods = [
        Mood::Away,
        Mood::Silent,
        Mood::Resets(100),
        Mood::Stalls(3_000),
        Between::refusal("503 Slow Down", "SlowDown"),
    ];
    for (n, mood) in moods.into_iter().enumerate() {
        between.set(mood.clone());
        let began = Instant::now();
        let talk = message(Uuid::from_u128(n as u128 + 100), "goes on");
        let said = world.alice.post(&messages, talk);
        let (made, said) = tokio::join!(world.backup(&place), said);
        said.ok();
        made.expect_err("the bucket broke off");
        assert!(began.elapsed() < 3 * CUT_OFF, "{mood:?} took {:?}", began.elapsed());
        let now = world.server.kernel.now();
        let latest = run::latest(&world.server.db(), now).await.unwrap();
        assert!(latest.failed.is_some() && latest.running.is_none(), "{mood:?}: {latest:?}");
        world.server.clock.advance(60_000);
    }
    between.set(Mood::Carries);
    let written = world.backup(&place).await.unwrap();
    // The parts of the object that is whole, and of no other.
    let whole = store.parts("backup-broken").await.len();
    assert_eq!(whole, content().len().div_ceil(8 * 1_048_576));
    assert_eq!(place.names().await.unwrap(), [written.manifest.name.as_str()]);

    let archive = Archive::newest(place).await.unwrap();
    for mood in [Mood::Away, Mood::Stalls(3_000)] {
        between.set(mood.clone());
        let began = Instant::now();
        let (_place, _, restored) = restore(&archive, Engine::Sqlite).await;
        assert!(restored.is_err() && began.elapsed() < CUT_OFF, "{mood:?}");
    }
    between.set(Mood::Carries);
    let (_place, _, restored) = restore(&archive, Engine::Sqlite).await;
    restored.unwrap();
    world.server.run_jobs().await;
    world.server.finish().await;
}
