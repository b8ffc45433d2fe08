//! Whether what is sealed in the database can be opened.

use kernel::{
    health::Finding,
    seals::{By, KeyName, Seals},
};

use super::{Scene, bad, data::closed, ok, skipped, told, warn};
use crate::seal::{self, Kept};

pub(super) async fn sealing(scene: &Scene) -> Finding {
    let db = match closed(scene) {
        Ok(db) => db,
        Err(finding) => return finding,
    };
    let unread = |error: &dyn std::fmt::Display| {
        bad("unread", &[("error", told(error))], "{error}", "look at seal_key, or seal.key in the data folder")
    };
    let config = scene.config();
    let seals = match seal::here(&config) {
        Ok(seals) => seals,
        Err(error) => return unread(&format!("{error:#}")),
    };
    let read = db.read(|tx| Ok::<_, proto::Error>((kernel::seals::marked(tx)?, Kept::read(tx)?)));
    match read.await {
        Ok((None, _)) if seals.current().is_none() && config.database_url.is_some() => bad(
            "unset",
            &[],
            "no key to seal secrets with is set: nobody can put up a way to be told or an authenticator",
            "set seal_key to what `openssl rand -base64 32` prints, the same on every node",
        ),
        Ok((marked, sealed)) => judged(&seals, marked, &sealed, &config.data_dir.join(seal::FILE).display()),
        Err(error) => unread(&error),
    }
}

fn judged(seals: &Seals, marked: Option<KeyName>, kept: &Kept, file: &dyn std::fmt::Display) -> Finding {
    let count =
        |wanted: &dyn Fn(By) -> bool| -> i64 { kept.all().filter(|(by, _)| wanted(*by)).map(|(_, count)| count).sum() };
    let authenticators: i64 =
        kept.authenticators.iter().filter(|(by, _)| !seals.opens(*by)).map(|(_, count)| count).sum();
    let lost = count(&|by| !seals.opens(by));
    let current = seals.current().map(By::Key);
    let former = count(&|by| seals.opens(by) && Some(by) != current);
    let name = |key: Option<KeyName>| key.map(|key| key.to_string()).unwrap_or_default();
    let values = [
        ("count", count(&|_| true).to_string()),
        ("lost", lost.to_string()),
        ("authenticators", authenticators.to_string()),
        ("former", former.to_string()),
        ("key", name(seals.current())),
        ("wanted", name(marked)),
        ("file", file.to_string()),
    ];
    let bring = "bring seal.key of the server's former data folder to {file}, or set seal_key (docs/backup.md)";
    match (seals.current(), marked) {
        (None, Some(_)) => bad(
            "missing",
            &values,
            "the key {wanted} that seals secrets is not here: nobody is told by push, robots, mail or text messages, \
             and {authenticators} authenticators cannot be read",
            bring,
        ),
        (None, None) => skipped("none", "nothing was sealed yet; the first start makes a key", ""),
        _ if lost > 0 => bad("lost", &values, LOST, bring),
        _ if former > 0 => warn(
            "former",
            &values,
            "{former} of {count} secrets are not sealed by the present key {key} yet",
            "leave former keys where they are until this is 0; it is done within a day, and soon after a start",
        ),
        _ => ok("works", &values, "{count} secrets, sealed by the key {key}; keep a copy of it apart from backups"),
    }
}

const LOST: &str = "{lost} of {count} secrets are sealed by a key that is not here; {authenticators} of them are \
    authenticators, whose people sign in by a recovery code or a passkey";

#[cfg(test)]
mod tests {
    use kernel::health::State;

    use super::*;

    #[test]
    fn what_cannot_be_opened_is_bad_and_what_a_former_key_opens_waits() {
        let (old, new, both) = (Seals::of(&[[1; 32]]), Seals::of(&[[2; 32]]), Seals::of(&[[2; 32], [1; 32]]));
        let by = |seals: &Seals| By::Key(seals.current().unwrap());
        let of = |seals: &Seals, marked: &Seals, sealed: &[(By, i64)]| {
            let kept = Kept { ways: sealed.to_vec(), authenticators: Vec::new() };
            let finding = judged(seals, marked.current(), &kept, &"data/seal.key");
            assert!(!finding.seen.contains('{') && !finding.fix.contains('{'), "{finding:?}");
            (finding.state, finding.reason)
        };
        let is = |state, reason: &str| (state, reason.to_owned());
        assert_eq!(of(&new, &new, &[(by(&new), 3)]), is(State::Ok, "works"));
        assert_eq!(of(&both, &new, &[(by(&new), 3), (by(&old), 1)]), is(State::Warn, "former"));
        assert_eq!(of(&new, &new, &[(By::Nothing, 1)]), is(State::Warn, "former"));
        assert_eq!(of(&new, &old, &[(by(&old), 1)]), is(State::Bad, "lost"));
        assert_eq!(of(&Seals::default(), &old, &[]), is(State::Bad, "missing"));
        assert_eq!(of(&Seals::default(), &Seals::default(), &[]), is(State::Skipped, "none"));

        let (ways, authenticators) = (vec![(by(&new), 3)], vec![(by(&new), 2), (by(&old), 1)]);
        let kept = Kept { ways, authenticators };
        for (seals, reason, unread) in
            [(&both, "former", 0), (&new, "lost", 1), (&old, "lost", 2), (&Seals::default(), "missing", 3)]
        {
            let finding = judged(seals, new.current(), &kept, &"data/seal.key");
            assert_eq!((&*finding.reason, finding.values["authenticators"].clone()), (reason, unread.to_string()));
            assert_eq!(finding.seen.contains(&format!("{unread} authenticators")), reason == "missing", "{finding:?}");
        }
        assert_eq!(kept.lost(&new), [(old.current().unwrap(), 1, 0)]);
        assert_eq!(kept.lost(&old), [(new.current().unwrap(), 2, 3)]);
        assert!(kept.lost(&both).is_empty());
    }
}
