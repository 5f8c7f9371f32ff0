// Every word on the page, in Chinese and English.

import { KNOWN, remember, remembered } from './state.js';

const WORDS = {
  about: ['网格化治理演示', 'Grid governance, live'],
  made_up: ['示意网格，非法定界线', 'Made-up grids, no legal boundaries'],
  other_language: ['English', '中文'],
  clock_of: ['案件时钟 · 快 {0} 倍', 'Clock of the cases · {0}×'], clock_skips: ['案件时钟 · 快 {0} 倍 · 夜间和休息日跳过', 'Clock of the cases · {0}× · skips nights and days off'],
  jumped: ['时钟已跳到 {0}，其间略过', 'The clock jumped to {0}'],
  live: ['实时', 'Live'], lost: ['已断开', 'Lost'], linking: ['连接中', 'Linking'],
  lost_long: ['连接已断开，正在自动重试。以下内容停在 {0}（本机时间）。', 'Connection lost; trying again by itself. What you see is from {0} on your own clock.'],
  never: ['还连不上服务，正在自动重试。', 'The service cannot be reached yet; trying again by itself.'],
  refused: ['服务拒绝了请求：{0}', 'The service refused: {0}'],
  anew: ['演示已重新开始，本页即将刷新。', 'The demo began anew; this page reloads.'],
  news: ['动态', 'News'], coming: ['将于 {0}', 'coming {0}'],
  welcome: ['您想以谁的身份进来？', 'Who would you like to be?'],
  welcome_lead: ['点一下即可登录，随时可以换人。每个身份看到和能做的，都是他真实的权限。', 'One click signs you in, and you can switch at any time. Each sees and may do exactly what their role may.'],
  or_be: ['也可以是：', 'Or be: '],
  who: ['换一个身份', 'Be somebody else'], switch: ['切换', 'Switch'], you_are: ['当前身份：{0}，{1}。点此切换', 'You are {0}, {1}. Press to switch'], now_you: ['当前', 'now'],
  look_as: ['以{0}身份查看', 'Look as {0}'],
  totals: ['总数', 'Totals'], opened: ['累计立案', 'Opened'], open: ['在办', 'Open'], overdue: ['处置超期', 'Handling overdue'],
  rate: ['按期结案率', 'Closed on time'], reminders: ['催办', 'Reminders'],
  to_community: ['升至社区', 'To community'], to_street: ['升至街道', 'To street'], to_county: ['升至区县', 'To county'], returned_n: ['退回', 'Returned'], reworked_n: ['返工', 'Reworked'],
  said: ['在办 {0} 件，其中处置超期 {1} 件；按期结案率 {2}；升级至社区 {3} 次、街道 {4} 次、区县 {5} 次。', '{0} open, handling overdue for {1} of them; {2} closed on time; {3} escalated to community, {4} to street, {5} to county.'],
  sensitive_told: ['敏感事项累计另有 {0} 件', '{0} of them opened so far'],
  queue: ['案件队列', 'Queue'], my_queue: ['我的待办', 'My cases'], grid_cases: ['本网格案件', 'Cases of my grid'], to_check: ['待核查、待结案', 'To be checked or closed'], in_check: ['待核查或待结案', 'To be checked or closed'], keys: ['J / K 上下 · Enter 打开 · Esc 关闭', 'J / K move · Enter opens · Esc closes'],
  view: ['排列', 'Order'], view_all: ['最紧急在前', 'Most urgent'], view_next: ['接下来到期', 'Due next'],
  area: ['区域', 'Area'], all_areas: ['全部区域', 'All areas'], state: ['状态', 'State'], all_states: ['全部在办', 'All open'],
  level: ['责任层级', 'Level'], all_levels: ['全部层级', 'All levels'],
  find: ['打开', 'Open'], find_hint: ['案件编号', 'Case number'], no_number: ['这不是案件编号：请粘贴完整的 36 位编号', 'This is not a case number: paste all 36 characters of it'],
  more: ['显示更多', 'Show more'], no_cases: ['没有符合条件的案件', 'No case fits'], no_escalations: ['尚无升级', 'Nothing escalated yet'], no_escalations_here: ['最近的升级里没有{0}的', 'None of the latest was in {0}'],
  escalations: ['升级督办', 'Escalations'], newest: ['最新在前', 'newest first'],
  made_answerable: ['{0}负责', '{0} answers'], lies_now: ['现由{0}承办', 'now in {0}'], lies_elsewhere: ['已转出本辖区', 'moved out of this area'],
  escalated_for: ['因{0}升级', '{0}'], stays_for: ['{0}，责任层级不变', '{0}; the level stays'], deadline_of: ['{0}时限', '{0} deadline'],
  areas: ['各区域情况', 'By area'], rate_means: ['处置超期未结计入按期结案率', 'handling overdue counts against on time'],
  w_area: ['区域', 'Area'], w_open: ['在办', 'Open'], w_overdue: ['处置超期', 'Handling overdue'], w_rate: ['按期结案率', 'On time'], w_escalated: ['升级', 'Escalated'],
  only_area: ['只看{0}的案件', 'Show only the cases of {0}'], into_area: ['看{0}及其下级', 'Look into {0}'],
  why_late: ['{0}为何迟了', 'Why {0} is late'], why_late_of: ['签收超时、处置超期、核查超时合计，不含敏感事项', 'signing, handling and checks together; nothing sensitive'],
  by_state: ['卡在哪一步', 'Where they are stuck'], by_category: ['哪些事', 'What they are'], by_area: ['哪些网格、区域', 'Which grids and areas'], by_holder: ['在谁手里', 'Who has them'],
  late_cases: ['迟了的案件（{0}）', 'Late cases ({0})'], late_many: ['200+', '200+'], no_late: ['没有迟了的案件', 'Nothing is late'],
  late_means: ['签收超时：到时未签收 · 处置超期：到期未办结 · 核查超时：到时未核查', 'Signing overdue: not signed for in time · Handling overdue: not done in time · Check overdue: not looked at in time'],
  stuck_DISPATCHED: ['无人签收', 'Nobody has signed'], stuck_OFFERED: ['等社会组织应答', 'On offer to organisations'], stuck_HANDLING: ['处置未完', 'Not handled yet'], stuck_CHECKING: ['等待核查', 'Waiting to be checked'],
  close: ['关闭', 'Close'], loading: ['正在读取…', 'Loading…'], gone: ['没有此案，或者当前身份无权查看。', 'There is no such case, or it is not yours to see.'],
  about_to_open: ['已上报，案件即将生成…', 'Reported; the case is about to open…'],
  why: ['为何在此', 'Why it is here'], deadlines: ['时限', 'Deadlines'], history: ['经过', 'History'], facts: ['案卷', 'On file'],
  explained: ['怎么算的', 'How it was computed'],
  no_deadlines: ['上报记录没有时限。', 'The recorded report came without a deadline.'],
  words_of: ['上报原话', 'As reported'],
  holder: ['承办', 'Holder'], due: ['到期', 'Due'], place: ['地点', 'Place'], reporter: ['上报人', 'Reporter'], number: ['编号', 'Number'], opened_in: ['立案时位于', 'Opened in'], now_in: ['现由此处承办', 'Handled in'], words_kept: ['敏感事项：上报的文字只留在上报处，不随案件流转；请向上报人当面了解', 'Sensitive: what was written stays where it was reported and does not travel with the case; ask the reporter in person'], point_later: ['接单后显示坐标', 'the point is shown once accepted'], grid_centre: ['网格中心（未定位）', 'centre of the grid, no position given'], no_position: ['未给坐标', 'no position given'], flags: ['提示', 'Note'], opened_at: ['立案', 'Opened'],
  recorded: ['历史记录', 'recorded data'], returns: ['退回 {0} 次', 'returned {0}×'], reworks: ['返工 {0} 次', 'reworked {0}×'],
  provisional: ['暂定（放假安排未公布）', 'provisional (calendar not published yet)'], round: ['第 {0} 轮', 'round {0}'],
  running: ['剩 {0}', '{0} left'], on_time: ['按时完成', 'Met on time'], met_late: ['迟 {0}完成', 'Met {0} late'], overdue_by: ['{0} {1}', '{0} {1}'],
  from: ['起 {0}', 'from {0}'], until: ['到期 {0}', 'due {0}'], step_remind: ['催办承办人', 'Remind the holder'], step_remind_check: ['催办核查方：社区、指挥室或核查员', 'Remind those who may check: community, street desk or checker'], step_to: ['升级，{0}负责', 'Escalate: {0} answers'], step_stays: ['{0}一级的时限到，仍由{1}负责', '{0} limit reached: {1} still answers'], step_lapse: ['无人接单则回流承办人', 'Nobody takes it: back to its holder'],
  done: ['已执行', 'done'], waits: ['{0}后', 'in {0}'], now_due: ['正在执行', 'now'], moot: ['不再需要', 'not needed'],
  system: ['系统', 'System'], left: ['剩 {0}', '{0} left'], no_due: ['无待办时限', 'Nothing due'],
  minutes: ['{0}\u00a0分钟', '{0}\u00a0min'], hours: ['{0}\u00a0小时', '{0}\u00a0h'], days: ['{0}\u00a0天', '{0}\u00a0d'],
  you_may: ['您现在可以', 'You may now'], nothing_to_do: ['您在此案上暂时没有要办的：{0}', 'Nothing for you to do here now: {0}'],
  waits_DISPATCHED: ['等{0}签收', '{0} has to sign'], waits_OFFERED: ['等社会组织接单', 'organisations are asked'], waits_HANDLING: ['{0}正在处置', '{0} is at work on it'], waits_CHECKING: ['等他人核查', 'somebody else has to check it'], waits_PASSED: ['等他人结案', 'somebody else has to close it'], waits_CLOSED: ['已经结案', 'it is closed'],
  sign: ['签收', 'Sign for it'], stage: ['阶段办结', 'End the stage'], answer: ['办结反馈', 'Answer as done'], return: ['退回', 'Return'], pass: ['核查通过', 'Pass the check'], fail: ['核查不通过', 'Fail the check'], close_case: ['结案', 'Close the case'], order: ['下单给社会组织', 'Offer to organisations'], transfer: ['转派或接管', 'Hand on or take over'], to_post: ['由谁承办', 'To whom'], take_over: ['由本岗位接管', 'Take it over'], community_desk: ['值守', 'desk'], handed_on: ['已转派给{0}，案件现在{1}，状态「{2}」', 'Handed on to {0}. The case lies in {1} and is now: {2}'], note_transfer: ['说明（选填）', 'Note (optional)'],
  asked: ['办结标准：{0}', 'Done when: {0}'], give_back: ['交回', 'Give back'], accept: ['接单', 'Accept'], decline: ['婉拒', 'Decline'],
  note_answer: ['办了什么（选填）', 'What was done (optional)'], note_return: ['依据（选填）', 'Grounds (optional)'], note_fail: ['哪里没办好（选填）', 'What is not done (optional)'], note_stage: ['说明（选填）', 'Note (optional)'],
  reason: ['理由', 'Reason'], to_whom: ['下单给', 'To whom'], all_fitting: ['所有合适的组织', 'All that fit'],
  confirm: ['确认{0}', 'Confirm'], cancel: ['取消', 'Cancel'], sending: ['正在提交…', 'Sending…'],
  acted: ['已{0}；案件现为「{1}」', '{0}: done. The case is now: {1}'], ordered: ['已下单给 {0}，等待应答', 'Offered to {0}; waiting for their answer'],
  report: ['上报', 'Report'], report_now: ['上报一件事', 'Report something'], report_how: ['打开网格员在群里收到的那张表：一屏填完，不用安装。', 'Opens the form that a worker gets as a link in the chat group: one screen, nothing to install.'],
  mine: ['我的上报', 'My reports'], no_mine: ['您还没有上报过。上报后，案件会出现在这里。', 'You have not reported anything yet. What you report appears here.'], count: ['{0} 件', '{0}'],
  nobody_else: ['演示里的人只办剧本里的事：您自己上报的没有别人接手，无人签收就会逐级升级。请切换成承办人，自己签收、办理。', 'The people of the demo handle only what its script reports. What you report nobody else takes up: unsigned, it climbs. Switch to whoever holds it, and sign for it yourself.'], nobody_else_you: ['演示里的人只办剧本里的事：您自己上报的没有别人接手，由您自己签收、办理。', 'The people of the demo handle only what its script reports. What you report nobody else takes up: sign for it and handle it yourself.'], nobody_there: ['演示里的人只办剧本里的事：您自己上报的没有别人接手，这里也不能切换成承办人「{0}」，无人签收就会逐级升级。', 'The people of the demo handle only what its script reports. What you report nobody else takes up, and nobody can be its holder here ({0}): unsigned, it climbs.'], go_on_as: ['切换为{0}，继续办理', 'Go on as {0}'],
  guide: ['一件事怎么走', 'How a case goes'], guide_hint: ['从左右两边任选一件，看它走到了哪一步。', 'Open any case beside this to see how far it has come.'],
  offers: ['待接单', 'Offers'], offers_means: ['先接先得，婉拒不影响评价', 'first come; declining costs nothing'], no_offers: ['现在没有待接的单。有人下单，或某类事项自动派给社会组织时，会出现在这里。', 'Nothing on offer now. Orders, and cases of categories that go to organisations by themselves, appear here.'],
  held: ['我们在办', 'Our cases'], held_means: ['办完反馈，由他人核查', 'answer when done; somebody else checks'], no_held: ['手上没有案件。接单后在这里办理。', 'Nothing in hand. What you accept is handled here.'],
  standing: ['组织名片', 'Our standing'], orders: ['接单记录', 'Orders so far'], no_orders: ['还没有记录', 'None yet'],
  answer_by: ['请在 {0} 前应答', 'Answer by {0}'], handle_by: ['{0} 前办结', 'To be done by {0}'], waits_check: ['已反馈，等他人核查、结案', 'Answered; somebody else checks and closes it'],
  members: ['成员', 'Members'], members_n: ['{0} 人', '{0}'], hands: ['在办 / 上限', 'In hand / at most'], coverage: ['服务范围', 'Works in'], takes: ['承接事项', 'Takes'], takes_all: ['本类组织可接的全部事项', 'All that its class may take'],
  accepted_rate: ['接单率（不计婉拒）', 'Rate, declined apart'], asked_n: ['收到', 'Asked'], accepted_n: ['接单', 'Accepted'], declined_n: ['婉拒', 'Declined'], lapsed_n: ['逾期未答', 'Lapsed'], done_n: ['办结', 'Done'],
  try: ['用接口试一试', 'Try the API'],
  try_intro: ['在源码目录的终端里逐行粘贴。上报后把回执里的 incident 填进「案件编号」，就能看着它走下去。', 'Paste line by line into a terminal in the source folder. Then put the receipt’s incident into “Case number” and watch it go on.'],
  copy: ['复制', 'Copy'], copied: ['已复制', 'Copied'], copy_by_hand: ['已选中，请按 Ctrl-C', 'Selected: press Ctrl-C'],
  tabs: ['本页各部分', 'Parts of this page'],
  tab_queue: ['队列', 'Queue'], tab_escalations: ['升级', 'Escalations'], tab_areas: ['区域', 'Areas'], 'tab_why-late': ['为何迟了', 'Why late'], tab_report: ['上报', 'Report'], tab_guide: ['怎么走', 'How it goes'],
  tab_offers: ['待接单', 'Offers'], tab_held: ['在办', 'In hand'], tab_standing: ['名片', 'Standing'],
};
export const ROLES = {
  worker: ['网格员', 'Grid worker'], leader: ['网格长', 'Grid leader'], community: ['社区值守', 'Community desk'], dispatcher: ['街道指挥室', 'Dispatcher'], checker: ['核查员', 'Checker'], supervisor: ['督查', 'Supervisor'], partner: ['社会组织', 'Partner organisation'],
};
export const ROLE_DOES = {
  worker: ['拿着手机上报，看自己报的事走到哪一步', 'Reports by phone, and sees how far each report has come'],
  leader: ['签收本网格的案件，办结或退回', 'Signs for the cases of a grid, handles or returns them'],
  community: ['承办网格办不了的，核查本社区的案件，可以下单', 'Has what a grid cannot do, checks the cases of the community, places orders'],
  checker: ['看是不是真办好了：通过、返工或结案', 'Looks whether it is really done: passes it, sends it back or closes it'],
  dispatcher: ['守着全街道的队列：核查、结案、下单、盯升级', 'Keeps the queue of the street: checks, closes, places orders, watches escalations'],
  supervisor: ['看哪些网格慢了、为什么慢', 'Sees which grids are late, and why'],
  partner: ['接单或婉拒，办理接下的事', 'Accepts or declines offers, and handles what it took'],
};
/** The life of a case, for whoever meets it first. */
export const CHAIN = [
  [['发现', 'Discover'], ['网格员在现场上报，提交前已保存', 'A worker reports from the spot; saved before it is confirmed']],
  [['流转', 'Route'], ['按坐标找到网格，按规则定承办，并写明为何', 'The place gives the grid, a rule gives the holder, and it is written down why']],
  [['处置', 'Handle'], ['承办人签收、办结反馈；可交社会组织接单', 'The holder signs and answers; organisations may take it']],
  [['督办', 'Supervise'], ['80% 催办，到期自动升级：{0}', 'A reminder at 80 %, then it climbs by itself: {0}']],
  [['核查结案', 'Check'], ['由别人核查，办的人不能自己结案', 'Somebody else checks; nobody closes their own work']],
];
export const STATES = { DISPATCHED: ['待签收', 'To be signed'], OFFERED: ['待接单', 'On offer'], HANDLING: ['处置中', 'In progress'], CHECKING: ['待核查', 'To be checked'], PASSED: ['待结案', 'To be closed'], CLOSED: ['已结案', 'Closed'] };
export const LEVELS = { grid: ['网格', 'Grid'], community: ['社区', 'Community'], street: ['街道', 'Street'], county: ['区县', 'County'] };
/** 网格→社区→…, as far up as deadlines of the pack go. */
export function ladder() {
  const levels = Object.keys(LEVELS), top = levels.indexOf(KNOWN.climbs_to);
  return levels.slice(0, Math.max(top, 1) + 1).map((level) => word(LEVELS, level).toLowerCase()).join(lang() === 'zh' ? '→' : ' → ');
}
export const POSTS = { grid_leader: ['网格长', 'Grid leader'], community: ['社区', 'Community'], street_desk: ['指挥室', 'Street desk'], partner: ['社会组织', 'Organisation'] };
export const KINDS = { sign: ['签收', 'signing'], offer: ['接单', 'offer'], stage1: ['第一阶段', 'first stage'], stage2: ['第二阶段', 'second stage'], stage3: ['第三阶段', 'third stage'], handle: ['处置', 'handling'], check: ['核查', 'check'] };
/** What has not been done in time, by its deadline; 超期 alone would say neither which nor whether figures count it. */
export const LATE = {
  sign: ['签收超时', 'Signing overdue'], offer: ['接单超时', 'Offer overdue'], handle: ['处置超期', 'Handling overdue'], check: ['核查超时', 'Check overdue'],
  stage1: ['第一阶段超期', 'First stage overdue'], stage2: ['第二阶段超期', 'Second stage overdue'], stage3: ['第三阶段超期', 'Third stage overdue'],
};
export const FLAGS = {
  placeholder: ['上报坐标是占位点，地点待核实', 'the reported place is a placeholder: verify it'], rounded: ['上报坐标经取整，地点不精确', 'the reported place is rounded: not exact'],
  stated_area: ['只写明区域，未给坐标', 'the report names an area and gives no point'], chosen_area: ['上报时未定位，只选了网格', 'reported without a position: only the grid was chosen'],
  no_registration: ['未写明户籍地（登记地）', 'it does not say where somebody is registered'], due_before_opened: ['立案时已过期', 'was due before it opened'],
  sensitive: ['敏感事项，不交社会组织，单独统计', 'sensitive: never offered, and counted by itself'],
};
export const REASONS = { wrong_area: ['属地不符', 'wrong area'], unclear_owner: ['权属不清', 'unclear owner'], overlapping_duty: ['职能交叉', 'overlapping duty'] };
export const DECLINES = { no_capacity: ['人手不足', 'no hands free'], not_our_work: ['不擅长此类事项', 'not our kind of work'], not_now: ['时间不合适', 'not at this time'] };
export const RELEASES = { given_back: ['组织交回', 'given back'], suspended: ['组织被暂停', 'suspended'], removed: ['组织被清退', 'removed'] };
export const CLASSES = { service: ['服务类', 'Service'], culture: ['文体类', 'Culture'], self_governance: ['自治类', 'Self-governance'], safety: ['平安类', 'Safety'], other: ['其他类', 'Other'] };
export const STATUSES = { registered: ['登记', 'Registered'], filed: ['备案', 'Filed'] };
export const STANDINGS = { active: ['正常', 'Active'], suspended: ['暂停', 'Suspended'], removed: ['清退', 'Removed'] };
export const SHOWING = { handled: ['办结', 'Handled'], escalated: ['升级', 'Escalated'], partner: ['社会组织', 'Partner'], returned: ['退回', 'Returned'], typhoon: ['台风', 'Typhoon'], news: ['消息', 'News'] };
export const HAPPENED = {
  opened: ['立案，派给承办人', 'Opened and dispatched'], assigned: ['改派给{0}', 'Reassigned to {0}'], signed: ['签收', 'Signed for it'],
  offered: ['下单给{0}', 'Offered to {0}'], accepted: ['{0}接单', '{0} accepted'], declined: ['{0}婉拒：{1}', '{0} declined: {1}'], lapsed: ['无人接单，回流承办人', 'Nobody took the offer; back to its holder'],
  released: ['{0}不再承办（{1}），回到{2}', '{0} has it no more ({1}); back to {2}'], staged: ['{0}办结', 'Ended the {0}'],
  returned: ['退回：{0}', 'Returned: {0}'], returned_last: ['第 {1} 次退回：{0}；由街道指挥室决定并承办', 'Returned, time {1}: {0}; the street desk decides and has it'], answered: ['办结反馈', 'Answered as done'], checked: ['核查通过', 'Found it done'],
  reworked: ['核查不通过，返工', 'Check failed: to be done again'], reminded: ['催办：{0}时限将到', 'Reminded: the {0} deadline nears'],
  escalated: ['{1}，升级到{0}', 'Escalated to {0}: {1}'], escalated_stays: ['{1}：{2}一级的时限已到，仍由{3}负责', '{1}: {2} limit reached; {3} still answers'], closed: ['结案', 'Closed the case'],
};
const UNITS = { m: ['分钟（紧急）', 'min around the clock'], h: ['紧急工作时', 'h around the clock'], wm: ['工作分钟', 'working min'], wh: ['工作时', 'working hours'], wd: ['工作日', 'working days'], 'wd-times': ['工作日（按工时）', 'working days of office hours'], d: ['自然日', 'calendar days'] };

let chosen = remembered('gridward-lang') || (/^zh/i.test(navigator.language) ? 'zh' : 'en');
export const lang = () => chosen;
export function turn_language() {
  chosen = chosen === 'zh' ? 'en' : 'zh';
  remember('gridward-lang', chosen);
}
export const pick = (pair) => pair[chosen === 'zh' ? 0 : 1];
const put_in = (text, values) => text.replace(/\{(\d)\}/g, (_, n) => values[n]);
export const say = (key, ...values) => put_in(pick(WORDS[key]), values);
export const say_of = (pair, ...values) => put_in(pick(pair), values);
/** The word for a code the API gave; a code the page does not know is shown as it is. */
export const word = (table, code) => (table[code] ? pick(table[code]) : code);
/** The state of a case as people say it: one whose check has passed waits to be closed. */
export const state_of = (one) => (one.state === 'CHECKING' && one.passed ? 'PASSED' : one.state);
/** The state where only its code is told, and not whether the check has passed. */
export const state_word = (code) => (code === 'CHECKING' ? say('in_check') : word(STATES, code));
/** A level that answers for what lies in `area`: a village is no 社区. */
export function level_word(level, area) {
  const codes = area.split('/');
  const village = level === 'community' && codes.some((_, at) => /村(委会)?$/.test(((KNOWN.areas || {})[codes.slice(0, at + 1).join('/')] || {}).zh || ''));
  return village ? pick(['村', 'Village']) : word(LEVELS, level);
}
/** What is told of deadlines says 社区, `the community`, of whatever has that level: what lies in `area` calls it as above. */
export function with_level_of(area, text) {
  const named = level_word('community', area);
  return text.replace('由社区负责', `由${named}负责`).replace('the community answers', `the ${named.toLowerCase()} answers`);
}
/** Whether `level` is above `other`; what has no level is above none. */
export const is_above = (level, other) => Object.keys(LEVELS).indexOf(level) > Object.keys(LEVELS).indexOf(other);
/** A text the API gave in both languages. */
export const said = (text) => (text ? text[chosen] || text.en || text.zh || '' : '');
/** A name without what every made-up name of a pack says; the page says it once, beside the pack's own. */
export const plain = (name) => name.replace(/\s*[（(](示意|synthetic|illustrative)[）)]/g, '');
const named = (names, code) => (names && names[code] ? plain(said(names[code])) : '');
export const made_up = Object.values(KNOWN.areas || {}).some((name) => plain(name.zh) !== name.zh);

export const category_name = (code) => named(KNOWN.categories, code) || code;
/** Counted nowhere on the page, as in no figure of the API: of a few cases even their number tells. */
export const is_sensitive = (code) => (KNOWN.sensitive || []).includes(code);
export const person_name = (id) => named(KNOWN.people, id) || id;
export const partner_name = (id) => named(KNOWN.partners, id) || id;
export const area_name = (path) => named(KNOWN.areas, path) || path.slice(path.lastIndexOf('/') + 1);
export const parent_of = (path) => path.slice(0, Math.max(0, path.lastIndexOf('/')));
const with_others_below = new Set(Object.keys(KNOWN.areas || {}).map(parent_of));
/** A grid with the community it is in, unless its name says so; anything higher by its own name. */
export function where(path) {
  const name = area_name(path), outer = area_name(parent_of(path));
  return with_others_below.has(path) || !parent_of(path) || name.startsWith(outer) ? name : `${outer} · ${name}`;
}
/** `grid_leader:330206/…` as words; `area`: what is plain already. */
export function holder_name(holder, area) {
  const [post, at] = holder.split(':');
  if (post === 'partner') return partner_name(at.replace(/^org\//, ''));
  if (post === 'community') return area_name(at);
  return at === area ? word(POSTS, post) : `${area_name(at)} · ${word(POSTS, post)}`;
}
/** `4wh` as words, less than an hour in minutes; a form the page does not know is shown as it is. */
export function limit_words(limit) {
  const found = /^([\d.]+)(m|h|wh|wm|wd-times|wd|d)$/.exec(limit || '');
  if (!found) return limit || '';
  const [, amount, unit] = found, minutes = { h: 'm', wh: 'wm' }[unit];
  if (minutes && amount > 0 && amount < 1) return `${Math.round(amount * 60)} ${pick(UNITS[minutes])}`;
  // One working day, and not 1 working days.
  return `${amount} ${Number(amount) === 1 ? pick(UNITS[unit]).replace(/(hour|day)s/, '$1') : pick(UNITS[unit])}`;
}
