//! `docs/rights.md`: role × action, found by asking about cases.

use std::fmt::Write as _;

use domain::area::Level;
use domain::holder::Holder;
use domain::rights::{self, Grant, Role, answers, may};

const ACTIONS: [rights::Action; 14] = [
    rights::Action::Report,
    rights::Action::SeeCase,
    rights::Action::Sign,
    rights::Action::Stage,
    rights::Action::Answer,
    rights::Action::Return,
    rights::Action::Transfer,
    rights::Action::Order,
    rights::Action::TakeOffer,
    rights::Action::Check,
    rights::Action::Close,
    rights::Action::ManagePartners,
    rights::Action::SeeFigures,
    rights::Action::InviteReport,
];

fn action_name(action: rights::Action) -> &'static str {
    match action {
        rights::Action::Report => "上报 report",
        rights::Action::SeeCase => "查看 see a case",
        rights::Action::Sign => "签收 sign",
        rights::Action::Stage => "阶段办结 end a stage",
        rights::Action::Answer => "办结反馈 answer",
        rights::Action::Return => "退回 return",
        rights::Action::Transfer => "转派 transfer, take over",
        rights::Action::Order => "下单 place an order",
        rights::Action::TakeOffer => "接单 take an offer",
        rights::Action::ManagePartners => "管理社会组织 keep the register",
        rights::Action::Check => "核查 check",
        rights::Action::Close => "结案 close",
        rights::Action::SeeFigures => "看统计 see figures",
        rights::Action::InviteReport => "发上报链接 make a report link",
    }
}

fn role_zh(role: Role) -> &'static str {
    match role {
        Role::GridWorker => "网格员",
        Role::GridLeader => "网格长",
        Role::CommunityDesk => "社区",
        Role::StreetDesk => "街道指挥室",
        Role::Checker => "核查员",
        Role::Supervisor => "督查",
        Role::Partner => "社会组织",
    }
}

/// How far an action reaches for a role, found by asking about cases.
#[derive(Clone, Copy, PartialEq)]
pub(super) enum Reach {
    Nowhere,
    /// Cases the role's own post holds.
    Held,
    /// Cases that its own level was made answerable for.
    Answerable,
    /// Every case in its area.
    Area,
}

pub(super) fn reach(role: Role, action: rights::Action) -> Reach {
    let area = |text: &str| text.parse().unwrap();
    let grants = [Grant { role, area: area("1/2") }];
    let held_below: Holder = "grid_leader:1/2/3/4".parse().unwrap();
    let own_post = role.post().map(|post| Holder { post, area: area("1/2") });
    assert!(!may(&grants, action, &area("1/9"), &"grid_leader:1/9".parse().unwrap()), "{role:?} {action:?}");
    if may(&grants, action, &area("1/2/3/4"), &held_below) {
        Reach::Area
    } else if own_post.is_some_and(|post| may(&grants, action, &area("1/2/3/4"), &post)) {
        Reach::Held
    } else if !answers(&grants, action, &area("1/2/3/4"), &(Level::Grid..=Level::Street)).is_empty() {
        Reach::Answerable
    } else {
        Reach::Nowhere
    }
}

pub(super) fn page() -> String {
    let mut page = String::from(
        "# Who may do what 权限\n\n\
         `domain::rights` asked about every role and action. A role is given for an area and holds in \
         everything below it.\n\n\
         ● every case in the area 辖区内全部案件 · ○ cases its own post holds 本岗位承办的案件 · ◐ cases its level is answerable for by now 已督办到本级的案件 · blank: no \
         无权\n\n|  |",
    );
    for action in ACTIONS {
        write!(page, " {} |", action_name(action)).unwrap();
    }
    page += &format!("\n|---|{}\n", ":-:|".repeat(ACTIONS.len()));
    for role in Role::ALL {
        write!(page, "| {} `{}` |", role_zh(role), role.as_str()).unwrap();
        for action in ACTIONS {
            page += match reach(role, action) {
                Reach::Area => " ● |",
                Reach::Held => " ○ |",
                Reach::Answerable => " ◐ |",
                Reach::Nowhere => "  |",
            };
        }
        page.push('\n');
    }
    page += "\nWhoever ever signed for a case or answered it may not check or close it, whatever the role \
             (谁处置谁不得核查); a case that one may not see does not exist for one. What a post holds that nobody works for, \
             or whose area is listed no more, is the nearest post's above that somebody works for (无人的岗位由上级接续). The area of the role `partner` is \
             its organisation, and of cases it sees what that is offered or holds.\n";
    page
}
