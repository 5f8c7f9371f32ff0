//! The register of organisations and the partners.csv of a new version: what is new is entered, what nobody has touched
//! follows, and what people have changed is theirs.

use domain::partner::{Partner, Standing};
use platform::store::{Store, StoreError};
use sea_orm::{ConnectionTrait, Statement};

use crate::partners::with_partners;
use crate::world::{World, monday_morning};

/// Name, capacity and standing of each, in order of their ids.
async fn register(store: &Store) -> Vec<(String, String, i32, String)> {
    let readers = store.readers();
    let sql = "SELECT id, name_en, capacity, standing FROM partner_organisation ORDER BY id";
    let rows = readers.query_all_raw(Statement::from_string(readers.get_database_backend(), sql)).await;
    let row = |row: &sea_orm::QueryResult| {
        let text = |column: &str| row.try_get::<String>("", column).unwrap();
        (text("id"), text("name_en"), row.try_get("", "capacity").unwrap(), text("standing"))
    };
    rows.unwrap().iter().map(row).collect()
}

fn entry(id: &str, name: &str, capacity: i32, standing: &str) -> (String, String, i32, String) {
    (id.to_owned(), name.to_owned(), capacity, standing.to_owned())
}

async fn follow(world: &World, partners: &[Partner]) -> Result<(), StoreError> {
    partner::follow(&world.all.around.store, partners, monday_morning()).await
}

#[tokio::test]
async fn new_organisations_are_entered_untouched_ones_follow_and_those_that_people_changed_stay() {
    let mut world = World::with_partners().await;
    let store = world.all.around.store.clone();
    assert_eq!(
        register(&store).await,
        [
            entry("home", "home", 5, "active"),
            entry("lark", "lark", 1, "active"),
            entry("stork", "stork", 100_000, "active"),
            entry("swift", "swift", 100_000, "active"),
        ]
    );
    world.stands("home", Standing::Suspended).await.unwrap();

    let mut next = with_partners().partners;
    let new = Partner { id: "robin".into(), ..next[0].clone() };
    for known in &mut next {
        known.capacity = 9;
    }
    next.push(new);
    follow(&world, &next).await.unwrap();
    let wanted = [
        entry("home", "home", 5, "suspended"),
        entry("lark", "lark", 9, "active"),
        entry("robin", "lark", 1, "active"),
        entry("stork", "stork", 9, "active"),
        entry("swift", "swift", 9, "active"),
    ];
    assert_eq!(register(&store).await, wanted);

    // The same once more changes nothing, and who is no longer in the file stays in the register.
    follow(&world, &next[..1]).await.unwrap();
    assert_eq!(register(&store).await, wanted);
}
