//! Forgetting what is over.

use kernel::{
    Ctx, Principal,
    access::{self, Ended},
};
use proto::UserId;
use store::sql;

#[tokio::test]
async fn what_is_over_is_forgotten_in_slices_and_the_rest_stays() {
    let server = crate::server().await;
    let alice = server.person("张伟").await;
    alice.second_device().await.delete("/api/v1/sessions/current").await.ok();
    let ctx: Ctx = server.kernel.ctx(Principal::SYSTEM);
    for _ in 0..3 {
        let ctx = ctx.clone();
        let noted = move |tx: &mut store::Tx<'_>| -> proto::Result<()> {
            for n in 0..200_u128 {
                let user = UserId(uuid::Uuid::from_u128(n % 50));
                access::record(tx, &ctx, user, Ended::Follows)?;
            }
            Ok(())
        };
        server.db().write(noted).await.unwrap();
    }
    let count = || async {
        server
            .db()
            .read(|tx| {
                let sessions: i64 = tx.one(sql!("SELECT count(*) FROM identity_sessions"), &[], |r| r.get(0))?;
                let access: i64 = tx.one(sql!("SELECT count(*) FROM kernel_access_changes"), &[], |r| r.get(0))?;
                Ok::<_, store::Error>((sessions, access))
            })
            .await
            .unwrap()
    };
    server.run_jobs().await;
    assert_eq!(count().await, (3, 601));
    server.clock.advance(8 * 24 * 3_600_000);
    server.run_jobs().await;
    assert_eq!(count().await, (3, 0), "an ended session tells how long somebody was silent");
    server.clock.advance(54 * 24 * 3_600_000);
    server.run_jobs().await;
    assert_eq!(count().await, (2, 0));
    alice.get("/api/v1/me").await.ok();
    server.finish().await;
}
