//! Colour themes: TOML files with dotted scopes, a palette and inheritance. A scope without a style uses the style of
//! its parent: `ui.text` is the parent of `ui.text.dim`.
//!
//! ```toml
//! inherits = "dusk"
//! names = ["#e06c75", "cyan"]
//! [palette]
//! ink = "#1a1b26"
//! [scopes]
//! "ui.text" = "#c0caf5"
//! "message.own" = { fg = "ink", bold = true }
//! ```
#![cfg_attr(not(test), deny(clippy::disallowed_methods))]

pub mod avatar;
mod depth;

use std::collections::BTreeMap;

use ratatui::style::{Color, Modifier, Style};
use serde::Deserialize;

pub use self::depth::Depth;
use self::depth::{reduced, reduced_colour};
use crate::chat::IdentityId;

macro_rules! scopes {
    ($($name:ident = $text:literal),* $(,)?) => {
        /// The role of a part of the screen, which has a style in each theme.
        #[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
        pub enum Scope { $($name),* }

        impl Scope {
            pub const ALL: &'static [Self] = &[$(Self::$name),*];

            pub const fn name(self) -> &'static str {
                match self { $(Self::$name => $text),* }
            }
        }
    };
}

scopes! {
    Background = "ui.background", Panel = "ui.panel", Text = "ui.text", Dim = "ui.text.dim", Rule = "ui.rule",
    Accent = "ui.accent", Selection = "ui.selection",
    Status = "ui.status", StatusOnline = "ui.status.online", StatusConnecting = "ui.status.connecting",
    StatusOffline = "ui.status.offline", BadgeUnread = "ui.badge.unread", BadgeMention = "ui.badge.mention",
    MessageTime = "message.time", MessageAuthor = "message.author", MessageOwn = "message.own", MessageText = "message.text",
    MessagePrivate = "message.private", MessageMention = "message.mention", MessageSystem = "message.system",
    MessagePending = "message.pending", MessageFailed = "message.failed", MessageGap = "message.gap",
    MessageDate = "message.date", MessageUnread = "message.unread", MessageCode = "message.code",
    CodeComment = "message.code.comment", CodeString = "message.code.string", CodeConstant = "message.code.constant",
    CodeKeyword = "message.code.keyword", CodeFunction = "message.code.function", CodeType = "message.code.type",
    MessageLink = "message.link",
    MessageQuote = "message.quote", MessageReaction = "message.reaction",
    PeoplePresent = "people.present", PeopleAway = "people.away", PeopleOffline = "people.offline", PeopleRole = "people.role",
    PeopleBridge = "people.bridge",
    Composer = "composer", ComposerPrompt = "composer.prompt", ComposerPrivate = "composer.private",
    ComposerLimit = "composer.limit",
    Popup = "popup", PopupSelected = "popup.selected", PopupMatch = "popup.match", PopupKey = "popup.key",
}

/// A theme, resolved for one terminal.
#[derive(Clone, Debug)]
pub struct Theme {
    pub name: String,
    styles: Vec<Style>,
    names: Vec<Color>,
}

/// Why a theme cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum ThemeError {
    #[error("there is no theme '{0}'; the built-in themes are {names}", names = names())]
    Unknown(String),
    #[error("cannot read the theme '{name}': {cause}")]
    Unreadable { name: String, cause: String },
    #[error("the theme '{theme}' uses an unknown colour '{colour}' (in '{scope}')")]
    Colour {
        theme: String,
        scope: String,
        colour: String,
    },
    /// The themes in the cycle, each inheriting from the next.
    #[error("{}", cycle(.0))]
    Cycle(Vec<String>),
}

fn cycle(names: &[String]) -> String {
    match names {
        [alone] => format!("the theme '{alone}' inherits from itself"),
        [most @ .., last] => {
            let most = most.join("', '");
            format!("the themes '{most}' and '{last}' inherit from each other")
        }
        [] => String::new(),
    }
}

/// The themes that come with the program; the first is the default.
const BUILT_IN: [(&str, &str); 12] = [
    ("dusk", include_str!("../../themes/dusk.toml")),
    ("night", include_str!("../../themes/night.toml")),
    ("moss", include_str!("../../themes/moss.toml")),
    ("ember", include_str!("../../themes/ember.toml")),
    ("slate", include_str!("../../themes/slate.toml")),
    ("plum", include_str!("../../themes/plum.toml")),
    ("paper", include_str!("../../themes/paper.toml")),
    ("daylight", include_str!("../../themes/daylight.toml")),
    ("mint", include_str!("../../themes/mint.toml")),
    ("rose", include_str!("../../themes/rose.toml")),
    ("contrast", include_str!("../../themes/contrast.toml")),
    ("ansi", include_str!("../../themes/ansi.toml")),
];

/// The theme that uses only the sixteen colours that every terminal has.
const SIXTEEN: &str = "ansi";

/// The setting that chooses a theme by the terminal's background.
pub const AUTO: &str = "auto";

/// Whether the terminal's own background is dark or light.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Background {
    #[default]
    Dark,
    Light,
}

impl Background {
    /// Whether a background colour is dark or light. The colour is written as terminals report it (`rgb:ffff/ffff/ffff`).
    pub fn of_colour(colour: &str) -> Option<Self> {
        let colour = xterm_color::Color::parse(colour.as_bytes()).ok()?;
        let linear = |part: u16| (f64::from(part) / f64::from(u16::MAX)).powf(2.2);
        let luminance = 0.2126 * linear(colour.red)
            + 0.7152 * linear(colour.green)
            + 0.0722 * linear(colour.blue);
        // A luminance of 0.184 is perceived as half as bright as white (L* = 50 in CIELAB).
        Some(if luminance > 0.184 {
            Self::Light
        } else {
            Self::Dark
        })
    }
}

/// Resolves a theme setting: [`AUTO`] becomes the theme for the background; any other name is returned unchanged.
pub fn resolve_theme(name: &str, ground: Background) -> &str {
    match (name, ground) {
        (AUTO, Background::Dark) => DEFAULT,
        (AUTO, Background::Light) => "paper",
        (name, _) => name,
    }
}

pub const DEFAULT: &str = BUILT_IN[0].0;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ThemeFile {
    inherits: Option<String>,
    #[serde(default)]
    names: Vec<String>,
    #[serde(default)]
    palette: BTreeMap<String, String>,
    #[serde(default)]
    scopes: BTreeMap<String, StyleSpec>,
}

#[derive(Clone, Deserialize)]
#[serde(untagged)]
enum StyleSpec {
    Foreground(String),
    Table(StyleTable),
}

#[allow(clippy::struct_excessive_bools)] // Each is an independent key of the file.
#[derive(Clone, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct StyleTable {
    fg: Option<String>,
    bg: Option<String>,
    #[serde(default)]
    bold: bool,
    #[serde(default)]
    dim: bool,
    #[serde(default)]
    italic: bool,
    #[serde(default)]
    underlined: bool,
    #[serde(default)]
    reversed: bool,
}

/// The names of the built-in themes, for an error message.
fn names() -> String {
    BUILT_IN.map(|(name, _)| name).join(", ")
}

/// Names of the built-in themes.
pub fn built_in_names() -> Vec<String> {
    BUILT_IN.map(|(name, _)| name.to_owned()).to_vec()
}

impl Theme {
    /// Returns a built-in theme. The warnings name unknown scopes.
    ///
    /// # Errors
    /// There is no such theme.
    pub fn built_in(name: &str, depth: Depth) -> Result<(Self, Vec<String>), ThemeError> {
        Self::parse(name, |_| Ok(None), depth)
    }

    /// Parses a theme. `own` returns the text of the user's own theme with that name, or `None` if there is none; the
    /// user's own theme takes precedence over a built-in one. The warnings name unknown scopes.
    ///
    /// # Errors
    /// There is no such theme, or it cannot be read or parsed.
    pub fn parse(
        name: &str,
        own: impl Fn(&str) -> Result<Option<String>, ThemeError>,
        depth: Depth,
    ) -> Result<(Self, Vec<String>), ThemeError> {
        let file = |name: &str| file(name, own(name)?.as_deref());
        let mut warnings = Vec::new();
        let mut chain = vec![(name.to_owned(), file(name)?)];
        while let Some(parent) = chain.last().and_then(|(_, file)| file.inherits.clone()) {
            if let Some(at) = chain.iter().position(|(known, _)| *known == parent) {
                let circle = chain.into_iter().skip(at).map(|(name, _)| name);
                return Err(ThemeError::Cycle(circle.collect()));
            }
            let file = file(&parent)?;
            chain.push((parent, file));
        }
        let mut palette = BTreeMap::new();
        let mut scopes: BTreeMap<String, Style> = BTreeMap::new();
        let mut names = Vec::new();
        // Palettes are merged first, so that a theme can change the colours of the styles it inherits.
        for (_, file) in chain.iter().rev() {
            let of_file = file.palette.iter();
            palette.extend(of_file.map(|(key, value)| (key.as_str(), value.as_str())));
        }
        for (theme, file) in chain.iter().rev() {
            for (scope, spec) in &file.scopes {
                if !is_known(scope) {
                    warnings.push(format!("theme '{theme}': unknown scope '{scope}'"));
                }
                scopes.insert(scope.clone(), style(spec, &palette, theme, scope)?);
            }
            if !file.names.is_empty() {
                let of = |text: &String| colour(text, &palette, theme, "names");
                names = file.names.iter().map(of).collect::<Result<_, _>>()?;
            }
        }
        let mut styles: Vec<Style> = Scope::ALL
            .iter()
            .map(|scope| reduced(find(&scopes, scope.name()), depth))
            .collect();
        let mut names: Vec<Color> = names
            .into_iter()
            .filter_map(|colour| reduced_colour(colour, depth))
            .collect();
        if depth == Depth::Ansi16 && name != SIXTEEN && has_background(&scopes) {
            // With sixteen colours, text may be hard to read on the theme's background. So the theme without a
            // background of its own is used.
            let (plain, _) = Self::built_in(SIXTEEN, depth)?;
            (styles, names) = (plain.styles, plain.names);
        }
        Ok((
            Self {
                name: name.to_owned(),
                styles,
                names,
            },
            warnings,
        ))
    }

    pub fn style(&self, scope: Scope) -> Style {
        // `styles` is in the order of `Scope::ALL`, which is the order of declaration.
        self.styles.get(scope as usize).copied().unwrap_or_default()
    }

    /// The style of a person's name, always the same for the same person.
    pub fn name(&self, person: IdentityId) -> Style {
        let base = self.style(Scope::MessageAuthor);
        if self.names.is_empty() {
            return base;
        }
        let number = person.bytes().iter().fold(0_usize, |sum, byte| {
            sum.wrapping_mul(31).wrapping_add(usize::from(*byte))
        });
        base.fg(self.names[number % self.names.len()])
    }

    /// The colours of names, for checking their contrast.
    pub fn names(&self) -> &[Color] {
        &self.names
    }
}

fn file(name: &str, own: Option<&str>) -> Result<ThemeFile, ThemeError> {
    let built_in = || BUILT_IN.iter().find(|(known, _)| *known == name);
    let text = match own {
        Some(text) => text,
        None => {
            built_in()
                .ok_or_else(|| ThemeError::Unknown(name.to_owned()))?
                .1
        }
    };
    toml::from_str(text).map_err(|cause| ThemeError::Unreadable {
        name: name.to_owned(),
        cause: cause.to_string().trim().to_owned(),
    })
}

/// Whether a scope, or one below it, exists.
fn is_known(scope: &str) -> bool {
    let below = format!("{scope}.");
    Scope::ALL
        .iter()
        .any(|known| known.name() == scope || known.name().starts_with(&below))
}

/// Whether a theme sets its own background.
fn has_background(scopes: &BTreeMap<String, Style>) -> bool {
    let ground = find(scopes, Scope::Background.name()).bg;
    matches!(ground, Some(Color::Rgb(..)))
}

/// The style of a scope, or else of its nearest parent that has one, or else of `ui.text`.
fn find(scopes: &BTreeMap<String, Style>, name: &str) -> Style {
    let mut name = name;
    loop {
        if let Some(style) = scopes.get(name) {
            return *style;
        }
        match name.rsplit_once('.') {
            Some((shorter, _)) => name = shorter,
            None => return scopes.get("ui.text").copied().unwrap_or_default(),
        }
    }
}

fn style(
    spec: &StyleSpec,
    palette: &BTreeMap<&str, &str>,
    theme: &str,
    scope: &str,
) -> Result<Style, ThemeError> {
    let full = match spec {
        StyleSpec::Foreground(text) => &StyleTable {
            fg: Some(text.clone()),
            ..StyleTable::default()
        },
        StyleSpec::Table(full) => full,
    };
    let mut style = Style::default();
    if let Some(text) = &full.fg {
        style = style.fg(colour(text, palette, theme, scope)?);
    }
    if let Some(text) = &full.bg {
        style = style.bg(colour(text, palette, theme, scope)?);
    }
    let modifiers = [
        (full.bold, Modifier::BOLD),
        (full.dim, Modifier::DIM),
        (full.italic, Modifier::ITALIC),
        (full.underlined, Modifier::UNDERLINED),
        (full.reversed, Modifier::REVERSED),
    ];
    Ok(modifiers
        .into_iter()
        .filter(|(on, _)| *on)
        .fold(style, |style, (_, modifier)| style.add_modifier(modifier)))
}

fn colour(
    text: &str,
    palette: &BTreeMap<&str, &str>,
    theme: &str,
    scope: &str,
) -> Result<Color, ThemeError> {
    let meant = palette.get(text).copied().unwrap_or(text);
    meant.parse().map_err(|_| ThemeError::Colour {
        theme: theme.into(),
        scope: scope.into(),
        colour: text.into(),
    })
}

#[cfg(test)]
mod tests;
