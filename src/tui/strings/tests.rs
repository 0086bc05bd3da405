use super::*;

#[test]
fn a_template_is_filled_with_its_arguments() {
    assert_eq!(fill("{0} of {1}", &[&3, &"four"]), "3 of four");
    assert_eq!(fill("{0} and {1}", &[&"{1}", &"x"]), "{1} and x");
    assert_eq!(fill("plain", &[]), "plain");
}

/// The placeholders of a template, sorted and without duplicates.
fn places(template: &str) -> Vec<&str> {
    let mut places: Vec<&str> = template
        .split('{')
        .skip(1)
        .filter_map(|rest| rest.split_once('}').map(|(place, _)| place))
        .collect();
    places.sort_unstable();
    places.dedup();
    places
}

#[test]
fn both_languages_have_every_text_with_the_same_placeholders() {
    for ((name, english), (_, chinese)) in ENGLISH.named().into_iter().zip(CHINESE.named()) {
        assert!(!chinese.is_empty() && !english.is_empty(), "{name}");
        assert_eq!(places(english), places(chinese), "{name}");
        let is_word = english.chars().any(char::is_alphabetic)
            && !name.starts_with("via_")
            && name != "date_time";
        let is_own = chinese.chars().any(|c| !c.is_ascii() && c.is_alphabetic());
        assert!(is_own || !is_word, "{name} is not in Chinese: {chinese}");
    }
    for known in crate::tui::input::command::COMMANDS {
        let words = [&ENGLISH, &CHINESE].map(|s| s.command(known.name));
        for words in words {
            let begins = words.usage.split(' ').next();
            assert_eq!(begins, Some(format!("/{}", known.word).as_str()));
            assert!(!words.about.is_empty());
        }
        assert_ne!(words[0].about, words[1].about);
        let options = |usage: &'static str| usage.matches(['[', '|']).count();
        assert_eq!(
            options(words[0].usage),
            options(words[1].usage),
            "{}",
            known.word
        );
    }
    for action in crate::tui::input::keymap::Action::ALL {
        let of = |s: &Strings| s.action(*action).is_some();
        assert_eq!(of(&ENGLISH), of(&CHINESE), "{action:?}");
    }
}

#[test]
fn the_texts_of_the_command_line_exist_in_both_languages() {
    let is_own = |text: &str| text.chars().any(|c| !c.is_ascii() && c.is_alphabetic());
    let tables = |s: &Strings| {
        let all = [
            s.doctor.named(),
            s.pipes.named(),
            s.moderation.named(),
            s.requests.named(),
            s.trust.named(),
            s.admin.named(),
            s.accounts.named(),
            s.administration.named(),
            s.command_line.errors.named(),
        ];
        all.into_iter().flatten()
    };
    for ((name, english), (_, chinese)) in tables(&ENGLISH).zip(tables(&CHINESE)) {
        assert!(!english.is_empty() && !is_own(english), "{name}: {english}");
        assert_eq!(places(english), places(chinese), "{name}");
        let has_words = english
            .split("{0}")
            .any(|it| it.contains(char::is_alphabetic));
        let is_name = name == "tmux_is";
        assert!(
            is_own(chinese) || !has_words || is_name,
            "{name}: {chinese}"
        );
    }
}

#[test]
fn a_language_is_recognized_in_every_spelling() {
    for (word, language) in [
        ("zh", Some("zh-CN")),
        ("zh_CN.UTF-8", Some("zh-CN")),
        ("ZH-cn", Some("zh-CN")),
        ("en", Some("en")),
        ("en_GB", Some("en")),
        ("fr", None),
        ("zhen", None),
        ("", None),
    ] {
        assert_eq!(known(word).map(|s| s.language), language, "{word}");
    }
}

#[test]
fn the_locale_selects_the_language() {
    for (locale, rooms) in [
        ("zh-CN", "房间"),
        ("zh_TW", "房间"),
        ("ZH", "房间"),
        ("en", "ROOMS"),
        ("de-DE", "ROOMS"),
        ("", "ROOMS"),
    ] {
        assert_eq!(of(locale).rooms, rooms, "{locale}");
    }
}

#[test]
fn a_refusal_says_what_to_do() {
    let refusal = Refusal::new(RefusalCode::NameTaken)
        .with("ann")
        .with("ann2");
    assert_eq!(
        ENGLISH.refusal(&refusal),
        "the name ann is taken; ann2 is free"
    );
}

#[test]
fn the_demo_is_the_same_in_both_languages() {
    let (english, chinese) = (ENGLISH.demo, CHINESE.demo);
    for (one, other) in english.script.iter().zip(chinese.script) {
        assert_eq!((one.0, one.1), (other.0, other.1));
        assert_ne!(one.2, other.2);
    }
    assert_eq!(english.script.len(), chinese.script.len());
    let templates = |demo: &'static Demo| {
        let all = [demo.welcome, demo.whisper, demo.tour_step];
        all.into_iter().chain(demo.guide).map(places)
    };
    assert!(templates(english).eq(templates(chinese)));
    let is_own = |text: &str| text.chars().any(|c| !c.is_ascii() && c.is_alphabetic());
    let told = [
        chinese.you,
        chinese.demo_cannot_connect,
        chinese.saves_nothing,
    ];
    let told = told.into_iter().chain(chinese.guide).chain(chinese.replies);
    assert!(told.chain(chinese.topics).chain(chinese.bots).all(is_own));
}
