//! Work after the commit.

use serde_json::json;
use store::{
    Db, Engine, Error, NewJob, ahead,
    jobs::{self, Claimed, LEASE_MS},
    sql,
};

use super::world::{mark, marks, on_both, open};

on_both!(
    a_claim_is_a_lease,
    an_expired_lease_goes_to_another_node,
    jobs_of_one_key_run_in_order,
    finishing_with_a_stale_attempt_does_nothing,
    a_failed_job_waits_longer_each_time,
    a_buried_job_no_longer_holds_its_key,
    a_sliced_job_goes_on_from_its_cursor,
    a_slot_is_filled_once_even_after_it_was_done,
    a_slot_of_a_clock_that_went_ahead_holds_no_work_back,
    a_lease_of_a_clock_that_went_ahead_holds_nobody_back,
    nodes_whose_clocks_differ_leave_each_other_their_jobs,
    what_waits_for_a_time_of_a_wrong_clock_is_put_right,
    a_claim_takes_no_more_than_it_hands_out,
    two_claims_never_get_the_same_job,
    a_payload_is_bounded,
);

const KINDS: &[&str] = &["mail", "index"];

fn job(kind: &'static str, key: Option<&str>, run_at: i64) -> NewJob {
    NewJob { kind, key: key.map(str::to_owned), org: None, run_at, payload: json!({ "at": run_at }) }
}

async fn add(db: &Db, new: NewJob) {
    db.write(move |tx| tx.job(new.clone())).await.unwrap_or_else(|e: Error| panic!("{e}"));
}

async fn claim(db: &Db, now: i64, node: i64) -> Option<Claimed> {
    jobs::claim(db, KINDS, now, node).await.expect("claims")
}

async fn finish(db: &Db, job: &Claimed) -> bool {
    let job = job.clone();
    db.write(move |tx| jobs::finish(tx, &job)).await.unwrap_or_else(|e: Error| panic!("{e}"))
}

async fn due(db: &Db, now: i64) -> i64 {
    db.read(move |tx| jobs::due_count(tx, now)).await.unwrap_or_else(|e: Error| panic!("{e}"))
}

/// Naive: select, then mark: two nodes get one job.
async fn a_claim_is_a_lease(engine: Engine) {
    let t = open(engine);
    let db = t.db();
    add(&db, job("mail", None, 100)).await;
    add(&db, job("other", None, 100)).await;
    assert_eq!(claim(&db, 99, 1).await, None, "not due");
    let first = claim(&db, 100, 1).await.expect("due");
    assert_eq!((first.kind.as_str(), first.attempt, &first.payload), ("mail", 1, &json!({ "at": 100 })));
    assert_eq!(claim(&db, 100, 2).await, None, "leased, and the other is of a kind nobody asked for");
    assert!(jobs::renew(&db, &first, 100 + LEASE_MS - 1).await.expect("renews"));
    assert_eq!(claim(&db, 100 + LEASE_MS, 2).await, None, "renewed");
    assert_eq!(due(&db, 100).await, 2);
    assert!(finish(&db, &first).await);
    assert_eq!(due(&db, 100).await, 1);
}

/// Naive: a job of a node that died stays its own for ever.
async fn an_expired_lease_goes_to_another_node(engine: Engine) {
    let t = open(engine);
    let db = t.db();
    add(&db, job("mail", None, 0)).await;
    let first = claim(&db, 0, 1).await.expect("due");
    let second = claim(&db, LEASE_MS, 2).await.expect("expired");
    assert_eq!((second.id, second.attempt), (first.id, 2));
    assert!(!jobs::renew(&db, &first, LEASE_MS).await.expect("renews"), "lost");
}

/// Naive: order by `run_at` alone; the second message of a webhook overtakes
/// the first while that one waits for its next try. Seen without NOT EXISTS.
async fn jobs_of_one_key_run_in_order(engine: Engine) {
    let t = open(engine);
    let db = t.db();
    add(&db, job("mail", Some("k"), 10)).await;
    add(&db, job("index", Some("k"), 0)).await;
    add(&db, job("mail", Some("other"), 10)).await;
    let first = claim(&db, 10, 1).await.expect("due");
    assert_eq!((first.kind.as_str(), first.key.as_deref()), ("mail", Some("k")));
    let free = claim(&db, 10, 1).await.expect("another key");
    assert_eq!(free.key.as_deref(), Some("other"));
    assert_eq!(claim(&db, 10, 1).await, None, "behind the first of its key");
    let failing = first.clone();
    db.write(move |tx| jobs::fail(tx, &failing, 10, "no answer")).await.unwrap_or_else(|e: Error| panic!("{e}"));
    assert_eq!(claim(&db, 10, 1).await, None, "still behind it");
    let first = claim(&db, 10_000, 1).await.expect("tried again");
    assert!(finish(&db, &first).await);
    assert_eq!(claim(&db, 10_000, 1).await.expect("its turn").kind, "index");
}

/// Naive: `WHERE id = $1`. Who lost the lease would end the job under the
/// feet of who has it, and its effects would happen twice. Seen.
async fn finishing_with_a_stale_attempt_does_nothing(engine: Engine) {
    let t = open(engine);
    let db = t.db();
    add(&db, job("mail", None, 0)).await;
    let slow = claim(&db, 0, 1).await.expect("due");
    let now = claim(&db, LEASE_MS, 2).await.expect("expired");
    let effects = |job: Claimed, id: i64| {
        move |tx: &mut store::Tx<'_>| {
            mark(tx, id)?;
            if jobs::finish(tx, &job)? { Ok(()) } else { Err(Error::Closed) }
        }
    };
    assert!(db.write(effects(slow.clone(), 1)).await.is_err());
    assert!(db.write(effects(now.clone(), 2)).await.is_ok());
    assert!(db.write(effects(now, 3)).await.is_err(), "done already");
    assert_eq!(marks(&db).await, [2]);
}

async fn a_failed_job_waits_longer_each_time(engine: Engine) {
    let t = open(engine);
    let db = t.db();
    add(&db, job("mail", None, 0)).await;
    for (now, next) in [(0, 1_000), (1_000, 3_000), (3_000, 7_000)] {
        let job = claim(&db, now, 1).await.expect("due");
        db.write(move |tx| jobs::fail(tx, &job, now, "no\0 answer")).await.unwrap_or_else(|e: Error| panic!("{e}"));
        assert_eq!(claim(&db, next - 1, 1).await, None);
        let soon = db.read(jobs::next_due).await.unwrap_or_else(|e: Error| panic!("{e}"));
        assert_eq!(soon, Some(next));
    }
}

async fn a_buried_job_no_longer_holds_its_key(engine: Engine) {
    let t = open(engine);
    let db = t.db();
    add(&db, job("mail", Some("k"), 0)).await;
    add(&db, job("mail", Some("k"), 5)).await;
    let dead = claim(&db, 5, 1).await.expect("due");
    db.write(move |tx| jobs::bury(tx, &dead, 5, "gone")).await.unwrap_or_else(|e: Error| panic!("{e}"));
    assert_eq!(claim(&db, 5, 1).await.expect("the next").run_at, 5);
    assert_eq!(due(&db, 5).await, 1);
}

async fn a_sliced_job_goes_on_from_its_cursor(engine: Engine) {
    let t = open(engine);
    let db = t.db();
    add(&db, job("index", None, 0)).await;
    let slice = claim(&db, 0, 1).await.expect("due");
    let stale = slice.clone();
    db.write(move |tx| jobs::again(tx, &slice, 5, &json!({ "from": 100 })))
        .await
        .unwrap_or_else(|e: Error| panic!("{e}"));
    assert!(!finish(&db, &stale).await, "given back");
    let next = claim(&db, 5, 1).await.expect("due");
    assert_eq!((next.attempt, next.payload), (2, json!({ "from": 100 })));
}

/// Naive: `UNIQUE(kind, slot)` on the job itself. It is gone when done, and
/// a node that is late adds the slot again. Seen.
async fn a_slot_is_filled_once_even_after_it_was_done(engine: Engine) {
    let t = open(engine);
    let db = t.db();
    let slot = |n: i64| move |tx: &mut store::Tx<'_>| jobs::periodic(tx, "mail", n, 4, 0);
    let all: Vec<_> = (0..32)
        .map(|_| {
            tokio::spawn({
                let db = t.db();
                async move { db.write(slot(7)).await }
            })
        })
        .collect();
    let mut added = 0;
    for one in all {
        added += i32::from(one.await.expect("no panic").unwrap_or_else(|e: Error| panic!("{e}")));
    }
    assert_eq!(added, 1);
    let job = claim(&db, 0, 1).await.expect("due");
    assert_eq!(job.payload, json!({ "slot": 7 }));
    assert!(finish(&db, &job).await);
    for (n, want) in [(7, false), (6, false), (8, true)] {
        assert_eq!(db.write(slot(n)).await.unwrap_or_else(|e: Error| panic!("{e}")), want);
    }
}

/// Naive: any later slot holds, and so does the job that was added for it: the
/// work rests until the time that a wrong clock told.
async fn a_slot_of_a_clock_that_went_ahead_holds_no_work_back(engine: Engine) {
    const PERIOD: i64 = 3_600_000;
    let t = open(engine);
    let db = t.db();
    let slot = |n: i64| move |tx: &mut store::Tx<'_>| jobs::periodic(tx, "mail", n, 4, n * PERIOD);
    // A little ahead may be another node; 9,000 periods are a mistake.
    for (n, want) in [(8, true), (12, true), (8, false), (9_000, true), (9_000, false), (12, true), (12, false)] {
        assert_eq!(db.write(slot(n)).await.unwrap_or_else(|e: Error| panic!("{e}")), want, "{n}");
    }
    for _ in 0..4 {
        let job = claim(&db, 12 * PERIOD, 1).await.expect("due");
        assert!(finish(&db, &job).await);
    }
    assert_eq!(claim(&db, 9_000 * PERIOD, 1).await, None);
}

/// Naive: a lease holds until its time, which a clock that went ahead put a
/// year away.
async fn a_lease_of_a_clock_that_went_ahead_holds_nobody_back(engine: Engine) {
    const YEAR: i64 = 365 * 86_400_000;
    let t = open(engine);
    let db = t.db();
    add(&db, job("mail", None, 0)).await;
    assert!(claim(&db, YEAR, 1).await.is_some());
    assert!(claim(&db, YEAR, 2).await.is_none());
    assert_eq!(claim(&db, 5_000, 2).await.expect("due").attempt, 2);
    assert!(claim(&db, 5_001, 1).await.is_none());
}

/// Naive: a lease further ahead than a lease can be does not hold. A node whose
/// machine slept is up to a day ahead, and at work. Seen.
async fn nodes_whose_clocks_differ_leave_each_other_their_jobs(engine: Engine) {
    const DAY: i64 = 86_400_000;
    let t = open(engine);
    let db = t.db();
    let look = async |now| db.write(move |tx| ahead::look(tx, now)).await.unwrap_or_else(|e: Error| panic!("{e}"));
    add(&db, job("mail", None, 0)).await;
    assert!(!look(DAY).await);
    let first = claim(&db, DAY, 1).await.expect("due");
    assert_eq!(claim(&db, 1_000, 2).await, None);
    // Nor once the one that is behind takes the other for a clock that went back.
    let mut renewed = DAY;
    for now in (2_000..20 * 60_000).step_by(10_000) {
        if look(now).await {
            ahead::put_right(&db, now).await.expect("puts right");
        }
        assert_eq!(claim(&db, now, 2).await, None, "{now}");
        // Every half minute, as who works does.
        if DAY + now - renewed >= LEASE_MS / 2 {
            renewed = DAY + now;
            assert!(jobs::renew(&db, &first, renewed).await.expect("renews"), "{now}");
            look(renewed).await;
        }
    }
    assert!(finish(&db, &first).await);
}

store::later!("index", 5_000);

/// Naive: a job is due at its time, which a clock that went ahead put a year,
/// or twenty hours, away.
async fn what_waits_for_a_time_of_a_wrong_clock_is_put_right(engine: Engine) {
    const HOUR: i64 = 3_600_000;
    for by in [HOUR, 20 * HOUR, 365 * 24 * HOUR] {
        let t = open(engine);
        let db = t.db();
        let look = async |now| db.write(move |tx| ahead::look(tx, now)).await.unwrap_or_else(|e: Error| panic!("{e}"));
        assert!(!look(0).await && !look(by).await);
        // More than one slice.
        for n in 0..230 {
            add(&db, job("mail", None, by + n)).await;
        }
        add(&db, job("index", None, by + 5_000)).await;
        assert_eq!(jobs::claim_up_to(&db, KINDS, by, 1, 1).await.expect("claims").len(), 1);
        let left = by - ahead::LOOK_MS;
        assert!(!look(left).await, "nodes may differ by that much");
        assert!(look(1_000).await);
        ahead::put_right(&db, 1_000).await.expect("puts right");
        assert!(!look(1_000).await, "once");
        assert_eq!(due(&db, 999).await, 0);
        // Put off for as long as its kind may be, and no longer.
        assert_eq!(due(&db, 1_000).await, 230);
        assert_eq!((due(&db, 5_999).await, due(&db, 6_000).await), (230, 231));
        // The one that somebody worked on then, and died at.
        let all = jobs::claim_up_to(&db, KINDS, 1_000, 2, 100).await.expect("claims");
        assert!(all.iter().all(|job| job.attempt == 1));
        let mut last = 0;
        while let Some(job) = claim(&db, 1_000 + LEASE_MS, 2).await {
            last = last.max(job.attempt);
            assert!(finish(&db, &job).await);
        }
        assert_eq!((last, due(&db, i64::MAX).await), (2, 0));
        // Another day, the same again.
        assert!(!look(by).await && look(2 * ahead::LOOK_MS).await == (by > 4 * ahead::LOOK_MS));
    }
}

/// Naive: the jobs that are due looked for inside of the UPDATE. Where
/// PostgreSQL last saw a table of one row it looks for each row anew, finds the
/// next one each time, and all but one are leased to nobody. Seen.
async fn a_claim_takes_no_more_than_it_hands_out(engine: Engine) {
    let t = open(engine);
    let db = t.db();
    add(&db, job("mail", None, 0)).await;
    db.write(|tx| tx.execute(sql!("ANALYZE jobs"), &[])).await.unwrap_or_else(|e: Error| panic!("{e}"));
    for n in 0..6 {
        add(&db, job("mail", None, n)).await;
    }
    for left in (0..7).rev() {
        let job = claim(&db, 10, 1).await.unwrap_or_else(|| panic!("one of {} is due", left + 1));
        assert!(finish(&db, &job).await);
        assert_eq!(due(&db, 10).await, left);
    }
}

/// Naive: no SKIP LOCKED and no re-check. Seen on PostgreSQL.
async fn two_claims_never_get_the_same_job(engine: Engine) {
    let t = open(engine);
    let db = t.db();
    for n in 0..32 {
        add(&db, job("mail", None, n)).await;
    }
    let claims: Vec<_> = (0..16)
        .map(|node| {
            let db = t.db();
            tokio::spawn(async move { jobs::claim_up_to(&db, KINDS, 100, node, 2).await.expect("claims") })
        })
        .collect();
    let mut ids = Vec::new();
    for claim in claims {
        ids.extend(claim.await.expect("no panic").into_iter().map(|job| job.id));
    }
    while let Some(job) = claim(&db, 100, 99).await {
        ids.push(job.id);
    }
    let all = ids.len();
    ids.sort_unstable();
    ids.dedup();
    assert_eq!((all, ids.len()), (32, 32));
}

async fn a_payload_is_bounded(engine: Engine) {
    let t = open(engine);
    let new = NewJob { payload: json!("x".repeat(5_000)), ..job("mail", None, 0) };
    let out = t.db().write(move |tx| tx.job(new.clone())).await;
    assert!(matches!(out, Err(Error::TooLarge(_))));
}
