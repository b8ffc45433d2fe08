//! What an organisation decides for itself, in all modules.

use kernel::{
    Ctx, allow, audit, see,
    settings::{Kind, Scope, Setting},
};
use proto::{Code, Error, OrgId, Result};
use serde_json::{Map, Value, json};
use store::{Key, Tx};

use super::touch;
use crate::{
    events,
    model::{ChangeSettings, OrgResource, ViewSettings, settings::INVITE_BY},
    store as sql,
};

/// The settings an organisation may choose, by the name after the module's.
fn offered(ctx: &Ctx) -> Vec<(&'static str, &'static Setting)> {
    let all = ctx.kernel.registry.settings().filter(|setting| setting.scope == Scope::Org);
    let mut all: Vec<_> = all.map(|s| (s.key.split_once('.').map_or(s.key, |(_, name)| name), s)).collect();
    all.sort_by_key(|(_, setting)| setting.key);
    all
}

fn bounds(setting: &Setting) -> Value {
    let mut bounds = match setting.kind {
        Kind::Number { default, min, max } => json!({ "kind": "number", "default": default, "min": min, "max": max }),
        Kind::Switch { default } => json!({ "kind": "switch", "default": default }),
        Kind::Choice { default, of } => json!({ "kind": "choice", "default": default, "of": of }),
    };
    bounds["doc"] = setting.doc.into();
    bounds
}

/// The values of an organisation by name, and under `bounds` what each may be.
pub(crate) fn values(tx: &mut Tx<'_>, ctx: &Ctx, org: OrgId) -> Result<Map<String, Value>> {
    let (mut values, mut all_bounds) = (Map::new(), Map::new());
    for (name, setting) in offered(ctx) {
        let value: Value = match setting.kind {
            Kind::Number { .. } => setting.number(tx, Some(org))?.into(),
            Kind::Switch { .. } => setting.switch(tx, org.0)?.into(),
            Kind::Choice { .. } => setting.choice(tx, org.0)?.into(),
        };
        values.insert(name.to_owned(), value);
        all_bounds.insert(name.to_owned(), bounds(setting));
    }
    values.insert("bounds".into(), all_bounds.into());
    Ok(values)
}

/// All settings with their bounds.
pub(crate) async fn settings(ctx: Ctx, org: OrgId) -> Result<Map<String, Value>> {
    ctx.clone()
        .db()
        .read(move |tx| {
            see::<OrgResource, ViewSettings>(tx, &ctx, org)?;
            values(tx, &ctx, org)
        })
        .await
}

/// Changes some settings; what is as it was writes nothing.
pub(crate) async fn change_settings(ctx: Ctx, id: OrgId, input: Map<String, Value>) -> Result<Map<String, Value>> {
    let work = ctx.clone();
    let after = ctx
        .db()
        .write(move |tx| {
            tx.lock(&[Key::row("orgs", id.0), audit::key(Some(id))])?;
            let org = allow::<OrgResource, ChangeSettings>(tx, &work, id)?;
            let (before, offered) = (values(tx, &work, id)?, offered(&work));
            let mut changed = Map::new();
            for (name, value) in &input {
                let found = offered.iter().find(|(offered, _)| offered == name);
                let Some((_, setting)) = found else { return Err(Error::field(Code::UnknownField, name)) };
                if before.get(name) != Some(value) {
                    setting.set(tx, id.0, value).map_err(|e| named(e, name))?;
                    changed.insert(setting.key.to_owned(), value.clone());
                }
            }
            // What members offered ends with their right to offer it.
            if changed.get(INVITE_BY.key).is_some_and(|by| by != "members") {
                sql::revoke_invitations_of_members(tx, &org, work.now)?;
            }
            if !changed.is_empty() {
                let (what, detail) = ("directory.settings_changed", Value::Object(changed));
                audit::append(tx, &work, Some(org.scope), what, &format!("org:{id}"), &detail)?;
            }
            values(tx, &work, id)
        })
        .await?;
    touch(&ctx, id, events::SETTINGS);
    Ok(after)
}

/// The field as the caller named it.
fn named(error: Error, name: &str) -> Error {
    match error {
        Error::Api { code, context, detail, .. } => Error::Api { code, field: Some(name.to_owned()), context, detail },
        other @ Error::Internal(_) => other,
    }
}
