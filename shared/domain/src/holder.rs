//! Who holds a case (承办人): always exactly one, and a post rather than a person, so that leave and
//! replacement never leave a case without anybody.

use serde::{Deserialize, Serialize};

use crate::area::{AreaPath, Level};

/// The kinds of post that can hold a case.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Post {
    /// 网格长.
    GridLeader,
    /// 社区/村.
    Community,
    /// 街道综合信息指挥室.
    StreetDesk,
}

impl Post {
    pub const ALL: [Self; 3] = [Self::GridLeader, Self::Community, Self::StreetDesk];

    pub fn as_str(self) -> &'static str {
        match self {
            Self::GridLeader => "grid_leader",
            Self::Community => "community",
            Self::StreetDesk => "street_desk",
        }
    }

    pub fn zh(self) -> &'static str {
        match self {
            Self::GridLeader => "网格长",
            Self::Community => "社区",
            Self::StreetDesk => "街道指挥室",
        }
    }

    /// Where the post stands on the ladder.
    pub fn level(self) -> Level {
        match self {
            Self::GridLeader => Level::Grid,
            Self::Community => Level::Community,
            Self::StreetDesk => Level::Street,
        }
    }
}

/// A post at an area; written `grid_leader:boston/03/0305`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Holder {
    pub post: Post,
    pub area: AreaPath,
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
        Ok(Self { post, area: AreaPath::parse(area).map_err(|_| fault())? })
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
    }
}
