//! Partner organisations (社会组织): who they are, what they may be offered, and the rule under which a
//! street files them. They are offered a case and may decline it without blame; while one is offered, the grid
//! holds it.

use serde::{Deserialize, Serialize};

use crate::area::AreaPath;
use crate::category::Category;
use crate::id::{CategoryCode, PartnerId};
use crate::text::Text;

/// What kind of work an organisation does; the five classes under which Zhejiang counts them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Class {
    /// 服务类.
    Service,
    /// 文体类.
    Culture,
    /// 自治类.
    SelfGovernance,
    /// 平安类.
    Safety,
    /// 其他.
    Other,
}

impl Class {
    pub const ALL: [Self; 5] =
        [Self::Service, Self::Culture, Self::SelfGovernance, Self::Safety, Self::Other];

    pub fn as_str(self) -> &'static str {
        match self {
            Self::Service => "service",
            Self::Culture => "culture",
            Self::SelfGovernance => "self_governance",
            Self::Safety => "safety",
            Self::Other => "other",
        }
    }

    pub fn zh(self) -> &'static str {
        match self {
            Self::Service => "服务类",
            Self::Culture => "文体类",
            Self::SelfGovernance => "自治类",
            Self::Safety => "平安类",
            Self::Other => "其他类",
        }
    }
}

impl std::str::FromStr for Class {
    type Err = String;
    fn from_str(text: &str) -> Result<Self, String> {
        Self::ALL.into_iter().find(|class| class.as_str() == text).ok_or_else(|| {
            format!(
                "`{text}` is not a class of organisation: service, culture, self_governance, safety or other"
            )
        })
    }
}

/// How an organisation is known to the authorities (登记 + 备案).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Status {
    /// 登记: registered with the civil affairs bureau.
    Registered,
    /// 备案: filed with the street, under [`filing_faults`].
    Filed,
}

impl Status {
    pub const ALL: [Self; 2] = [Self::Registered, Self::Filed];

    pub fn as_str(self) -> &'static str {
        match self {
            Self::Registered => "registered",
            Self::Filed => "filed",
        }
    }
}

impl std::str::FromStr for Status {
    type Err = String;
    fn from_str(text: &str) -> Result<Self, String> {
        Self::ALL
            .into_iter()
            .find(|status| status.as_str() == text)
            .ok_or_else(|| format!("`{text}` is not a status: registered 登记 or filed 备案"))
    }
}

/// Whether an organisation may take cases now.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Standing {
    /// 正常.
    Active,
    /// 暂停: for a while.
    Suspended,
    /// 清退: for good. Its history stays.
    Removed,
}

impl Standing {
    pub const ALL: [Self; 3] = [Self::Active, Self::Suspended, Self::Removed];

    pub fn as_str(self) -> &'static str {
        match self {
            Self::Active => "active",
            Self::Suspended => "suspended",
            Self::Removed => "removed",
        }
    }

    pub fn zh(self) -> &'static str {
        match self {
            Self::Active => "正常",
            Self::Suspended => "暂停",
            Self::Removed => "清退",
        }
    }
}

impl std::str::FromStr for Standing {
    type Err = String;
    fn from_str(text: &str) -> Result<Self, String> {
        Self::ALL
            .into_iter()
            .find(|standing| standing.as_str() == text)
            .ok_or_else(|| format!("`{text}` is not a standing: active, suspended or removed"))
    }
}

/// One organisation of the register.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Partner {
    pub id: PartnerId,
    pub name: Text,
    pub class: Class,
    pub status: Status,
    /// The street it is filed with, or the county it is registered in: who there may change its standing.
    pub office: AreaPath,
    pub members: u32,
    /// 负责人: whether the register names a person in charge; the name itself is not kept here.
    pub in_charge: bool,
    /// 章程.
    pub charter: bool,
    /// 固定场所.
    pub fixed_place: bool,
    /// The areas it works in, each with all below it.
    pub coverage: Vec<AreaPath>,
    /// The categories it takes; empty: all that its class may be offered.
    pub categories: Vec<CategoryCode>,
    /// How many cases it can have at a time.
    pub capacity: u32,
    pub standing: Standing,
}

/// Members below which a street does not file an organisation (浙江社区社会组织备案).
pub const FEWEST_MEMBERS: u32 = 10;

/// What an organisation lacks to be filed with its street (备案): ten members or more, a person in charge, a
/// charter and a fixed place, as Beilun's rule has it. One that is registered has shown it to another office.
pub fn filing_faults(partner: &Partner) -> Vec<Text> {
    if partner.status == Status::Registered {
        return Vec::new();
    }
    let members = partner.members;
    let lacks = [
        (
            members < FEWEST_MEMBERS,
            format!("备案须有成员 {FEWEST_MEMBERS} 人以上，现为 {members} 人"),
            format!("filing needs {FEWEST_MEMBERS} members or more, and there are {members}"),
        ),
        (!partner.in_charge, "须有负责人".to_owned(), "it needs a person in charge".to_owned()),
        (!partner.charter, "须有章程".to_owned(), "it needs a charter".to_owned()),
        (!partner.fixed_place, "须有固定场所".to_owned(), "it needs a fixed place".to_owned()),
    ];
    lacks.into_iter().filter(|lack| lack.0).map(|(_, zh, en)| Text::new(zh, en)).collect()
}

/// Why an organisation is not offered a case.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Unfit {
    /// Sensitive matters stay in the office (promise 7).
    Sensitive,
    /// The category is not offered to its class, or not among those it takes.
    Category,
    /// It does not work there.
    Area,
    /// Suspended or removed.
    Standing,
    /// It has as many as it can take.
    Full,
}

impl Unfit {
    pub fn text(self) -> Text {
        match self {
            Self::Sensitive => Text::new("敏感事项不交社会组织", "sensitive matters are never offered"),
            Self::Category => Text::new("事项类别不在其承接范围", "it does not take this category"),
            Self::Area => Text::new("不在其服务范围", "it does not work in this area"),
            Self::Standing => Text::new("已暂停或清退", "it is suspended or removed"),
            Self::Full => Text::new("在办数已达上限", "it has as many cases as it can take"),
        }
    }
}

/// Whether `partner` may be offered a case of `category` in `area` while it has `busy` others.
///
/// # Errors
/// The first reason why not.
pub fn fits(partner: &Partner, category: &Category, area: &AreaPath, busy: u32) -> Result<(), Unfit> {
    if category.sensitive {
        return Err(Unfit::Sensitive);
    }
    let takes = partner.categories.is_empty() || partner.categories.contains(&category.code);
    if !takes || !category.offer_to.contains(&partner.class) {
        return Err(Unfit::Category);
    }
    if !partner.coverage.iter().any(|covered| covered.contains(area)) {
        return Err(Unfit::Area);
    }
    if partner.standing != Standing::Active {
        return Err(Unfit::Standing);
    }
    if busy >= partner.capacity {
        return Err(Unfit::Full);
    }
    Ok(())
}

/// Why an organisation will not take a case it was offered (婉拒); none of them counts against it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DeclineReason {
    /// 人手不足.
    NoCapacity,
    /// 不擅长此类事项.
    NotOurWork,
    /// 时间不合适.
    NotNow,
}

/// Why a case an organisation had, or was offered, is taken from it or given back.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ReleaseReason {
    /// It gave the case back (退回).
    GivenBack,
    /// It was suspended (暂停).
    Suspended,
    /// It was removed (清退).
    Removed,
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::calendar::Limit;

    fn partner() -> Partner {
        Partner {
            id: "bailing".into(),
            name: Text::new("百灵鸟（示意）", "Lark (illustrative)"),
            class: Class::Service,
            status: Status::Filed,
            office: "x/s".parse().unwrap(),
            members: 10,
            in_charge: true,
            charter: true,
            fixed_place: true,
            coverage: vec!["x/s/c".parse().unwrap()],
            categories: Vec::new(),
            capacity: 2,
            standing: Standing::Active,
        }
    }

    fn category(sensitive: bool, offer_to: Vec<Class>) -> Category {
        Category {
            code: "2102".into(),
            name: Text::new("志愿清扫", "Volunteer clean-up"),
            handle_limit: Limit::parse("7d").unwrap(),
            sensitive,
            stages: Vec::new(),
            offer_to,
            conditions: None,
        }
    }

    fn fit(partner: &Partner, area: &str, busy: u32) -> Result<(), Unfit> {
        fits(partner, &category(false, vec![Class::Service]), &area.parse().unwrap(), busy)
    }

    #[test]
    fn a_street_files_nobody_with_nine_members_and_says_what_is_lacking() {
        assert!(filing_faults(&partner()).is_empty());
        let nine = Partner { members: 9, ..partner() };
        assert_eq!(filing_faults(&nine)[0].zh, "备案须有成员 10 人以上，现为 9 人");
        let bare = Partner { members: 3, in_charge: false, charter: false, fixed_place: false, ..partner() };
        assert_eq!(filing_faults(&bare).len(), 4);
        assert!(filing_faults(&Partner { status: Status::Registered, ..nine }).is_empty());
    }

    #[test]
    fn an_organisation_fits_where_it_works_what_it_takes_and_while_it_has_hands_free() {
        assert_eq!(fit(&partner(), "x/s/c/g", 1), Ok(()));
        assert_eq!(fit(&partner(), "x/s/d/h", 0), Err(Unfit::Area));
        assert_eq!(fit(&partner(), "x/s/c/g", 2), Err(Unfit::Full));
        for standing in [Standing::Suspended, Standing::Removed] {
            assert_eq!(fit(&Partner { standing, ..partner() }, "x/s/c/g", 0), Err(Unfit::Standing));
        }
        let picky = Partner { categories: vec!["0501".into()], ..partner() };
        assert_eq!(fit(&picky, "x/s/c/g", 0), Err(Unfit::Category));
        assert_eq!(fit(&Partner { class: Class::Safety, ..partner() }, "x/s/c/g", 0), Err(Unfit::Category));
    }

    #[test]
    fn a_sensitive_matter_fits_nobody_whatever_its_category_says() {
        let area = "x/s/c/g".parse().unwrap();
        assert_eq!(fits(&partner(), &category(true, Class::ALL.to_vec()), &area, 0), Err(Unfit::Sensitive));
    }
}
