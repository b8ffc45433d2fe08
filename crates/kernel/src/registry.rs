//! All modules of this build, checked against each other once at start.

use std::{
    collections::{HashMap, HashSet},
    sync::{Arc, OnceLock},
};

use axum::http::Method;
use proto::{StreamKey, UserId};
use store::{Migration, Tx};
use utoipa::openapi::OpenApi;
use utoipa_axum::router::OpenApiRouter;
use uuid::Uuid;

use crate::{
    Call, Ctx, Duty, Hooks, Kernel, Listener, Merge, Module, Resident, StreamEvents,
    extract::Authenticator,
    module::{CardSource, OrgData, Periodic, WaitingSource},
    settings::Setting,
    streams::{SharedStream, StreamSource},
};

/// What the modules declared, arranged for use.
#[derive(Default)]
pub struct Registry {
    names: Vec<&'static str>,
    migrations: Vec<Migration>,
    routes: Vec<fn() -> Vec<(Listener, OpenApiRouter<Arc<Kernel>>)>>,
    calls: HashMap<&'static str, Call>,
    streams: Vec<Box<dyn StreamSource>>,
    events: Vec<StreamEvents>,
    authenticator: Option<Arc<dyn Authenticator>>,
    jobs: HashMap<&'static str, Resident>,
    periodic: Vec<Periodic>,
    hooks: Hooks,
    settings: HashMap<&'static str, &'static Setting>,
    cards: HashMap<&'static str, Box<dyn CardSource>>,
    waiting: Vec<Box<dyn WaitingSource>>,
    org_data: Vec<(&'static str, OrgData)>,
    merges: Vec<(&'static str, Merge)>,
    erasers: Vec<Eraser>,
    /// `METHOD path` of what a guest may do; read from the API document once.
    for_guests: OnceLock<HashSet<String>>,
}

type Eraser = for<'t, 'a> fn(&'a mut Tx<'t>, &'a Ctx, UserId) -> Result<(), proto::Error>;

impl Registry {
    /// Arranges modules in the order of their needs. Every contradiction is
    /// named at once: a missing need, a doubled name, a doubled operation.
    pub fn new(modules: Vec<Module>) -> Result<Self, String> {
        let mut faults = Vec::new();
        let modules = in_order(modules, &mut faults);
        let mut registry = Self { migrations: crate::MIGRATIONS.to_vec(), ..Self::default() };
        let mut parts = Vec::new();
        let mut org_follows = None;
        for module in modules {
            let name = module.name;
            registry.names.push(name);
            registry.migrations.extend_from_slice(module.migrations);
            registry.routes.push(module.routes);
            for call in module.calls {
                if registry.calls.insert(call.op, call).is_some() {
                    faults.push(format!("{name}: call {} stands twice", call.op));
                }
            }
            for stream in module.streams {
                if registry.streams.iter().any(|s| s.kind() == stream.kind()) {
                    faults.push(format!("{name}: stream {} stands twice", stream.kind()));
                }
                registry.streams.push(stream);
            }
            parts.extend(module.stream_parts);
            registry.events.extend_from_slice(module.events);
            if let Some(follows) = module.org_follows
                && org_follows.replace(follows).is_some()
            {
                faults.push(format!("{name}: a second module claims to know who follows an organisation"));
            }
            if let Some(authenticator) = module.authenticator
                && registry.authenticator.replace(authenticator).is_some()
            {
                faults.push(format!("{name}: a second authenticator"));
            }
            for job in module.jobs {
                if registry.jobs.insert(job.kind, job).is_some() {
                    faults.push(format!("{name}: job {} stands twice", job.kind));
                }
            }
            registry.periodic.extend(module.periodic);
            for hook in module.hooks {
                registry.hooks.add(hook);
            }
            for setting in module.settings {
                if registry.settings.insert(setting.key, setting).is_some() {
                    faults.push(format!("{name}: setting {} stands twice", setting.key));
                }
            }
            for limit in module.limits {
                if !proto::limits::ALL.iter().any(|(known, ..)| known == limit) {
                    faults.push(format!("{name}: limit {limit} is not in the table"));
                }
            }
            for card in module.cards {
                if let Some(other) = registry.cards.insert(card.kind(), card) {
                    faults.push(format!("{name}: card {} stands twice", other.kind()));
                }
            }
            registry.waiting.extend(module.waiting);
            registry.org_data.push((name, module.org_data));
            if let Duty::Does(merge) = module.merge {
                registry.merges.push((name, merge));
            }
            if let Duty::Does(erase) = module.person_data.erase {
                registry.erasers.push(erase);
            }
        }
        for periodic in &registry.periodic {
            if !registry.jobs.contains_key(periodic.kind) {
                faults.push(format!("periodic work {} has nobody to do it", periodic.kind));
            }
        }
        registry.migrations.sort_by_key(|m| m.version);
        let (orgs, people): (Vec<_>, Vec<_>) = parts.into_iter().partition(|p| p.kind == StreamKey::ORG);
        registry.streams.push(Box::new(SharedStream {
            kind: StreamKey::PERSON,
            parts: people,
            follows: |_, user| Ok(vec![user.0]),
        }));
        registry.streams.push(Box::new(SharedStream {
            kind: StreamKey::ORG,
            parts: orgs,
            follows: org_follows.unwrap_or(|_, _| Ok(Vec::<Uuid>::new())),
        }));
        if faults.is_empty() { Ok(registry) } else { Err(faults.join("\n")) }
    }

    pub fn names(&self) -> &[&'static str] {
        &self.names
    }

    pub fn migrations(&self) -> &[Migration] {
        &self.migrations
    }

    /// The routes of one listener, with their API document.
    pub fn routes(&self, listener: Listener) -> OpenApiRouter<Arc<Kernel>> {
        let own = if listener == Listener::Web { crate::own_routes() } else { OpenApiRouter::new() };
        self.routes
            .iter()
            .flat_map(|routes| routes())
            .filter(|(at, _)| *at == listener)
            .fold(own, |all, (_, routes)| all.merge(routes))
    }

    /// The names of all calls.
    pub fn ops(&self) -> impl Iterator<Item = &'static str> {
        self.calls.keys().copied()
    }

    pub fn call(&self, op: &str) -> Option<Call> {
        self.calls.get(op).copied()
    }

    pub fn stream(&self, kind: &str) -> Option<&dyn StreamSource> {
        self.streams.iter().find(|s| s.kind() == kind).map(AsRef::as_ref)
    }

    pub fn streams(&self) -> impl Iterator<Item = &dyn StreamSource> {
        self.streams.iter().map(AsRef::as_ref)
    }

    pub fn stream_kinds(&self) -> Vec<&'static str> {
        self.streams.iter().map(|s| s.kind()).collect()
    }

    /// What stands on the streams, as schemas.
    pub fn events(&self) -> &[StreamEvents] {
        &self.events
    }

    pub fn authenticator(&self) -> Option<&Arc<dyn Authenticator>> {
        self.authenticator.as_ref()
    }

    pub fn job(&self, kind: &str) -> Option<Resident> {
        self.jobs.get(kind).copied()
    }

    pub fn job_kinds(&self) -> Vec<&'static str> {
        self.jobs.keys().copied().collect()
    }

    pub fn periodic(&self) -> &[Periodic] {
        &self.periodic
    }

    pub fn hooks(&self) -> &Hooks {
        &self.hooks
    }

    pub fn setting(&self, key: &str) -> Option<&'static Setting> {
        self.settings.get(key).copied()
    }

    pub fn settings(&self) -> impl Iterator<Item = &'static Setting> {
        self.settings.values().copied()
    }

    pub fn card(&self, kind: &str) -> Option<&dyn CardSource> {
        self.cards.get(kind).map(AsRef::as_ref)
    }

    /// What each module keeps for organisations, in the order of their needs:
    /// an export goes from the first, a purge from the last.
    pub fn org_data(&self) -> &[(&'static str, OrgData)] {
        &self.org_data
    }

    /// Has every module forget a person, those that need others first.
    pub fn erase_person(&self, tx: &mut Tx<'_>, ctx: &Ctx, user: UserId) -> Result<(), proto::Error> {
        self.erasers.iter().rev().try_for_each(|erase| erase(tx, ctx, user))
    }

    /// Whether the operation at this path, as it is declared, is one that a
    /// guest may do: its `x-authz` names them.
    pub fn admits_guests(&self, method: &Method, path: &str) -> bool {
        let named = self.for_guests.get_or_init(|| guest_operations(&self.routes(Listener::Web).into_openapi()));
        named.contains(&format!("{method} {path}"))
    }

    /// Who takes part in merging accounts, in the order of needs.
    pub fn merges(&self) -> &[(&'static str, Merge)] {
        &self.merges
    }

    pub fn waiting(&self) -> impl Iterator<Item = &dyn WaitingSource> {
        self.waiting.iter().map(AsRef::as_ref)
    }
}

fn guest_operations(document: &OpenApi) -> HashSet<String> {
    let document = serde_json::to_value(document).unwrap_or_default();
    let paths = document["paths"].as_object().into_iter().flatten();
    paths
        .flat_map(|(path, methods)| methods.as_object().into_iter().flatten().map(move |(m, o)| (path, m, o)))
        .filter(|(.., operation)| {
            operation["x-authz"]["roles"].as_array().is_some_and(|roles| roles.iter().any(|role| role == "guest"))
        })
        .map(|(path, method, _)| format!("{} {path}", method.to_uppercase()))
        .collect()
}

fn in_order(mut modules: Vec<Module>, faults: &mut Vec<String>) -> Vec<Module> {
    let mut ordered: Vec<Module> = Vec::with_capacity(modules.len());
    while !modules.is_empty() {
        let ready = modules.iter().position(|m| m.needs.iter().all(|need| ordered.iter().any(|o| o.name == *need)));
        let Some(ready) = ready else {
            for module in &modules {
                faults.push(format!(
                    "{} needs {}, which are missing or form a cycle",
                    module.name,
                    module.needs.join(", ")
                ));
            }
            break;
        };
        let module = modules.remove(ready);
        if ordered.iter().any(|o| o.name == module.name) {
            faults.push(format!("module {} stands twice", module.name));
        }
        ordered.push(module);
    }
    ordered
}
