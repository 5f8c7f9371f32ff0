//! Who may do what: one table, role × action × reach. Everything that asks, asks here.

use std::ops::RangeInclusive;

use serde::{Deserialize, Serialize};

use crate::area::{AreaPath, Level};
use crate::holder::{Holder, Post};

/// What a person is in an area (角色).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// 网格员: reports.
    GridWorker,
    /// 网格长: holds the cases of a grid.
    GridLeader,
    /// 社区/村 desk: holds what a grid could not, sees its grids.
    CommunityDesk,
    /// 街道指挥室: holds what nobody else does, dispatches, checks and closes.
    StreetDesk,
    /// 核查员: looks whether it is really done.
    Checker,
    /// 督查: sees which grids are late, and why. Changes nothing.
    Supervisor,
    /// 社会组织: one of its people; the grant's area is the organisation's own path. Takes offers and works on what the
    /// organisation holds, and sees of it what that needs, through partner's own pages only.
    Partner,
}

impl Role {
    pub const ALL: [Self; 7] = [
        Self::GridWorker,
        Self::GridLeader,
        Self::CommunityDesk,
        Self::StreetDesk,
        Self::Checker,
        Self::Supervisor,
        Self::Partner,
    ];

    pub fn as_str(self) -> &'static str {
        match self {
            Self::GridWorker => "grid_worker",
            Self::GridLeader => "grid_leader",
            Self::CommunityDesk => "community_desk",
            Self::StreetDesk => "street_desk",
            Self::Checker => "checker",
            Self::Supervisor => "supervisor",
            Self::Partner => "partner",
        }
    }

    /// The post whose cases a person in this role works on.
    pub fn post(self) -> Option<Post> {
        match self {
            Self::GridLeader => Some(Post::GridLeader),
            Self::CommunityDesk => Some(Post::Community),
            Self::StreetDesk => Some(Post::StreetDesk),
            Self::Partner => Some(Post::Partner),
            Self::GridWorker | Self::Checker | Self::Supervisor => None,
        }
    }
}

impl std::str::FromStr for Role {
    type Err = String;
    fn from_str(text: &str) -> Result<Self, String> {
        Self::ALL.into_iter().find(|role| role.as_str() == text).ok_or_else(|| {
            let known = Self::ALL.map(Self::as_str).join(", ");
            format!("`{text}` is not a role: use one of {known}")
        })
    }
}

/// What can be done.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Action {
    /// 上报.
    Report,
    /// List, count, open a case.
    SeeCase,
    /// 签收.
    Sign,
    /// 阶段办结.
    Stage,
    /// 办结反馈.
    Answer,
    /// 退回.
    Return,
    /// 转派: give a case to another post of the own area, or take it over.
    Transfer,
    /// 核查.
    Check,
    /// 结案.
    Close,
    /// 下单: have a case offered to partner organisations.
    Order,
    /// 接单, 婉拒: answer an offer, and see what is offered.
    TakeOffer,
    /// File, change, suspend and remove organisations; see all of the register.
    ManagePartners,
    /// Figures and escalations by area.
    SeeFigures,
    /// 发上报链接: make a link to the report form for somebody who reports nowhere but in this subtree.
    InviteReport,
}

/// How far an action reaches for a role.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Reach {
    /// Every case in the subtree of the area the role was given for.
    Subtree,
    /// Only cases held by the role's own post in that very area.
    Held,
    /// Cases in the subtree that the role's own level is answerable for by now (督办): see [`answers`].
    Answerable,
}

const TABLE: &[(Role, Action, Reach)] = &[
    (Role::GridWorker, Action::Report, Reach::Subtree),
    (Role::GridWorker, Action::SeeCase, Reach::Subtree),
    (Role::GridLeader, Action::Report, Reach::Subtree),
    (Role::GridLeader, Action::SeeCase, Reach::Subtree),
    (Role::GridLeader, Action::Sign, Reach::Held),
    (Role::GridLeader, Action::Stage, Reach::Held),
    (Role::GridLeader, Action::Answer, Reach::Held),
    (Role::GridLeader, Action::Order, Reach::Held),
    (Role::GridLeader, Action::Return, Reach::Held),
    (Role::CommunityDesk, Action::Report, Reach::Subtree),
    (Role::CommunityDesk, Action::SeeCase, Reach::Subtree),
    (Role::CommunityDesk, Action::Sign, Reach::Held),
    (Role::CommunityDesk, Action::Stage, Reach::Held),
    (Role::CommunityDesk, Action::Answer, Reach::Held),
    (Role::CommunityDesk, Action::Order, Reach::Subtree),
    (Role::CommunityDesk, Action::Return, Reach::Held),
    (Role::CommunityDesk, Action::Transfer, Reach::Answerable),
    (Role::CommunityDesk, Action::Check, Reach::Subtree),
    (Role::CommunityDesk, Action::SeeFigures, Reach::Subtree),
    (Role::CommunityDesk, Action::InviteReport, Reach::Subtree),
    (Role::StreetDesk, Action::Report, Reach::Subtree),
    (Role::StreetDesk, Action::SeeCase, Reach::Subtree),
    (Role::StreetDesk, Action::Sign, Reach::Held),
    (Role::StreetDesk, Action::Stage, Reach::Held),
    (Role::StreetDesk, Action::Answer, Reach::Held),
    (Role::StreetDesk, Action::Transfer, Reach::Answerable),
    (Role::StreetDesk, Action::Order, Reach::Subtree),
    (Role::StreetDesk, Action::ManagePartners, Reach::Subtree),
    (Role::StreetDesk, Action::Check, Reach::Subtree),
    (Role::StreetDesk, Action::Close, Reach::Subtree),
    (Role::StreetDesk, Action::SeeFigures, Reach::Subtree),
    (Role::StreetDesk, Action::InviteReport, Reach::Subtree),
    (Role::Checker, Action::SeeCase, Reach::Subtree),
    (Role::Checker, Action::Check, Reach::Subtree),
    (Role::Checker, Action::Close, Reach::Subtree),
    (Role::Supervisor, Action::SeeCase, Reach::Subtree),
    (Role::Supervisor, Action::SeeFigures, Reach::Subtree),
    (Role::Partner, Action::TakeOffer, Reach::Subtree),
    (Role::Partner, Action::Stage, Reach::Held),
    (Role::Partner, Action::Answer, Reach::Held),
    (Role::Partner, Action::Return, Reach::Held),
];

/// A role given for an area and everything below it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Grant {
    pub role: Role,
    pub area: AreaPath,
}

/// Whether any of `grants` lets its bearer do `action` to a case in `area` held by `holder`.
pub fn may(grants: &[Grant], action: Action, area: &AreaPath, holder: &Holder) -> bool {
    grants.iter().any(|grant| {
        reach(grant.role, action).is_some_and(|reach| match reach {
            Reach::Subtree => grant.area.contains(area),
            Reach::Held => grant.role.post() == Some(holder.post) && grant.area == holder.area,
            // Whether it is so the case says: ask `answers`.
            Reach::Answerable => false,
        })
    })
}

/// The areas whose posts `grants` let their bearer do `action` to a case in `area` for, where these `levels` are
/// answerable for it (督办), from that of whoever holds it up: a higher level is not, though the case lies below it, nor
/// a lower one, though it lies there, and neither is the same level elsewhere. Empty: it is not theirs to do.
pub fn answers<'a>(
    grants: &'a [Grant],
    action: Action,
    area: &AreaPath,
    levels: &RangeInclusive<Level>,
) -> Vec<&'a AreaPath> {
    let answerable = |grant: &&Grant| {
        let own = grant.role.post().is_some_and(|post| levels.contains(&post.level()));
        own && reach(grant.role, action) == Some(Reach::Answerable) && grant.area.contains(area)
    };
    grants.iter().filter(answerable).map(|grant| &grant.area).collect()
}

/// The areas whose subtrees `grants` let their bearer do `action` in. Empty: nowhere.
/// Only for actions that reach a whole subtree; for the others ask [`may`] about the case.
pub fn areas_for(grants: &[Grant], action: Action) -> Vec<&AreaPath> {
    let within = |grant: &&Grant| reach(grant.role, action) == Some(Reach::Subtree);
    grants.iter().filter(within).map(|grant| &grant.area).collect()
}

/// Whether `grants` let their bearer invite somebody with the grants `invited` to report: a link may never reach
/// farther than whoever makes it. Nobody is invited who may report nowhere.
pub fn may_invite(grants: &[Grant], invited: &[Grant]) -> bool {
    let from = areas_for(grants, Action::InviteReport);
    let to = areas_for(invited, Action::Report);
    !to.is_empty() && to.iter().all(|area| from.iter().any(|above| above.contains(area)))
}

fn reach(role: Role, action: Action) -> Option<Reach> {
    TABLE.iter().find(|row| row.0 == role && row.1 == action).map(|row| row.2)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn grant(role: Role, area: &str) -> Vec<Grant> {
        vec![Grant { role, area: area.parse().unwrap() }]
    }

    fn allowed(grants: &[Grant], action: Action, holder: &str) -> bool {
        let holder: Holder = holder.parse().unwrap();
        may(grants, action, &"s/c/g".parse().unwrap(), &holder)
    }

    #[test]
    fn a_grid_leader_works_on_what_the_own_grid_holds_and_nothing_else() {
        let leader = grant(Role::GridLeader, "s/c/g");
        assert!(allowed(&leader, Action::Sign, "grid_leader:s/c/g"));
        assert!(!allowed(&leader, Action::Sign, "street_desk:s"));
        assert!(!allowed(&leader, Action::Check, "grid_leader:s/c/g"));
        assert!(!allowed(&grant(Role::GridLeader, "s/c/h"), Action::SeeCase, "grid_leader:s/c/g"));
    }

    #[test]
    fn the_street_sees_and_checks_everything_below_it_but_signs_only_what_it_holds() {
        let desk = grant(Role::StreetDesk, "s");
        assert!(allowed(&desk, Action::Check, "grid_leader:s/c/g"));
        assert!(allowed(&desk, Action::Close, "grid_leader:s/c/g"));
        assert!(!allowed(&desk, Action::Sign, "grid_leader:s/c/g"));
        assert!(allowed(&desk, Action::Sign, "street_desk:s"));
    }

    #[test]
    fn who_was_made_answerable_hands_on_what_lies_below_and_nobody_above_or_beside_does() {
        let answer = |role, area, level| {
            let area_of_case = "s/c/g".parse().unwrap();
            !answers(&grant(role, area), Action::Transfer, &area_of_case, &(Level::Grid..=level)).is_empty()
        };
        assert!(!answer(Role::CommunityDesk, "s/c", Level::Grid), "it has not climbed to them");
        assert!(answer(Role::CommunityDesk, "s/c", Level::Community));
        assert!(!answer(Role::StreetDesk, "s", Level::Community), "a higher level, and not answerable yet");
        assert!(!answer(Role::CommunityDesk, "s/d", Level::Street), "the next community");
        assert!(!answer(Role::StreetDesk, "t", Level::County), "the next street");
        for (role, area) in [(Role::CommunityDesk, "s/c"), (Role::StreetDesk, "s")] {
            assert!(answer(role, area, Level::Street), "who was answerable below is so still");
            assert!(
                !allowed(&grant(role, area), Action::Transfer, "grid_leader:s/c/g"),
                "the level must be asked"
            );
        }
        let held_by_the_street = |role, area| {
            let area_of_case = "s/c/g".parse().unwrap();
            !answers(&grant(role, area), Action::Transfer, &area_of_case, &(Level::Street..=Level::Street))
                .is_empty()
        };
        assert!(held_by_the_street(Role::StreetDesk, "s"));
        assert!(
            !held_by_the_street(Role::CommunityDesk, "s/c"),
            "what the street holds is not a community's to give"
        );
        for role in [Role::GridWorker, Role::GridLeader, Role::Checker, Role::Supervisor, Role::Partner] {
            assert!(!answer(role, "s", Level::County), "{role:?}");
        }
    }

    #[test]
    fn nobody_from_the_next_street_may_do_anything() {
        for role in Role::ALL {
            for action in
                [Action::SeeCase, Action::Sign, Action::Answer, Action::Return, Action::Check, Action::Close]
            {
                assert!(!allowed(&grant(role, "t"), action, "grid_leader:s/c/g"), "{role:?} {action:?}");
            }
        }
    }

    #[test]
    fn a_desk_invites_those_who_report_below_it_and_nobody_else() {
        let worker = grant(Role::GridWorker, "s/c/g");
        assert!(may_invite(&grant(Role::StreetDesk, "s"), &worker));
        assert!(may_invite(&grant(Role::CommunityDesk, "s/c"), &worker));
        assert!(!may_invite(&grant(Role::StreetDesk, "t"), &worker), "the next street");
        assert!(!may_invite(&grant(Role::CommunityDesk, "s/d"), &worker));
        assert!(!may_invite(&worker, &worker), "a link for oneself is no invitation");
        assert!(!may_invite(&grant(Role::Supervisor, "s"), &worker));
        assert!(!may_invite(&grant(Role::StreetDesk, "s"), &grant(Role::Checker, "s")), "who may not report");
        let two_streets = [worker, grant(Role::GridWorker, "t/c/g")].concat();
        assert!(
            !may_invite(&grant(Role::StreetDesk, "s"), &two_streets),
            "it would reach farther than the desk"
        );
    }

    #[test]
    fn the_table_has_one_row_for_each_role_and_action() {
        for (n, row) in TABLE.iter().enumerate() {
            assert!(!TABLE[..n].iter().any(|other| other.0 == row.0 && other.1 == row.1), "{row:?}");
        }
    }
}
