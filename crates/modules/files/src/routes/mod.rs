//! The HTTP surface.

mod files;
mod originals;
mod uploads;

use std::sync::Arc;

use axum::routing::get;
use kernel::{Kernel, Listener};
use utoipa_axum::router::OpenApiRouter;

/// `/f/…` is no part of the API: it answers browsers, not programs, and takes
/// neither cookie nor token.
pub(crate) fn all() -> Vec<(Listener, OpenApiRouter<Arc<Kernel>>)> {
    let web =
        OpenApiRouter::new().merge(uploads::routes()).merge(files::routes()).route("/f/{token}", get(originals::serve));
    vec![(Listener::Web, web)]
}
