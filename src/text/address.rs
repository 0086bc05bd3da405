//! Finds the web addresses in a text: where each begins, where it ends, and whether it can be a link.
//!
//! Addresses are found before Markdown is parsed, so that no character in them is read as a mark. If the end is uncertain because Chinese
//! (or another script without spaces) follows directly, the address gets no link rather than a wrong one.

use std::ops::Range;

/// An address in a text.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct AddressSpan {
    /// Its byte range in the text.
    pub range: Range<usize>,
    /// Whether it may become a link in the terminal: it is http or https, and its end is certain.
    pub is_link: bool,
}

/// Top-level domains written in Chinese, Japanese or Korean. After a dot they are part of a host; other words are prose.
const WIDE_DOMAINS: [&str; 22] = [
    "中国",
    "中國",
    "公司",
    "网络",
    "網絡",
    "网址",
    "在线",
    "中文网",
    "网站",
    "商城",
    "商店",
    "集团",
    "我爱你",
    "香港",
    "台湾",
    "台灣",
    "新加坡",
    "测试",
    "みんな",
    "コム",
    "한국",
    "닷컴",
];

/// Returns all addresses with a scheme (`scheme://…`) in a text, in order. They never overlap.
pub fn addresses(text: &str) -> Vec<AddressSpan> {
    let mut found: Vec<AddressSpan> = Vec::new();
    let mut from = 0;
    let mut prose = OpenDelimiters::default();
    while let Some(at) = text[from..].find("://").map(|at| from + at) {
        let after = at + "://".len();
        let Some((start, is_web)) = scheme(&text[from..at]).map(|(start, web)| (from + start, web))
        else {
            prose.read(&text[from..after]);
            from = after;
            continue;
        };
        prose.read(&text[from..start]);
        let is_enclosed = is_enclosed(&text[..start], &text[after..]);
        let (end, is_certain) = address_end(text, after, &prose, is_enclosed);
        if end == after {
            // Nothing follows the scheme, so this is not an address.
            prose.read(&text[start..after]);
            from = after;
            continue;
        }
        found.push(AddressSpan {
            range: start..end,
            is_link: is_web && is_certain && has_host(&text[after..end]),
        });
        from = end;
    }
    found
}

/// Returns where the scheme at the end of a text begins, and whether it is http or https.
fn scheme(before: &str) -> Option<(usize, bool)> {
    let is_of_scheme = |c: char| c.is_ascii_alphanumeric() || "+-.".contains(c);
    let start = before
        .char_indices()
        .rev()
        .take_while(|(_, c)| is_of_scheme(*c))
        .last()?
        .0;
    let run = &before[start..];
    let is_web = |word: &str| matches!(word.to_ascii_lowercase().as_str(), "http" | "https");
    // A sentence may end right before an address, without a space.
    let last = run.rsplit('.').next().unwrap_or_default();
    if is_web(last) {
        return Some((before.len() - last.len(), true));
    }
    let letters = run.find(|c: char| c.is_ascii_alphabetic())?;
    Some((start + letters, false))
}

/// Brackets and marks that the text before an address opened and did not close.
#[derive(Default)]
struct OpenDelimiters {
    brackets: Vec<char>,
    /// Runs of `*`, `_` and `~` that may begin bold, italic or struck-through text.
    marks: Vec<(char, usize)>,
    has_bar: bool,
    last: Option<char>,
}

impl OpenDelimiters {
    fn read(&mut self, text: &str) {
        let mut chars = text.chars().peekable();
        while let Some(c) = chars.next() {
            match c {
                '\n' => *self = Self::default(),
                '(' | '[' | '{' => self.brackets.push(closing(c)),
                ')' | ']' | '}' => {
                    if let Some(place) = self.brackets.iter().rposition(|it| *it == c) {
                        self.brackets.truncate(place);
                    }
                }
                '|' => self.has_bar = true,
                '*' | '_' | '~' => {
                    let mut length = 1;
                    while chars.next_if_eq(&c).is_some() {
                        length += 1;
                    }
                    self.run(c, length, chars.peek().copied());
                }
                _ => {}
            }
            self.last = Some(c);
        }
    }

    fn run(&mut self, mark: char, length: usize, next: Option<char>) {
        let is_word = |c: Option<char>| c.is_some_and(char::is_alphanumeric);
        let is_space = |c: Option<char>| c.is_none_or(char::is_whitespace);
        let closes = !is_space(self.last) && !is_word(next);
        let open = self.marks.iter().rposition(|(it, _)| *it == mark);
        if let Some(place) = open.filter(|_| closes) {
            self.marks.truncate(place);
        } else if next.is_none_or(|next| !next.is_whitespace())
            && !(is_word(self.last) && mark == '_')
        {
            self.marks.push((mark, length));
        }
    }
}

fn closing(open: char) -> char {
    match open {
        '(' => ')',
        '[' => ']',
        _ => '}',
    }
}

/// Whether an address is in `<…>` or the target of a Markdown link, so that its end is marked.
fn is_enclosed(before: &str, rest: &str) -> bool {
    let close = if before.ends_with('<') {
        '>'
    } else if before.ends_with("](") {
        ')'
    } else {
        return false;
    };
    let word = rest.split(char::is_whitespace).next().unwrap_or_default();
    word.contains(close)
}

/// Returns where the address with its host at `from` ends, and whether that is certain.
fn address_end(
    text: &str,
    from: usize,
    prose: &OpenDelimiters,
    is_enclosed: bool,
) -> (usize, bool) {
    let (run, is_certain) = run(&text[from..], prose, is_enclosed);
    let mut end = from + run;
    let mut marks = prose.marks.clone();
    // Trailing punctuation, and what closes something that the prose opened before the address, belongs to the prose.
    loop {
        let address = &text[from..end];
        let Some(last) = address.chars().next_back() else {
            break;
        };
        let is_of_prose = match last {
            '.' | ',' | ';' | ':' | '!' | '?' | '\'' | '–' | '’' | '•' | '(' | '[' | '{' => {
                true
            }
            ')' | ']' | '}' => unmatched(address, last) > 0,
            '|' => prose.has_bar,
            '*' | '_' | '~' => {
                let open = marks.iter().rposition(|(mark, _)| *mark == last);
                if let Some(place) = open {
                    // This loop runs backwards, so it reaches the outermost mark first. The marks inside it stay open.
                    marks[place].1 -= 1;
                    if marks[place].1 == 0 {
                        marks.remove(place);
                    }
                }
                open.is_some()
            }
            _ => false,
        };
        if !is_of_prose {
            break;
        }
        end -= last.len_utf8();
    }
    (end, is_certain || end < from + run)
}

/// Counts the closing brackets of one kind that have no opening bracket before them.
fn unmatched(text: &str, close: char) -> usize {
    let mut open = 0_usize;
    let mut over = 0;
    for c in text.chars() {
        if c == close {
            if open == 0 {
                over += 1;
            } else {
                open -= 1;
            }
        } else if matches!(c, '(' | '[' | '{') && closing(c) == close {
            open += 1;
        }
    }
    over
}

/// Returns the length in bytes of the part that may belong to an address, and whether it certainly
/// ends there.
fn run(text: &str, prose: &OpenDelimiters, is_enclosed: bool) -> (usize, bool) {
    let mut at = ip_literal(text);
    let mut is_host = at == 0;
    let mut open: Vec<char> = Vec::new();
    while let Some(c) = text[at..].chars().next() {
        let rest = &text[at + c.len_utf8()..];
        if c.is_whitespace() || c.is_control() || "<>\"`\\".contains(c) || is_stop(c) {
            return (at, true);
        }
        if is_unspaced(c) {
            let length = text[at..]
                .find(|c: char| !is_unspaced(c))
                .unwrap_or(text.len() - at);
            if is_enclosed {
                at += length;
                continue;
            }
            match unspaced(
                &text[..at],
                &text[at..at + length],
                &rest_of(text, at + length),
                is_host,
            ) {
                Unspaced::Address => at += length,
                Unspaced::Prose => return (at, true),
                Unspaced::Either => return (at, false),
            }
            continue;
        }
        match c {
            '/' | '?' | '#' => is_host = false,
            '(' | '[' | '{' => open.push(closing(c)),
            ')' | ']' | '}' => {
                if open.last() == Some(&c) {
                    open.pop();
                } else if !continues_after(rest, c, prose) {
                    return (at, true);
                }
            }
            ',' | ';' if begins_address(rest) => return (at, true),
            '|' if prose.has_bar || begins_address(rest) => return (at, true),
            _ => {}
        }
        at += c.len_utf8();
    }
    (at, true)
}

fn rest_of(text: &str, at: usize) -> String {
    text[at..].chars().take(2).collect()
}

/// Whether the address goes on after a closing bracket that it did not open: more text follows, with enough closing brackets
/// left for those that the prose opened.
fn continues_after(rest: &str, close: char, prose: &OpenDelimiters) -> bool {
    let token: &str = rest
        .split(|c: char| c.is_whitespace() || is_stop(c))
        .next()
        .unwrap_or_default();
    let inner = token.trim_start_matches([
        '.', ',', ';', ':', '!', '?', '\'', '-', '_', '/', '&', '=', '#', '%', '+',
    ]);
    let has_more = inner.starts_with(|c: char| c.is_ascii_alphanumeric());
    let needed = prose.brackets.iter().filter(|it| **it == close).count();
    has_more && (needed == 0 || unmatched(token, close) >= needed)
}

fn begins_address(text: &str) -> bool {
    let start = text.trim_start_matches(' ').as_bytes();
    let begins = |with: &str| {
        start
            .get(..with.len())
            .is_some_and(|it| it.eq_ignore_ascii_case(with.as_bytes()))
    };
    begins("http://") || begins("https://")
}

/// Returns the length of a bracketed IPv6 address at the start of a text, brackets included; 0 if there is none.
fn ip_literal(text: &str) -> usize {
    let inside = text.strip_prefix('[').and_then(|rest| rest.split_once(']'));
    let is_address = |inner: &str| {
        // A zone (RFC 6874) follows a percent sign.
        let address = inner.split('%').next().unwrap_or_default();
        address.parse::<core::net::Ipv6Addr>().is_ok()
    };
    inside.map_or(0, |(inner, _)| {
        if is_address(inner) {
            inner.len() + 2
        } else {
            0
        }
    })
}

/// Whether the authority of an address has a host: it starts with a letter or a digit, or is an IPv6 address in brackets.
fn has_host(text: &str) -> bool {
    let authority = text.split(['/', '?', '#']).next().unwrap_or_default();
    let host = authority.rsplit('@').next().unwrap_or_default();
    ip_literal(host) > 0 || host.starts_with(|c: char| c.is_alphanumeric())
}

/// What a run of letters from a script without spaces belongs to.
enum Unspaced {
    Address,
    Prose,
    Either,
}

/// Decides whether Chinese (or Thai, …) after the beginning of an address belongs to it, by the text before and after.
fn unspaced(before: &str, word: &str, rest: &str, is_host: bool) -> Unspaced {
    let mut rest = rest.chars();
    let next = rest.next();
    let is_continued = match next {
        Some('/' | '?' | '#' | '%' | '=' | '&' | '_' | '-') => true,
        Some('.' | ':') => rest
            .next()
            .is_some_and(|c| c.is_ascii_alphanumeric() || (is_host && is_unspaced(c))),
        Some(c) => c.is_ascii_alphanumeric() && !is_host,
        None => false,
    };
    let last = before.chars().next_back();
    if is_host {
        // It is a label of a host if it is the first label, follows another label in such a script, or is a known top-level domain.
        let is_label =
            last.is_none() || before.contains(is_unspaced) || WIDE_DOMAINS.contains(&word);
        return match last {
            None | Some('.' | '@') if is_label => Unspaced::Address,
            _ => Unspaced::Prose,
        };
    }
    match last {
        Some(c) if is_unspaced(c) => Unspaced::Address,
        Some('/' | '=' | '_' | '-' | '#' | '(' | '+' | ':' | '.') => {
            // The addresses of a wiki contain its titles unencoded.
            if is_continued || before.ends_with("/wiki/") {
                Unspaced::Address
            } else {
                Unspaced::Either
            }
        }
        Some(')') => Unspaced::Prose,
        _ if is_continued && before.contains(is_unspaced) => Unspaced::Address,
        _ => Unspaced::Prose,
    }
}

/// Whether a character is from a script without spaces between words, or an emoji, which may directly follow anything.
fn is_unspaced(c: char) -> bool {
    matches!(c,
        '\u{e00}'..='\u{eff}' | '\u{1000}'..='\u{109f}' | '\u{1100}'..='\u{11ff}' | '\u{1780}'..='\u{17ff}'
        | '\u{2600}'..='\u{27bf}' | '\u{2e80}'..='\u{2fff}' | '\u{3005}'..='\u{3007}' | '\u{3021}'..='\u{3029}' | '\u{3031}'..='\u{3035}'
        | '\u{3041}'..='\u{31ff}' | '\u{3400}'..='\u{4dbf}' | '\u{4e00}'..='\u{9fff}' | '\u{a960}'..='\u{a97f}' | '\u{ac00}'..='\u{d7ff}'
        | '\u{f900}'..='\u{faff}' | '\u{ff10}'..='\u{ff19}' | '\u{ff21}'..='\u{ff3a}' | '\u{ff41}'..='\u{ff5a}' | '\u{ff66}'..='\u{ff9f}'
        | '\u{1f000}'..='\u{1faff}' | '\u{20000}'..='\u{3ffff}' | '\u{fe0f}' | '\u{200d}')
}

/// Whether a character is punctuation that is never part of an address: Chinese and Japanese marks, quotation marks, long dashes.
fn is_stop(c: char) -> bool {
    matches!(c,
        '“' | '”' | '‘' | '«' | '»' | '‹' | '›' | '„' | '‚' | '—' | '…' | '⋯' | '·'
        | '\u{3000}'..='\u{3004}' | '\u{3008}'..='\u{3020}' | '\u{302a}'..='\u{3030}' | '\u{3036}'..='\u{3040}'
        | '\u{fe10}'..='\u{fe6f}' if c != '\u{fe0f}')
        || matches!(c, '\u{ff00}'..='\u{ff0f}' | '\u{ff1a}'..='\u{ff20}' | '\u{ff3b}'..='\u{ff40}' | '\u{ff5b}'..='\u{ff65}')
}

#[cfg(test)]
mod tests;
