//! The corruptions that are planted, one at a time, in what is stored of a street after a few days.

/// One corruption: the check that must name it, the life it is planted in (or the row that is
/// named), the SQL with `ID` for the life's id.
pub type Planted = (&'static str, &'static str, &'static str);

pub const PLANTED: &[Planted] = &[
    // a report without a case, and a case without a report
    ("once", "escalated", "DELETE FROM handle_case WHERE incident = ID"),
    ("once", "closed", "DELETE FROM discover_report WHERE incident = ID"),
    ("once", "closed", "DELETE FROM route_incident WHERE incident = ID"),
    (
        "once",
        "open",
        "DELETE FROM log WHERE incident = ID AND topic = 'handled'; DELETE FROM handle_case WHERE incident = ID",
    ),
    ("once", "open", "DELETE FROM log WHERE incident = ID AND topic = 'routed'"),
    (
        "once",
        "open",
        "DELETE FROM discover_report WHERE incident = ID; DELETE FROM log WHERE incident = ID AND topic = 'reported'",
    ),
    (
        "once",
        "open",
        "INSERT INTO log (topic, incident, sequence, kind, at, noticed_at, cause, body) \
         SELECT topic, incident, (SELECT max(sequence) + 1 FROM log WHERE topic = 'handled' AND incident = ID), \
         kind, at, noticed_at, cause, body FROM log WHERE incident = ID AND kind = 'case.opened'",
    ),
    (
        "once",
        "open",
        "INSERT INTO log (topic, incident, sequence, kind, at, noticed_at, cause, body) \
         SELECT topic, incident, 2, kind, at, noticed_at, cause, body FROM log WHERE incident = ID AND topic = 'reported'",
    ),
    ("once", "returned", "UPDATE route_incident SET attempt = 2 WHERE incident = ID"),
    (
        "unique",
        "closed",
        "DROP INDEX discover_report_by_client_id; UPDATE discover_report SET client_id = 'same'",
    ),
    // one holder
    ("holder", "open", "UPDATE handle_case SET holder = '' WHERE incident = ID"),
    ("holder", "open", "UPDATE handle_case SET holder = 'mayor:990001' WHERE incident = ID"),
    ("holder", "open", "UPDATE handle_case SET holder = 'street_desk:990001/990001002' WHERE incident = ID"),
    ("mirror", "open", "UPDATE supervise_case SET holder = 'street_desk:990001' WHERE incident = ID"),
    ("mirror", "open", "DELETE FROM supervise_case WHERE incident = ID"),
    // steps
    (
        "steps",
        "escalated",
        "UPDATE handle_case SET deadlines = json_remove(deadlines, '$[1].steps[1].done_at') WHERE incident = ID",
    ),
    (
        "steps",
        "open",
        "UPDATE handle_case SET deadlines = json_set(deadlines, '$[0].steps[0].done_at', '2026-03-02T02:00:00Z') \
         WHERE incident = ID",
    ),
    (
        "steps",
        "escalated",
        "INSERT INTO log (topic, incident, sequence, kind, at, noticed_at, cause, body) \
         SELECT topic, incident, (SELECT max(sequence) + 1 FROM log WHERE topic = 'handled' AND incident = ID), \
         kind, at, noticed_at, cause, body FROM log WHERE incident = ID AND kind = 'case.escalated' LIMIT 1",
    ),
    (
        "steps",
        "escalated",
        "UPDATE log SET at = '2026-03-02T01:00:00.500+00:00' WHERE incident = ID AND kind = 'case.escalated'",
    ),
    (
        "steps",
        "escalated",
        "UPDATE log SET noticed_at = '2026-03-02T01:00:00.500+00:00' WHERE incident = ID AND kind = 'case.escalated'",
    ),
    ("steps", "open", "UPDATE handle_case SET last_at = '2027-01-01T00:00:00+00:00' WHERE incident = ID"),
    (
        "steps",
        "escalated",
        "DELETE FROM log WHERE incident = ID AND kind = 'case.reminded'; \
         DELETE FROM handle_history WHERE incident = ID AND kind = 'case.reminded'",
    ),
    (
        "steps",
        "closed",
        "INSERT INTO log (topic, incident, sequence, kind, at, noticed_at, cause, body) \
         SELECT topic, incident, sequence + 1, 'case.escalated', '2026-04-02T01:00:00+00:00', \
         '2026-04-02T01:00:00+00:00', cause, json_set(body, '$.happened', json('{\"what\":\"escalated\",\
         \"deadline\":\"handle\",\"round\":1,\"step\":1,\"to\":\"community\",\"area\":\"990001/990001001/990001001001\"}')) \
         FROM log WHERE incident = ID AND kind = 'case.closed'",
    ),
    (
        "steps",
        "escalated",
        "UPDATE log SET body = json_set(body, '$.happened.to', 'county') WHERE incident = ID AND kind = 'case.escalated'",
    ),
    ("mirror", "open", "DELETE FROM supervise_step WHERE incident = ID AND kind = 'handle' AND step = 0"),
    (
        "mirror",
        "open",
        "UPDATE supervise_step SET step = 9 WHERE incident = ID AND kind = 'handle' AND step = 0",
    ),
    (
        "mirror",
        "open",
        "UPDATE supervise_step SET look_at = NULL WHERE incident = ID AND kind = 'handle' AND step = 0",
    ),
    (
        "mirror",
        "open",
        "UPDATE supervise_step SET due_at = '2027-01-01T00:00:00+00:00' WHERE incident = ID AND kind = 'handle' AND step = 0",
    ),
    (
        "mirror",
        "escalated",
        "UPDATE supervise_step SET done_at = NULL WHERE incident = ID AND kind = 'handle' AND step = 0",
    ),
    (
        "mirror",
        "escalated",
        "UPDATE supervise_step SET done_in = '990001/990001002' WHERE incident = ID AND kind = 'handle' AND step = 0",
    ),
    (
        "mirror",
        "escalated",
        "UPDATE supervise_step SET noticed_at = '2026-03-02T01:00:00+00:00' WHERE incident = ID AND kind = 'handle' AND step = 0",
    ),
    (
        "mirror",
        "escalated",
        "UPDATE log SET body = json_set(body, '$.step', 7) WHERE incident = ID AND topic = 'supervised'",
    ),
    (
        "mirror",
        "escalated",
        "UPDATE log SET noticed_at = '2026-03-02T01:00:00+00:00' WHERE incident = ID AND topic = 'supervised'",
    ),
    // deadlines and verdicts
    (
        "deadlines",
        "open",
        "UPDATE handle_case SET deadlines = json_set(deadlines, '$[1].due_at', '2027-01-01T00:00:00Z') WHERE incident = ID",
    ),
    (
        "deadlines",
        "closed",
        "UPDATE log SET body = json_set(body, '$.case.deadlines[1].due_at', '2027-01-01T00:00:00Z') \
         WHERE incident = ID AND kind = 'case.answered'",
    ),
    (
        "deadlines",
        "open",
        "UPDATE supervise_deadline SET due_at = '2027-01-01T00:00:00+00:00' WHERE incident = ID AND kind = 'handle'",
    ),
    (
        "deadlines",
        "open",
        "UPDATE handle_case SET deadlines = json_set(deadlines, '$[1].round', 2) WHERE incident = ID",
    ),
    (
        "verdicts",
        "closed",
        "UPDATE supervise_deadline SET verdict = 'overdue' WHERE incident = ID AND kind = 'handle'",
    ),
    (
        "verdicts",
        "reworked",
        "UPDATE supervise_deadline SET verdict = 'on_time' WHERE incident = ID AND kind = 'handle'",
    ),
    (
        "verdicts",
        "open",
        "UPDATE supervise_deadline SET \"open\" = false WHERE incident = ID AND kind = 'handle'",
    ),
    ("verdicts", "open", "DELETE FROM supervise_deadline WHERE incident = ID AND kind = 'handle'"),
    // history
    (
        "history",
        "closed",
        "UPDATE handle_history SET happened = json_set(happened, '$.by', 'x') WHERE incident = ID AND sequence = 2",
    ),
    (
        "history",
        "closed",
        "UPDATE handle_history SET kind = 'case.closed' WHERE incident = ID AND sequence = 2",
    ),
    (
        "history",
        "closed",
        "UPDATE handle_history SET person = 'desk-1a' WHERE incident = ID AND sequence = 2",
    ),
    (
        "history",
        "closed",
        "UPDATE handle_history SET at = '2026-03-02T00:00:00+00:00' WHERE incident = ID AND sequence = 2",
    ),
    ("history", "closed", "DELETE FROM handle_history WHERE incident = ID AND sequence = 3"),
    (
        "history",
        "closed",
        "UPDATE handle_history SET sequence = -2 WHERE incident = ID AND sequence = 2; \
         UPDATE handle_history SET sequence = 2 WHERE incident = ID AND sequence = 3; \
         UPDATE handle_history SET sequence = 3 WHERE incident = ID AND sequence = -2",
    ),
    ("history", "open", "UPDATE handle_history SET sequence = 40 WHERE incident = ID AND sequence = 1"),
    // the fold and the row
    (
        "row",
        "open",
        "UPDATE handle_case SET state = 'HANDLING', signed_by = 'x', signed_at = opened_at WHERE incident = ID",
    ),
    ("row", "closed", "UPDATE handle_case SET revision = revision + 1 WHERE incident = ID"),
    ("row", "closed", "UPDATE handle_case SET handlers = '[]' WHERE incident = ID"),
    ("row", "closed", "UPDATE handle_case SET lon = lon + 0.001 WHERE incident = ID"),
    ("row", "open", "UPDATE handle_case SET due_at = NULL WHERE incident = ID"),
    ("row", "returned", "UPDATE handle_case SET flags = '[\"rounded\"]' WHERE incident = ID"),
    ("row", "returned", "UPDATE handle_case SET level = 'grid' WHERE incident = ID"),
    (
        "fold",
        "closed",
        "UPDATE log SET body = json_set(body, '$.case.revision', 9) WHERE incident = ID AND kind = 'case.signed'",
    ),
    (
        "fold",
        "closed",
        "UPDATE log SET body = json_set(body, '$.case.answered.by', 'x') WHERE incident = ID AND kind = 'case.checked'",
    ),
    ("fold", "closed", "UPDATE log SET kind = 'case.checked' WHERE incident = ID AND kind = 'case.closed'"),
    (
        "fold",
        "reworked",
        "UPDATE log SET body = json_set(body, '$.happened.what', 'closed') WHERE incident = ID AND kind = 'case.reworked'",
    ),
    (
        "fold",
        "closed",
        "UPDATE log SET at = '2026-01-01T00:00:00+00:00' WHERE incident = ID AND kind = 'case.answered'",
    ),
    (
        "readable",
        "closed",
        "UPDATE log SET body = substr(body, 3) WHERE incident = ID AND kind = 'case.answered'",
    ),
    ("readable", "closed", "UPDATE handle_case SET opened_at = 'soon' WHERE incident = ID"),
    // what facts say
    (
        "said",
        "closed",
        "UPDATE log SET body = json_set(body, '$.report.category', 'road') WHERE incident = ID AND topic = 'reported'",
    ),
    (
        "said",
        "closed",
        "UPDATE log SET body = json_set(body, '$.route.rule', 'x') WHERE incident = ID AND topic = 'routed'",
    ),
    (
        "said",
        "closed",
        "UPDATE log SET body = json_set(body, '$.route.lon', 1.5) WHERE incident = ID AND topic = 'routed'",
    ),
    ("said", "closed", "UPDATE discover_report SET reporter = 'x' WHERE incident = ID"),
    ("said", "returned", "UPDATE route_incident SET holder = 'x' WHERE incident = ID"),
    // the log and its readers
    ("sequences", "closed", "DELETE FROM log WHERE incident = ID AND topic = 'handled' AND sequence = 3"),
    ("sequences", "closed", "DELETE FROM log WHERE incident = ID AND kind = 'case.closed'"),
    (
        "sequences",
        "escalated",
        "DELETE FROM log WHERE incident = ID AND topic = 'supervised' AND sequence = 1",
    ),
    (
        "sequences",
        "closed",
        "UPDATE handle_sequence SET last = last + 1 WHERE incident = ID AND topic = 'handled'",
    ),
    (
        "sequences",
        "closed",
        "UPDATE supervise_sequence SET last = last - 1 WHERE incident = ID AND topic = 'handled'",
    ),
    ("sequences", "closed", "DELETE FROM route_sequence WHERE incident = ID AND topic = 'reported'"),
    ("sequences", "open", "UPDATE supervise_position SET position = 0"),
    ("sequences", "closed", "UPDATE log SET id = 100000 WHERE incident = ID AND kind = 'case.signed'"),
    (
        "sequences",
        "closed",
        "INSERT INTO handle_parked SELECT topic, 0, id, incident, sequence, kind, at, noticed_at, cause, body FROM log \
         WHERE incident = ID AND topic = 'routed'",
    ),
    ("positions", "handle on routed", "UPDATE handle_position SET position = 100000 WHERE topic = 'routed'"),
    ("positions", "supervise on handled", "UPDATE supervise_position SET topic_id = 'another'"),
    ("positions", "route on reported", "DELETE FROM route_position WHERE topic = 'reported'"),
    ("positions", "log_identity", "INSERT INTO log_identity VALUES ('another')"),
    // figures and people
    (
        "tallies",
        "990001/990001001/990001001001/990001001001001 opened",
        "UPDATE supervise_tally SET count = count + 1 WHERE measure = 'opened'",
    ),
    (
        "tallies",
        "990001/990001001/990001001001/990001001001001 closed",
        "DELETE FROM supervise_tally WHERE measure = 'closed'",
    ),
    // what is sensitive, in the figures of what is not
    (
        "tallies",
        "990001/990001001/990001001001/990001001001001 opened",
        "UPDATE supervise_case SET sensitive = NOT sensitive",
    ),
    (
        "tallies",
        "990001/990001001/990001001001/990001001001001 closed",
        "UPDATE supervise_tally SET measure = 'sensitive_closed' WHERE measure = 'closed'",
    ),
    ("people", "closed", "UPDATE handle_case SET passed_by = 'leader-111' WHERE incident = ID"),
    (
        "people",
        "closed",
        "UPDATE log SET body = json_set(body, '$.happened.by', 'leader-111') WHERE incident = ID AND kind = 'case.checked'",
    ),
];
