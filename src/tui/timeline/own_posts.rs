//! Our own posts: shown as pending from the moment they are sent until their entry arrives or they fail.

use super::{Item, ItemKey, ItemKind, PostStatus, Section, Timeline};
use crate::chat::{Author, Body, ClientId, Seq};
use crate::text::{self, SafeText};
use crate::tui::timeline::message_text::MessageText;

/// Only this many of the newest items are searched for our private messages. Older ones were answered long ago.
const RECENT: usize = 1000;

impl Timeline {
    /// Shows our post as pending, and scrolls to it.
    pub fn post(&mut self, client_id: ClientId, author: &Author, body: &Body, at_ms: u64) {
        let what = ItemKind::OwnPost {
            client_id,
            name: text::line(&author.name),
            text: MessageText::of_body(body),
            is_action: matches!(body, Body::Action(_)),
            status: PostStatus::Pending,
        };
        self.push_pending(at_ms, what);
        self.to_newest();
    }

    /// Adds an item at the very end, below all entries.
    pub(super) fn push_pending(&mut self, at_ms: u64, what: ItemKind) {
        let key = ItemKey {
            section: Section::Pending,
            seq: Seq(self.next_pending),
            line: 0,
        };
        self.next_pending += 1;
        let item = Item {
            key,
            at_ms,
            what,
            entry: None,
        };
        self.widen(&item);
        self.pending.push(item);
    }

    /// Shows our private message as pending, after the other pending posts, so that all stay in the order they were written.
    pub fn post_privately(&mut self, what: ItemKind, at_ms: u64) {
        if self.pending.is_empty() {
            self.add_local_line(what, at_ms);
        } else {
            self.push_pending(at_ms, what);
        }
        self.to_newest();
    }

    /// The number of posts without an answer from the server.
    pub fn pending(&self) -> usize {
        let waits = |item: &&Item| {
            matches!(
                item.what,
                ItemKind::OwnPost {
                    status: PostStatus::Pending,
                    ..
                }
            )
        };
        self.pending.iter().filter(waits).count()
    }

    /// Records that a post was stored. Its pending line is removed, because its entry is shown instead. A private message stays, no longer
    /// marked as pending. Returns false if there is no such post here.
    pub fn mark_stored(&mut self, id: ClientId) -> bool {
        let before = self.pending.len();
        self.pending.retain(
            |item| !matches!(&item.what, ItemKind::OwnPost { client_id, .. } if *client_id == id),
        );
        let is_settled = self.pending.len() < before;
        let is_it = |item: &Item| matches!(&item.what, ItemKind::Private { client_id: Some(of), .. } if *of == id);
        if let Some(place) = self.pending.iter().position(is_it) {
            // It has been sent, so it moves to the end of the entries.
            let item = self.pending.remove(place);
            self.add_local_line(item.what, item.at_ms);
        }
        self.set_private_status(id, &PostStatus::Stored) || is_settled
    }

    /// Marks a post as failed. Returns false if there is no such post here.
    pub fn fail(&mut self, id: ClientId, why: &SafeText) -> bool {
        let mine = self
            .pending
            .iter_mut()
            .find_map(|item| match &mut item.what {
                ItemKind::OwnPost {
                    client_id, status, ..
                } if *client_id == id => Some(status),
                _ => None,
            });
        if let Some(status) = mine {
            *status = PostStatus::Failed(why.clone());
            return true;
        }
        self.set_private_status(id, &PostStatus::Failed(why.clone()))
    }

    /// Removes a failed post, because the user retries, edits or discards it.
    pub fn remove_failed(&mut self, id: ClientId) {
        self.mark_stored(id);
        let is_it = |item: &Item| matches!(&item.what, ItemKind::Private { client_id: Some(of), .. } if *of == id);
        self.items.retain(|item| !is_it(item));
        self.pending.retain(|item| !is_it(item));
    }

    /// The failed posts, newest first.
    pub fn failed(&self) -> impl Iterator<Item = ClientId> {
        let posts = self.posts();
        posts.filter_map(|(id, status)| matches!(status, PostStatus::Failed(_)).then_some(id))
    }

    /// Our posts in this timeline and their outcome, newest first.
    pub fn posts(&self) -> impl Iterator<Item = (ClientId, &PostStatus)> {
        let recent = self.items.iter().rev().take(RECENT);
        let all = self.pending.iter().rev().chain(recent);
        all.filter_map(|item| match &item.what {
            ItemKind::OwnPost {
                client_id, status, ..
            }
            | ItemKind::Private {
                client_id: Some(client_id),
                status,
                ..
            } => Some((*client_id, status)),
            _ => None,
        })
    }

    fn set_private_status(&mut self, id: ClientId, to: &PostStatus) -> bool {
        let recent = self.items.iter_mut().rev().take(RECENT);
        for item in self.pending.iter_mut().chain(recent) {
            if let ItemKind::Private {
                client_id: Some(of),
                status,
                ..
            } = &mut item.what
                && *of == id
            {
                status.clone_from(to);
                return true;
            }
        }
        false
    }
}
