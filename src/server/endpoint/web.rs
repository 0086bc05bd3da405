//! What is served over plain HTTP: the WebSocket of one bridge, the trigger of another, and what is counted. Anything else is not
//! there.

use std::sync::Arc;

use axum::Router;
use axum::response::IntoResponse;
use axum::routing::get;
use http::{StatusCode, header};

use crate::server::Switch;
use crate::server::bridge::{Bridges, socket, trigger};
use crate::server::hub::Hub;
use crate::server::metrics;

pub fn router(hub: &Arc<Hub>, bridges: Bridges, metrics: Switch) -> Router {
    let mut router = Router::new();
    if bridges.websocket {
        let hub = Arc::clone(hub);
        let upgrade = move |request| std::future::ready(socket::upgrade(&hub, request));
        router = router.route("/ws", get(upgrade));
    }
    if bridges.trigger {
        let hub = bridges.service.then(|| Arc::clone(hub));
        let greet = move |name, request| trigger::greet(hub.clone(), name, request);
        router = router.route("/helloworld/{name}", get(greet));
    }
    if metrics == Switch::On {
        let hub = Arc::clone(hub);
        let counted = move || std::future::ready(counted(&hub));
        router = router.route("/metrics", get(counted));
    }
    router
}

fn counted(hub: &Hub) -> impl IntoResponse + use<> {
    match hub.metrics.text(hub.sessions()) {
        Ok(text) => Ok(([(header::CONTENT_TYPE, metrics::CONTENT_TYPE)], text)),
        Err(_) => Err(StatusCode::INTERNAL_SERVER_ERROR),
    }
}
