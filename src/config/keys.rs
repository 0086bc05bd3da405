//! The `[keys]` section of the config file: a preset, and custom keys that override it.

use std::collections::BTreeMap;

use serde::Deserialize;
use toml::Spanned;

use super::invalid::{Invalid, line_of};
use crate::tui::input::keymap::{Action, Context, Keymap, Keys, Preset, UserBinding};

type Bindings = BTreeMap<Spanned<String>, Spanned<String>>;

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, expecting = "a table, written as [keys]")]
pub struct KeysTable {
    preset: Option<Spanned<String>>,
    /// Bindings like `"ctrl+x ctrl+e" = "editor"` for each context; `"none"` removes what a key does.
    #[serde(default)]
    composer: Bindings,
    #[serde(default)]
    popup: Bindings,
    #[serde(default)]
    selection: Bindings,
    #[serde(default)]
    overlay: Bindings,
}

/// The action that removes what a key does.
const NONE: &str = "none";

impl KeysTable {
    /// Whether a preset is named.
    pub fn has_preset(&self) -> bool {
        self.preset.is_some()
    }

    /// Builds the keymap. `text` is the text of the config file.
    ///
    /// # Errors
    /// A preset, key or action does not exist, a key is bound twice, or a needed action has no key left. The error has the byte offset.
    pub fn keymap(&self, text: &str) -> Result<Keymap, Invalid> {
        let preset = match &self.preset {
            Some(name) => Preset::of(name.get_ref()).ok_or_else(|| Invalid {
                at: name.span().start,
                why: format!(
                    "there is no preset '{}'; use default or emacs",
                    name.get_ref()
                ),
            })?,
            None => Preset::default(),
        };
        let mut user_bindings: Vec<UserBinding> = Vec::new();
        for (_, context) in Context::ALL {
            let rows = match context {
                Context::Composer => &self.composer,
                Context::Popup => &self.popup,
                Context::Selection => &self.selection,
                Context::Overlay => &self.overlay,
            };
            // In the order of the file, so that the later of two conflicting keys is reported.
            let mut rows: Vec<_> = rows.iter().collect();
            rows.sort_by_key(|(key, _)| key.span().start);
            let mut known: Vec<(Keys, usize)> = Vec::new();
            for (key, action) in rows {
                let (binding, at) = (user_binding(context, key, action)?, key.span().start);
                if let Some((other, first)) =
                    known.iter().find(|(keys, _)| keys.clashes(binding.keys))
                {
                    return Err(Invalid {
                        at,
                        why: format!(
                            "'{}' conflicts with '{other}' in line {}",
                            key.get_ref(),
                            line_of(text, *first)
                        ),
                    });
                }
                known.push((binding.keys, at));
                user_bindings.push(binding);
            }
        }
        let keymap = Keymap::new(preset, user_bindings);
        match keymap.missing() {
            None => Ok(keymap),
            Some(action) => Err(Invalid {
                at: self.conflict_offset(&Keymap::new(preset, Vec::new()), action),
                why: format!(
                    "after these changes, no key is left for '{}'",
                    action.name()
                ),
            }),
        }
    }
}

impl KeysTable {
    /// Returns where the last key of an action is bound to something else.
    fn conflict_offset(&self, before: &Keymap, action: Action) -> usize {
        let label = before.label(action);
        let rows = self.composer.keys().filter_map(|key| {
            let keys: Keys = key.get_ref().parse().ok()?;
            let was_bound = label.split(", ").any(|known| known == keys.to_string());
            was_bound.then_some(key.span().start)
        });
        rows.max().unwrap_or(0)
    }
}

fn user_binding(
    context: Context,
    key: &Spanned<String>,
    action: &Spanned<String>,
) -> Result<UserBinding, Invalid> {
    let keys: Keys = key.get_ref().parse().map_err(|_| Invalid {
        at: key.span().start,
        why: format!(
            "there is no key '{}'; write it like ctrl+a, alt+enter or f5, or two keys like ctrl+x ctrl+e",
            key.get_ref()
        ),
    })?;
    let name = action.get_ref().as_str();
    let known = Action::of(name);
    if known.is_none() && name != NONE {
        let near = Action::ALL.iter().map(|it| it.name());
        // An action whose name contains the word is nearer than any other.
        let distance = |known: &&str| {
            let has = known.split('-').any(|part| part == name);
            (!has, strsim::damerau_levenshtein(known, name))
        };
        let near = near.min_by_key(distance);
        return Err(Invalid {
            at: action.span().start,
            why: format!(
                "there is no action '{name}'; did you mean '{}'?",
                near.unwrap_or_default()
            ),
        });
    }
    let is_two = matches!(keys, Keys::Two(..));
    if is_two && context != Context::Composer {
        return Err(Invalid {
            at: key.span().start,
            why: "two keys in a row work only in [keys.composer]".into(),
        });
    }
    if context == Context::Composer && keys.types() {
        return Err(Invalid {
            at: key.span().start,
            why: format!(
                "this binding would make it impossible to type '{}'",
                key.get_ref()
            ),
        });
    }
    if known.is_some_and(|known| !known.is_bound_in(context)) {
        return Err(Invalid {
            at: action.span().start,
            why: format!("'{name}' does nothing in [keys.{}]", context.name()),
        });
    }
    Ok(UserBinding {
        context,
        keys,
        action: known,
    })
}
