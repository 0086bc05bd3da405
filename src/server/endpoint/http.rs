//! Routes for plain HTTP: the WebSocket bridge at `/ws`, the trigger at `/helloworld/{name}`, and metrics at
//! `/metrics`. Any other path gets a 404.

use std::sync::Arc;

use axum::Router;
use axum::extract::Request;
use axum::response::IntoResponse;
use axum::routing::get;
use http::{StatusCode, header};

use crate::chat::{Bridge, Bridges};
use crate::server::Switch;
use crate::server::allowed_hosts::AllowedHosts;
use crate::server::bridge::socket;
use crate::server::bridge::trigger::{self, Trigger};
use crate::server::hub::Hub;
use crate::server::metrics;

pub fn router(hub: &Arc<Hub>, bridges: Bridges, metrics: Switch, hosts: &AllowedHosts) -> Router {
    let mut router = Router::new();
    for bridge in bridges.iter() {
        let (hub, hosts) = (Arc::clone(hub), hosts.clone());
        router = match bridge {
            Bridge::WebSocket => {
                let upgrade = move |request: Request| {
                    socket::upgrade(Arc::clone(&hub), hosts.clone(), request)
                };
                router.route("/ws", get(upgrade))
            }
            Bridge::Trigger => {
                let has_service = bridges.has(Bridge::Service);
                let trigger = has_service.then(|| Arc::new(Trigger::new(hub)));
                let greet = move |name, request| trigger::greet(trigger.clone(), name, request);
                router.route("/helloworld/{name}", get(greet))
            }
            // They are served over gRPC.
            Bridge::User | Bridge::Gochat | Bridge::Chat | Bridge::Service => router,
        };
    }
    if metrics == Switch::On {
        let (hub, hosts) = (Arc::clone(hub), hosts.clone());
        let counted = move |request: Request| {
            let counted = hosts.check(&request).map(|()| metrics_response(&hub));
            std::future::ready(counted)
        };
        router = router.route("/metrics", get(counted));
    }
    router
}

fn metrics_response(hub: &Hub) -> impl IntoResponse + use<> {
    match hub.metrics.text(hub.sessions()) {
        Ok(text) => Ok(([(header::CONTENT_TYPE, metrics::CONTENT_TYPE)], text)),
        Err(_) => Err(StatusCode::INTERNAL_SERVER_ERROR),
    }
}
