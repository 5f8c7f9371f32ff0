//! What lies in an area, or is held there, as conditions of a query.

use domain::area::AreaPath;
use sea_orm::sea_query::{ColumnRef, Cond, Expr, ExprTrait, IntoColumnRef, LikeExpr};

/// The SQL rendering of [`AreaPath::contains`]: rows whose path in `column` is `area` or below it.
pub fn within<C: IntoColumnRef + Clone>(column: C, area: &AreaPath) -> Cond {
    let (from, to) = area.below();
    let column: ColumnRef = column.into_column_ref();
    Cond::any()
        .add(Expr::col(column.clone()).eq(area.as_str()))
        .add(Cond::all().add(Expr::col(column.clone()).gte(from)).add(Expr::col(column).lt(to)))
}

/// Rows whose holder in `column`, a post as in `street_desk:330206/330206002`, is of `area` or of one below it.
pub fn held_within<C: IntoColumnRef + Clone>(column: C, area: &AreaPath) -> Cond {
    let column: ColumnRef = column.into_column_ref();
    let path = area.as_str().replace('\\', "\\\\").replace('%', "\\%").replace('_', "\\_");
    let like = |pattern: String| Expr::col(column.clone()).like(LikeExpr::new(pattern).escape('\\'));
    Cond::any().add(like(format!("%:{path}"))).add(like(format!("%:{path}/%")))
}
