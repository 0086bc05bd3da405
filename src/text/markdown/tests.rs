use proptest::prelude::*;

use super::*;

/// Lines as `lead|text`, with marks around their parts: `*` strong, `/` emphasis, `-` struck, `` ` `` code, `[]` link.
fn shown(text: &str) -> Vec<String> {
    let rich = Rich::of(text);
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
        format!("{kind}{}|{out}", line.lead)
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
fn what_chat_marks_is_marked() {
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
    ] {
        let lines: Vec<String> = Rich::of(text)
            .lines
            .iter()
            .map(|it| format!("{}{}", it.lead, it.text))
            .collect();
        let plain = text.trim_matches('\n');
        let shown = lines.join("\n");
        // Only what Markdown itself takes for an escape goes.
        let expected = plain.replace("\\_", "_");
        assert!(
            shown.trim_matches('\n').trim_end() == expected.trim_end(),
            "{text:?} is shown as {shown:?}"
        );
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 4000, ..ProptestConfig::default() })]

    /// Whatever is typed, every letter and digit of it is shown, in its order.
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
        let rich = Rich::of(&source);
        let mut shown = String::new();
        for line in &rich.lines {
            // A block's language stands below it on the screen, and before it in what was typed.
            if let LineKind::Code { block, line: 0 } = line.kind {
                shown.push_str(rich.codes[block].language.as_str());
            }
            shown.push_str(line.lead.as_str());
            shown.push_str(line.text.as_str());
        }
        let mut letters = shown.chars().filter(|c| c.is_alphanumeric());
        for wanted in source.chars().filter(|c| c.is_alphanumeric()) {
            prop_assert!(letters.any(|c| c == wanted), "{wanted:?} of {source:?} is not in {shown:?}");
        }
    }
}

#[test]
fn nothing_in_it_reaches_the_terminal_as_it_is() {
    let rich = Rich::of(
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
    let wide = Rich::of("<https://例子.example/关键>");
    let Some((_, Mark::Link(address))) = wide.lines[0].marks.first() else {
        panic!("{wide:?}")
    };
    assert!(address.starts_with("https://%E4%BE%8B"), "{address}");
}
