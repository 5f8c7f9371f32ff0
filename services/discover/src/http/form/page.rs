//! 上报表 as a page: made for one hand on a phone, whole without script, in Chinese and in English.

use axum::http::StatusCode;
use domain::area::Area;
use domain::category::{Category, Conditions};
use domain::text::Text;
use platform::http::html::{Html, Language, Sheet};

use crate::form::{Choices, FieldFault, Filled, GridChoice, Group, LONGEST_ADDRESS, Registration, Urgency};

/// Adds the position, looks through the categories, and keeps a second tap from sending.
const SCRIPT: &str = include_str!("script.js");
/// So many are shown at once; more are folded by how urgent they are.
const FEW: usize = 8;
/// From so many on there is a field to look for one.
const MANY: usize = 40;

/// A form to show.
pub(super) struct Form<'a> {
    /// The link's own text, as it stands in its address.
    pub link: &'a str,
    /// Who reports: only ever shown to that person.
    pub name: &'a Text,
    pub client_id: &'a str,
    /// The signed note that goes with this form.
    pub opened: &'a str,
    /// Seconds since it was handed out: more than none when it is shown again.
    pub before: i64,
    pub choices: &'a Choices<'a>,
    pub filled: &'a Filled,
    pub faults: &'a [FieldFault],
    /// What went wrong with the form as a whole.
    pub banner: Option<Html>,
}

impl Form<'_> {
    pub fn sheet(&self, language: Language) -> Sheet {
        let wrong = !self.faults.is_empty();
        let banner = match &self.banner {
            Some(banner) => banner.clone(),
            None => language
                .say(
                    "还有内容需要补充，已填写的都保留着。",
                    "Something is still missing. What you filled in is kept.",
                )
                .only_if(wrong),
        };
        let banner = if banner == Html::default() {
            banner
        } else {
            Html::fill("<p class=\"banner\" role=\"alert\">{}</p>", [banner])
        };
        let body = Html::fill(
            "<header>{}<h1>{}</h1><p>{}</p></header>\n{}\n<main><form id=\"report\" method=\"post\" \
             action=\"/r/{}?lang={}\" novalidate>\n{}{}{}{}{}\
             <div class=\"send\"><button id=\"send\" data-send=\"{}\" data-sending=\"{}\">{}</button></div>\n</form></main>",
            [
                switch(language),
                language.say("上报问题", "Report a problem"),
                Html::fill("{}{}", [language.say("上报人：", "Reporting: "), language.of_text(self.name)]),
                banner,
                Html::text(self.link),
                Html::literal(language.tag()),
                self.hidden(),
                self.kinds(language),
                self.registration(language),
                self.place(language),
                self.words(language),
                language.say("提交上报", "Send report"),
                language.say("正在提交…", "Sending…"),
                language.say("提交上报", "Send report"),
            ],
        );
        let title = language.say("上报问题 · 格网", "Report a problem · Gridward");
        let status = if wrong { StatusCode::UNPROCESSABLE_ENTITY } else { StatusCode::OK };
        Sheet { script: Some(SCRIPT), ..Sheet::new(language, title, body).with_status(status) }
    }

    fn hidden(&self) -> Html {
        let before = self.before.to_string();
        let fields = [
            ("client_id", self.client_id),
            ("opened", self.opened),
            ("before", before.as_str()),
            ("after", self.filled.after.as_str()),
            ("lon", self.filled.lon.as_str()),
            ("lat", self.filled.lat.as_str()),
            ("accuracy", self.filled.accuracy.as_str()),
        ];
        // Off: a browser that fills in what it remembers would send another form's report.
        Html::join(fields.map(|(name, value)| {
            Html::fill(
                "<input type=\"hidden\" name=\"{}\" value=\"{}\" autocomplete=\"off\">\n",
                [Html::text(name), Html::text(value)],
            )
        }))
    }

    fn fault(&self, language: Language, field: &str) -> Html {
        let fault = self.faults.iter().find(|fault| fault.field == field);
        fault.map_or_else(Html::default, |fault| {
            Html::fill(
                "<span class=\"error\" id=\"wrong-{}\">{}</span>",
                [Html::text(field), language.of_text(&fault.text)],
            )
        })
    }

    /// For a field: that it is wrong, and where it is said why.
    fn marked(&self, field: &'static str) -> Html {
        let wrong = self.faults.iter().any(|fault| fault.field == field);
        Html::fill(" aria-invalid=\"true\" aria-describedby=\"wrong-{}\"", [Html::literal(field)])
            .only_if(wrong)
    }

    fn kinds(&self, language: Language) -> Html {
        let all: usize = self.choices.groups.iter().map(|group| group.categories.len()).sum();
        let choices = if all <= FEW {
            let each = self.choices.groups.iter().flat_map(|group| &group.categories);
            let each = each.map(|category| self.choice(language, category));
            Html::fill("<div class=\"alone\">{}</div>", [Html::join(each)])
        } else {
            Html::join(
                self.choices.groups.iter().enumerate().map(|(n, group)| self.group(language, n, group)),
            )
        };
        let look = Html::fill(
            "<input type=\"text\" id=\"look\" placeholder=\"{}\" aria-label=\"{}\" autocomplete=\"off\" hidden>",
            [language.say("查找类别", "Find a kind"), language.say("查找类别", "Find a kind")],
        );
        Html::fill(
            "<fieldset id=\"kinds\"{}><legend>{}</legend>{}{}{}</fieldset>\n",
            [
                Html::fill("{} tabindex=\"-1\"", [self.marked("category")])
                    .only_if(self.marked("category") != Html::default()),
                language.say("是什么问题？", "What is it?"),
                // Above a list that is longer than a screen.
                self.fault(language, "category"),
                look.only_if(all >= MANY),
                choices,
            ],
        )
    }

    fn group(&self, language: Language, number: usize, group: &Group<'_>) -> Html {
        let chosen = group.categories.iter().any(|category| category.code.0 == self.filled.category);
        let open = chosen || (number == 0 && self.filled.category.is_empty());
        let many = group.categories.len().to_string();
        Html::fill(
            "<details{}><summary>{}<span class=\"soft\">{}</span></summary>{}</details>\n",
            [
                Html::literal(" open").only_if(open),
                urgency(language, group.urgency),
                Html::text(&many),
                Html::join(group.categories.iter().map(|category| self.choice(language, category))),
            ],
        )
    }

    fn choice(&self, language: Language, category: &Category) -> Html {
        Html::fill(
            "<label class=\"choice\"><input type=\"radio\" name=\"category\" value=\"{}\"{}><span>{}{}</span></label>",
            [
                Html::text(&category.code.0),
                Html::literal(" checked").only_if(category.code.0 == self.filled.category),
                language.of_text(&category.name),
                conditions(language, category),
            ],
        )
    }

    /// 户籍地: only for what goes by it. Without script it is there for every category, and says for which it is meant.
    fn registration(&self, language: Language) -> Html {
        let Registration { categories, streets } = &self.choices.registration;
        if categories.is_empty() {
            return Html::default();
        }
        let codes: Vec<&str> = categories.iter().map(|category| category.code.0.as_str()).collect();
        let names = categories.iter().map(|category| {
            Html::fill(
                "{}{}{}",
                [language.say("「", "“"), language.of_text(&category.name), language.say("」", "” ")],
            )
        });
        let streets = streets.iter().map(|(street, communities)| {
            let street = street.map_or_else(Html::default, |street| self.named(language, street));
            let options = communities.iter().map(|community| {
                let code = community.path.code();
                self.option(language, community, code == self.filled.registered_area)
            });
            Html::fill("<optgroup label=\"{}\">{}</optgroup>", [street, Html::join(options)])
        });
        Html::fill(
            "<section id=\"registration\" data-for=\"{}\"><div class=\"field\"><label for=\"registered_area\">{}\
             <span class=\"hint\">{}{}{}</span></label>\
             <select id=\"registered_area\" name=\"registered_area\"{}><option value=\"\">{}</option>{}</select>{}</div></section>\n",
            [
                Html::text(&codes.join(" ")),
                language.say("户籍地（登记地）", "Where the person is registered"),
                language.say("只用于", "Only for "),
                Html::join(names),
                language.say(
                    "：这类事项按户籍地派单，不按事发地。不清楚可以不选，先由事发地社区核实",
                    "which goes by registration and not by place. Leave it open if you do not know: the community of the \
                     place finds out first",
                ),
                self.marked("registered_area"),
                language.say("不清楚", "Not known"),
                Html::join(streets),
                self.fault(language, "registered_area"),
            ],
        )
    }

    fn named(&self, language: Language, area: &Area) -> Html {
        language.of_text(&self.choices.named(area))
    }

    fn option(&self, language: Language, area: &Area, selected: bool) -> Html {
        Html::fill(
            "<option value=\"{}\"{}>{}</option>",
            [
                Html::text(area.path.code()),
                Html::literal(" selected").only_if(selected),
                self.named(language, area),
            ],
        )
    }

    fn place(&self, language: Language) -> Html {
        // The heading floats: what comes and goes below it is in a box that stays clear of it.
        Html::fill(
            "<section><h2>{}</h2>\n\
             <div><button type=\"button\" id=\"locate\" class=\"second\" data-ask=\"{}\" data-asking=\"{}\" hidden>{}</button>\n\
             <p id=\"unfound\" class=\"soft\" role=\"status\" data-failed=\"{}\"></p>\n\
             <p id=\"found\" class=\"found\" role=\"status\" data-found=\"{}\"></p>\n\
             <button type=\"button\" id=\"other\" class=\"second\" hidden>{}</button>{}</div>\n\
             <div id=\"by-hand\" class=\"field\">{}{}</div>\n\
             <div class=\"field\"><label for=\"address\">{}<span class=\"hint\">{}</span></label>\
             <input type=\"text\" id=\"address\" name=\"address\" value=\"{}\" maxlength=\"{}\" autocomplete=\"off\"{}>{}</div>\n</section>\n",
            [
                language.say("在哪里？", "Where is it?"),
                language.say("定位到我所在的位置", "Use my position"),
                language.say("正在定位…", "Finding your position…"),
                language.say("定位到我所在的位置", "Use my position"),
                self.without_position(language),
                language.say("已定位，精度约 # 米", "Position found, to about # m"),
                self.instead_of_position(language),
                // Of the position, so where it is seen whether the grids are or not.
                self.fault(language, "accuracy"),
                self.grids(language),
                self.fault(language, "area"),
                language.say("地址或参照物", "Address or landmark"),
                language.say("如：富春江路 5 号北门", "Such as: north gate of 5 Mill Street"),
                Html::text(&self.filled.address),
                Html::text(&LONGEST_ADDRESS.to_string()),
                self.marked("address"),
                self.fault(language, "address"),
            ],
        )
    }

    /// What becomes of a report whose position could not be found.
    fn without_position(&self, language: Language) -> Html {
        match self.choices.grids.as_slice() {
            [] => language.say(
                "无法定位。您的辖区没有可选网格，请允许定位后再试。",
                "No position. There is no grid to choose here: allow your position and try again.",
            ),
            [only] => Html::fill(
                "{}{}{}",
                [
                    language.say(
                        "无法定位，将按您的网格上报：",
                        "No position: it will be reported in your grid, ",
                    ),
                    self.only(language, only),
                    language.say(
                        "。问题在别处的，请允许定位后再试。",
                        ". To report elsewhere, allow your position and try again.",
                    ),
                ],
            ),
            _ => language.say("无法定位，请在下面选择网格。", "No position: choose the grid below."),
        }
    }

    /// On the button that drops a position that was found.
    fn instead_of_position(&self, language: Language) -> Html {
        match self.choices.grids.as_slice() {
            [] => language.say("不用这个位置", "Drop this position"),
            [_] => language.say("改为按我的网格上报", "Report it in my own grid instead"),
            _ => language.say("改为选择网格", "Choose the grid instead"),
        }
    }

    fn grids(&self, language: Language) -> Html {
        match self.choices.grids.as_slice() {
            [] => language.say(
                "<p class=\"soft\">您的辖区没有可选网格，请使用定位。</p>",
                "<p class=\"soft\">There is no grid to choose here: use your position.</p>",
            ),
            [only] => Html::fill(
                "<label>{}</label><p class=\"soft\">{}</p><p class=\"soft\">{}</p><input type=\"hidden\" name=\"area\" value=\"{}\">",
                [
                    language.say("所在网格", "Grid"),
                    self.only(language, only),
                    language.say(
                        "没有定位时按这个网格上报；要报别处，请用定位。",
                        "Without a position it is reported in this grid. To report elsewhere, use your position.",
                    ),
                    Html::text(only.grid.path.code()),
                ],
            ),
            several => Html::fill(
                "<label for=\"area\">{}<span class=\"hint\">{}</span></label>\
                 <select id=\"area\" name=\"area\"{}><option value=\"\">{}</option>{}</select>",
                [
                    language.say("所在网格", "Grid"),
                    language.say(
                        "没有定位时，请选择问题所在的网格",
                        "Without a position, choose the grid it is in",
                    ),
                    self.marked("area"),
                    language.say("请选择…", "Choose…"),
                    self.options(language, several),
                ],
            ),
        }
    }

    fn options(&self, language: Language, grids: &[GridChoice<'_>]) -> Html {
        let of_community = grids.chunk_by(|one, next| one.grid.path.parent() == next.grid.path.parent());
        Html::join(of_community.map(|grids| {
            let options = Html::join(grids.iter().map(|choice| {
                let chosen = choice.grid.path.code() == self.filled.area;
                self.option(language, choice.grid, chosen)
            }));
            let community = grids.first().and_then(|choice| choice.community);
            let community = community.map_or_else(Html::default, |community| self.named(language, community));
            Html::fill("<optgroup label=\"{}\">{}</optgroup>", [community, options])
        }))
    }

    /// The only grid there is to choose.
    fn only(&self, language: Language, choice: &GridChoice<'_>) -> Html {
        let community =
            choice.community.map_or_else(Html::default, |community| self.named(language, community));
        Html::fill("{} · {}", [community, self.named(language, choice.grid)])
    }

    fn words(&self, language: Language) -> Html {
        Html::fill(
            "<section><div class=\"field\"><label for=\"text\">{}<span class=\"hint\">{}</span></label>\
             <textarea id=\"text\" name=\"text\" maxlength=\"2000\" rows=\"4\"{}>\n{}</textarea>{}</div></section>\n",
            [
                language.say("现场情况", "What do you see?"),
                language.say(
                    "最多 2000 字；请勿填写身份证号等个人信息",
                    "At most 2,000 characters. Leave out identity numbers and the like",
                ),
                self.marked("text"),
                Html::text(&self.filled.text),
                self.fault(language, "text"),
            ],
        )
    }
}

/// 立案条件, 结案标准: shown for the one that is chosen, where the browser can tell.
fn conditions(language: Language, category: &Category) -> Html {
    let Some(Conditions { filing, closing }) = &category.conditions else { return Html::default() };
    Html::fill(
        "<span class=\"hint\">{}{}</span><span class=\"hint\">{}{}</span>",
        [
            language.say("立案条件：", "Taken up when: "),
            language.of_text(filing),
            language.say("结案标准：", "Done when: "),
            language.of_text(closing),
        ],
    )
}

fn urgency(language: Language, urgency: Urgency) -> Html {
    match urgency {
        Urgency::AtOnce => language.say("紧急，几小时内处理", "Urgent: within hours"),
        Urgency::Today => language.say("当天处理", "Within the day"),
        Urgency::Days => language.say("几天内处理", "Within days"),
        Urgency::Longer => language.say("其他", "Other"),
        Urgency::InConfidence => language.say("需要保密", "In confidence"),
    }
}

/// The same form in the other language, with all that was typed. A form is sent by its first button when somebody presses
/// Enter in a field: so that the one that only turns the page is not the first, another that sends comes before it.
fn switch(language: Language) -> Html {
    let other = language.other();
    Html::fill(
        "<button form=\"report\" class=\"unseen\" tabindex=\"-1\" aria-hidden=\"true\">{}</button>\
         <button form=\"report\" class=\"other-language\" name=\"show\" value=\"{}\" lang=\"{}\">{}</button>",
        [
            language.say("提交上报", "Send report"),
            Html::literal(other.tag()),
            Html::literal(other.tag()),
            language.say("English", "中文"),
        ],
    )
}

/// The page at `address` in the other language, where there is nothing that somebody could have typed.
pub(super) fn in_other_language(language: Language, address: &str, more: &'static str) -> Html {
    let other = language.other();
    Html::fill(
        "<a class=\"other-language\" href=\"{}?lang={}{}\" lang=\"{}\" hreflang=\"{}\">{}</a>",
        [
            Html::text(address),
            Html::literal(other.tag()),
            Html::text(more),
            Html::literal(other.tag()),
            Html::literal(other.tag()),
            language.say("English", "中文"),
        ],
    )
}

/// A page that says one thing, and what to do.
pub(super) fn notice(language: Language, title: Html, says: Html, below: Html) -> Sheet {
    turned_notice(language, Html::default(), title, says, below)
}

/// One with `switch`, by which it is shown in the other language.
pub(super) fn turned_notice(language: Language, switch: Html, title: Html, says: Html, below: Html) -> Sheet {
    let body = Html::fill(
        "<header>{}<h1>{}</h1></header>\n<main><section><p>{}</p></section>\n{}</main>",
        [switch, title.clone(), says, below],
    );
    Sheet::new(language, title, body)
}

/// What somebody typed and could not send, for them to copy.
pub(super) fn typed(language: Language, filled: &Filled) -> Html {
    let text = format!("{}\n{}", filled.address, filled.text);
    let kept = Html::fill(
        "<section><label for=\"kept\">{}</label><textarea id=\"kept\" readonly>\n{}</textarea></section>",
        [language.say("您写的内容（可复制）", "What you wrote, to copy"), Html::text(text.trim())],
    );
    kept.only_if(!text.trim().is_empty())
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use platform::pack::{GridPoints, Pack};

    use super::*;

    /// The part of the form that says where, as `person` of the pack sees it in Chinese.
    fn place_of(person: &str) -> String {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared/packs/twostreets");
        let pack = Pack::load(&folder).unwrap();
        let points = GridPoints::of(&pack);
        let person = pack.people.get(&person.into()).unwrap();
        let choices = Choices::of(&person.grants, &pack, &points, "2026-03-02".parse().unwrap());
        let form = Form {
            link: "",
            name: &person.name,
            client_id: "",
            opened: "",
            before: 0,
            choices: &choices,
            filled: &Filled::default(),
            faults: &[],
            banner: None,
        };
        form.place(Language::Chinese).as_str().to_owned()
    }

    #[test]
    fn whoever_has_one_grid_is_told_that_it_goes_there_and_is_not_sent_to_choose() {
        let own = place_of("worker-111");
        let told = own.split_once("无法定位，将按您的网格上报：").unwrap().1;
        assert!(told.split_once('"').unwrap().0.contains("示意网格 111"), "{own}");
        assert!(own.contains("改为按我的网格上报") && !own.contains("<select"), "{own}");
        assert!(!own.contains("选择网格"), "{own}");
        let any = place_of("desk-1a");
        assert!(any.contains("<select") && any.contains("无法定位，请在下面选择网格"), "{any}");
    }
}
