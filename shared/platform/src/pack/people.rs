//! `people.csv`: who works where. One line for each role of a person.

use std::collections::BTreeMap;

use chrono::NaiveDateTime;
use domain::area::{Area, AreaPath, Level};
use domain::holder::{Holder, ORGANISATIONS, Post};
use domain::id::PersonId;
use domain::rights::{Grant, Role};
use domain::text::Text;

use super::areas::{AreaBook, Found, holder_at, unknown_area};
use super::duty::Duty;
use super::fault::Fault;
use super::files::Source;
use super::lengths::LONGEST_CODE;
use super::partners::PartnerBook;
use super::table;

const COLUMNS: [&str; 5] = ["person", "name_zh", "name_en", "role", "area"];

/// A person and all roles the pack gives them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Person {
    pub id: PersonId,
    pub name: Text,
    pub grants: Vec<Grant>,
}

/// Everybody a pack names, by id and by where they work.
#[derive(Clone, Debug, Default)]
pub struct People {
    by_id: BTreeMap<PersonId, Person>,
    by_grant: BTreeMap<(Role, AreaPath), Vec<PersonId>>,
    duty: Duty,
}

/// Who works on what a post holds, at a moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OnDuty<'a> {
    pub person: &'a Person,
    /// Not the post's first (A 岗), who is away.
    pub stands_in: bool,
}

impl People {
    pub fn get(&self, id: &PersonId) -> Option<&Person> {
        self.by_id.get(id)
    }

    /// In order of their ids.
    pub fn iter(&self) -> impl Iterator<Item = &Person> {
        self.by_id.values()
    }

    pub fn len(&self) -> usize {
        self.by_id.len()
    }

    pub fn is_empty(&self) -> bool {
        self.by_id.is_empty()
    }

    /// Those who work on what this post holds, in the order of the file.
    pub fn working_for(&self, holder: &Holder) -> impl Iterator<Item = &Person> {
        let role = Role::ALL.into_iter().find(|role| role.post() == Some(holder.post));
        role.into_iter().flat_map(|role| self.with_role_at(role, &holder.area))
    }

    /// Who of them is there at `local`, in the pack's own time: the first that is neither on leave nor off shift.
    /// `None`: the post is vacant.
    pub fn on_duty(&self, holder: &Holder, local: NaiveDateTime) -> Option<OnDuty<'_>> {
        let mut all = self.working_for(holder).enumerate();
        let (place, person) = all.find(|(_, person)| self.duty.has(&person.id, local))?;
        Some(OnDuty { person, stands_in: place > 0 })
    }

    /// The post whose people work on what `holder` holds: its own; where nobody works for that, since the post is vacant
    /// or its area is listed no more, the nearest above it that somebody works for. `None`: there is nobody.
    pub fn acting_for(&self, holder: &Holder) -> Option<Holder> {
        let somebody = |holder: &Holder| self.working_for(holder).next().is_some();
        if holder.post == Post::Partner {
            return Some(holder.clone()).filter(somebody);
        }
        let areas = std::iter::successors(Some(holder.area.clone()), AreaPath::parent);
        let mut posts = areas.flat_map(|area| Post::OF_AREAS.map(|post| Holder { post, area: area.clone() }));
        posts.find(somebody)
    }

    pub(super) fn with_duty(mut self, read: impl FnOnce(&mut Duty, &dyn Fn(&PersonId) -> bool)) -> Self {
        let mut duty = std::mem::take(&mut self.duty);
        read(&mut duty, &|person| self.by_id.contains_key(person));
        self.duty = duty;
        self
    }

    /// Those who have this role over `area`: for the area itself or for one above it, nearest first,
    /// each once.
    pub fn with_role_over(&self, role: Role, area: &AreaPath) -> impl Iterator<Item = &Person> {
        let mut found: Vec<&Person> = Vec::new();
        for here in std::iter::successors(Some(area.clone()), AreaPath::parent) {
            for person in self.with_role_at(role, &here) {
                if !found.iter().any(|known| known.id == person.id) {
                    found.push(person);
                }
            }
        }
        found.into_iter()
    }

    fn with_role_at(&self, role: Role, area: &AreaPath) -> impl Iterator<Item = &Person> {
        let ids = self.by_grant.get(&(role, area.clone()));
        ids.into_iter().flatten().filter_map(|id| self.by_id.get(id))
    }

    pub(super) fn read(
        source: &Source,
        areas: &AreaBook,
        partners: &PartnerBook,
        faults: &mut Vec<Fault>,
    ) -> Self {
        let mut people = Self::default();
        for row in table::read(source, COLUMNS, faults).rows {
            let [id, zh, en, role, area] = &row.fields;
            let name = table::name(&source.name, row.line, zh, en, faults);
            let mut fault = |reason| faults.push(Fault::at_line(&source.name, row.line, reason));
            let id = person_id(id).map_err(&mut fault).ok();
            let grant = grant(role, area, areas, partners).map_err(&mut fault).ok().flatten();
            let (Some(id), Some(name), Some(grant)) = (id, name, grant) else { continue };
            if let Err(reason) = people.add(id, name, grant) {
                fault(reason);
            }
        }
        people
    }

    fn add(&mut self, id: PersonId, name: Text, grant: Grant) -> Result<(), Text> {
        if let Some(known) = self.by_id.get(&id) {
            check_same_person(known, &name, &grant)?;
        }
        self.by_grant.entry((grant.role, grant.area.clone())).or_default().push(id.clone());
        let person = Person { id: id.clone(), name, grants: Vec::new() };
        self.by_id.entry(id).or_insert(person).grants.push(grant);
        Ok(())
    }
}

fn check_same_person(known: &Person, name: &Text, grant: &Grant) -> Result<(), Text> {
    let id = &known.id;
    if known.name != *name {
        return Err(Text::new(
            format!("人员 {id} 在上面叫“{}”，这里叫“{}”；请改编号或统一姓名", known.name.zh, name.zh),
            format!(
                "person `{id}` is called `{}` above and `{}` here: give one of them another id, or write one name",
                known.name, name
            ),
        ));
    }
    if known.grants.contains(grant) {
        return Err(Text::new(
            format!("人员 {id} 的这一角色出现两次；请删去一行"),
            format!("person `{id}` is given this role twice: keep one of the two lines"),
        ));
    }
    Ok(())
}

fn person_id(text: &str) -> Result<PersonId, Text> {
    let plain = |c: char| !c.is_whitespace() && !c.is_control();
    if !text.is_empty() && text.len() <= LONGEST_CODE && text.chars().all(plain) {
        return Ok(PersonId(text.to_owned()));
    }
    Err(Text::new(
        format!("人员编号“{text}”无效：不能为空、不能含空格、最长 {LONGEST_CODE} 字节"),
        format!("person id `{text}` is empty, has a space in it or is longer than {LONGEST_CODE} bytes"),
    ))
}

/// Nothing where the area's own line is at fault and has said so.
fn grant(role: &str, code: &str, areas: &AreaBook, partners: &PartnerBook) -> Result<Option<Grant>, Text> {
    let role = role.parse::<Role>().map_err(|english| not_a_role(role, english))?;
    if role == Role::Partner {
        return of_partner(code, partners).map(|area| Some(Grant { role, area }));
    }
    let area = match areas.find(code) {
        Found::Area(area) => area,
        Found::Reported => return Ok(None),
        Found::Unknown => return Err(unknown_area(code)),
    };
    check_reach(role, area)?;
    Ok(Some(Grant { role, area: area.path.clone() }))
}

/// The path of the organisation one of whose people this is.
fn of_partner(id: &str, partners: &PartnerBook) -> Result<AreaPath, Text> {
    let unknown = || {
        Text::new(
            format!("没有编号为 {id} 的社会组织；角色 partner 的 area 一栏写组织编号"),
            format!("there is no organisation `{id}`: for the role partner, area is the id of one"),
        )
    };
    if partners.knows(id) {
        AreaPath::parse(&format!("{ORGANISATIONS}/{id}")).map_err(|_| unknown())
    } else {
        Err(unknown())
    }
}

fn not_a_role(text: &str, english: String) -> Text {
    let known = Role::ALL.map(Role::as_str).join("、");
    Text::new(format!("“{text}”不是角色；请用 {known} 之一"), english)
}

/// A post stands on its own level. A grid worker may walk several grids of a street; a checker or
/// supervisor looks at others' work, so never at one grid only.
fn check_reach(role: Role, area: &Area) -> Result<(), Text> {
    if let Some(post) = role.post() {
        return holder_at(post, area).map(drop);
    }
    let (fits, zh, en) = match role {
        Role::GridWorker => {
            (area.level <= Level::Street, "网格、社区或街道", "a grid, a community or a street")
        }
        _ => (area.level >= Level::Community, "社区、街道或区县", "a community, a street or a county"),
    };
    if fits {
        return Ok(());
    }
    let (code, role) = (area.path.code(), role.as_str());
    Err(Text::new(
        format!("角色 {role} 须设在{zh}，而 {code} 是{}", area.level.zh()),
        format!("the role {role} is given for {en}, but area `{code}` is a {}", area.level),
    ))
}
