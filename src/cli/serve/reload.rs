//! Reloads the certificate files on SIGHUP, the signal that programs send after they have renewed a certificate.

use std::path::PathBuf;
use std::sync::Arc;

use anyhow::Result;
use tokio_util::task::AbortOnDropHandle;

use crate::config::ServerLink;
use crate::server::data_dir::{CertificateFiles, ServerKey, ServerNote};
use crate::server::endpoint::shared_link::SharedLink;
use crate::server::listen::CurrentTls;

/// What is read again, and what depends on it.
pub(super) struct Reload {
    pub files: CertificateFiles,
    pub current: Arc<CurrentTls>,
    /// The link for invitations, which has the pin.
    pub link: SharedLink,
    /// The address and pin that this user's clients read from a file.
    pub note: ServerNote,
    /// The directory of this file.
    pub data: PathBuf,
}

impl Reload {
    /// Watches for the signal until the handle is dropped.
    ///
    /// # Errors
    /// The signal cannot be caught.
    pub fn watch(mut self) -> Result<AbortOnDropHandle<()>> {
        #[cfg(unix)]
        let mut hangups = {
            use tokio::signal::unix::{SignalKind, signal};
            signal(SignalKind::hangup())?
        };
        Ok(AbortOnDropHandle::new(tokio::spawn(async move {
            #[cfg(unix)]
            while hangups.recv().await.is_some() {
                let read = tokio::task::spawn_blocking(move || {
                    self.read_again();
                    self
                });
                match read.await {
                    Ok(reload) => self = reload,
                    Err(_) => return,
                }
            }
            #[cfg(not(unix))]
            self.read_again();
        })))
    }

    /// Loads the certificate files. If they cannot be used, the previous certificate stays in use.
    fn read_again(&mut self) {
        let read = ServerKey::of_files(&self.files.certificate, &self.files.key)
            .map_err(anyhow::Error::from)
            .and_then(|key| Ok((key.config()?, key)));
        let (config, key) = match read {
            Ok(read) => read,
            Err(error) => {
                tracing::error!(%error, "cannot reload the certificate; the previous one stays in use");
                return;
            }
        };
        self.current.replace(config, key.pin());
        tracing::info!("reloaded the certificate");
        if self.note.pin == Some(key.pin()) {
            return;
        }
        tracing::warn!(
            pin = %key.pin(),
            "the certificate has a new key: clients that know the previous one will ask their users to confirm it"
        );
        self.note.pin = Some(key.pin());
        if let Ok(link) = self.link.get().parse::<ServerLink>()
            && link.pin.is_some()
        {
            let pin = Some(key.pin());
            self.link.replace(ServerLink { pin, ..link }.to_string());
        }
        match self.note.write(&self.data) {
            Ok(()) => tracing::info!("wrote the new pin for clients of this user"),
            Err(error) => {
                tracing::error!(%error, "cannot write the new pin for clients of this user");
            }
        }
    }
}
