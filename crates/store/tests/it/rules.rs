//! The parity suite: each rule of the store on both engines.

use std::time::Duration;

use proto::UserId;
use store::{Engine, Error, Tx, WRITE_STATEMENTS, dialect, sql};
use uuid::Uuid;

use super::world::{mark, marks, new_id, on_both, open, open_with};

on_both!(
    a_failed_statement_poisons_the_transaction,
    a_swallowed_error_is_not_committed,
    a_failing_or_panicking_neighbour_keeps_its_failure_to_itself,
    on_conflict_returning_says_what_happened,
    values_come_back_as_they_went,
    numbers_that_do_not_fit_are_refused,
    nulls_stand_where_the_statement_says,
    a_sum_is_cast,
    the_nul_character_is_refused,
    a_wrong_number_of_parameters_is_refused,
    parameters_are_bound_by_number,
    a_double_quoted_name_is_never_a_string,
    a_read_may_not_write,
    a_read_sees_one_snapshot,
    a_read_has_a_time_limit,
    a_unique_name_is_given_once,
    a_write_has_a_budget,
    more_than_one_row_is_an_error,
    types_are_strict,
    text_is_ordered_by_code_point,
    every_statement_prepares,
);

/// Naive: rely on the engine. SQLite goes on after a failed statement and
/// commits the rest. Seen with `fail` not setting the failure.
async fn a_failed_statement_poisons_the_transaction(engine: Engine) {
    let t = open(engine);
    let db = t.db();
    let out: Result<(), Error> = db
        .write(|tx| {
            mark(tx, 1)?;
            assert!(matches!(mark(tx, 1), Err(Error::Conflict { .. })));
            assert!(tx.is_poisoned());
            assert!(matches!(mark(tx, 2), Err(Error::Poisoned)));
            assert!(matches!(tx.lock(&[]), Err(Error::Poisoned)));
            Err(Error::Poisoned)
        })
        .await;
    assert!(matches!(out, Err(Error::Poisoned)));
    assert!(marks(&db).await.is_empty());
}

/// Naive: trust the closure's `Ok`. On PostgreSQL COMMIT then rolls back and
/// reports success. Seen with `Task::run` not looking at `is_poisoned`.
async fn a_swallowed_error_is_not_committed(engine: Engine) {
    let t = open(engine);
    let db = t.db();
    let out = db
        .write(|tx| {
            mark(tx, 1)?;
            let _ = mark(tx, 1);
            Ok::<_, Error>("fine")
        })
        .await;
    assert!(matches!(out, Err(Error::Poisoned)));
    assert!(marks(&db).await.is_empty());
}

/// Naive: one transaction for the batch without savepoints, or a panic that
/// takes the thread. Seen without `undo` and without `catch_unwind`.
async fn a_failing_or_panicking_neighbour_keeps_its_failure_to_itself(engine: Engine) {
    let t = open(engine);
    let db = t.db();
    let jobs: Vec<_> = (0..60)
        .map(|n| {
            let db = db.clone();
            tokio::spawn(async move {
                db.write(move |tx| {
                    mark(tx, n)?;
                    match n % 3 {
                        0 => Ok(n),
                        1 => Err(Error::TooLarge("on purpose")),
                        _ => panic!("on purpose"),
                    }
                })
                .await
            })
        })
        .collect();
    for (n, job) in jobs.into_iter().enumerate() {
        let out = job.await.expect("the caller lives");
        match n % 3 {
            0 => assert_eq!(out.ok(), Some(n as i64)),
            1 => assert!(matches!(out, Err(Error::TooLarge(_)))),
            _ => assert!(matches!(out, Err(Error::Panicked(text)) if text == "on purpose")),
        }
    }
    assert_eq!(marks(&db).await, (0..60).filter(|n| n % 3 == 0).collect::<Vec<i64>>());
}

/// Naive: insert and catch the conflict, which poisons.
async fn on_conflict_returning_says_what_happened(engine: Engine) {
    let t = open(engine);
    let put = |tx: &mut Tx<'_>, owner: i64| {
        tx.opt(
            sql!(
                "INSERT INTO unique_names (name, owner) VALUES ('n', $1) ON CONFLICT (name) DO NOTHING RETURNING owner"
            ),
            &[&owner],
            |row| row.get::<i64>(0),
        )
    };
    let out = t.db().write(move |tx| Ok::<_, Error>((put(tx, 1)?, put(tx, 2)?))).await.expect("no error");
    assert_eq!(out, (Some(1), None));
    let changed = t
        .db()
        .write(|tx| {
            tx.one(
                sql!(
                    "INSERT INTO unique_names (name, owner) VALUES ('n', 5) \
                      ON CONFLICT (name) DO UPDATE SET owner = excluded.owner + unique_names.owner RETURNING owner"
                ),
                &[],
                |row| row.get::<i64>(0),
            )
        })
        .await
        .unwrap_or_else(|e: Error| panic!("{e}"));
    assert_eq!(changed, 6);
}

/// Naive: let each driver convert. NULL as 0, a boolean as text, a uuid as
/// 36 characters on one side.
async fn values_come_back_as_they_went(engine: Engine) {
    let t = open(engine);
    let (id, user) = (new_id(), UserId(new_id()));
    let out = t
        .db()
        .write(move |tx| {
            let put = sql!("INSERT INTO kinds (id, i, b, r, s, raw, u) VALUES ($1, $2, $3, $4, $5, $6, $7)");
            let raw: &[u8] = &[0, 255, 39];
            tx.execute(put, &[&1_i64, &i64::MIN, &true, &-0.5_f64, &"鹊桥 ''\u{10FFFF}", &raw, &id])?;
            tx.execute(put, &[&2_u32, &(i64::MAX as u64), &false, &f64::INFINITY, &"", &Vec::<u8>::new(), &user])?;
            let none: [&dyn store::ToValue; 6] =
                [&None::<i64>, &None::<bool>, &None::<f64>, &None::<String>, &None::<Vec<u8>>, &None::<Uuid>];
            tx.execute(put, &[&3_i64, none[0], none[1], none[2], none[3], none[4], none[5]])?;
            tx.query(sql!("SELECT i, b, r, s, raw, u FROM kinds ORDER BY id"), &[], |row| {
                Ok((
                    row.get::<Option<i64>>(0)?,
                    row.get::<Option<bool>>(1)?,
                    row.get::<Option<f64>>(2)?,
                    row.get::<Option<String>>(3)?,
                    row.get::<Option<Vec<u8>>>(4)?,
                    row.get::<Option<Uuid>>(5)?,
                ))
            })
        })
        .await
        .unwrap_or_else(|e: Error| panic!("{e}"));
    let want = vec![
        (Some(i64::MIN), Some(true), Some(-0.5), Some("鹊桥 ''\u{10FFFF}".into()), Some(vec![0, 255, 39]), Some(id)),
        (Some(i64::MAX), Some(false), Some(f64::INFINITY), Some(String::new()), Some(vec![]), Some(user.0)),
        (None, None, None, None, None, None),
    ];
    assert_eq!(out, want);
}

/// Naive: bind a u64 as i64, which comes back negative; NaN, which SQLite
/// keeps as NULL; read NULL as a number.
async fn numbers_that_do_not_fit_are_refused(engine: Engine) {
    let t = open(engine);
    let put = sql!("INSERT INTO kinds (id, i) VALUES (1, $1)");
    let large = t.db().write(move |tx| tx.execute(put, &[&u64::MAX])).await;
    assert!(matches!(large, Err(Error::OutOfRange(_))));
    let real = sql!("INSERT INTO kinds (id, r) VALUES (1, $1)");
    let nan = t.db().write(move |tx| tx.execute(real, &[&f64::NAN])).await;
    assert!(matches!(nan, Err(Error::OutOfRange(_))));
    let negative = t
        .db()
        .write(move |tx| {
            tx.execute(put, &[&-1_i64])?;
            tx.one(sql!("SELECT i FROM kinds"), &[], |row| row.get::<u64>(0))
        })
        .await;
    assert!(matches!(negative, Err(Error::Decode { .. })));
    let null = t.db().read(|tx| tx.one(sql!("SELECT MAX(i) FROM kinds"), &[], |row| row.get::<i64>(0))).await;
    assert!(matches!(null, Err(Error::Decode { found: "null", .. })));
}

/// Naive: ORDER BY alone. SQLite puts NULL first, PostgreSQL last.
async fn nulls_stand_where_the_statement_says(engine: Engine) {
    let t = open(engine);
    let out: Vec<Option<i64>> = t
        .db()
        .write(|tx| {
            tx.execute(sql!("INSERT INTO kinds (id, i) VALUES (1, 5), (2, NULL), (3, 4)"), &[])?;
            tx.query(sql!("SELECT i FROM kinds ORDER BY i NULLS LAST"), &[], |row| row.get(0))
        })
        .await
        .unwrap_or_else(|e: Error| panic!("{e}"));
    assert_eq!(out, [Some(4), Some(5), None]);
}

/// Naive: `SUM(i)`, which is numeric in PostgreSQL; the error says so.
async fn a_sum_is_cast(engine: Engine) {
    let t = open(engine);
    let sum = t
        .db()
        .write(|tx| {
            tx.execute(sql!("INSERT INTO kinds (id, i) VALUES (1, 5), (2, 4)"), &[])?;
            tx.one(sql!("SELECT CAST(SUM(i) AS BIGINT) FROM kinds"), &[], |row| row.get::<i64>(0))
        })
        .await
        .unwrap_or_else(|e: Error| panic!("{e}"));
    assert_eq!(sum, 9);
    let bare = t.db().read(|tx| tx.one(sql!("SELECT SUM(i) FROM kinds"), &[], |row| row.get::<i64>(0))).await;
    match engine {
        Engine::Sqlite => assert!(bare.is_ok()),
        Engine::Postgres => assert!(matches!(bare, Err(Error::Decode { found, .. }) if found.contains("numeric"))),
    }
}

/// Naive: store it. PostgreSQL refuses, SQLite's own functions cut there. Seen.
async fn the_nul_character_is_refused(engine: Engine) {
    let t = open(engine);
    let put = sql!("INSERT INTO marks (id, text) VALUES (1, $1)");
    let out = t.db().write(move |tx| tx.execute(put, &[&"a\0b"])).await;
    assert!(matches!(out, Err(Error::NulCharacter)));
    // Bytes are bytes.
    let raw = sql!("INSERT INTO kinds (id, raw) VALUES (1, $1)");
    let out = t.db().write(move |tx| tx.execute(raw, &[&[0_u8, 0]])).await;
    assert!(matches!(out, Ok(1)));
}

/// Naive: SQLite takes NULL for what is missing.
async fn a_wrong_number_of_parameters_is_refused(engine: Engine) {
    let t = open(engine);
    let put = sql!("INSERT INTO kinds (id, i) VALUES ($1, $2)");
    for params in [&[&1_i64 as &dyn store::ToValue][..], &[&1_i64, &2_i64, &3_i64]] {
        let count = params.len();
        let out = t
            .db()
            .write(move |tx| {
                let all: [&dyn store::ToValue; 3] = [&1_i64, &2_i64, &3_i64];
                tx.execute(put, &all[..count])
            })
            .await;
        assert!(matches!(out, Err(Error::Sql { .. })), "{out:?}");
    }
}

/// Naive: hand `$2 … $1` to SQLite, for which these are names in order of
/// appearance. Seen with `number_parameters` as identity.
async fn parameters_are_bound_by_number(engine: Engine) {
    let t = open(engine);
    let out: (i64, i64) = t
        .db()
        .read(|tx| {
            tx.one(sql!("SELECT CAST($2 AS BIGINT), CAST($1 AS BIGINT)"), &[&1_i64, &2_i64], |row| {
                Ok((row.get(0)?, row.get(1)?))
            })
        })
        .await
        .unwrap_or_else(|e: Error| panic!("{e}"));
    assert_eq!(out, (2, 1));
}

/// Not by `sql!`, which would register it and have it prepared: it is wrong.
static WRONG: store::Sql =
    store::Sql::new("SELECT \"nothing\" FROM marks", "SELECT \"nothing\" FROM marks", file!(), line!(), "");

/// Naive: SQLite's old habit to read an unknown "name" as text. Seen.
async fn a_double_quoted_name_is_never_a_string(engine: Engine) {
    let t = open(engine);
    let out = t.db().read(|tx| tx.query(&WRONG, &[], |row| row.get::<String>(0))).await;
    assert!(matches!(out, Err(Error::Sql { .. })), "{out:?}");
}

/// Naive: a read on a connection that can write. Seen without `query_only`
/// on a writable connection and with a plain BEGIN on PostgreSQL.
async fn a_read_may_not_write(engine: Engine) {
    let t = open(engine);
    let db = t.db();
    let out = db.read(|tx| mark(tx, 1)).await;
    assert!(matches!(out, Err(Error::ReadOnly)), "{out:?}");
    let out = db.read(|tx| tx.lock(&[])).await;
    assert!(matches!(out, Err(Error::ReadOnly)));
    let out = db
        .read(|tx| {
            tx.emit(super::world::emit(1, 1));
            Ok::<_, Error>(tx.is_poisoned())
        })
        .await;
    assert!(matches!(out, Err(Error::Poisoned)));
    assert!(marks(&db).await.is_empty());
}

/// Naive: READ COMMITTED, where each statement sees what was committed by
/// then. Seen with a plain BEGIN on PostgreSQL.
async fn a_read_sees_one_snapshot(engine: Engine) {
    let t = open(engine);
    let db = t.db();
    let runtime = tokio::runtime::Handle::current();
    let writer = db.clone();
    let (before, after): (i64, i64) = db
        .read(move |tx| {
            let count = sql!("SELECT COUNT(*) FROM marks");
            let before = tx.one(count, &[], |row| row.get(0))?;
            runtime.block_on(writer.write(|tx| mark(tx, 1)))?;
            Ok::<_, Error>((before, tx.one(count, &[], |row| row.get(0))?))
        })
        .await
        .unwrap_or_else(|e| panic!("{e}"));
    assert_eq!((before, after), (0, 0));
    assert_eq!(marks(&db).await, [1]);
}

/// Naive: no limit; one such read holds a reader, and SQLite's log, for ever.
/// Seen without the progress handler (hangs) and the session's timeout.
async fn a_read_has_a_time_limit(engine: Engine) {
    let t = open_with(engine, |config| config.read_limit = Duration::from_millis(150));
    let endless = dialect!(
        sqlite: "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT COUNT(*) FROM n",
        postgres: "WITH RECURSIVE n(i) AS (SELECT 1::bigint UNION ALL SELECT i + 1 FROM n) SELECT COUNT(*) FROM n",
    );
    for _ in 0..5 {
        let out = t.db().read(move |tx| tx.one(endless, &[], |row| row.get::<i64>(0))).await;
        assert!(matches!(out, Err(Error::TimeLimit)), "{out:?}");
    }
    // The reader is as good as before.
    assert!(marks(&t.db()).await.is_empty());
}

/// Naive: look first, then insert. Seen with a SELECT before the INSERT in
/// place of ON CONFLICT: PostgreSQL lets two through to the constraint.
async fn a_unique_name_is_given_once(engine: Engine) {
    let t = open_with(engine, |_| {});
    let jobs: Vec<_> = (0..32_i64)
        .map(|n| {
            let db = t.db();
            tokio::spawn(async move {
                db.write(move |tx| {
                    let put =
                        sql!("INSERT INTO unique_names (name, owner) VALUES ('one', $1) ON CONFLICT (name) DO NOTHING");
                    tx.execute(put, &[&n])
                })
                .await
            })
        })
        .collect();
    let mut winners = 0;
    for job in jobs {
        winners += job.await.expect("no panic").unwrap_or_else(|e: Error| panic!("{e}"));
    }
    assert_eq!(winners, 1);
}

/// Naive: no budget; one closure that loops over 100,000 members holds the
/// only writer for seconds.
async fn a_write_has_a_budget(engine: Engine) {
    let t = open(engine);
    let put = |upto: u32| move |tx: &mut Tx<'_>| (0..i64::from(upto)).try_for_each(|n| mark(tx, n));
    let out = t.db().write(put(WRITE_STATEMENTS + 1)).await;
    assert!(matches!(out, Err(Error::Budget { statements: 201, .. })), "{out:?}");
    assert!(t.db().write(put(WRITE_STATEMENTS)).await.is_ok());
    let rows = dialect!(
        sqlite: "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 1001) SELECT i FROM n",
        postgres: "SELECT generate_series(1::bigint, 1001)",
    );
    let out = t.db().write(move |tx| tx.query(rows, &[], |row| row.get::<i64>(0))).await;
    assert!(matches!(out, Err(Error::Budget { rows: 1001, .. })), "{out:?}");
    // In production it is a warning and a counter.
    let t = open_with(engine, |config| config.strict_budget = false);
    assert!(t.db().write(put(WRITE_STATEMENTS + 1)).await.is_ok());
    assert_eq!(t.db().stats().over_budget, 1);
}

/// Naive: take the first row of several and never learn of the others.
async fn more_than_one_row_is_an_error(engine: Engine) {
    let t = open(engine);
    let all = sql!("SELECT id FROM marks");
    t.db().write(|tx| mark(tx, 1).and_then(|()| mark(tx, 2))).await.unwrap_or_else(|e: Error| panic!("{e}"));
    let out = t.db().read(move |tx| tx.opt(all, &[], |row| row.get::<i64>(0))).await;
    assert!(matches!(out, Err(Error::ManyRows(_))));
    let none = sql!("SELECT id FROM marks WHERE id = 9");
    let out = t.db().read(move |tx| tx.one(none, &[], |row| row.get::<i64>(0))).await;
    assert!(matches!(out, Err(Error::NoRow(_))));
}

/// Naive: SQLite's flexible typing, which keeps text in a number's column.
/// Seen without STRICT.
async fn types_are_strict(engine: Engine) {
    let t = open(engine);
    let put = sql!("INSERT INTO kinds (id, i) VALUES (1, $1)");
    let out = t.db().write(move |tx| tx.execute(put, &[&"many"])).await;
    assert!(out.is_err());
}

/// Naive: the machine's locale, by which 'a' < 'B' here and not there.
async fn text_is_ordered_by_code_point(engine: Engine) {
    let t = open(engine);
    let out: Vec<String> = t
        .db()
        .write(|tx| {
            let put = sql!("INSERT INTO unique_names (name, owner) VALUES ($1, 0)");
            for name in ["b", "é", "Z", "a", "鹊", "z", "-", "_"] {
                tx.execute(put, &[&name])?;
            }
            tx.query(sql!("SELECT name FROM unique_names ORDER BY name"), &[], |row| row.get(0))
        })
        .await
        .unwrap_or_else(|e: Error| panic!("{e}"));
    assert_eq!(out, ["-", "Z", "_", "a", "b", "z", "é", "鹊"]);
}

/// Naive: find out at run time, on the engine the author did not try.
async fn every_statement_prepares(engine: Engine) {
    // With every table that a test of this binary speaks of.
    let t = store::testing::TestDb::on(engine, super::snapshot::STEPS, |_| {});
    store::testing::prepare_all(&t.db()).await.unwrap_or_else(|wrong| panic!("{}", wrong.join("\n")));
    assert!(store::registered().count() > 20);
}
