//! Syntax highlighting: finds the tokens of a code block by the grammar of its language.
//!
//! Pure, but slow at first: the first call unpacks the grammars. So the caller runs it on a separate thread.

use std::collections::{HashMap, VecDeque};
use std::ops::Range;
use std::sync::{Arc, OnceLock};

use syntect::parsing::{ParseState, Scope, ScopeStack, SyntaxSet};

use crate::text::CodeBlock;
use crate::tui::theme;

/// The number of blocks whose tokens are cached. The oldest are dropped first, and highlighted again if needed.
const CACHE_LIMIT: usize = 256;

/// The tokens of each line, as ascending byte ranges. Plain text is left out.
pub type Tokens = Vec<Vec<(Range<usize>, TokenKind)>>;

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum TokenKind {
    Comment,
    String,
    Constant,
    Keyword,
    Function,
    Type,
}

impl TokenKind {
    pub const fn scope(self) -> theme::Scope {
        match self {
            Self::Comment => theme::Scope::CodeComment,
            Self::String => theme::Scope::CodeString,
            Self::Constant => theme::Scope::CodeConstant,
            Self::Keyword => theme::Scope::CodeKeyword,
            Self::Function => theme::Scope::CodeFunction,
            Self::Type => theme::Scope::CodeType,
        }
    }
}

/// The maximum number of blocks that are highlighted at the same time.
const IN_PROGRESS_LIMIT: usize = 8;

/// A cache of tokens, with the blocks that are being highlighted.
#[derive(Clone, Debug, Default)]
pub struct Highlights {
    known: HashMap<Arc<CodeBlock>, Option<Arc<Tokens>>>,
    /// Oldest first.
    order: VecDeque<Arc<CodeBlock>>,
    in_progress: usize,
}

impl Highlights {
    /// The maximum number of blocks to request for one screen: fewer than are cached, so that they do not push each other out.
    pub const REQUEST_LIMIT: usize = CACHE_LIMIT / 2;

    /// Marks a block as in progress and returns true, unless it is already in the cache or too many are in progress.
    /// If true, the caller must highlight it.
    pub fn try_begin(&mut self, code: &Arc<CodeBlock>) -> bool {
        if self.in_progress >= IN_PROGRESS_LIMIT || self.known.contains_key(code) {
            return false;
        }
        while self.order.len() >= CACHE_LIMIT
            && let Some(oldest) = self.order.pop_front()
        {
            self.known.remove(&oldest);
        }
        self.order.push_back(Arc::clone(code));
        self.known.insert(Arc::clone(code), None);
        self.in_progress += 1;
        true
    }

    pub fn insert(&mut self, code: &Arc<CodeBlock>, tokens: Tokens) {
        self.in_progress = self.in_progress.saturating_sub(1);
        if let Some(known) = self.known.get_mut(code) {
            *known = Some(Arc::new(tokens));
        }
    }

    /// The tokens of a line of a block; empty if they are not known.
    pub fn of(&self, code: &Arc<CodeBlock>, line: usize) -> &[(Range<usize>, TokenKind)] {
        let tokens = self.known.get(code).and_then(Option::as_ref);
        tokens
            .and_then(|tokens| tokens.get(line))
            .map_or(&[], Vec::as_slice)
    }
}

/// Finds the tokens of a block. Empty if the language is unknown.
pub fn highlight(code: &CodeBlock) -> Tokens {
    static SYNTAXES: OnceLock<SyntaxSet> = OnceLock::new();
    static KINDS: OnceLock<Vec<(Scope, Option<TokenKind>)>> = OnceLock::new();
    let syntaxes = SYNTAXES.get_or_init(two_face::syntax::extra_newlines);
    let kinds = KINDS.get_or_init(kinds);
    let Some(syntax) = syntaxes.find_syntax_by_token(code.language.as_str()) else {
        return Tokens::new();
    };
    let mut parser = ParseState::new(syntax);
    let mut stack = ScopeStack::new();
    let mut tokens = Tokens::new();
    for line in code.text.as_str().lines() {
        // After a line that cannot be parsed, the rest has no colours.
        let Ok(changes) = parser.parse_line(&format!("{line}\n"), syntaxes) else {
            break;
        };
        let mut of_line = Vec::new();
        let mut from = 0;
        for (at, change) in changes {
            let at = at.min(line.len());
            push(&mut of_line, from..at, kind(&stack, kinds));
            from = at;
            if stack.apply(&change).is_err() {
                break;
            }
        }
        push(&mut of_line, from..line.len(), kind(&stack, kinds));
        tokens.push(of_line);
    }
    tokens
}

fn push(tokens: &mut Vec<(Range<usize>, TokenKind)>, range: Range<usize>, kind: Option<TokenKind>) {
    let Some(kind) = kind.filter(|_| !range.is_empty()) else {
        return;
    };
    match tokens.last_mut() {
        Some((last, known)) if *known == kind && last.end == range.start => last.end = range.end,
        _ => tokens.push((range, kind)),
    }
}

/// The token of the innermost scope that is listed in `kinds`.
fn kind(stack: &ScopeStack, kinds: &[(Scope, Option<TokenKind>)]) -> Option<TokenKind> {
    let scopes = stack.as_slice().iter().rev();
    let mut meant = scopes.filter_map(|scope| {
        let mut kinds = kinds.iter();
        kinds.find(|(known, _)| known.is_prefix_of(*scope))
    });
    meant.next().and_then(|(_, token)| *token)
}

/// The scopes that have a token, or explicitly none. A longer scope comes before its own prefix.
fn kinds() -> Vec<(Scope, Option<TokenKind>)> {
    let kinds = [
        ("comment", Some(TokenKind::Comment)),
        ("punctuation.definition.comment", Some(TokenKind::Comment)),
        // Code inside a string.
        ("meta.interpolation", None),
        ("constant.character.escape", Some(TokenKind::Constant)),
        ("string", Some(TokenKind::String)),
        ("constant", Some(TokenKind::Constant)),
        ("keyword.operator", None),
        ("keyword", Some(TokenKind::Keyword)),
        ("storage.type.numeric", Some(TokenKind::Constant)),
        ("storage", Some(TokenKind::Keyword)),
        ("entity.name.function", Some(TokenKind::Function)),
        ("support.function", Some(TokenKind::Function)),
        ("variable.function", Some(TokenKind::Function)),
        ("entity.name.tag", Some(TokenKind::Keyword)),
        ("entity.name", Some(TokenKind::Type)),
        ("support.type", Some(TokenKind::Type)),
        ("support.class", Some(TokenKind::Type)),
    ];
    let parsed = kinds.into_iter();
    parsed
        .filter_map(|(name, token)| Some((Scope::new(name).ok()?, token)))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::text;

    fn found(language: &'static str, code: &str) -> Vec<(usize, String, TokenKind)> {
        let code = CodeBlock {
            language: language.into(),
            text: text::body(code),
        };
        let lines: Vec<&str> = code.text.as_str().lines().collect();
        let mut found = Vec::new();
        for (n, tokens) in highlight(&code).into_iter().enumerate() {
            for (range, token) in tokens {
                found.push((n, lines[n][range].to_owned(), token));
            }
        }
        found
    }

    #[test]
    fn tokens_of_code_are_found_in_many_languages() {
        let rust = found(
            "rust",
            "// 注释\nfn main() {\n    let x = \"关键\"; // 42\n    return 42;\n}",
        );
        for expected in [
            (0, "// 注释", TokenKind::Comment),
            (1, "fn", TokenKind::Keyword),
            (1, "main", TokenKind::Function),
            (2, "\"关键\"", TokenKind::String),
            (3, "42", TokenKind::Constant),
        ] {
            let (line, text, token) = expected;
            let is_it = |it: &(usize, String, TokenKind)| (it.0, it.1.as_str(), it.2) == expected;
            assert!(
                rust.iter().any(is_it),
                "{line} {text} {token:?} in {rust:?}"
            );
        }
        for language in [
            "toml",
            "typescript",
            "py",
            "sh",
            "json",
            "go",
            "c++",
            "Dockerfile",
        ] {
            assert!(
                !found(language, "# x = 1\n\"a\": 1 // \"b\"").is_empty(),
                "{language}"
            );
        }
        assert_eq!(found("no-such-language", "fn main() {}"), []);
        assert_eq!(found("", "fn main() {}"), []);
    }

    #[test]
    fn the_cache_is_bounded_and_a_full_screen_of_blocks_fits() {
        let mut highlights = Highlights::default();
        let code = |n: usize| {
            Arc::new(CodeBlock {
                language: "rust".into(),
                text: text::body(&n.to_string()),
            })
        };
        for n in 0..10 * CACHE_LIMIT {
            assert!(highlights.try_begin(&code(n)));
            highlights.insert(&code(n), Tokens::new());
        }
        assert!(highlights.known.len() <= CACHE_LIMIT && highlights.order.len() <= CACHE_LIMIT);
        // As many blocks as one screen may request are all cached in the end, and then no more are requested.
        let wanted: Vec<Arc<CodeBlock>> = (0..Highlights::REQUEST_LIMIT)
            .map(|n| code(100_000 + n))
            .collect();
        let mut rounds = 0;
        loop {
            let asked: Vec<_> = wanted
                .iter()
                .filter(|it| highlights.try_begin(it))
                .collect();
            assert!(asked.len() <= IN_PROGRESS_LIMIT);
            if asked.is_empty() {
                break;
            }
            for code in asked {
                highlights.insert(code, Tokens::new());
            }
            rounds += 1;
        }
        assert_eq!(rounds, Highlights::REQUEST_LIMIT / IN_PROGRESS_LIMIT);
    }
}
