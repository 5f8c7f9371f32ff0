//! What serde finds wrong with what was sent, said in both languages of the product.
//!
//! serde tells faults as English sentences and nothing else, so the sentences are taken apart here. One
//! that is not known is still named by its field; only its reason is then less exact in Chinese.

use std::fmt::Display;

use axum::http::StatusCode;
use domain::text::Text;

use super::problem::Problem;

/// What a value that can be wrong is called.
#[derive(Clone, Copy, Debug)]
pub(super) struct Called {
    pub(super) code: &'static str,
    zh: &'static str,
    en: &'static str,
}

/// A field of a body.
pub(super) const FIELD: Called = Called { code: "wrong-field", zh: "字段", en: "field" };

/// A parameter behind the `?` of an address.
pub(super) const PARAMETER: Called = Called { code: "wrong-parameter", zh: "参数", en: "parameter" };

/// Somebody's own words are shown to them up to this many characters.
const SHOWN: usize = 60;

/// 422 with the field or parameter that is wrong, and why it is.
pub(super) fn wrong<E: Display>(called: Called, error: &serde_path_to_error::Error<E>) -> Problem {
    let Called { code, zh, en } = called;
    let reason = error.inner().to_string();
    let path = error.path().to_string();
    // What is missing or doubled is named in the words; the path then leads to what it is a field of.
    if let Some(name) = quoted(&reason, "missing field `") {
        let field = below(&path, name);
        let text = Text::new(format!("缺少{zh} {field}"), format!("the {en} {field} is missing"));
        return Problem::field(code, field, text);
    }
    if let Some(name) = quoted(&reason, "duplicate field `") {
        let field = below(&path, name);
        let text =
            Text::new(format!("{zh} {field} 只能出现一次"), format!("the {en} {field} is given twice"));
        return Problem::field(code, field, text);
    }
    let field = shortened(&path);
    let why = why(&reason, called);
    let text =
        Text::new(format!("{zh} {field} 有误：{}", why.zh), format!("the {en} {field} is wrong: {}", why.en));
    Problem::field(code, field, text)
}

/// 400 with the place where a body stops being JSON.
pub(super) fn broken(error: &serde_json::Error) -> Problem {
    let english = error.to_string();
    let what = english.split(" at line ").next().unwrap_or(&english);
    let (line, column) = (error.line(), error.column());
    let text = Text::new(
        format!("请求正文不是有效的 JSON：第 {line} 行第 {column} 列，{}", syntax(what)),
        format!("the body is not valid JSON: {english}"),
    );
    Problem::new(StatusCode::BAD_REQUEST, "broken-json", text)
}

fn quoted<'a>(reason: &'a str, begin: &str) -> Option<&'a str> {
    reason.strip_prefix(begin)?.split_once('`').map(|(name, _)| name)
}

fn below(path: &str, name: &str) -> String {
    if path == "." { name.to_owned() } else { format!("{}.{name}", shortened(path)) }
}

/// Nobody needs a megabyte of their own back.
fn shortened(text: &str) -> String {
    if text.chars().count() <= SHOWN {
        return text.to_owned();
    }
    let shown: String = text.chars().take(SHOWN).collect();
    format!("{shown}…")
}

fn why(reason: &str, called: Called) -> Text {
    let known = mismatch(reason, "invalid type")
        .or_else(|| mismatch(reason, "invalid value"))
        .or_else(|| unlisted(reason, "unknown variant", "unknown variant", "不认识"))
        .or_else(|| {
            let en = format!("unknown {}", called.en);
            unlisted(reason, "unknown field", &en, &format!("没有这个{}", called.zh))
        });
    known.unwrap_or_else(|| Text::new(unread(reason), shortened(reason)))
}

/// `invalid type: string "x", expected f64`.
fn mismatch(reason: &str, kind: &str) -> Option<Text> {
    let (got, expected) = reason.strip_prefix(kind)?.strip_prefix(": ")?.rsplit_once(", expected ")?;
    let expected = wanted(expected);
    let zh = format!("应为{}，收到的是{}", expected.zh, got_in_chinese(got));
    Some(Text::new(zh, format!("{kind}: {}, expected {}", shortened(got), expected.en)))
}

/// ``unknown variant `x`, expected one of `a`, `b` ``.
fn unlisted(reason: &str, kind: &str, en: &str, zh: &str) -> Option<Text> {
    let rest = reason.strip_prefix(kind)?.strip_prefix(" `")?;
    let Some((name, expected)) = rest.rsplit_once("`, expected ") else {
        let name = shortened(rest.split('`').next().unwrap_or(rest));
        return Some(Text::new(format!("{zh}「{name}」，此处没有可填的内容"), format!("{en} `{name}`")));
    };
    let name = shortened(name);
    let names: Vec<&str> = expected.split('`').skip(1).step_by(2).collect();
    Some(Text::new(
        format!("{zh}「{name}」，可用的有：{}", names.join("、")),
        format!("{en} `{name}`, expected {expected}"),
    ))
}

/// What a value should have been; in English as serde has it, but for words that are only ours.
fn wanted(expected: &str) -> Text {
    let (zh, en) = match expected {
        "a string" => ("字符串", expected),
        "string or map" => ("字符串", "a string"),
        "a boolean" => (" true 或 false", expected),
        "f32" | "f64" => ("数字", expected),
        "i8" | "i16" | "i32" | "i64" | "isize" => ("整数", expected),
        "u8" | "u16" | "u32" | "u64" | "usize" => ("非负整数", expected),
        "a sequence" => ("列表", expected),
        "a map" => ("对象", expected),
        "an RFC 3339 formatted date and time string" => (TIME, expected),
        _ if expected.starts_with("struct ") => ("对象", "an object"),
        _ => ("另一种值", expected),
    };
    Text::new(zh, en)
}

const TIME: &str = "带时区的时间，如 2026-03-02T09:05:00+08:00";

fn got_in_chinese(got: &str) -> String {
    let whole = match got {
        "null" | "unit value" => Some(" null"),
        "sequence" => Some("列表"),
        "map" => Some("对象"),
        _ => None,
    };
    if let Some(whole) = whole {
        return whole.to_owned();
    }
    let kinds = [
        ("string ", "字符串"),
        ("integer ", "整数"),
        ("floating point ", "小数"),
        ("boolean ", "布尔值"),
        ("character ", "字符"),
    ];
    let kind = kinds.iter().find_map(|(en, zh)| Some((*zh, got.strip_prefix(*en)?)));
    kind.map_or_else(
        || "另一种值".to_owned(),
        |(zh, value)| format!("{zh} {}", shortened(value.trim_matches('`'))),
    )
}

/// What the readers of numbers and times say, in Chinese.
fn unread(reason: &str) -> String {
    let zh = match reason {
        "invalid digit found in string" | "cannot parse integer from empty string" => "应为整数",
        "number too large to fit in target type" => "数值过大",
        "number too small to fit in target type" => "数值过小",
        "invalid float literal" | "cannot parse float from empty string" => "应为数字",
        "provided string was not `true` or `false`" => "应为 true 或 false",
        "input is out of range"
        | "no possible date and time matching input"
        | "input is not enough for unique date and time"
        | "input contains invalid characters"
        | "premature end of input"
        | "trailing input" => return format!("应为{TIME}"),
        _ => "无法解读，请对照接口说明检查",
    };
    zh.to_owned()
}

/// What the reader of JSON says, in Chinese.
fn syntax(what: &str) -> &'static str {
    match what {
        "EOF while parsing a list" => "列表没有写完",
        "EOF while parsing an object" => "对象没有写完",
        "EOF while parsing a string" => "字符串没有写完",
        "EOF while parsing a value" => "内容没有写完",
        "expected `:`" => "此处应为冒号",
        "expected `,` or `]`" => "此处应为逗号或 ]",
        "expected `,` or `}`" => "此处应为逗号或 }",
        "expected `\"`" => "此处应为双引号",
        "expected ident" | "expected value" => "此处应为一个值",
        "key must be a string" => "字段名须为双引号中的字符串",
        "trailing comma" => "多了一个逗号",
        "invalid number" => "数字写法有误",
        "number out of range" => "数值超出范围",
        "invalid unicode code point" => "文字不是 UTF-8 编码",
        "invalid escape" | "lone leading surrogate in hex escape" | "unexpected end of hex escape" => {
            "转义写法有误"
        }
        "control character (\\u0000-\\u001F) found while parsing a string" => "字符串中有未转义的控制字符",
        "recursion limit exceeded" => "嵌套过深",
        _ => "写法有误",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn both(reason: &str) -> (String, String) {
        let text = why(reason, FIELD);
        (text.zh, text.en)
    }

    fn told(zh: &str, en: &str) -> (String, String) {
        (zh.to_owned(), en.to_owned())
    }

    #[test]
    fn the_usual_faults_are_said_in_both_languages() {
        for (reason, zh, en) in [
            (
                "invalid type: string \"x\", expected f64",
                "应为数字，收到的是字符串 \"x\"",
                "invalid type: string \"x\", expected f64",
            ),
            (
                "invalid type: integer `5`, expected a boolean",
                "应为 true 或 false，收到的是整数 5",
                "invalid type: integer `5`, expected a boolean",
            ),
            (
                "invalid type: sequence, expected struct NewPlace",
                "应为对象，收到的是列表",
                "invalid type: sequence, expected an object",
            ),
            (
                "invalid type: null, expected string or map",
                "应为字符串，收到的是 null",
                "invalid type: null, expected a string",
            ),
            (
                "unknown variant `x`, expected one of `a`, `b`, `c`",
                "不认识「x」，可用的有：a、b、c",
                "unknown variant `x`, expected one of `a`, `b`, `c`",
            ),
            (
                "unknown field `x`, expected `a` or `b`",
                "没有这个字段「x」，可用的有：a、b",
                "unknown field `x`, expected `a` or `b`",
            ),
            (
                "unknown field `x`, there are no fields",
                "没有这个字段「x」，此处没有可填的内容",
                "unknown field `x`",
            ),
            ("invalid digit found in string", "应为整数", "invalid digit found in string"),
        ] {
            assert_eq!(both(reason), told(zh, en), "{reason}");
        }
    }

    #[test]
    fn a_name_that_looks_like_a_fault_itself_is_shown_as_a_name() {
        let (zh, _) = both("unknown field `a`, expected `b`, expected `note`");
        assert_eq!(zh, "没有这个字段「a`, expected `b」，可用的有：note");
    }

    #[test]
    fn nobody_gets_a_megabyte_of_their_own_back() {
        let long = "长".repeat(100_000);
        for reason in [
            format!("invalid type: string \"{long}\", expected f64"),
            format!("unknown field `{long}`, expected `note`"),
            long.clone(),
        ] {
            let (zh, en) = both(&reason);
            assert!(zh.chars().count() < 200 && en.chars().count() < 200, "{zh} {en}");
        }
    }

    #[test]
    fn a_parameter_is_called_one() {
        let text = why("unknown field `stat`, expected `state`", PARAMETER);
        assert_eq!(text.zh, "没有这个参数「stat」，可用的有：state");
        assert_eq!(text.en, "unknown parameter `stat`, expected `state`");
    }
}
