use proptest::prelude::*;

use super::*;

/// Returns lines as `prefix|text`, with marks around their parts: `*` strong, `/` emphasis, `-` struck, `` ` `` code, `[]` link.
fn shown(text: &str) -> Vec<String> {
    let rich = RichText::parse(text);
    let of = |line: &RichLine| {
        let mut out = String::new();
        for (at, c) in line
            .text
            .as_str()
            .char_indices()
            .chain([(line.text.as_str().len(), '\0')])
        {
            for (range, mark) in line.marks.iter().rev() {
                if range.end == at {
                    out.push_str(sign(mark).1);
                }
            }
            for (range, mark) in &line.marks {
                if range.start == at {
                    out.push_str(sign(mark).0);
                }
            }
            if c != '\0' {
                out.push(c);
            }
        }
        let kind = match line.kind {
            LineKind::Text | LineKind::Quote => "",
            LineKind::Code { .. } => "code ",
        };
        format!("{kind}{}|{out}", line.prefix)
    };
    rich.lines.iter().map(of).collect()
}

fn sign(mark: &Mark) -> (&'static str, &'static str) {
    match mark {
        Mark::Strong => ("*", "*"),
        Mark::Emphasis => ("/", "/"),
        Mark::Struck => ("-", "-"),
        Mark::Code => ("`", "`"),
        Mark::Link(_) => ("[", "]"),
    }
}

#[test]
fn supported_syntax_is_marked() {
    let cases: [(&str, &[&str]); 28] = [
        (
            "> [](http://x.org)\n\nhello",
            &["> | ([http://x.org])", "|", "|hello"],
        ),
        ("plain 关键", &["|plain 关键"]),
        ("**bold** *it* ~~no~~ `code`", &["|*bold* /it/ -no- `code`"]),
        ("**粗体**和*斜体*", &["|*粗体*和/斜体/"]),
        ("snake_case_name 2*3*4 a_b", &["|snake_case_name 2*3*4 a_b"]),
        (
            "**中文。**后面 他说**“好”**吧",
            &["|*中文。*后面 他说*“好”*吧"],
        ),
        ("one\ntwo\n\n\nthree", &["|one", "|two", "|", "|", "|three"]),
        ("**two\nlines**", &["|*two*", "|*lines*"]),
        (
            "- one\n- two **b**\n  more",
            &["• |one", "• |two *b*", "  |more"],
        ),
        ("1. one\n2. two", &["1. |one", "2. |two"]),
        ("3) three\n   - in", &["3) |three", "   • |in"]),
        ("> quoted\nanswer", &["> |quoted", "|answer"]),
        ("> a\n> b\n\nafter", &["> |a", "> |b", "|", "|after"]),
        (
            "see https://a.example/b?c=d.",
            &["|see [https://a.example/b?c=d]."],
        ),
        (
            "看https://a.example/b，好",
            &["|看[https://a.example/b]，好"],
        ),
        (
            "[text](https://a.example)",
            &["|[text] ([https://a.example])"],
        ),
        ("[x](javascript:alert(1))", &["|[x](javascript:alert(1))"]),
        ("<https://a.example>", &["|[https://a.example]"]),
        ("`https://a.example`", &["|`https://a.example`"]),
        (
            "```rust\nfn a() {\n\n    1\n}\n```\nend",
            &["code |fn a() {", "code |", "code |    1", "code |}", "|end"],
        ),
        ("```\nnever **closed**", &["code |never **closed**"]),
        ("- `关`\n  - b", &["• |`关`", "  • |b"]),
        ("> q1\na1\n> q2\na2", &["> |q1", "|a1", "> |q2", "|a2"]),
        ("> ```rust\n> fn a()\n> ```", &["code > |fn a()"]),
        ("- ```\n  x\n  ```", &["code • |x"]),
        ("docker run \\\n -it x", &["|docker run \\", "| -it x"]),
        (
            "See [1].\n\n[1]: https://a.example",
            &["|See [1].", "|", "|[1]: [https://a.example]"],
        ),
        ("- `a`\n\n  ```\n  x\n  ```", &["• |`a`", "|", "code   |x"]),
    ];
    for (text, expected) in cases {
        assert_eq!(shown(text), expected, "{text:?}");
    }
}

#[test]
fn everything_else_stays_as_it_was_typed() {
    for text in [
        "# heading",
        "title\n---\nmore",
        "---",
        "<b>html</b> & <script>",
        "    indented\n      more",
        "| a | b |\n|---|---|",
        "![image](https://a.example/x.png)",
        "[ref]: https://a.example",
        "[note]",
        "~~~哈哈哈",
        "```hello",
        "```let x = 1;\nlet y = 2;\n```",
        "[更新]: 完成\n大家看一下",
        "   art\n  *\n *** ",
        "a\n    b\n  **c",
        ":-)",
        "¯\\_(ツ)_/¯ x",
        "* ",
        "-",
        "5 > 3 and 3 < 5",
        "\n\nafter",
        "\\\\server\\logs$\\",
        r"\d+\.\d+\(x\)",
        r"¯\_(ツ)_/¯",
        "¯_(ツ)_/¯",
        r"C:\new\_old\*.txt",
        r"s/\*/\\*/ and \~x",
        r"grep \[a-z\] \-v \#x",
        "__name__ == \"__main__\"",
        "__init__.py and __all__",
        "obj.__class__.__name__",
        "src/*.rs and **/*.rs",
        "rm *.o */*.a lib/**",
        "x**2 + y**2",
        "/* a comment */ and /* b */",
        "f(*args, **kwargs)",
        "$_GET['a'] + $_POST['b']",
        "H~2~O and ~/a ~/b~",
        "a &nbsp; b &amp; c &#42;",
        "int *p, *q;",
    ] {
        let lines: Vec<String> = RichText::parse(text)
            .lines
            .iter()
            .map(|it| format!("{}{}", it.prefix, it.text))
            .collect();
        let plain = text.trim_matches('\n');
        let shown = lines.join("\n");
        assert!(
            shown.trim_matches('\n').trim_end() == plain.trim_end(),
            "{text:?} is shown as {shown:?}"
        );
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 4000, ..ProptestConfig::default() })]

    /// Every letter and digit that was typed is shown, in order.
    #[test]
    fn no_letter_is_ever_lost(
        parts in proptest::collection::vec(
            proptest::sample::select(&[
                "`", "``", "```", "```\n", "~~~", "*", "**", "_", "~~", ">", "> ", "\n> ", "- ", "\n- ", "\n  - ", "1. ", "\n2) ", "[", "]",
                "](", "]: ", "(", ")", ":", "\n", "\n\n", "    ", " ", "关", "键", "a", "b1", "\\", "\\\n", "<", ">", "!", "# ", "\n---\n",
                "|", "https://a.b/c", "@",
            ][..]),
            0..24,
        )
    ) {
        let source = parts.concat();
        let rich = RichText::parse(&source);
        let mut shown = String::new();
        for line in &rich.lines {
            shown.push_str(line.prefix.as_str());
            // A block's language is below it on the screen, and before its first line in what was typed.
            if let LineKind::Code { block, line: 0 } = line.kind {
                shown.push_str(rich.codes[block].language.as_str());
            }
            shown.push_str(line.text.as_str());
        }
        let mut letters = shown.chars().filter(|c| c.is_alphanumeric());
        for wanted in source.chars().filter(|c| c.is_alphanumeric()) {
            prop_assert!(letters.any(|c| c == wanted), "{wanted:?} of {source:?} is not in {shown:?}");
        }
    }
}

#[test]
fn a_backslash_is_hidden_only_where_it_escaped_a_mark() {
    let cases = [
        (r"\*not italic\*", "|*not italic*"),
        (r"\*not italic*", "|*not italic*"),
        (r"\*\*not bold\*\*", "|**not bold**"),
        (r"\_no\_ and _yes_", "|_no_ and /yes/"),
        (r"\~~no\~~", "|~~no~~"),
        (r"\`no\`", "|`no`"),
        (r"\- no item", "|- no item"),
        (r"1\. no item", "|1. no item"),
        (r"\> no quote", "|> no quote"),
        (r"\[a](https://a.example)", "|[a]([https://a.example])"),
        (r"`\*a\*`", r"|`\*a\*`"),
        (r"\*", r"|\*"),
        (r"3\.5 and a\-b", r"|3\.5 and a\-b"),
        (r"\\*a*", r"|\\/a/"),
    ];
    for (text, expected) in cases {
        assert_eq!(shown(text), [expected], "{text:?}");
    }
    assert_eq!(
        shown("```\n\\*a\\* https://a.example/__x__\n```"),
        [r"code |\*a\* https://a.example/__x__"]
    );
}

#[test]
fn marks_next_to_paths_and_punctuation_still_work() {
    for (text, expected) in [
        ("**/etc/hosts** is", "|*/etc/hosts* is"),
        ("_@ann_ *x*", "|/@ann/ /x/"),
        ("__two words__", "|*two words*"),
        ("(*a*) “**b**”", "|(/a/) “*b*”"),
        ("***both***", "|*/both/*"),
        ("* item\n", "• |item"),
        ("**a** **b**", "|*a* *b*"),
    ] {
        assert_eq!(shown(text), [expected], "{text:?}");
    }
}

/// Addresses like those on the web.
const ADDRESSES: &[&str] = &[
    "https://ex.org/wiki/Foo_(bar)_baz_(qux)",
    "https://en.wikipedia.org/wiki/C_Sharp_(programming_language)",
    "https://en.wikipedia.org/wiki/A–B_conjecture",
    "https://ja.wikipedia.org/wiki/日本",
    "https://ja.wikipedia.org/wiki/%E6%97%A5%E6%9C%AC",
    "https://ex.org/pkg/__init__.py",
    "https://ex.org/__pycache__/__main__",
    "https://github.com/rust-lang/rust/blob/master/library/core/src/macros/mod.rs#L10-L20",
    "https://github.com/o/r/compare/v1.0.0...v1.1.0",
    "https://gitlab.example/g/p/-/merge_requests/12/diffs?view=parallel#note_3",
    "https://bugs.example/show_bug.cgi?id=12*34*&x=_a_",
    "https://ex.org/a-ivideo).html",
    "https://ex.org/~ann/~~x~~/y",
    "https://ex.org/q?a=1&amp;b=2&copy=3",
    "https://ex.org/search?q=%22a%20b%22&tags[]=x",
    "https://ex.org/{id}/**/x",
    "https://пример.рф/путь/",
    "https://bücher.example/straße?größe=1",
    "https://例子.测试/路径/文件.html",
    "http://[2001:db8::1]:8080/x_y_",
    "http://[::1]/",
    "http://user@localhost:3000/@ann/_a_",
    "https://lore.kernel.org/all/20260101.abc_d-1-x@y.z/T/#u",
    "https://web.archive.org/web/2020/https://ex.org/a_b_c",
    "https://ex.org/a'b!c$d,e;f",
    "https://ex.org/css?family=A|B",
];

/// Text before and after an address. None of it is part of the address.
const AROUND: &[(&str, &str)] = &[
    ("", ""),
    ("see ", "."),
    ("see ", ", and"),
    ("(see ", ")."),
    ("(", ")"),
    ("[", "]"),
    ("**", "**"),
    ("_", "_"),
    ("*see ", "*"),
    ("~~", "~~!"),
    ("**_", "_**"),
    ("- ", "\n- x"),
    ("1. a ", " b"),
    ("> ", "\n"),
    ("> - **", "**"),
    ("\"", "\""),
    ("'", "'"),
    ("“", "”"),
    ("「", "」"),
    ("（", "）"),
    ("看 ", " 吧"),
    ("看", "，好"),
    ("<", ">"),
    ("__init__ ", " __x__"),
    ("a_b *.rs ", " **/*.rs"),
    ("is it ", "?"),
    ("x: ", "…"),
    ("[words](", ")"),
];

proptest! {
    #![proptest_config(ProptestConfig { cases: 4000, ..ProptestConfig::default() })]

    /// Whatever is around an address, it is shown as typed and links to itself.
    #[test]
    fn an_address_links_to_itself(
        address in proptest::sample::select(ADDRESSES),
        (before, after) in proptest::sample::select(AROUND),
        more in proptest::sample::select(&["", "hello ", "**b** ", "你好 ", "a\n\n", "`code` "][..]),
    ) {
        // Here the end of the address could belong to the sentence, or close what the sentence opened.
        let is_ambiguous = (before.contains('(') || before == "[words](") && address.contains(").");
        prop_assume!(!(is_ambiguous || before == "“" && address.contains('\'')));
        prop_assume!(!(before.contains('_') && address.ends_with('_')));
        let text = format!("{more}{before}{address}{after}");
        let rich = RichText::parse(&text);
        let links: Vec<(String, String)> = rich
            .lines
            .iter()
            .flat_map(|line| line.marks.iter().map(move |mark| (line, mark)))
            .filter_map(|(line, (range, mark))| match mark {
                Mark::Link(to) => Some((line.text.as_str()[range.clone()].to_owned(), to.to_string())),
                _ => None,
            })
            .collect();
        let target = address_of(address).map(|it| it.to_string());
        let leads = |(_, to): &&(String, String)| Some(to) == target.as_ref();
        prop_assert!(links.iter().all(|link| leads(&link)), "{text:?}: {links:?}");
        let shown = links.iter().any(|(words, to)| words == address || (before == "[words](" && words == to));
        prop_assert!(shown, "{text:?}: {links:?}");
    }
}

#[test]
fn control_characters_never_reach_the_terminal() {
    let rich = RichText::parse(
        "&#27;[31m **&#x202e;x** `\u{1b}[2J` [a](https://a.example/\u{1b}]8;;x) https://a.example/\u{7}b",
    );
    for line in &rich.lines {
        let is_safe = |c: char| !c.is_control() && c != '\u{202e}';
        assert!(line.text.as_str().chars().all(is_safe), "{line:?}");
        for (_, mark) in &line.marks {
            if let Mark::Link(address) = mark {
                assert!(
                    address.bytes().all(|byte| byte.is_ascii_graphic()),
                    "{address}"
                );
            }
        }
    }
    let wide = RichText::parse("<https://例子.example/关键>");
    let Some((_, Mark::Link(address))) = wide.lines[0].marks.first() else {
        panic!("{wide:?}")
    };
    assert!(address.starts_with("https://%E4%BE%8B"), "{address}");
}

#[test]
fn an_address_beside_a_link_text_is_shown_as_typed() {
    for (text, shown) in [
        ("[](https://a.b/c关)", " (https://a.b/c关)"),
        (
            "[文档](https://例子.example/关键?q=é#ü)",
            "文档 (https://例子.example/关键?q=é#ü)",
        ),
        (
            "see **[x](https://a.b/%E5%85%B3)**",
            "see x (https://a.b/%E5%85%B3)",
        ),
        ("[m](mailto:josé@a.example)", "m (mailto:josé@a.example)"),
        ("<https://例子.example/关键>", "https://例子.example/关键"),
    ] {
        let rich = RichText::parse(text);
        assert_eq!(rich.lines[0].text.as_str(), shown, "{text}");
    }
}
