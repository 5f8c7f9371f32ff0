//! 片区: communities of one street that are looked after together. A service area between community and street, for figures
//! and duty; no node of the tree, whose codes have no place for it.

use crate::area::AreaPath;
use crate::text::Text;

/// One 片区.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct District {
    pub code: String,
    pub name: Text,
    /// The street whose communities these are.
    pub street: AreaPath,
    pub communities: Vec<AreaPath>,
}

impl District {
    /// Whether an area is one of its communities or lies in one.
    pub fn contains(&self, area: &AreaPath) -> bool {
        self.communities.iter().any(|community| community.contains(area))
    }
}

/// All of a jurisdiction, in the order of the pack; no community is in two.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Districts(Vec<District>);

impl Districts {
    pub fn new(districts: Vec<District>) -> Self {
        Self(districts)
    }

    pub fn iter(&self) -> impl Iterator<Item = &District> {
        self.0.iter()
    }

    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub fn by_code(&self, code: &str) -> Option<&District> {
        self.0.iter().find(|district| district.code == code)
    }

    /// The one an area lies in: a street lies in none.
    pub fn of(&self, area: &AreaPath) -> Option<&District> {
        self.0.iter().find(|district| district.contains(area))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_grid_lies_in_the_district_of_its_community_and_a_street_in_none() {
        let district = |code: &str, communities: &[&str]| District {
            code: code.to_owned(),
            name: Text::new(code, code),
            street: "s".parse().unwrap(),
            communities: communities.iter().map(|path| path.parse().unwrap()).collect(),
        };
        let districts = Districts::new(vec![district("p1", &["s/a", "s/b"]), district("p2", &["s/c"])]);
        let of = |path: &str| districts.of(&path.parse().unwrap()).map(|district| district.code.as_str());
        assert_eq!([of("s/b/g"), of("s/c"), of("s/d"), of("s")], [Some("p1"), Some("p2"), None, None]);
        assert_eq!(districts.by_code("p2").unwrap().communities.len(), 1);
        assert!(districts.by_code("p3").is_none());
    }
}
