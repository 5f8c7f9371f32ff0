//! 户人分离: what goes by where somebody is registered, and not by the place.

use super::*;

/// Village shares go by registration, everything else by place.
fn by_registration() -> Routing {
    let share = Rule {
        categories: vec!["share".into()],
        by: By::Registration,
        ..rule("share", None, Post::Community)
    };
    Routing { rules: [vec![share], routing().rules].concat(), ..routing() }
}

/// A matter of village shares, reported from where somebody lives.
fn share(
    lives_in: Option<&str>,
    registered: Option<&str>,
    tried: &[Holder],
    staffed: &dyn Fn(&Holder) -> bool,
) -> Route {
    let (category, matter) = ("share".into(), Text::new("股权核定", "Village shareholding"));
    let registered: Option<AreaPath> = registered.map(|path| path.parse().unwrap());
    let asking = Asking {
        category: &category,
        matter: &matter,
        flags: if registered.is_none() { vec![Flag::NoRegistration] } else { Vec::new() },
        registered_area: registered.as_ref(),
        tried,
        staffed,
        ..litter(lives_in.map(|path| inside(path, Level::Grid)))
    };
    choose(&asking, &by_registration(), &areas())
}

#[test]
fn a_matter_by_registration_is_the_registered_area_s_and_the_case_lies_there() {
    let route = share(Some("s/c/g"), Some("s/v"), &[], &|_| true);
    assert_eq!(held(&route), pair("community:s/v", "s/v"));
    assert_eq!((route.rule.as_str(), route.grid.as_deref()), ("share", Some("g")), "the place is what it is");
    assert_eq!(
        route.why.zh,
        "地点在 g 内，距其边界 12 米；「股权核定」按户籍地派单，不按事发地，登记在 v；按规则「share」由 v 社区承办。"
    );
    assert_eq!(
        route.why.en,
        "The place lies in g, 12 m inside its border. “Village shareholding” goes by where the person it concerns is \
         registered and not by the place: in v. Rule “share” gives it to the community of v."
    );
}

#[test]
fn what_the_registered_area_gives_back_or_has_nobody_for_goes_up_there_and_not_to_where_somebody_lives() {
    let village: Holder = "community:t/w".parse().unwrap();
    let returned = share(Some("s/c/g"), Some("t/w"), std::slice::from_ref(&village), &|_| true);
    assert_eq!(held(&returned), pair("street_desk:t", "t/w"));
    let vacant = share(Some("s/c/g"), Some("t/w"), &[], &|holder| *holder != village);
    assert_eq!(held(&vacant), pair("street_desk:t", "t/w"));
    assert!(vacant.why.zh.contains(" w 社区无人在岗"), "{}", vacant.why.zh);
    let by_street = share(Some("s/c/g"), Some("t"), &[], &|_| true);
    assert_eq!(held(&by_street), pair("street_desk:t", "t"), "known only to the street");
}

#[test]
fn without_a_registered_area_the_community_of_the_place_looks_into_it_and_the_report_is_flagged() {
    let route = share(Some("s/c/g"), None, &[], &|_| true);
    assert_eq!(held(&route), pair("community:s/c", "s/c"));
    assert_eq!(route.flags, ["no_registration"]);
    assert!(
        route.why.zh.contains("「股权核定」按户籍地派单，而上报未写明户籍地，先由事发地核实；"),
        "{}",
        route.why.zh
    );
    assert!(
        route.why.en.contains("which the report does not say, so it is looked into where"),
        "{}",
        route.why.en
    );
    let nowhere = share(None, None, &[], &|_| true);
    assert_eq!(held(&nowhere), pair("street_desk:s", "s"));
}

#[test]
fn a_pack_may_send_what_names_no_registered_area_elsewhere() {
    let no_registration = rule("unregistered", Some("no_registration"), Post::StreetDesk);
    let rules = [vec![no_registration], by_registration().rules].concat();
    let (category, matter) = ("share".into(), Text::new("股权核定", "Village shareholding"));
    let located = stated("s/c/g".parse().unwrap(), Level::Grid);
    let flags = vec![Flag::NoRegistration];
    let asking = Asking { category: &category, matter: &matter, flags, ..litter(Some(located)) };
    let route = choose(&asking, &Routing { rules, ..routing() }, &areas());
    assert_eq!((route.rule.as_str(), held(&route)), ("unregistered", pair("street_desk:s", "s/c/g")));
}
