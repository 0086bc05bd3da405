//! The server's metrics, as text that Prometheus reads (`OpenMetrics`).
//!
//! Every server has its own counters; none of them is global to the process.

use std::fmt;

use prometheus_client::encoding::{EncodeLabelSet, EncodeLabelValue, LabelValueEncoder};
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::registry::Registry;

use crate::chat::Via;

/// The content type of [`Metrics::text`].
pub(crate) const CONTENT_TYPE: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

#[derive(Debug, Default)]
pub(crate) struct Metrics {
    /// Attached clients, those of bridges included.
    sessions: Gauge,
    /// What was dropped at bridges: requests for things that do not exist, and events that the foreign protocol cannot express.
    dropped: Family<DroppedLabels, Counter>,
    /// Damaged entries and other values found when the stored data was verified.
    damaged: Gauge,
}

#[derive(Clone, PartialEq, Eq, Hash, Debug, EncodeLabelSet)]
struct DroppedLabels {
    bridge: BridgeLabel,
}

/// A bridge, labelled with its name in the configuration.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
struct BridgeLabel(Via);

impl EncodeLabelValue for BridgeLabel {
    fn encode(&self, encoder: &mut LabelValueEncoder<'_>) -> fmt::Result {
        EncodeLabelValue::encode(&self.0.name(), encoder)
    }
}

impl Metrics {
    /// Counts something that was dropped at a bridge.
    pub fn count_dropped(&self, via: Via) {
        let protocol = DroppedLabels {
            bridge: BridgeLabel(via),
        };
        self.dropped.get_or_create(&protocol).inc();
    }

    /// Sets how many damaged values were found.
    pub fn set_damaged(&self, count: u64) {
        self.damaged.set(i64::try_from(count).unwrap_or(i64::MAX));
    }

    /// Returns how many damaged values were found.
    pub fn damaged(&self) -> u64 {
        u64::try_from(self.damaged.get()).unwrap_or_default()
    }

    /// Returns all metrics as text. `sessions` is the number of attached clients.
    ///
    /// # Errors
    /// Formatting fails, which cannot happen while there is memory.
    pub fn text(&self, sessions: usize) -> Result<String, fmt::Error> {
        self.sessions
            .set(i64::try_from(sessions).unwrap_or(i64::MAX));
        let mut registry = Registry::with_prefix("tchat");
        registry.register("sessions", "Attached clients", self.sessions.clone());
        registry.register(
            "bridge_dropped",
            "Requests and events dropped at a bridge because they have no counterpart on the other side",
            self.dropped.clone(),
        );
        registry.register(
            "damaged",
            "Damaged entries and other values found in the stored data",
            self.damaged.clone(),
        );
        let mut text = String::new();
        prometheus_client::encoding::text::encode(&mut text, &registry)?;
        Ok(text)
    }
}
