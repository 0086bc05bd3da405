use super::*;

/// Returns each address of a text; in brackets if it is not a link.
fn found(text: &str) -> Vec<String> {
    let shown = |it: AddressSpan| {
        let address = &text[it.range];
        if it.is_link {
            address.to_owned()
        } else {
            format!("[{address}]")
        }
    };
    addresses(text).into_iter().map(shown).collect()
}

#[test]
#[allow(clippy::too_many_lines)] // One table.
fn an_address_ends_where_a_reader_expects() {
    let cases: [(&str, &[&str]); 52] = [
        ("see https://ex.org/a.", &["https://ex.org/a"]),
        ("(see https://ex.org/a).", &["https://ex.org/a"]),
        ("(see https://ex.org/a).Then", &["https://ex.org/a"]),
        (
            "https://ex.org/a-ivideo).html",
            &["https://ex.org/a-ivideo).html"],
        ),
        (
            "(https://ex.org/a-ivideo).html)",
            &["https://ex.org/a-ivideo).html"],
        ),
        (
            "https://ex.org/wiki/Foo_(bar)_baz_(qux)",
            &["https://ex.org/wiki/Foo_(bar)_baz_(qux)"],
        ),
        (
            "(https://ex.org/wiki/Foo_(bar))",
            &["https://ex.org/wiki/Foo_(bar)"],
        ),
        (
            "[x](https://ex.org/wiki/Foo_(bar)) y",
            &["https://ex.org/wiki/Foo_(bar)"],
        ),
        (
            "https://ex.org/pkg/__init__.py",
            &["https://ex.org/pkg/__init__.py"],
        ),
        (
            "https://ex.org/pkg/__init__",
            &["https://ex.org/pkg/__init__"],
        ),
        ("**https://ex.org/a**", &["https://ex.org/a"]),
        ("**https://ex.org/a**和", &["https://ex.org/a"]),
        ("_**https://ex.org/a_**_, b", &["https://ex.org/a_"]),
        ("_see https://ex.org/a_", &["https://ex.org/a"]),
        (
            "__init__ in https://ex.org/__init__",
            &["https://ex.org/__init__"],
        ),
        ("~~https://ex.org/~ann~~", &["https://ex.org/~ann"]),
        ("https://ex.org/~ann~", &["https://ex.org/~ann~"]),
        ("“https://ex.org/a”", &["https://ex.org/a"]),
        ("\"https://ex.org/a\"", &["https://ex.org/a"]),
        ("'https://ex.org/a'", &["https://ex.org/a"]),
        ("<https://ex.org/a>", &["https://ex.org/a"]),
        ("https://пример.рф/путь/", &["https://пример.рф/путь/"]),
        (
            "http://[2001:db8::1]:8080/x",
            &["http://[2001:db8::1]:8080/x"],
        ),
        ("http://[::1]", &["http://[::1]"]),
        ("[http://[::1]/x]", &["http://[::1]/x"]),
        ("http://[nonsense]/x", &["[http://[nonsense]/x]"]),
        (
            "https://ja.wikipedia.org/wiki/日本",
            &["https://ja.wikipedia.org/wiki/日本"],
        ),
        ("https://ex.org/看这里", &["[https://ex.org/]"]),
        (
            "https://ex.org/路径/文件.html",
            &["https://ex.org/路径/文件.html"],
        ),
        ("看https://a.example/b，好", &["https://a.example/b"]),
        ("看https://a.example/b好", &["https://a.example/b"]),
        ("https://a.example好", &["https://a.example"]),
        ("https://a.example.好的", &["https://a.example"]),
        (
            "https://例子.测试/路径?q=1",
            &["https://例子.测试/路径?q=1"],
        ),
        ("https://a.中国/x", &["https://a.中国/x"]),
        ("（https://a.example/b）", &["https://a.example/b"]),
        ("https://a.example/b。后面", &["https://a.example/b"]),
        ("https://ex.org/a🎉", &["https://ex.org/a"]),
        (
            "https://ex.org/q?a=1&b=2#c",
            &["https://ex.org/q?a=1&b=2#c"],
        ),
        (
            "https://ex.org/A%20B%2F(c)",
            &["https://ex.org/A%20B%2F(c)"],
        ),
        (
            "https://en.wikipedia.org/wiki/A–B_(c), d",
            &["https://en.wikipedia.org/wiki/A–B_(c)"],
        ),
        (
            "https://a.org,https://b.org",
            &["https://a.org", "https://b.org"],
        ),
        (
            "|https://a.org/x|https://b.org|",
            &["https://a.org/x", "https://b.org"],
        ),
        (
            "https://ex.org/css?family=A|B",
            &["https://ex.org/css?family=A|B"],
        ),
        (
            "https://web.archive.org/web/2020/https://ex.org/a",
            &["https://web.archive.org/web/2020/https://ex.org/a"],
        ),
        ("end.https://ex.org", &["https://ex.org"]),
        ("HTTPS://EX.ORG/A", &["HTTPS://EX.ORG/A"]),
        ("ssh://git@host/__x__", &["[ssh://git@host/__x__]"]),
        ("git+https://host/__x__", &["[git+https://host/__x__]"]),
        ("what is http:// for", &[]),
        ("://x", &[]),
        ("https://, no", &[]),
    ];
    for (text, expected) in cases {
        assert_eq!(found(text), expected, "{text:?}");
    }
}
