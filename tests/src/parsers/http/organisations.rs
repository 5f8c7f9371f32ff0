//! What is asked of partner organisations and about them: `PATH PERSON` on a line, and the body behind it. `@incident` stands
//! for the one case there is.

use super::super::{head, text};
use super::{Read, ask, with_office};

pub fn organisations(bytes: &[u8]) -> Read {
    let (line, body) = head(bytes);
    let Some((path, person)) = text(line).and_then(|line| line.split_once(' ')) else { return Read::Refused };
    let known = ["orders", "partners", "offers"].iter().any(|begin| path.starts_with(begin));
    if !known {
        return Read::Refused;
    }
    with_office(|office| {
        let incident = office.case.rsplit('/').next().unwrap_or_default().to_owned();
        let path = format!("/api/v1/{}", path.replace("@incident", &incident));
        let body = String::from_utf8_lossy(body).replace("@incident", &incident);
        let Ok(request) = office.request("POST", &path, person, body) else { return Read::Refused };
        ask(office, request).read()
    })
}
