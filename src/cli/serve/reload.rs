//! Reads the certificate files again on SIGHUP, as programs that renew certificates expect.

use std::sync::Arc;

use anyhow::Result;
use tokio_util::task::AbortOnDropHandle;

use crate::chat::Pin;
use crate::server::data_dir::{CertificateFiles, CurrentKey, ServerKey};

/// Watches for the signal until the handle is dropped. A certificate that cannot be used changes nothing.
///
/// # Errors
/// The signal cannot be caught.
pub(super) fn watch(
    files: CertificateFiles,
    current: Arc<CurrentKey>,
    pin: Pin,
) -> Result<AbortOnDropHandle<()>> {
    #[cfg(unix)]
    let mut hangups = {
        use tokio::signal::unix::{SignalKind, signal};
        signal(SignalKind::hangup())?
    };
    Ok(AbortOnDropHandle::new(tokio::spawn(async move {
        #[cfg(unix)]
        while hangups.recv().await.is_some() {
            read_again(&files, &current, pin).await;
        }
        #[cfg(not(unix))]
        let _never = (files, current, pin);
    })))
}

#[cfg(unix)]
async fn read_again(files: &CertificateFiles, current: &CurrentKey, pin: Pin) {
    let read = files.clone();
    let read = move || ServerKey::of_files(&read.certificate, &read.key);
    match tokio::task::spawn_blocking(read).await {
        Ok(Ok(key)) => {
            current.replace(&key);
            tracing::info!("read the certificate again");
            if key.pin() != pin {
                tracing::warn!(
                    pin = %key.pin(),
                    "the certificate has another key: clients that know the former one ask their users to confirm it"
                );
            }
        }
        Ok(Err(error)) => tracing::error!(%error, "kept the former certificate"),
        Err(error) => tracing::error!(%error, "kept the former certificate"),
    }
}
