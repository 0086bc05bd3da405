//! The user: account, status, and what they want to see.

use crate::chat::{Author, Settings, Status};
use crate::text;

#[derive(Clone, Debug, Default)]
pub struct Me {
    /// Our account, as reported by the server; `None` before the first welcome.
    pub account: Option<Author>,
    /// The name that is proposed as long as the user has not chosen one. If it is taken, the user is asked for another
    /// name instead of shown an error.
    pub proposed_name: Option<String>,
    pub settings: Settings,
    /// The keywords of the settings, ready to be searched for.
    pub keywords: text::Keywords,
    /// Our own status (away flag and text).
    pub status: Status,
    /// The status that was requested and is not confirmed yet.
    pub status_requested: Option<Status>,
    /// The status text to restore when the user is back: `/away REASON` replaces it.
    pub status_before: Option<String>,
}
