//! Who holds a case (承办人): always exactly one, and a post rather than a person, so that leave and
//! replacement never leave a case without anybody.

use serde::{Deserialize, Serialize};

use crate::area::{AreaPath, Level};
use crate::id::PartnerId;

/// The kinds of post that can hold a case.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Post {
    /// 网格长.
    GridLeader,
    /// 社区/村.
    Community,
    /// 街道综合信息指挥室.
    StreetDesk,
    /// 社会组织: while it works on a case it has accepted.
    Partner,
}

impl Post {
    /// Those that stand at an area.
    pub const OF_AREAS: [Self; 3] = [Self::GridLeader, Self::Community, Self::StreetDesk];
    pub const ALL: [Self; 4] = [Self::GridLeader, Self::Community, Self::StreetDesk, Self::Partner];

    pub fn as_str(self) -> &'static str {
        match self {
            Self::GridLeader => "grid_leader",
            Self::Community => "community",
            Self::StreetDesk => "street_desk",
            Self::Partner => "partner",
        }
    }

    pub fn zh(self) -> &'static str {
        match self {
            Self::GridLeader => "网格长",
            Self::Community => "社区",
            Self::StreetDesk => "街道指挥室",
            Self::Partner => "社会组织",
        }
    }

    /// As English says it, where [`as_str`](Self::as_str) is how files and facts write it.
    pub fn en(self) -> &'static str {
        match self {
            Self::GridLeader => "grid leader",
            Self::Community => "community desk",
            Self::StreetDesk => "street desk",
            Self::Partner => "organisation",
        }
    }

    /// Where the post stands on the ladder. A partner organisation works for the grid.
    pub fn level(self) -> Level {
        match self {
            Self::GridLeader | Self::Partner => Level::Grid,
            Self::Community => Level::Community,
            Self::StreetDesk => Level::Street,
        }
    }
}

/// The root of the paths of partner organisations, which lie in no area.
pub const ORGANISATIONS: &str = "org";

/// A post at an area, written `grid_leader:boston/03/0305`; or a partner organisation, written
/// `partner:org/lark`, whose path is its own and in no tree of areas.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Holder {
    pub post: Post,
    pub area: AreaPath,
}

impl Holder {
    /// The organisation itself as a holder.
    pub fn of_partner(partner: &PartnerId) -> Self {
        Self { post: Post::Partner, area: organisation(partner) }
    }

    /// Which organisation holds it, if one does.
    pub fn partner(&self) -> Option<PartnerId> {
        (self.post == Post::Partner).then(|| PartnerId(self.area.code().to_owned()))
    }
}

/// The path of an organisation: what its people's grants name.
///
/// # Panics
/// When the id has other characters than a code: the register takes none that has.
pub fn organisation(partner: &PartnerId) -> AreaPath {
    AreaPath::parse(&format!("{ORGANISATIONS}/{partner}")).expect("ids of the register are checked codes")
}

impl std::fmt::Display for Holder {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}:{}", self.post.as_str(), self.area)
    }
}

impl From<Holder> for String {
    fn from(holder: Holder) -> Self {
        holder.to_string()
    }
}

impl TryFrom<String> for Holder {
    type Error = String;
    fn try_from(text: String) -> Result<Self, String> {
        text.parse()
    }
}

impl std::str::FromStr for Holder {
    type Err = String;
    fn from_str(text: &str) -> Result<Self, String> {
        let fault = || format!("`{text}` is not a holder: write post:area, as in grid_leader:boston/03/0305");
        let (post, area) = text.split_once(':').ok_or_else(fault)?;
        let post = Post::ALL.into_iter().find(|known| known.as_str() == post).ok_or_else(fault)?;
        let area = AreaPath::parse(area).map_err(|_| fault())?;
        let of_organisation = area.depth() == 2 && area.as_str().starts_with("org/");
        if (post == Post::Partner) != of_organisation {
            return Err(fault());
        }
        Ok(Self { post, area })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_holder_is_written_and_read_back_as_one_word() {
        let holder: Holder = "grid_leader:boston/03/0305".parse().unwrap();
        assert_eq!(holder.to_string(), "grid_leader:boston/03/0305");
        assert_eq!(serde_json::to_string(&holder).unwrap(), "\"grid_leader:boston/03/0305\"");
        assert!("mayor:boston".parse::<Holder>().is_err());
        assert!("grid_leader".parse::<Holder>().is_err());
        let lark = Holder::of_partner(&"lark".into());
        assert_eq!((lark.to_string().as_str(), lark.partner()), ("partner:org/lark", Some("lark".into())));
        assert_eq!(lark.to_string().parse::<Holder>(), Ok(lark));
        for wrong in ["partner:boston/03", "partner:org", "partner:org/a/b", "grid_leader:org/lark"] {
            assert!(wrong.parse::<Holder>().is_err(), "{wrong}");
        }
    }
}
