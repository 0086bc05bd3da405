//! One line for a run of joins and leaves.

use super::{
    Direction, IdentityId, Item, ItemKind, Layout, RUN_LIMIT, SafeText, Timeline, fill, text,
};

impl Layout<'_> {
    /// Summarizes a run of joins and leaves in one line.
    pub(super) fn joins_and_leaves(&self, timeline: &Timeline, first: usize) -> SafeText {
        let mut people: Vec<(IdentityId, &SafeText, Direction, Direction)> = Vec::new();
        let mut before: Option<&Item> = None;
        let run = (first..timeline.len()).filter_map(|index| timeline.get(index));
        for item in run.take(RUN_LIMIT) {
            let ItemKind::JoinOrLeave { person, name, way } = &item.what else {
                match item.what {
                    ItemKind::Hidden => continue,
                    _ => break,
                }
            };
            let is_other = before.is_some_and(|before| {
                self.begins_day(Some(before), item) || timeline.is_first_new(Some(before), item)
            });
            if is_other {
                break;
            }
            before = Some(item);
            match people.iter_mut().find(|it| it.0 == *person) {
                Some(known) => known.3 = *way,
                None => people.push((*person, name, *way, *way)),
            }
        }
        let s = self.strings;
        let of = |is: &dyn Fn(Direction, Direction) -> bool| -> Vec<&SafeText> {
            let of = people.iter().filter(|it| is(it.2, it.3));
            of.map(|it| it.1).collect()
        };
        let parts = [
            (of(&|_, last| last == Direction::In), s.joined, s.joined_and),
            (
                of(&|first, last| first == Direction::In && last == Direction::Out),
                s.joined_and_left,
                s.joined_and_left_and,
            ),
            (
                of(&|first, last| first == Direction::Out && last == Direction::Out),
                s.left,
                s.left_and,
            ),
        ];
        let words = parts.into_iter().filter_map(|(names, one, many)| {
            let (first, others) = names.split_first()?;
            Some(match others {
                [] => fill(one, &[first]),
                [other] => fill(one, &[&fill(s.two_names, &[first, other])]),
                others => fill(many, &[first, &others.len()]),
            })
        });
        text::line(&words.collect::<Vec<_>>().join(" · "))
    }
}
