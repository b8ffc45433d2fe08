//! Whether there is room for one more file.

use kernel::Ctx;
use proto::{Code, Error, Millis, Result, limits};
use store::Tx;

use crate::{
    model::{
        rows::{Whose, charge},
        settings,
    },
    store::{self as sql, usage::Account},
};

/// How much one account may have.
struct Quota {
    of: &'static str,
    bytes: i64,
    files: i64,
    uploads: i64,
    /// Sent in a day; counted of guests alone.
    day: Option<i64>,
}

/// Of what an organisation may have, what all its guests together may.
const fn share(whole: i64) -> i64 {
    whole / 100 * limits::GUESTS_SHARE as i64
}

impl Quota {
    const GUEST: Self = Self {
        of: "guest",
        bytes: limits::GUEST_BYTES as i64,
        files: limits::GUEST_FILES as i64,
        uploads: limits::GUEST_UPLOADS as i64,
        day: Some(limits::GUEST_DAY_BYTES as i64),
    };
    /// All guests of one conversation.
    const GUESTS: Self = Self {
        of: "guests",
        bytes: limits::GUESTS_BYTES as i64,
        files: limits::GUESTS_FILES as i64,
        uploads: limits::GUESTS_UPLOADS as i64,
        day: Some(limits::GUESTS_DAY_BYTES as i64),
    };

    const fn org(bytes: i64) -> Self {
        Self {
            of: "org",
            bytes,
            files: limits::FILES_PER_ORG as i64,
            uploads: limits::UPLOADS_PER_ORG as i64,
            day: None,
        }
    }

    /// All guests of an organisation, which may have so many bytes itself:
    /// they never take what its members need.
    fn org_guests(bytes: i64) -> Self {
        let Self { files, uploads, .. } = Self::org(bytes);
        Self {
            of: "org_guests",
            bytes: share(bytes),
            files: share(files),
            uploads: share(uploads),
            day: Some(share(bytes).min(limits::GUESTS_ORG_DAY_BYTES as i64)),
        }
    }

    fn person(bytes: i64) -> Self {
        Self {
            of: "person",
            bytes,
            files: limits::FILES_PER_PERSON as i64,
            uploads: limits::UPLOADS_PER_PERSON as i64,
            day: None,
        }
    }
}

/// The accounts a file counts for, each with how much it may have.
fn quotas(tx: &mut Tx<'_>, ctx: &Ctx, whose: Whose) -> Result<Vec<(Account, Quota)>> {
    let most = ctx.kernel.config.space;
    let Whose { org, owner, place } = whose;
    let own = Account::person(org, owner);
    let Some(org) = org else {
        return Ok(vec![(own, Quota::person(settings::of_person(tx, most, None)?))]);
    };
    let whole = settings::of_org(tx, most, org)?;
    let mut all = match place {
        None => vec![(own, Quota::person(settings::of_person(tx, most, Some(org))?))],
        Some(place) => vec![
            (own, Quota::GUEST),
            (Account::place(org, place), Quota::GUESTS),
            (Account::guests(org), Quota::org_guests(whole)),
        ],
    };
    all.push((Account::org(org), Quota::org(whole)));
    Ok(all)
}

/// Whether a file of this size may be begun. Held: the keys of the accounts.
pub(super) fn has_room(tx: &mut Tx<'_>, ctx: &Ctx, whose: Whose, size: i64) -> Result<()> {
    let quotas = quotas(tx, ctx, whose)?;
    quotas.into_iter().try_for_each(|(account, quota)| fits(tx, account, &quota, size, ctx.now))
}

fn fits(tx: &mut Tx<'_>, account: Account, quota: &Quota, size: i64, now: Millis) -> Result<()> {
    let used = sql::usage::get(tx, account)?;
    if used.uploads >= quota.uploads {
        return Err(Error::api(Code::TooManyUploads).with("limit", quota.uploads));
    }
    let full = Error::api(Code::QuotaFull).with("of", quota.of);
    if used.bytes + charge(size) > quota.bytes {
        return Err(full.with("limit", quota.bytes).with("used", used.bytes));
    }
    if used.files >= quota.files {
        return Err(full.with("most_files", quota.files));
    }
    let Some(most) = quota.day else { return Ok(()) };
    let day = sql::usage::day(tx, account, now)?;
    if day.bytes + charge(size) > most {
        let wait = day.since + sql::usage::DAY_MS - now;
        let full = Error::api(Code::GuestDayFull).with("of", quota.of).with("limit", most);
        return Err(full.with("used", day.bytes).with("retry_after_ms", wait));
    }
    Ok(())
}
