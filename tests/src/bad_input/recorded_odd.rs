//! Rows that cannot have been, and are what a city published: they are taken, and flagged.

use super::recorded::{file, replayed, row};

#[tokio::test]
async fn a_row_closed_before_it_was_opened_is_a_closed_case_in_order() {
    let closed_first =
        "odd,2026-03-02T09:30:00,2026-03-02T08:00:00,2026-03-02T12:00:00,closed,road,121.805,29.905";
    let replayed = replayed(&file(&[closed_first])).await.unwrap();
    assert_eq!((replayed.summary.rows, replayed.summary.accepted), (5, 5), "{:?}", replayed.counted);
    let odd = "(SELECT incident FROM discover_report WHERE client_id = 'odd')";
    let state = format!("SELECT state FROM handle_case WHERE incident = {odd}");
    assert_eq!(replayed.one(&state).await, "CLOSED");
    let backwards = "SELECT CAST(count(*) AS TEXT) FROM handle_history a JOIN handle_history b \
                     ON a.incident = b.incident AND a.sequence < b.sequence AND a.at > b.at";
    assert_eq!(replayed.one(backwards).await, "0");
    // In time by the times that were recorded, though not before it was opened.
    let verdict =
        format!("SELECT verdict FROM supervise_deadline WHERE kind = 'handle' AND incident = {odd}");
    assert_eq!(replayed.one(&verdict).await, "on_time");
}

#[tokio::test]
async fn a_verdict_is_by_the_recorded_times_even_when_closing_before_opening_is_too_late() {
    let late = "odd,2026-03-02T09:30:00,2026-03-02T09:00:00,2026-03-02T08:00:00,closed,road,121.805,29.905";
    let replayed = replayed(&file(&[late])).await.unwrap();
    assert_eq!(replayed.summary.accepted, 5, "{:?}", replayed.counted);
    let verdict = "SELECT verdict FROM supervise_deadline WHERE kind = 'handle' AND incident = \
                   (SELECT incident FROM discover_report WHERE client_id = 'odd')";
    assert_eq!(replayed.one(verdict).await, "overdue");
}

#[tokio::test]
async fn a_row_due_before_it_was_opened_is_flagged_and_escalated_as_it_opens() {
    let due_first = "odd,2026-03-02T09:30:00,,2026-03-02T09:00:00,open,road,121.805,29.905";
    let replayed = replayed(&file(&[due_first])).await.unwrap();
    assert_eq!(replayed.summary.accepted, 5, "{:?}", replayed.counted);
    assert_eq!(replayed.summary.flagged["due_before_opened"], 1);
    assert_eq!(replayed.summary.escalations.community, 1);
    assert_eq!(replayed.summary.reminders, 0);
}

#[tokio::test]
async fn an_open_row_is_not_closed_whatever_its_other_columns_say() {
    let open = row("odd").replace("closed", "OPEN");
    let replayed = replayed(&file(&[&open])).await.unwrap();
    let open =
        "SELECT client_id FROM discover_report JOIN handle_case USING (incident) WHERE state <> 'CLOSED'";
    assert_eq!(replayed.one(open).await, "odd");
}

#[tokio::test]
async fn a_place_in_no_grid_goes_to_the_street_desk_and_is_not_refused() {
    let at_sea = row("odd").replace("121.805", "123.5");
    let replayed = replayed(&file(&[&at_sea])).await.unwrap();
    assert_eq!((replayed.summary.accepted, replayed.summary.routed, replayed.summary.fallback), (5, 4, 1));
}

#[tokio::test]
async fn what_spreadsheets_leave_in_a_file_is_no_fault() {
    let text = String::from_utf8(file(&[])).unwrap();
    for text in [
        format!("\u{feff}{text}"),
        text.replace('\n', "\r\n"),
        text.replace('\n', "\n\n"),
        text.replace(",road,", ",\"road\","),
        text.replace(",road,", ", road ,"),
        text.replace("T09:00:00", " 09:00"),
    ] {
        let replayed = replayed(text.as_bytes()).await.unwrap();
        assert_eq!((replayed.summary.rows, replayed.summary.accepted), (4, 4), "{:?}", replayed.counted);
    }
}
