//! Whether the accounts can be asked, looked at every other second where console runs alone: it has no loop of turns
//! that would notice.

use std::time::Duration;

use platform::lifecycle::Lifecycle;
use platform::store::Store;
use platform::turn::Health;

use crate::store::accounts;

const EVERY: Duration = Duration::from_secs(2);

/// Looks until the process ends, and tells `health`.
pub async fn watch(store: Store, health: Health, mut lifecycle: Lifecycle) {
    while !lifecycle.is_stopping() {
        match accounts::answers(store.readers()).await {
            Ok(()) => health.saved(),
            Err(error) => health.failed(&error),
        }
        health.came_around();
        lifecycle.pause(EVERY).await;
    }
}
