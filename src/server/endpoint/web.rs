//! What is served over plain HTTP: the WebSocket of one bridge and the trigger of another. Anything else is not there.

use std::sync::Arc;

use axum::Router;
use axum::routing::get;

use crate::server::bridge::{Bridges, socket, trigger};
use crate::server::hub::Hub;

pub fn router(hub: &Arc<Hub>, bridges: Bridges) -> Router {
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
    router
}
