//! The operations: extract, one action, reply.

mod acks;
mod conversations;
mod forward;
mod guests;
mod members;
mod messages;
mod personal;
mod rest;

use std::sync::Arc;

use kernel::{Kernel, Listener};
use serde::Deserialize;
use utoipa::IntoParams;
use utoipa_axum::router::OpenApiRouter;

type Routes = OpenApiRouter<Arc<Kernel>>;

pub(crate) fn routes() -> Vec<(Listener, Routes)> {
    let routes = conversations::routes()
        .merge(members::routes())
        .merge(messages::routes())
        .merge(forward::routes())
        .merge(acks::routes())
        .merge(guests::routes())
        .merge(rest::routes())
        .merge(personal::routes());
    vec![(Listener::Web, routes)]
}

#[derive(Debug, Default, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct PageQuery {
    cursor: Option<String>,
    /// 1–200, 50 if left out.
    limit: Option<i64>,
}
