use super::*;

fn say(text: &str) -> ParsedLine {
    ParsedLine::Say(Body::Text(text.into()))
}

fn private(name: &str, text: &str) -> ParsedLine {
    ParsedLine::Private {
        name: name.into(),
        text: text.into(),
    }
}

#[test]
#[allow(clippy::too_many_lines)] // A table.
fn lines_are_parsed_as_users_expect() {
    let cases = [
        ("hello", say("hello")),
        ("  indented", say("  indented")),
        ("   ", ParsedLine::Empty),
        ("@ann hi there", private("ann", "hi there")),
        ("@张三 你好", private("张三", "你好")),
        ("＠ann hi", private("ann", "hi")),
        ("@ann: hi", say("@ann: hi")),
        ("@ann, hi", say("@ann, hi")),
        ("@ann. Hi", say("@ann. Hi")),
        ("@admin hi", private("admin", "hi")),
        ("@ann", ParsedLine::Missing(Missing::PrivateText)),
        ("@ann  ", ParsedLine::Missing(Missing::PrivateText)),
        (" @ann hi", say("@ann hi")),
        ("\\@ann hi", say("@ann hi")),
        ("\\\\@ann hi", say("\\@ann hi")),
        ("\\//etc/hosts", say("//etc/hosts")),
        ("\\// TODO", say("\\// TODO")),
        ("\\server\\ann", say("\\server\\ann")),
        ("@here lunch", say("@here lunch")),
        ("@Everyone lunch", say("@Everyone lunch")),
        ("@ alone", say("@ alone")),
        ("a@b.example", say("a@b.example")),
        ("//etc/hosts", say("/etc/hosts")),
        ("// main loop\nint x;", say("// main loop\nint x;")),
        ("//main\n//x", say("//main\n//x")),
        ("// TODO", say("// TODO")),
        ("/// docs", say("/// docs")),
        ("/me waves", ParsedLine::Say(Body::Action("waves".into()))),
        ("/msg ann hi", private("ann", "hi")),
        ("/msg @ann hi", private("ann", "hi")),
        (
            "/msg ann",
            ParsedLine::Command(CommandName::Msg, "ann".into()),
        ),
        (
            "/join  dev ",
            ParsedLine::Command(CommandName::Join, "dev".into()),
        ),
        (
            "/JOIN dev",
            ParsedLine::Command(CommandName::Join, "dev".into()),
        ),
        (
            "/join",
            ParsedLine::Missing(Missing::Argument(CommandName::Join)),
        ),
        (
            "/join a b",
            ParsedLine::Missing(Missing::Argument(CommandName::Join)),
        ),
        (
            "/help me",
            ParsedLine::Missing(Missing::Argument(CommandName::Help)),
        ),
        (
            "/kick",
            ParsedLine::Missing(Missing::Argument(CommandName::Kick)),
        ),
        (
            "/mute ann 10m now",
            ParsedLine::Missing(Missing::Argument(CommandName::Mute)),
        ),
        (
            "/kick ann spam",
            ParsedLine::Command(CommandName::Kick, "ann spam".into()),
        ),
        (
            "/quit",
            ParsedLine::Command(CommandName::Quit, String::new()),
        ),
        ("/q", ParsedLine::Command(CommandName::Quit, String::new())),
        (
            "/part",
            ParsedLine::Command(CommandName::Leave, String::new()),
        ),
        (
            "/part #dev",
            ParsedLine::Command(CommandName::Leave, "#dev".into()),
        ),
        (
            "/LIST",
            ParsedLine::Command(CommandName::Rooms, String::new()),
        ),
        (
            "/names",
            ParsedLine::Command(CommandName::Who, String::new()),
        ),
        (
            "/query ann",
            ParsedLine::Command(CommandName::Msg, "ann".into()),
        ),
        ("/query ann hi there", private("ann", "hi there")),
        (
            "/query",
            ParsedLine::Missing(Missing::Argument(CommandName::Msg)),
        ),
        (
            "exit",
            ParsedLine::Command(CommandName::Quit, String::new()),
        ),
        (":wq", ParsedLine::Command(CommandName::Quit, String::new())),
        ("quit smoking", say("quit smoking")),
        (
            "s/teh/the/",
            ParsedLine::Substitute {
                old: "teh".into(),
                new: "the".into(),
            },
        ),
        (
            "s/teh/the",
            ParsedLine::Substitute {
                old: "teh".into(),
                new: "the".into(),
            },
        ),
        (
            "/edit s/teh/the/",
            ParsedLine::Substitute {
                old: "teh".into(),
                new: "the".into(),
            },
        ),
        (
            "/edit s/teh",
            ParsedLine::Missing(Missing::Argument(CommandName::Edit)),
        ),
        (" s/teh/the", say(" s/teh/the")),
        ("s//the/", say("s//the/")),
        ("s/a/b/c/", say("s/a/b/c/")),
        (
            "s/a\\/b/c\\d/",
            ParsedLine::Substitute {
                old: "a/b".into(),
                new: "c\\d".into(),
            },
        ),
    ];
    for (text, line) in cases {
        assert_eq!(parse(text), line, "{text:?}");
    }
}

#[test]
fn a_literal_text_is_sent_exactly_as_it_is() {
    for text in [
        "//etc/hosts",
        "\\//etc/hosts",
        "\\\\//x",
        "\\@ann hi",
        "// TODO",
        "//main\n//x",
        "\\server\\ann",
        "plain",
    ] {
        assert_eq!(parse(&literal(text)), say(text), "{text}");
    }
    for text in ["/join dev", "@ann hi", "s/a/b/", "/etc"] {
        assert_eq!(literal(text), text);
    }
}

#[test]
fn unknown_commands_are_not_sent_and_the_most_similar_is_suggested() {
    let nearest_of = |text| match parse(text) {
        ParsedLine::Unknown { nearest, .. } => nearest,
        other => panic!("{other:?}"),
    };
    assert_eq!(nearest_of("/jion dev"), Some("join"));
    assert_eq!(nearest_of("/qiut"), Some("quit"));
    assert_eq!(nearest_of("/qurey ann"), Some("query"));
    assert_eq!(nearest_of("/prat"), Some("part"));
    assert_eq!(nearest_of("/disc"), Some("disconnect"));
    assert_eq!(nearest_of("/usr/bin/env"), None);
    assert_eq!(nearest_of("/"), None);
}
