//! The steps after an entry is stored: logging, presence and directory updates. Also the answers to read-only requests.

use super::{Invited, MESSAGES, RoomTask, send_reply};
use crate::chat::{Body, Entry, IdentityId, Post, RoomId, RoomKind, Ruling, Seq};
use crate::server::room::RoomHead;
use crate::server::room::mailbox::RoomQuery;
use crate::server::room::permissions::{ReadAccess, TargetEntries};
use crate::server::store::StoreError;
use crate::text;
use crate::wire::{Event, UnfollowReason};

impl RoomTask {
    /// Logs a message of a public room. The log's filter lets [`MESSAGES`] through only with `--log-messages`.
    pub(super) fn log_message(&self, entry: &Entry) {
        if entry.body.is_message() && self.record.kind == RoomKind::Public {
            tracing::info!(
                target: MESSAGES, room = %text::line(&self.record.name), seq = %entry.seq, author = %entry.author.name,
                text = %text::line(entry.body.text()), "message"
            );
        }
    }

    /// Updates presence, the directory and the log after an entry.
    pub(super) fn follow_up(&mut self, entry: &Entry) {
        let (author, room) = (entry.author.id, self.record.log_name());
        let name = text::line(&entry.author.name);
        match &entry.body {
            Body::Left => {
                // The second person to leave a conversation only removes it from their own list: it had already ended, so it is not logged.
                if self.record.kind != RoomKind::Conversation || !self.room.permissions().is_empty()
                {
                    tracing::info!(%name, %room, "left");
                }
                self.remove_member(author);
            }
            Body::Joined(_) => {
                self.joining.remove(&author);
                tracing::info!(%name, %room, "joined");
            }
            Body::Renamed(to) => self.attendance.rename(author, to),
            Body::Topic(topic) => {
                self.record.topic.clone_from(topic);
                self.directory.set_topic(self.record.id, topic);
            }
            Body::Rules(rules) => {
                self.record.rules = *rules;
                self.directory.set_rules(self.record.id, *rules);
            }
            Body::Ruling(person, ruling) => {
                let member = text::line(&person.name);
                tracing::info!(%name, %room, %member, ruling = ?ruling.permission(), kind = entry.body.kind(), "moderated");
                match ruling {
                    Ruling::Invited => {
                        let invited = Invited {
                            person: person.id,
                            by: entry.author.clone(),
                            room: self.record.id,
                        };
                        // If this fails, they see the invitation the next time they connect.
                        let _untold = self.invited.try_send(invited);
                    }
                    Ruling::Kicked { .. } | Ruling::Banned { .. } => self.remove_member(person.id),
                    // A person who has left gets the role when they come back.
                    Ruling::Role(role) if self.room.permissions().role(person.id).is_some() => {
                        self.attendance.set_role(person, *role);
                    }
                    _ => {}
                }
            }
            Body::Closed => {
                tracing::info!(%name, %room, "closed");
                self.directory.remove(self.record.id);
                let present: Vec<IdentityId> = self.attendance.people().map(|it| it.id).collect();
                for person in present {
                    self.remove_member(person);
                }
                self.subscribed.clear();
            }
            _ => {}
        }
    }

    /// Removes a person who is no longer a member.
    fn remove_member(&mut self, person: IdentityId) {
        self.attendance.leave(person);
        // A former member may not retry posts that did not fit on the disk, and those must not block new posts after a return.
        self.refused.retain(|(who, _), _| *who != person);
    }

    /// Reads the entries that a batch amends. This happens when the batch is applied, so that every node finds the same ones.
    pub(super) async fn targets(&self, posts: &[Post]) -> Result<TargetEntries, StoreError> {
        let amended = posts.iter().filter_map(|post| match &post.body {
            Body::Amendment { target, .. } => Some(*target),
            _ => None,
        });
        let seqs: Vec<Seq> = amended.collect();
        if seqs.is_empty() {
            return Ok(TargetEntries::new());
        }
        let found = self.store.entries_at(self.record.id, seqs).await?;
        Ok(found.into_iter().map(|entry| (entry.seq, entry)).collect())
    }

    pub(super) fn answer_query(&self, question: RoomQuery) {
        match question {
            RoomQuery::Peek { identity, reply } => send_reply(reply, self.peek(identity)),
            RoomQuery::Removal { identity, reply } => {
                let put_out = match self.room.permissions().read_access(identity) {
                    ReadAccess::UpTo(put_out) => Some((put_out, self.room.head())),
                    ReadAccess::All | ReadAccess::Nothing => None,
                };
                send_reply(reply, put_out);
            }
            RoomQuery::Role { identity, reply } => {
                send_reply(reply, self.room.permissions().role(identity));
            }
            RoomQuery::MayEnter { identity, reply } => {
                send_reply(reply, self.room.permissions().may_enter(identity));
            }
            RoomQuery::PeopleWithStanding(reply) => {
                send_reply(
                    reply,
                    self.room.permissions().people_with_standing().collect(),
                );
            }
            RoomQuery::Sanctioned(reply) => {
                send_reply(reply, self.room.permissions().sanctioned());
            }
            RoomQuery::MembersAmong { mut among, reply } => {
                among.retain(|id| self.room.permissions().role(*id).is_some());
                send_reply(reply, among);
            }
            RoomQuery::DigestAt { seq, reply } => send_reply(reply, self.room.digest_at(seq)),
            RoomQuery::Roster { among, reply } => {
                let is_member = |id: &IdentityId| self.room.permissions().role(*id).is_some();
                let members = among.into_iter().filter(is_member).collect();
                let people = self.attendance.people().cloned().collect();
                send_reply(reply, (people, members));
            }
            RoomQuery::Count(reply) => send_reply(reply, self.attendance.count()),
        }
    }

    /// Returns the head up to which a person may read, or `None` if they may not read.
    fn peek(&self, identity: IdentityId) -> Option<RoomHead> {
        let head = self.room.head();
        match self.room.permissions().read_access(identity) {
            ReadAccess::All => Some(head),
            ReadAccess::UpTo(put_out) => Some(RoomHead {
                seq: put_out.at,
                ..head
            }),
            ReadAccess::Nothing => None,
        }
    }
}

/// Returns the last event that a room sends to a person whose membership ended with this entry.
pub(super) fn unfollowed_event(room: RoomId, entry: &Entry) -> Event {
    let by = || entry.author.name.clone();
    let why = match &entry.body {
        Body::Ruling(_, Ruling::Kicked { reason }) => UnfollowReason::Kicked {
            by: by(),
            reason: reason.clone(),
        },
        Body::Ruling(_, Ruling::Banned { reason, .. }) => UnfollowReason::Banned {
            by: by(),
            reason: reason.clone(),
        },
        Body::Closed => UnfollowReason::Closed,
        _ => UnfollowReason::Left,
    };
    Event::Unfollowed {
        request: 0,
        room,
        why,
    }
}
