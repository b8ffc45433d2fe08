//! A person as another sees them.

use std::collections::HashMap;

use identity::UserKind;
use kernel::{Ctx, Known};
use proto::{Code, OrgId, Result, UserId};
use store::Tx;

use crate::{
    marks::{Home, marks},
    model::{
        MemberState, Org,
        friends::{Bond, FriendRow, FriendState, Ties},
        profile::{PersonCan, Profile, Relation, SharedOrg},
    },
    store as sql,
};

/// Somebody the actor may see; 404 for all others alike. Whether they blocked
/// the actor shows only in that no contact points do, which is as if they had
/// chosen to show none.
pub(crate) async fn profile(ctx: Ctx, user: UserId) -> Result<Profile> {
    ctx.clone()
        .db()
        .read(move |tx| {
            let me = ctx.user();
            if !Known::among(tx, &ctx, vec![user])?.contains(user) {
                return Err(Code::NotFound.into());
            }
            let account = identity::users::get(tx, user)?.ok_or(Code::NotFound)?.public();
            let row = sql::friends::row(tx, me, user)?.unwrap_or_else(|| FriendRow::blank(user));
            let ties = sql::friends::ties(tx, me, user)?;
            let close = |tie: bool| user == me || tie && !ties.blocked;
            let (colleague, friend) = (close(ties.colleagues), close(ties.friends));
            let contacts = identity::users::contacts(tx, user, colleague, friend)?;
            let ties = Ties { blocked: false, ..ties };
            let marks = marks(tx, Home::SharedWith(me), &[user])?.remove(&user).unwrap_or_default();
            let relation = match ties {
                _ if user == me => Relation::Oneself,
                Ties { colleagues: true, .. } => Relation::Colleague,
                Ties { friends: true, .. } => Relation::Friend,
                _ => Relation::External,
            };
            let person = !account.deleted && account.kind == UserKind::Person && user != me;
            let can = PersonCan {
                message: user == me || ties.may_talk(),
                friend: person && !row.side.blocked && matches!(row.side.bond, Bond::None | Bond::AskedMe),
            };
            let friend = if user == me { FriendState::None } else { row.side.shown() };
            Ok(Profile {
                user: account,
                relation,
                marks,
                friend,
                orgs: shared(tx, me, user)?,
                contacts,
                remark: row.remark,
                can,
            })
        })
        .await
}

fn shared(tx: &mut Tx<'_>, me: UserId, user: UserId) -> Result<Vec<SharedOrg>> {
    // Without a role one is suspended there.
    let mine = sql::orgs_of(tx, me)?.into_iter().filter(|org| org.role.is_some());
    let mine: HashMap<OrgId, Org> = mine.map(|org| (org.id, org)).collect();
    let theirs = sql::memberships_of(tx, user)?.into_iter().filter(|(_, m)| m.state == MemberState::Active);
    let both = theirs.filter_map(|(id, member)| {
        let org = mine.get(&id)?;
        Some(SharedOrg { id, name: org.name.clone(), member_name: member.name, role: member.role })
    });
    let mut both: Vec<SharedOrg> = both.collect();
    both.sort_by(|a, b| (&a.name, a.id).cmp(&(&b.name, b.id)));
    Ok(both)
}
