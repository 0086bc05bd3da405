//! Posts of our own: shown from Enter on, until their entry comes or they fail.

use super::{Era, Fate, Item, ItemKey, Timeline, What};
use crate::chat::{Author, Body, ClientId, Seq};
use crate::text::{self, SafeText};
use crate::tui::timeline::message_text::MessageText;

/// Items at the newest end among which a private line of ours is looked for: an older one was answered long ago.
const RECENT: usize = 1000;

impl Timeline {
    /// Shows a post of ours until its entry comes.
    pub fn post(&mut self, client_id: ClientId, author: &Author, body: &Body, at_ms: u64) {
        let what = What::Mine {
            client_id,
            name: text::line(&author.name),
            text: MessageText::by(body),
            is_action: matches!(body, Body::Action(_)),
            fate: Fate::Pending,
        };
        self.keep_pending(at_ms, what);
        self.to_newest();
    }

    /// Adds something below everything that was said.
    pub(super) fn keep_pending(&mut self, at_ms: u64, what: What) {
        let key = ItemKey {
            era: Era::Pending,
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

    /// A private line of ours that waits: below what waits already, so that all of it stands in the order it was written in.
    pub fn post_privately(&mut self, what: What, at_ms: u64) {
        if self.pending.is_empty() {
            self.local(what, at_ms);
        } else {
            self.keep_pending(at_ms, what);
        }
        self.to_newest();
    }

    /// How many posts wait for an answer here.
    pub fn pending(&self) -> usize {
        let waits = |item: &&Item| {
            matches!(
                item.what,
                What::Mine {
                    fate: Fate::Pending,
                    ..
                }
            )
        };
        self.pending.iter().filter(waits).count()
    }

    /// A post was stored: its pending line goes, because its entry is here or elsewhere; a private line stays and is plain.
    pub fn settle(&mut self, id: ClientId) -> bool {
        let before = self.pending.len();
        self.pending
            .retain(|item| !matches!(&item.what, What::Mine { client_id, .. } if *client_id == id));
        let is_settled = self.pending.len() < before;
        let is_it = |item: &Item| matches!(&item.what, What::Private { client_id: Some(of), .. } if *of == id);
        if let Some(place) = self.pending.iter().position(is_it) {
            // It is said now, and stands behind what was said before it.
            let item = self.pending.remove(place);
            self.local(item.what, item.at_ms);
        }
        self.set_private_fate(id, &Fate::Stored) || is_settled
    }

    /// A post was refused for good.
    pub fn fail(&mut self, id: ClientId, why: &SafeText) -> bool {
        let mine = self
            .pending
            .iter_mut()
            .find_map(|item| match &mut item.what {
                What::Mine {
                    client_id, fate, ..
                } if *client_id == id => Some(fate),
                _ => None,
            });
        if let Some(fate) = mine {
            *fate = Fate::Failed(why.clone());
            return true;
        }
        self.set_private_fate(id, &Fate::Failed(why.clone()))
    }

    /// A post that failed is repeated, edited or given up: its line goes.
    pub fn take_back(&mut self, id: ClientId) {
        self.settle(id);
        let is_it = |item: &Item| matches!(&item.what, What::Private { client_id: Some(of), .. } if *of == id);
        self.items.retain(|item| !is_it(item));
        self.pending.retain(|item| !is_it(item));
    }

    /// The newest post that failed here.
    pub fn newest_failed(&self) -> Option<ClientId> {
        self.failed().next()
    }

    /// The posts that failed here, the newest first.
    pub fn failed(&self) -> impl Iterator<Item = ClientId> {
        let posts = self.posts();
        posts.filter_map(|(id, fate)| matches!(fate, Fate::Failed(_)).then_some(id))
    }

    /// Our posts that stand here, and what became of them, the newest first.
    pub fn posts(&self) -> impl Iterator<Item = (ClientId, &Fate)> {
        let recent = self.items.iter().rev().take(RECENT);
        let all = self.pending.iter().rev().chain(recent);
        all.filter_map(|item| match &item.what {
            What::Mine {
                client_id, fate, ..
            }
            | What::Private {
                client_id: Some(client_id),
                fate,
                ..
            } => Some((*client_id, fate)),
            _ => None,
        })
    }

    fn set_private_fate(&mut self, id: ClientId, to: &Fate) -> bool {
        let recent = self.items.iter_mut().rev().take(RECENT);
        for item in self.pending.iter_mut().chain(recent) {
            if let What::Private {
                client_id: Some(of),
                fate,
                ..
            } = &mut item.what
                && *of == id
            {
                fate.clone_from(to);
                return true;
            }
        }
        false
    }
}
