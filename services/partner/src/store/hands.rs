//! How many hands each organisation has full: over both tables that tell of it.

use std::collections::BTreeMap;

use domain::holder::{Holder, ORGANISATIONS};
use domain::id::PartnerId;
use platform::store::{Doing, StoreError, get};
use sea_orm::{ConnectionTrait, Statement};

use super::offers::OfferState;

/// How many cases each organisation has: open ones that it holds, and those that it has accepted and that handle has not
/// decided yet. In one statement: between two of them a case may pass from the one to the other, and be in neither.
pub async fn full<C: ConnectionTrait>(connection: &C) -> Result<BTreeMap<PartnerId, u32>, StoreError> {
    let (prefix, accepting) = (format!("partner:{ORGANISATIONS}/"), OfferState::Accepting.as_str());
    let sql = format!(
        "SELECT holder, count(*) AS cases FROM partner_case \
         WHERE holder >= '{prefix}' AND holder < '{prefix}~' AND state <> 'CLOSED' GROUP BY holder \
         UNION ALL SELECT '{prefix}' || partner, count(*) FROM partner_offer WHERE state = '{accepting}' GROUP BY partner"
    );
    let counted = Statement::from_string(connection.get_database_backend(), sql);
    let rows = connection.query_all_raw(counted).await.doing("counting what organisations have in hand")?;
    let mut full = BTreeMap::new();
    for row in &rows {
        let (holder, cases): (String, i64) = (get(row, "holder")?, get(row, "cases")?);
        if let Some(partner) = holder.parse::<Holder>().ok().and_then(|holder| holder.partner()) {
            let count: &mut u32 = full.entry(partner).or_default();
            *count = count.saturating_add(u32::try_from(cases).unwrap_or(u32::MAX));
        }
    }
    Ok(full)
}
