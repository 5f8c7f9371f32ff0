//! Why an action on a case is refused, in words for the person who tried.

use super::State;
use crate::holder::Holder;
use crate::id::PersonId;
use crate::text::Text;

/// A refusal changes nothing and leaves no fact.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// The case is not in a state that allows the action.
    NotNow { action: &'static str, action_zh: &'static str, state: &'static str, state_zh: &'static str },
    /// It was given back, and who holds it next is being chosen.
    BeingRouted { action: &'static str, action_zh: &'static str },
    /// 谁处置谁不得核查: the person, who is the one that tries, signed for it or answered it before.
    OwnWork { person: PersonId },
    /// The third return was decided by the street, and that is final.
    Final,
    /// It has not been found done yet, so it cannot be closed.
    NotChecked,
    /// Its category has no stages, or each is done: what is left is the answer.
    NoStage,
    /// There is no such case, or it is not the person's to see: both look alike.
    Unknown,
    /// The person may see it but not do this to it.
    NotYours { action: &'static str, action_zh: &'static str },
    /// It cannot be transferred to this post: there is none, nobody works for it, or it is not below the asker.
    CannotHold { to: Holder },
    /// 敏感事项: it is given to nobody below those who hold it.
    InConfidence { to: Holder },
    /// Somebody changed the case since the person looked.
    Changed { expected: u32, actual: u32 },
}

impl Refusal {
    pub(super) fn not_now(action: &'static str, action_zh: &'static str, state: &State) -> Self {
        Self::NotNow { action, action_zh, state: state.en(), state_zh: state.zh() }
    }

    /// The same of a case that is being routed: what keeps it from the action is over in a moment.
    pub(super) fn while_routed(self) -> Self {
        match self {
            Self::NotNow { action, action_zh, .. } => Self::BeingRouted { action, action_zh },
            other => other,
        }
    }

    pub fn text(&self) -> Text {
        match self {
            Self::NotNow { action, action_zh, state, state_zh } => Text::new(
                format!("案件处于「{state_zh}」，不能{action_zh}；请刷新后再看"),
                format!("you cannot {action} a case that is {state}: reload it and look again"),
            ),
            Self::BeingRouted { action, action_zh } => Text::new(
                format!("案件已退回，正在流转、确定下一个承办人，此刻不能{action_zh}；请稍候片刻再试"),
                format!(
                    "the case was given back and is being routed to whoever holds it next, so you cannot {action} it now: \
                     try again in a moment"
                ),
            ),
            Self::OwnWork { .. } => Text::new(
                "您经手过此案，核查和结案须由他人进行",
                "you handled this case: somebody else has to check and close it",
            ),
            Self::Final => Text::new(
                "此案已第三次退回，由街道最终指定，不能再退回",
                "this case was returned three times; the street has decided and it cannot be returned again",
            ),
            Self::NotChecked => Text::new(
                "核查尚未通过，不能结案",
                "the case has not passed its check yet, so it cannot be closed",
            ),
            Self::NoStage => Text::new(
                "此类事项没有分段时限，或各阶段均已办结；请直接办结反馈",
                "this case has no stage left to end: answer it instead",
            ),
            Self::Unknown => {
                Text::new("没有这个案件，或您无权查看", "there is no such case, or it is not yours to see")
            }
            Self::NotYours { action, action_zh } => Text::new(
                format!("您可以查看此案，但您的岗位或辖区不能对它{action_zh}"),
                format!("you may see this case, but your role or area does not let you {action} it"),
            ),
            Self::CannotHold { to } => Text::new(
                format!("不能转派给 {to}：须为您辖区内、有人在岗的网格长、社区或街道指挥室"),
                format!(
                    "it cannot be transferred to {to}: name a grid leader, a community or a street desk of your own \
                     area that somebody works for"
                ),
            ),
            Self::InConfidence { to } => Text::new(
                format!("敏感事项不能下派给 {to}：请由现承办层级或上级办理"),
                format!(
                    "it is sensitive and cannot be transferred down to {to}: it stays with the level that holds it, or \
                     goes above"
                ),
            ),
            Self::Changed { expected, actual } => Text::new(
                format!("案件已被更新（您看到的是第 {expected} 版，现为第 {actual} 版），请刷新后再操作"),
                format!(
                    "the case has changed since you looked (you saw revision {expected}, it is {actual}): reload and try again"
                ),
            ),
        }
    }
}
